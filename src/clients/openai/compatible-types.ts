/**
 * The types of wrapped clients whose SDKs are made like OpenAI's: groq-sdk, together-ai, @perplexity-ai/perplexity_ai and
 * @cerebras/cerebras_cloud_sdk. How they work without an SDK is explained in sdk-types.ts.
 * @module
 */
/* oxlint-disable typescript/consistent-type-imports */
import type { CacheRequestOptions } from '../../call.ts'
import type { Facts, LastWord, MaybeFacts, Resolved, WithInfo } from '../sdk-types.ts'

/** @ts-ignore */
type Groq = import('groq-sdk').Groq
/** @ts-ignore */
type GroqPromise<Answer> = import('groq-sdk').APIPromise<Answer>
/** @ts-ignore */
type Together = import('together-ai').Together
/** @ts-ignore */
type TogetherPromise<Answer> = import('together-ai').APIPromise<Answer>
/** @ts-ignore */
type Perplexity = import('@perplexity-ai/perplexity_ai').Perplexity
/** @ts-ignore */
type PerplexityPromise<Answer> = import('@perplexity-ai/perplexity_ai/generated/runtime').APIPromise<Answer>
/** @ts-ignore */
type Cerebras = import('@cerebras/cerebras_cloud_sdk').Cerebras
/** @ts-ignore */
type CerebrasPromise<Answer> = import('@cerebras/cerebras_cloud_sdk/core').APIPromise<Answer>

/** The promise of an SDK's method, with the cache facts on its answer. */
type Informed<Client, Promised, Added extends MaybeFacts> =
  Client extends Resolved<Groq>
    ? Promised extends GroqPromise<infer Answer>
      ? GroqPromise<WithInfo<Answer, Added>>
      : Promised
    : Client extends Resolved<Together>
      ? Promised extends TogetherPromise<infer Answer>
        ? TogetherPromise<WithInfo<Answer, Added>>
        : Promised
      : Client extends Resolved<Perplexity>
        ? Promised extends PerplexityPromise<infer Answer>
          ? PerplexityPromise<WithInfo<Answer, Added>>
          : Promised
        : Promised extends CerebrasPromise<infer Answer>
          ? CerebrasPromise<WithInfo<Answer, Added>>
          : Promised

/** Names the bare options as well: else the compiler prefers the SDK's own overload for a variable of exactly this type. */
type Options<Given> = NonNullable<Given> | (NonNullable<Given> & CacheRequestOptions)

/** The three overloads of a method, or its one, with the cache's options and facts. */
type Calls<Client, Method, Added extends MaybeFacts> = Method extends {
  (body: infer A, options?: infer Given): infer ForA
  (body: infer B, options?: infer GivenToB): infer ForB
  (body: infer C, options?: infer GivenToC): infer ForC
}
  ? {
      (body: A, options?: Options<Given>): Informed<Client, ForA, Added>
      (body: B, options?: Options<GivenToB>): Informed<Client, ForB, Added>
      (body: C, options?: Options<GivenToC>): Informed<Client, ForC, Added>
    }
  : Method extends (body: infer A, options?: infer Given) => infer ForA
    ? (body: A, options?: Options<Given>) => Informed<Client, ForA, Added>
    : Method

type Resource = 'chat' | 'completions' | 'embeddings' | 'images' | 'audio' | 'moderations' | 'responses' | 'speech' | 'transcriptions'

/** The methods that are cached, as they are on a wrapped client. */
type Methods<Client, Of, Added extends MaybeFacts> = {
  [Name in keyof Of & (Resource | 'create' | 'generate')]: Of[Name] extends (...given: never) => unknown
    ? Calls<Client, Of[Name], Added>
    : Methods<Client, Of[Name], Added>
}

// oxlint-disable typescript/no-redundant-type-constituents -- not where they are installed
/** Every client of an SDK that is made like OpenAI's; `never` if none is installed. */
export type AnyCompatible = Resolved<Groq> | Resolved<Together> | Resolved<Perplexity> | Resolved<Cerebras>

/**
 * A wrapped client of such an SDK: its cached methods take `cache` and `bypassCache` beside the SDK's own options, and their
 * results have `_cache`. All else is as on the bare client.
 */
export type CachedCompatible<Client, Added extends MaybeFacts = Facts> = Methods<Client, Client, Added> &
  Client &
  LastWord<Methods<Client, Client, Added>>
