import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { cacheInfo } from '../../src/clients/cache-info.ts'
import { withCache } from '../../src/clients/with-cache.ts'
import { createCache } from '../../src/cache/cache.ts'
import type { CacheOptions } from '../../src/engine/settings/options.ts'
import { HotTier } from '../../src/engine/tiers/hot-tier.ts'
import { deriveKey } from '../../src/key/key.ts'
import { offLane, type Sdk, sdks } from '../support/openai-sdks.ts'
import { completion } from '../support/openai-answers.ts'
import { settle } from '../support/chat.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { type ProviderServer, startProvider } from '../support/provider-server.ts'
import { ScriptedStore } from '../support/scripted-store.ts'

vi.mock('../../src/key/key.ts', { spy: true })

/** How often one call looks into memory, makes a key and reads the store. */
async function countOf(ask: () => Promise<unknown>, store?: ScriptedStore) {
  const looks = [vi.spyOn(HotTier.prototype, 'get'), vi.spyOn(HotTier.prototype, 'peek')]
  for (const spy of [...looks, vi.mocked(deriveKey)]) spy.mockClear()
  if (store !== undefined) store.calls.length = 0
  const source = await ask()
  const looked = looks.reduce((sum, { mock }) => sum + mock.calls.length, 0)
  return { source, looked, keys: vi.mocked(deriveKey).mock.calls.length, reads: store?.count('get') ?? 0 }
}

describe.each(sdks)('the way of a call through $name', (sdk) => {
  let server: ProviderServer
  beforeEach(async () => {
    server = await startProvider((_, reply) => reply.json(completion('Hello.')))
  })
  afterEach(async () => {
    vi.restoreAllMocks()
    await server.close()
  })

  const askerOf = ({ make }: Sdk, options: CacheOptions) => {
    const cache = createCache({ clock: new ManualClock(), logger: false, prices: false, ...options })
    const { completions } = withCache(make({ url: server.url }), cache).chat
    return async (content: string): Promise<unknown> => {
      const result = await completions.create({ model: 'm', messages: [{ role: 'user', content }] }, {})
      await settle()
      return cacheInfo(result)?.source
    }
  }

  // The lane knows the key of a text that comes again.
  it.each([
    ['the fast lane', sdk, 0],
    ['the documented seam', offLane(sdk), 1],
  ])('by %s looks into memory once and makes one key for a miss, and looks once for a hit in memory', async (_, own, keys) => {
    const ask = askerOf(own, {})
    await ask('warm up')
    expect(await countOf(() => ask('Hi'))).toEqual({ source: 'origin', looked: 1, keys: 1, reads: 0 })
    expect(await countOf(() => ask('Hi'))).toEqual({ source: 'memory', looked: 1, keys, reads: 0 })
  })

  it.each([
    ['the fast lane', sdk],
    ['the documented seam', offLane(sdk)],
  ])('I2 by %s looks into memory once, makes one key and reads the store once for a miss, and for a hit in the store', async (_, own) => {
    const store = new ScriptedStore()
    const options = { store, clock: new ManualClock() }
    await askerOf(own, options)('Hi')
    const ask = askerOf(own, options)
    await ask('warm up')
    expect(await countOf(() => ask('new'), store)).toEqual({ source: 'origin', looked: 1, keys: 1, reads: 1 })
    expect(await countOf(() => ask('Hi'), store)).toEqual({ source: 'scripted', looked: 1, keys: 1, reads: 1 })
  })

  it('makes a second key for the first call of its form, by which the fast lane learns that it makes the same', async () => {
    const ask = askerOf(sdk, {})
    expect(await countOf(() => ask('Hi'))).toEqual({ source: 'origin', looked: 1, keys: 2, reads: 0 })
  })
})
