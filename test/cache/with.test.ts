import { createOpenAI } from '@ai-sdk/openai'
import Anthropic from '@anthropic-ai/sdk'
import { BedrockRuntimeClient, ConverseCommand } from '@aws-sdk/client-bedrock-runtime'
import { ChatOpenAI } from '@langchain/openai'
import { generateText } from 'ai'
import OpenAI from 'openai'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createCache, type Cache } from '../../src/cache/cache.ts'
import { cachingFetch, withCache } from '../../src/clients/with-cache.ts'
import type { Fetch } from '../../src/clients/http/caching-fetch.ts'
import type { CacheOptions } from '../../src/engine/settings/options.ts'
import { message, text } from '../support/anthropic-answers.ts'
import { completion } from '../support/openai-answers.ts'

const messages = [{ role: 'user' as const, content: 'Hi' }]

function open(options: CacheOptions = {}) {
  const cache = createCache({ logger: false, ...options })
  let calls = 0
  const upstream: Fetch = async (input) => {
    calls++
    const url = input instanceof Request ? input.url : String(input)
    return Response.json(url.endsWith('/messages') ? message([text(`answer ${calls}`)]) : completion(`answer ${calls}`))
  }
  return { cache, upstream, calls: () => calls }
}

/** A Bedrock client whose answers are numbered. */
function bedrock(cache: Cache) {
  let calls = 0
  const requestHandler = {
    handle: async () => {
      const body = {
        output: { message: { role: 'assistant', content: [{ text: `answer ${++calls}` }] } },
        stopReason: 'end_turn',
        usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 },
        metrics: { latencyMs: 1 },
      }
      return {
        response: { statusCode: 200, headers: { 'content-type': 'application/json' }, body: new Response(JSON.stringify(body)).body },
      }
    },
  }
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' }
  return withCache(new BedrockRuntimeClient({ region: 'eu-west-1', credentials, requestHandler: Object(requestHandler) }), cache)
}

type Caller = (opened: ReturnType<typeof open>) => () => Promise<unknown>

const callers: readonly (readonly [string, Caller])[] = [
  [
    'OpenAI, wrapped',
    ({ cache, upstream }) => {
      const client = withCache(new OpenAI({ apiKey: 'k', fetch: upstream }), cache)
      return async () => (await client.chat.completions.create({ model: 'm', messages })).choices[0]?.message.content
    },
  ],
  [
    'Anthropic, wrapped',
    ({ cache, upstream }) => {
      const client = withCache(new Anthropic({ apiKey: 'k', fetch: upstream }), cache)
      return async () => (await client.messages.create({ model: 'm', max_tokens: 9, messages })).content
    },
  ],
  [
    'Bedrock, wrapped',
    ({ cache }) => {
      const client = bedrock(cache)
      return async () => {
        const command = new ConverseCommand({ modelId: 'm', messages: [{ role: 'user', content: [{ text: 'Hi' }] }] })
        return (await client.send(command)).output?.message?.content
      }
    },
  ],
  [
    'AI SDK',
    ({ cache, upstream }) => {
      const model = createOpenAI({ apiKey: 'k', fetch: cachingFetch(cache, upstream) }).chat('m')
      return async () => (await generateText({ model, prompt: 'Hi' })).text
    },
  ],
  [
    'LangChain',
    ({ cache, upstream }) => {
      const model = new ChatOpenAI({ model: 'm', apiKey: 'k', configuration: { fetch: cachingFetch(cache, upstream) } })
      return async () => (await model.invoke('Hi')).text
    },
  ],
  [
    'fetch',
    ({ cache, upstream }) => {
      const fetch = cachingFetch(cache, upstream)
      const init = { method: 'POST', body: JSON.stringify({ model: 'm', messages }) }
      return async () => (await fetch('https://api.openai.com/v1/chat/completions', init)).text()
    },
  ],
  [
    'a function',
    ({ cache }) => {
      let calls = 0
      const answer = withCache(async (question: string) => `${question} ${++calls}`, { cache, operation: 'answer' })
      return () => answer('Hi')
    },
  ],
  [
    'getOrCreate',
    ({ cache }) => {
      let calls = 0
      return () => cache.getOrCreate({ text: 'Hi' }, () => `answer ${++calls}`)
    },
  ],
]

