/**
 * Abort signals: the caller's own, that of the SDK's request, and what happens when the caller's fires.
 * @module
 */
import { collectedObjects, weakReference } from '../../base/weak.ts'

/** The caller that reads an output. */
export interface Caller {
  /** The caller's own signal. */
  readonly signal: AbortSignal | undefined
  /** The protocol that the client's request handler names: `h2`. */
  readonly protocol: unknown
}

/** Holds the controllers of {@link signalOf} for as long as their signals are in use. */
const controllers = new WeakMap<AbortSignal, AbortController>()

/** Takes a listener off the caller's signal once the signal that follows it is gone. */
const unused = collectedObjects<() => void>((unfollow) => unfollow())

/** The caller's signal. The SDK also takes signals that are not the platform's own; such a signal gets one of the platform that follows it. */
export function signalOf(given: unknown): AbortSignal | undefined {
  if (given instanceof AbortSignal) return given
  if (typeof given !== 'object' || given === null) return undefined
  const controller = new AbortController()
  const { signal } = controller
  const weak = weakReference(controller)
  const abort = (): void => weak.deref()?.abort(Reflect.get(given, 'reason'))
  const [listen, leave]: unknown[] = [Reflect.get(given, 'addEventListener'), Reflect.get(given, 'removeEventListener')]
  controllers.set(signal, controller)
  if (Reflect.get(given, 'aborted') === true) abort()
  else if (typeof listen === 'function') Reflect.apply(listen, given, ['abort', abort, { once: true }])
  else Reflect.set(given, 'onabort', abort)
  if (typeof leave === 'function') unused.register(signal, () => void Reflect.apply(leave, given, ['abort', abort]))
  return signal
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
 * Makes the signal of `upstream` follow another one for as long as the SDK listens to it: until its request is closed, which for a stream is
 * when the caller has read or left it.
 * @returns a function to call once the SDK has answered
 */
export function followWhileUsed(upstream: AbortController, signal: AbortSignal): () => void {
  const { signal: own } = upstream
  let listeners = 0
  let unfollow = follow(upstream, signal)
  const listen = own.addEventListener.bind(own)
  const leave = own.removeEventListener.bind(own)
  own.addEventListener = (...given: Parameters<typeof listen>): void => {
    listen(...given)
    if (listeners++ > 0) return
    unfollow()
    unfollow = follow(upstream, signal)
  }
  own.removeEventListener = (...given: Parameters<typeof leave>): void => {
    leave(...given)
    if (--listeners <= 0) unfollow()
  }
  // Older versions of the SDK set `onabort`.
  return () => {
    if (listeners <= 0 && own.onabort === null) unfollow()
  }
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
