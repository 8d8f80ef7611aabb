/**
 * The key, format v1: the SHA-256 of one canonical JSON array. Test vectors for other languages: test/vectors/key-v1.json.
 *
 *     ["llmemo", 1, namespace, scope, provider, origin, endpoint, headers, request, context, variant]
 *
 * `headers` are those request headers that can change an answer, names in lower case. `request` is the normalised request less the
 * ignored fields. `context` is `null` when there is none. The canonical form is that of ./canonical-json.ts.
 * @module
 */
import { canonicalJson, type CanonicalOptions } from '../json/canonical.ts'
import { sha256 } from '../base/digest.ts'

/** Everything that an answer depends on. Two calls with equal parts are the same call. */
export interface KeyParts {
  readonly namespace: string
  /** Whose answers these are. */
  readonly scope: string
  readonly provider: string
  /** The base URL or region that would be asked. */
  readonly origin: string
  readonly endpoint: string
  /** Request headers that can change an answer, names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** The normalised request less the ignored fields. */
  readonly request: unknown
  /** What else the caller says that the answer depends on; `null` when nothing. */
  readonly context: unknown
  /** Which of several answers. */
  readonly variant: number
}

/** The names of the parts, in the order in which they enter the key. */
export const partNames = [
  'namespace',
  'scope',
  'provider',
  'origin',
  'endpoint',
  'headers',
  'request',
  'context',
  'variant',
] as const satisfies readonly (keyof KeyParts)[]

/**
 * How a part's texts enter the key. Only a request's are folded: two tenants or two base URLs whose names differ in a letter's case are two.
 */
export function partOptions(name: keyof KeyParts, options: CanonicalOptions): CanonicalOptions {
  return name === 'request' || options.text === undefined ? options : { longText: options.longText }
}

/** A part as it enters the key: a context that is not there is `null`. */
export function partOf(parts: KeyParts, name: keyof KeyParts): unknown {
  return name === 'context' ? (parts.context ?? null) : parts[name]
}

/** The parts that say where and for whom, and the rest, in the order in which they enter the key. */
const [placeNames, askedNames] = [partNames.slice(0, 6), partNames.slice(6)]

/** The text of the parts that say where and for whom, of the call before: call after call they are the same. */
let before: { readonly parts: KeyParts; readonly longText: number; readonly text: string } | undefined

/**
 * The readable text that a key is the digest of.
 * @throws {NotKeyableError} when a part holds what JSON cannot
 */
export function keyText(parts: KeyParts, options: CanonicalOptions): string {
  if (before?.longText !== options.longText || !isSamePlace(before.parts, parts)) {
    before = { parts: { ...parts, request: null, context: null }, longText: options.longText, text: textOf(placeNames, parts, options) }
  }
  return `["llmemo",1${before.text}${textOf(askedNames, parts, options)}]`
}

function textOf(names: readonly (keyof KeyParts)[], parts: KeyParts, options: CanonicalOptions): string {
  let text = ''
  for (const name of names) text += `,${canonicalJson(partOf(parts, name), partOptions(name, options), name)}`
  return text
}

function isSamePlace(first: KeyParts, second: KeyParts): boolean {
  return placeNames.every((name) => first[name] === second[name] || (name === 'headers' && hasNone(first) && hasNone(second)))
}

function hasNone({ headers }: KeyParts): boolean {
  return Object.keys(headers).length === 0
}

/**
 * The key of `parts`: 64 hex digits.
 * @throws {NotKeyableError} when a part holds what JSON cannot
 */
export function deriveKey(parts: KeyParts, options: CanonicalOptions): string {
  return sha256(keyText(parts, options))
}
