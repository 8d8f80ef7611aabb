import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import type { EncryptionOptions } from '../../src/codec/encryption.ts'
import type { ChannelListener, Store } from '../../src/store.ts'
import { memoryStore } from '../../src/stores/memory-store.ts'
import { redisStore } from '../../src/stores/redis/store.ts'
import { sqliteStore } from '../../src/stores/sqlite/store.ts'
import { Adversary } from '../support/adversary.ts'
import { answer, ask, openCache, question, settle } from '../support/chat.ts'
import { drive } from '../support/drive.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { askThrough, StubProvider } from '../support/provider-stub.ts'
import { versions } from '../support/redis-clients.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'

let server: RedisServer
const cleanups: (() => void)[] = []
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

const stores: Readonly<Record<string, () => Promise<Store>>> = {
  memory: async () => memoryStore(),
  async sqlite() {
    const folder = mkdtempSync(join(tmpdir(), 'llmemo-adversary-'))
    const store = sqliteStore(join(folder, 'answers.db'))
    cleanups.push(() => {
      void store.close?.()
      rmSync(folder, { recursive: true })
    })
    return store
  },
  async redis() {
    const client = versions[0][1](server)
    cleanups.push(() => client.disconnect())
    await client.flushall()
    return redisStore(client)
  },
}

const oldKey = new Uint8Array(32).fill(1)
const newKey = new Uint8Array(32).fill(2)
const sealed: EncryptionOptions = { keys: { old: oldKey }, current: 'old' }
const modes: Readonly<Record<string, EncryptionOptions | undefined>> = { encrypted: sealed, plain: undefined }

/** The bearers of what is stored: each question and each value once in each scope and namespace. */
const homes = [
  { namespace: 'one', scope: 'a' },
  { namespace: 'one', scope: 'b' },
  { namespace: 'two', scope: 'a' },
] as const
// The key of a value may look like anything, the key of an answer included.
const valueKeys = ['x', 'y', '0'.repeat(64)] as const

const cases = Object.keys(stores).flatMap((store) => Object.keys(modes).map((mode) => [store, mode] as const))

async function open(storeName: string, mode = 'encrypted') {
  const encryption = modes[mode]
  const store = await (stores[storeName] ?? stores['memory'])?.()
  assert(store !== undefined)
  // The machine's time counts for the store; the deadlines of the cache stand still.
  const process = (options: Parameters<typeof openCache>[0] = {}) => openCache({ store, ...(encryption && { encryption }), ...options })
  return { store, adversary: new Adversary(store), process }
}

const words = (home: object, what: string): string => JSON.stringify([home, what])

/** Stores what an adversary may guess. */
async function storeGuessed({ cache }: { readonly cache: Cache }): Promise<void> {
  await cache.store(question('guessed prompt', { tags: ['guessed tag'], scope: 'guessed scope' }), answer())
  await cache.set('guessed:1', 1)
  await cache.flush()
}

/** Whatever can be read in these homes must be what was put there. */
async function seen(process: (options: Parameters<typeof openCache>[0]) => { cache: Cache }): Promise<[got: unknown, right: string][]> {
  const all: [unknown, string][] = []
  for (const home of homes) {
    const { cache } = process({ ...home, maxMemoryBytes: 0 })
    for (const text of ['q1', 'q2']) all.push([await ask(cache, question(text)), words(home, text)])
    for (const key of valueKeys) all.push([await cache.get(key), words(home, key)])
  }
  return all
}

