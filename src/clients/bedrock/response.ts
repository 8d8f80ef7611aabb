/**
 * Outputs of Bedrock commands, such as the SDK itself would have given: from a stored entry, or from a flight.
 * @module
 */
import { isJsonObject, parseJsonObject, type JsonObject } from '../../json/object.ts'
import type { CacheInfo } from '../../call.ts'
import type { FlightHead } from '../../engine/seam.ts'
import type { FlightReader, Recording, Upstream } from '../../engine/flight/upstream.ts'
import type { ReplayOptions } from '../../engine/settings/options.ts'
import type { CachedCall } from '../../engine/cached-call.ts'
import type { Entry } from '../../entry.ts'
import { formatEvents, type ServerEvent } from '../../base/server-sent-events.ts'
import { incompleteReason, type NewEntry, streamEntry, wholeEntry } from '../../engine/draft.ts'
import { storedEvents, wholeAnswer } from '../../providers/stored-answer.ts'
import { less, type CommandCodec } from './commands.ts'
import { breakOff, type Caller } from './signals.ts'
import { attachInfo } from '../cache-info.ts'

/** The head of an output: a whole one as it is kept, or what a streamed one has besides its stream. */
export interface OutputHead {
  /** `undefined` when it cannot be kept. */
  readonly text: string | undefined
  /** As the SDK gave it. */
  readonly output: JsonObject
}

const requestIdHeader = 'x-amzn-requestid'

/** The SDK's output as the head and the items of a flight. */
export function upstreamOf(output: JsonObject, codec: CommandCodec, streamed: boolean): Upstream<OutputHead, ServerEvent> {
  if (!streamed) return { head: { text: keptText(output, codec), output }, items: nothing(), shareable: true }
  const { [codec.stream]: stream, ...head } = output
  return { head: { text: JSON.stringify(less(head, '$metadata')), output: head }, items: keptEvents(stream, codec), shareable: true }
}

/** A whole output as the text that is kept, or `undefined` when it cannot be. */
export function keptText(output: JsonObject, codec: CommandCodec): string | undefined {
  try {
    return codec.keep(less(output, '$metadata'))
  } catch {
    // Something in it is not JSON, so it cannot be stored. Its caller has it all the same.
    return undefined
  }
}

async function* keptEvents(stream: unknown, codec: CommandCodec): AsyncGenerator<ServerEvent, undefined> {
  if (!isStream(stream)) return
  for await (const event of stream) if (isJsonObject(event)) yield codec.keepEvent(event)
}

/** What of an output's `$metadata` is kept with the answer. */
export function keptHeaders(output: JsonObject): Record<string, string> {
  const { requestId } = objectOf(output['$metadata'])
  return typeof requestId === 'string' ? { [requestIdHeader]: requestId } : {}
}

/** The draft of what a flight left behind, or the reason why there is none. */
export function draftOf(cachedCall: CachedCall, recording: Recording<OutputHead, ServerEvent>): NewEntry | string {
  const { head, items, end, unusable, latency } = recording
  if (unusable !== undefined) return unusable
  const { model, streamed } = cachedCall
  const headers = keptHeaders(head.output)
  if (!streamed) {
    const answer = head.text === undefined ? undefined : parseJsonObject(head.text)
    if (head.text === undefined || answer === undefined) return 'malformed'
    // The prices of Bedrock go by the id that was asked for, not by the name that the model gives itself.
    return { ...wholeEntry(cachedCall, answer, { body: head.text, headers, latency }), model }
  }
  const arrival = { body: formatEvents(items), headers: { ...headers, output: head.text ?? '{}' }, latency }
  const entry = streamEntry(cachedCall, items, arrival)
  return entry === undefined ? incompleteReason(end) : { ...entry, model }
}

