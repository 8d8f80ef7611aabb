import Anthropic from '@anthropic-ai/sdk'
import { createOpenAI } from '@ai-sdk/openai'
import { ConverseCommand, ConverseStreamCommand, ListAsyncInvokesCommand } from '@aws-sdk/client-bedrock-runtime'
import { ChatOpenAI } from '@langchain/openai'
import { embedMany, generateText, streamText } from 'ai'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Cache, createCache } from '../../../src/cache/cache.ts'
import { cachingFetch, withCache } from '../../../src/clients/with-cache.ts'
import { isNotCached } from '../../../src/not-cached.ts'
import { cassetteStore } from '../../../src/testing/index.ts'
import { isStreamed, message, text as textBlock, textEvents } from '../../support/anthropic-answers.ts'
import { converseAnswer, converseEvents, eventsOf, headers, makeBedrock } from '../../support/bedrock-sdk.ts'
import { startBedrock } from '../../support/bedrock-server.ts'
import { errorOf } from '../../support/cassettes.ts'
import { chunksOf, completion } from '../../support/openai-answers.ts'
import { type ProviderHandler, type ProviderServer, startProvider } from '../../support/provider-server.ts'

let folder = ''

beforeEach(() => {
  vi.stubEnv('LLMEMO_MODE', undefined)
  folder = mkdtempSync(join(tmpdir(), 'llmemo-cassettes-'))
})

afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

/** Number, text and status: what of a result a program sees. */
type Ask = (cache: Cache, url: string) => PromiseLike<unknown>

interface Sdk {
  readonly name: string
  readonly start: () => Promise<ProviderServer>
  readonly ask: Ask
  /** Asks something that was not recorded. */
  readonly askMore: Ask
}

const openaiHandler: ProviderHandler = ({ path, body }, reply) => {
  if (path.endsWith('/embeddings')) {
    const input: unknown = Reflect.get(Object(body), 'input')
    const data = (Array.isArray(input) ? input : [input]).map((_, index) => ({
      object: 'embedding',
      index,
      embedding: [index + 0.125, 0.5],
    }))
    return reply.json({ object: 'list', model: 'm', data, usage: { prompt_tokens: 4, total_tokens: 4 } })
  }
  const isStream = Reflect.get(Object(body), 'stream') === true
  return isStream ? reply.events(chunksOf('One line\nand another').flat()) : reply.json(completion('One line\nand another'))
}

const startOpenai = async (): Promise<ProviderServer> => startProvider(openaiHandler)
const startAnthropic = async (): Promise<ProviderServer> =>
  startProvider((request, reply) =>
    isStreamed(request)
      ? reply.events(textEvents('One line\nand another').flat())
      : reply.json(message([textBlock('One line\nand another')])),
  )
const startBedrockServer = async (): Promise<ProviderServer> =>
  startBedrock('http1', ({ path }, reply) =>
    path.endsWith('converse-stream')
      ? reply.events(converseEvents('One line\nand another').flat(), { headers })
      : reply.json(converseAnswer('One line\nand another'), { headers }),
  )

const anthropic = (cache: Cache, url: string) =>
  withCache(new Anthropic({ apiKey: 'sk-ant-secret', baseURL: new URL(url).origin, maxRetries: 0 }), cache)
const bedrock = (cache: Cache, url: string) => withCache(makeBedrock('http1', { url }), cache)
const aiSdk = (cache: Cache, url: string) => createOpenAI({ apiKey: 'sk-secret', baseURL: url, fetch: cachingFetch(cache) })
const langchain = (cache: Cache, url: string) =>
  new ChatOpenAI({ apiKey: 'sk-secret', model: 'm', maxRetries: 0, configuration: { baseURL: url, fetch: cachingFetch(cache) } })
const converse = (text: string) => ({
  modelId: 'anthropic.claude-v4',
  messages: [
    { role: 'user' as const, content: [{ text }, { image: { format: 'png' as const, source: { bytes: new Uint8Array(9).fill(7) } } }] },
  ],
})

async function all(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const items: unknown[] = []
  for await (const item of stream) items.push(item)
  return items
}

