/**
 * Removal labels: by them, the removal of a single entry reaches answers that were on their way to any process.
 *
 * Each entry of a store bears two labels more than its call has. One is its removal label, which is made of its key and gets a new generation
 * when the entry is removed. The other, `removals`, gets a new one after that, whatever was removed. While it stays the same, nothing was
 * removed, so no process reads removal labels: neither for hits, nor for what it has read of them before.
 *
 * Removal labels are few, so that a store need not keep one beside each entry: the answers of 65,536 keys share one. What shares it with a
 * removed answer is fetched again, once.
 * @module
 */
import { sha256 } from '../../base/digest.ts'
import { kindOf } from '../../key/store-keys.ts'
import type { GenerationByLabel } from './generation.ts'
import { removals } from './labels.ts'

/** Hex digits of a removal label: 65,536 labels for answers, and as many for values. */
const digits = 4
const prefix = 'removed'

/** The removal label of the entry at `storeKey`. That of an answer ends with its key, which is a digest already. */
export function removalLabel(storeKey: string): string {
  if (kindOf(storeKey) === 'v1') return `${prefix}:${storeKey.slice(-digits)}`
  return `${prefix}-value:${sha256(storeKey).slice(-digits)}`
}

/** Whether this is the removal label of some entry. No other label begins so. */
export function isRemovalLabel(label: string): boolean {
  return label.startsWith(prefix)
}

/** Those of an entry's labels that its call gave it. */
export function withoutRemovals(generations: GenerationByLabel): string[] {
  return Object.keys(generations).filter((label) => label !== removals && !isRemovalLabel(label))
}
