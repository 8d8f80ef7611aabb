import { GoogleGenAI } from '@google/genai'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Cache, createCache } from '../../../src/cache/cache.ts'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { isJsonObject } from '../../../src/json/object.ts'
import { isNotCached } from '../../../src/not-cached.ts'
import { describeClient } from '../../contracts/client/index.ts'
import { versionOf } from '../../contracts/behaviours.ts'
import { contentTokens, embeddings, wordEvents, words } from '../../support/gemini-answers.ts'
import { type ProviderReply, type ProviderServer, startProvider, type StreamPart } from '../../support/provider-server.ts'

const model = 'gemini-test-1'

function make({ url, maxRetries }: { readonly url: string; readonly maxRetries: number }): GoogleGenAI {
  const retryOptions = { attempts: maxRetries + 1, initialDelay: 0.001, maxDelay: 0.001, jitter: 0 }
  return new GoogleGenAI({ apiKey: 'key', httpOptions: { baseUrl: url.replace(/\/v1$/, ''), ...(maxRetries > 0 && { retryOptions }) } })
}

/** A response without the headers of HTTP, which the SDK puts into it. No two answers have the same. */
function withoutHead<Response>(response: Response): Response {
  Reflect.deleteProperty(Object(response), 'sdkHttpResponse')
  return response
}

function withoutHeads<Chunk>(stream: AsyncGenerator<Chunk>): AsyncGenerator<Chunk> {
  const next = stream.next.bind(stream)
  stream.next = async () => {
    const step = await next()
    withoutHead(step.value)
    return step
  }
  return stream
}

function textOf(response: unknown): string {
  const text: unknown = Reflect.get(Object(response), 'text')
  return typeof text === 'string' ? text : ''
}

function refuse(reply: ProviderReply, status: number): void {
  reply.json({ error: { code: status, message: `refused with ${status}`, status: 'SOME_ERROR' } }, { status })
}

/** The events of an answer of three chunks with text. */
function pieces(text: string, finishReason: string): StreamPart[] {
  const cuts = [0, 2, 4, text.length]
  return [0, 1, 2].map((part) => {
    const isLast = part === 2
    const content = { parts: [{ text: text.slice(cuts[part], cuts[part + 1]) }], role: 'model' }
    const chunk = { candidates: [{ content, index: 0, ...(isLast && { finishReason }) }], ...(isLast && { usageMetadata: contentTokens }) }
    return { data: JSON.stringify(chunk) }
  })
}

describeClient(versionOf('@google/genai'), {
  make,
  params: (prompt, streamed) => ({ model, contents: prompt, streamed }),
  ask(client: GoogleGenAI, params, { signal, ...config }: { readonly signal?: AbortSignal }) {
    const { streamed, ...rest }: { readonly streamed?: unknown } = { ...params }
    const given = { model, contents: '', ...rest, config: { ...config, ...(signal && { abortSignal: signal }) } }
    return streamed === true
      ? client.models.generateContentStream(given).then(withoutHeads)
      : client.models.generateContent(given).then(withoutHead)
  },
  answer({ path }, reply, text, { pause, end = 'complete', stop } = {}) {
    const finish = stop === 'cut short' ? 'MAX_TOKENS' : 'STOP'
    if (!path.includes(':stream')) {
      const whole = words(text)
      return reply.json({ ...whole, candidates: [{ content: { parts: [{ text }], role: 'model' }, finishReason: finish, index: 0 }] })
    }
    const [first, second, last] = pieces(text, finish)
    const parts = [first, ...(pause === undefined ? [] : [pause]), second, ...(end.startsWith('complete') ? [last] : [])]
    return reply.events(
      parts.filter((part) => part !== undefined),
      { end: end.endsWith('reset') ? 'reset' : 'clean' },
    )
  },
  refuse,
  textOf,
  textOfEvent: textOf,
  operation: 'chat',
  tokens: 10,
})

