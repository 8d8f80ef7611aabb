import { createAnthropic } from '@ai-sdk/anthropic'
import { createGoogle } from '@ai-sdk/google'
import { createOpenAI } from '@ai-sdk/openai'
import type { ImageModelV4, LanguageModelV4StreamPart, LanguageModelV4Usage } from '@ai-sdk/provider'
import {
  embedMany,
  generateImage,
  generateObject,
  generateText,
  Output,
  stepCountIs,
  streamText,
  tool,
  ToolLoopAgent,
  wrapEmbeddingModel,
  wrapImageModel,
  wrapLanguageModel,
} from 'ai'
import { MockLanguageModelV4 } from 'ai/test'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { cacheEmbeddingMiddleware, cacheImageMiddleware, cacheMiddleware } from '../../../src/adapters/ai-sdk/middleware.ts'
import { type Cache, createCache } from '../../../src/cache/cache.ts'
import { InvalidOptionError } from '../../../src/errors.ts'
import { isJsonObject } from '../../../src/json/object.ts'
import { message, text, textEvents } from '../../support/anthropic-answers.ts'
import { settle } from '../../support/chat.ts'
import { geminiAnswer, geminiEvents } from '../../support/google-answers.ts'
import { callChunksOf, chunksOf, completion } from '../../support/openai-answers.ts'
import { type ProviderServer, startProvider } from '../../support/provider-server.ts'

let cache: Cache
let server: ProviderServer
let reply = 'The sky is blue.'

beforeEach(async () => {
  reply = 'The sky is blue.'
  cache = createCache({ logger: false, prices: [{ model: '*', input: 1_000_000, output: 1_000_000 }] })
  server = await startProvider(({ path, body }, answer) => {
    const request = isJsonObject(body) ? body : {}
    const isStream = request['stream'] === true
    if (path.includes('embedContent') || path.includes('batchEmbedContents')) {
      const { requests = [] } = request
      return answer.json({ embeddings: Array.isArray(requests) ? requests.map(() => ({ values: [1, 2] })) : [] })
    }
    if (path.endsWith('/embeddings')) {
      const input: readonly unknown[] = Array.isArray(request['input']) ? request['input'] : []
      const data = input.map((value, index) => ({ object: 'embedding', index, embedding: [String(value).length, 0.5] }))
      return answer.json({ object: 'list', model: 'e', data, usage: { prompt_tokens: input.length * 2, total_tokens: input.length * 2 } })
    }
    if (path.includes('streamGenerateContent')) return answer.events(geminiEvents(reply).flat())
    if (path.includes('generateContent')) return answer.json(geminiAnswer(reply))
    if (path.endsWith('/messages')) return isStream ? answer.events(textEvents(reply).flat()) : answer.json(message([text(reply)]))
    const called = JSON.stringify(request['messages']).includes('"role":"tool"')
    if (request['tools'] !== undefined && !called) {
      const call = { name: 'weather', arguments: '{"city":"Bern"}' }
      return isStream ? answer.events(callChunksOf(call)) : answer.json(completion(null, call))
    }
    return isStream ? answer.events(chunksOf(reply).flat()) : answer.json(completion(reply))
  })
})
afterEach(async () => {
  await cache.close()
  await server.close()
})

const cached = (model: Parameters<typeof wrapLanguageModel>[0]['model']): ReturnType<typeof wrapLanguageModel> =>
  wrapLanguageModel({ model, middleware: cacheMiddleware(cache) })
const openai = (): ReturnType<typeof createOpenAI> => createOpenAI({ baseURL: server.url, apiKey: 'sk-test' })

function mock(given: readonly LanguageModelV4StreamPart[]): { model: ReturnType<typeof cached>; bare: MockLanguageModelV4 } {
  const bare = new MockLanguageModelV4({
    doStream: async () => ({
      stream: new ReadableStream({
        start(controller) {
          for (const part of given) controller.enqueue(part)
          controller.close()
        },
      }),
    }),
  })
  return { model: cached(bare), bare }
}

async function ask(apiKey: string, baseURL: string, headers = {}): Promise<unknown> {
  return generateText({ model: cached(createOpenAI({ baseURL, apiKey }).chat('gpt-test-1')), prompt: 'Why?', headers })
}

