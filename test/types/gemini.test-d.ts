/**
 * What the compiler makes of a wrapped client of @google/genai. Nothing here runs: `tsc` checks it.
 */
import type { GoogleGenAI } from '@google/genai'
import { type Cached, type CacheInfo, withCache } from 'llmemo'

declare const bare: GoogleGenAI
const client: Cached<GoogleGenAI> = withCache(bare)
const asked = { model: 'm', contents: 'Hello' }

export async function options(): Promise<void> {
  const { models } = client
  const answer = await models.generateContent({ ...asked, config: { temperature: 0, cache: { ttl: '10m', tags: ['doc:42'] } } })
  const info: CacheInfo = answer._cache
  const text: string | undefined = answer.text
  await models.generateContent({ ...asked, config: { bypassCache: true } })
  const stream = await models.generateContentStream(asked)
  for await (const chunk of stream) chunk.text satisfies string | undefined
  const embedded = await models.embedContent({ ...asked, config: { cache: { ttl: '30d' } } })
  const reply = await client.chats.create({ model: 'm', config: { cache: { operation: 'support' } } }).sendMessage({ message: 'Hi' })
  void [info, text, stream._cache.hit, embedded._cache.savedUsd, embedded.embeddings, reply._cache.hit, client.files]
  // @ts-expect-error: misspelt
  await models.generateContent({ ...asked, config: { cache: { tll: 60 } } })
  // @ts-expect-error: the SDK's own options are checked as before
  await models.generateContent({ ...asked, config: { temperature: 'warm' } })
}

export const same: GoogleGenAI = client
