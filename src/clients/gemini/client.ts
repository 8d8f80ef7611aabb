/**
 * The Gemini seam: the `fetch` that the SDK takes with each call, in the `httpOptions` of its configuration. The given client makes the call;
 * the wrapped one only adds our `fetch`. Source: `HttpOptions.fetch` of @google/genai, which has it from 3.1 on
 * @module
 */
import type { CacheInfo, CallOptions } from '../../call.ts'
import { assertScope } from '../../engine/cached-call.ts'
import type { Engine } from '../../engine/engine.ts'
import { InvalidOptionError } from '../../errors.ts'
import { isJsonObject, type JsonObject } from '../../json/object.ts'
import { isClientOf } from '../../providers/catalogue.ts'
import { attachInfo, infoOfResponse } from '../cache-info.ts'
import { bare, callOptions, type PassedOptions, readCallOptions } from '../call-options.ts'
import { type Fetch, fetchThrough } from '../http/caching-fetch.ts'
import { namesHeader } from '../http/given-headers.ts'
import type { HttpSeam } from '../http/request-credential.ts'
import { platformFetch } from './platform-fetch.ts'

/** What we use of such a client. */
interface GeminiClient {
  readonly models: object
  readonly chats: object
  readonly apiClient: object
}

/** The methods of `models` that are cached. */
const methods = ['generateContent', 'generateContentStream', 'embedContent', 'countTokens'] as const

/** Whether `client` is a client of @google/genai. */
export function isGemini(client: object): client is GeminiClient {
  return isClientOf('gemini', client)
}

/** A client of the same class that goes through the engine. The caller's own client is not changed. */
export function wrapGemini(client: GeminiClient, engine: Engine): GeminiClient {
  const beneath: unknown = Reflect.get(client, bare)
  const own = typeof beneath === 'object' && beneath !== null && isGemini(beneath) ? beneath : client
  assertSeam(own)
  const cached = methods.map((name) => [name, hidden((params: unknown) => callMethod(engine, own, { name, params }))] as const)
  const others = otherMethods(own.models).map((name) => [name, hidden(passing(engine, own, name))] as const)
  const models = copyOf(own.models, Object.fromEntries([...others, ...cached]))
  // A chat calls the methods of the models that it was made with.
  const chats = copyOf(own.chats, { modelsModule: hidden(models) })
  return copyOf(own, { [bare]: hidden(own), models: shown(models), chats: shown(chats) })
}

/** The names of the methods of the models that are not cached. */
function otherMethods(models: object): string[] {
  const names = new Set([models, Object.getPrototypeOf(models)].flatMap((each: object) => Object.getOwnPropertyNames(each)))
  const cached = new Set<string>(['constructor', ...methods])
  return [...names].filter((name) => !cached.has(name) && isFunction(Reflect.get(models, name)))
}

/** A method that is not cached, whose calls are told of. */
function passing(engine: Engine, own: GeminiClient, name: string) {
  return (...given: readonly unknown[]): unknown => {
    engine.pass({ method: 'call', host: 'gemini', path: `models.${name}` })
    return Reflect.apply(methodOf(own, name), own.models, given)
  }
}

/**
 * A client without the option `fetch` would never call ours.
 * @throws {InvalidOptionError} for a client of an older SDK
 */
function assertSeam(own: GeminiClient): void {
  if (isFunction(Reflect.get(Object(own.apiClient), 'getFetch'))) return
  throw new InvalidOptionError('client', own, 'a client of @google/genai from 3.1, whose calls take a `fetch`')
}

function copyOf<Copied extends object>(object: Copied, changes: PropertyDescriptorMap): Copied {
  return Object.create(Object.getPrototypeOf(object), { ...Object.getOwnPropertyDescriptors(object), ...changes })
}

function shown(value: unknown): PropertyDescriptor {
  return { value, enumerable: true, configurable: true, writable: true }
}

function hidden(value: unknown): PropertyDescriptor {
  return { value, enumerable: false, configurable: true, writable: true }
}

/** A call of a method of the models. */
interface MethodCall {
  readonly name: (typeof methods)[number]
  readonly params: unknown
}

