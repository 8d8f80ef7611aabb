/**
 * The types of a wrapped OpenAI client. How they work without openai is explained in sdk-types.ts.
 * @module
 */
/* oxlint-disable typescript/consistent-type-imports */
import type { CacheRequestOptions } from '../../call.ts'
import type { Either, Facts, LastWord, MaybeFacts, Resolved, WithInfo } from '../sdk-types.ts'

/** @ts-ignore */
type OpenAi = import('openai').OpenAI
/** @ts-ignore */
type ApiPromise<Answer> = import('openai').APIPromise<Answer>
/** @ts-ignore */
type RequestOptions = import('openai').OpenAI.RequestOptions
/** @ts-ignore */
type ParsedChat<Parsed> = import('openai/resources/chat/completions/completions').ParsedChatCompletion<Parsed>
/** @ts-ignore */
type ParsedResponse<Parsed> = import('openai/resources/responses/responses').ParsedResponse<Parsed>
/** @ts-ignore */
type ChatFormat<Params extends AnyChatParams> = import('openai/lib/parser').ExtractParsedContentFromParams<Params>
/** @ts-ignore */
type ResponseFormat<Params extends AnyResponseParams> = import('openai/lib/ResponsesParser').ExtractParsedContentFromParams<Params>
/** @ts-ignore */
type ParseAs<Given extends ParseOptions, Parsed> = import('openai/lib/ResponsesParser').ParsedWithOptions<Given, Parsed>
/** @ts-ignore */
type ChatStream<Parsed> = import('openai/lib/ChatCompletionStream').ChatCompletionStream<Parsed>
/** @ts-ignore */
type ResponseStream<Parsed> = import('openai/lib/responses/ResponseStream').ResponseStream<Parsed>
/** @ts-ignore */
type Runner<Parsed> = import('openai/lib/ChatCompletionRunner').ChatCompletionRunner<Parsed>
/** @ts-ignore */
type StreamingRunner<Parsed> = import('openai/lib/ChatCompletionStreamingRunner').ChatCompletionStreamingRunner<Parsed>
/** @ts-ignore */
type RunnerOptions = import('openai/lib/AbstractChatCompletionRunner').RunnerOptions
/** @ts-ignore */
type RunnerParams = import('openai/lib/ChatCompletionRunner').ChatCompletionToolRunnerParams<ToolArguments>
/** @ts-ignore */
type StreamingRunnerParams = import('openai/lib/ChatCompletionStreamingRunner').ChatCompletionStreamingToolRunnerParams<ToolArguments>
/** @ts-ignore */
type ToolWithContext<Context> = import('openai/lib/RunnableFunction').RunnableToolFunctionWithContext<Context>

type ToolArguments = (object | string)[]
type ChatParams = Parameters<OpenAi['chat']['completions']['parse']>[0]
type ChatStreamParams = Parameters<OpenAi['chat']['completions']['stream']>[0]
type ResponseParams = Parameters<OpenAi['responses']['parse']>[0]
type ResponseStreamParams = Parameters<OpenAi['responses']['stream']>[0]
type AnyChatParams = ChatParams | ChatStreamParams | WithoutTools<RunnerParams> | WithoutTools<StreamingRunnerParams>
type AnyResponseParams = ResponseParams | ResponseStreamParams

/** Names the bare options as well: else the compiler prefers the SDK's own overload for a variable of exactly this type. */
type Options = RequestOptions | (RequestOptions & CacheRequestOptions)
type RunOptions = RunnerOptions | (RunnerOptions & CacheRequestOptions)
type ResponseOptions = ParseOptions & CacheRequestOptions

type ParseOptions = NonNullable<Parameters<OpenAi['responses']['parse']>[1]>

/** The promise of an SDK's method, with the cache facts on its answer. A text cannot carry them. */
type Informed<Promised, Added extends MaybeFacts> =
  Promised extends ApiPromise<infer Answer> ? ApiPromise<WithInfo<Answer, Added>> : Promised

type Call<Body, Promised, Added extends MaybeFacts> = (body: Body, options?: Options) => Informed<Promised, Added>

