import OpenAI from 'openai'
import { describe, expect, it, vi } from 'vitest'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { createCache } from '../../../src/cache/cache.ts'
import type { CacheOptions } from '../../../src/engine/settings/options.ts'
import { promptIn, settle } from '../../support/chat.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { ScriptedStore } from '../../support/scripted-store.ts'
import { message, text } from '../../support/anthropic-answers.ts'
import { sdks as anthropicSdks } from '../../support/anthropic-sdks.ts'
import { completion } from '../../support/openai-answers.ts'
import { sdks as openaiSdks } from '../../support/openai-sdks.ts'
import { until } from '../../support/until.ts'

type Ask = (content: string, options?: object) => Promise<unknown>

/** A wrapped client as in a process of its own, with so little memory that each call reads the store, and with counters. */
interface Opened {
  readonly ask: Ask
  readonly built: () => number
  readonly sent: string[]
}

type Open = (store: ScriptedStore, clock: ManualClock, options?: CacheOptions) => Opened

const url = 'https://provider.invalid/v1'

function opener(
  make: (options: { url: string; fetch: typeof globalThis.fetch }) => object,
  path: readonly [string, ...string[]],
  more: object,
  answer: object,
): Open {
  return (store, clock, options = {}) => {
    const sent: string[] = []
    const fetch = async (_: unknown, init?: RequestInit): Promise<Response> => {
      sent.push(promptIn(init?.body))
      return Response.json(answer)
    }
    const bare = make({ url, fetch })
    const client = withCache(bare, createCache({ store, clock, maxMemoryBytes: 0, logger: false, prices: false, ...options }))
    const build = vi.spyOn(ownerOf(bare, 'getUserAgent'), 'getUserAgent')
    const before = build.mock.calls.length
    return {
      sent,
      built: () => build.mock.calls.length - before,
      ask: async (content, given) => {
        let resource: unknown = client
        for (const name of path) resource = Reflect.get(Object(resource), name)
        const create: unknown = Reflect.get(Object(resource), 'create')
        if (typeof create !== 'function') throw new TypeError('no such method')
        return Reflect.apply(create, resource, [{ model: 'm', messages: [{ role: 'user', content }], ...more }, given])
      },
    }
  }
}

/** The prototype that holds an SDK's method. */
function ownerOf(client: object, name: string): { getUserAgent: () => string } {
  let owner: unknown = client
  while (typeof owner === 'object' && owner !== null && !Object.hasOwn(owner, name)) owner = Object.getPrototypeOf(owner)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the tests fail if it has no such method
  return owner as { getUserAgent: () => string }
}

const subjects: readonly (readonly [name: string, open: Open])[] = [
  ...openaiSdks.map(({ name, make }) => [name, opener(make, ['chat', 'completions'], {}, completion('Hello.'))] as const),
  ...anthropicSdks.map(({ name, make }) => [name, opener(make, ['messages'], { max_tokens: 9 }, message([text('Hello.')]))] as const),
]

/** A process that knows the shape of its requests, and a store with the answer to `there`. */
async function opened(open: Open, options?: CacheOptions) {
  const store = new ScriptedStore()
  const clock = new ManualClock()
  const process = open(store, clock, options)
  await process.ask('warm up')
  await process.ask('there')
  await until(() => store.entryKeys().length === 2)
  const built = process.built()
  process.sent.length = 0
  store.calls.length = 0
  return { ...process, store, clock, built: () => process.built() - built }
}