describe.each(cases)('an adversary with access to the store %s, %s', (storeName, mode) => {
  it('G54 swaps bytes between keys, scopes, namespaces and kinds, and none is believed', async () => {
    const { adversary, process } = await open(storeName, mode)
    for (const home of homes) {
      const { cache } = process(home)
      for (const text of ['q1', 'q2']) await cache.store(question(text), answer(words(home, text)))
      for (const key of valueKeys) await cache.set(key, words(home, key))
      await cache.flush()
    }
    for (const [got, right] of await seen(process)) expect(got).toBe(right)
    const entries = new Map([...(await adversary.records())].filter(([key]) => /:(v1|kv|edition):/.test(key)))
    expect(entries.size).toBe(mode === 'plain' ? 15 : 30)
    for (let by = 1; by < entries.size; by++) {
      await adversary.rotate(entries, by)
      for (const [got, right] of await seen(process)) expect([undefined, right]).toContain(got)
    }
    await adversary.put(entries)
    expect((await seen(process)).every(([got, right]) => got === right)).toBe(true)
  })

  it('G54 puts an answer in the place of a value whose key is that of the answer: neither is taken for the other', async () => {
    const { adversary, process } = await open(storeName, mode)
    const { cache } = process()
    const { key } = await cache.store(question('q'), answer('an answer'))
    await cache.set(key, 'a value')
    await cache.flush()
    const [ofAnswer, ofValue] = [[...(await adversary.records(':v1:'))][0], [...(await adversary.records(':kv:'))][0]]
    assert(ofAnswer !== undefined && ofValue !== undefined)
    await adversary.put(
      new Map([
        [ofAnswer[0], ofValue[1]],
        [ofValue[0], ofAnswer[1]],
      ]),
    )
    const reader = process()
    expect([await ask(reader.cache, question('q')), await reader.cache.get(key)]).toEqual([undefined, undefined])
    expect(reader.errors()).toEqual(['foreign', 'foreign'])
  })

  it('G54 puts an entry of another namespace in the place of a value: it is foreign', async () => {
    const { adversary, process } = await open(storeName, mode)
    for (const namespace of ['one', 'two']) {
      const { cache } = process({ namespace })
      await cache.set('x', namespace)
      await cache.flush()
    }
    const [one, two] = [[...(await adversary.records('one:kv:'))][0], [...(await adversary.records('two:kv:'))][0]]
    assert(one !== undefined && two !== undefined)
    await adversary.put(new Map([[one[0], two[1]]]))
    const { cache, errors } = process({ namespace: 'one' })
    expect(await cache.get('x')).toBeUndefined()
    expect(errors()).toEqual(['foreign'])
  })
})

describe.each(Object.keys(stores))('an adversary with access to the encrypted store %s', (storeName) => {
  it.each<[string, (cache: Cache) => Promise<unknown>]>([
    ['forget', async (cache) => cache.forget((await cache.lookup(question('q'))) ?? {})],
    ['invalidate by key', async (cache) => cache.invalidate({ key: (await cache.lookup(question('q')))?.info.key ?? '' })],
    ['del', (cache) => cache.del('v')],
    ['delByPattern', (cache) => cache.delByPattern('v*')],
    ['del, twice', async (cache) => [await cache.del('v'), await cache.del('v')]],
  ])('G54 brings back what was removed by %s: it stays removed', async (_, remove) => {
    const { adversary, process } = await open(storeName)
    const { cache } = process()
    await cache.store(question('q'), answer('old'))
    await cache.store(question('kept'), answer('kept'))
    await cache.set('v', 'old')
    await cache.flush()
    const before = await adversary.records()
    await remove(cache)
    const wasAnswer = (await ask(cache, question('q'))) === undefined
    const get = async (from: Cache): Promise<unknown> => (wasAnswer ? ask(from, question('q')) : from.get('v'))
    // Removed for good, or overwritten: both are put back.
    expect(await adversary.bringBack(before)).toBeGreaterThan(0)
    expect([await get(cache), await get(process().cache)]).toEqual([undefined, undefined])
    await adversary.replay(before, [':mark:', ':edition:'])
    expect([await get(cache), await get(process().cache)]).toEqual([undefined, undefined])
    // Even all of its records, editions included, are not believed by the process that removed it.
    await adversary.replay(before, [':mark:'])
    expect(await get(cache)).toBeUndefined()
    expect(await ask(process().cache, question('kept'))).toBe('kept')
    // And it can be filled again.
    if (wasAnswer) await cache.store(question('q'), answer('new'))
    else await cache.set('v', 'new')
    await cache.flush()
    expect(await get(process().cache)).toBe('new')
    await adversary.replay(before, [':mark:', ':edition:'])
    expect(await get(process().cache)).toBeUndefined()
  })

  it('G54 forges generations, or copies them from other labels and namespaces: a miss, one line, and it goes on', async () => {
    const { adversary, process } = await open(storeName)
    for (const namespace of ['', 'other']) {
      const { cache } = process({ namespace })
      await cache.store(question('q', { tags: ['a', 'b'] }), answer(`in ${namespace}`))
      await cache.flush()
    }
    const asked = question('q', { tags: ['a', 'b'] })
    const own = await adversary.records('llmemo/:mark:')
    const foreign = await adversary.records('llmemo/other:mark:')
    expect([own.size, foreign.size]).toEqual([9, 9])
    const forged = new TextEncoder().encode(`f-${crypto.randomUUID()}`)
    const attacks = [
      () => adversary.put(new Map([...own.keys()].map((key) => [key, forged]))),
      () => adversary.rotate(own, 1),
      () => adversary.put(new Map([...own.keys()].map((key, index) => [key, [...foreign.values()][index] ?? forged]))),
    ]
    for (const attack of attacks) {
      await attack()
      const reader = process()
      expect(await ask(reader.cache, asked)).toBeUndefined()
      expect(reader.told.lines.filter((line) => line.startsWith('llmemo: a generation in the store was forged or copied'))).toHaveLength(1)
      // Nothing is stored under what was forged, so that putting it there again brings nothing back.
      await reader.cache.store(asked, answer('new'))
      await reader.cache.flush()
      expect(await ask(process().cache, asked)).toBe('new')
      await reader.cache.invalidate({ tags: ['a'] })
      await attack()
      expect([await ask(reader.cache, asked), await ask(process().cache, asked)]).toEqual([undefined, undefined])
      // Another process has replaced what was forged, which this one finds out within its delay.
      reader.clock.advance(1_001)
      await reader.cache.store(asked, answer('again'))
      await reader.cache.flush()
      expect(await ask(process().cache, asked)).toBe('again')
    }
  })

  it('G54 confirms no prompt, tag, scope or key of a value by a name', async () => {
    const { adversary, process } = await open(storeName)
    const bare = await open('memory')
    // What an adversary who guesses right would find in a store of his own, under his own key or none.
    const guesses: string[] = []
    for (const encryption of [undefined, { keys: { old: newKey }, current: 'old' }]) {
      await storeGuessed(openCache({ store: bare.store, ...(encryption && { encryption }) }))
      for (const key of (await bare.adversary.records()).keys()) guesses.push(...key.split(/[:/]/).filter((part) => part.length > 5))
    }
    await storeGuessed(process())
    const names = [...(await adversary.records()).keys()]
    expect(names.filter((name) => name.includes(':v1:'))).toHaveLength(1)
    const sign = names.filter((name) => guesses.some((guess) => guess !== 'llmemo' && guess !== 'edition' && name.includes(guess)))
    // The one name that is the same for everyone, and says that the store is encrypted.
    expect(sign).toHaveLength(1)
    expect(sign[0]).toMatch(/^llmemo\/:mark:/)
    expect(names.join(' ')).not.toContain('guessed')
  })

  it('G54 values are listed and removed by pattern, though their names are hidden', async () => {
    const { store, process } = await open(storeName)
    const { cache } = process({ scope: 'mine' })
    for (let index = 0; index < 250; index++) await cache.set(`user:${index}`, index)
    await cache.set('other', 1)
    const theirs = process({ scope: 'theirs' }).cache
    await theirs.set('user:1', 'theirs')
    await Promise.all([cache.flush(), theirs.flush()])
    const later = process({ scope: 'mine' }).cache
    expect(await later.delByPattern('user:?')).toBe(10)
    expect(await later.delByPattern('user:*')).toBe(240)
    expect([await later.get('user:1'), await later.get('other')]).toEqual([undefined, 1])
    expect(await process({ scope: 'theirs' }).cache.get('user:1')).toBe('theirs')
    expect(await Array.fromAsync(store.keys?.('llmemo/:kv:') ?? [])).toHaveLength(2)
  })
})

