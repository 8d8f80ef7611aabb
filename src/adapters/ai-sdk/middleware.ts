/**
 * The door `llmemo/ai-sdk`: middleware that caches the calls of any model of the Vercel AI SDK, also of providers that take no `fetch`.
 * @module
 */
import type { Cache, CalledAnswer, OriginCall } from '../../cache/cache.ts'
import type { CacheInfo, CallOptions } from '../../call.ts'
import { type CallParams, keptAnswer, type Members, membersOf, type NamedModel, type SpecificationVersion } from './contract.ts'
import { factsOf, factsSoFar } from './facts.ts'
import { languageRules } from './language-answers.ts'
import { modelCall, sentParams, withFacts } from './model-call.ts'
import { embeddingRules, imageRules, valuesOf } from './other-answers.ts'
import { partsIn, streamOf } from './streams.ts'

export type { CallParams, NamedModel, SpecificationVersion } from './contract.ts'
export type { AiSdkFacts } from './facts.ts'

/** Options of the middleware: those of all its calls, and the version of the AI SDK. */
export interface MiddlewareOptions<Version extends SpecificationVersion = 'v4'> extends CallOptions {
  /** The version of the specification: `'v4'` for AI SDK 7, `'v3'` for AI SDK 6, `'v2'` for AI SDK 5. @default 'v4' */
  readonly specificationVersion?: Version
}

/** A model that answers `Params` with `Result`, by its method `Method`. */
export type ModelWith<Method extends string, Params, Result> = NamedModel &
  Readonly<Record<Method, (params: Params) => PromiseLike<Result>>>

/** What a middleware gets for a call. */
export interface WrappedCall<Method extends string, Params, Result> {
  readonly params: Params
  readonly model: ModelWith<Method, Params, Result>
}

/** Middleware for `wrapLanguageModel`. */
export interface CacheMiddleware<Version extends SpecificationVersion = 'v4'> {
  readonly specificationVersion: Version
  readonly wrapGenerate: <Params extends CallParams, Result>(call: WrappedCall<'doGenerate', Params, Result>) => Promise<Result>
  readonly wrapStream: <Params extends CallParams, Result>(call: WrappedCall<'doStream', Params, Result>) => Promise<Result>
}

/** Middleware for `wrapEmbeddingModel`. */
export interface CacheEmbeddingMiddleware<Version extends SpecificationVersion = 'v4'> {
  readonly specificationVersion: Version
  readonly wrapEmbed: <Params extends CallParams, Result>(call: WrappedCall<'doEmbed', Params, Result>) => Promise<Result>
}

/** Middleware for `wrapImageModel`. */
export interface CacheImageMiddleware<Version extends SpecificationVersion = 'v4'> {
  readonly specificationVersion: Version
  readonly wrapGenerate: <Params extends CallParams, Result>(call: WrappedCall<'doGenerate', Params, Result>) => Promise<Result>
}

/**
 * Middleware that caches the calls of a language model, whole and streamed. A call gives its options as `providerOptions: { llmemo: { … } }`,
 * and finds its cache facts in `providerMetadata.llmemo`.
 * @param cache a cache of `createCache`
 * @throws {InvalidOptionError} at a call, for an option that cannot be
 */
export function cacheMiddleware<Version extends SpecificationVersion = 'v4'>(
  cache: Cache,
  options: MiddlewareOptions<Version> = {},
): CacheMiddleware<Version> {
  const { version, defaults } = read(options)
  return {
    specificationVersion: version,
    wrapGenerate: async ({ params, model }) =>
      whole(cache, { endpoint: 'chat', rules: languageRules, ...(await modelCall(model, params, defaults)) }, (signal) =>
        model.doGenerate({ ...sentParams(params), abortSignal: signal }),
      ),
    async wrapStream({ params, model }) {
      let own: unknown
      const call = { endpoint: 'chat', rules: languageRules, stream: true, ...(await modelCall(model, params, defaults)) } as const
      const { parts, info } = await cache.call<unknown>(call, async ({ signal }) => {
        own = await model.doStream({ ...sentParams(params), abortSignal: signal })
        return partsIn(membersOf(own)['stream'])
      })
      const shown = (part: unknown): unknown => (membersOf(part)['type'] === 'finish' ? withFacts(membersOf(part), factsSoFar(info)) : part)
      return resultOf({ ...headOf(own, info), stream: streamOf(parts, shown) })
    },
  }
}

