/**
 * What the compiler makes of a client that may be wrapped or not, and of what is no client. Nothing here runs: `tsc` checks it.
 */
import Anthropic from '@anthropic-ai/sdk'
import { BedrockRuntimeClient, ConverseCommand } from '@aws-sdk/client-bedrock-runtime'
import { Groq } from 'groq-sdk'
import { type CacheInfo, createCache, type Duration, type MaybeCached, withCache } from 'llmemo'
import OpenAI from 'openai'

const messages = [{ role: 'user' as const, content: 'Hello' }]

export async function ofOpenAi(client: MaybeCached<OpenAI>): Promise<CacheInfo | undefined> {
  const answer = await client.chat.completions.create({ model: 'm', messages }, { cache: { ttl: '10m' } })
  answer.choices satisfies unknown[]
  // @ts-expect-error: G31 a bare client gives no facts
  void answer._cache.hit
  return answer._cache
}

export async function ofAnthropic(client: MaybeCached<Anthropic>): Promise<CacheInfo | undefined> {
  const answer = await client.messages.create({ model: 'm', max_tokens: 1, messages }, { bypassCache: true })
  answer.content satisfies unknown[]
  return answer._cache
}

export async function ofBedrock(client: MaybeCached<BedrockRuntimeClient>): Promise<CacheInfo | undefined> {
  const answer = await client.send(new ConverseCommand({ modelId: 'm', messages: [] }), { cache: { ttl: 60 } })
  return answer._cache
}

export async function ofGroq(client: MaybeCached<Groq>): Promise<CacheInfo | undefined> {
  const answer = await client.chat.completions.create({ model: 'm', messages }, { cache: { ttl: '10m' } })
  return answer._cache
}

export function takesBoth(openai: OpenAI, anthropic: Anthropic, bedrock: BedrockRuntimeClient, groq: Groq): void {
  void [ofOpenAi(openai), ofOpenAi(withCache(openai))]
  void [ofAnthropic(anthropic), ofAnthropic(withCache(anthropic))]
  void [ofBedrock(bedrock), ofBedrock(withCache(bedrock))]
  void [ofGroq(groq), ofGroq(withCache(groq))]
  // @ts-expect-error: G31 a client of another SDK
  void ofOpenAi(anthropic)
}

export function noClients(client: Promise<OpenAI>): void {
  // @ts-expect-error: G31 the class in place of a client
  void withCache(OpenAI)
  // @ts-expect-error: G31 the class in place of a client
  void withCache(BedrockRuntimeClient)
  // @ts-expect-error: G31 a promise of a client
  void withCache(client)
  // @ts-expect-error: G31 a text that is no duration
  createCache({ ttl: '1 hour' })
  // @ts-expect-error: G31 a text that is no duration
  createCache({ ttl: { default: '10 minutes' } })
}

export const durations: readonly Duration[] = [1, 0.5, '250ms', '30s', '10m', '1.5h', '7d', '2w', '10 m']

export async function disposed(): Promise<void> {
  await using cache = createCache()
  cache.stats()
}
