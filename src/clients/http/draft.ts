/**
 * The recording of a flight as a new entry for the cache, or the reason why there is none.
 * @module
 */
import { joinedBytes } from '../../base/text-bytes.ts'
import { parseJsonObject } from '../../json/object.ts'
import { type Arrival, bytesEntry, incompleteReason, type NewEntry, streamEntry, wholeEntry } from '../../engine/draft.ts'
import type { Recording } from '../../engine/flight/upstream.ts'
import type { CachedCall } from '../../engine/cached-call.ts'
import { unaskedUsage, usagePart } from '../../entry.ts'
import { keptHeaders } from '../../providers/http-headers.ts'
import type { AddressedCall } from '../../providers/protocol.ts'
import { formatEvents, parseEvents, type ServerEvent } from '../../base/server-sent-events.ts'
import type { ResponseHead } from './response.ts'

/** The new entry of an answer that is complete by its protocol's own sign, else the reason why there is none. */
export function draftOf(
  cachedCall: CachedCall,
  recording: Recording<ResponseHead, Uint8Array>,
  addressed: AddressedCall | undefined,
): NewEntry | string {
  const { head, items, end, unusable } = recording
  if (head.status !== 200) return `status ${head.status}`
  if (unusable !== undefined) return unusable
  const type = head.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? ''
  const [first = new Uint8Array()] = items
  const bytes = items.length > 1 ? joinedBytes(items) : first
  const form = cachedCall.streamed ? addressed?.stream : undefined
  const shown: ShownRecording = { ...recording, extra: addressed?.answers?.headers?.(head.headers, cachedCall.streamed) ?? {} }
  if (form !== undefined && type === form.type) return formedDraft(cachedCall, shown, form.parse(bytes))
  if (type === 'text/event-stream') return streamedDraft(cachedCall, shown, bytes)
  // Without an end mark of the protocol's own, only the connection's end tells that this was all.
  if (end !== 'complete') return end === 'failed' ? 'failed' : 'aborted'
  if (bytes.byteLength === 0) return 'empty'
  if (type === 'application/json' || type.endsWith('+json')) return jsonDraft(cachedCall, shown, { bytes, addressed })
  const plain = cachedCall.endpoint.plain === true && type === 'text/plain'
  const sound = cachedCall.endpoint.binary === true && (type.startsWith('audio/') || type === 'application/octet-stream')
  if (!plain && !sound) return 'malformed'
  if (!isWhole(head, bytes)) return 'incomplete'
  return bytesEntry(cachedCall, { body: new Uint8Array(bytes), ...arrivalOf(shown) })
}

/**
 * Whether these bytes are all that the server meant to send. Neither sound nor text has an end of its own, so only the transfer can say it:
 * by a length, or by chunks with an end. A compressed body proves nothing, as `fetch` takes one that ends early for whole.
 */
function isWhole({ headers }: ResponseHead, bytes: Uint8Array): boolean {
  if (headers.has('content-encoding')) return false
  const length = headers.get('content-length')
  return length === null ? headers.get('transfer-encoding')?.toLowerCase() === 'chunked' : Number(length) === bytes.byteLength
}

/** A recording, with headers that are stored with it beside those of its provider. */
interface ShownRecording extends Recording<ResponseHead, Uint8Array> {
  readonly extra: Readonly<Record<string, string>>
}

/** The entry of a stream that was no stream of server-sent events. It is stored as one, so that it serves callers of either form. */
function formedDraft(cachedCall: CachedCall, recording: ShownRecording, events: readonly ServerEvent[] | undefined): NewEntry | string {
  if (events === undefined) return recording.end === 'complete' ? 'malformed' : incompleteReason(recording.end)
  const entry = streamEntry(cachedCall, events, { body: formatEvents(events), ...arrivalOf(recording) })
  return entry ?? incompleteReason(recording.end)
}

function streamedDraft(cachedCall: CachedCall, recording: ShownRecording, bytes: Uint8Array): NewEntry | string {
  const text = decode(bytes)
  if (text === undefined) return 'malformed'
  const events = parseEvents(text)
  // If the connection broke after the end mark, what came after the mark is cut off.
  const body = recording.end === 'complete' ? text : formatEvents(events)
  const entry = streamEntry(cachedCall, events, { body, ...arrivalOf(recording) })
  if (entry === undefined) return incompleteReason(recording.end)
  if (typeof entry === 'string' || recording.head.asksUsage !== true || entry.usage === undefined) return entry
  return { ...entry, omits: (entry.omits ?? []).filter((part) => part !== usagePart && part !== unaskedUsage) }
}

/** The bytes of a whole answer, and what the address of its call says. */
interface WholeAnswer {
  readonly bytes: Uint8Array
  readonly addressed: AddressedCall | undefined
}

function jsonDraft(cachedCall: CachedCall, recording: ShownRecording, { bytes, addressed }: WholeAnswer): NewEntry | string {
  const text = decode(bytes)
  if (text !== undefined) recording.head.text = text
  const body = text === undefined || addressed?.answers === undefined ? text : addressed.answers.keep(text, recording.head.headers)
  const answer = body === undefined ? undefined : parseJsonObject(body)
  if (body === undefined || answer === undefined) return 'malformed'
  return wholeEntry(cachedCall, answer, { body, ...arrivalOf(recording) })
}

function arrivalOf({ head, latency, extra }: ShownRecording): Arrival {
  return { headers: { ...keptHeaders((name) => head.headers.get(name)), ...extra }, latency }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}
