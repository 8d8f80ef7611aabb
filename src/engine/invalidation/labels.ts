/**
 * Labels: the names by which answers are invalidated. An answer bears them, and a selector names them.
 * @module
 */
import { sha256 } from '../../base/digest.ts'
import { text } from '../../base/option-checks.ts'
import { Description, InvalidOptionError, isShowable } from '../../errors.ts'
import { isJsonObject } from '../../json/object.ts'

/** The label that every entry of a namespace has. */
export const everything = 'all'

/** Invalidated along with each removal by key. An entry that still has its current generation needs no look at its removal label. */
export const removals = 'removals'

/** The labels by which an answer can be invalidated. */
export function labelsOf(answer: {
  readonly scope: string
  readonly operation: string
  readonly model: string
  readonly tags: readonly string[]
}): string[] {
  const { scope, operation, model } = answer
  const labels = [everything, labelOf('scope', scope), labelOf('operation', operation), labelOf('model', model)]
  for (const tag of answer.tags) labels.push(labelOf('tag', tag))
  return labels
}

/** Characters of a name that stand in its label. Labels are remembered by the thousand, so a longer name stands there by its digest. */
const maxNameLength = 200

/** The label of one name. The digest of a name has another separator, so that no name can be taken for it. */
function labelOf(kind: 'scope' | 'operation' | 'model' | 'tag', name: string): string {
  return name.length > maxNameLength ? `${kind}#${sha256(name)}` : `${kind}:${name}`
}

/** What to declare outdated; exactly one of these. */
export interface Invalidation {
  /** Every answer that has any of these tags. */
  readonly tags?: readonly string[]
  /** Every answer of calls with this operation. */
  readonly operation?: string
  /** Every answer of calls that asked for this model. */
  readonly model?: string
  /** Every answer of this scope. */
  readonly scope?: string
  /**
   * The one answer with this key, as in its `_cache.key`, wherever it is on its way just then. Of the other answers in the store, about one in
   * 65,000 goes with it. For an answer to several inputs, use `cache.forget(answer)`.
   */
  readonly key?: string
  /** Every value of the caller's own whose key matches: `'user:*'`. Other processes see it within `invalidationDelay`. */
  readonly pattern?: string
  /** Everything in the namespace. */
  readonly all?: true
}

const selectors = ['tags', 'operation', 'model', 'scope', 'key', 'pattern', 'all'] as const

/** What an {@link Invalidation} selects: answers by their labels or by their key, or values by a pattern over their keys. */
export type Selected = { readonly labels: readonly string[] } | { readonly key: string } | { readonly pattern: string }

/** Whether this text can be the key of an answer. */
export function isKey(given: unknown): given is string {
  return typeof given === 'string' && /^[0-9a-f]{64}$/.test(given)
}

/**
 * What `given` selects.
 * @throws {InvalidOptionError} when there is not exactly one selector, or it has a value that cannot be
 */
export function selected(given: Invalidation): Selected {
  const allowed = `an object with exactly one of ${selectors.join(', ')}`
  if (!isJsonObject(given)) throw new InvalidOptionError('invalidate', given, allowed)
  const names = Object.keys(given)
  const selector = selectors.find((each) => each === names[0])
  if (names.length !== 1 || selector === undefined)
    throw new InvalidOptionError(
      'invalidate',
      new Description(`an object with ${names.filter(isShowable).join(', ') || 'nothing known'}`),
      allowed,
    )
  const { tags, all, pattern, key } = given
  if (selector === 'key') {
    if (isKey(key)) return { key }
    throw new InvalidOptionError('invalidate.key', key, 'the key of an answer: 64 hex digits, as in its _cache.key')
  }
  if (selector === 'pattern') {
    if (typeof pattern === 'string' && pattern !== '') return { pattern }
    throw new InvalidOptionError('invalidate.pattern', pattern, "a pattern such as 'user:*'")
  }
  if (selector === 'all') {
    if (all === true) return { labels: [everything] }
    throw new InvalidOptionError('invalidate.all', all, 'true')
  }
  if (selector === 'tags') {
    if (Array.isArray(tags) && tags.length > 0 && tags.every((tag) => typeof tag === 'string')) {
      return { labels: tags.map((tag: string) => labelOf('tag', tag)) }
    }
    throw new InvalidOptionError('invalidate.tags', tags, 'an array of at least one text')
  }
  return { labels: [labelOf(selector, text(`invalidate.${selector}`, given[selector]))] }
}
