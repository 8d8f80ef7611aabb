import { describe, expect, it } from 'vitest'
import type { Cache, CacheRequest, Invalidation } from '../../../src/cache/cache.ts'
import type { Store } from '../../../src/store.ts'
import { memoryStore } from '../../../src/stores/memory-store.ts'
import { answer, ask, openCache, question, settle } from '../../support/chat.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { ScriptedStore } from '../../support/scripted-store.ts'

const asked: CacheRequest = question('What is the answer?', { tags: ['doc'], scope: 'tenant', operation: 'qa' })

const selectors: Invalidation[] = [{ tags: ['doc'] }, { scope: 'tenant' }, { operation: 'qa' }, { model: 'gpt-5-mini' }, { all: true }]

/** Loses every generation, as eviction, a failover or an old dump may. */
function loseGenerations(store: ScriptedStore): void {
  for (const key of store.map.keys()) if (!store.entryKeys().includes(key)) store.map.delete(key)
}

function setup() {
  const store = new ScriptedStore()
  const clock = new ManualClock()
  const open = (): Cache => openCache({ store, clock }).cache
  return { store, clock, open }
}

async function fill(cache: Cache, text: string, what: CacheRequest = asked): Promise<void> {
  await cache.store(what, answer(text))
  await cache.flush()
}

describe('a store that loses generations', () => {
  it.each(selectors)('G13 brings back nothing that was invalidated by %j', async (what) => {
    const { store, open } = setup()
    const here = open()
    await fill(here, 'outdated')
    expect(await here.invalidate(what)).toBe(true)
    loseGenerations(store)
    expect(await ask(open(), asked)).toBeUndefined()
  })

  it.each(selectors)('G13 brings nothing back once %j has a new generation', async (what) => {
    const { store, open } = setup()
    const here = open()
    await fill(here, 'outdated')
    await here.invalidate(what)
    loseGenerations(store)
    // Another answer under the same labels gives them generations again.
    await fill(open(), 'other', { ...asked, body: { model: 'gpt-5-mini', messages: [{ role: 'user', content: 'other' }] } })
    expect(await ask(open(), asked)).toBeUndefined()
  })

  it('G13 makes a miss of what was never invalidated, and a hit of what is filled next', async () => {
    const { store, open } = setup()
    await fill(open(), 'first')
    loseGenerations(store)
    const there = open()
    expect(await ask(there, asked)).toBeUndefined()
    await fill(there, 'second')
    expect(await ask(open(), asked)).toBe('second')
  })

  it('G13 is noticed within the delay by a process that holds the answer in memory', async () => {
    const { store, clock, open } = setup()
    const [here, there] = [open(), open()]
    await fill(here, 'outdated')
    expect(await ask(there, asked)).toBe('outdated')
    await here.invalidate({ tags: ['doc'] })
    loseGenerations(store)
    clock.advance(1_001)
    expect([await ask(here, asked), await ask(there, asked)]).toEqual([undefined, undefined])
  })
})

describe('the first fill of a label', () => {
  it('G13 gives it a generation behind the caller, once; a hit writes nothing', async () => {
    const { store, clock, open } = setup()
    const here = open()
    await fill(here, 'first')
    // All, the scope, the operation, the model, the tag, what tells of removals, and the removal label.
    expect(store.calls.filter((call) => call.startsWith('set-if-absent '))).toHaveLength(7)
    store.calls.length = 0
    clock.advance(1_001)
    expect([await ask(here, asked), await ask(open(), asked)]).toEqual(['first', 'first'])
    expect(store.calls.filter((call) => call.startsWith('set'))).toEqual([])
    await fill(open(), 'second', question('another', { tags: ['doc'], scope: 'tenant', operation: 'qa' }))
    // Its removal label.
    expect(store.calls.filter((call) => call.startsWith('set-if-absent '))).toHaveLength(1)
  })

  it('G13 by several processes at once gives all of them one generation, and none of their answers is lost', async () => {
    const { store, open } = setup()
    const caches = Array.from({ length: 5 }, () => open())
    const questions = caches.map((_, index) => ({ ...asked, body: { ...asked.body, seed: index } }))
    store.writes = 'held'
    const fills = caches.map(async (cache, index) => fill(cache, `answer ${index}`, questions[index]))
    for (let turn = 0; turn < 20; turn++) {
      await settle()
      store.release()
    }
    await Promise.all(fills)
    store.writes = 'works'
    const found = await Promise.all(questions.map((each) => ask(open(), each)))
    expect(found).toEqual(caches.map((_, index) => `answer ${index}`))
    expect(await Promise.all(questions.map((each, index) => ask(caches[index] ?? open(), each)))).toEqual(found)
  })

  it('G13 does not take over the generation of an invalidation that came in between', async () => {
    const { store, open } = setup()
    const [here, there] = [open(), open()]
    store.writes = 'held'
    const filling = fill(there, 'outdated')
    await settle()
    // The other process has read that there is no generation, and this one declares one.
    const declared = here.invalidate({ tags: ['doc'] })
    await settle()
    store.releaseLast()
    for (let turn = 0; turn < 20; turn++) {
      await settle()
      store.release()
    }
    expect(await declared).toBe(true)
    await filling
    store.writes = 'works'
    expect([await ask(open(), asked), await ask(there, asked)]).toEqual([undefined, undefined])
  })

  it('G13 waits for nothing: a store that never confirms it costs its caller nothing', async () => {
    const { store, clock, open } = setup()
    const here = open()
    store.writes = 'never'
    await here.store(asked, answer('kept in memory'))
    expect(await ask(here, asked)).toBe('kept in memory')
    clock.advance(60_000)
    await settle()
    expect(await ask(here, asked)).not.toBe('another')
  })
})

/** A store of one's own, with the three methods that every store must have. */
function plainStore(): Store & { readonly map: Map<string, Uint8Array> } {
  const map = new Map<string, Uint8Array>()
  return {
    name: 'plain',
    map,
    get: (key) => map.get(key),
    set: (key, value) => void map.set(key, new Uint8Array(value)),
    delete: (key) => void map.delete(key),
  }
}

describe.each([
  ['without "set if absent"', plainStore],
  ['with it', memoryStore],
])('a store %s', (_, make) => {
  it('G13 keeps the first answer of a label, and heeds invalidations', async () => {
    const store = make()
    await fill(openCache({ store }).cache, 'first')
    const there = openCache({ store }).cache
    expect(await ask(there, asked)).toBe('first')
    await there.invalidate({ tags: ['doc'] })
    const last = openCache({ store }).cache
    expect(await ask(last, asked)).toBeUndefined()
    await fill(last, 'second')
    expect(await ask(openCache({ store }).cache, asked)).toBe('second')
  })
})
