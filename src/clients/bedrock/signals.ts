/**
 * Abort signals: the caller's own, that of the SDK's request, and what it comes to when the first one fires.
 * @module
 */

/** Who reads an output. */
export interface Caller {
  /** His own. */
  readonly signal: AbortSignal | undefined
  /** What his client's request handler speaks, as it says itself: `h2`. */
  readonly protocol: unknown
}

/** The caller's signal. One that is not the platform's own, which the SDK takes too, is followed by one that is. */
export function signalOf(given: unknown): AbortSignal | undefined {
  if (given instanceof AbortSignal) return given
  if (typeof given !== 'object' || given === null) return undefined
  const controller = new AbortController()
  const abort = (): void => controller.abort(Reflect.get(given, 'reason'))
  const listen: unknown = Reflect.get(given, 'addEventListener')
  if (Reflect.get(given, 'aborted') === true) abort()
  else if (typeof listen === 'function') Reflect.apply(listen, given, ['abort', abort, { once: true }])
  else Reflect.set(given, 'onabort', abort)
  return controller.signal
}

/** Whether the caller has aborted. */
export function isAborted(signal: AbortSignal | undefined): signal is AbortSignal {
  return signal?.aborted === true
}

/** Aborts `upstream` as soon as the signal fires. @returns what ends that */
export function follow(upstream: AbortController, signal: AbortSignal): () => void {
  const abort = (): void => upstream.abort(signal.reason)
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
  return () => signal.removeEventListener('abort', abort)
}

/**
 * Ends a stream whose caller's signal has fired, as the request handlers of the SDK do: that of HTTP/2 closes it without a word,
 * that of HTTP/1.1 resets the connection.
 */
export function breakOff(protocol: unknown, signal: AbortSignal): undefined {
  if (protocol === 'h2') return undefined
  if (protocol === 'http/1.1') throw Object.assign(new Error('aborted', { cause: signal.reason }), { code: 'ECONNRESET' })
  throw abortError(signal)
}

/**
 * What the SDK throws when its caller's signal fires.
 * Source: `buildAbortError` of https://github.com/smithy-lang/smithy-typescript/tree/main/packages/node-http-handler
 */
export function abortError({ reason }: AbortSignal): Error {
  const known = reason instanceof Error
  const error = new Error(known || !reason ? 'Request aborted' : String(reason), known ? { cause: reason } : {})
  return Object.assign(error, { name: 'AbortError', $metadata: { attempts: 1, totalRetryDelay: 0 } })
}
