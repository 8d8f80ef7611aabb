/**
 * Outputs of Bedrock commands, like those of the SDK itself: from a stored entry, or from a flight.
 * @module
 */
import { leaveWhenCollected } from '../../engine/flight/collected.ts'
import { isJsonObject, parseJsonObject, type JsonObject } from '../../json/object.ts'
import { ownCopy } from '../../json/own-copy.ts'
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

/** The head of an output: all of a whole one; of a streamed one, all but its stream. */
export interface OutputHead {
  /** The text that is stored; `undefined` if the output cannot be stored. */
  readonly text: string | undefined
  /** The output as the SDK gave it. */
  readonly output: JsonObject
}

/** An event of a stream as it is stored, or one that cannot be stored, as the SDK gave it. */
export type StreamItem = ServerEvent | { readonly unkept: JsonObject }

const requestIdHeader = 'x-amzn-requestid'

/** The SDK's output as the head and the items of a flight. */
export function upstreamOf(output: JsonObject, codec: CommandCodec, streamed: boolean): Upstream<OutputHead, StreamItem> {
  if (!streamed) return { head: { text: keptText(output, codec), output }, items: nothing(), shareable: true }
  const { [codec.stream]: stream, ...head } = output
  return { head: { text: textOf(head), output: head }, items: keptEvents(stream, codec), shareable: true }
}

/** The head of a stream as the text that is stored, or `undefined` if it cannot be stored. */
function textOf(head: JsonObject): string | undefined {
  try {
    return JSON.stringify(less(head, '$metadata'))
  } catch {
    return undefined
  }
}

function isKept(item: StreamItem): item is ServerEvent {
  return 'data' in item
}

/** The size of an item in bytes. */
export function sizeOf(item: StreamItem): number {
  if (isKept(item)) return item.data.length
  const bytes = objectOf(item.unkept['chunk'])['bytes']
  return ArrayBuffer.isView(bytes) ? bytes.byteLength : unkeptSize
}

/** Taken for the size of an event that has no text, in bytes. */
const unkeptSize = 4_096

/** A whole output as the text that is stored, or `undefined` if it cannot be stored. */
export function keptText(output: JsonObject, codec: CommandCodec): string | undefined {
  try {
    return codec.keep(less(output, '$metadata'))
  } catch {
    // Something in it is not JSON, so it cannot be stored. The caller gets it unchanged.
    return undefined
  }
}

async function* keptEvents(stream: unknown, codec: CommandCodec): AsyncGenerator<StreamItem, undefined> {
  if (!isStream(stream)) return
  for await (const event of stream) if (isJsonObject(event)) yield keptEvent(event, codec) ?? { unkept: event }
}

function keptEvent(event: JsonObject, codec: CommandCodec): ServerEvent | undefined {
  try {
    return codec.keepEvent(event)
  } catch {
    return undefined
  }
}

/** The part of an output's `$metadata` that is stored with the answer. */
export function keptHeaders(output: JsonObject): Record<string, string> {
  const { requestId } = objectOf(output['$metadata'])
  return typeof requestId === 'string' ? { [requestIdHeader]: requestId } : {}
}

/** The recording of a flight as a new entry, or the reason why there is none. */
export function draftOf(cachedCall: CachedCall, recording: Recording<OutputHead, StreamItem>): NewEntry | string {
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
  const events = items.filter(isKept)
  if (head.text === undefined || events.length < items.length) return end === 'complete' ? 'malformed' : incompleteReason(end)
  const arrival = { body: formatEvents(events), headers: { ...headers, output: head.text }, latency }
  const entry = streamEntry(cachedCall, events, arrival)
  if (entry === undefined) return incompleteReason(end)
  return typeof entry === 'string' ? entry : { ...entry, model }
}

/** How a stored answer is given to its caller. */
interface StoredOutputOptions {
  readonly codec: CommandCodec
  readonly info: () => CacheInfo
  readonly replay: ReplayOptions
  readonly caller: Caller
}

