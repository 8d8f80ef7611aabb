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

/** The overloads of a method that is not generic (six, three, two or one), each as its body and its promise. */
type Overloads<Method> = Method extends {
  (body: infer A, options?: Options): infer ForA
  (body: infer B, options?: Options): infer ForB
  (body: infer C, options?: Options): infer ForC
  (body: infer D, options?: Options): infer ForD
  (body: infer E, options?: Options): infer ForE
  (body: infer F, options?: Options): infer ForF
}
  ? [[A, ForA], [B, ForB], [C, ForC], [D, ForD], [E, ForE], [F, ForF]]
  : Method extends {
        (body: infer A, options?: Options): infer ForA
        (body: infer B, options?: Options): infer ForB
        (body: infer C, options?: Options): infer ForC
      }
    ? [[A, ForA], [B, ForB], [C, ForC]]
    : Method extends { (body: infer A, options?: Options): infer ForA; (body: infer B, options?: Options): infer ForB }
      ? [[A, ForA], [B, ForB]]
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

type Chat = OpenAi['chat']['completions']
type Responses = OpenAi['responses']
type Completions = OpenAi['completions']
type Embeddings = OpenAi['embeddings']
type Moderations = OpenAi['moderations']
type Images = OpenAi['images']
type Speech = OpenAi['audio']['speech']
type Transcriptions = OpenAi['audio']['transcriptions']

// An editor shows the SDK's own text for a method that an interface overrides, and takes the text of the first overload for those without
// one. So the first overload of each method stands in an interface. With the others missing, the compiler finds it incompatible. Methods are
// taken out of the interfaces one by one, so that no declaration of a user needs their names.

/** @ts-ignore */
interface CachedChat<Added extends MaybeFacts> extends Chat {
  create(body: FirstBody<Chat['create']>, options?: Options): FirstAnswer<Chat['create'], Added>
  parse<Params extends ChatParams, Parsed = ChatFormat<Params>>(
    body: Params,
    options?: Options,
  ): ApiPromise<WithInfo<ParsedChat<Parsed>, Added>>
  stream<Params extends ChatStreamParams, Parsed = ChatFormat<Params>>(body: Params, options?: Options): ChatStream<Parsed>
  runTools<Context, Params extends WithoutTools<StreamingRunnerParams>, Parsed = ChatFormat<Params>>(
    body: Params & WithContext<Context>,
    options?: RunOptions,
  ): StreamingRunner<Parsed>
  runTools<Context, Params extends WithoutTools<RunnerParams>, Parsed = ChatFormat<Params>>(
    body: Params & WithContext<Context>,
    options?: RunOptions,
  ): Runner<Parsed>
  runTools<Params extends StreamingRunnerParams, Parsed = ChatFormat<Params>>(body: Params, options?: RunOptions): StreamingRunner<Parsed>
  runTools<Params extends RunnerParams, Parsed = ChatFormat<Params>>(body: Params, options?: RunOptions): Runner<Parsed>
}

/** @ts-ignore */
interface CachedResponses<Added extends MaybeFacts> extends Responses {
  create(body: FirstBody<Responses['create']>, options?: Options): FirstAnswer<Responses['create'], Added>
  parse<Params extends ResponseParams, Parsed = ResponseFormat<Params>, Given extends ResponseOptions = RequestOptions>(
    body: Params,
    options?: Given,
  ): ApiPromise<WithInfo<ParsedResponse<Either<ParseAs<Given, Parsed>, Parsed>>, Added>>
  stream<Params extends ResponseStreamParams, Parsed = ResponseFormat<Params>, Given extends ResponseOptions = RequestOptions>(
    body: Params,
    options?: Given,
  ): ResponseStream<Either<ParseAs<Given, Parsed>, Parsed>>
}

/** @ts-ignore */
interface CachedCompletions<Added extends MaybeFacts> extends Completions {
  create(body: FirstBody<Completions['create']>, options?: Options): FirstAnswer<Completions['create'], Added>
}

/** @ts-ignore */
interface CachedEmbeddings<Added extends MaybeFacts> extends Embeddings {
  create(body: FirstBody<Embeddings['create']>, options?: Options): FirstAnswer<Embeddings['create'], Added>
}

/** @ts-ignore */
interface CachedModerations<Added extends MaybeFacts> extends Moderations {
  create(body: FirstBody<Moderations['create']>, options?: Options): FirstAnswer<Moderations['create'], Added>
}

/** @ts-ignore */
interface CachedImages<Added extends MaybeFacts> extends Images {
  generate(body: FirstBody<Images['generate']>, options?: Options): FirstAnswer<Images['generate'], Added>
}

/** @ts-ignore */
interface CachedSpeech<Added extends MaybeFacts> extends Speech {
  create(body: FirstBody<Speech['create']>, options?: Options): FirstAnswer<Speech['create'], Added>
}

/** @ts-ignore */
interface CachedTranscriptions<Added extends MaybeFacts> extends Transcriptions {
  create(body: FirstBody<Transcriptions['create']>, options?: Options): FirstAnswer<Transcriptions['create'], Added>
}

/** The methods that are cached, as they are on a wrapped client. */
type Methods<Added extends MaybeFacts> = {
  chat: {
    completions: {
      create: CachedChat<Added>['create'] & Calls<Chat['create'], Added>
      parse: CachedChat<Added>['parse']
      stream: CachedChat<Added>['stream']
      runTools: CachedChat<Added>['runTools']
    }
  }
  responses: {
    create: CachedResponses<Added>['create'] & Calls<Responses['create'], Added>
    parse: CachedResponses<Added>['parse']
    stream: CachedResponses<Added>['stream']
  }
  completions: { create: CachedCompletions<Added>['create'] & Calls<Completions['create'], Added> }
  embeddings: { create: CachedEmbeddings<Added>['create'] & Calls<Embeddings['create'], Added> }
  moderations: { create: CachedModerations<Added>['create'] & Calls<Moderations['create'], Added> }
  images: { generate: CachedImages<Added>['generate'] & Calls<Images['generate'], Added> }
  audio: {
    speech: { create: CachedSpeech<Added>['create'] & Calls<Speech['create'], Added> }
    transcriptions: { create: CachedTranscriptions<Added>['create'] & Calls<Transcriptions['create'], Added> }
  }
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
