/**
 * The top-level fields of OpenAI's requests that cannot change an answer and so take no part in the key. Any other field does.
 * Source: https://platform.openai.com/docs/api-reference
 * @module
 */

/** How the answer is sent. One entry serves both forms. */
const delivery = ['stream', 'stream_options']
/** Who asks, for the provider's watch over abuse. */
const asker = ['user', 'safety_identifier']
/** How the provider keeps its own cache of prompts. */
const promptCache = ['prompt_cache_key', 'prompt_cache_retention']
/** What is noted of the answer at the provider, and what it costs. */
const bookkeeping = ['metadata', 'store', 'service_tier']

/**
 * The ignored fields of each endpoint, as far as it has them. Where a streamed and a whole answer are two answers, `stream` is none of them.
 */
export const openaiIgnored = {
  chat: [...delivery, ...asker, ...promptCache, ...bookkeeping],
  responses: [...delivery, ...asker, ...promptCache, ...bookkeeping],
  completions: [...delivery, 'user'],
  embeddings: ['user'],
  images: asker,
} as const satisfies Readonly<Record<string, readonly string[]>>
