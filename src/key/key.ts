/**
 * The key, format v1: the SHA-256 of one canonical JSON array. Test vectors for other languages: test/vectors/key-v1.json.
 *
 *     ["llmemo", 1, namespace, scope, provider, origin, endpoint, headers, request, context, variant]
 *
 * - `origin` is the base URL as the client has it, or for Bedrock `bedrock-runtime.` and the region.
 * - `headers` are the request headers that can change an answer, names in lower case: see src/providers/http-headers.ts. The header
 *   `content-type` is among them for a form only, where it is `multipart/form-data`.
 * - `request` is the normalised request without the ignored fields. Each endpoint in src/providers says how it normalises, which fields it
 *   ignores under which hosts, and which of its objects are sorted. The members of all other objects in it keep their order.
 * - `context` is `null` when there is none.
 *
 * The canonical form of each part is defined in src/json/canonical.ts. In all parts but `request`, all objects are sorted. A request from a
 * form has its fields as members: the text of a field, or the list of its texts if it occurs several times. A file in it is
 * `{"ending":".wav","file":SHA-256,"length":bytes,"type":"audio/wav"}`. A request of Bedrock is the command's input with `model` in place of
 * `modelId`, its bytes as in src/json/tagged.ts. A JSON body with a member twice in one object has no key.
 * @module
 */
import { canonicalJson, type CanonicalOptions } from '../json/canonical.ts'
import { sha256 } from '../base/digest.ts'

/** Everything that an answer depends on. Two calls with equal parts are the same call. */
export interface KeyParts {
  readonly namespace: string
  /** The owner of the answer. */
  readonly scope: string
  readonly provider: string
  /** The base URL or region of the provider. */
  readonly origin: string
  readonly endpoint: string
  /** Request headers that can change an answer, names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** The normalised request without the ignored fields. */
  readonly request: unknown
  /** What else the answer depends on, as given by the caller; `null` when nothing. */
  readonly context: unknown
  /** Number of the answer, when the cache keeps several for one question. */
  readonly variant: number
}

/** The names of the parts, in their order in the key. */
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
 * How a part is written. Places and text folding apply to the request only: names of tenants or base URLs that differ in letter case are
 * different.
 */
export function partOptions(name: keyof KeyParts, options: CanonicalOptions): CanonicalOptions {
  return name === 'request' ? options : { longText: options.longText }
}

/** The value of a part in the key: a missing context is `null`. */
export function partOf(parts: KeyParts, name: keyof KeyParts): unknown {
  return name === 'context' ? (parts.context ?? null) : parts[name]
}

/** The names of the parts that rarely change from call to call, and of the rest, in their order in the key. */
const [placeNames, askedNames] = [partNames.slice(0, 6), partNames.slice(6)]

/** The text of the rarely changing parts of the previous call, to reuse it. */
let before: { readonly parts: KeyParts; readonly longText: number; readonly text: string } | undefined

/**
 * The readable text whose digest is the key.
 * @throws {NotKeyableError} when a part holds something that JSON cannot
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
 * @throws {NotKeyableError} when a part holds something that JSON cannot
 */
export function deriveKey(parts: KeyParts, options: CanonicalOptions): string {
  return sha256(keyText(parts, options))
}
