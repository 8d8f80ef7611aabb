import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cacheInfo, createCache, withCache } from '../../../src/index.ts'
import type { JsonObject } from '../../../src/json/object.ts'
import { type ProviderServer, startProvider } from '../../support/provider-server.ts'
import { offLane, sdks } from '../../support/openai-sdks.ts'

const usage = { prompt_tokens: 1_000, completion_tokens: 500, total_tokens: 1_500 }
const params = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hi' }] }
const streamed = { ...params, stream: true }
const counted = { ...streamed, stream_options: { include_usage: true } }

const head = { id: 'c-1', object: 'chat.completion.chunk', created: 1_750_000_000, model: 'gpt-4o-mini' }
const chunk = (delta: JsonObject, finish: string | null, rest: JsonObject = {}): JsonObject => ({
  ...head,
  choices: [{ index: 0, delta, finish_reason: finish }],
  ...rest,
})

/** Where servers put the usage that a request did not ask for, by their documentation. */
const servers: readonly [string, readonly JsonObject[]][] = [
  ['Mistral', [chunk({ role: 'assistant', content: 'Hi.' }, null), chunk({ content: '' }, 'stop', { usage })]],
  ['OpenRouter', [chunk({ content: 'Hi.' }, null), chunk({ content: '' }, 'stop'), chunk({ content: '' }, null, { usage })]],
  ['Groq', [chunk({ content: 'Hi.' }, null, { x_groq: { id: 'r' } }), chunk({}, 'stop', { x_groq: { id: 'r', usage } })]],
  ['a server that ends like OpenAI', [chunk({ content: 'Hi.' }, null), chunk({}, 'stop'), { ...head, choices: [], usage }]],
]

async function read(stream: unknown): Promise<unknown[]> {
  const chunks: unknown[] = []
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the SDKs' own types of streams do not mix
  for await (const each of stream as AsyncIterable<unknown>) chunks.push(each)
  return chunks
}

describe.each(sdks.flatMap((sdk) => [sdk, offLane(sdk)]))('$name', ({ make }) => {
  let server: ProviderServer
  beforeEach(async () => {
    server = await startProvider()
  })
  afterEach(() => server.close())

  it.each(servers)('G43 a stream of %s with a usage that nobody asked for has a price and serves whole calls', async (_, chunks) => {
    server.respond((_request, reply) => reply.events([...chunks.map((each) => ({ data: JSON.stringify(each) })), { data: '[DONE]' }]))
    const client = withCache(make({ url: server.url }), createCache({ logger: false }))
    const { completions } = client.chat
    expect(await read(await completions.create(streamed))).toEqual(chunks)
    const again = await completions.create(streamed)
    expect(cacheInfo(again)).toMatchObject({ hit: true, savedUsd: expect.closeTo(0.00045), savedTokens: 1_500 })
    // As it would see them without the cache.
    expect(await read(again)).toEqual(chunks)
    const whole = await completions.create(params)
    expect(whole).toMatchObject({ choices: [{ message: { content: 'Hi.' }, finish_reason: 'stop' }], usage, _cache: { hit: true } })
    expect(server.requests).toHaveLength(1)
    // The server may put it elsewhere for who asks.
    await read(await completions.create(counted))
    expect(server.requests).toHaveLength(2)
  })
})
