import {
  BedrockRuntime,
  BedrockRuntimeClient,
  type BedrockRuntimeClientConfig,
  ConverseCommand,
  type ConverseCommandInput,
  InvokeModelCommand,
} from '@aws-sdk/client-bedrock-runtime'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createCache } from '../../../src/cache/cache.ts'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { startBedrock } from '../../support/bedrock-server.ts'
import { converseAnswer, headers, send } from '../../support/bedrock-sdk.ts'
import type { ProviderServer } from '../../support/provider-server.ts'

const input: ConverseCommandInput = { modelId: 'test.model-v1:0', messages: [{ role: 'user', content: [{ text: 'Hi' }] }] }
const command = (): ConverseCommand => new ConverseCommand(input)
const odd = (): InvokeModelCommand => new InvokeModelCommand({ modelId: 'm', body: 'no JSON', contentType: 'text/plain' })

const logger = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }

/** A client of the user's own: public and private state, a getter, a method, a `send` that reads private state. */
class TenantClient extends BedrockRuntime {
  readonly tenant = 'acme'
  readonly #secret = 'private'
  asked = 0

  get secret(): string {
    return this.#secret
  }

  reveal(): string {
    return `${this.#secret} of ${this.tenant}`
  }

  ask(): Promise<object> {
    this.asked++
    return send(this, command())
  }
}

