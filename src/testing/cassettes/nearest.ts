/**
 * The recording that is nearest to what is asked, and the first place where the two differ: most misses are a changed prompt.
 * @module
 */
import { isJsonObject } from '../../json/object.ts'
import type { Cassette } from './cassette.ts'
import { comparable } from './readable.ts'

/** What is compared: the request and the other parts of a key, in their readable form. */
export type Asked = Pick<Cassette, 'request' | 'call'>

/** A recording, and where it differs. */
export interface Nearest {
  readonly name: string
  /** Where: `request.messages[0].content`. */
  readonly path: string
  /** What stands there in the recording, shortened; `undefined` if nothing does. */
  readonly recorded: string | undefined
  /** What stands there in the call, shortened; `undefined` if nothing does. */
  readonly asked: string | undefined
}

/** The recording nearest to `asked`; `undefined` if there is none. */
export function nearestOf(asked: Asked, cassettes: Iterable<readonly [name: string, recorded: Asked]>): Nearest | undefined {
  const leaves = leavesOf(asked)
  let best: { readonly name: string; readonly leaves: ReadonlyMap<string, string>; readonly likeness: number } | undefined
  for (const [name, recorded] of cassettes) {
    const own = leavesOf(recorded)
    const likeness = likenessOf(leaves, own)
    if (best === undefined || likeness > best.likeness) best = { name, leaves: own, likeness }
  }
  if (best === undefined) return undefined
  const { name, leaves: recorded } = best
  const path = [...new Set([...leaves.keys(), ...recorded.keys()])].find((place) => leaves.get(place) !== recorded.get(place)) ?? 'call.key'
  return { name, path, ...shortened(recorded.get(path), leaves.get(path)) }
}

/** Each text, number and empty object in what is asked, by its path. The request comes first, then who is asked. */
function leavesOf({ request, call }: Asked): ReadonlyMap<string, string> {
  const { key: _, operation: __, ...parts } = call
  const leaves = new Map<string, string>()
  collect('request', comparable(request), leaves)
  collect('call', comparable(parts), leaves)
  return leaves
}

function collect(path: string, value: unknown, leaves: Map<string, string>): void {
  const members: readonly (readonly [string, unknown])[] = Array.isArray(value)
    ? value.map((item: unknown, index) => [`[${index}]`, item])
    : isJsonObject(value)
      ? Object.entries(value).map(([name, member]) => [/^[\w$-]+$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`, member])
      : []
  if (members.length === 0) leaves.set(path, typeof value === 'string' ? value : JSON.stringify(value))
  for (const [step, member] of members) collect(path + step, member, leaves)
}

/** From 0 for nothing in common to 1 for the same. */
function likenessOf(first: ReadonlyMap<string, string>, second: ReadonlyMap<string, string>): number {
  const paths = new Set([...first.keys(), ...second.keys()])
  let sum = 0
  for (const path of paths) sum += textLikeness(first.get(path), second.get(path))
  return sum / paths.size
}

/** Characters of a text that are compared by their words. */
const maxCompared = 20_000

function textLikeness(first: string | undefined, second: string | undefined): number {
  if (first === undefined || second === undefined) return 0
  if (first === second) return 1
  const [words, others] = [wordsOf(first), wordsOf(second)]
  let common = 0
  for (const word of words) if (others.has(word)) common++
  // Never as near as the same text.
  return (0.95 * 2 * common) / Math.max(1, words.size + others.size)
}

function wordsOf(text: string): ReadonlySet<string> {
  return new Set(
    text
      .slice(0, maxCompared)
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu),
  )
}

/** Characters that are shown before the first difference, and after it. */
const [before, after] = [24, 48]

/** Two texts around the place where they begin to differ. */
function shortened(recorded: string | undefined, asked: string | undefined): Pick<Nearest, 'recorded' | 'asked'> {
  let at = 0
  if (recorded !== undefined && asked !== undefined) while (at < recorded.length && recorded[at] === asked[at]) at++
  const start = at <= before + 8 ? 0 : at - before
  const shown = (text: string | undefined): string | undefined => {
    if (text === undefined) return undefined
    const end = at + after
    return `${start > 0 ? '…' : ''}${text.slice(start, end).toWellFormed()}${text.length > end ? '…' : ''}`
  }
  return { recorded: shown(recorded), asked: shown(asked) }
}
