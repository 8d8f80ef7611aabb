import type OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { settle } from '../../support/chat.ts'
import { completion } from '../../support/openai-answers.ts'
import { message, text } from '../../support/anthropic-answers.ts'
import { sdks as anthropicSdks } from '../../support/anthropic-sdks.ts'
import { sdks } from '../../support/openai-sdks.ts'
import { ScriptedStore } from '../../support/scripted-store.ts'
import { until } from '../../support/until.ts'

const url = 'https://provider.invalid/v1'
const there = () => ({ model: 'm', messages: [{ role: 'user' as const, content: 'there' }] })

interface Subject {
  readonly bare: OpenAI
  readonly client: OpenAI
  readonly store: ScriptedStore
  readonly sent: string[]
}

type Make = (options: { url: string; fetch: typeof globalThis.fetch }) => object

/** A client with no memory that knows a call, word for word, and a store with its answer. */
async function known(make: Make): Promise<Subject> {
  const store = new ScriptedStore()
  const sent: string[] = []
  const fetch = async (_: unknown, init?: RequestInit): Promise<Response> => {
    sent.push(typeof init?.body === 'string' ? init.body : '')
    return Response.json(completion('{"is":"Hello."}'), { headers: { 'x-request-id': 'req_1' } })
  }
  // The older versions have the same methods.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const bare = make({ url, fetch }) as OpenAI
  const client = withCache(bare, { store, clock: new ManualClock(), maxMemoryBytes: 0, logger: false, prices: false })
  await client.chat.completions.create(there())
  await until(() => store.entryKeys().length === 1)
  await client.chat.completions.create(there())
  sent.length = 0
  store.calls.length = 0
  return { bare, client, store, sent }
}

async function saysHello(): Promise<Response> {
  return Response.json(message([text('Hello.')]), { headers: { 'request-id': 'req_1' } })
}

it.each(anthropicSdks.map(({ name, make }) => [name, make] as const))(
  'a known call of %s, whose promise ends spans, does so',
  async (_, make) => {
    const store = new ScriptedStore()
    const client = withCache(make({ url, fetch: saysHello }), {
      store,
      clock: new ManualClock(),
      maxMemoryBytes: 0,
      logger: false,
      prices: false,
    })
    const ask = () => client.messages.create({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'there' }] })
    await ask()
    await until(() => store.entryKeys().length === 1)
    await ask()
    const { data, response } = await ask().withResponse()
    expect(cacheInfo(data)).toMatchObject({ hit: true, source: 'scripted' })
    expect(response.headers.get('request-id')).toBe('req_1')
    for (const key of store.entryKeys()) await store.delete(key)
    const again = await ask().withResponse()
    expect(again.data).toEqual(data)
    expect(cacheInfo(again.data)).toMatchObject({ hit: false })
  },
)

describe.each(sdks.map(({ name, make }) => [name, make] as const))('a known call of %s that waits for its store', (_, make) => {
  it('gives what the SDK gives, by each method of its promise', async () => {
    const { bare, client, store, sent } = await known(make)
    const expected = await bare.chat.completions.create(there()).withResponse()
    sent.length = 0
    const { data, response, request_id } = await client.chat.completions.create(there()).withResponse()
    expect(data).toEqual(expected.data)
    expect(data).toHaveProperty('_request_id', 'req_1')
    expect([request_id, response instanceof Response, response.status]).toEqual(['req_1', true, 200])
    expect(cacheInfo(data)).toMatchObject({ hit: true, source: 'scripted' })
    const raw = await client.chat.completions.create(there()).asResponse()
    expect(await raw.json()).toEqual(await (await bare.chat.completions.create(there()).asResponse()).json())
    expect(cacheInfo(raw)).toMatchObject({ hit: true })
    sent.length = 0
    expect(await client.chat.completions.create(there())).toBeInstanceOf(Object)
    expect(client.chat.completions.create(there())).toBeInstanceOf(Promise)
    expect([sent, store.count('get')]).toEqual([[], 4])
  })

  it('gives a helper of the SDK what it makes of the answer', async () => {
    const { client, sent } = await known(make)
    const promise = client.chat.completions.create(there())
    const first: unknown = await Reflect.apply(Reflect.get(promise, '_thenUnwrap'), promise, [
      (answer: OpenAI.ChatCompletion) => ({ text: answer.choices[0]?.message.content }),
    ])
    expect(first).toMatchObject({ text: '{"is":"Hello."}', _request_id: 'req_1' })
    expect(cacheInfo(first)).toMatchObject({ hit: true })
    expect(sent).toEqual([])
  })

  it('I2 calls the provider if the store has it no longer, after one read, by each method of its promise', async () => {
    const { bare, client, store, sent } = await known(make)
    const expected = await bare.chat.completions.create(there()).withResponse()
    for (const ask of [
      async () => client.chat.completions.create(there()),
      async () => (await client.chat.completions.create(there()).withResponse()).data,
      async () => (await client.chat.completions.create(there()).asResponse()).json(),
    ]) {
      for (const key of store.entryKeys()) await store.delete(key)
      sent.length = 0
      store.calls.length = 0
      expect(await ask()).toEqual(expected.data)
      expect([sent.length, store.count('get')]).toEqual([1, 1])
      await until(() => store.entryKeys().length === 1)
    }
    for (const key of store.entryKeys()) await store.delete(key)
    const promise = client.chat.completions.create(there())
    const unwrapped: unknown = await Reflect.apply(Reflect.get(promise, '_thenUnwrap'), promise, [() => ({ text: 'made' })])
    expect(unwrapped).toMatchObject({ text: 'made' })
    expect(cacheInfo(unwrapped)).toMatchObject({ hit: false, stored: true })
  })

  it('sends what the caller asked, not what it changed while the store was asked', async () => {
    const { client, store, sent } = await known(make)
    for (const key of store.entryKeys()) await store.delete(key)
    store.reads = 'held'
    const body = there()
    const asked = client.chat.completions.create(body)
    await settle()
    body.messages.push({ role: 'user', content: 'later' })
    store.reads = 'works'
    store.release()
    expect((await asked).choices[0]?.message.content).toBe('{"is":"Hello."}')
    expect(sent).toHaveLength(1)
    expect(sent[0]).not.toContain('later')
  })

  it('rejects as the SDK does if the provider fails', async () => {
    const store = new ScriptedStore()
    let status = 200
    const fetch = async (): Promise<Response> => Response.json(status === 200 ? completion('Hi') : { error: { message: 'no' } }, { status })
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const bare = make({ url, fetch }) as OpenAI
    const client = withCache(bare, { store, clock: new ManualClock(), maxMemoryBytes: 0, logger: false, prices: false })
    await client.chat.completions.create(there())
    await until(() => store.entryKeys().length === 1)
    await client.chat.completions.create(there())
    for (const key of store.entryKeys()) await store.delete(key)
    status = 401
    await expect(client.chat.completions.create(there())).rejects.toMatchObject({ status: 401 })
    await expect(client.chat.completions.create(there()).withResponse()).rejects.toMatchObject({ status: 401 })
  })
})