const sdks: readonly Sdk[] = [
  ...[false, true].map((stream): Sdk => {
    const ask =
      (content: string): Ask =>
      async (cache, url) => {
        const request = { model: 'claude-5', max_tokens: 99, messages: [{ role: 'user' as const, content }] }
        const { messages } = anthropic(cache, url)
        return stream ? all(await messages.create({ ...request, stream })) : messages.create(request)
      }
    return { name: `Anthropic${stream ? ', streamed' : ''}`, start: startAnthropic, ask: ask('Hi'), askMore: ask('Ho') }
  }),
  ...[false, true].map((stream): Sdk => {
    const ask =
      (content: string): Ask =>
      async (cache, url) => {
        const client = bedrock(cache, url)
        if (!stream) {
          const { $metadata: _, ...output } = await client.send(new ConverseCommand(converse(content)))
          return output
        }
        return eventsOf({ ...(await client.send(new ConverseStreamCommand(converse(content)))) })
      }
    return { name: `Bedrock${stream ? ', streamed' : ''}`, start: startBedrockServer, ask: ask('Hi'), askMore: ask('Ho') }
  }),
  {
    name: 'AI SDK',
    start: startOpenai,
    ask: async (cache, url) => (await generateText({ model: aiSdk(cache, url).chat('m'), prompt: 'Hi', maxRetries: 0 })).text,
    askMore: async (cache, url) => (await generateText({ model: aiSdk(cache, url).chat('m'), prompt: 'Ho' })).text,
  },
  {
    name: 'AI SDK, streamed',
    start: startOpenai,
    ask: async (cache, url) => all(streamText({ model: aiSdk(cache, url).chat('m'), prompt: 'Hi' }).textStream),
    askMore: async (cache, url) =>
      new Promise((resolve, reject) => {
        const streaming = streamText({ model: aiSdk(cache, url).chat('m'), prompt: 'Ho', onError: ({ error }) => reject(error) })
        Promise.resolve(streaming.consumeStream()).then(resolve, reject)
      }),
  },
  {
    name: 'AI SDK, embeddings',
    start: startOpenai,
    ask: async (cache, url) => (await embedMany({ model: aiSdk(cache, url).embedding('m'), values: ['a', 'b'] })).embeddings,
    askMore: async (cache, url) => embedMany({ model: aiSdk(cache, url).embedding('m'), values: ['a', 'c'] }),
  },
  {
    name: 'LangChain',
    start: startOpenai,
    ask: async (cache, url) => (await langchain(cache, url).invoke('Hi')).text,
    askMore: async (cache, url) => langchain(cache, url).invoke('Ho'),
  },
  {
    name: 'LangChain, streamed',
    start: startOpenai,
    ask: async (cache, url) => (await all(await langchain(cache, url).stream('Hi'))).map((chunk) => Reflect.get(Object(chunk), 'content')),
    askMore: async (cache, url) => all(await langchain(cache, url).stream('Ho')),
  },
]

function openIn(mode: 'record' | 'replay'): Cache {
  return createCache({ store: cassetteStore(folder), mode, logger: false })
}

describe('recordings of other SDKs', () => {
  it.each(sdks)('V03 replayed without the provider, and the same to the program: $name', async ({ start, ask }) => {
    const provider = await start()
    const cache = openIn('record')
    const recorded = await ask(cache, provider.url)
    await cache.close()
    await provider.close()
    expect(await ask(openIn('replay'), provider.url)).toEqual(recorded)
    expect(JSON.stringify(recorded)).toMatch(/One|0\.125/)
  })

  it.each(sdks)('V01 no credential is in a file: $name', async ({ start, ask }) => {
    const provider = await start()
    const cache = openIn('record')
    await ask(cache, provider.url)
    await cache.close()
    await provider.close()
    const names = readdirSync(folder)
    expect(names.length).toBeGreaterThan(0)
    for (const name of names) expect(name + readFileSync(join(folder, name), 'utf8')).not.toMatch(/secret|authorization|AKID/i)
  })

  it.each(sdks)('V05 a miss says what is nearest, at the first try: $name', async ({ start, ask, askMore }) => {
    const provider = await start()
    const cache = openIn('record')
    await ask(cache, provider.url)
    await cache.close()
    const asked = provider.requests.length
    const replaying = openIn('replay')
    const error = await errorOf(() => askMore(replaying, provider.url))
    expect(isNotCached(error)).toBe(true)
    expect(String(error)).toMatch(/The nearest is [a-z]+.*\.json/)
    expect(provider.requests.length).toBe(asked)
    await provider.close()
  })

  it('V02 a command of Bedrock that no cache knows is refused in replay', async () => {
    const provider = await startBedrockServer()
    const error = await errorOf(() => bedrock(openIn('replay'), provider.url).send(new ListAsyncInvokesCommand({})))
    expect([isNotCached(error), provider.requests.length]).toEqual([true, 0])
    expect(String(error)).toContain('ListAsyncInvokesCommand')
    await provider.close()
  })

  it('V02 a function of the user’s own is recorded, and not called in replay', async () => {
    let calls = 0
    const summarise = (cache: Cache) => withCache(async (text: string) => `${text} ${++calls}`, { operation: 'summarise', cache })
    const cache = openIn('record')
    const recorded = await summarise(cache)('A long text')
    await cache.close()
    const replay = summarise(openIn('replay'))
    expect([recorded, await replay('A long text'), calls]).toEqual(['A long text 1', 'A long text 1', 1])
    expect(isNotCached(await errorOf(() => replay('Another text')))).toBe(true)
    expect(calls).toBe(1)
  })

  it('V04 embeddings are one file an input, and a larger batch asks for the rest', async () => {
    const provider = await startOpenai()
    const embed = async (cache: Cache, input: string[]) =>
      withCache(new OpenAI({ apiKey: 'k', baseURL: provider.url }), cache).embeddings.create({
        model: 'm',
        input,
        encoding_format: 'float',
      })
    const cache = openIn('record')
    await embed(cache, ['first words', 'second words'])
    await cache.close()
    expect(readdirSync(folder).toSorted()).toEqual([
      expect.stringMatching(/^embeddings-first-words-/),
      expect.stringMatching(/^embeddings-second-words-/),
    ])
    const { data } = await embed(openIn('replay'), ['second words'])
    expect(data[0]?.embedding).toEqual([1.125, 0.5])
    await provider.close()
  })
})