describe('the rotation of encryption keys', () => {
  const rotating: EncryptionOptions = { keys: { old: oldKey, new: newKey }, current: 'new' }
  const before: EncryptionOptions = { keys: { old: oldKey, new: newKey }, current: 'old' }

  it('G54 keeps what is stored, with one read for a hit', async () => {
    const { store, process } = await open('memory')
    const { cache } = process()
    await cache.store(question('q', { tags: ['a'] }), answer('kept'))
    await cache.set('v', 1)
    await cache.flush()
    let reads = 0
    const counted: Store = {
      ...store,
      get: (key, options) => (reads++, store.get(key, options)),
      getMany: (keys, options) => (reads++, store.getMany?.(keys, options) ?? []),
    }
    const rotated = openCache({ store: counted, encryption: rotating })
    expect(await ask(rotated.cache, question('q', { tags: ['a'] }))).toBe('kept')
    expect(reads).toBe(1)
    expect(await rotated.cache.get('v')).toBe(1)
    expect(reads).toBe(2)
    // The generations have been written under the new key by now.
    await rotated.cache.store(question('n', { tags: ['a'] }), answer('new'))
    await rotated.cache.flush()
    const after = openCache({ store, encryption: { keys: { new: newKey }, current: 'new' } })
    expect(await ask(after.cache, question('n', { tags: ['a'] }))).toBe('new')
    expect(await ask(after.cache, question('q', { tags: ['a'] }))).toBeUndefined()
    expect(after.told.lines).toEqual([])
  })

  it('G54 what was replaced, invalidated or removed under one key is so under the other', async () => {
    for (const [first, second, left] of [
      [before, rotating, undefined],
      [rotating, before, undefined],
      // A process that lacks the new key does not see what lies under it.
      [sealed, rotating, 'new'],
    ] as const) {
      const { store } = await open('memory')
      const process = (encryption: EncryptionOptions): Cache =>
        openCache({ store, encryption, invalidationDelay: 0, maxMemoryTtl: '1ms' }).cache
      const [here, there] = [process(first), process(second)]
      const [tagged, other] = [question('q', { tags: ['a'] }), question('o')]
      for (const each of [tagged, other]) await here.store(each, answer('old'))
      await here.set('v', 'old')
      await here.flush()
      expect([await ask(there, tagged), await ask(there, other), await there.get('v')]).toEqual(['old', 'old', 'old'])
      await here.invalidate({ tags: ['a'] })
      expect(await ask(process(second), tagged)).toBeUndefined()
      await there.set('v', 'new')
      await there.flush()
      await here.del('v')
      await here.forget((await here.lookup(other)) ?? {})
      expect(await ask(process(second), other)).toBeUndefined()
      expect(await process(second).get('v')).toBe(left)
    }
  })

  it('G54 a value that was replaced does not come back when the new one is evicted', async () => {
    const { store, adversary } = await open('memory')
    const old = openCache({ store, encryption: sealed }).cache
    await old.set('v', 'old')
    await old.flush()
    const before = await adversary.records(':kv:')
    const rotated = openCache({ store, encryption: rotating }).cache
    await rotated.set('v', 'new')
    await rotated.flush()
    const added = [...(await adversary.records(':kv:')).keys()].filter((name) => !before.has(name))
    expect(added).toHaveLength(1)
    await adversary.remove(added)
    expect(await openCache({ store, encryption: rotating }).cache.get('v')).toBeUndefined()
  })
})

