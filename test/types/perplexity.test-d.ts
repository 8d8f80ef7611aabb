/**
 * What the compiler makes of a wrapped client of @perplexity-ai/perplexity_ai. Nothing here runs: `tsc` checks it, and versions.test.ts where there is no
 * other SDK.
 */
import type { Perplexity } from '@perplexity-ai/perplexity_ai'
import { type Cached, type CacheInfo, withCache } from 'llmemo'

declare const bare: Perplexity
const client: Cached<Perplexity> = withCache(bare)
const chat = { model: 'm', messages: [{ role: 'user' as const, content: 'Hello' }] }

export async function options(): Promise<void> {
  const { completions } = client.chat
  const answer = await completions.create(chat, { cache: { ttl: '10m', tags: ['doc:42'] }, timeout: 1000 })
  const info: CacheInfo = answer._cache
  const text: unknown = answer.choices[0]?.message.content
  await completions.create(chat, { bypassCache: true })
  const stream = await completions.create({ ...chat, stream: true }, { cache: { ttl: 60 } })
  for await (const chunk of stream) chunk.choices satisfies unknown[]
  const embedded = await client.embeddings.create({ model: 'pplx-embed-v1-4b', input: 'i' }, { cache: { ttl: '30d' } })
  const { response } = await completions.create(chat).withResponse()
  const again = withCache(client.withOptions({ maxRetries: 1 }))
  void [info, text, stream._cache.hit, embedded._cache.savedUsd, embedded.data, response.status, again.chat]
  // @ts-expect-error: G31 misspelt
  await completions.create(chat, { cache: { tll: 60 } })
  // @ts-expect-error: G31 a text that is no duration
  await completions.create(chat, { cache: { ttl: '1 hour' } })
  // @ts-expect-error: the SDK's own options are checked as before
  await completions.create(chat, { timeout: '1s' })
  // @ts-expect-error: no cached method, and so without the cache's options
  await client.search.create({ query: 'q' }, { bypassCache: true })
}

export const same: Perplexity = client