describe.each([
  ['OpenAI', () => cached(openai().chat('gpt-test-1'))],
  ['Anthropic', () => cached(createAnthropic({ baseURL: server.url, apiKey: 'sk-test' })('claude-test-1'))],
  ['Google', () => cached(createGoogle({ baseURL: server.url, apiKey: 'sk-test' })('gemini-test-1'))],
])('the middleware on %s', (_, make) => {
  it('serves generateText and streamText of one answer, with facts and usage', async () => {
    const model = make()
    const first = await generateText({ model, prompt: 'Why?' })
    expect(first.providerMetadata?.['llmemo']).toMatchObject({ hit: false, source: 'origin', stored: true, operation: 'chat' })
    await settle()
    const second = await generateText({ model, prompt: 'Why?', providerOptions: { llmemo: { ttl: '10m' } } })
    expect([second.text, second.usage, second.finishReason]).toEqual([first.text, first.usage, first.finishReason])
    expect(second.response).toMatchObject({ id: first.response.id, modelId: first.response.modelId })
    expect(second.response.timestamp).toBeInstanceOf(Date)
    expect(second.providerMetadata?.['llmemo']).toMatchObject({ hit: true, source: 'memory', savedTokens: 21, savedUsd: 21 })
    const stream = streamText({ model, prompt: 'Why?' })
    expect(await Array.fromAsync(stream.textStream)).toEqual([reply])
    expect(await stream.usage).toMatchObject({ inputTokens: first.usage.inputTokens, outputTokens: first.usage.outputTokens })
    expect((await stream.providerMetadata)?.['llmemo']).toMatchObject({ hit: true, source: 'memory', stored: true })
    expect(server.requests).toHaveLength(1)
    expect(JSON.stringify(server.requests[0])).not.toContain('llmemo')
  })

  it('serves generateObject and Output of one answer', async () => {
    reply = '{"color":"blue"}'
    const model = make()
    const schema = z.object({ color: z.string() })
    const first = await generateObject({ model, schema, prompt: 'Which?' })
    await settle()
    expect((await generateObject({ model, schema, prompt: 'Which?' })).object).toEqual(first.object)
    const asked = server.requests.length
    const { output } = await generateText({ model, output: Output.object({ schema }), prompt: 'Which one?' })
    await settle()
    expect((await generateText({ model, output: Output.object({ schema }), prompt: 'Which one?' })).output).toEqual(output)
    expect([asked, server.requests.length]).toEqual([1, 2])
  })
})

