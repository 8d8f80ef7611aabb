/**
 * Abort signals: the caller's own, that of the SDK's request, and what happens when the caller's fires.
 * @module
 */

/** The caller that reads an output. */
export interface Caller {
  /** The caller's own signal. */
  readonly signal: AbortSignal | undefined
  /** The protocol that the client's request handler names: `h2`. */
  readonly protocol: unknown
}

/** The caller's signal. The SDK also takes signals that are not the platform's own; such a signal gets one of the platform that follows it. */
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

/** Aborts `upstream` as soon as the signal fires. @returns a function that ends this */
export function follow(upstream: AbortController, signal: AbortSignal): () => void {
  const abort = (): void => upstream.abort(signal.reason)
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
  return () => signal.removeEventListener('abort', abort)
}

/**
 * Ends a stream after its caller's signal has fired, as the request handlers of the SDK do: the one for HTTP/2 closes it without an error,
 * the one for HTTP/1.1 resets the connection.
 */
export function breakOff(protocol: unknown, signal: AbortSignal): undefined {
  if (protocol === 'h2') return undefined
  if (protocol === 'http/1.1') throw Object.assign(new Error('aborted', { cause: signal.reason }), { code: 'ECONNRESET' })
  throw abortError(signal)
}

/**
 * The SDK's error for a signal that fired.
 * Source: `buildAbortError` of https://github.com/smithy-lang/smithy-typescript/tree/main/packages/node-http-handler
 */
export function abortError({ reason }: AbortSignal): Error {
  const isError = reason instanceof Error
  const error = new Error(isError || !reason ? 'Request aborted' : String(reason), isError ? { cause: reason } : {})
  return Object.assign(error, { name: 'AbortError', $metadata: { attempts: 1, totalRetryDelay: 0 } })
}
