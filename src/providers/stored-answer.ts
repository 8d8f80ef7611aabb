/**
 * What a stored entry holds: the whole answer, or its events, as a request asks for it.
 * @module
 */
import { formatEvents, parseEvents, type ServerEvent, splitEvents } from '../base/server-sent-events.ts'
import { type Entry, unaskedUsage, usagePart } from '../entry.ts'
import { parseJsonObject, type JsonObject } from '../json/object.ts'
import { endpointsOf, providerNamed } from './catalogue.ts'
import type { Endpoint } from './endpoint.ts'

/** A request for which a stored answer is read. */
export interface AnsweredRequest {
  readonly endpoint: Endpoint
  readonly request: JsonObject
  /** Parts that the request does not ask for. */
  readonly missingParts: readonly string[]
}

/** The whole answer in an entry; `undefined` if the entry holds bytes, or nothing that is a complete answer. */
export function wholeAnswer({ head, body }: Entry, endpoint: Endpoint): JsonObject | undefined {
  if (typeof body !== 'string') return undefined
  return head.kind === 'sse' ? endpoint.streaming?.assemble(parseEvents(body)) : parseJsonObject(body)
}

/** What an entry holds, for its reader to look at: a whole answer as JSON, else the text or a copy of the bytes. */
export function contentOf(entry: Entry): JsonObject | string | Uint8Array {
  const { head, body } = entry
  if (typeof body !== 'string') return new Uint8Array(body)
  const provider = providerNamed(head.provider)
  const endpoint = provider && endpointsOf(provider).find(({ name }) => name === head.endpoint)
  const whole = endpoint === undefined ? parseJsonObject(body) : wholeAnswer(entry, endpoint)
  if (whole !== undefined) return whole
  const outline = head.kind === 'sse' ? endpoint?.streaming?.outline?.(parseEvents(body)) : undefined
  return typeof outline === 'object' ? outline : body
}

/** The whole answer as it goes over the wire. What was stored whole stays as it is, to the letter. */
export function wholeBody(entry: Entry, endpoint: Endpoint): string | Uint8Array<ArrayBuffer> {
  if (typeof entry.body !== 'string') return new Uint8Array(entry.body)
  if (entry.head.kind === 'json' || endpoint.streaming === undefined) return entry.body
  return JSON.stringify(wholeAnswer(entry, endpoint))
}

/** The events of the stream that this request would have got. */
export function storedEvents(entry: Entry, asked: AnsweredRequest): ServerEvent[] {
  const { streaming } = asked.endpoint
  const body = textOf(entry)
  if (entry.head.kind === 'json' && streaming !== undefined) {
    return streaming.disassemble(wholeAnswer(entry, asked.endpoint) ?? {}, asked.request)
  }
  const events = parseEvents(body)
  return hasPartsTooMany(entry, asked) && streaming?.adapt !== undefined ? streaming.adapt(events, asked.request) : events
}

/** The same events as texts, one for each. */
export function storedEventTexts(entry: Entry, asked: AnsweredRequest): string[] {
  if (entry.head.kind === 'sse' && isFormatted(entry)) {
    const texts = splitEvents(textOf(entry))
    if (!hasPartsTooMany(entry, asked)) return texts
    const usage = asked.endpoint.streaming?.usageOnRequest
    if (usage !== undefined) return texts.map((text) => usage.remove(text)).filter((text) => text !== '')
  }
  return storedEvents(entry, asked).map((event) => formatEvents([event]))
}

/** Whether the stored stream has a part that the request does not ask for. */
function hasPartsTooMany({ head }: Entry, { missingParts }: AnsweredRequest): boolean {
  const { omits } = head
  return missingParts.some((part) => !omits.includes(part) && !(part === usagePart && omits.includes(unaskedUsage)))
}

/** Whether a stored stream is written as this project writes one, as most providers' are. To check takes longer than to serve it. */
const formatted = new WeakMap<Entry, boolean>()

function isFormatted(entry: Entry): boolean {
  const known = formatted.get(entry)
  if (known !== undefined) return known
  const body = textOf(entry)
  const found = formatEvents(parseEvents(body)) === body
  formatted.set(entry, found)
  return found
}

function textOf({ body }: Entry): string {
  return typeof body === 'string' ? body : ''
}
