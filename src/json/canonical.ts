/**
 * One text for equal values: JSON by RFC 8785, with three differences. The first two keep a key's text small.
 *
 * 1. A text of more than `longText` characters (Unicode code points) is written as `{"$text":[SHA-256 of its UTF-8, characters]}`. Bytes
 *    are written as `{"$bytes":[SHA-256, length]}`.
 * 2. A member name that begins with `$` gets one more `$`. So no object of the caller can look like one of these.
 * 3. RFC 8785 sorts the members of all objects. Here, a free-form object keeps the order of its members: see src/json/places.ts.
 *
 * A value that JSON cannot hold is refused, never written as something else: two values with one text would have one key.
 * Every call runs this code, hits included. So it is written for speed where that costs little, and keeps no path unless it fails.
 * Source: https://www.rfc-editor.org/rfc/rfc8785
 * @module
 */
import { NotKeyableError } from '../errors.ts'
import { remembering } from '../base/memo.ts'
import { sha256 } from '../base/digest.ts'
import { isObjectOfMembers } from './object.ts'
import { everyPlace, type Place } from './places.ts'
import { pathOf, type Step, tagOf } from './shown.ts'

/** Levels of nesting. Deeper values are refused: walking them could overflow the stack of the caller's program. */
const maxDepth = 500

/** How texts are written. */
export interface CanonicalOptions {
  /** Longer texts, in characters, are replaced by their digest. */
  readonly longText: number
  /** Applied to each text value at a place of prose before it is written, and never to member names. */
  readonly text?: (text: string) => string
  /** What is known of the objects in the value. @default every object is sorted, and every text is prose */
  readonly place?: Place
}

/**
 * The canonical text of `value`.
 * @param value anything; an object with `toJSON` counts as what that returns, as in `JSON.stringify`
 * @param name how an error's path calls the value: `request`
 * @throws {NotKeyableError} for `undefined` in an array, functions, symbols, bigints, NaN and infinities, lone surrogates, `Map`, `Set`,
 *   streams and other objects whose content is not in their members, circles, nesting deeper than 500, and objects whose own code throws
 */
export function canonicalJson(value: unknown, options: CanonicalOptions, name = ''): string {
  try {
    return new Writer(options).write(value, options.place ?? everyPlace, '')
  } catch (error) {
    const { what, steps, cause } = refusalOf(error)
    throw new NotKeyableError(pathOf(name, steps.toReversed()), what, cause === undefined ? {} : { cause })
  }
}

/** Why a value has no canonical text. Each level adds its step to the path while the error passes through it. */
class Refusal extends Error {
  readonly what: string
  /** From the innermost step outwards. */
  readonly steps: Step[] = []

  constructor(what: string, options?: { cause?: unknown }) {
    super(what, options)
    this.what = what
  }
}

function refusalOf(error: unknown): Refusal {
  return error instanceof Refusal ? error : new Refusal('an object whose own code throws', { cause: error })
}

function below(step: Step, error: unknown): Refusal {
  const refusal = refusalOf(error)
  refusal.steps.push(step)
  return refusal
}

