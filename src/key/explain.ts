/**
 * Answers "why did this miss?": the parts of a key, and the first difference between two keys.
 * @module
 */
import { canonicalJson, type CanonicalOptions } from '../json/canonical.ts'
import { everyPlace } from '../json/places.ts'
import { deriveKey, type KeyParts, partNames, partOf, partOptions } from './key.ts'

/** The parts that a key was made of. */
export interface KeyExplanation {
  /** 64 hex digits; empty when no key can be made. */
  readonly key: string
  /** The canonical text of each part; long texts as their digest. It may hold short prompts, so show it only to people who may see them. */
  readonly parts: Readonly<Record<keyof KeyParts, string>>
}

/** The first place in which two requests differ. */
export interface KeyDifference {
  readonly same: boolean
  /** Where: `request.messages[0].content`, `scope`. Absent when the keys are the same. */
  readonly path?: string
  /** The canonical text at this place in the first request; `undefined` if nothing is there. */
  readonly first?: string | undefined
  /** The canonical text at this place in the second request; `undefined` if nothing is there. */
  readonly second?: string | undefined
}

/**
 * The key of `parts`, and the canonical text of each part.
 * @throws {NotKeyableError} when a part holds something that JSON cannot
 */
export function explainKey(parts: KeyParts, options: CanonicalOptions): KeyExplanation {
  const text = (name: keyof KeyParts): string => canonicalJson(partOf(parts, name), partOptions(name, options), name)
  return {
    key: deriveKey(parts, options),
    parts: {
      namespace: text('namespace'),
      scope: text('scope'),
      provider: text('provider'),
      origin: text('origin'),
      endpoint: text('endpoint'),
      headers: text('headers'),
      request: text('request'),
      context: text('context'),
      variant: text('variant'),
    },
  }
}

/**
 * The first difference between the parts of two keys, in the order of the parts.
 * @throws {NotKeyableError} when a part holds something that JSON cannot
 */
export function differ(first: KeyParts, second: KeyParts, options: CanonicalOptions): KeyDifference {
  for (const name of partNames) {
    const found = difference({ first: partOf(first, name), second: partOf(second, name), path: name }, partOptions(name, options))
    if (found !== undefined) return found
  }
  return { same: true }
}

/** Two values at the same place of two requests. */
interface Pair {
  readonly first: unknown
  readonly second: unknown
  /** The place. */
  readonly path: string
}

function difference({ first, second, path }: Pair, options: CanonicalOptions): KeyDifference | undefined {
  const text = (value: unknown): string | undefined => (value === undefined ? undefined : canonicalJson(value, options, path))
  const texts = { first: text(first), second: text(second) }
  if (texts.first === texts.second) return undefined
  if (isNested(first) && isNested(second) && Array.isArray(first) === Array.isArray(second)) {
    const names = new Set([...Object.keys(first), ...Object.keys(second)])
    const { place = everyPlace } = options
    for (const name of Array.isArray(first) ? names : [...names].toSorted()) {
      const members = { first: memberOf(first, name), second: memberOf(second, name), path: path + stepTo(name, Array.isArray(first)) }
      const found = difference(members, { ...options, place: Array.isArray(first) ? place : place.member(name) })
      if (found !== undefined) return found
    }
  }
  return { same: false, path, ...texts }
}

/** The object's own member only: one request may have a member `constructor`, and the other one inherits it. */
function memberOf(object: object, name: string): unknown {
  return Object.hasOwn(object, name) ? Reflect.get(object, name) : undefined
}

function stepTo(name: string, isIndex: boolean): string {
  if (isIndex) return `[${name}]`
  return /^[A-Za-z_$][\w$-]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`
}

/** Whether the content of `value` is in its members. Bytes and objects with `toJSON` are compared as a whole. */
function isNested(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false
  return typeof Reflect.get(value, 'toJSON') !== 'function'
}
