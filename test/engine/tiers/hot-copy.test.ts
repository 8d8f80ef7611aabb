import { describe, expect, it } from 'vitest'
import { answer, ask, openCache, question } from '../../support/chat.ts'
import { drive, step } from '../../support/drive.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { ScriptedStore } from '../../support/scripted-store.ts'

function twoNodes(options: Parameters<typeof openCache>[0] = {}) {
  const clock = new ManualClock()
  const store = new ScriptedStore()
  return { clock, store, here: openCache({ ...options, store, clock }), there: openCache({ ...options, store, clock }) }
}

async function put({ cache }: ReturnType<typeof openCache>, text: string): Promise<void> {
  await cache.store(question(), answer(text))
  await cache.flush()
}

const entryReads = (store: ScriptedStore): number => store.calls.filter((call) => call.startsWith('get') && call.includes(':v1:')).length

describe('a copy in hot memory', () => {
  it('is compared with the store after five minutes, and served on when it is still there', async () => {
    const { clock, store, here } = twoNodes()
    await put(here, 'mine')
    clock.advance(299_999)
    expect(await ask(here.cache)).toBe('mine')
    expect(entryReads(store)).toBe(0)
    clock.advance(1)
    const looked = await here.cache.lookup(question())
    expect(looked?.info).toMatchObject({ source: 'memory', age: 300, ttl: 3_300 })
    expect(entryReads(store)).toBe(1)
    clock.advance(299_999)
    expect(await ask(here.cache)).toBe('mine')
    expect(entryReads(store)).toBe(1)
  })

  it('gives way to what another process stored meanwhile', async () => {
    const { clock, here, there } = twoNodes({ maxMemoryTtl: '1m' })
    await put(here, 'older')
    clock.advance(1_000)
    await put(there, 'newer')
    clock.advance(58_999)
    expect(await ask(here.cache)).toBe('older')
    clock.advance(1)
    expect(await ask(here.cache)).toBe('newer')
  })

  it('does not give way to an older one, when its own write was lost', async () => {
    const { clock, store, here } = twoNodes({ maxMemoryTtl: '1m' })
    await here.cache.set('key', 'older')
    await here.cache.flush()
    clock.advance(1_000)
    store.writes = 'rejects'
    await here.cache.set('key', 'newer')
    await here.cache.flush()
    clock.advance(60_000)
    expect(await here.cache.get('key')).toBe('newer')
  })

  it('goes when it was removed from the store', async () => {
    const { clock, store, here } = twoNodes({ maxMemoryTtl: '1m' })
    await put(here, 'mine')
    store.map.clear()
    clock.advance(60_000)
    expect(await ask(here.cache)).toBeUndefined()
    expect(here.cache.memory().entries).toBe(0)
  })

  it.each(['throws', 'rejects', 'garbage'] as const)('R is served on while the store %s', async (reads) => {
    const { clock, store, here } = twoNodes({ maxMemoryTtl: '1m' })
    await put(here, 'mine')
    store.reads = reads
    for (let minute = 1; minute < 60; minute++) {
      clock.advance(60_000)
      expect(await ask(here.cache)).toBe('mine')
    }
    clock.advance(60_000)
    expect(await ask(here.cache)).toBeUndefined()
  })

  it('is served on where the store has something that cannot be read in its place', async () => {
    const { clock, store, here } = twoNodes({ maxMemoryTtl: '1m' })
    await put(here, 'mine')
    for (const key of store.entryKeys()) store.map.set(key, new Uint8Array([1, 2, 3]))
    clock.advance(60_000)
    expect(await ask(here.cache)).toBe('mine')
  })

  it('is compared each second once it is stale, as another process may have refreshed it', async () => {
    const { clock, store, here, there } = twoNodes({ ttl: '1m', stale: '1h' })
    const stale = question('What is the answer?', { mode: 'force-cache' })
    await put(here, 'older')
    clock.advance(60_000)
    for (let time = 0; time < 3; time++) expect(await ask(here.cache, stale)).toBe('older')
    expect(entryReads(store)).toBe(1)
    await put(there, 'newer')
    clock.advance(999)
    expect(await ask(here.cache, stale)).toBe('older')
    clock.advance(1)
    expect(await ask(here.cache, stale)).toBe('newer')
  })

  it('is compared along with what was invalidated, under its own tags too', async () => {
    const { clock, store, here, there } = twoNodes({ maxMemoryTtl: '1m' })
    await here.cache.store(question('What is the answer?', { tags: ['doc'] }), answer('mine'))
    await here.cache.flush()
    await there.cache.invalidate({ tags: ['doc'] })
    clock.advance(60_000)
    store.calls.length = 0
    expect(await ask(here.cache)).toBeUndefined()
    expect(store.calls.every((call) => call.startsWith('get'))).toBe(true)
  })

  it('I2 costs one deadline and no more when the store does not answer', async () => {
    const { clock, store, here } = twoNodes({ maxMemoryTtl: '1m' })
    await put(here, 'mine')
    clock.advance(60_000)
    store.reads = 'never'
    expect((await drive(clock, ask(here.cache))).took).toBeLessThanOrEqual(100 + step)
  })

  it('is never compared where there is no store', async () => {
    const { cache, clock } = openCache({ maxMemoryTtl: '1s' })
    await cache.store(question(), answer('mine'))
    clock.advance(3_599_999)
    expect(await ask(cache)).toBe('mine')
  })

  it('of many values is compared in one read', async () => {
    const { clock, store, here } = twoNodes({ maxMemoryTtl: '1m' })
    for (const key of ['a', 'b', 'c']) await here.cache.set(key, key)
    await here.cache.flush()
    clock.advance(60_000)
    store.map.delete([...store.map.keys()].find((key) => key.endsWith(':b')) ?? '')
    expect(await Promise.all(['a', 'b', 'c'].map((key) => here.cache.get(key)))).toEqual(['a', undefined, 'c'])
  })
})
