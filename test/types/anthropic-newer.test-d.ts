/**
 * What a wrapped client of newer versions of @anthropic-ai/sdk, of 0.137 say, can besides: parsed answers and tool runners.
 */
import type Anthropic from '@anthropic-ai/sdk'
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod'
import type { MessageStream } from '@anthropic-ai/sdk/lib/MessageStream'
import type { BetaToolRunner } from '@anthropic-ai/sdk/lib/tools/BetaToolRunner'
import { type CacheInfo, withCache } from 'llmemo'
import { z } from 'zod/v4'

/** Whether each of two types can stand for the other. `any` could for all, and so is none of them. */
type Equal<A, B> = 0 extends 1 & A ? false : [A, B] extends [B, A] ? true : false

/** Compiles only when the value's type is `Expected`. */
declare function is<Expected>(): <Actual>(actual: Actual, ...differs: Equal<Actual, Expected> extends true ? [] : [Actual]) => void

declare const bare: Anthropic

const client = withCache(bare)
const question = { model: 'claude-sonnet-4-5', max_tokens: 256, messages: [{ role: 'user' as const, content: 'Hello' }] }
const output_config = { format: zodOutputFormat(z.object({ city: z.string() })) }

export async function parsed(options: Anthropic.RequestOptions): Promise<void> {
  const answer = await client.messages.parse({ ...question, output_config }, { cache: { ttl: '1h' } })
  is<CacheInfo>()(answer._cache)
  is<{ city: string } | null>()(answer.parsed_output)
  is<CacheInfo>()((await client.messages.parse(question, options))._cache)
  is<null>()((await client.messages.parse(question, { bypassCache: true })).parsed_output)
  is<MessageStream<{ city: string }>>()(client.messages.stream({ ...question, output_config }, { bypassCache: true }))
  is<CacheInfo>()((await client.beta.messages.parse(question, { bypassCache: true }))._cache)
  // @ts-expect-error: misspelt
  await client.messages.parse(question, { bypasCache: true })
  // @ts-expect-error: misspelt
  await client.beta.messages.parse(question, { cache: { tll: 60 } })
}

export function toolRunners(): void {
  const run = { cache: { ttl: '1h' }, signal: AbortSignal.timeout(1000) }
  is<BetaToolRunner<false>>()(client.beta.messages.toolRunner({ ...question, tools: [] }, run))
  is<BetaToolRunner<true>>()(client.beta.messages.toolRunner({ ...question, tools: [], stream: true }, run))
  // @ts-expect-error: misspelt
  client.beta.messages.toolRunner({ ...question, tools: [] }, { cache: { tll: 60 } })
}