describe('an adversary who takes a lease', () => {
  const ends: Readonly<Record<string, number>> = { 'that never ends': 31_536_000_000, 'that is prolonged for ever': 500 }

  it.each(
    ['memory', 'sqlite'].flatMap((store) =>
      Object.keys(modes).flatMap((mode) => Object.keys(ends).map((manner) => [store, mode, manner] as const)),
    ),
  )('G54 over the store %s, %s, %s: the others wait no longer than they say', async (storeName, mode, manner) => {
    const { store } = await open(storeName, mode)
    const clock = new ManualClock()
    // The first one to come takes the lease of every call, and never gives it back.
    let taken = 0
    const held: Store = {
      ...wholeOf(store),
      lease: (key) => (taken++, store.lease?.(key, 'adversary', { ttl: ends[manner] ?? 1 }) ?? 'adversary'),
    }
    const encryption = modes[mode]
    const { cache } = openCache({ store: held, clock, sharedFlights: true, leaseTtl: '5s', ...(encryption && { encryption }) })
    const provider = new StubProvider()
    const { result, took } = await drive(clock, askThrough(cache, provider), 70_000)
    expect(result.text).toBe('Hi #1')
    expect(taken).toBeGreaterThan(10)
    // README of the option: twelve times the TTL of a lease.
    expect(took).toBeLessThanOrEqual(61_000)
    expect(took).toBeGreaterThan(50_000)
    const value = await drive(
      clock,
      cache.wrap('v', '1m', () => 'made'),
      70_000,
    )
    expect(value.result).toBe('made')
  })
})

/** A store as an object whose methods can be replaced. */
function wholeOf(store: Store): Store {
  return {
    name: store.name,
    get: (key, options) => store.get(key, options),
    set: (key, value, options) => store.set(key, value, options),
    delete: (key) => store.delete(key),
    release: (key, token) => store.release?.(key, token),
  }
}