describe.each(subjects)('the fast lane of %s over a store', (_, open) => {
  it('answers a hit in the store before the SDK builds a request', async () => {
    const { ask, built, sent, store } = await opened(open)
    const hit = await ask('there')
    expect(cacheInfo(hit)).toMatchObject({ hit: true, source: 'scripted' })
    expect([built(), sent, store.count('get')]).toEqual([0, [], 1])
  })

  it('I2 reads the store once for a miss, which then goes the documented way', async () => {
    const { ask, built, sent, store } = await opened(open)
    expect(cacheInfo(await ask('new'))).toMatchObject({ hit: false })
    expect([built(), sent, store.count('get')]).toEqual([1, ['new'], 1])
  })

  it('I1 I2 waits once, for the read deadline, for a store that does not answer', async () => {
    const { ask, sent, store, clock } = await opened(open)
    store.reads = 'never'
    const asked = ask('there')
    await settle()
    expect(sent).toEqual([])
    clock.advance(100)
    expect(cacheInfo(await asked)).toMatchObject({ hit: false })
    expect(sent).toEqual(['there'])
    expect(clock.timers).toBe(0)
  })

  it('ends with the abort of a caller that leaves during the read of the store', async () => {
    const { ask, sent, store } = await opened(open)
    store.reads = 'held'
    const controller = new AbortController()
    const asked = ask('there', { signal: controller.signal }).catch((error: unknown) => Object(error).constructor.name)
    await settle()
    controller.abort()
    store.release()
    expect(await asked).toBe('APIUserAbortError')
    expect(sent).toEqual([])
  })

  it('lets a call with a short time-out go the documented way', async () => {
    const { ask, built } = await opened(open, { readDeadline: '1m' })
    expect(cacheInfo(await ask('there', { timeout: 599_999 }))).toMatchObject({ hit: true })
    expect(built()).toBe(1)
  })

  it('leaves a stale answer to the documented way, which may serve it or call the provider again', async () => {
    const { ask, built, sent, store, clock } = await opened(open, { ttl: '1m', staleWhileRevalidate: '5m' })
    clock.advance(61_000)
    expect(cacheInfo(await ask('there'))).toMatchObject({ hit: true, stale: true })
    await settle()
    expect([built(), sent]).toEqual([1, ['there']])
    expect(store.count('get')).toBeGreaterThan(0)
  })
})

function chunk(delta: object, finish: string | null = null): string {
  const choices = [{ index: 0, delta, finish_reason: finish }]
  return `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices })}\n\n`
}

it('a stored stream is streamed before the SDK builds a request', async () => {
  const events = [chunk({ role: 'assistant', content: 'Hel' }), chunk({ content: 'lo.' }), chunk({}, 'stop'), 'data: [DONE]\n\n']
  const fetch = async (): Promise<Response> => new Response(events.join(''), { headers: { 'content-type': 'text/event-stream' } })
  const store = new ScriptedStore()
  const bare = new OpenAI({ baseURL: url, apiKey: 'test-key', fetch, logLevel: 'off' })
  const client = withCache(bare, { store, clock: new ManualClock(), maxMemoryBytes: 0, logger: false, prices: false })
  const build = vi.spyOn(ownerOf(bare, 'getUserAgent'), 'getUserAgent')
  const texts: string[] = []
  for (let call = 0; call < 2; call++) {
    let text = ''
    const stream = await client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], stream: true })
    for await (const { choices } of stream) text += choices[0]?.delta.content ?? ''
    texts.push(`${cacheInfo(stream)?.source}: ${text}`)
    await settle()
  }
  expect(texts).toEqual(['origin: Hello.', 'scripted: Hello.'])
  expect(build).toHaveBeenCalledTimes(1)
})

it('a change of the messages during the read of the store is not sent', async () => {
  const store = new ScriptedStore()
  const sent: string[] = []
  const fetch = async (_: unknown, init?: RequestInit): Promise<Response> => {
    sent.push(typeof init?.body === 'string' ? init.body : '')
    return Response.json(completion('Hello.'))
  }
  const options = { store, clock: new ManualClock(), maxMemoryBytes: 0, logger: false, prices: false } as const
  const client = withCache(new OpenAI({ baseURL: url, apiKey: 'test-key', fetch }), options)
  await client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'warm up' }] })
  store.reads = 'held'
  const messages = [{ role: 'user' as const, content: 'first' }]
  const asked = client.chat.completions.create({ model: 'm', messages })
  await settle()
  messages.push({ role: 'user', content: 'second' })
  store.reads = 'works'
  store.release()
  const answer = await asked
  expect(sent.at(-1)).toContain('first')
  expect(sent.at(-1)).not.toContain('second')
  await settle()
  expect(answer._cache.hit).toBe(false)
  expect((await client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'first' }] }))._cache.hit).toBe(true)
})
