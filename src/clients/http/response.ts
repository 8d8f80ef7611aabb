/**
 * Stored and shared answers as `Response`s, like those of the origin itself.
 * @module
 */
import { collectedObjects, weakReference } from '../../base/weak.ts'
import type { CacheInfo } from '../../call.ts'
import type { Entry } from '../../entry.ts'
import type { LookupResult } from '../../lookup-result.ts'
import { freshForCall } from '../../engine/reuse.ts'
import type { ReplayOptions } from '../../engine/settings/options.ts'
import type { CachedCall } from '../../engine/cached-call.ts'
import type { InvalidOptionError } from '../../errors.ts'
import { notCachedAnswer, type NotCachedError } from '../../not-cached.ts'
import { keptHeaders } from '../../providers/http-headers.ts'
import type { AddressedCall } from '../../providers/protocol.ts'
import { storedEvents, storedEventTexts, wholeBody } from '../../providers/stored-answer.ts'
import { noteInfo } from '../cache-info.ts'
import { LazyResponse } from '../lazy-response.ts'
import { collapsedStatus, hitStatus, missStatus } from './cache-status.ts'

/** The head of an HTTP answer. */
export interface ResponseHead {
  readonly status: number
  readonly statusText: string
  readonly headers: Headers
  readonly url: string
  /** Whether the cache asked for the usage of the stream. A caller that did not ask must not see it. */
  readonly asksUsage?: boolean
  /** The text of a JSON answer, once all of it has come: its callers need not decode it once more. */
  text?: string
  /** What callers that joined the flight read of it. */
  joined?: ResponseHead
}

/** How a stored answer is given. */
interface StoredResponseOptions {
  readonly url: string
  /** What the URL says of the call, if that is more than its endpoint. @default nothing */
  readonly addressed?: AddressedCall | undefined
  readonly replay: ReplayOptions
  /** Ends a replayed stream. */
  readonly signal: AbortSignal | undefined
}

/** A stored answer as a `Response`, streamed or whole as the call asks. */
export function storedResponse(
  found: LookupResult,
  cachedCall: CachedCall,
  { url, addressed, replay, signal }: StoredResponseOptions,
): Response {
  const { status, headers, content } = storedParts(found, cachedCall, addressed)
  const body = 'chunks' in content ? replayed(content.chunks, replay, signal) : content.body
  return located(new Response(body, { status, headers }), url)
}

/** What a stored answer is over HTTP. */
interface StoredParts {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** A whole body, or a stream event by event, as the call asks. */
  readonly content: { readonly body: string | Uint8Array<ArrayBuffer> } | { readonly chunks: readonly (string | Uint8Array)[] }
}

/** A stored answer in the form that its call asks for. @param addressed what the URL says of the call, if that is more than its endpoint */
export function storedParts(found: LookupResult, cachedCall: CachedCall, addressed: AddressedCall | undefined): StoredParts {
  const { entry } = found
  const streamed = cachedCall.endpoint.streaming === undefined ? entry.head.kind === 'sse' : cachedCall.streamed
  return {
    status: entry.head.status,
    headers: { ...storedHeaders(found, cachedCall, addressed), ...(addressed && typeOf(addressed, streamed)) },
    content: streamed ? { chunks: chunksOf(entry, cachedCall, addressed) } : { body: givenBody(entry, cachedCall, addressed) },
  }
}

/** The type of a stored answer, which may have come in another form. */
function typeOf({ stream }: AddressedCall, streamed: boolean): Record<string, string> {
  return { 'content-type': streamed ? (stream?.type ?? 'text/event-stream; charset=utf-8') : 'application/json' }
}

function chunksOf(entry: Entry, cachedCall: CachedCall, addressed: AddressedCall | undefined): readonly (string | Uint8Array)[] {
  return addressed?.stream?.format(storedEvents(entry, cachedCall)) ?? storedEventTexts(entry, cachedCall)
}

function givenBody(entry: Entry, { endpoint }: CachedCall, addressed: AddressedCall | undefined): string | Uint8Array<ArrayBuffer> {
  const body = wholeBody(entry, endpoint)
  return typeof body === 'string' && addressed?.answers !== undefined ? addressed.answers.give(body) : body
}

/** How a stored answer is given to the SDK. */
interface LazyResponseOptions {
  readonly url: string
  readonly info: () => CacheInfo
}

/** A stored JSON answer to a call for a whole one. The SDK reads it at little cost; for all else it makes a real `Response`. */
export function lazyResponse(found: LookupResult, cachedCall: CachedCall, { url, info }: LazyResponseOptions): LazyResponse {
  const { status, headers } = found.entry.head
  const text = String(wholeBody(found.entry, cachedCall.endpoint))
  const make = (body: ReadableStream<Uint8Array> | string = text): Response => {
    const real = located(new Response(body, { status, headers: storedHeaders(found, cachedCall) }), url)
    noteInfo(real, info)
    return real
  }
  return new LazyResponse({ status, headers, url, text, info, make })
}