/** A stored answer as an output, streamed or whole as the call asks for it. No attempt was made for it. */
export function storedOutput(
  entry: Entry,
  cachedCall: CachedCall,
  codec: CommandCodec,
  info: () => CacheInfo,
  replay: ReplayOptions,
  caller: Caller,
): JsonObject {
  const { head, body } = entry
  const text = typeof body === 'string' ? body : ''
  const $metadata = metadata(head.headers[requestIdHeader])
  if (!cachedCall.streamed) {
    const whole = head.kind === 'sse' ? codec.assembled(wholeAnswer(entry, cachedCall.endpoint) ?? {}) : text
    return informed({ ...codec.output(whole), $metadata }, info)
  }
  const events = storedEvents(entry, cachedCall)
  const rest = parseJsonObject(head.headers['output'] ?? '{}')
  return informed({ ...rest, [codec.stream]: once(replayed(events, codec, replay, caller)), $metadata }, info)
}

/** One caller's share of a flight as an output. What he gets is his own to keep or to change. */
export async function sharedOutput(
  { text, output }: OutputHead,
  reader: FlightReader<FlightHead<OutputHead>, ServerEvent>,
  cachedCall: CachedCall,
  codec: CommandCodec,
  facts: CacheInfo,
  caller: Caller,
): Promise<JsonObject> {
  const own = objectOf(output['$metadata'])
  const info = (): CacheInfo => facts
  const $metadata = facts.source === 'flight' ? metadata(own['requestId']) : { ...own }
  if (cachedCall.streamed) {
    const rest = parseJsonObject(text ?? '{}')
    return informed({ ...rest, [codec.stream]: once(boarded(reader, codec, caller), () => reader.leave()), $metadata }, info)
  }
  // The flight of a whole answer ends, and the answer is stored, when a caller has read it to its end.
  await reader.next()
  return informed(text === undefined ? output : { ...codec.output(text), $metadata }, info)
}

async function* boarded(
  reader: FlightReader<FlightHead<OutputHead>, ServerEvent>,
  codec: CommandCodec,
  { signal, protocol }: Caller,
): AsyncGenerator<JsonObject, undefined> {
  try {
    for (let event = await reader.next(); event !== undefined; event = await reader.next()) yield codec.event(event)
  } catch (error) {
    if (signal?.aborted !== true) throw error
    breakOff(protocol, signal)
  } finally {
    reader.leave()
  }
}

async function* replayed(
  events: readonly ServerEvent[],
  codec: CommandCodec,
  { delay }: ReplayOptions,
  { signal, protocol }: Caller,
): AsyncGenerator<JsonObject, undefined> {
  for (const [index, event] of events.entries()) {
    if (delay !== undefined) await delay(index)
    if (signal?.aborted === true) return breakOff(protocol, signal)
    yield codec.event(event)
  }
  return undefined
}

/**
 * A stream of the SDK is an iterable that is no iterator, and can be read once.
 * @param left called when its reader leaves it, who may do so before he read anything
 */
function once(events: AsyncGenerator<JsonObject, undefined>, left?: () => void): AsyncIterable<JsonObject> {
  const iterator: AsyncIterator<JsonObject, undefined> = {
    next: () => events.next(),
    return() {
      left?.()
      return events.return(undefined)
    },
  }
  return { [Symbol.asyncIterator]: () => iterator }
}

function metadata(requestId: unknown): JsonObject {
  return {
    httpStatusCode: 200,
    requestId: typeof requestId === 'string' ? requestId : undefined,
    extendedRequestId: undefined,
    cfId: undefined,
    attempts: 0,
    totalRetryDelay: 0,
  }
}

/** Puts the facts on an output and on its stream, which is often all that its caller hands on. */
export function informed(output: JsonObject, info: () => CacheInfo): JsonObject {
  attachInfo(output, info)
  for (const name of ['stream', 'body']) if (isStream(output[name])) attachInfo(output[name], info)
  return output
}

function objectOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {}
}

/** Whether a member of an output is its stream. */
export function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

async function* nothing(): AsyncGenerator<never, undefined> {}
