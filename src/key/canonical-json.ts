/**
 * The same value, the same text: JSON by RFC 8785, with two additions that keep a key's text small.
 *
 * 1. A text of more than `longText` characters (Unicode code points) stands as `{"$text":[SHA-256 of its UTF-8, characters]}`,
 *    bytes stand as `{"$bytes":[SHA-256, length]}`.
 * 2. So that no caller's own object can look like one of these, a member name that begins with `$` gets one `$` more.
 *
 * What JSON cannot hold is refused, never rendered as something else: two values with one text would be one key.
 * Source: https://www.rfc-editor.org/rfc/rfc8785
 * @module
 */
import { NotKeyableError } from '../errors.ts'
import { sha256 } from './digest.ts'

/** Deeper values are refused: walking them could overflow the stack, which no caller should pay for. */
const deepest = 500

/** How texts enter the canonical form. */
export interface CanonicalOptions {
  /** Texts of more characters than this stand by their digest. */
  readonly longText: number
  /** Applied to every text value, not to member names, before it is written. */
  readonly text?: (text: string) => string
}

/**
 * The canonical text of `value`.
 * @param value anything; an object with `toJSON` is what that returns, as for `JSON.stringify`
 * @throws {NotKeyableError} for `undefined` in an array, functions, symbols, bigints, NaN and infinities, lone surrogates, `Map`, `Set`,
 * streams and other objects whose content is not in their members, circles, and nesting deeper than 500
 */
export function canonicalJson(value: unknown, options: CanonicalOptions): string {
  return write(value, options, '', 0)
}

function write(value: unknown, options: CanonicalOptions, path: string, depth: number): string {
  if (typeof value === 'string') return writeText(options.text === undefined ? value : options.text(value), options.longText, path)
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value)
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  if (value === null) return 'null'
  if (typeof value !== 'object') throw new NotKeyableError(path, typeof value === 'number' ? String(value) : describe(value))
  if (depth > deepest) throw new NotKeyableError('the value', `nested deeper than ${deepest} levels`)
  return Array.isArray(value) ? writeArray(value, options, path, depth) : writeObject(value, options, path, depth)
}

function writeText(text: string, longText: number, path: string): string {
  if (!text.isWellFormed()) throw new NotKeyableError(path, 'a text with a lone surrogate')
  if (text.length > longText) {
    const characters = countCharacters(text)
    if (characters > longText) return `{"$text":["${sha256(text)}",${characters}]}`
  }
  return JSON.stringify(text)
}

function writeArray(array: readonly unknown[], options: CanonicalOptions, path: string, depth: number): string {
  let text = '['
  for (let index = 0; index < array.length; index++) {
    if (index > 0) text += ','
    text += write(array[index], options, `${path}[${index}]`, depth + 1)
  }
  return `${text}]`
}

function writeObject(object: object, options: CanonicalOptions, path: string, depth: number): string {
  const bytes = bytesOf(object)
  if (bytes !== undefined) return `{"$bytes":["${sha256(bytes)}",${bytes.byteLength}]}`
  const toJson: unknown = Reflect.get(object, 'toJSON')
  if (typeof toJson === 'function') return write(Reflect.apply(toJson, object, []), options, path, depth + 1)
  const names = Object.keys(object)
  if (!isRecord(object, names)) throw new NotKeyableError(path, describe(object))
  names.sort()
  let text = '{'
  for (const name of names) {
    const member: unknown = Reflect.get(object, name)
    if (member === undefined) continue
    if (!name.isWellFormed()) throw new NotKeyableError(path, 'an object with a lone surrogate in a member name')
    if (text.length > 1) text += ','
    text += JSON.stringify(name.startsWith('$') ? `$${name}` : name)
    text += ':'
    text += write(member, options, path === '' ? name : `${path}.${name}`, depth + 1)
  }
  return `${text}}`
}

/** Whether everything that `object` holds is in its members, so that it may stand as a JSON object. */
function isRecord(object: object, names: readonly string[]): boolean {
  const prototype: unknown = Object.getPrototypeOf(object)
  // A plain object of another realm has that realm's own Object.prototype, which inherits from nothing either.
  if (typeof prototype !== 'object' || prototype === null || Object.getPrototypeOf(prototype) === null) return true
  return names.length > 0 && Object.prototype.toString.call(object) === '[object Object]'
}

function bytesOf(object: object): Uint8Array | undefined {
  if (object instanceof Uint8Array) return object
  return object instanceof ArrayBuffer ? new Uint8Array(object) : undefined
}

function describe(value: unknown): string {
  if (typeof value !== 'object') return value === undefined ? 'undefined' : `a ${typeof value}`
  const tag = Object.prototype.toString.call(value).slice(8, -1)
  return tag === 'Object' ? 'an object without members of its own' : `a ${tag}`
}

function countCharacters(text: string): number {
  let characters = 0
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    // The second half of a surrogate pair belongs to the character before it; the text is known to be well-formed.
    if (unit < 0xdc00 || unit > 0xdfff) characters++
  }
  return characters
}
