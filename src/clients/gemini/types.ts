/**
 * The types of a wrapped client of @google/genai. How they work without its SDK is explained in sdk-types.ts.
 * @module
 */
/* oxlint-disable typescript/consistent-type-imports */
import type { CacheRequestOptions } from '../../call.ts'
import type { Facts, MaybeFacts, Resolved, WithInfo } from '../sdk-types.ts'

/** @ts-ignore */
type GoogleGenAI = import('@google/genai').GoogleGenAI
/** @ts-ignore */
type Models = import('@google/genai').Models
/** @ts-ignore */
type Chat = import('@google/genai').Chat
/** @ts-ignore */
type CreateChat = import('@google/genai').CreateChatParameters

/** Parameters whose configuration takes the cache's options as well. */
type With<Params> = Params extends { config?: infer Config }
  ? Omit<Params, 'config'> & { config?: NonNullable<Config> & CacheRequestOptions }
  : Params

/** The same method with the cache's options and facts. */
type Call<Method, Added extends MaybeFacts> = Method extends (params: infer Params) => Promise<infer Answer>
  ? (params: With<Params>) => Promise<WithInfo<Answer, Added>>
  : Method

type CachedMethods<Of, Names extends keyof Of, Added extends MaybeFacts> = { [Name in Names]: Call<Of[Name], Added> }

type CachedChat<Added extends MaybeFacts> = CachedMethods<Chat, 'sendMessage' | 'sendMessageStream', Added> & Chat

/** What of the client is cached. */
type Parts<Added extends MaybeFacts> = {
  readonly models: CachedMethods<Models, 'generateContent' | 'generateContentStream' | 'embedContent' | 'countTokens', Added> & Models
  readonly chats: { create(params: With<CreateChat>): CachedChat<Added> }
}

/** Every client of @google/genai; `never` if it is not installed. */
export type AnyGemini = Resolved<GoogleGenAI>

/**
 * A wrapped client of @google/genai: the `config` of its cached methods takes `cache` and `bypassCache`, and their results have `_cache`; a
 * stream has it from its first chunk on. All else is as on the bare client.
 */
export type CachedGemini<Client, Added extends MaybeFacts = Facts> = Parts<Added> & Client
