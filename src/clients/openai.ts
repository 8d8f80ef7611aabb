/**
 * The OpenAI seam: a client like the caller's, whose `fetch` is ours. Everything the SDK builds upon it (helpers, retries, errors) stays the
 * SDK's own. `post`, through which every cached call goes, takes the caller's cache options out of the request options and puts
 * the cache facts on the result.
 * @module
 */
import { assertCallOptions, type CallOptions } from '../call.ts'
import type { Engine } from '../engine/engine.ts'
import { InvalidOptionError, NotKeyableError } from '../errors.ts'
import { canonicalJson } from '../key/canonical-json.ts'
import { attachInfo, cacheInfo } from './cache-info.ts'
import { type Fetch, fetchThrough } from './caching-fetch.ts'
import { callOptions, type HandedDown } from './http-request.ts'

/** What we use of an OpenAI client, of any major version that we know. */
interface OpenAiClient {
  withOptions(options: object): OpenAiClient
  post(path: string, options?: unknown): SdkPromise
  fetch: Fetch
}

/** What we use of the SDK's promise; its own helpers use the same. */
interface SdkPromise {
  _thenUnwrap(transform: (data: unknown, props: { readonly response: Response }) => unknown): SdkPromise
}

/** Marks a client of ours and holds the bare client beneath. */
const bare = Symbol.for('llmemo.bare')

/** Whether `client` is an OpenAI or Azure OpenAI client, by its shape: bundlers rename classes, and a package may be there twice. */
export function isOpenAi(client: object): client is OpenAiClient {
  const has = (...path: string[]): boolean => {
    let value: unknown = client
    for (const name of path) value = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
    return typeof value === 'function'
  }
  return has('chat', 'completions', 'create') && has('embeddings', 'create') && has('withOptions') && has('post') && has('fetch')
}

/**
 * A client of the same type that goes through the engine. The caller's own is not changed.
 * A client that is wrapped already is wrapped anew from the bare one beneath, as two caches around one another would only hide each other.
 */
export function wrapOpenAi(client: OpenAiClient, engine: Engine): OpenAiClient {
  const beneath: unknown = Reflect.get(client, bare)
  const own = typeof beneath === 'object' && beneath !== null && isOpenAi(beneath) ? beneath : client
  const wrapped = own.withOptions({ ...azureOptions(own), fetch: fetchThrough(engine, own.fetch, { rotating: isRotating(own) }) })
  const post = wrapped.post.bind(wrapped)
  return Object.defineProperties(wrapped, {
    [bare]: { value: own },
    post: {
      value: (path: string, options?: unknown) => informed(post(path, isThenable(options) ? options.then(handDown) : handDown(options))),
      configurable: true,
      writable: true,
    },
    withOptions: {
      value: (options: object) => wrapOpenAi(own.withOptions({ ...azureOptions(own), ...options }), engine),
      configurable: true,
      writable: true,
    },
  })
}

/** Before openai 7 the Azure client did not hand these on to its clones and then failed for want of them. */
function azureOptions(client: object): object {
  const apiVersion: unknown = Reflect.get(client, 'apiVersion')
  if (typeof apiVersion !== 'string') return {}
  const provider: unknown = Reflect.get(client, '_azureADTokenProvider')
  const deployment: unknown = Reflect.get(client, 'deploymentName')
  return {
    apiVersion,
    ...(typeof deployment === 'string' && { deployment }),
    ...(typeof provider === 'function' && { azureADTokenProvider: provider }),
  }
}

/** Whether the key comes from a function, an identity or a token that changes by itself. Such a key tells nobody apart. */
function isRotating(client: object): boolean {
  const options: unknown = Reflect.get(client, '_options')
  const of = (name: string): unknown => (typeof options === 'object' && options !== null ? Reflect.get(options, name) : undefined)
  return (
    typeof of('apiKey') === 'function' ||
    typeof of('azureADTokenProvider') === 'function' ||
    typeof Reflect.get(client, '_azureADTokenProvider') === 'function' ||
    of('workloadIdentity') !== undefined
  )
}

/** The request options less ours, which go down to our fetch in `fetchOptions`. */
function handDown(given: unknown): unknown {
  if (typeof given !== 'object' || given === null) return given
  const { cache, bypassCache, ...options }: Record<string, unknown> = { ...given }
  const { body, signal } = options
  const handed: HandedDown = {
    options: readOptions(cache, bypassCache),
    ...unkeyable(body),
    ...(typeof signal === 'object' && signal !== null && { signal }),
  }
  const fetchOptions: unknown = options['fetchOptions']
  return { ...options, fetchOptions: { ...(typeof fetchOptions === 'object' ? fetchOptions : {}), [callOptions]: handed } }
}

function readOptions(cache: unknown, bypassCache: unknown): CallOptions {
  if (bypassCache !== undefined && typeof bypassCache !== 'boolean')
    throw new InvalidOptionError('bypassCache', bypassCache, 'true or false')
  if (cache !== undefined) assertCallOptions(cache)
  return bypassCache === true ? { ...cache, mode: 'no-store' } : (cache ?? {})
}

/** What the SDK would send of a `Map` or a `NaN` is not what the caller meant, so nothing is cached under it. */
function unkeyable(body: unknown): { unkeyable?: string } {
  if (typeof body !== 'object' || body === null || body instanceof FormData) return {}
  try {
    canonicalJson(body, { longText: Infinity })
    return {}
  } catch (error) {
    if (error instanceof NotKeyableError) return { unkeyable: 'not keyable' }
    throw error
  }
}

/** The SDK's promise, whose result, and whatever a helper makes of it, carries the facts of its response. */
function informed(promise: SdkPromise): SdkPromise {
  const marked = promise._thenUnwrap((data, { response }) => {
    const info = cacheInfo(response)
    if (info !== undefined) attachInfo(data, info)
    return data
  })
  const unwrap = marked._thenUnwrap.bind(marked)
  marked._thenUnwrap = (transform) => informed(unwrap(transform))
  return marked
}

function isThenable(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'then') === 'function'
}