/** A stored answer as an output, streamed or whole as the call asks. Its `$metadata` says that the SDK made no attempt. */
export function storedOutput(entry: Entry, cachedCall: CachedCall, { codec, info, replay, caller }: StoredOutputOptions): JsonObject {
  const { head, body } = entry
  const text = typeof body === 'string' ? body : ''
  const $metadata = metadata(head.headers[requestIdHeader])
  if (!cachedCall.streamed) {
    const whole = head.kind === 'sse' ? codec.assembled(wholeAnswer(entry, cachedCall.endpoint) ?? {}) : text
    return informed(Object.assign(codec.output(whole), { $metadata }), info)
  }
  const events = storedEvents(entry, cachedCall)
  const rest = parseJsonObject(head.headers['output'] ?? '{}')
  return informed({ ...rest, [codec.stream]: once(replayed(events, { codec, replay, caller })), $metadata }, info)
}

/** How a flight's answer is given to one of its callers. */
interface SharedOutputOptions {
  readonly cachedCall: CachedCall
  readonly codec: CommandCodec
  readonly info: CacheInfo
  readonly caller: Caller
}

/** One caller's share of a flight as an output. It is a copy, which the caller may change. */
export async function sharedOutput(
  { text, output }: OutputHead,
  reader: FlightReader<FlightHead<OutputHead>, StreamItem>,
  { cachedCall, codec, info: facts, caller }: SharedOutputOptions,
): Promise<JsonObject> {
  const own = objectOf(output['$metadata'])
  const info = (): CacheInfo => facts
  const $metadata = facts.source === 'flight' ? metadata(own['requestId']) : { ...own }
  if (cachedCall.streamed) {
    const rest = text === undefined ? copyOf(output) : parseJsonObject(text)
    return informed({ ...rest, [codec.stream]: once(sharedEvents(reader, codec, caller), reader), $metadata }, info)
  }
  // A flight ends, and its answer is stored, when a caller has read it to its end.
  await reader.next()
  return informed({ ...(text === undefined ? copyOf(output) : codec.output(text)), $metadata }, info)
}

/** A copy of what the SDK gave and cannot be stored. */
function copyOf(output: JsonObject): JsonObject {
  return objectOf(ownCopy(output))
}

async function* sharedEvents(
  reader: FlightReader<FlightHead<OutputHead>, StreamItem>,
  codec: CommandCodec,
  { signal, protocol }: Caller,
): AsyncGenerator<JsonObject, undefined> {
  try {
    for (let item = await reader.next(); item !== undefined; item = await reader.next())
      yield isKept(item) ? codec.event(item) : copyOf(item.unkept)
  } catch (error) {
    if (signal?.aborted !== true) throw error
    breakOff(protocol, signal)
  } finally {
    reader.leave()
  }
}

async function* replayed(
  events: readonly ServerEvent[],
  { codec, replay, caller }: Pick<StoredOutputOptions, 'codec' | 'replay' | 'caller'>,
): AsyncGenerator<JsonObject, undefined> {
  const { delay } = replay
  const { signal, protocol } = caller
  for (const [index, event] of events.entries()) {
    if (delay !== undefined) await delay(index)
    if (signal?.aborted === true) return breakOff(protocol, signal)
    yield codec.event(event)
  }
  return undefined
}

/**
 * A stream as the SDK gives it: an iterable that is not an iterator, and can be read once.
 * @param reader what is left when the caller leaves the stream, or drops it, which it may do before it reads anything @default nothing
 */
function once(events: AsyncGenerator<JsonObject, undefined>, reader?: { leave(): void }): AsyncIterable<JsonObject> {
  const iterator: AsyncIterator<JsonObject, undefined> = {
    async next() {
      const step = await events.next().catch((error: unknown) => {
        leaving?.end()
        throw error
      })
      if (step.done === true) leaving?.end()
      return step
    },
    return() {
      leaving?.end()
      reader?.leave()
      return events.return(undefined)
    },
  }
  // A loop over the stream holds the iterator only.
  const leaving = reader && leaveWhenCollected(iterator, reader)
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

/** Puts the facts on an output and on its stream, as callers often pass on the stream alone. */
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
