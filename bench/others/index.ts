/**
 * All that are measured, llmemo first.
 * @module
 */
import { loaders, other } from './loaders.ts'
import type { Run } from '../harness/report.ts'
import { budgetSize } from '../harness/by-size.ts'
import type { Other } from './other.ts'

/** llmemo and what a user could pick instead. */
export const everyone: readonly Other[] = await Promise.all(Object.keys(loaders).map(other))

/** Those that a budget names. */
const named: ReadonlySet<string> = new Set(['llmemo', 'ioredis by hand', 'bentocache', 'cacheable'])

/** Those that are measured at a size: all of them, but in a quick look only at the size of most budgets. */
export function othersAt({ isQuick }: Run, size: number): readonly Other[] {
  return isQuick && size !== budgetSize ? everyone.filter(({ name }) => named.has(name)) : everyone
}
