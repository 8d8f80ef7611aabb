import { BedrockRuntimeClient, ConverseCommand, ThrottlingException, ValidationException } from '@aws-sdk/client-bedrock-runtime'
import { describe, expect, it } from 'vitest'
import { isOutage } from '../../src/clients/bedrock/outage.ts'
import { cachingFetch, withCache } from '../../src/clients/with-cache.ts'
import type { CacheOptions } from '../../src/engine/settings/options.ts'
import { DeadlineError } from '../../src/errors.ts'
import { openCache, settle } from '../support/chat.ts'
import { ScriptedStore } from '../support/scripted-store.ts'

const meta = (httpStatusCode?: number) => ({ message: 'no', $metadata: httpStatusCode === undefined ? {} : { httpStatusCode } })

describe('an error of the AWS SDK', () => {
  it.each([
    ['a throttled call', new ThrottlingException(meta(429))],
    ['a failing service', Object.assign(new Error('no'), { $metadata: { httpStatusCode: 503 } })],
    ['a refused connection', Object.assign(new Error('no'), { code: 'ECONNREFUSED', $metadata: { attempts: 3 } })],
    ['a name that is not found', Object.assign(new Error('no'), { code: 'ENOTFOUND' })],
    ['a time-out of the SDK’s handler', Object.assign(new Error('no'), { name: 'TimeoutError' })],
    ['a flight past its deadline', new DeadlineError('the upstream call', 900_000)],
  ])('is an outage: %s', (_, error) => {
    expect(isOutage(error)).toBe(true)
  })

  it.each([
    ['an invalid call', new ValidationException(meta(400))],
    ['a call that is not allowed', Object.assign(new Error('no'), { $metadata: { httpStatusCode: 403 } })],
    ['no credentials', Object.assign(new Error('no'), { name: 'CredentialsProviderError', tryNextLink: true })],
    ['an abort', Object.assign(new Error('no'), { name: 'AbortError' })],
    ['a fault in the program', new TypeError('undefined is no function')],
    ['a text', 'no'],
  ])('is none: %s', (_, error) => {
    expect(isOutage(error)).toBe(false)
  })
})

/** A Bedrock client whose service is a function. */
function bedrock(answered: () => { readonly statusCode: number; readonly body: string }) {
  let asked = 0
  const requestHandler = {
    async handle() {
      asked++
      const { statusCode, body } = answered()
      const bytes = new TextEncoder().encode(body)
      const headers = {
        'content-type': 'application/json',
        ...(statusCode === 200 ? {} : { 'x-amzn-errortype': 'ServiceUnavailableException' }),
      }
      return { response: { statusCode, headers, body: new Response(bytes).body } }
    },
  }
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' }
  // The SDK uses no more of a handler than this.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const config = { region: 'us-east-1', credentials, maxAttempts: 1, requestHandler: requestHandler as never }
  return { client: new BedrockRuntimeClient(config), count: () => asked }
}

const said = (text: string) => ({
  statusCode: 200,
  body: JSON.stringify({
    output: { message: { role: 'assistant', content: [{ text }] } },
    stopReason: 'end_turn',
    usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 },
    metrics: { latencyMs: 1 },
  }),
})

function command(): ConverseCommand {
  return new ConverseCommand({ modelId: 'amazon.nova-lite-v1:0', messages: [{ role: 'user', content: [{ text: 'Hi' }] }] })
}

