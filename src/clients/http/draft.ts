/**
 * The recording of a flight as a new entry for the cache, or the reason why there is none.
 * @module
 */
import { parseJsonObject, type JsonObject } from '../../json/object.ts'
import type { NewEntry } from '../../engine/engine.ts'
import type { Recording } from '../../engine/flight/flight.ts'
import type { CachedCall } from '../../engine/cached-call.ts'
import { keptHeaders } from '../../providers/http-headers.ts'
import { formatEvents, parseEvents } from '../../base/server-sent-events.ts'
import type { ResponseHead } from './response.ts'

/** The new entry of an answer that is complete by its protocol's own sign, else the reason why there is none. */
export function draftOf(cachedCall: CachedCall, recording: Recording<ResponseHead, Uint8Array>): NewEntry | string {
  const { head, items, end, unusable } = recording
  if (head.status !== 200) return `status ${head.status}`
  if (unusable !== undefined) return unusable
  const type = head.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? ''
  const bytes = Buffer.concat(items)
  if (type === 'text/event-stream') return streamedDraft(cachedCall, recording, bytes)
  // Without an end mark of the protocol's own, only the connection's end tells that this was all.
  if (end !== 'complete') return end === 'failed' ? 'failed' : 'aborted'
  if (bytes.byteLength === 0) return 'empty'
  if (type === 'application/json' || type.endsWith('+json')) return jsonDraft(cachedCall, recording, bytes)
  const plain = cachedCall.endpoint.plain === true && type === 'text/plain'
  const sound = cachedCall.endpoint.binary === true && (type.startsWith('audio/') || type === 'application/octet-stream')
  if (!plain && !sound) return 'malformed'
  return { ...common(cachedCall, recording), kind: 'bytes', body: new Uint8Array(bytes), usage: undefined, reason: undefined }
}

function streamedDraft(cachedCall: CachedCall, recording: Recording<ResponseHead, Uint8Array>, bytes: Uint8Array): NewEntry | string {
  const text = decode(bytes)
  if (text === undefined) return 'malformed'
  const { endpoint } = cachedCall
  const events = parseEvents(text)
  // What came after the end mark, when the connection broke there, is cut off.
  const body = recording.end === 'complete' ? text : formatEvents(events)
  const incomplete = recording.end === 'complete' ? 'incomplete' : recording.end === 'failed' ? 'failed' : 'aborted'
  if (endpoint.streaming === undefined) {
    if (endpoint.complete?.(events) !== true) return incomplete
    return { ...common(cachedCall, recording), kind: 'sse', body, usage: undefined, reason: undefined }
  }
  const answer = endpoint.streaming.assemble(events)
  return answer === undefined ? incomplete : { ...common(cachedCall, recording), ...judged(cachedCall, answer), kind: 'sse', body }
}

function jsonDraft(cachedCall: CachedCall, recording: Recording<ResponseHead, Uint8Array>, bytes: Uint8Array): NewEntry | string {
  const text = decode(bytes)
  const answer = text === undefined ? undefined : parseJsonObject(text)
  if (text === undefined || answer === undefined) return 'malformed'
  return { ...common(cachedCall, recording), ...judged(cachedCall, answer), kind: 'json', body: text }
}

function judged(cachedCall: CachedCall, answer: JsonObject): Pick<NewEntry, 'usage' | 'reason' | 'model'> {
  const { model } = answer
  return {
    usage: cachedCall.endpoint.usage(answer),
    reason: cachedCall.endpoint.skipReason(answer),
    model: typeof model === 'string' ? model : cachedCall.model,
  }
}

function common(
  cachedCall: CachedCall,
  recording: Recording<ResponseHead, Uint8Array>,
): Pick<NewEntry, 'status' | 'headers' | 'latency' | 'model'> {
  const { head, latency } = recording
  return { status: head.status, headers: keptHeaders((name) => head.headers.get(name)), latency, model: cachedCall.model }
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
