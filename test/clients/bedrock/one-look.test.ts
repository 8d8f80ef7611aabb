import { ConverseCommand, ConverseStreamCommand, InvokeModelCommand } from '@aws-sdk/client-bedrock-runtime'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createCache } from '../../../src/cache/cache.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import type { CacheOptions } from '../../../src/engine/settings/options.ts'
import { HotTier } from '../../../src/engine/tiers/hot-tier.ts'
import { deriveKey } from '../../../src/key/key.ts'
import { converseAnswer, converseEvents, headers, makeBedrock, send } from '../../support/bedrock-sdk.ts'
import { startBedrock } from '../../support/bedrock-server.ts'
import { settle } from '../../support/chat.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import type { ProviderServer } from '../../support/provider-server.ts'
import { ScriptedStore } from '../../support/scripted-store.ts'

vi.mock('../../../src/key/key.ts', { spy: true })

const messages = (text: string) => [{ role: 'user' as const, content: [{ text }] }]
const commands = [
  ['Converse', (text: string) => new ConverseCommand({ modelId: 'm', messages: messages(text) })],
  ['ConverseStream', (text: string) => new ConverseStreamCommand({ modelId: 'm', messages: messages(text) })],
  ['InvokeModel', (text: string) => new InvokeModelCommand({ modelId: 'm', body: JSON.stringify({ prompt: text }) })],
] as const

/** How often one call looks into memory and makes a key. */
async function countOf(ask: () => Promise<unknown>) {
  const looks = [vi.spyOn(HotTier.prototype, 'get'), vi.spyOn(HotTier.prototype, 'peek')]
  for (const spy of [...looks, vi.mocked(deriveKey)]) spy.mockClear()
  const source = await ask()
  const looked = looks.reduce((sum, { mock }) => sum + mock.calls.length, 0)
  return { source, looked, keys: vi.mocked(deriveKey).mock.calls.length }
}

describe.each(commands)('the way of a %s', (_, command) => {
  let server: ProviderServer
  beforeEach(async () => {
    server = await startBedrock('http1', ({ path }, reply) => {
      if (path.endsWith('/converse-stream')) return reply.events(converseEvents('Hello.').flat(), { headers })
      return reply.json(path.endsWith('/invoke') ? { generation: 'Hello.', stop_reason: 'stop' } : converseAnswer('Hello.'), { headers })
    })
  })
  afterEach(async () => {
    vi.restoreAllMocks()
    await server.close()
  })

  const askerOf = (options: CacheOptions) => {
    const cache = createCache({ clock: new ManualClock(), logger: false, prices: false, ...options })
    const client = withCache(makeBedrock('http1', { url: server.url }), cache)
    return async (text: string) => {
      const output = await send(client, command(text))
      const stream: unknown = Reflect.get(Object(output), 'stream')
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the SDK gives as a stream
      if (stream !== undefined) for await (const each of stream as AsyncIterable<unknown>) void each
      await settle()
      return Object(output)._cache.source
    }
  }

  it('looks into memory once and makes one key, for a miss and for a hit', async () => {
    const ask = askerOf({})
    await ask('warm up')
    expect(await countOf(() => ask('Hi'))).toEqual({ source: 'origin', looked: 1, keys: 1 })
    expect(await countOf(() => ask('Hi'))).toEqual({ source: 'memory', looked: 1, keys: 1 })
  })

  it('makes one key with a store, for a miss and for a hit in it', async () => {
    const options = { store: new ScriptedStore(), clock: new ManualClock() }
    await askerOf(options)('Hi')
    const ask = askerOf(options)
    await ask('warm up')
    expect(await countOf(() => ask('new'))).toMatchObject({ source: 'origin', keys: 1 })
    expect(await countOf(() => ask('Hi'))).toMatchObject({ source: 'scripted', keys: 1 })
  })
})

it('G06 sends what was keyed of a buffer that is used again, off the fast lane and after it', async () => {
  const server = await startBedrock('http1', ({ body }, reply) =>
    reply.json({ generation: Object(typeof body === 'string' ? JSON.parse(body) : body).prompt, stop_reason: 'stop' }, { headers }),
  )
  const client = withCache(makeBedrock('http1', { url: server.url }), createCache({ logger: false }))
  const ask = async (text: string, later?: string): Promise<unknown> => {
    const body = Buffer.from(JSON.stringify({ prompt: text }))
    const answer = send(client, new InvokeModelCommand({ modelId: 'm', body }))
    // At once and in a later turn: the lane and the documented way read at different times.
    if (later !== undefined)
      for (const turn of [0, 1, 2, 3]) await Promise.resolve(turn).then(() => body.write(JSON.stringify({ prompt: later })))
    return JSON.parse(Buffer.from(Object(await answer).body).toString()).generation
  }
  await ask('warm')
  await ask('own1', 'new1')
  expect(await ask('own1')).toBe('own1')
  expect(await ask('new1')).toBe('new1')
  await server.close()
})
