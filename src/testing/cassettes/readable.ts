/**
 * Values as a person reads them in a cassette, without loss: the tagged JSON of src/json/tagged.ts with two more tags.
 *
 * - `{"$lines":["one","two"]}` is a text with line ends.
 * - `{"$file":"name.3fa9c2d1.bin"}` in place of the text of `$bytes`, or of a text in base64, is a file beside the cassette. `before` is what
 *   precedes the base64, such as `data:image/png;base64,`.
 * @module
 */
import { sha256 } from '../../base/digest.ts'
import { isJsonObject, type JsonObject } from '../../json/object.ts'

/** Bytes of more than this lie in a file beside the cassette. */
const maxInlineBytes = 4_096

/** How texts become readable. */
export interface Writing {
  /** Changes each text before it is written. */
  readonly scrub: (text: string) => string
  /** Takes bytes that are to lie beside the cassette. @returns the name of their file */
  readonly beside: (bytes: Uint8Array, digest: string) => string
  /** Whether texts are written as lines. An event stands on one line. */
  readonly lines: boolean
}

/** Tagged JSON in its readable form. */
export function toReadable(value: unknown, writing: Writing): unknown {
  if (typeof value === 'string') return readableText(value, writing)
  if (Array.isArray(value)) return value.map((item: unknown) => toReadable(item, writing))
  if (!isJsonObject(value)) return value
  return mapped(value, (member) => toReadable(member, writing))
}

/** The tagged JSON of which {@link toReadable} made `value`. `read` gives the bytes of a file beside the cassette. */
export function fromReadable(value: unknown, read: (name: string) => Uint8Array): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => fromReadable(item, read))
  if (!isJsonObject(value)) return value
  const { $lines: lines, $file: file, before = '' } = value
  if (Array.isArray(lines)) return lines.join('\n')
  if (typeof file === 'string') return `${String(before)}${Buffer.from(read(file)).toString('base64')}`
  return mapped(value, (member) => fromReadable(member, read))
}

/** A readable value as it is compared and shown: its lines joined, and files by what they hold, which is in their names. */
export function comparable(value: unknown): unknown {
  return fromReadable(value, (name) => Buffer.from(name.split('.').at(-2) ?? '', 'hex'))
}

function mapped(object: JsonObject, change: (member: unknown) => unknown): JsonObject {
  // By entries: an assignment to `__proto__` would set the prototype.
  return Object.fromEntries(Object.entries(object).map(([name, member]) => [name, change(member)]))
}

function readableText(given: string, { scrub, beside, lines }: Writing): unknown {
  const scrubbed: unknown = scrub(given)
  const text = typeof scrubbed === 'string' ? scrubbed : ''
  const encoded = text.length > maxInlineBytes && !/\s/.test(text.slice(0, maxInlineBytes)) ? inBase64(text) : undefined
  if (encoded !== undefined) {
    const { before, bytes } = encoded
    return { $file: beside(bytes, sha256(bytes).slice(0, 8)), ...(before !== '' && { before }) }
  }
  return lines && text.includes('\n') ? { $lines: text.split('\n') } : text
}

/** The bytes that a text is the base64 of, if there are so many that they lie beside; `undefined` for any other text. */
function inBase64(text: string): { readonly before: string; readonly bytes: Uint8Array } | undefined {
  const comma = text.startsWith('data:') ? text.indexOf(',') + 1 : 0
  const [before, content] = [text.slice(0, comma), text.slice(comma)]
  if (before !== '' && !before.endsWith(';base64,')) return undefined
  const bytes = Buffer.from(content, 'base64')
  return bytes.length > maxInlineBytes && bytes.toString('base64') === content ? { before, bytes } : undefined
}