describe('a Bedrock client', () => {
  it('serves the last good answer in an outage, but not for an error that the call itself caused', async () => {
    let state = said('good')
    const { client, count } = bedrock(() => state)
    const { cache, clock } = openCache({ ttl: '1m', staleIfError: '1h' })
    const wrapped = withCache(client, cache)
    await wrapped.send(command())
    clock.advance(61_000)
    state = { statusCode: 503, body: '{"message":"no"}' }
    const old = await wrapped.send(command())
    expect(old.output?.message?.content).toEqual([{ text: 'good' }])
    expect(Reflect.get(old, '_cache')).toMatchObject({ hit: true, stale: true, age: 61 })
    expect(count()).toBe(2)
    clock.advance(10_000)
    state = { statusCode: 400, body: '{"message":"no"}' }
    await expect(wrapped.send(command())).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } })
    expect(clock.timers).toBe(0)
  })

  it('serves a stale answer at once while a new one is fetched', async () => {
    let state = said('old')
    const { client, count } = bedrock(() => state)
    const { cache, clock } = openCache({ ttl: '1m', staleWhileRevalidate: '1h' })
    const wrapped = withCache(client, cache)
    await wrapped.send(command())
    clock.advance(61_000)
    state = said('new')
    expect((await wrapped.send(command())).output?.message?.content).toEqual([{ text: 'old' }])
    while (cache.stats().stored < 2) await settle()
    expect((await wrapped.send(command())).output?.message?.content).toEqual([{ text: 'new' }])
    expect(count()).toBe(2)
    expect(clock.timers).toBe(0)
  })
})

/** A caller of embeddings. Each vector holds the length of its text and the number of the call that made it. */
function open(options: CacheOptions) {
  const opened = openCache({ ttl: '1m', ...options })
  const asked: string[][] = []
  const state = { status: 200 }
  const fetch = cachingFetch(opened.cache, async (_, init) => {
    const { input }: { input: string[] } = JSON.parse(typeof init?.body === 'string' ? init.body : '{}')
    asked.push(input)
    if (state.status !== 200) return Response.json({ error: {} }, { status: state.status })
    const data = input.map((text, index) => ({ object: 'embedding', index, embedding: [text.length, asked.length] }))
    return Response.json({ object: 'list', data, model: 'text-embedding-3-small', usage: { prompt_tokens: 1, total_tokens: 1 } })
  })
  const embed = async (...input: string[]): Promise<unknown> => {
    const response = await fetch('https://api.openai.com/v1/embeddings', {
      method: 'POST',
      headers: { authorization: 'Bearer sk-test', 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'text-embedding-3-small', input }),
    })
    if (response.status !== 200) return response.status
    const body: { data: { embedding: number[] }[] } = await response.json()
    return body.data.map(({ embedding }) => embedding)
  }
  return { ...opened, asked, state, embed }
}

describe('a batch of embeddings', () => {
  it('is served stale as a whole, while its stale inputs are fetched', async () => {
    const { clock, asked, embed } = open({ staleWhileRevalidate: '1h' })
    await embed('a', 'bb')
    clock.advance(61_000)
    await embed('ccc')
    expect(await embed('a', 'bb', 'ccc')).toEqual([
      [1, 1],
      [2, 1],
      [3, 2],
    ])
    await settle()
    expect(asked).toEqual([['a', 'bb'], ['ccc'], ['a', 'bb']])
    expect(await embed('a', 'bb', 'ccc')).toEqual([
      [1, 3],
      [2, 3],
      [3, 2],
    ])
  })

  it('is served stale in an outage if each of its inputs is stored, else it fails', async () => {
    const { clock, state, embed } = open({ staleIfError: '1h' })
    await embed('a', 'bb')
    clock.advance(61_000)
    state.status = 503
    expect(await embed('bb', 'a')).toEqual([
      [2, 1],
      [1, 1],
    ])
    expect(await embed('a', 'new')).toBe(503)
  })

  it('is not refreshed before it is stale', async () => {
    const { clock, asked, embed } = open({ refreshAhead: 0.5 })
    await embed('a', 'bb')
    clock.advance(59_000)
    await embed('a', 'bb')
    await settle()
    expect(asked).toHaveLength(1)
  })

  it('I1 is requested as a whole if all of it is stored between the look-up and the call', async () => {
    const store = new ScriptedStore()
    const there = open({ store })
    await there.embed('a', 'bb')
    await there.cache.flush()
    const filled = [...store.map]
    store.map.clear()
    store.reads = 'held'
    const here = open({ store, clock: there.clock, maxMemoryBytes: 0 })
    const embedded = here.embed('a', 'bb')
    await settle()
    for (const [key, value] of filled) store.map.set(key, value)
    store.reads = 'works'
    store.release()
    expect(await embedded).toEqual([
      [1, 1],
      [2, 1],
    ])
    expect(here.asked).toEqual([['a', 'bb']])
  })
})