/** Makes a call by the given client, with our `fetch`. The SDK may make several requests of one call: the facts are of the last one. */
async function callMethod(engine: Engine, own: GeminiClient, { name, params }: MethodCall): Promise<unknown> {
  const given: JsonObject = isJsonObject(params) ? params : {}
  const { cache, bypassCache, ...config }: JsonObject = isJsonObject(given['config']) ? given['config'] : {}
  const options = readCallOptions(cache, bypassCache)
  if (engine.settings.requireScope && options.mode !== 'no-store' && options.scope === undefined) assertScope(engine.settings)
  const seen: { info?: () => CacheInfo } = {}
  const httpOptions: JsonObject = isJsonObject(config['httpOptions']) ? config['httpOptions'] : {}
  const left = new AbortController()
  const fetch = seamOf(engine, own, {
    options,
    httpOptions,
    left: left.signal,
    bodyOf: given['config'] === undefined ? withoutConfig : same,
    seen: (info) => void (seen.info = info),
  })
  const sent = { ...given, config: { ...config, httpOptions: { ...httpOptions, fetch } } }
  const result: unknown = await Reflect.apply(methodOf(own, name), own.models, [isJsonObject(params) ? sent : params])
  const isRead = (): void => {
    if (seen.info !== undefined) attachInfo(result, seen.info)
  }
  isRead()
  if (name === 'generateContentStream') watch(result, { isRead, isLeft: () => left.abort() })
  return result
}

/** The SDK's own method, which the caller may have replaced. */
function methodOf({ models }: GeminiClient, name: string): Function {
  const method: unknown = Reflect.get(models, name)
  if (!isFunction(method)) throw new TypeError(`llmemo: the client has no models.${name}()`)
  return method
}

/** How one call goes through the cache. */
interface SeamOptions {
  readonly options: CallOptions
  readonly httpOptions: JsonObject
  /** The body that is sent, of the one that the SDK makes. */
  readonly bodyOf: (body: BodyInit | null | undefined) => BodyInit | null
  /** Fires when the reader of a stream leaves it. */
  readonly left: AbortSignal
  /** Called with the facts of each response. */
  readonly seen: (info: () => CacheInfo) => void
}

function seamOf(engine: Engine, own: GeminiClient, { options, httpOptions, left, bodyOf, seen }: SeamOptions): Fetch {
  const upstream =
    [httpOptions['fetch'], Reflect.apply(Reflect.get(own.apiClient, 'getFetch'), own.apiClient, [])].find(isFetch) ?? platformFetch
  const passed: PassedOptions = { options, body: undefined, headers: httpOptions['headers'] }
  const seam: HttpSeam = {
    retriesByStatus: true,
    // Without a key, the SDK asks Google's identity for a token, and gets another each hour.
    isRotated: (header, _, given) =>
      header === 'authorization' &&
      !isText(Reflect.get(own, 'apiKey')) &&
      !namesHeader(given, header) &&
      !namesHeader(ownHeaders(own), header),
  }
  const through = fetchThrough(engine, upstream, seam)
  return async function fetch(input, init) {
    const signal = init?.signal ? AbortSignal.any([init.signal, left]) : left
    const response = await through(input, Object.assign({ ...init, body: bodyOf(init?.body), signal }, { [callOptions]: passed }))
    const info = infoOfResponse(response)
    if (info !== undefined) seen(info)
    return response
  }
}

/** The headers of all calls of a client, those that its caller gave among them. */
function ownHeaders({ apiClient }: GeminiClient): unknown {
  const method: unknown = Reflect.get(apiClient, 'getHeaders')
  return isFunction(method) ? Reflect.apply(method, apiClient, []) : undefined
}

/** The body of a call without a configuration of its own: the SDK makes an empty one of ours. */
function withoutConfig(body: BodyInit | null | undefined): BodyInit | null {
  return typeof body === 'string' ? body.replace(/,"generationConfig":\{\}\}$/, '}') : (body ?? null)
}

function same(body: BodyInit | null | undefined): BodyInit | null {
  return body ?? null
}

/** What happens to a stream. */
interface StreamWatch {
  /** Called after each step of its reader: the SDK may send the request first when the stream is read. */
  readonly isRead: () => void
  /** Called when the reader leaves. The SDK itself goes on to hold the response open. */
  readonly isLeft: () => void
}

function watch(stream: unknown, { isRead, isLeft }: StreamWatch): void {
  const steps = [
    ['next', isRead],
    ['return', isLeft],
    ['throw', isLeft],
  ] as const
  for (const [name, then] of steps) {
    const step: unknown = Reflect.get(Object(stream), name)
    if (!isFunction(step)) continue
    const watched = async (...given: readonly unknown[]): Promise<unknown> => {
      try {
        return await Reflect.apply(step, stream, given)
      } finally {
        then()
      }
    }
    const isShown = Object.prototype.propertyIsEnumerable.call(stream, name)
    Object.defineProperty(stream, name, isShown ? shown(watched) : hidden(watched))
  }
}

function isFunction(value: unknown): value is Function {
  return typeof value === 'function'
}

function isFetch(value: unknown): value is Fetch {
  return typeof value === 'function'
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}