/** A store whose processes hear one another. */
function hearing(store: Store) {
  const listeners = new Set<ChannelListener>()
  const said: string[] = []
  const say = (message: string): void => {
    for (const listener of listeners) listener.heard(message)
  }
  const whole: Store = {
    ...wholeOf(store),
    keys: (prefix) => store.keys?.(prefix) ?? [],
    publish(_, message) {
      said.push(message)
      say(message)
    },
    subscribe(_, listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
  return { store: whole, say, said }
}

const removed = (what: string): string => JSON.stringify([1, 'adversary', 'removed', what, ''])
const declared = (what: string): string => JSON.stringify([1, 'adversary', 'declared', what, `i-${crypto.randomUUID()}`])

describe.each(Object.keys(modes))('an adversary who sends messages, %s', (mode) => {
  async function listening() {
    const { store: bare, adversary } = await open('memory', mode)
    const { store, say, said } = hearing(bare)
    const clock = new ManualClock()
    const encryption = modes[mode]
    const process = () => openCache({ store, clock, ...(encryption && { encryption }) })
    return { adversary, store, clock, process, say, said }
  }

  it('G54 floods with removals: answers on their way are stored all the same', async () => {
    const { clock, process, say } = await listening()
    const { cache } = process()
    const provider = new StubProvider()
    provider.condition = 'slow'
    const asking = askThrough(cache, provider)
    await settle()
    for (let index = 0; index < 25_000; index++) say(removed(`llmemo/:v1:${index}`))
    provider.release()
    const { result } = await drive(clock, asking)
    expect(result.text).toBe('Hi #1')
    await cache.flush()
    expect((await askThrough(process().cache, provider)).text).toBe('Hi #1')
  })

  it('G54 says again and again that the answer on its way was removed: it is stored at the second time', async () => {
    const { clock, process, say } = await listening()
    const { cache } = process()
    const provider = new StubProvider()
    const key = (await askThrough(process().cache, provider)).info?.key ?? ''
    await cache.clear()
    for (let turn = 0; turn < 4; turn++) {
      provider.condition = 'slow'
      const asking = askThrough(cache, provider)
      await settle()
      for (let index = 0; index < 10; index++) say(removed(`llmemo/:v1:${key}`))
      provider.release()
      await drive(clock, asking)
    }
    await cache.flush()
    expect(provider.asked.length).toBeLessThanOrEqual(3)
    expect((await askThrough(process().cache, provider)).info).toMatchObject({ hit: true })
  })

  it('G54 floods with invalidations: calls go on to be answered and stored, and what is true is heeded', async () => {
    const { adversary, clock, process, say } = await listening()
    const [here, there] = [process(), process()]
    await here.cache.store(question('q', { tags: ['a'] }), answer('old'))
    await here.cache.flush()
    expect(await ask(there.cache, question('q', { tags: ['a'] }))).toBe('old')
    const marks = [...(await adversary.records(':mark:')).keys()]
    let hits = 0
    for (let turn = 0; turn < 100; turn++) {
      for (let index = 0; index < 50; index++) for (const mark of marks) say(declared(mark))
      if ((await ask(there.cache, question('q', { tags: ['a'] }))) === 'old') hits++
      clock.advance(1)
    }
    expect(hits).toBeGreaterThan(90)
    await there.cache.store(question('n'), answer('new'))
    for (const mark of marks) say(declared(mark))
    await there.cache.flush()
    expect(await ask(process().cache, question('n'))).toBe('new')
    await here.cache.invalidate({ tags: ['a'] })
    clock.advance(1_001)
    expect(await ask(there.cache, question('q', { tags: ['a'] }))).toBeUndefined()
  })

  it('G54 sends false invalidations during every read: calls go on to be answered and stored', async () => {
    const { adversary, store, clock, say } = await listening()
    const encryption = modes[mode]
    let marks: string[] = []
    const flooded: Store = {
      ...store,
      async get(key, options) {
        const value = await store.get(key, options)
        for (const mark of marks) say(declared(mark))
        return value
      },
    }
    const { cache } = openCache({ store: flooded, clock, ...(encryption && { encryption }) })
    await cache.store(question(), answer())
    await cache.flush()
    marks = [...(await adversary.records(':mark:')).keys()]
    let hits = 0
    for (let turn = 0; turn < 100; turn++) {
      clock.advance(50)
      if ((await ask(cache)) === '42') hits++
    }
    expect(hits).toBeGreaterThan(60)
  })

  it('G54 learns nothing by listening, where messages are sealed', async () => {
    const { process, said } = await listening()
    const { cache } = process()
    await cache.set('guessed', 1)
    await cache.del('guessed')
    await cache.invalidate({ tags: ['guessed'] })
    expect(said.length).toBeGreaterThan(1)
    const heard = said.map((message) => `${message} ${Buffer.from(message, 'base64').toString('latin1')}`).join('\n')
    expect(/guessed|:mark:|llmemo\//.test(heard)).toBe(mode === 'plain')
  })

  it('G54 replays messages of the past, sends garbage and very long ones: nothing is lost', async () => {
    const { process, say, said } = await listening()
    const [here, there] = [process(), process()]
    await here.cache.set('v', 1)
    await here.cache.del('v')
    await here.cache.set('v', 2)
    await here.cache.flush()
    expect(await there.cache.get('v')).toBe(2)
    for (const message of [...said, '', '[]', 'null', '\0', 'x'.repeat(1_000_000), removed('k'.repeat(1_000_000))]) say(message)
    expect(await there.cache.get('v')).toBe(2)
    expect(await here.cache.get('v')).toBe(2)
  })
})
