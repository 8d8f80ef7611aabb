import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cacheInfo, cachingFetch, type CacheOptions, createCache, defineEndpoint, memoryStore, withCache } from '../../../src/index.ts'
import type { JsonObject } from '../../../src/json/object.ts'
import { anthropicMessages } from '../../../src/providers/anthropic/messages.ts'
import { bedrockConverse } from '../../../src/providers/bedrock/converse.ts'
import { bedrockInvoke } from '../../../src/providers/bedrock/invoke.ts'
import { joinEmbeddings, shareEmbeddings } from '../../../src/providers/openai/embeddings.ts'
import { openaiChat } from '../../../src/providers/openai/chat.ts'
import { openaiResponses } from '../../../src/providers/openai/responses.ts'
import { type ProviderServer, startProvider } from '../../support/provider-server.ts'
import { sdks } from '../../support/openai-sdks.ts'

describe('a usage', () => {
  it.each<[string, { usage(answer: JsonObject): unknown }, JsonObject, boolean]>([
    ['chat', openaiChat, { prompt_tokens: null, completion_tokens: null, total_tokens: null }, false],
    ['chat', openaiChat, { prompt_tokens: 1, completion_tokens: null }, false],
    ['chat', openaiChat, {}, false],
    ['chat', openaiChat, { prompt_tokens: 1, completion_tokens: 2 }, true],
    ['chat', openaiChat, { prompt_tokens: 1, total_tokens: 1 }, true],
    ['chat', openaiChat, { prompt_tokens: 0, completion_tokens: 0 }, true],
    ['responses', openaiResponses, { input_tokens: null, output_tokens: null }, false],
    ['responses', openaiResponses, { input_tokens: 1, output_tokens: 2 }, true],
    ['messages', anthropicMessages, { input_tokens: null, output_tokens: 2 }, false],
    ['messages', anthropicMessages, { input_tokens: 1, output_tokens: 2 }, true],
    ['messages', anthropicMessages, {}, false],
    ['Converse', bedrockConverse, { inputTokens: null, outputTokens: null, totalTokens: null }, false],
    ['Converse', bedrockConverse, { inputTokens: 1, outputTokens: null }, false],
    ['Converse', bedrockConverse, {}, false],
    ['Converse', bedrockConverse, { inputTokens: 1, outputTokens: 2 }, true],
  ])('G46 of %s is known only if its counts are', (_, endpoint, usage, isKnown) => {
    expect(endpoint.usage({ usage }) !== undefined).toBe(isKnown)
  })

  it.each<[string, JsonObject, boolean]>([
    ['Cohere', { generations: [{ text: 'Hi', finish_reason: 'COMPLETE' }], meta: { billed_units: { input_tokens: null } } }, false],
    [
      'Cohere',
      { generations: [{ text: 'Hi', finish_reason: 'COMPLETE' }], meta: { billed_units: { input_tokens: 1, output_tokens: 2 } } },
      true,
    ],
    ['Titan', { inputTextTokenCount: 1, results: [{ outputText: 'Hi', completionReason: 'FINISH', tokenCount: null }] }, false],
    ['Titan', { inputTextTokenCount: 1, results: [{ outputText: 'Hi', completionReason: 'FINISH', tokenCount: 2 }] }, true],
    ['Llama', { generation: 'Hi', stop_reason: 'stop', prompt_token_count: null, generation_token_count: 1 }, false],
  ])('G46 of %s on Bedrock is known only if its counts are: %j', (_, body, isKnown) => {
    expect(bedrockInvoke.usage({ body }) !== undefined).toBe(isKnown)
  })

  it.each<[number | undefined, JsonObject]>([
    [0.0125, { cost: 0.0125 }],
    [0, { cost: 0 }],
    [undefined, { cost: null }],
    [undefined, { cost: { total_cost: 1 } }],
    [undefined, { cost: -1 }],
    [undefined, JSON.parse('{"cost":1e999}')],
    [0.011, { cost: 0.001, is_byok: true, cost_details: { upstream_inference_cost: 0.01 } }],
    [undefined, { cost: 0.001, is_byok: true, cost_details: { upstream_inference_cost: null } }],
    [undefined, JSON.parse('{"cost":0.001,"is_byok":true,"cost_details":{"upstream_inference_cost":1e999}}')],
  ])('G46 costs %s by the provider itself: %j', (cost, rest) => {
    const usage = openaiChat.usage({ usage: { prompt_tokens: 10, completion_tokens: 5, ...rest } })
    expect(usage?.cost).toBe(cost)
  })

  it('G46 of a batch divides its cost, and adds it up again', () => {
    const data = ['aaa', 'b'].map((_, index) => ({ embedding: [1], index }))
    const usage = { prompt_tokens: 4, total_tokens: 4, cost: 0.004 }
    const shares = shareEmbeddings({ data, usage }, [{ input: 'aaa' }, { input: 'b' }]) ?? []
    expect(shares.map((share) => Object(share['usage']).cost)).toEqual([0.003, 0.001])
    expect(joinEmbeddings(shares)).toMatchObject({ usage })
  })
})

