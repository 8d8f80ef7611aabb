/**
 * Values of an SDK that JSON alone cannot hold, written as plain JSON and read back.
 *
 * 1. Bytes are written as `{"$bytes":"<base64>"}`, a date as `{"$date":"<ISO 8601>"}`, a URL as `{"$url":"<URL>"}`.
 * 2. A member name that begins with `$` gets one more `$`, so that no other value can look like one of these.
 * 3. A member that is `undefined` is left out, as in JSON.
 *
 * Any other value that JSON would silently change is refused.
 * @module
 */
import { base64Of, bytesOfBase64, joinedBytes } from '../base/text-bytes.ts'
import { isBytes } from '../base/bytes.ts'
import { EntryError, NotKeyableError } from '../errors.ts'
import { hasOrdinaryTag, isPlainObject } from './object.ts'
import { pathOf, type Step } from './shown.ts'

/** Bytes in tagged JSON. */
export interface TaggedBytes {
  /** The bytes in base64. */
  readonly $bytes: string
}

/** Levels of nesting. Deeper values are refused: walking them could overflow the stack. */
const maxDepth = 500

/**
 * `value` as plain JSON; {@link fromTagged} reads it back.
 * @throws {NotKeyableError} for functions, symbols, bigints, NaN and infinities, `undefined` except as a member, instances of classes other
 *   than `Uint8Array`, `Date` and `URL`, circles, and nesting deeper than 500
 */
export function toTagged(value: unknown): unknown {
  return tag(value, [])
}

/**
 * The value from which {@link toTagged} made `value`. Parts without a tag are shared with `value`, which never changes.
 * @throws {EntryError} for an unknown tag, which a newer version may have written
 */
export function fromTagged(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Array.isArray(value) ? untagArray(value) : untagObject(value)
}

/** Whether `value` is bytes in tagged JSON. */
export function isTaggedBytes(value: unknown): value is TaggedBytes {
  return typeof value === 'object' && value !== null && '$bytes' in value && typeof value.$bytes === 'string'
}

/** The bytes of `first`, followed by those of `second`. */
export function joinTaggedBytes(first: TaggedBytes, second: TaggedBytes): TaggedBytes {
  // Base64 texts cannot simply be appended: the first one may end in padding.
  return { $bytes: base64Of(joinedBytes([first, second].map(({ $bytes }) => bytesOfBase64($bytes)))) }
}

/** @param steps the names and indices on the path to `value`, for an error */
function tag(value: unknown, steps: Step[]): unknown {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (typeof value !== 'object') throw new NotKeyableError(pathOf('', steps), typeof value === 'number' ? String(value) : describe(value))
  if (steps.length > maxDepth) throw new NotKeyableError('the value', `nested deeper than ${maxDepth} levels`)
  if (Array.isArray(value)) return tagArray(value, steps)
  if (isSurelyPlain(value)) return tagObject(value, steps)
  // A subclass, such as `Buffer` or the SDK's own, is read back as plain bytes.
  if (isBytes(value)) return { $bytes: base64Of(value) }
  if (value instanceof Date && !Number.isNaN(value.getTime())) return { $date: value.toISOString() }
  if (value instanceof URL) return { $url: value.href }
  if (!isPlainObject(value) || !hasOrdinaryTag(value)) throw new NotKeyableError(pathOf('', steps), describe(value))
  return tagObject(value, steps)
}

function tagArray(array: readonly unknown[], steps: Step[]): unknown[] {
  const tagged: unknown[] = []
  // `map` would skip the holes of an array, which JSON writes as null.
  for (let index = 0; index < array.length; index++) tagged.push(tagAt(index, array[index], steps))
  return tagged
}

function tagObject(object: object, steps: Step[]): object {
  const tagged: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(object)) {
    if (member === undefined) continue
    const own = tagAt(name, member, steps)
    // Defined, not assigned: an assignment to `__proto__` would set the prototype.
    if (name === '__proto__') Object.defineProperty(tagged, name, { value: own, enumerable: true, configurable: true, writable: true })
    else tagged[name.startsWith('$') ? `$${name}` : name] = own
  }
  return tagged
}

function tagAt(step: Step, value: unknown, steps: Step[]): unknown {
  steps.push(step)
  const tagged = tag(value, steps)
  steps.pop()
  return tagged
}

/** A fast check that recognises most object literals. */
function isSurelyPlain(value: object): boolean {
  return Object.getPrototypeOf(value) === Object.prototype && !(Symbol.toStringTag in value)
}

function describe(value: unknown): string {
  if (value === undefined) return 'undefined'
  return typeof value === 'object' ? 'an object of a class' : `a ${typeof value}`
}

function untagArray(array: readonly unknown[]): unknown {
  let copy: unknown[] | undefined
  for (let index = 0; index < array.length; index++) {
    const element = fromTagged(array[index])
    if (element === array[index]) continue
    copy ??= [...array]
    copy[index] = element
  }
  return copy ?? array
}

function untagObject(object: object): unknown {
  const entries = Object.entries(object)
  let changed = false
  for (const entry of entries) {
    const [name, member]: [string, unknown] = entry
    if (name.startsWith('$')) {
      if (!name.startsWith('$$')) return untagged(name, member)
      entry[0] = name.slice(1)
      changed = true
    }
    entry[1] = fromTagged(member)
    if (entry[1] !== member) changed = true
  }
  return changed ? Object.fromEntries(entries) : object
}

function urlIn(text: string): URL {
  const url = URL.parse(text)
  if (url === null) throw new EntryError('DAMAGED_ENTRY', 'a stored value holds a URL that cannot be read.')
  return url
}

function untagged(name: string, content: unknown): unknown {
  if (typeof content === 'string') {
    if (name === '$bytes') return bytesOfBase64(content)
    if (name === '$date') return new Date(content)
    if (name === '$url') return urlIn(content)
  }
  throw new EntryError('DAMAGED_ENTRY', 'a stored value holds a tag that this version does not know.')
}
