/**
 * The Anthropic seam: the SDK's own `middleware` where it has one, else its `fetch`. A middleware sees requests in Anthropic's own form also
 * on the clients for Bedrock, Vertex and Foundry, before they are rewritten and signed for these.
 * Source: `core/middleware.ts` of @anthropic-ai/sdk, which has it from 0.101.0 on
 * @module
 */
import type { Engine } from '../engine/engine.ts'
import { type Fetch, fetchThrough, type HttpSeam } from './caching-fetch.ts'
import { bareClient, type FetchClient, hasMethods, withCallOptions } from './fetch-client.ts'

/** What a middleware is given: what `fetch` would be. */
interface ApiRequest extends RequestInit {
  readonly url: string
}

type Middleware = (request: ApiRequest, next: (request: ApiRequest) => Promise<Response>) => Promise<Response>

/** Whether `client` is a client of the Anthropic SDK or one of its siblings, by its shape. */
export function isAnthropic(client: object): client is FetchClient {
  return hasMethods(client, ['messages', 'create'], ['messages', 'stream'], ['withOptions'], ['post'], ['fetch'])
}

/** A client of the same type that goes through the engine. The caller's own is not changed. */
export function wrapAnthropic(client: FetchClient, engine: Engine): FetchClient {
  const own = bareClient(client)
  return withCallOptions(own.withOptions(seamOptions(own, engine)), own, (options) => wrapAnthropic(own.withOptions(options), engine))
}

function seamOptions(own: FetchClient, engine: Engine): object {
  const seam = { rotating: isRotating(own) }
  const middleware: unknown = Reflect.get(own, 'middleware')
  if (!Array.isArray(middleware)) return { fetch: fetchThrough(engine, own.fetch, seam) }
  // Ours is the last, so that the caller's own see every call, hits included, as they would see it without us.
  return { middleware: [...middleware, cachingMiddleware(engine, seam)] }
}

function cachingMiddleware(engine: Engine, seam: HttpSeam): Middleware {
  return (request, next) => {
    const upstream: Fetch = (input, init) => next({ ...request, ...init, url: input instanceof Request ? input.url : String(input) })
    return fetchThrough(engine, upstream, seam)(request.url, request)
  }
}

/** Whether the credential is not a fixed one: a function or a provider gives it, and may give another next time. */
function isRotating(client: object): boolean {
  return typeof Reflect.get(client, 'apiKey') !== 'string' && typeof Reflect.get(client, 'authToken') !== 'string'
}