/** The overloads of a method that is not generic (six, three, two or one), with the cache's options and facts. */
type Calls<Method, Added extends MaybeFacts> = Method extends {
  (body: infer A, options?: Options): infer ForA
  (body: infer B, options?: Options): infer ForB
  (body: infer C, options?: Options): infer ForC
  (body: infer D, options?: Options): infer ForD
  (body: infer E, options?: Options): infer ForE
  (body: infer F, options?: Options): infer ForF
}
  ? Call<A, ForA, Added> & Call<B, ForB, Added> & Call<C, ForC, Added> & Call<D, ForD, Added> & Call<E, ForE, Added> & Call<F, ForF, Added>
  : Method extends {
        (body: infer A, options?: Options): infer ForA
        (body: infer B, options?: Options): infer ForB
        (body: infer C, options?: Options): infer ForC
      }
    ? Call<A, ForA, Added> & Call<B, ForB, Added> & Call<C, ForC, Added>
    : Method extends { (body: infer A, options?: Options): infer ForA; (body: infer B, options?: Options): infer ForB }
      ? Call<A, ForA, Added> & Call<B, ForB, Added>
      : Method extends (body: infer A, options?: Options) => infer ForA
        ? Call<A, ForA, Added>
        : Method

/** The methods that are cached, as they are on a wrapped client. */
type Methods<Added extends MaybeFacts> = {
  chat: {
    completions: {
      create: Calls<OpenAi['chat']['completions']['create'], Added>
      parse<Params extends ChatParams, Parsed = ChatFormat<Params>>(
        body: Params,
        options?: Options,
      ): ApiPromise<WithInfo<ParsedChat<Parsed>, Added>>
      stream<Params extends ChatStreamParams, Parsed = ChatFormat<Params>>(body: Params, options?: Options): ChatStream<Parsed>
      runTools: RunTools
    }
  }
  responses: {
    create: Calls<OpenAi['responses']['create'], Added>
    parse<Params extends ResponseParams, Parsed = ResponseFormat<Params>, Given extends ResponseOptions = RequestOptions>(
      body: Params,
      options?: Given,
    ): ApiPromise<WithInfo<ParsedResponse<Either<ParseAs<Given, Parsed>, Parsed>>, Added>>
    stream<Params extends ResponseStreamParams, Parsed = ResponseFormat<Params>, Given extends ResponseOptions = RequestOptions>(
      body: Params,
      options?: Given,
    ): ResponseStream<Either<ParseAs<Given, Parsed>, Parsed>>
  }
  completions: { create: Calls<OpenAi['completions']['create'], Added> }
  embeddings: { create: Calls<OpenAi['embeddings']['create'], Added> }
  moderations: { create: Calls<OpenAi['moderations']['create'], Added> }
  images: { generate: Calls<OpenAi['images']['generate'], Added> }
  audio: {
    speech: { create: Calls<OpenAi['audio']['speech']['create'], Added> }
    transcriptions: { create: Calls<OpenAi['audio']['transcriptions']['create'], Added> }
  }
}

type RunTools = {
  <Context, Params extends WithoutTools<StreamingRunnerParams>, Parsed = ChatFormat<Params>>(
    body: Params & WithContext<Context>,
    options?: RunOptions,
  ): StreamingRunner<Parsed>
  <Context, Params extends WithoutTools<RunnerParams>, Parsed = ChatFormat<Params>>(
    body: Params & WithContext<Context>,
    options?: RunOptions,
  ): Runner<Parsed>
  <Params extends StreamingRunnerParams, Parsed = ChatFormat<Params>>(body: Params, options?: RunOptions): StreamingRunner<Parsed>
  <Params extends RunnerParams, Parsed = ChatFormat<Params>>(body: Params, options?: RunOptions): Runner<Parsed>
}

type WithoutTools<Params> = Omit<Params, 'tools' | 'toolContext'>

/** What openai 6 and later pass to the tools. Before, there was no such type. */
type WithContext<Context> = { toolContext: Context; tools: readonly Resolved<ToolWithContext<Context>>[] }

/**
 * A wrapped OpenAI or Azure OpenAI client: its cached methods take `cache` and `bypassCache` beside the SDK's own options, and their
 * results have `_cache`. All else is as on the bare client. Our methods come first, as the compiler takes the first overload that fits.
 */
export type CachedOpenAi<Client> = Methods<Facts> & Client & LastWord<Methods<Facts>>

/** The methods of a client that may be wrapped. The compiler cannot compare the generic methods of `responses` with the SDK's own. */
type MaybeMethods = Omit<Methods<MaybeFacts>, 'responses'> & { responses: Pick<Methods<MaybeFacts>['responses'], 'create'> }

/** An OpenAI or Azure OpenAI client that may be wrapped or not. */
export type MaybeCachedOpenAi<Client> = MaybeMethods & Client & LastWord<MaybeMethods>

/** Every client of the SDK; `never` if the SDK is not installed. */
export type AnyOpenAi = Resolved<OpenAi>
