/**
 * The top-level fields of OpenAI's requests that cannot change an answer and so take no part in the key. Any other field does.
 * Source: https://platform.openai.com/docs/api-reference
 * @module
 */

/** How the answer is sent. One entry serves both forms. */
const delivery = ['stream', 'stream_options']
/** The end user, for the provider's detection of abuse. */
const endUser = ['user', 'safety_identifier']
/** How the provider keeps its own cache of prompts. */
const promptCache = ['prompt_cache_key', 'prompt_cache_retention']
/** Notes on the answer at the provider, and its price. */
const bookkeeping = ['metadata', 'store', 'service_tier']

/**
 * The ignored fields of each endpoint. If a streamed and a whole answer are two answers, `stream` is not ignored.
 */
export const openaiIgnored = {
  chat: [...delivery, ...endUser, ...promptCache, ...bookkeeping],
  responses: [...delivery, ...endUser, ...promptCache, ...bookkeeping],
  completions: [...delivery, 'user'],
  embeddings: ['user'],
  images: endUser,
} as const satisfies Readonly<Record<string, readonly string[]>>
