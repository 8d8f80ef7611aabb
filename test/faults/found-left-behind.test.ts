import { getHeapSnapshot } from 'node:v8'
import { inspect } from 'node:util'
import { BedrockRuntimeClient, ConverseStreamCommand } from '@aws-sdk/client-bedrock-runtime'
import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { type Cache, cacheInfo, cachingFetch, createCache, withCache } from '../../src/index.ts'
import { writeMessage } from '../../src/providers/bedrock/event-stream.ts'
import { formatEvents } from '../../src/base/server-sent-events.ts'
import { memoryStore } from '../../src/stores/memory-store.ts'
import { converseEvents } from '../support/bedrock-sdk.ts'
import { answer, ask, openCache, question, settle } from '../support/chat.ts'
import { chunksOf } from '../support/openai-answers.ts'

/** Whether the heap holds a text with these bytes. The bytes themselves lie outside of it. */
async function heapHas(needle: Buffer): Promise<boolean> {
  const chunks: Buffer[] = []
  for await (const chunk of getHeapSnapshot()) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).includes(needle)
}

type Ask = (content: string) => Promise<boolean | undefined>

/** A question by each way that remembers the requests which come again. @returns whether it was a hit */
const ways: readonly (readonly [name: string, asking: (cache: Cache) => Ask])[] = [
  [
    'a wrapped client',
    (cache) => {
      const client = withCache(new OpenAI({ apiKey: 'k', fetch: async () => Response.json(answer()) }), cache)
      return async (content) => (await client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content }] }))._cache.hit
    },
  ],
  [
    'cachingFetch',
    (cache) => {
      const fetch = cachingFetch(cache, async () => Response.json(answer()))
      return async (content) => {
        const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] })
        const response = await fetch('https://api.openai.com/v1/chat/completions', { method: 'POST', body })
        await response.text()
        return cacheInfo(response)?.hit
      }
    },
  ],
]

type AskStream = (content: string) => Promise<void>

/** Reads the first part, or all. Few callers hold a stream that they have left. */
async function read(stream: AsyncIterable<unknown> | readonly unknown[], isLeft: boolean): Promise<void> {
  for await (const _ of stream) if (isLeft) break
}

function asksOpenAi(cache: Cache, isLeft: boolean): AskStream {
  const client = withCache(new OpenAI({ apiKey: 'k', fetch: streamsChat }), cache)
  return async (content) =>
    read(await client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content }], stream: true }), isLeft)
}

async function streamsChat(): Promise<Response> {
  const events = [...chunksOf('Hello.').flat(), { data: '[DONE]' }]
  return new Response(formatEvents(events), { headers: { 'content-type': 'text/event-stream' } })
}

function asksBedrock(cache: Cache, isLeft: boolean): AskStream {
  const frames = converseEvents('Hello.')
    .flat()
    .map(({ event = '', data }) =>
      writeMessage({
        headers: { ':event-type': event, ':content-type': 'application/json', ':message-type': 'event' },
        payload: new TextEncoder().encode(data),
      }),
    )
  const headers = { 'content-type': 'application/vnd.amazon.eventstream' }
  const given = new BedrockRuntimeClient({
    region: 'eu-west-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    // A server of the tests would hold the requests.
    requestHandler: { handle: async () => ({ response: { statusCode: 200, headers, body: new Blob([Buffer.concat(frames)]).stream() } }) },
  })
  const client = withCache(given, cache)
  return async (text) => {
    const command = new ConverseStreamCommand({ modelId: 'm', messages: [{ role: 'user', content: [{ text }] }] })
    const { stream } = await client.send(command)
    await read(stream ?? [], isLeft)
  }
}

async function* origin(): AsyncGenerator<string> {
  yield* ['a', 'b', 'c']
}

function asksOrigin(cache: Cache, isLeft: boolean): AskStream {
  return async (content) => {
    const { parts } = await cache.call({ provider: 'p', endpoint: 'e', request: { content }, stream: true }, origin)
    await read(parts, isLeft)
  }
}

describe('a stream that is over', () => {
  it.each([
    // Its client stops at the last line, before the end of the answer.
    ['of OpenAI, read to its last line', asksOpenAi, false],
    ['of OpenAI, left', asksOpenAi, true],
    ['of Bedrock, read to its end', asksBedrock, false],
    ['of Bedrock, left', asksBedrock, true],
    ['of cache.call, read to its end', asksOrigin, false],
    ['of cache.call, left', asksOrigin, true],
  ] as const)('G58 is held by nothing, nor is its prompt: %s', async (_, asking, isLeft) => {
    const needle = Buffer.from(Array.from({ length: 24 }, () => 97 + Math.floor(Math.random() * 26)))
    const ask = asking(createCache({ logger: false, prices: false, maxMemoryBytes: 0 }), isLeft)
    for (let call = 0; call < 3; call++) await ask(`about ${needle.toString('latin1')}`)
    for (let call = 0; call < 3; call++) await ask('another')
    let has = true
    for (let look = 0; has && look < 5; look++) {
      has = await heapHas(needle)
      await settle()
    }
    expect(has).toBe(false)
  })
})

describe('after clear()', () => {
  it.each(ways)('G55 no prompt stays in memory: %s', async (_, asking) => {
    const needle = Buffer.from(Array.from({ length: 24 }, () => 97 + Math.floor(Math.random() * 26)))
    const cache = createCache({ logger: false, prices: false })
    const to = asking(cache)
    const ask = (): Promise<boolean | undefined> => to(`about ${needle.toString('latin1')}`)
    expect([await ask(), await ask(), await ask()]).toEqual([false, true, true])
    expect(await heapHas(needle)).toBe(true)
    await cache.clear()
    // The last call's own objects are gone once another call was made.
    await to('another')
    // A reader that was collected is let go of in a later turn. Each look at the heap collects what can be collected.
    let has = true
    for (let look = 0; has && look < 5; look++) {
      has = await heapHas(needle)
      await settle()
    }
    expect(has).toBe(false)
    // The cache is still there.
    expect(await to('another')).toBe(true)
  })
})

describe('what memory holds after clear()', () => {
  it.each([false, true])('G55 is nothing, of answers and of values (over a store: %s)', async (isOverStore) => {
    const { cache } = openCache(isOverStore ? { store: memoryStore() } : {})
    await cache.store(question('q'), answer('an answer'))
    await cache.set('the key', 'a value')
    expect(cache.memory()).toMatchObject({ entries: 2 })
    await cache.clear()
    expect(cache.memory()).toMatchObject({ entries: 0, bytes: 0 })
    await cache.store(question('q'), answer('another'))
    expect([await ask(cache, question('q')), await cache.get('the key')]).toEqual(['another', undefined])
  })
})

describe('a cache that is printed', () => {
  it.each(['0123456789abcdef'.repeat(4), Buffer.alloc(32, 7).toString('base64')])('G55 shows no key of its encryption: %s', (key) => {
    const cache = createCache({ store: memoryStore(), encryption: { keys: { a: key }, current: 'a' } })
    const client = withCache(new OpenAI({ apiKey: 'k' }), cache)
    for (const printed of [cache, client]) {
      const text = inspect(printed, { showHidden: true, depth: 30, getters: true, maxArrayLength: null, maxStringLength: null })
      expect(text).not.toContain(key)
    }
  })

  it('G55 shows no bytes of a key', () => {
    const cache = createCache({ encryption: { keys: { a: new Uint8Array(32).fill(201) }, current: 'a' } })
    expect(inspect(cache, { showHidden: true, depth: 30, getters: true, maxArrayLength: null })).not.toContain('201, 201')
  })
})
