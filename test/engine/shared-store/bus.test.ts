import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { ChannelListener } from '../../../src/store.ts'
import { answer, ask, openCache, question, settle } from '../../support/chat.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { ScriptedStore } from '../../support/scripted-store.ts'

/** A store whose processes hear one another, unless the test has cut them off. */
class HearingStore extends ScriptedStore {
  readonly said: string[] = []
  readonly channels = new Set<string>()
  readonly listeners = new Set<ChannelListener>()
  deaf = false

  publish(channel: string, message: string): Promise<void> {
    this.channels.add(channel)
    this.said.push(message)
    return this.deaf ? Promise.reject(new Error('no connection')) : Promise.resolve(this.say(message))
  }

  say(message: string): void {
    for (const listener of this.listeners) listener.heard(message)
  }

  reconnect(): void {
    this.deaf = false
    for (const listener of this.listeners) listener.missed()
  }

  subscribe(_: string, listener: ChannelListener): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }
}

/** Two processes over one store, on a clock that stands still: a message that is lost is not made up for by a read. */
async function pair(options: { maxMemoryBytes?: number } = {}) {
  const store = new HearingStore()
  const clock = new ManualClock()
  const [here, there] = [openCache({ store, clock, ...options }), openCache({ store, clock, ...options })]
  await here.cache.store(question('kept', { tags: ['a'] }), answer('kept'))
  await here.cache.store(question('lost', { tags: ['b'] }), answer('lost'))
  await here.cache.set('value', 1)
  await here.cache.flush()
  const seen = async () => [
    await ask(there.cache, question('kept', { tags: ['a'] })),
    await ask(there.cache, question('lost', { tags: ['b'] })),
    await there.cache.get('value'),
  ]
  expect(await seen()).toEqual(['kept', 'lost', 1])
  return { store, clock, here, there, seen }
}

