/**
 * The types of a wrapped Anthropic client. How they work without @anthropic-ai/sdk is explained in sdk-types.ts.
 * @module
 */
/* oxlint-disable typescript/consistent-type-imports */
import type { CacheRequestOptions } from '../../call.ts'
import type { Either, Facts, LastWord, MaybeFacts, Resolved, WithInfo } from '../sdk-types.ts'

/** @ts-ignore */
type BaseAnthropic = import('@anthropic-ai/sdk').BaseAnthropic
/** @ts-ignore */
type Anthropic = import('@anthropic-ai/sdk').Anthropic
/** @ts-ignore */
type ApiPromise<Answer> = import('@anthropic-ai/sdk').APIPromise<Answer>
/** @ts-ignore */
type RequestOptions = import('@anthropic-ai/sdk').Anthropic.RequestOptions
/** @ts-ignore */
type MessageFormat<Params extends StreamParams | ParseParams> =
  import('@anthropic-ai/sdk/lib/parser').ExtractParsedContentFromParams<Params>
/** @ts-ignore */
type ParsedMessage<Parsed> = import('@anthropic-ai/sdk/lib/parser').ParsedMessage<Parsed>
/** @ts-ignore */
type MessageStream<Parsed> = import('@anthropic-ai/sdk/lib/MessageStream').MessageStream<Parsed>
/** @ts-ignore */
type PlainMessageStream = import('@anthropic-ai/sdk/lib/MessageStream').MessageStream
/** @ts-ignore */
type BetaFormat<Params extends BetaStreamParams | BetaParseParams> =
  import('@anthropic-ai/sdk/lib/beta-parser').ExtractParsedContentFromBetaParams<Params>
/** @ts-ignore */
type ParsedBetaMessage<Parsed> = import('@anthropic-ai/sdk/lib/beta-parser').ParsedBetaMessage<Parsed>
/** @ts-ignore */
type BetaMessageStream<Parsed> = import('@anthropic-ai/sdk/lib/BetaMessageStream').BetaMessageStream<Parsed>
/** @ts-ignore */
type PlainBetaMessageStream = import('@anthropic-ai/sdk/lib/BetaMessageStream').BetaMessageStream
/** @ts-ignore */
type ToolRunner<Stream extends boolean> = import('@anthropic-ai/sdk/lib/tools/BetaToolRunner').BetaToolRunner<Stream>
/** @ts-ignore */
type ToolRunnerParams = import('@anthropic-ai/sdk/lib/tools/BetaToolRunner').BetaToolRunnerParams
/** @ts-ignore */
type ToolRunnerOptions = import('@anthropic-ai/sdk/lib/tools/BetaToolRunner').BetaToolRunnerRequestOptions
/** @ts-ignore */
type ParseParams = Parameters<Anthropic['messages']['parse']>[0]
/** @ts-ignore */
type BetaParseParams = Parameters<Anthropic['beta']['messages']['parse']>[0]

type Messages = Anthropic['messages']
type BetaMessages = Anthropic['beta']['messages']
type StreamParams = Parameters<Messages['stream']>[0]
type BetaStreamParams = Parameters<BetaMessages['stream']>[0]

/** Names the bare options as well: else the compiler prefers the SDK's own overload for a variable of exactly this type. */
type Options = RequestOptions | (RequestOptions & CacheRequestOptions)
type RunOptions = ToolRunnerOptions | (ToolRunnerOptions & CacheRequestOptions)

/** The promise of an SDK's method, with the cache facts on its answer. */
type Informed<Promised, Added extends MaybeFacts> =
  Promised extends ApiPromise<infer Answer> ? ApiPromise<WithInfo<Answer, Added>> : Promised

type Call<Body, Promised, Added extends MaybeFacts> = (body: Body, options?: Options) => Informed<Promised, Added>

/** The three overloads of a method, or its one, each as its body and its promise. */
type Overloads<Method> = Method extends {
  (body: infer A, options?: Options): infer ForA
  (body: infer B, options?: Options): infer ForB
  (body: infer C, options?: Options): infer ForC
}
  ? [[A, ForA], [B, ForB], [C, ForC]]
  : Method extends (body: infer A, options?: Options) => infer ForA
    ? [[A, ForA]]
    : []

