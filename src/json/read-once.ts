/**
 * A request's body as it is sent, read once. A getter may give another value each time, and `toJSON` may be slow: what the key is made of
 * and what is sent must be the same.
 * @module
 */
import { isObjectOfMembers, type JsonObject } from './object.ts'
import { isPlainName, isPlainScalar, maxPlainDepth } from './plain.ts'

/** Levels of nesting. A deeper value has no key, and may be a circle. */
const maxDepth = 500

/** Gives up a copy. */
const tooDeep = new RangeError('nested too deep')

/** A value that was read. */
export interface ReadValue {
  readonly copy: unknown
  /** Whether the copy is plain JSON: `isPlainJson` holds for it. */
  readonly isPlain: boolean
}

/**
 * A copy of `value` that JSON writes the same, made as `JSON.stringify` reads: each member once, `toJSON` called once. Values that JSON
 * cannot hold, bytes, streams, forms and files stay in it as they are. Texts are shared.
 * @throws what a getter or a `toJSON` throws, as `JSON.stringify` does
 */
export function readOnce(value: unknown): ReadValue {
  const unread = { copy: value, isPlain: false }
  // Something that can be iterated is sent as a stream.
  if (typeof value !== 'object' || value === null || Symbol.asyncIterator in value || Symbol.iterator in value) return unread
  const reading: Reading = { isPlain: true }
  try {
    return { copy: read(value, '', 0, reading), isPlain: reading.isPlain }
  } catch (error) {
    if (error === tooDeep) return unread
    throw error
  }
}

interface Reading {
  isPlain: boolean
}

// Every call runs this code, hits included, so it takes four parameters rather than an object.
function read(value: unknown, key: string | number, depth: number, reading: Reading): unknown {
  if (typeof value !== 'object' || value === null) {
    if (reading.isPlain && !isPlainScalar(value)) reading.isPlain = false
    return value
  }
  if (depth > maxDepth) throw tooDeep
  if (depth > maxPlainDepth) reading.isPlain = false
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return asItIs(value, reading)
  if (!('toJSON' in value)) return readMembers(value, depth, reading)
  const { toJSON } = value
  if (typeof toJSON !== 'function') return readMembers(value, depth, reading)
  const json: unknown = Reflect.apply(toJSON, value, [String(key)])
  // `JSON.stringify` does not call `toJSON` on the result of a `toJSON` either.
  return typeof json === 'object' && json !== null ? readMembers(json, depth, reading) : read(json, key, depth, reading)
}

function readMembers(value: object, depth: number, reading: Reading): unknown {
  if (Array.isArray(value)) {
    const { length } = value
    const items: unknown[] = []
    for (let index = 0; index < length; index++) items.push(read(value[index], index, depth + 1, reading))
    return items
  }
  if (!isObjectOfMembers(value) || isRawJson(value)) return asItIs(value, reading)
  const copy: JsonObject = {}
  for (const name of Object.keys(value)) {
    const given = value[name]
    // A `toJSON` that is still here is that of a result of `toJSON`, which JSON does not call.
    if (given === undefined || (name === 'toJSON' && typeof given === 'function')) continue
    if (reading.isPlain && !isPlainName(name)) reading.isPlain = false
    const member = read(given, name, depth + 1, reading)
    // A plain assignment of `__proto__` would set the prototype.
    if (name === '__proto__') Object.defineProperty(copy, name, { value: member, enumerable: true, configurable: true, writable: true })
    else copy[name] = member
  }
  return copy
}

/** Whether JSON writes the text that an object holds, made by `JSON.rawJSON`. Only newer runtimes have it. */
function isRawJson(value: object): boolean {
  return Object.getPrototypeOf(value) === null && Object.isFrozen(value) && 'rawJSON' in value
}

function asItIs(value: object, reading: Reading): object {
  reading.isPlain = false
  return value
}