describe('over a store that passes messages on', () => {
  it('an invalidation is heeded by the other process at once, and nothing else is lost', async () => {
    const { here, seen } = await pair()
    expect(await here.cache.invalidate({ tags: ['b'] })).toBe(true)
    expect(await seen()).toEqual(['kept', undefined, 1])
  })

  it('so is a value that was deleted, by key or by pattern', async () => {
    const { here, there, seen } = await pair()
    await here.cache.del('value')
    expect(await seen()).toEqual(['kept', 'lost', undefined])
    await there.cache.set('value', 2)
    await there.cache.flush()
    expect(await here.cache.get('value')).toBe(2)
    await there.cache.delByPattern('val*')
    expect(await here.cache.get('value')).toBe(undefined)
  })

  it('K09 an answer that was on its way when another process invalidated it is not stored', async () => {
    const { here, there } = await pair()
    const gate = Promise.withResolvers<number>()
    const asked = Promise.withResolvers<void>()
    const made = there.cache.wrap('slow', '1m', () => {
      asked.resolve()
      return gate.promise
    })
    await asked.promise
    await here.cache.clear()
    gate.resolve(7)
    expect(await made).toBe(7)
    expect(await there.cache.get('slow')).toBe(undefined)
  })

  it('holds even where the store cannot be read just then', async () => {
    const { here, store, seen } = await pair()
    store.deletes = 'works'
    await here.cache.invalidate({ all: true })
    store.reads = 'rejects'
    expect(await seen()).toEqual([undefined, undefined, undefined])
  })

  it('what was sent while the connection was lost is found once it is there again', async () => {
    const { here, store, seen } = await pair()
    store.deaf = true
    await here.cache.invalidate({ tags: ['a'] })
    await here.cache.del('value')
    expect(await seen()).toEqual(['kept', 'lost', 1])
    store.reconnect()
    expect(await seen()).toEqual([undefined, 'lost', undefined])
  })

  it('a message that cannot be sent is a fault and no failure: the invalidation was written', async () => {
    const { here, store } = await pair()
    store.deaf = true
    expect(await here.cache.invalidate({ tags: ['a'] })).toBe(true)
    expect(here.errors()).toEqual(['write'])
    expect(here.told.lines).toEqual([])
  })

  it('messages out of order do not bring back what was invalidated: the generation in the store counts', async () => {
    const { here, there, store, seen } = await pair()
    await here.cache.invalidate({ tags: ['a'] })
    const [first] = store.said
    await here.cache.invalidate({ tags: ['a'] })
    expect(await seen()).toEqual([undefined, 'lost', 1])
    await there.cache.store(question('kept', { tags: ['a'] }), answer('again'))
    store.say(first ?? '')
    await there.cache.flush()
    expect(await seen()).toEqual(['again', 'lost', 1])
    expect(await ask(here.cache, question('kept', { tags: ['a'] }))).toBe('again')
  })

  it.each([
    '',
    'null',
    '{}',
    '[',
    '[2,"x","declared","m","g"]',
    '[1,"x","declared",5,null]',
    '[1,"x","removed",{},""]',
    '[1,"x","other","a","b"]',
  ])('what another version or another application says, %j, is ignored', async (message) => {
    const { store, there, seen } = await pair()
    store.say(message)
    const reads = store.count('get')
    expect(await seen()).toEqual(['kept', 'lost', 1])
    expect(store.count('get')).toBe(reads)
    expect(there.errors()).toEqual([])
  })

  it('what was invalidated while it was being read is read once more', async () => {
    const { store, clock, here } = await pair()
    const late = openCache({ store, clock })
    store.reads = 'held'
    const asked = late.cache.get('value')
    await settle()
    store.reads = 'works'
    await here.cache.invalidate({ operation: 'value' })
    store.release()
    expect(await asked).toBe(undefined)
    expect(await late.cache.get('value')).toBe(undefined)
  })

  it('a label that this process never used can be invalidated elsewhere without a read of the store', async () => {
    const { store, here, seen } = await pair()
    const reads = store.count('get')
    for (let number = 0; number < 100; number++) await here.cache.invalidate({ tags: [`other ${number}`] })
    expect(await seen()).toEqual(['kept', 'lost', 1])
    expect(store.count('get')).toBe(reads)
  })

  it('a forged invalidation costs a look into the store and nothing more', async () => {
    const { store, here, seen } = await pair()
    await here.cache.invalidate({ tags: ['none'] })
    const [real = ''] = store.said
    expect(real).toContain(':mark:')
    const generationKeys = [...store.map.keys()].filter((key) => key.includes(':mark:'))
    store.say(JSON.stringify([1, 'x', 'declared', 'no key', crypto.randomUUID()]))
    expect(await seen()).toEqual(['kept', 'lost', 1])
    const all = `:mark:${createHash('sha256').update('all').digest('hex')}`
    store.say(JSON.stringify([1, 'x', 'declared', all, crypto.randomUUID()]))
    expect(await seen()).toEqual(['kept', 'lost', 1])
    expect([...store.map.keys()].filter((key) => key.includes(':mark:'))).toEqual(generationKeys)
  })

  it('I7 messages hold neither tags, questions nor answers; each namespace has its channel', async () => {
    const { here, store, clock } = await pair()
    await here.cache.invalidate({ tags: ['a'] })
    const other = openCache({ store, clock, namespace: 'other' })
    await other.cache.clear()
    expect(store.channels).toEqual(new Set(['llmemo/:news', 'llmemo/other:news']))
    expect(store.said).toHaveLength(2)
    for (const message of store.said)
      expect(message).toMatch(/^\[1,"[0-9a-f-]{36}","declared","llmemo\/(?:other)?:mark:[0-9a-f]{64}","i-[0-9a-f-]{36}"\]$/)
  })

  it('I5 nothing listens after close', async () => {
    const { here, there, store, clock } = await pair()
    expect(store.listeners.size).toBe(2)
    await here.cache.close()
    await there.cache.close()
    expect(store.listeners.size).toBe(0)
    expect(clock.timers).toBe(0)
  })
})
