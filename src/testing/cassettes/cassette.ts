/**
 * One cassette: a stored answer with the request that it answers, as a JSON file that people read in a review. The request comes first, as it
 * is keyed; then the call, then the answer. Of all headers, it holds only those that the key and a replay need.
 * @module
 */
import { formatEvents, parseEvents, type ServerEvent } from '../../base/server-sent-events.ts'
import { maxDuration } from '../../duration.ts'
import type { Entry, EntryHead } from '../../entry.ts'
import { EntryError } from '../../errors.ts'
import { sha256 } from '../../base/digest.ts'
import { canonicalJson } from '../../json/canonical.ts'
import { parseExactJson } from '../../json/exact.ts'
import { isJsonObject, type JsonObject, parseJsonObject } from '../../json/object.ts'
import { fromTagged, toTagged } from '../../json/tagged.ts'
import { partOf, partOptions, type KeyParts } from '../../key/key.ts'
import type { RecordedCall } from '../../key/recordings.ts'
import { fromReadable, toReadable, type Writing } from './readable.ts'

/** A cassette in its readable form, in which no text is longer than a line. */
export interface Cassette {
  readonly request: unknown
  readonly call: JsonObject
  readonly answer: JsonObject
}

/** How texts are changed and bytes put aside. */
export type CassetteWriting = Omit<Writing, 'lines'>

/** What is asked, in its readable form: the request, and the other parts of the key that are not empty. */
export function readableCall(call: RecordedCall, writing: CassetteWriting): Pick<Cassette, 'request' | 'call'> {
  const { parts, operation, key } = call
  const part = (name: keyof KeyParts): unknown => {
    const options = { ...partOptions(name, call.canonical), longText: Infinity }
    return toReadable(JSON.parse(canonicalJson(partOf(parts, name), options, name)), { ...writing, lines: true })
  }
  const { provider, endpoint } = parts
  const headers = shownHeaders(parts.headers)
  return {
    request: part('request'),
    call: {
      operation,
      provider,
      endpoint,
      origin: part('origin'),
      ...(Object.keys(headers).length > 0 && { headers }),
      ...(parts.context !== null && { context: part('context') }),
      ...(parts.scope !== '' && { scope: part('scope') }),
      ...(parts.namespace !== '' && { namespace: part('namespace') }),
      ...(parts.variant !== 0 && { variant: parts.variant }),
      key,
    },
  }
}

/** Request headers whose values are no secret. */
const openHeaders = /^(?:anthropic-beta|anthropic-version|openai-beta|content-type|accept-language)$/

/** Of any other header, a cassette shows only whether it is the same. */
function shownHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .toSorted(([first], [second]) => (first < second ? -1 : 1))
      .map(([name, value]) => [name, openHeaders.test(name) ? value : `sha256 ${sha256(value).slice(0, 8)}`]),
  )
}

/** Answer headers that a replay needs; `output` is the head of a stream of Bedrock. */
const replayedHeaders = /^(?:content-type|output)$|request-?id$/

/** An answer in its readable form. */
export function readableAnswer({ head, body }: Entry, writing: CassetteWriting): JsonObject {
  const { kind, model, status, storedAt, latency, usage, omits } = head
  const headers = Object.entries(head.headers)
    .filter(([name]) => replayedHeaders.test(name))
    .map(([name, value]) => [name, name === 'output' ? writing.scrub(value) : value])
  return {
    recorded: new Date(storedAt).toISOString(),
    model,
    status,
    latency,
    ...(usage && { usage }),
    headers: Object.fromEntries(headers),
    ...(omits.length > 0 && { omits }),
    ...readableBody(kind, body, writing),
  }
}

