/**
 * The top-level fields of OpenAI's requests that cannot change an answer of OpenAI and so take no part in the key. Any other field does, and
 * under the host of a gateway these do too, except those of delivery. `store` takes part: the id of a stored answer can be used later.
 * Source: https://platform.openai.com/docs/api-reference
 * @module
 */
import { deliveryFields } from '../endpoint.ts'

/** The end user, for the provider's detection of abuse. */
const endUser = ['user', 'safety_identifier']
/** How the provider keeps its own cache of prompts. */
const promptCache = ['prompt_cache_key', 'prompt_cache_retention']
/** Notes on the answer at the provider, and its price. */
const bookkeeping = ['metadata', 'service_tier']

/**
 * The ignored fields of each endpoint. If a streamed and a whole answer are two answers, `stream` is not ignored.
 */
export const openaiIgnored = {
  chat: [...deliveryFields, ...endUser, ...promptCache, ...bookkeeping],
  responses: [...deliveryFields, ...endUser, ...promptCache, ...bookkeeping],
  completions: [...deliveryFields, 'user'],
  embeddings: ['user'],
  images: endUser,
} as const satisfies Readonly<Record<string, readonly string[]>>