/** The methods with these overloads, with the cache's options and facts. */
type Calls<Method, Added extends MaybeFacts, Of = Overloads<Method>> = Of extends [[infer Body, infer Promised], ...infer Others]
  ? Call<Body, Promised, Added> & Calls<Method, Added, Others>
  : unknown

/** The body and the promise of the first overload. */
type FirstBody<Method> = Overloads<Method> extends [[infer First, unknown], ...unknown[]] ? First : never
type FirstAnswer<Method, Added extends MaybeFacts> =
  Overloads<Method> extends [[unknown, infer First], ...unknown[]] ? Informed<First, Added> : never

// Why these are interfaces is explained in the types of OpenAI's client: an editor takes the SDK's own text from there.

/** @ts-ignore */
interface CachedMessages<Added extends MaybeFacts> extends Messages {
  create(body: FirstBody<Messages['create']>, options?: Options): FirstAnswer<Messages['create'], Added>
  parse<Params extends ParseParams>(body: Params, options?: Options): ApiPromise<WithInfo<ParsedMessage<MessageFormat<Params>>, Added>>
  stream<Params extends StreamParams>(body: Params, options?: Options): Either<MessageStream<MessageFormat<Params>>, PlainMessageStream>
  countTokens(body: FirstBody<Messages['countTokens']>, options?: Options): FirstAnswer<Messages['countTokens'], Added>
}

/** @ts-ignore */
interface CachedBetaMessages<Added extends MaybeFacts> extends BetaMessages {
  create(body: FirstBody<BetaMessages['create']>, options?: Options): FirstAnswer<BetaMessages['create'], Added>
  parse<Params extends BetaParseParams>(body: Params, options?: Options): ApiPromise<WithInfo<ParsedBetaMessage<BetaFormat<Params>>, Added>>
  stream<Params extends BetaStreamParams>(
    body: Params,
    options?: Options,
  ): Either<BetaMessageStream<BetaFormat<Params>>, PlainBetaMessageStream>
  countTokens(body: FirstBody<BetaMessages['countTokens']>, options?: Options): FirstAnswer<BetaMessages['countTokens'], Added>
  toolRunner(body: ToolRunnerParams & { stream?: false }, options?: RunOptions): ToolRunner<false>
  toolRunner(body: ToolRunnerParams & { stream: true }, options?: RunOptions): ToolRunner<true>
  toolRunner(body: ToolRunnerParams, options?: RunOptions): ToolRunner<boolean>
}

type MessageMethods<Added extends MaybeFacts> = {
  create: CachedMessages<Added>['create'] & Calls<Messages['create'], Added>
  parse: CachedMessages<Added>['parse']
  stream: CachedMessages<Added>['stream']
  countTokens: CachedMessages<Added>['countTokens']
}

type BetaMethods<Added extends MaybeFacts> = {
  create: CachedBetaMessages<Added>['create'] & Calls<BetaMessages['create'], Added>
  parse: CachedBetaMessages<Added>['parse']
  stream: CachedBetaMessages<Added>['stream']
  countTokens: CachedBetaMessages<Added>['countTokens']
  toolRunner: CachedBetaMessages<Added>['toolRunner']
}

/** Those of the methods that the client has. The clients for other clouds, and older versions, do not have all of them. */
type Had<Methods, Resource> = Pick<Methods, keyof Methods & keyof Resource>

/** The methods that are cached, as they are on a wrapped client. */
type Methods<Client, Added extends MaybeFacts> = Client extends { messages: infer Stable; beta: { messages: infer Beta } }
  ? { messages: Had<MessageMethods<Added>, Stable>; beta: { messages: Had<BetaMethods<Added>, Beta> } }
  : unknown

/** Every client of the SDK, including those for other clouds; `never` if the SDK is not installed. */
export type AnyAnthropic = Resolved<BaseAnthropic>

/**
 * A wrapped Anthropic client, or one of its siblings for other clouds: its cached methods take `cache` and `bypassCache` beside the SDK's
 * own options, and their results have `_cache`. All else is as on the bare client.
 */
export type CachedAnthropic<Client, Added extends MaybeFacts = Facts> = Methods<Client, Added> & Client & LastWord<Methods<Client, Added>>
