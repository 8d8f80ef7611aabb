/**
 * What the compiler makes of a wrapped client of @cerebras/cerebras_cloud_sdk. Nothing here runs: `tsc` checks it, and versions.test.ts where there
 * is no other SDK.
 */
import type { Cerebras } from '@cerebras/cerebras_cloud_sdk'
import { type Cached, type CacheInfo, withCache } from 'llmemo'

declare const bare: Cerebras
const client: Cached<Cerebras> = withCache(bare)
const chat = { model: 'm', messages: [{ role: 'user' as const, content: 'Hello' }] }

export async function options(): Promise<void> {
  const { completions } = client.chat
  const answer = await completions.create(chat, { cache: { ttl: '10m', tags: ['doc:42'] }, timeout: 1000 })
  const info: CacheInfo = answer._cache
  // The SDK has one type for answers, chunks and errors.
  const text: unknown = 'choices' in answer ? answer.choices?.[0] : undefined
  await completions.create(chat, { bypassCache: true })
  const stream = await completions.create({ ...chat, stream: true }, { cache: { ttl: 60 } })
  for await (const chunk of stream) chunk satisfies Cerebras.Chat.ChatCompletion
  const completed = await client.completions.create({ model: 'm', prompt: 'p' }, { cache: { ttl: '30d' } })
  const { response } = await completions.create(chat).withResponse()
  const again = withCache(client)
  void [info, text, stream._cache.hit, completed._cache.savedUsd, response.status, again.chat]
  // @ts-expect-error: G31 misspelt
  await completions.create(chat, { cache: { tll: 60 } })
  // @ts-expect-error: G31 a text that is no duration
  await completions.create(chat, { cache: { ttl: '1 hour' } })
  // @ts-expect-error: the SDK's own options are checked as before
  await completions.create(chat, { timeout: '1s' })
  // @ts-expect-error: no cached method, and so without the cache's options
  await client.models.list({}, { bypassCache: true })
}

export const same: Cerebras = client