describe('a wrapped client of Gemini', () => {
  let server: ProviderServer
  let cache: Cache
  const client = () => withCache(make({ url: server.url, maxRetries: 0 }), cache)

  const chat = async (...messages: readonly string[]): Promise<string[]> => {
    const { sendMessage, sendMessageStream } = ((open) => ({
      sendMessage: open.sendMessage.bind(open),
      sendMessageStream: open.sendMessageStream.bind(open),
    }))(client().chats.create({ model, config: { cache: { operation: 'support' } } }))
    const texts: string[] = []
    for (const message of messages) {
      texts.push((await sendMessage({ message })).text ?? '')
      let streamed = ''
      for await (const chunk of await sendMessageStream({ message: 'And?' })) streamed += chunk.text ?? ''
      texts.push(streamed)
    }
    return texts
  }
  const embed = (...contents: string[]) => client().models.embedContent({ model: 'gemini-embedding-test-1', contents })
  const count = async () => (await client().models.countTokens({ model, contents: 'Hi' })).totalTokens
  const ask = () => client().models.generateContent({ model, contents: 'Hi', config: { bypassCache: true } })
  beforeEach(async () => {
    server = await startProvider(({ path, body }, reply) => {
      if (path.includes(':batchEmbedContents')) {
        const requests: unknown = isJsonObject(body) ? body['requests'] : []
        return reply.json(embeddings(Array.isArray(requests) ? requests.filter(isJsonObject) : []))
      }
      if (path.includes(':countTokens')) return reply.json({ totalTokens: server.requests.length })
      const text = `answer ${server.requests.length}`
      return path.includes(':stream') ? reply.events(wordEvents(text)) : reply.json(words(text))
    })
    cache = createCache({ logger: false })
  })
  afterEach(() => server.close())

  it('answers the messages of a chat, whole and streamed, with the chat before them', async () => {
    const first = await chat('Hi', 'Ho')
    expect(first).toEqual(['answer 1', 'answer 2', 'answer 3', 'answer 4'])
    expect(await chat('Hi', 'Ho')).toEqual(first)
    expect(server.requests).toHaveLength(4)
    expect(cache.stats().byOperation['support']).toMatchObject({ hits: 4, misses: 4 })
  })

  it('answers each step of an automatic call of a function, whole and streamed, and runs the function each time', async () => {
    server.respond(({ path, body }, reply) => {
      const isCalled = JSON.stringify(body).includes('functionResponse')
      const part = isCalled ? { text: `rain ${server.requests.length}` } : { functionCall: { name: 'weather', args: { city: 'Berlin' } } }
      const answer = { candidates: [{ content: { role: 'model', parts: [part] }, finishReason: 'STOP', index: 0 }] }
      return path.includes(':stream') ? reply.events([{ data: JSON.stringify(answer) }]) : reply.json(answer)
    })
    let ran = 0
    const weather = {
      tool: async () => ({ functionDeclarations: [{ name: 'weather' }] }),
      async callTool() {
        ran++
        return [{ functionResponse: { name: 'weather', response: { result: 'rain' } } }]
      },
    }
    const client = withCache(make({ url: server.url, maxRetries: 0 }), cache)
    const asked = { model, contents: 'How is the weather?', config: { tools: [weather] } }
    const [first, second] = [await client.models.generateContent(asked), await client.models.generateContent(asked)]
    expect([first.text, second.text, second._cache.hit, ran]).toEqual(['rain 2', 'rain 2', true, 2])
    const pieces = await Array.fromAsync(await client.models.generateContentStream(asked))
    expect([pieces.at(-1)?.text, ran, server.requests.length]).toEqual(['rain 2', 3, 2])
    for (let time = 0; time < 2; time++) {
      const talk = client.chats.create({ model, config: { tools: [weather] } })
      expect((await talk.sendMessage({ message: 'How is it?' })).text).toBe('rain 4')
      expect(talk.getHistory()).toHaveLength(4)
    }
    expect(server.requests).toHaveLength(4)
  })

  it('asks for the missing contents of a batch of embeddings only, and tells its hits', async () => {
    const values = async (...contents: string[]) => (await embed(...contents)).embeddings?.map((each) => each.values)
    const [one, two] = (await values('a', 'bcd')) ?? []
    expect(await values('bcd', 'efghi', 'a')).toEqual([two, expect.any(Array), one])
    expect(server.requests.map(({ body }) => Object.keys(Object(Reflect.get(Object(body), 'requests'))).length)).toEqual([2, 1])
    expect((await embed('a'))._cache).toMatchObject({ hit: true, operation: 'embeddings' })
  })

  it('counts tokens once, at no cost', async () => {
    expect([await count(), await count()]).toEqual([1, 1])
    expect(cache.stats()).toMatchObject({ hits: 1, savedTokens: 0 })
  })

  it('has the scope of its key, by which an answer is stored and looked up without a call', async () => {
    const scope = cache.scopeOf(make({ url: server.url, maxRetries: 0 }))
    const origin = `${server.url.replace(/\/v1$/, '')}/v1`
    const body = { model: `models/${model}`, contents: [{ parts: [{ text: 'Hi' }], role: 'user' }] }
    await cache.store({ provider: 'gemini', endpoint: 'generateContent', origin, scope, body }, words('from elsewhere'))
    const response = await client().models.generateContent({ model, contents: 'Hi' })
    expect(response.text).toBe('from elsewhere')
    expect(cacheInfo(response)).toMatchObject({ hit: true, scope })
    expect((await cache.lookup({ provider: 'gemini', endpoint: 'generateContent', origin, scope, body }))?.answer).toEqual(
      words('from elsewhere'),
    )
  })

  it('says that there is no stored answer, as every client does', async () => {
    const failed = await client()
      .models.generateContent({ model, contents: 'Hi', config: { cache: { mode: 'only-if-cached' } } })
      .catch((error: unknown) => error)
    expect(isNotCached(failed)).toBe(true)
  })

  it('keeps the caller’s parameters as they are, and refuses an option that cannot be', async () => {
    const params = { model, contents: 'Hi', config: { temperature: 0, cache: { ttl: '1m' as const } } }
    const before = structuredClone(params)
    await client().models.generateContent(params)
    expect(params).toEqual(before)
    expect(server.requests[0]?.body).toEqual({
      contents: [{ parts: [{ text: 'Hi' }], role: 'user' }],
      generationConfig: { temperature: 0 },
    })
    await expect(client().models.generateContent({ ...params, config: { cache: { ttl: JSON.parse('"soon"') } } })).rejects.toThrow(
      /cache\.ttl/,
    )
  })

  it('sends what the bare client sends', async () => {
    for (const config of [undefined, {}, { temperature: 0 }]) {
      const params = { model, contents: 'Hi', ...(config && { config }) }
      await make({ url: server.url, maxRetries: 0 }).models.generateContent(params)
      await withCache(make({ url: server.url, maxRetries: 0 })).models.generateContent(params)
      const [expected, sent] = server.requests.slice(-2)
      expect(sent).toEqual(expected)
    }
  })

  it('wraps a client that is wrapped already once, and none whose SDK takes no fetch', async () => {
    const twice = withCache(withCache(make({ url: server.url, maxRetries: 0 }), cache), cache)
    await twice.models.generateContent({ model, contents: 'Hi' })
    await twice.models.generateContent({ model, contents: 'Hi' })
    expect(cache.stats()).toMatchObject({ hits: 1, misses: 1 })
    const old = { models: Object(make({ url: server.url, maxRetries: 0 })).models, chats: { create() {} }, apiClient: {} }
    expect(() => withCache(old)).toThrow(/@google\/genai from 3\.1/)
  })

  it('counts a call past the cache', async () => {
    expect([(await ask()).text, (await ask()).text]).toEqual(['answer 1', 'answer 2'])
    expect(cache.stats()).toMatchObject({ bypasses: 2, bypassReasons: { 'no-store': 2 } })
  })
})