/** A character that JSON may have to escape: a quote, a backslash, a control character, a surrogate. */
const special = /[^ !#-[\]-\uD7FF\uE000-\uFFFF]/
const surrogate = /[\uD800-\uDFFF]/
/** In characters. For longer texts the engine's own writer is faster than this search for characters to escape. */
const shortText = 100

function writeText(text: string, longText: number): string {
  if (text.length <= shortText && text.length <= longText && !special.test(text)) return `"${text}"`
  if (!text.isWellFormed()) throw new Refusal('a text with a lone surrogate')
  if (text.length > longText) {
    const characters = surrogate.test(text) ? countCharacters(text) : text.length
    if (characters > longText) return `{"$text":["${sha256(text)}",${characters}]}`
  }
  return JSON.stringify(text)
}

/** Writes one value. */
class Writer {
  readonly #text: CanonicalOptions['text']
  readonly #longText: number
  #depth = 0

  constructor({ text, longText }: CanonicalOptions) {
    this.#text = text
    this.#longText = longText
  }

  /** @param key the name or index of the value in its parent, for its `toJSON` */
  write(value: unknown, place: Place, key: string | number): string {
    if (typeof value === 'string') return writeText(this.#text === undefined || !place.isProse ? value : this.#text(value), this.#longText)
    // RFC 8785 writes a number as ECMAScript does.
    if (typeof value === 'number' && Number.isFinite(value)) return String(value)
    if (typeof value === 'boolean') return value ? 'true' : 'false'
    if (value === null) return 'null'
    if (typeof value !== 'object') throw new Refusal(typeof value === 'number' ? String(value) : describe(value))
    if (this.#depth > maxDepth) throw new Refusal(`nested deeper than ${maxDepth} levels`)
    const bytes = bytesOf(value)
    if (bytes !== undefined) return `{"$bytes":["${sha256(bytes)}",${bytes.byteLength}]}`
    const { toJSON }: { readonly toJSON?: unknown } = value
    if (typeof toJSON !== 'function') return this.#writeNested(value, place)
    const json: unknown = Reflect.apply(toJSON, value, [String(key)])
    // `JSON.stringify` does not call `toJSON` on the result of a `toJSON` either.
    return typeof json === 'object' && json !== null ? this.#writeNested(json, place) : this.write(json, place, key)
  }

  #writeNested(value: object, place: Place): string {
    this.#depth++
    const text = Array.isArray(value) ? this.#writeArray(value, place) : this.#writeObject(value, place)
    this.#depth--
    return text
  }

  #writeArray(array: readonly unknown[], place: Place): string {
    let text = '['
    let index = 0
    try {
      for (; index < array.length; index++) {
        if (index > 0) text += ','
        text += this.write(array[index], place, index)
      }
    } catch (error) {
      throw below(index, error)
    }
    return `${text}]`
  }

  #writeObject(object: object, place: Place): string {
    if (!isObjectOfMembers(object)) throw new Refusal(describe(object))
    let text = ''
    let at = ''
    const names = Object.keys(object)
    try {
      for (const name of place.isOrdered ? names : sorted(names)) {
        at = name
        const member = object[name]
        if (member === undefined) continue
        text += text === '' ? '{' : ','
        text += writeName(name)
        text += this.write(member, place.member(name), name)
      }
    } catch (error) {
      throw below(at, error)
    }
    return text === '' ? '{}' : `${text}}`
  }
}

/** A member name and its colon. Remembered, because requests use the same few names again and again. */
const writeName = remembering(1_000, (name) => {
  if (!name.isWellFormed()) throw new Refusal('under a name with a lone surrogate')
  return `${JSON.stringify(name.startsWith('$') ? `$${name}` : name)}:`
})

/** Sorts the names by their UTF-16 code units. The additional `$` of some names does not change their order. */
function sorted(names: string[]): string[] {
  // oxlint-disable-next-line unicorn/no-array-sort -- the names are the caller's own copy
  if (names.length > 16) return names.sort()
  // Few names are sorted by insertion, which is faster than the fixed cost of `sort`.
  for (let next = 1; next < names.length; next++) {
    const name = names[next] ?? ''
    let place = next
    for (let before = names[place - 1]; before !== undefined && before > name; before = names[place - 1]) names[place--] = before
    names[place] = name
  }
  return names
}

function bytesOf(object: object): Uint8Array | undefined {
  const bytes = object instanceof ArrayBuffer ? object : object instanceof Uint8Array ? object.buffer : undefined
  if (bytes === undefined) return undefined
  if (bytes instanceof ArrayBuffer && bytes.detached) throw new Refusal('bytes that were transferred elsewhere')
  return object instanceof Uint8Array ? object : new Uint8Array(bytes)
}

/** The kind of a value; never a part of its content. */
function describe(value: unknown): string {
  if (typeof value !== 'object') return value === undefined ? 'undefined' : `a ${typeof value}`
  const tag = value === null ? undefined : tagOf(value)
  if (tag === 'Object') return 'an object without members of its own'
  return tag === undefined ? 'of an unknown kind' : `of the kind ${tag}`
}

function countCharacters(text: string): number {
  let characters = 0
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    // The second half of a surrogate pair is part of the character before it. The text is known to be well-formed.
    if (unit < 0xdc00 || unit > 0xdfff) characters++
  }
  return characters
}