/** A plain object, as a `Response` would only copy a `Headers`. */
function storedHeaders(found: LookupResult, cachedCall: CachedCall, addressed?: AddressedCall): Record<string, string> {
  const { head } = found.entry
  const crossing = cachedCall.endpoint.streaming !== undefined && cachedCall.streamed !== (head.kind === 'sse')
  return {
    ...(addressed?.answers?.shown?.(head.headers) ?? head.headers),
    ...(crossing && { 'content-type': cachedCall.streamed ? 'text/event-stream; charset=utf-8' : 'application/json' }),
    age: String(Math.floor(found.age / 1_000)),
    'cache-status': hitStatus(freshForCall(found, cachedCall), found.source),
  }
}

/** One event for each read, so that a reader that aborts between two events gets no more of them. */
function replayed(
  chunks: readonly (string | Uint8Array)[],
  replay: ReplayOptions,
  signal: AbortSignal | undefined,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let index = 0
  let unfollow: (() => void) | undefined
  const give = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    if (signal?.aborted === true) return controller.error(signal.reason)
    const chunk = chunks[index++]
    if (chunk !== undefined) return controller.enqueue(typeof chunk === 'string' ? encoder.encode(chunk) : chunk)
    unfollow?.()
    controller.close()
  }
  return new ReadableStream<Uint8Array>(
    {
      // Without a delay there is no promise: one for each event would take longer than the event.
      pull(controller) {
        // A stream that is never read must leave nothing on a signal that may live much longer.
        unfollow ??= errorOnAbort(controller, signal)
        const delay = index >= chunks.length ? undefined : replay.delay?.(index)
        return delay === undefined ? give(controller) : delay.then(() => give(controller))
      },
      cancel: () => unfollow?.(),
    },
    { highWaterMark: 0 },
  )
}

/** Takes the listeners of streams that were dropped unread off their signals. */
const dropped = collectedObjects<() => void>((unfollow) => unfollow())

/** Errors the stream of `controller` when the signal fires, but does not keep it alive for that. @returns a function that ends this */
function errorOnAbort(controller: ReadableStreamDefaultController<Uint8Array>, signal: AbortSignal | undefined): () => void {
  if (signal === undefined) return () => undefined
  const weak = weakReference(controller)
  const abort = (): void => errorIfOpen(weak.deref(), signal)
  const unfollow = (): void => signal.removeEventListener('abort', abort)
  signal.addEventListener('abort', abort, { once: true })
  dropped.register(controller, unfollow)
  return unfollow
}

function errorIfOpen(controller: ReadableStreamDefaultController<Uint8Array> | undefined, { reason }: AbortSignal): void {
  controller?.error(reason)
}

/** The head that a caller of a flight gets, with headers of its own. A caller that joined it gets what a stored answer has: all else was for the first caller. */
export function headFor(head: ResponseHead, { source }: Pick<CacheInfo, 'source'>): ResponseHead {
  if (source !== 'flight') {
    const headers = new Headers(head.headers)
    headers.append('cache-status', missStatus(head.status === 200))
    return { ...head, headers }
  }
  const get = (name: string): string | null => head.headers.get(name)
  const headers = new Headers(keptHeaders(get))
  headers.set('cache-status', collapsedStatus)
  if (head.status === 200) {
    headers.set('age', '0')
    return { ...head, headers }
  }
  // What tells the SDK whether and when to try again.
  for (const name of ['retry-after', 'retry-after-ms', 'x-should-retry']) {
    const value = get(name)
    if (value !== null) headers.set(name, value)
  }
  return { ...head, headers }
}

/** The answer to a call that may not go to the provider and has no stored answer. Source: https://www.rfc-editor.org/rfc/rfc9111#section-5.2.1.7 */
export function notCachedResponse(url: string, error: NotCachedError, isWrappedClient: boolean): Response {
  const { status, body } = notCachedAnswer(error, isWrappedClient)
  // `x-should-retry: false` keeps the SDKs from a retry.
  const headers = { 'content-type': 'application/json', 'x-should-retry': 'false' }
  return located(new Response(body, { status, statusText: 'Not Cached', headers }), url)
}

/**
 * The answer to a call whose headers ask the cache for what cannot be. An SDK would take an error of its `fetch` for a broken connection, and
 * try again. It makes an error of its own of this. The body is in the form of OpenAI's errors, and of Anthropic's.
 */
export function refusedResponse(url: string, { message, code }: InvalidOptionError): Response {
  const body = JSON.stringify({ type: 'error', error: { message, type: 'llmemo', code, param: null } })
  const headers = { 'content-type': 'application/json', 'x-should-retry': 'false' }
  return located(new Response(body, { status: 400, statusText: 'Bad Request', headers }), url)
}

/** Sets the address of a `Response`, which otherwise only `fetch` itself can do. */
export function located(response: Response, url: string): Response {
  return Object.defineProperty(response, 'url', { value: url, configurable: true })
}