/** Middleware that caches the calls of an embedding model. Each value is cached by itself: only those that are not stored are sent. */
export function cacheEmbeddingMiddleware<Version extends SpecificationVersion = 'v4'>(
  cache: Cache,
  options: MiddlewareOptions<Version> = {},
): CacheEmbeddingMiddleware<Version> {
  const { version, defaults } = read(options)
  return {
    specificationVersion: version,
    wrapEmbed: async ({ params, model }) =>
      whole(cache, { endpoint: 'embeddings', rules: embeddingRules, ...(await modelCall(model, params, defaults)) }, (signal, request) =>
        model.doEmbed({ ...sentParams(params), values: [...valuesOf(request)], abortSignal: signal }),
      ),
  }
}

/** Middleware that caches the calls of an image model. */
export function cacheImageMiddleware<Version extends SpecificationVersion = 'v4'>(
  cache: Cache,
  options: MiddlewareOptions<Version> = {},
): CacheImageMiddleware<Version> {
  const { version, defaults } = read(options)
  return {
    specificationVersion: version,
    wrapGenerate: async ({ params, model }) =>
      whole(
        cache,
        { endpoint: 'images', rules: imageRules, ...(await modelCall(model, params, defaults)) },
        (signal) => model.doGenerate({ ...sentParams(params), abortSignal: signal }),
        // The SDK takes the metadata of each image, and nothing else.
        (facts) => ({ images: [facts] }),
      ),
  }
}

function read<Version extends SpecificationVersion>(
  options: MiddlewareOptions<Version>,
): { readonly version: Version; readonly defaults: CallOptions } {
  const { specificationVersion, ...defaults } = options
  // The default of the type parameter.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return { version: specificationVersion ?? ('v4' as Version), defaults }
}

/**
 * A whole answer: the model's own result for the call that fetched it, else the stored answer.
 * @param shown the facts as they stand in the metadata
 */
async function whole<Result>(
  cache: Cache,
  call: OriginCall & { readonly stream?: false },
  ask: (signal: AbortSignal, request: object) => PromiseLike<Result>,
  shown: (facts: Members) => Members = (facts) => facts,
): Promise<Result> {
  let own: unknown
  const called: CalledAnswer<unknown> = await cache.call(call, async ({ signal, request }) => {
    own = await ask(signal, request)
    return keptAnswer(own)
  })
  const answer = membersOf(called.answer)
  const result = { ...headOf(own, called.info), ...answer, ...responseOf(own, answer, called.info) }
  return resultOf(withFacts(result, shown(factsOf(called.info))))
}

/** What only the caller gets that asked the provider: the request, and what is told of the response beside the answer. */
function headOf(own: unknown, { source }: CacheInfo): Members {
  const { request, response } = source === 'origin' ? membersOf(own) : {}
  return { ...(request !== undefined && { request }), ...(response !== undefined && { response }) }
}

function responseOf(own: unknown, answer: Members, info: CacheInfo): Members {
  const response = { ...membersOf(answer['response']), ...membersOf(headOf(own, info)['response']) }
  return Object.keys(response).length === 0 ? {} : { response }
}

/** What the model itself returned, or a copy of it from the cache, in the type of the model's results. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller says what it is
function resultOf<Result>(result: Members): Result {
  // Only results of the same kind of model are stored under its keys.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return result as Result
}