describe('cache.with', () => {
  afterEach(() => vi.unstubAllGlobals())

  it.each(callers)('G64 two scopes never share an answer, however often they ask and in turns: %s', async (_, caller) => {
    const opened = open()
    const ask = caller(opened)
    const { cache } = opened
    const outside = await ask()
    const seen = new Map<string, unknown>()
    for (let turn = 0; turn < 4; turn++) {
      for (const scope of ['a', 'b']) {
        const got = await cache.with({ scope }, async () => {
          await Promise.resolve()
          return ask()
        })
        if (turn === 0) seen.set(scope, got)
        expect(got).toEqual(seen.get(scope))
      }
      expect(await ask()).toEqual(outside)
    }
    expect(new Set([outside, ...seen.values()].map((each) => JSON.stringify(each))).size).toBe(3)
    // At the same time as well.
    const again = await Promise.all(['a', 'b', 'a', 'b'].map((scope) => cache.with({ scope }, ask)))
    expect(again).toEqual(['a', 'b', 'a', 'b'].map((scope) => seen.get(scope)))
  })

  it.each(callers)('G64 tags outdate what was asked within, and nothing else: %s', async (_, caller) => {
    const opened = open()
    const ask = caller(opened)
    const { cache } = opened
    const tagged = (): Promise<unknown> => cache.with({ scope: 'a', tags: ['request'] }, ask)
    const other = (): Promise<unknown> => cache.with({ scope: 'b' }, ask)
    const [first, kept] = [await tagged(), await other()]
    expect(await tagged()).toEqual(first)
    await cache.invalidate({ tags: ['request'] })
    expect(await tagged()).not.toEqual(first)
    expect(await other()).toEqual(kept)
  })

  it('G64 gives back what the work gives, and fails as it fails', async () => {
    const { cache } = open()
    expect(cache.with({}, () => 7)).toBe(7)
    expect(await cache.with({ ttl: 1 }, async () => 'later')).toBe('later')
    const error = new Error('mine')
    expect(() =>
      cache.with({}, () => {
        throw error
      }),
    ).toThrow(error)
  })

  it('G64 within another, the inner options hold, and the tags of both', async () => {
    const { cache } = open()
    const info = await cache.with({ scope: 'a', operation: 'qa', tags: ['outer'], ttl: '2h' }, () =>
      cache.with({ scope: 'b', tags: ['inner'] }, () => cache.store({ text: 'Hi' }, 'there')),
    )
    expect(info).toMatchObject({ scope: 'b', operation: 'qa', ttl: 7_200 })
    for (const tag of ['outer', 'inner']) {
      await cache.with({ scope: 'b', tags: ['outer', 'inner'] }, () => cache.store({ text: 'Hi', operation: 'qa' }, 'there'))
      expect(await cache.lookup({ text: 'Hi', scope: 'b', operation: 'qa' })).toBeDefined()
      await cache.invalidate({ tags: [tag] })
      expect(await cache.lookup({ text: 'Hi', scope: 'b', operation: 'qa' })).toBeUndefined()
    }
  })

  it('G64 is what `lookup` and `explain` go by, and a request’s own options come first', async () => {
    const { cache } = open()
    const request = { endpoint: 'chat.completions', body: { model: 'm', messages } } as const
    await cache.store({ ...request, scope: 'a' }, completion('Hello.'))
    expect(await cache.with({ scope: 'a' }, () => cache.lookup(request))).toMatchObject({ info: { hit: true } })
    expect(await cache.with({ scope: 'b' }, () => cache.lookup(request))).toBeUndefined()
    expect(await cache.with({ scope: 'b' }, () => cache.lookup({ ...request, scope: 'a' }))).toBeDefined()
    const outside = cache.explain({ ...request, scope: 'a', context: 1 })
    expect(cache.with({ scope: 'a', context: 1 }, () => cache.explain(request))).toEqual(outside)
  })

  it('G64 is of one cache only', async () => {
    const [first, second] = [open().cache, open().cache]
    expect(await first.with({ scope: 'a' }, () => second.store({ text: 'Hi' }, 'there'))).toMatchObject({ scope: '' })
  })

  it('G64 gives the scope that a cache requires', async () => {
    const opened = open({ requireScope: true })
    const client = withCache(new OpenAI({ apiKey: 'k', fetch: opened.upstream }), opened.cache)
    const ask = () => client.chat.completions.create({ model: 'm', messages })
    await expect(ask()).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    expect((await opened.cache.with({ scope: 'a' }, async () => ask()))._cache.scope).toBe('a')
  })

  it('G64 keeps what it was given, whatever becomes of the object', async () => {
    const { cache } = open()
    const tags = ['a']
    await cache.with({ tags }, async () => {
      tags[0] = 'b'
      await cache.store({ text: 'Hi' }, 'there')
    })
    await cache.invalidate({ tags: ['b'] })
    expect(await cache.lookup({ text: 'Hi' })).toBeDefined()
    await cache.invalidate({ tags: ['a'] })
    expect(await cache.lookup({ text: 'Hi' })).toBeUndefined()
  })

  it.each<[string, object]>([
    ['ttl', { ttl: 'soon' }],
    ['scope', { scope: undefined }],
    ['scop', { scop: 'a' }],
    ['tags', { tags: 'a' }],
  ])('G64 an option that cannot be is an error at once, before the work: %s', (name, options) => {
    const work = vi.fn<() => void>()
    expect(() => open().cache.with(options, work)).toThrow(expect.objectContaining({ message: expect.stringContaining(`"${name}"`) }))
    expect(work).not.toHaveBeenCalled()
  })

  it('G64 where the runtime has nothing that follows the code, it says so, and all else works', async () => {
    vi.stubGlobal('process', { ...process, getBuiltinModule: undefined })
    vi.stubGlobal('AsyncLocalStorage', undefined)
    vi.resetModules()
    const bare = await import('../../src/cache/cache.ts')
    const cache = bare.createCache({ logger: false })
    const work = vi.fn<() => void>()
    expect(() => cache.with({ scope: 'a' }, work)).toThrow(/AsyncLocalStorage.*x-llmemo-scope/)
    expect(work).not.toHaveBeenCalled()
    expect(await cache.getOrCreate({ text: 'Hi' }, () => 'there')).toBe('there')
    expect(await cache.getOrCreate({ text: 'Hi' }, () => 'again')).toBe('there')
  })
})
