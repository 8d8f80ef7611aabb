import { describe, expect, it } from 'vitest'
import type { Cache } from '../../../src/cache/cache.ts'
import type { CacheOptions } from '../../../src/engine/settings/options.ts'
import { isRemovalLabel, removalLabel, withoutRemovals } from '../../../src/engine/invalidation/removal-labels.ts'
import { entryKey, valuePrefix } from '../../../src/key/store-keys.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { answer, ask, openCache, question, settle } from '../../support/chat.ts'
import { ScriptedStore } from '../../support/scripted-store.ts'

const encryption = { keys: { first: Buffer.alloc(32, 7).toString('base64') }, current: 'first' }
const forms: Readonly<Record<string, CacheOptions>> = { plain: {}, encrypted: { encryption } }

async function fill(cache: Cache, text: string): Promise<string> {
  const { key } = await cache.store(question(text), answer(text))
  await cache.flush()
  return key
}

describe.each(Object.keys(forms))('an answer that is removed while it is on its way to the store: %s', (form) => {
  function setup() {
    const store = new ScriptedStore()
    const clock = new ManualClock()
    const open = (): Cache => openCache({ store, clock, ...forms[form] }).cache
    return { store, clock, open }
  }

  it.each<[string, (cache: Cache, key: string) => Promise<unknown>]>([
    ['its key', (cache, key) => cache.invalidate({ key })],
    ['its result', (cache, key) => cache.forget({ hit: false, key })],
  ])('G19 by %s is not served by a third process, whatever the clocks say', async (_, remove) => {
    const { store, clock, open } = setup()
    const [here, there] = [open(), open()]
    const key = await fill(here, 'x')
    // Another process has a newer one, which the store does not take yet.
    store.writes = 'held'
    await there.store(question('x'), answer('late'))
    await settle()
    const late = [...store.calls]
    store.writes = 'works'
    clock.jump(-600_000)
    expect(await remove(here, key)).toBe(true)
    expect(late.some((call) => call.startsWith('set '))).toBe(true)
    for (let turn = 0; turn < 20; turn++) {
      store.release()
      await settle()
    }
    await there.flush()
    clock.jump(600_000)
    expect(await ask(open(), question('x'))).toBeUndefined()
    clock.advance(1_001)
    expect([await ask(here, question('x')), await ask(there, question('x'))]).toEqual([undefined, undefined])
    // What is filled from now on is good for all.
    await fill(there, 'x')
    expect([await ask(here, question('x')), await ask(open(), question('x'))]).toEqual(['x', 'x'])
  })

  it('G13 does not come back when the store loses what tells of the removal', async () => {
    const { store, clock, open } = setup()
    const [here, there] = [open(), open()]
    const key = await fill(here, 'x')
    store.writes = 'held'
    await there.store(question('x'), answer('late'))
    await settle()
    store.writes = 'works'
    const before = new Map(store.map)
    await here.invalidate({ key })
    for (let turn = 0; turn < 20; turn++) {
      store.release()
      await settle()
    }
    await there.flush()
    // All generations that the removal changed.
    for (const [name, value] of store.map)
      if (before.has(name) && !Buffer.from(before.get(name) ?? []).equals(value)) store.map.delete(name)
    clock.advance(1_001)
    expect([await ask(open(), question('x')), await ask(there, question('x'))]).toEqual([undefined, undefined])
  })
})

function counted() {
  const store = new ScriptedStore()
  const clock = new ManualClock()
  const open = (): Cache => openCache({ store, clock }).cache
  const reads = async (work: () => Promise<unknown>): Promise<number> => {
    store.calls.length = 0
    await work()
    return store.calls.filter((call) => call.startsWith('get ')).length
  }
  return { store, clock, open, reads }
}

describe('what removals cost', () => {
  it('hits read nothing more while nothing was removed by its key', async () => {
    const { open, reads } = counted()
    const here = open()
    for (const text of ['x', 'y']) await fill(here, text)
    const there = open()
    await ask(there, question('x'))
    expect(await reads(() => ask(there, question('y')))).toBe(1)
    expect(await reads(() => ask(there, question('y')))).toBe(0)
  })

  it('after a removal, each removal label is read once, along with its entry', async () => {
    const { clock, open, reads } = counted()
    const here = open()
    for (const text of ['x', 'y']) await fill(here, text)
    await here.invalidate({ key: await fill(here, 'z') })
    const there = open()
    await ask(there, question('x'))
    expect(await reads(() => ask(there, question('y')))).toBe(2)
    // All, scope, operation and model, and what tells of removals.
    clock.advance(1_001)
    expect(await reads(() => ask(there, question('y')))).toBe(5)
    expect(await reads(() => ask(there, question('y')))).toBe(0)
  })

  it('a removal leaves the other answers as they are', async () => {
    const { clock, open } = counted()
    const [here, there] = [open(), open()]
    const texts = Array.from({ length: 20 }, (_, index) => `question ${index}`)
    const keys: string[] = []
    for (const text of texts) keys.push(await fill(here, text))
    await ask(there, question('question 7'))
    await here.invalidate({ key: keys[3] ?? '' })
    clock.advance(1_001)
    for (const cache of [here, there, open()]) {
      for (const text of texts) expect(await ask(cache, question(text))).toBe(text === 'question 3' ? undefined : text)
    }
  })
})

describe('a removal label', () => {
  it('is that of a key, and no label of a call', () => {
    const key = 'ab'.repeat(32)
    expect(removalLabel(entryKey('space', key))).toBe('removed:abab')
    expect(removalLabel(`${valuePrefix('space', 'mine')}user:1`)).toMatch(/^removed-value:[\da-f]{4}$/)
    const labels = ['all', 'scope:removed', 'operation:removed', 'tag:removed', 'model:removed', 'removals']
    expect(labels.filter(isRemovalLabel)).toEqual([])
    expect(withoutRemovals({ all: 'i-1', removals: 'i-2', [removalLabel(entryKey('space', key))]: 'i-3' })).toEqual(['all'])
  })
})