describe('the middleware', () => {
  const weather = tool({ inputSchema: z.object({ city: z.string() }), execute: ({ city }) => `sunny in ${city}` })

  it('caches each step of tools and agents, whole and streamed', async () => {
    const model = cached(openai().chat('gpt-test-1'))
    const agent = new ToolLoopAgent({ model, tools: { weather }, stopWhen: stepCountIs(3) })
    const asked: number[] = []
    for (let run = 0; run < 2; run++) {
      const { text: said, steps } = await agent.generate({ prompt: 'Weather in Bern?' })
      expect([said, steps.length]).toEqual([reply, 2])
      asked.push(server.requests.length)
      await settle()
    }
    const inputs: string[] = []
    const { fullStream } = streamText({ model, tools: { weather }, stopWhen: stepCountIs(3), prompt: 'Weather in Bern?' })
    for await (const part of fullStream) if (part.type === 'tool-input-delta') inputs.push(part.delta)
    expect(inputs).toEqual(['{"city":"Bern"}'])
    expect([...asked, server.requests.length]).toEqual([2, 2, 2])
  })

  it('sends only those values of embedMany that are not stored', async () => {
    const model = wrapEmbeddingModel({ model: openai().embedding('e'), middleware: cacheEmbeddingMiddleware(cache) })
    const first = await embedMany({ model, values: ['a', 'bb'] })
    await settle()
    const second = await embedMany({ model, values: ['bb', 'ccc', 'a'] })
    expect(second.embeddings).toEqual([
      [2, 0.5],
      [3, 0.5],
      [1, 0.5],
    ])
    expect([first.usage.tokens, second.usage.tokens]).toEqual([4, 6])
    expect(server.requests.map(({ body }) => Reflect.get(Object(body), 'input'))).toEqual([['a', 'bb'], ['ccc']])
    await settle()
    const third = await embedMany({ model, values: ['ccc', 'a'] })
    expect(third.providerMetadata?.['llmemo']).toMatchObject({ hit: true, inputs: { hits: 2, misses: 0 } })
    expect(server.requests).toHaveLength(2)
  })

  it('caches images, with their bytes', async () => {
    let asked = 0
    const image: ImageModelV4 = {
      specificationVersion: 'v4',
      provider: 'p',
      modelId: 'i',
      maxImagesPerCall: 1,
      doGenerate: async ({ providerOptions }) => {
        asked++
        expect(providerOptions).toEqual({})
        const response = { timestamp: new Date(0), modelId: 'i', headers: undefined }
        return { images: [new Uint8Array([137, 80, 78, 71])], warnings: [], response }
      },
    }
    const model = wrapImageModel({ model: image, middleware: cacheImageMiddleware(cache) })
    const first = await generateImage({ model, prompt: 'sky' })
    await settle()
    const second = await generateImage({ model, prompt: 'sky' })
    expect([second.image.uint8Array, asked]).toEqual([first.image.uint8Array, 1])
    const optioned = await generateImage({ model, prompt: 'sky', providerOptions: { llmemo: { ttl: '1h' } } })
    expect([optioned.image.uint8Array, asked]).toEqual([first.image.uint8Array, 1])
    await generateImage({ model, prompt: 'sea', providerOptions: { llmemo: { tags: ['sea'] } } })
    expect(second.providerMetadata['llmemo']?.images).toEqual([expect.objectContaining({ hit: true, operation: 'images' })])
  })

  const usage: LanguageModelV4Usage = {
    inputTokens: { total: 3, noCache: 1, cacheRead: 2, cacheWrite: undefined },
    outputTokens: { total: 4, text: 4, reasoning: undefined },
  }
  const finish = (unified: 'stop' | 'length' | 'content-filter' | 'other' = 'stop'): LanguageModelV4StreamPart => ({
    type: 'finish',
    usage,
    finishReason: { unified, raw: unified },
    providerMetadata: { p: { a: 1 } },
  })
  const parts: LanguageModelV4StreamPart[] = [
    { type: 'stream-start', warnings: [{ type: 'other', message: 'w' }] },
    { type: 'response-metadata', id: 'r', modelId: 'm-1', timestamp: new Date(5) },
    { type: 'reasoning-start', id: '0', providerMetadata: { p: { s: 1 } } },
    { type: 'reasoning-delta', id: '0', delta: 'hm' },
    { type: 'reasoning-end', id: '0', providerMetadata: { p: { signature: 'x' } } },
    { type: 'ping' },
    { type: 'text-start', id: '1' },
    { type: 'text-delta', id: '1', delta: 'a' },
    { type: 'text-delta', id: '1', delta: 'b' },
    { type: 'text-end', id: '1' },
    { type: 'tool-input-start', id: 't', toolName: 'n' },
    { type: 'tool-input-delta', id: 't', delta: '{}' },
    { type: 'tool-input-end', id: 't' },
    { type: 'tool-call', toolCallId: 't', toolName: 'n', input: '{}' },
    { type: 'source', sourceType: 'url', id: 's', url: 'https://example.com' },
    { type: 'file', mediaType: 'image/png', data: { type: 'data', data: new Uint8Array([1, 2]) } },
    { type: 'file', mediaType: 'image/png', data: { type: 'url', url: new URL('https://example.com/a.png') } },
  ]
  const prompt = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'p' }] }]
  const read = async (model: ReturnType<typeof cached>, rest = {}): Promise<LanguageModelV4StreamPart[]> => {
    const { stream } = await model.doStream({ prompt, ...rest })
    const seen: LanguageModelV4StreamPart[] = []
    const reader = stream.getReader()
    for (let next = await reader.read(); !next.done; next = await reader.read()) seen.push(next.value)
    return seen
  }

  it('keeps every part of a stream but ping and raw, and gives it whole', async () => {
    const { model, bare } = mock([...parts, finish()])
    const first = await read(model)
    expect(first.slice(0, -1)).toEqual(parts)
    await settle()
    const second = await read(model)
    expect(second.slice(0, -1)).toEqual(parts.filter(({ type }) => type !== 'ping'))
    expect(second.at(-1)).toEqual({
      ...finish(),
      providerMetadata: { p: { a: 1 }, llmemo: expect.objectContaining({ hit: true, savedTokens: 7 }) },
    })
    const whole = await model.doGenerate({ prompt })
    expect(whole).toMatchObject({ finishReason: { unified: 'stop' }, response: { id: 'r', modelId: 'm-1', timestamp: new Date(5) } })
    expect(whole.usage).toEqual(usage)
    expect(whole.content).toEqual([
      { type: 'reasoning', text: 'hm', providerMetadata: { p: { signature: 'x' } } },
      { type: 'text', text: 'ab' },
      ...parts.slice(-4),
    ])
    expect(bare.doStreamCalls).toHaveLength(1)
  })

  it.each<[string, LanguageModelV4StreamPart[]]>([
    ['incomplete', parts],
    ['incomplete', [...parts, { type: 'error', error: 'broken' }, finish()]],
    ['not JSON', [...parts, { type: 'error', error: new Error('broken') }, finish()]],
    ['incomplete', [...parts, finish('other')]],
    ['length', [...parts, finish('length')]],
    ['content_filter', [...parts, finish('content-filter')]],
    ['empty', [{ type: 'stream-start', warnings: [] }, finish()]],
  ])('does not store a stream that is %s: %#', async (reason, given) => {
    const skipped: string[] = []
    cache.on('skip', (event) => skipped.push(event.reason))
    const { model, bare } = mock(given)
    for (let call = 0; call < 2; call++) {
      await read(model)
      await settle()
    }
    expect(bare.doStreamCalls).toHaveLength(2)
    expect(skipped).toEqual([reason, reason])
  })

  it('passes on raw chunks that a call asks for, which are not stored', async () => {
    const { model, bare } = mock([{ type: 'raw', rawValue: 1 }, ...parts, finish()])
    for (let call = 0; call < 2; call++) expect((await read(model, { includeRawChunks: true }))[0]).toEqual({ type: 'raw', rawValue: 1 })
    expect(bare.doStreamCalls).toHaveLength(2)
  })

  it('keeps the credentials, the servers and the headers of models apart', async () => {
    await ask('sk-1', server.url)
    await ask('sk-2', server.url)
    await ask('sk-1', server.url.replace('/v1', '/v2'))
    await ask('sk-1', server.url, { 'x-version': '2' })
    expect(server.requests).toHaveLength(4)
    await settle()
    await ask('sk-1', server.url, { 'user-agent': 'other' })
    expect(server.requests).toHaveLength(4)
  })

  it('takes its own options after those of the call and of cache.with', async () => {
    const model = wrapLanguageModel({ model: openai().chat('m'), middleware: cacheMiddleware(cache, { scope: 'own', operation: 'qa' }) })
    const scopeOf = async (llmemo = {}): Promise<unknown> =>
      Reflect.get(
        Object((await generateText({ model, prompt: 'Why?', providerOptions: { llmemo } })).providerMetadata?.['llmemo']),
        'scope',
      )
    expect([await scopeOf(), await cache.with({ scope: 'with' }, () => scopeOf()), await scopeOf({ scope: 'call' })]).toEqual([
      'own',
      'with',
      'call',
    ])
    expect(cache.stats().byOperation['qa']).toMatchObject({ misses: 3 })
  })

  it('names an option of a call that cannot be, and asks nothing', async () => {
    const model = cached(openai().chat('m'))
    const failed = generateText({ model, prompt: 'Why?', providerOptions: { llmemo: { tenant: 'a' } } })
    await expect(failed).rejects.toThrow(InvalidOptionError)
    await expect(failed).rejects.toThrow('tenant')
    expect(server.requests).toHaveLength(0)
  })

  it('ends the call to the provider when its last caller aborts, and not before', async () => {
    server.respond((_, answer) => answer.events(chunksOf(reply)[0], { end: 'never' }))
    const model = cached(openai().chat('m'))
    const [one, two] = [new AbortController(), new AbortController()]
    const calls = [one, two].map(async ({ signal }) =>
      Array.fromAsync(streamText({ model, prompt: 'Why?', abortSignal: signal }).textStream),
    )
    await server.untilRequests(1)
    one.abort()
    await settle()
    expect(server.aborted).toBe(0)
    two.abort()
    await server.untilAborted(1)
    await Promise.allSettled(calls)
    expect(cache.stats().stored).toBe(0)
  })
})
