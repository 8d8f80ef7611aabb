/**
 * What the compiler makes of a wrapped client for another cloud, which is a sibling of Anthropic's own and not its child.
 */
import { AnthropicBedrock } from '@anthropic-ai/bedrock-sdk'
import { type Cached, type CacheInfo, withCache } from 'llmemo'

/** Whether each of two types can stand for the other. `any` could for all, and so is none of them. */
type Equal<A, B> = 0 extends 1 & A ? false : [A, B] extends [B, A] ? true : false

/** Compiles only when the value's type is `Expected`. */
declare function is<Expected>(): <Actual>(actual: Actual, ...differs: Equal<Actual, Expected> extends true ? [] : [Actual]) => void

const question = { model: 'claude-sonnet-4-5', max_tokens: 256, messages: [{ role: 'user' as const, content: 'Hello' }] }

export async function otherClouds(): Promise<void> {
  const bedrock = withCache(new AnthropicBedrock())
  is<Cached<AnthropicBedrock>>()(bedrock)
  is<string>()(bedrock.awsRegion)
  is<CacheInfo>()((await bedrock.messages.create(question, { cache: { ttl: '1h' } }))._cache)
  is<CacheInfo>()((await bedrock.withOptions({}).messages.create(question, { bypassCache: true }))._cache)
  bedrock satisfies AnthropicBedrock
  // @ts-expect-error: misspelt
  await bedrock.messages.create(question, { cache: { tll: 60 } })
  // @ts-expect-error: that cloud counts no tokens
  await bedrock.messages.countTokens(question)
}
