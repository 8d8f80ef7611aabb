/**
 * What a `fetch` is to send, read without consuming it.
 * @module
 */
import { isCacheMode } from '../../engine/settings/call-options.ts'
import { parseJsonObject, type JsonObject } from '../../json/object.ts'
import { sha256 } from '../../base/digest.ts'
import { hasRoundedInteger, mayHoldRounded } from '../../json/exact.ts'
import { keepsMembers } from '../../json/members.ts'
import { type PassedOptions, passedOptionsIn } from '../call-options.ts'

/** The address that `fetch` is called with, and its method in capitals. */
export function targetOf(input: string | URL | Request, init: RequestInit | null | undefined): { url: string; method: string } {
  const request = input instanceof Request ? input : undefined
  // Like `fetch`, which takes any object that can be made a text.
  const method: unknown = init?.method ?? request?.method ?? 'GET'
  return { url: addressOf(input), method: String(method).toUpperCase() }
}

function addressOf(input: string | URL | Request): string {
  if (typeof input === 'string') return input
  // Like `fetch`, which takes any object that can be made a text.
  return input instanceof Request ? input.url : String(input)
}

/** What a wrapped client passed down, with fetch's own cache mode unless the caller set another. */
export function optionsOf(input: string | URL | Request, init: RequestInit | undefined): PassedOptions {
  const passed = passedOptionsIn(init) ?? { options: {}, body: undefined }
  const mode: unknown = init?.cache ?? (input instanceof Request ? input.cache : undefined)
  if (passed.options.mode !== undefined || mode === 'default') return passed
  // `no-cache` means: ask the origin whether the stored answer is still good. No provider can say that, so the call is made again.
  const own = mode === 'no-cache' ? 'reload' : mode
  return isCacheMode(own) ? { ...passed, options: { ...passed.options, mode: own } } : passed
}

/** The headers of a request. They are only read, so an SDK's `Headers` need no copy. */
export function headersOf(input: string | URL | Request, init: RequestInit | undefined): Headers {
  if (init?.headers instanceof Headers) return init.headers
  return init?.headers === undefined && input instanceof Request ? input.headers : new Headers(init?.headers)
}

/** The caller's own signal. */
export function signalOf(input: string | URL | Request, init: RequestInit | undefined): AbortSignal | undefined {
  // As with `fetch`, `null` means that the request's own signal does not count.
  if (init?.signal !== undefined) return init.signal ?? undefined
  return input instanceof Request ? input.signal : undefined
}

/** The body as JSON, files standing by their digests; `undefined` when it cannot be read as that. */
export async function bodyOf(input: string | URL | Request, init: RequestInit | undefined): Promise<JsonObject | undefined> {
  const given: unknown = init?.body ?? undefined
  return given === undefined && input instanceof Request ? parseBytes(await input.clone().arrayBuffer()) : readBody(given)
}

function readBody(body: unknown): JsonObject | undefined | Promise<JsonObject | undefined> {
  if (typeof body === 'string') return parseText(body)
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return parseBytes(body)
  if (body instanceof FormData) return readForm(body)
  return undefined
}

/** Bytes that are not UTF-8 are not JSON. A lenient decoder would make one text of different bytes. */
function parseBytes(bytes: ArrayBuffer | ArrayBufferView): JsonObject | undefined {
  try {
    return parseText(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return undefined
  }
}

/** A body with an integer that JavaScript rounds, or with members that it drops, is not read, as two different bodies could become one. */
function parseText(text: string): JsonObject | undefined {
  const body = parseJsonObject(text)
  if (body === undefined || (mayHoldRounded(body) && hasRoundedInteger(text))) return undefined
  return keepsMembers(text, body) ? body : undefined
}

/**
 * A form as JSON: each field's values in order; a file as its digest, length, type, and the ending of its name, which names its format. Forms that
 * are sent as the same bytes read the same: one is sent with other ends of lines than it was made of, and a file without a type as one of bytes.
 */
async function readForm(form: FormData): Promise<JsonObject> {
  const fields = new Map<string, unknown[]>()
  for (const [name, value] of form.entries()) {
    const values = fields.get(name) ?? []
    fields.set(name, values)
    values.push(typeof value === 'string' ? value.replaceAll(/\r\n?/g, '\n') : await readFile(value))
  }
  const read = Object.fromEntries(Array.from(fields, ([name, values]) => [name, values.length === 1 ? values[0] : values]))
  const { stream } = read
  // Any other text may mean either to the server, and stays what it is.
  return stream === 'true' || stream === 'false' ? { ...read, stream: stream === 'true' } : read
}

/** The members are in the order of the key's text. */
async function readFile(file: File): Promise<JsonObject> {
  const bytes = new Uint8Array(await file.arrayBuffer())
  const ending = /\.[^.]+$/.exec(file.name)?.[0].toLowerCase() ?? ''
  return { ending, file: sha256(bytes), length: bytes.byteLength, type: file.type === 'application/octet-stream' ? '' : file.type }
}

/**
 * The headers that take part in the key, with the type of a form. A form's files stand in the request by their digests, which a JSON body
 * could spell as well; no JSON body has this header in its key.
 */
export function headersWithType(
  headers: Readonly<Record<string, string>>,
  init: RequestInit | undefined,
): Readonly<Record<string, string>> {
  return init?.body instanceof FormData ? { ...headers, 'content-type': 'multipart/form-data' } : headers
}
