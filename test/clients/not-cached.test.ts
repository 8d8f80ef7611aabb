import Anthropic from '@anthropic-ai/sdk'
import { createOpenAI } from '@ai-sdk/openai'
import { BedrockRuntimeClient, ConverseCommand } from '@aws-sdk/client-bedrock-runtime'
import { ChatOpenAI } from '@langchain/openai'
import { embed, generateText } from 'ai'
import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { cachingFetch, withCache } from '../../src/clients/with-cache.ts'
import type { Fetch } from '../../src/clients/http/caching-fetch.ts'
import { isNotCached } from '../../src/not-cached.ts'
import type { CacheOptions } from '../../src/engine/settings/options.ts'
import { openCache, settle } from '../support/chat.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { completion } from '../support/openai-answers.ts'
import { ScriptedStore } from '../support/scripted-store.ts'

const messages = [{ role: 'user' as const, content: 'Hi' }]
const mode = { cache: { mode: 'only-if-cached', scope: 'acme' } } as const

function open(options: CacheOptions = {}) {
  const clock = new ManualClock()
  const { cache } = openCache({ clock, ...options })
  let calls = 0
  const upstream: Fetch = async () => {
    calls++
    return Response.json(completion('42'))
  }
  return { cache, clock, upstream, calls: () => calls }
}

/** The error of a call. */
async function errorOf(call: () => PromiseLike<unknown>): Promise<unknown> {
  try {
    await call()
  } catch (error) {
    return error
  }
  throw new Error('the call did not fail')
}

/** A `fetch` that never asks the provider. */
function onlyIfCached(fetch: Fetch): Fetch {
  return (input, init) => fetch(input, { ...init, cache: 'only-if-cached' })
}

describe('G25 a call that must not ask the provider, and finds nothing', () => {
  const clients: readonly (readonly [string, (opened: ReturnType<typeof open>) => Promise<unknown>])[] = [
    [
      'OpenAI',
      async ({ cache, upstream }) =>
        withCache(new OpenAI({ apiKey: 'k', fetch: upstream }), cache).chat.completions.create({ model: 'm', messages }, mode),
    ],
    [
      'OpenAI, streamed',
      async ({ cache, upstream }) =>
        withCache(new OpenAI({ apiKey: 'k', fetch: upstream }), cache).chat.completions.create(
          { model: 'm', messages, stream: true },
          mode,
        ),
    ],
    [
      'OpenAI, embeddings',
      async ({ cache, upstream }) =>
        withCache(new OpenAI({ apiKey: 'k', fetch: upstream }), cache).embeddings.create({ model: 'm', input: ['a', 'b'] }, mode),
    ],
    [
      'Anthropic',
      async ({ cache, upstream }) =>
        withCache(new Anthropic({ apiKey: 'k', fetch: upstream }), cache).messages.create({ model: 'm', max_tokens: 9, messages }, mode),
    ],
    [
      'Bedrock',
      async ({ cache }) => {
        const client = new BedrockRuntimeClient({ region: 'eu-west-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } })
        return withCache(client, cache).send(
          new ConverseCommand({ modelId: 'm', messages: [{ role: 'user', content: [{ text: 'Hi' }] }] }),
          mode,
        )
      },
    ],
  ]

  it.each(clients)('G25 is told in one way: %s', async (_, call) => {
    const opened = open()
    const error = await errorOf(() => call(opened))
    expect(isNotCached(error)).toBe(true)
    expect(error).toMatchObject({
      code: 'NOT_CACHED',
      status: 504,
      reason: 'not stored',
      scope: 'acme',
      key: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    expect(String(error)).toContain('no answer is stored')
    expect(opened.calls()).toBe(0)
  })

  it.each(clients)('G25 a store that fails is the reason: %s', async (_, call) => {
    const store = new ScriptedStore()
    store.reads = 'rejects'
    const error = await errorOf(() => call(open({ store })))
    expect([isNotCached(error), String(error)]).toEqual([true, expect.stringContaining('the store failed')])
    expect(error).toMatchObject({ reason: 'store broken' })
  })

  it.each(clients)('G25 a store that is slow is waited for: %s', async (_, call) => {
    const store = new ScriptedStore()
    store.reads = 'held'
    const opened = open({ store })
    let isOver = false
    const failed = errorOf(() => call(opened)).finally(() => (isOver = true))
    await settle()
    opened.clock.advance(9_000)
    await settle()
    expect(isOver).toBe(false)
    store.release()
    const error = await failed
    expect([isNotCached(error), Reflect.get(Object(error), 'reason')]).toEqual([true, 'not stored'])
  })

  it('G25 a store that never answers is the reason', async () => {
    const store = new ScriptedStore()
    store.reads = 'never'
    const { cache, clock, upstream } = open({ store })
    const sdk = withCache(new OpenAI({ apiKey: 'k', fetch: upstream }), cache)
    const failed = errorOf(() => sdk.chat.completions.create({ model: 'm', messages }, mode))
    await settle()
    clock.advance(60_000)
    const error = await failed
    expect(isNotCached(error)).toBe(true)
    expect(error).toMatchObject({ reason: 'store slow' })
  })

  it('G25 no other error is taken for it', () => {
    const others = [undefined, null, 'NOT_CACHED', {}, new Error('NOT_CACHED'), { code: 'NOT_CACHED' }, { error: { code: 'NOT_CACHED' } }]
    expect(others.filter((error) => isNotCached(error))).toEqual([])
    const circle: { cause?: unknown } = {}
    circle.cause = circle
    expect(isNotCached(circle)).toBe(false)
  })
})

describe('G25 under frameworks, which repeat calls that fail', () => {
  it('G25 the AI SDK fails at once', async () => {
    const { cache, upstream, calls } = open()
    let tries = 0
    const counting = onlyIfCached(cachingFetch(cache, upstream))
    const fetch: Fetch = (input, init) => (tries++, counting(input, init))
    const provider = createOpenAI({ apiKey: 'k', fetch })
    for (const call of [
      () => generateText({ model: provider.chat('gpt-5-mini'), prompt: 'Hi' }),
      () => generateText({ model: provider.responses('gpt-5-mini'), prompt: 'Hi' }),
      () => embed({ model: provider.textEmbeddingModel('text-embedding-3-small'), value: 'Hi' }),
    ]) {
      tries = 0
      const error = await errorOf(call)
      expect([isNotCached(error), tries, calls()]).toEqual([true, 1, 0])
      expect(error).toMatchObject({ code: 'NOT_CACHED', reason: 'not stored' })
    }
  })

  it('G25 LangChain fails at once', async () => {
    const { cache, upstream, calls } = open()
    let tries = 0
    const counting = onlyIfCached(cachingFetch(cache, upstream))
    const fetch: Fetch = (input, init) => (tries++, counting(input, init))
    const model = new ChatOpenAI({ model: 'gpt-5-mini', apiKey: 'k', configuration: { fetch } })
    const error = await errorOf(() => model.invoke('Hi'))
    expect([isNotCached(error), tries, calls()]).toEqual([true, 1, 0])
    expect(error).toMatchObject({ code: 'NOT_CACHED', reason: 'not stored' })
  })
})