/** As code without types gives it. */
function untyped(value: unknown): never {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return value as never
}

describe('a usage that code of the user gives', () => {
  const url = 'https://provider.test/say'
  it.each<[string, Readonly<Record<string, unknown>> | null, number | null]>([
    ['counts', { input: 1, output: 2, cacheRead: null, cost: 0.5 }, 3],
    ['null', null, null],
    ['counts of null', { input: null, output: null }, null],
    ['a count that is missing', { output: 2 }, null],
    ['a count that is a text', { input: '1', output: 2 }, null],
    ['a count that is no number', { input: 1, output: Number.NaN }, null],
    ['a count below 0', { input: -1, output: 2 }, null],
    ['a part that is a text', { input: 1, output: 2, cacheRead: '1' }, null],
    ['a cost without end', { input: 1, output: 2, cost: Infinity }, null],
  ])('G46 is known only if its counts are numbers, and does not keep an answer from the store: %s', async (_, given, savedTokens) => {
    const usage = (): never => untyped(given)
    const own = defineEndpoint({ provider: 'mine', name: 'say', match: '/say', usage })
    const cache = createCache({ logger: false, maxMemoryBytes: 0, store: memoryStore(), endpoints: [own] })
    const fetch = cachingFetch(cache, async () => Response.json({ text: 'Hi' }))
    const asked = { provider: 'mine', endpoint: 'say', request: {}, rules: { usage } }
    for (const hit of [false, true]) {
      const response = await fetch(url, { method: 'POST', body: '{"model":"m"}' })
      await response.text()
      const { info } = await cache.call(asked, () => ({ text: 'Hi' }))
      await cache.flush()
      for (const each of [cacheInfo(response), info]) expect(each).toMatchObject({ hit, savedTokens: hit ? savedTokens : 0 })
    }
    expect(cache.stats()).toMatchObject({ errors: 0, stored: 2, savedTokens: 2 * (savedTokens ?? 0) })
  })
})

describe.each(sdks)('money over $name', ({ make }) => {
  let server: ProviderServer
  beforeEach(async () => {
    server = await startProvider()
  })
  afterEach(() => server.close())

  async function savings(usage: JsonObject, options: CacheOptions = {}) {
    const message = { role: 'assistant', content: 'Hi' }
    server.respond((_, reply) => reply.json({ model: 'vendor/model-1', choices: [{ index: 0, message, finish_reason: 'stop' }], usage }))
    const cache = createCache({ logger: false, ...options })
    const client = withCache(make({ url: server.url }), cache)
    const params = { model: 'vendor/model-1', messages: [{ role: 'user', content: 'Hi' }] }
    await client.chat.completions.create(params)
    return { info: cacheInfo(await client.chat.completions.create(params)), stats: cache.stats() }
  }

  it('G46 nothing is known of a usage of null', async () => {
    const { info, stats } = await savings({ prompt_tokens: null, completion_tokens: null })
    expect(info).toMatchObject({ hit: true, savedUsd: null, savedTokens: null })
    expect(stats).toMatchObject({ savedUsd: 0, unpricedHits: 1, unpricedMisses: 1 })
  })

  it('G46 the cost that the provider says is what a hit saves', async () => {
    const { info, stats } = await savings({ prompt_tokens: 10, completion_tokens: 5, cost: 0.0125 })
    expect(info).toMatchObject({ hit: true, savedUsd: 0.0125 })
    expect(stats).toMatchObject({ savedUsd: 0.0125, spentUsd: 0.0125, unpricedHits: 0 })
  })

  it('G46 a price of the user comes first, and no money stays no money', async () => {
    const usage = { prompt_tokens: 1_000_000, completion_tokens: 0, cost: 0.0125 }
    const own = await savings(usage, { prices: [{ model: 'vendor/*', input: 2, output: 3 }] })
    expect(own.info).toMatchObject({ savedUsd: 2 })
    expect((await savings(usage, { prices: false })).info).toMatchObject({ savedUsd: null })
  })
})
