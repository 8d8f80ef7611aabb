import { type BedrockRuntime, ConverseCommand, ConverseStreamCommand } from '@aws-sdk/client-bedrock-runtime'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { type Cache, createCache } from '../../../src/cache/cache.ts'
import { startBedrock } from '../../support/bedrock-server.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import type { ProviderServer } from '../../support/provider-server.ts'
import {
  type BedrockOptions,
  converseAnswer,
  converseEvents,
  headers,
  makeBedrock,
  outcomeOfSend,
  send,
} from '../../support/bedrock-sdk.ts'
import { until } from '../../support/until.ts'

const input = { modelId: 'test.model-v1:0', messages: [{ role: 'user' as const, content: [{ text: 'Hi' }] }] }
const converse = (more: object = {}): ConverseCommand => new ConverseCommand({ ...input, ...more })

const told: string[] = []
const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }

/** A middleware that passes every call on. */
const passing = (next: unknown): never => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the SDK has a type of its own for each step
  return next as never
}

describe('the fast lane of send()', () => {
  let server: ProviderServer
  let cache: Cache
  let bare: BedrockRuntime
  let resolved: () => number

  const make = (options: Partial<BedrockOptions> = {}): BedrockRuntime => makeBedrock('http1', { url: server.url, ...options })

  beforeEach(async () => {
    server = await startBedrock('http1', ({ path }, reply) =>
      path.endsWith('-stream')
        ? reply.events(converseEvents('Hello.').flat(), { headers })
        : reply.json(converseAnswer('Hello.'), { headers }),
    )
    cache = createCache({ logger: false })
    bare = make()
    const resolve = vi.spyOn(ConverseCommand.prototype, 'resolveMiddleware')
    resolved = () => resolve.mock.calls.length
  })
  afterEach(() => server.close())

  it('answers a hit before the SDK makes its chain of middleware, with the answer of the documented way', async () => {
    const plain = await outcomeOfSend(bare, converse())
    const before = resolved()
    const client = withCache(bare, cache)
    const outcomes = [await outcomeOfSend(client, converse()), await outcomeOfSend(client, converse())]
    expect(outcomes).toStrictEqual([plain, plain])
    expect(resolved()).toBe(before + 1)
    const fast = await send(client, converse())
    const watched = make()
    watched.middlewareStack.add(passing, { step: 'initialize', name: 'watching' })
    const slow = await send(withCache(watched, cache), converse())
    expect(slow).toStrictEqual(fast)
    expect({ ...cacheInfo(slow) }).toEqual({ ...cacheInfo(fast) })
    expect(cacheInfo(fast)).toMatchObject({ hit: true, source: 'memory' })
    expect(server.requests).toHaveLength(2)
  })

  it('serves a stream from a whole answer, and gives each caller a copy of its own', async () => {
    const client = withCache(bare, cache)
    const first = await outcomeOfSend(client, new ConverseStreamCommand(input))
    expect(await outcomeOfSend(client, new ConverseStreamCommand(input))).toStrictEqual(first)
    const whole = await send(client, converse())
    Object.assign(whole, { output: 'changed' })
    expect(await send(client, converse())).toMatchObject({ output: { message: { content: [{ text: 'Hello.' }] } } })
    expect(server.requests).toHaveLength(1)
  })

  it('obeys the options of a call, and counts it', async () => {
    const client = withCache(bare, cache)
    await send(client, converse())
    expect(cacheInfo(await send(client, converse(), { cache: { context: 'other' } }))).toMatchObject({ hit: false })
    expect(cacheInfo(await send(client, converse(), { cache: { mode: 'reload' } }))).toMatchObject({ hit: false })
    expect(cacheInfo(await send(client, converse(), { bypassCache: true }))).toMatchObject({ hit: false, reason: 'no-store' })
    expect(cacheInfo(await send(client, converse(), { cache: { context: 'other' } }))).toMatchObject({ hit: true })
    await expect(send(client, converse(), { cache: { mode: 'wrong' } })).rejects.toThrow('cache.mode')
    await expect(send(client, converse(), { abortSignal: AbortSignal.abort() })).rejects.toThrow('Request aborted')
    expect(cache.stats()).toMatchObject({ hits: 1, misses: 3, bypasses: 1 })
  })

  it('leaves an answer that is stale, or due for a refresh, to the documented way', async () => {
    const clock = new ManualClock()
    const client = withCache(bare, createCache({ logger: false, clock, ttl: '10m', stale: '1h', refreshAhead: 0.1 }))
    await send(client, converse())
    await send(client, converse())
    expect(resolved()).toBe(1)
    clock.advance(9.5 * 60_000)
    expect(cacheInfo(await send(client, converse()))).toMatchObject({ hit: true })
    await until(() => clock.timers === 0)
    expect(server.requests).toHaveLength(2)
    clock.advance(11 * 60_000)
    expect(cacheInfo(await send(client, converse()))).toMatchObject({ hit: false })
    clock.advance(11 * 60_000)
    expect(cacheInfo(await send(client, converse(), { cache: { mode: 'force-cache' } }))).toMatchObject({ hit: true, stale: true })
  })

  it.each<[string, (client: BedrockRuntime) => void]>([
    ['a middleware', ({ middlewareStack }) => middlewareStack.add(passing, { step: 'initialize', name: 'watching' })],
    ['a middleware without a name', ({ middlewareStack }) => middlewareStack.add(passing)],
    [
      'a middleware before the SDK’s own',
      ({ middlewareStack }) =>
        middlewareStack.addRelativeTo(passing, { relation: 'before', toMiddleware: 'loggerMiddleware', name: 'watching' }),
    ],
    ['a plug-in', ({ middlewareStack }) => middlewareStack.use({ applyToStack: (stack) => stack.add(passing, { step: 'initialize' }) })],
    ['a logger', ({ config }) => void Reflect.set(config, 'logger', { ...silent, info: () => told.push('info') })],
  ])('is not for a client with %s, given before or after it is wrapped', async (_, change) => {
    const sent = async (client: BedrockRuntime): Promise<number> => {
      const before = resolved()
      for (let call = 0; call < 2; call++) await send(client, converse())
      return resolved() - before
    }
    const before = make()
    change(before)
    expect(await sent(withCache(before, cache))).toBe(2)
    const client = withCache(make(), cache)
    await send(client, converse())
    expect(await sent(client)).toBe(0)
    change(client)
    expect(await sent(client)).toBe(2)
  })

  it('is not for a command with a middleware of its own, nor for a callback', async () => {
    const client = withCache(bare, cache)
    await send(client, converse())
    await send(client, converse())
    expect(resolved()).toBe(1)
    const command = converse()
    const seen = vi.fn<() => void>()
    command.middlewareStack.add(
      (next) => (step) => {
        seen()
        return next(step)
      },
      { step: 'initialize' },
    )
    expect(cacheInfo(await send(client, command))).toMatchObject({ hit: true })
    expect([seen.mock.calls.length, resolved()]).toEqual([1, 2])
    const output = await new Promise<unknown>((resolve) => client.send(converse(), (_: unknown, given: unknown) => resolve(given)))
    expect(cacheInfo(output)).toMatchObject({ hit: true })
    expect(resolved()).toBe(3)
  })

  it('K11: a listener of "hit" that makes the same call is not called within itself', async () => {
    const client = withCache(bare, cache)
    await send(client, converse())
    const inner: Promise<unknown>[] = []
    cache.on('hit', () => {
      if (inner.length < 3) inner.push(send(client, converse()))
    })
    await send(client, converse())
    for (const each of inner) expect(await each).toMatchObject({ output: { message: { role: 'assistant' } } })
    expect(inner).toHaveLength(3)
  })

  it('is for a command that was sent before', async () => {
    const client = withCache(bare, cache)
    const command = converse()
    for (let call = 0; call < 3; call++) await send(client, command)
    expect(resolved()).toBe(1)
  })

  it('is not for a client with a replaced send()', async () => {
    const own: unknown = Reflect.get(bare, 'send')
    if (typeof own !== 'function') throw new TypeError('this client sends nothing')
    Reflect.set(bare, 'send', function watched(this: unknown, ...given: unknown[]): unknown {
      return Reflect.apply(own, this, given)
    })
    const client = withCache(bare, cache)
    for (let call = 1; call <= 3; call++) {
      await send(client, converse())
      expect(resolved()).toBe(call)
    }
  })

  it('does not take a call without a key', async () => {
    const client = withCache(bare, cache)
    await send(client, converse())
    const odd = { additionalModelRequestFields: { a: Number.NaN } }
    expect(cacheInfo(await send(client, converse(odd)))).toMatchObject({ hit: false, reason: 'not keyable' })
    expect(cacheInfo(await send(client, converse(odd)))).toMatchObject({ hit: false, reason: 'not keyable' })
  })

  it('I3: what a middleware changes in a call is not in a later call with the same words', async () => {
    const client = withCache(bare, cache)
    for (let call = 0; call < 3; call++) await send(client, converse())
    await cache.invalidate({ operation: 'converse' })
    const changing = converse()
    changing.middlewareStack.add(
      (next) => async (given) => {
        for (const { content } of Object(given.input).messages) content.push({ text: 'changed' })
        return next(given)
      },
      { step: 'serialize', priority: 'high', name: 'changing' },
    )
    await send(client, changing)
    await cache.invalidate({ operation: 'converse' })
    await send(client, converse())
    expect(JSON.stringify(server.requests.at(-2)?.body)).toContain('changed')
    expect(JSON.stringify(server.requests.at(-1)?.body)).not.toContain('changed')
  })
})