describe('a wrapped Bedrock client has all that the given one has', () => {
  let server: ProviderServer
  let bare: TenantClient
  let before: number

  const configuration = (): BedrockRuntimeClientConfig => ({
    region: 'us-east-1',
    endpoint: server.url,
    credentials: { accessKeyId: 'AKIDTEST', secretAccessKey: 'secret' },
    requestHandler: new NodeHttpHandler(),
    maxAttempts: 1,
  })
  const make = (): TenantClient => new TenantClient(configuration())

  beforeAll(async () => {
    server = await startBedrock('http1', (_, reply) => reply.json(converseAnswer('Hello.'), { headers }))
  })
  afterAll(() => server.close())
  beforeEach(() => {
    bare = make()
    before = server.requests.length
  })

  it('makes calls that bypass the cache, with the very command, once it is known what the command is', async () => {
    const cache = createCache({ logger: false, scope: 'ours' })
    const client = withCache(bare, cache)
    const sent = vi.spyOn(bare, 'send')
    const asked = Array.from({ length: 4 }, command)
    const { signal } = new AbortController()
    const given = [
      { bypassCache: true },
      { bypassCache: true, abortSignal: signal },
      { cache: { mode: 'no-store', operation: 'mine', scope: 'theirs' } },
      { bypassCache: true },
    ]
    const outputs = []
    for (const [number, one] of asked.entries()) {
      if (number === 3) cache.on('bypass', ({ model }) => outputs.push(model))
      outputs.push(await send(client, one, given[number] ?? {}))
    }
    // The first one tells what its command is, and an event tells more than is known without reading the input.
    expect(sent.mock.calls.map(([one], number) => one === asked[number])).toEqual([false, true, true, false])
    expect(sent.mock.calls[1]?.[1]).toEqual({ abortSignal: signal })
    const facts = { hit: false, source: 'origin', stored: false, reason: 'no-store', key: '', scope: 'ours', operation: 'converse' }
    expect(outputs.map((output) => cacheInfo(output))).toMatchObject([
      facts,
      facts,
      { ...facts, operation: 'mine', scope: 'theirs' },
      undefined,
      facts,
    ])
    expect(outputs[3]).toBe('test.model-v1:0')
    expect(cache.stats()).toMatchObject({ bypasses: 4, hits: 0, misses: 0 })
    expect(server.requests.length - before).toBe(4)
    await expect(send(client, command(), { bypassCache: true, cache: { ttl: 'wrong' } })).rejects.toThrow('cache.ttl')
    vi.spyOn(bare, 'send').mockRejectedValueOnce(new Error('the SDK says no'))
    await expect(send(client, command(), { bypassCache: true })).rejects.toThrow('the SDK says no')
    expect(cache.stats()).toMatchObject({ bypasses: 4 })
  })

  it('gives the same reason each time for a call that bypasses the cache and has no key', async () => {
    const client = withCache(bare, createCache({ logger: false }))
    const reasons = []
    for (let call = 0; call < 2; call++) reasons.push(cacheInfo(await send(client, odd(), { bypassCache: true }))?.reason)
    expect(reasons).toEqual(['no-store', 'no-store'])
  })

  it('each member, also one that only its class has, and lists the same ones', () => {
    const client = withCache(bare, createCache({ logger: false }))
    expect(Object.keys(client)).toEqual(Object.keys(bare))
    expect(Object.getPrototypeOf(client)).toBe(TenantClient.prototype)
    expect(client).toBeInstanceOf(BedrockRuntimeClient)
    expect([client.tenant, client.secret, client.reveal(), client.config]).toEqual([
      'acme',
      'private',
      'private of acme',
      expect.objectContaining({ serviceId: 'Bedrock Runtime' }),
    ])
    const names = Object.keys(bare).filter((name) => name !== 'middlewareStack')
    expect(names.map((name): unknown => Reflect.get(client, name))).toEqual(names.map((name): unknown => Reflect.get(bare, name)))
    expect(client.middlewareStack.identify()).toEqual(bare.middlewareStack.identify())
  })

  it.each<[string, (on: TenantClient) => void, (on: TenantClient) => unknown, unknown]>([
    ['a member', (on) => void Reflect.set(on, 'label', 'new'), (on) => Reflect.get(on, 'label'), 'new'],
    ['a member that exists', (on) => void Reflect.set(on, 'tenant', 'other'), (on) => on.tenant, 'other'],
    ['a method', (on) => void Reflect.set(on, 'reveal', () => 'patched'), (on) => on.reveal(), 'patched'],
    ['the logger', ({ config }) => void Reflect.set(config, 'logger', logger), ({ config }) => config.logger === logger, true],
    [
      'the region',
      ({ config }) => void Reflect.set(config, 'region', async () => 'eu-west-1'),
      ({ config }) => config.region(),
      'eu-west-1',
    ],
    [
      'a middleware',
      ({ middlewareStack }) => middlewareStack.add((next) => next, { step: 'build', name: 'late' }),
      ({ middlewareStack }) => middlewareStack.identify().includes('late - build'),
      true,
    ],
    [
      'the loss of a middleware',
      ({ middlewareStack }) => void middlewareStack.remove('loggerMiddleware'),
      ({ middlewareStack }) => middlewareStack.identify().some((name) => name.startsWith('loggerMiddleware')),
      false,
    ],
  ])('%s that is set later, on the given client or on the wrapped one', async (name, change, read, expected) => {
    const isShared = ['the logger', 'the region'].includes(name)
    const cache = createCache({ logger: false })
    const client = withCache(bare, cache)
    change(bare)
    expect(await read(client)).toEqual(expected)
    await send(client, command())
    expect(cacheInfo(await send(client, command()))).toMatchObject({ hit: true })
    const second = make()
    const given = JSON.stringify(await read(second))
    const wrapped = withCache(second, cache)
    change(wrapped)
    expect(await read(wrapped)).toEqual(expected)
    expect(await send(wrapped, command())).toMatchObject({ output: { message: { role: 'assistant' } } })
    // The configuration is one object for both. All else stays on the wrapped client.
    expect(JSON.stringify(await read(second))).toBe(isShared ? JSON.stringify(expected) : given)
  })

  it.each<[string, number, (stack: TenantClient['middlewareStack'], name: string, note: (name: string) => void) => void]>([
    [
      'of a later step',
      2,
      (stack, name, note) =>
        stack.add(
          (next) => (args) => {
            note(name)
            return next(args)
          },
          { step: 'build', name },
        ),
    ],
    [
      'of the first step',
      3,
      (stack, name, note) =>
        stack.add(
          (next) => (args) => {
            note(name)
            return next(args)
          },
          { step: 'initialize', name },
        ),
    ],
  ])('a middleware %s that either client gets later runs on the wrapped client’s calls', async (_, times, add) => {
    const client = withCache(bare, createCache({ logger: false }))
    const seen: string[] = []
    await send(client, command())
    await send(client, command())
    add(bare.middlewareStack, 'given', (name) => seen.push(name))
    add(client.middlewareStack, 'wrapped', (name) => seen.push(name))
    for (const text of ['a', 'b', 'b']) await send(client, new ConverseCommand({ ...input, system: [{ text }] }))
    expect(seen).toEqual(Array.from({ length: times }, () => ['given', 'wrapped']).flat())
    expect(bare.middlewareStack.identify().some((each) => each.startsWith('wrapped'))).toBe(false)
    seen.length = 0
    await send(bare, command())
    expect(seen).toEqual(['given'])
  })

  it('a plug-in is used once', async () => {
    const client = withCache(bare, createCache({ logger: false }))
    const applied = vi.fn<() => void>()
    client.middlewareStack.use({
      applyToStack(stack) {
        applied()
        stack.add((next) => next, { step: 'build', name: 'plugged' })
      },
    })
    for (const text of ['a', 'b']) await send(client, new ConverseCommand({ ...input, system: [{ text }] }))
    expect(applied).toHaveBeenCalledTimes(1)
    expect(client.middlewareStack.identify()).toContain('plugged - build')
  })

  it('methods of the user’s class go through the cache, and their state is the wrapped client’s own', async () => {
    const client = withCache(bare, createCache({ logger: false }))
    expect(cacheInfo(await client.ask())).toMatchObject({ hit: false })
    expect(cacheInfo(await client.ask())).toMatchObject({ hit: true })
    expect([client.asked, bare.asked]).toEqual([2, 0])
  })

  it.each(['before', 'after'])('a send() of the user’s class with private state, patched %s wrapping, sees each call', async (when) => {
    const seen: string[] = []
    class Watching extends TenantClient {
      readonly #watched = 'mine'
      watch(): void {
        const next: unknown = Reflect.get(BedrockRuntime.prototype, 'send')
        const note = (): number => seen.push(this.#watched)
        Reflect.set(this, 'send', function watched(this: unknown, ...given: unknown[]): unknown {
          note()
          return Reflect.apply(Object(next), this, given)
        })
      }
    }
    const watching = new Watching(configuration())
    if (when === 'before') watching.watch()
    const client = withCache(watching, createCache({ logger: false }))
    if (when === 'after') watching.watch()
    for (let call = 0; call < 3; call++) await send(client, command())
    expect(seen).toEqual(['mine', 'mine', 'mine'])
    expect(server.requests).toHaveLength(before + 1)
  })

  it('a class whose own send() reads private state', async () => {
    class Counting extends BedrockRuntimeClient {
      #sent = 0
      get sent(): number {
        return this.#sent
      }
    }
    const plain: unknown = Reflect.get(BedrockRuntimeClient.prototype, 'send')
    const counting = new Counting(configuration())
    expect(typeof plain).toBe('function')
    const client = withCache(counting, createCache({ logger: false }))
    await send(client, command())
    expect(cacheInfo(await send(client, command()))).toMatchObject({ hit: true })
    expect(client.sent).toBe(0)
  })
})
