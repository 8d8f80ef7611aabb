import { AsyncLocalStorage } from 'node:async_hooks'
import { tracingChannel } from 'node:diagnostics_channel'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Tracing } from '../../src/base/tracing.ts'
import { type Cache, createCache } from '../../src/cache/cache.ts'
import { cachingFetch } from '../../src/clients/with-cache.ts'
import { answer, callerOf, openCache, question } from '../support/chat.ts'
import { ScriptedStore } from '../support/scripted-store.ts'

const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

/** Notes what a channel tells: the step, and the members of its context at that time. */
function follow(name: string): [step: string, context: Record<string, unknown>][] {
  const told: [string, Record<string, unknown>][] = []
  const note = (step: string) => (context: object) => void told.push([step, { ...context }])
  const steps = { start: note('start'), end: note('end'), asyncStart: note('asyncStart'), asyncEnd: note('asyncEnd'), error: note('error') }
  const channel = tracingChannel(name)
  channel.subscribe(steps)
  ends.push(() => channel.unsubscribe(steps))
  return told
}

const url = 'https://api.openai.com/v1'
const headers = { authorization: 'Bearer sk-test', 'content-type': 'application/json' }

/** Asks for embeddings of texts through a cache. */
async function embed(cache: Cache, input: readonly string[]): Promise<void> {
  const data = input.map((_, index) => ({ object: 'embedding', index, embedding: [index] }))
  const usage = { prompt_tokens: 1, total_tokens: 1 }
  const fetch = cachingFetch(cache, () => Promise.resolve(Response.json({ object: 'list', data, model: 'm', usage })))
  const response = await fetch(`${url}/embeddings`, { method: 'POST', headers, body: JSON.stringify({ model: 'm', input }) })
  await response.text()
}

describe('the tracing channels', () => {
  it('tell each look-up, each write to the store and each flight, with nothing of a prompt or an answer', async () => {
    const lookups = follow('llmemo:lookup')
    const writes = follow('llmemo:store')
    const flights = follow('llmemo:flight')
    const { cache } = openCache({ store: new ScriptedStore(), maxMemoryBytes: 0, scope: 'tenant' })
    const caller = callerOf(cache)
    await caller.ask('secret question')
    await cache.flush()
    await caller.ask('secret question')
    const lookup = {
      scope: 'tenant',
      provider: 'openai',
      endpoint: 'chat.completions',
      keys: 1,
      key: expect.stringMatching(/^[\da-f]{64}$/),
    }
    expect(lookups).toEqual([
      ['start', lookup],
      ['end', lookup],
      ['asyncStart', { ...lookup, found: 0, source: undefined }],
      ['asyncEnd', { ...lookup, found: 0, source: undefined }],
      ['start', lookup],
      ['end', lookup],
      ['asyncStart', { ...lookup, found: 1, source: 'scripted' }],
      ['asyncEnd', { ...lookup, found: 1, source: 'scripted' }],
    ])
    const written = writes.filter(([step, { entries }]) => step === 'asyncEnd' && entries === 1)
    expect(written.at(-1)).toEqual(['asyncEnd', { store: 'scripted', entries: 1, bytes: expect.any(Number), written: true }])
    expect(flights.map(([step]) => step)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd'])
    expect(flights[0]?.[1]).not.toHaveProperty('end')
    expect(flights.at(-1)?.[1]).toMatchObject({ operation: 'chat', end: 'complete', usage: { input: 9, output: 12 } })
    expect(JSON.stringify([lookups, writes, flights])).not.toContain('secret')
    await cache.close()
  })

  it('tell a hit in memory at once, and a batch as one look-up', async () => {
    const lookups = follow('llmemo:lookup')
    const { cache } = openCache()
    await cache.store(question('a'), answer())
    await cache.lookup(question('a'))
    expect(lookups.map(([step, { found, source }]) => [step, found, source])).toEqual([
      ['start', undefined, undefined],
      ['end', 1, 'memory'],
    ])
    lookups.length = 0
    await embed(cache, ['x', 'y'])
    expect(lookups.map(([step, { keys, found }]) => [step, keys, found])).toEqual([
      ['start', 2, undefined],
      ['end', 2, undefined],
      ['asyncStart', 2, 0],
      ['asyncEnd', 2, 0],
    ])
  })

  it('tell a flight that fails as a fault', async () => {
    const flights = follow('llmemo:flight')
    const { cache } = openCache()
    const fetch = cachingFetch(cache, () => Promise.reject(new TypeError('secret outage')))
    const asked = fetch(`${url}/chat/completions`, { method: 'POST', headers, body: JSON.stringify(question('a').body) })
    await expect(asked).rejects.toThrow('secret outage')
    expect(flights.map(([step]) => step)).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd'])
    expect(flights.at(-1)?.[1]).toMatchObject({ end: 'failed' })
    expect(JSON.stringify(flights)).not.toContain('secret')
  })

  it('bind the stores of a subscriber for the work', () => {
    const store = new AsyncLocalStorage<string>()
    const channel = tracingChannel('llmemo:test')
    channel.start.bindStore(store, () => 'bound')
    const seen = new Tracing<{ value?: string | undefined }>('llmemo:test').run(
      {},
      () => store.getStore(),
      (context, value) => void (context.value = value),
    )
    channel.start.unbindStore(store)
    expect(seen).toBe('bound')
  })

  it('cost nothing while nothing subscribes: nothing is built or told', async () => {
    const run = vi.spyOn(Tracing.prototype, 'run')
    const { cache } = openCache({ store: new ScriptedStore() })
    const caller = callerOf(cache)
    await caller.ask('a')
    await caller.ask('a')
    await embed(cache, ['x'])
    await cache.flush()
    expect(run).not.toHaveBeenCalled()
    const built = vi.fn<() => object>(() => ({}))
    expect(new Tracing('llmemo:test').begin(built)).toBeUndefined()
    expect(built).not.toHaveBeenCalled()
    const lookups = follow('llmemo:lookup')
    await caller.ask('a')
    expect(run).toHaveBeenCalledTimes(1)
    expect(lookups).toHaveLength(2)
    await cache.close()
  })

  it('are not there in a runtime without them, and the cache works', async () => {
    vi.spyOn(process, 'getBuiltinModule').mockImplementation(() => undefined)
    const cache = createCache({ logger: false })
    await cache.set('a', 1)
    expect(await cache.get('a')).toBe(1)
    expect(new Tracing('llmemo:lookup').isHeard).toBe(false)
  })
})