function readableBody(kind: EntryHead['kind'], body: string | Uint8Array, writing: CassetteWriting): JsonObject {
  const asLines = { ...writing, lines: true }
  if (typeof body !== 'string') return { bytes: toReadable(toTagged(body), { ...asLines, scrub: (text) => text }) }
  if (kind === 'sse') return { events: parseEvents(body).map((event) => readableEvent(event, { ...writing, lines: false })) }
  const exact = parseExactJson(body)
  return exact === undefined ? { text: toReadable(body, asLines) } : { body: toReadable(toTagged(exact.value), asLines) }
}

function readableEvent({ event, data }: ServerEvent, writing: Writing): JsonObject {
  const exact = /^[{[]/.test(data) ? parseExactJson(data) : undefined
  return { ...(event !== undefined && { event }), data: toReadable(exact === undefined ? data : toTagged(exact.value), writing) }
}

/** A cassette as the text of its file. Each event of a stream is one line. */
export function cassetteText({ request, call, answer }: Cassette): string {
  const { events } = answer
  if (!Array.isArray(events)) return `${JSON.stringify({ request, call, answer }, null, 2)}\n`
  // The last member of all, so that its place is found however the others look.
  const text = JSON.stringify({ request, call, answer: { ...answer, events: [] } }, null, 2)
  const at = text.lastIndexOf('[]')
  const lines = events.map((event) => `      ${JSON.stringify(event)}`)
  return `${text.slice(0, at)}[\n${lines.join(',\n')}\n    ]${text.slice(at + 2)}\n`
}

/** The cassette in the text of a file. @throws {EntryError} for any other text */
export function cassetteIn(text: string): Cassette {
  const { request, call, answer } = parseJsonObject(text) ?? {}
  if (request === undefined || !isJsonObject(call) || !isJsonObject(answer))
    throw damaged('it is no JSON of a request, a call and an answer')
  return { request, call, answer }
}

/** The entry in a cassette, for a call that asks for it now. It is as good as new, however old it is. */
export function entryIn(
  { call: recorded, answer }: Cassette,
  call: RecordedCall,
  { read, generations }: { readonly read: (name: string) => Uint8Array; readonly generations: Readonly<Record<string, string>> },
): Entry {
  if (recorded['key'] !== call.key) throw damaged('it is of another request')
  const { parts } = call
  const { kind, body } = bodyIn(answer, read)
  const { model, status, latency, usage, headers, omits = [] } = answer
  const head: Record<keyof EntryHead, unknown> = {
    key: call.key,
    scope: parts.scope,
    namespace: parts.namespace,
    provider: parts.provider,
    endpoint: parts.endpoint,
    operation: call.operation,
    model,
    kind,
    storedAt: call.now,
    ttl: maxDuration,
    stale: 0,
    tags: [],
    generations,
    status,
    headers,
    omits,
    usage,
    latency,
  }
  // The codec checks all of it.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return { head: head as unknown as EntryHead, body }
}

function bodyIn(
  { events, bytes, text, body }: JsonObject,
  read: (name: string) => Uint8Array,
): Pick<Entry, 'body'> & Pick<EntryHead, 'kind'> {
  const plain = (value: unknown): unknown => fromTagged(fromReadable(value, read))
  if (Array.isArray(events)) return { kind: 'sse', body: formatEvents(events.map((event: unknown) => eventIn(plain(event)))) }
  if (body !== undefined) return { kind: 'json', body: JSON.stringify(plain(body)) }
  if (text !== undefined) return { kind: 'json', body: String(plain(text)) }
  const value = plain(bytes)
  if (value instanceof Uint8Array) return { kind: 'bytes', body: value }
  throw damaged('its answer has no events, body, text or bytes')
}

function eventIn(value: unknown): ServerEvent {
  if (!isJsonObject(value)) throw damaged('one of its events is no object')
  const { event, data } = value
  return { ...(typeof event === 'string' && { event }), data: typeof data === 'string' ? data : JSON.stringify(data) }
}

function damaged(what: string): EntryError {
  return new EntryError('DAMAGED_ENTRY', `a cassette cannot be used: ${what}.`)
}
