import { memoryStore } from '../../src/stores/memory-store.ts'
import { AssertionError } from 'node:assert'
import { describe, expect, it } from 'vitest'
import type { ChannelListener, Store, StoreWrite, WriteOptions } from '../../src/store.ts'
import { ManualClock, storeConformance, type StoreUnderTest } from '../../src/testing/index.ts'

/** A sound store, made in the simplest way, of which the wrong ones differ in one thing each. */
class PlainStore implements Store {
  name = 'plain'
  readonly map = new Map<string, { readonly value: Uint8Array; readonly end: number }>()
  readonly clock: ManualClock

  constructor(clock: ManualClock) {
    this.clock = clock
  }

  get(key: string): Uint8Array | undefined {
    const kept = this.map.get(key)
    return kept === undefined || kept.end <= this.clock.now() ? undefined : new Uint8Array(kept.value)
  }

  set(key: string, value: Uint8Array, { ttl }: WriteOptions): Promise<void> | void {
    this.map.set(key, { value: new Uint8Array(value), end: this.clock.now() + ttl })
  }

  delete(key: string): void {
    this.map.delete(key)
  }

  getMany(keys: readonly string[]): readonly (Uint8Array | undefined)[] {
    return keys.map((key) => this.get(key))
  }

  setMany(writes: readonly StoreWrite[]): void {
    for (const write of writes) void this.set(write.key, write.value, write)
  }

  keys(prefix: string): Iterable<string> {
    return [...this.map.keys()].filter((key) => key.startsWith(prefix) && this.get(key) !== undefined)
  }

  readonly leases = new Map<string, { readonly token: string; readonly end: number }>()

  lease(key: string, token: string, { ttl }: WriteOptions): Promise<string> | string {
    const holder = this.holder(key) ?? token
    if (holder === token) this.leases.set(key, { token, end: this.clock.now() + ttl })
    return holder
  }

  release(key: string, token: string): void {
    if (this.holder(key) === token) this.leases.delete(key)
  }

  holder(key: string): string | undefined {
    const lease = this.leases.get(key)
    return lease === undefined || lease.end <= this.clock.now() ? undefined : lease.token
  }

  readonly listeners = new Map<ChannelListener, string>()

  publish(channel: string, message: string): void {
    for (const [listener, its] of this.listeners) if (its === channel) listener.heard(message)
  }

  subscribe(channel: string, listener: ChannelListener): () => void {
    this.listeners.set(listener, channel)
    listener.missed()
    return () => this.listeners.delete(listener)
  }
}

const prefixChecks = storeConformance.map(({ name }) => name).filter((name) => name.startsWith('lists the keys that begin with'))

/** Wrong stores: what is wrong with each, the checks that must find it, and the store. */
const wrong: readonly (readonly [fault: string, finders: readonly string[], make: (clock: ManualClock) => PlainStore])[] = [
  ['has no proper name', ['has a name that says what it is'], (clock) => Object.assign(new PlainStore(clock), { name: 'My Store' })],
  [
    'keeps seven bits of eight',
    ['gives back every byte as it was'],
    (clock) =>
      new (class extends PlainStore {
        override get(key: string) {
          return super.get(key)?.map((byte) => byte & 127)
        }
      })(clock),
  ],
  [
    'takes an empty value for none',
    ['tells an empty value from a missing one'],
    (clock) =>
      new (class extends PlainStore {
        override get(key: string) {
          const value = super.get(key)
          return value?.length === 0 ? undefined : value
        }
      })(clock),
  ],
  [
    'takes none for an empty value',
    ['tells an empty value from a missing one', 'deletes, and takes it easy when there is nothing to delete'],
    (clock) =>
      new (class extends PlainStore {
        override get(key: string) {
          return super.get(key) ?? new Uint8Array(0)
        }
      })(clock),
  ],
  [
    'returns a list of numbers',
    ['returns a Uint8Array, of which a caller may take the buffer and the offset'],
    (clock) =>
      new (class extends PlainStore {
        override get(key: string) {
          const value = super.get(key)
          // What a store written in JavaScript can return.
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion
          return value && (Array.from(value) as unknown as Uint8Array)
        }
      })(clock),
  ],
  [
    'keeps the whole buffer of a view',
    ['takes a view into a larger buffer, and no more than the view'],
    (clock) =>
      new (class extends PlainStore {
        override set(key: string, value: Uint8Array, options: WriteOptions) {
          return super.set(key, new Uint8Array(value.buffer), options)
        }
      })(clock),
  ],
  [
    'does not delete',
    ['deletes, and takes it easy when there is nothing to delete'],
    (clock) =>
      new (class extends PlainStore {
        override delete() {}
      })(clock),
  ],
  [
    'cuts keys',
    ['takes long keys, and tells apart those that differ at the very end'],
    (clock) =>
      new (class extends PlainStore {
        override get(key: string) {
          return super.get(key.slice(0, 250))
        }
        override set(key: string, value: Uint8Array, options: WriteOptions) {
          return super.set(key.slice(0, 250), value, options)
        }
      })(clock),
  ],
  [
    'folds keys',
    ['takes keys in any script, by their characters and not by what they look like'],
    (clock) =>
      new (class extends PlainStore {
        override get(key: string) {
          return super.get(key.normalize('NFC'))
        }
        override set(key: string, value: Uint8Array, options: WriteOptions) {
          return super.set(key.normalize('NFC'), value, options)
        }
      })(clock),
  ],
  [
    'keeps the caller’s own array',
    ['is not touched by what a caller does to an array that he passed'],
    (clock) =>
      new (class extends PlainStore {
        override set(key: string, value: Uint8Array, { ttl }: WriteOptions) {
          this.map.set(key, { value, end: this.clock.now() + ttl })
        }
      })(clock),
  ],
  [
    'gives its own array out',
    ['is not touched by what a caller does to an array that he received'],
    (clock) =>
      new (class extends PlainStore {
        override get(key: string) {
          return super.get(key) && this.map.get(key)?.value
        }
      })(clock),
  ],
  [
    'gives one array out twice',
    ['is not touched by what a caller does to an array that he received'],
    (clock) =>
      new (class extends PlainStore {
        override getMany(keys: readonly string[]) {
          const values = new Map(keys.map((key) => [key, this.get(key)]))
          return keys.map((key) => values.get(key))
        }
      })(clock),
  ],
  [
    'cuts values',
    ['takes a value of a megabyte'],
    (clock) =>
      new (class extends PlainStore {
        override set(key: string, value: Uint8Array, options: WriteOptions) {
          return super.set(key, value.subarray(0, 65_536), options)
        }
      })(clock),
  ],
  [
    'writes in two steps',
    ['has one whole value after many were written at once'],
    (clock) =>
      new (class extends PlainStore {
        #length = 0
        override async set(key: string, value: Uint8Array, options: WriteOptions) {
          const own = new Uint8Array(value)
          this.#length = own.length
          await Promise.resolve()
          await super.set(key, own.slice(0, this.#length), options)
          if (own.length !== this.#length) await super.set(key, own.slice(1), options)
        }
      })(clock),
  ],
  [
    'never lets go',
    ['keeps a value until its TTL and not for the moment at which it ends', 'keeps a value with the shortest TTL until it ends'],
    (clock) =>
      new (class extends PlainStore {
        override set(key: string, value: Uint8Array) {
          return super.set(key, value, { ttl: Infinity })
        }
      })(clock),
  ],
  [
    'counts in seconds, rounded up',
    ['keeps a value with the shortest TTL until it ends'],
    (clock) =>
      new (class extends PlainStore {
        override set(key: string, value: Uint8Array, { ttl }: WriteOptions) {
          return super.set(key, value, { ttl: Math.ceil(ttl / 1_000) * 1_000 })
        }
      })(clock),
  ],
  [
    'counts in seconds, rounded down',
    ['keeps a value with the shortest TTL until it ends'],
    (clock) =>
      new (class extends PlainStore {
        override set(key: string, value: Uint8Array, { ttl }: WriteOptions) {
          return super.set(key, value, { ttl: Math.floor(ttl / 1_000) * 1_000 })
        }
      })(clock),
  ],
  [
    'serves a value at the moment at which it ends',
    ['keeps a value until its TTL and not for the moment at which it ends', 'keeps a value with the shortest TTL until it ends'],
    (clock) =>
      new (class extends PlainStore {
        override set(key: string, value: Uint8Array, { ttl }: WriteOptions) {
          return super.set(key, value, { ttl: ttl + 0.5 })
        }
      })(clock),
  ],
  [
    'has a timer of 31 bits',
    ['keeps a value for a year'],
    (clock) =>
      new (class extends PlainStore {
        override set(key: string, value: Uint8Array, { ttl }: WriteOptions) {
          return super.set(key, value, { ttl: ttl > 2 ** 31 - 1 ? 0 : ttl })
        }
      })(clock),
  ],
  [
    'keeps the first TTL of a key',
    ['replaces what was under a key, and its TTL', 'shortens a TTL as well', 'is written anew after a value has expired'],
    (clock) =>
      new (class extends PlainStore {
        override set(key: string, value: Uint8Array, { ttl }: WriteOptions) {
          this.map.set(key, { value: new Uint8Array(value), end: this.map.get(key)?.end ?? this.clock.now() + ttl })
        }
      })(clock),
  ],
  [
    'keeps the first value of a key',
    ['replaces what was under a key, and its TTL'],
    (clock) =>
      new (class extends PlainStore {
        override set(key: string, value: Uint8Array, options: WriteOptions) {
          if (super.get(key) === undefined) void super.set(key, value, options)
        }
      })(clock),
  ],
  [
    'reads many in an order of its own',
    ['reads many in the order asked for, missing and repeated ones included'],
    (clock) =>
      new (class extends PlainStore {
        override getMany(keys: readonly string[]) {
          return super.getMany(keys.toSorted())
        }
      })(clock),
  ],
  [
    'leaves out what is missing',
    ['reads many in the order asked for, missing and repeated ones included'],
    (clock) =>
      new (class extends PlainStore {
        override getMany(keys: readonly string[]) {
          return super.getMany(keys).filter((value) => value !== undefined)
        }
      })(clock),
  ],
  [
    'reads a hundred and no more',
    ['reads several hundred at once'],
    (clock) =>
      new (class extends PlainStore {
        override getMany(keys: readonly string[]) {
          return keys.map((key, index) => (index < 100 ? this.get(key) : undefined))
        }
      })(clock),
  ],
  [
    'writes the first one of a repeated key',
    ['writes many, the last one of a repeated key'],
    (clock) =>
      new (class extends PlainStore {
        override setMany(writes: readonly StoreWrite[]) {
          super.setMany(writes.toReversed())
        }
      })(clock),
  ],
  [
    'writes all with the TTL of the first',
    ['writes many with a TTL each'],
    (clock) =>
      new (class extends PlainStore {
        override setMany(writes: readonly StoreWrite[]) {
          super.setMany(writes.map((write) => ({ ...write, ttl: writes[0]?.ttl ?? 1 })))
        }
      })(clock),
  ],
  [
    'looks at the first character of a prefix only',
    prefixChecks,
    (clock) =>
      new (class extends PlainStore {
        override keys(prefix: string) {
          return super.keys(prefix.slice(0, 1))
        }
      })(clock),
  ],
  [
    'lists what has expired',
    [
      'lists all keys for an empty prefix, and none that has expired or was deleted',
      'keeps a value until its TTL and not for the moment at which it ends',
    ],
    (clock) =>
      new (class extends PlainStore {
        override keys(prefix: string) {
          return [...this.map.keys()].filter((key) => key.startsWith(prefix))
        }
      })(clock),
  ],
  [
    'lists a page and no more',
    ['lists each of many keys once', 'lists every one of many keys, once, when they are deleted on the way'],
    (clock) =>
      new (class extends PlainStore {
        override keys(prefix: string) {
          return [...super.keys(prefix)].slice(0, 1_000)
        }
      })(clock),
  ],
  [
    'turns pages by their number',
    ['lists every one of many keys, once, when they are deleted on the way'],
    (clock) =>
      new (class extends PlainStore {
        override *keys(prefix: string) {
          for (let offset = 0, page = ['']; page.length > 0; offset += 100) {
            page = [...super.keys(prefix)].slice(offset, offset + 100)
            yield* page
          }
        }
      })(clock),
  ],
  [
    'gives a lease to everyone',
    ['gives a lease to one token at a time, and tells the others whose it is', 'gives a lease to one of many who ask at once'],
    (clock) =>
      new (class extends PlainStore {
        override lease(_: string, token: string) {
          return token
        }
      })(clock),
  ],
  [
    'looks whether a lease is free before it takes it',
    ['gives a lease to one of many who ask at once'],
    (clock) =>
      new (class extends PlainStore {
        override async lease(key: string, token: string, options: WriteOptions) {
          const holder = this.holder(key)
          await Promise.resolve()
          if (holder !== undefined) return holder
          this.leases.set(key, { token, end: this.clock.now() + options.ttl })
          return token
        }
      })(clock),
  ],
  [
    'has leases without an end',
    ['ends a lease at its TTL, which its holder may prolong'],
    (clock) =>
      new (class extends PlainStore {
        override lease(key: string, token: string) {
          return super.lease(key, token, { ttl: 3_600_000 })
        }
      })(clock),
  ],
  [
    "takes a lease back that is another's",
    ["takes back a lease that is nobody's, or another's by now, without an error"],
    (clock) =>
      new (class extends PlainStore {
        override release(key: string) {
          this.leases.delete(key)
        }
      })(clock),
  ],
  [
    'tells everyone everything',
    ['passes a message on to who listens to its channel, until he ends it'],
    (clock) =>
      new (class extends PlainStore {
        override publish(_: string, message: string) {
          for (const [listener] of this.listeners) listener.heard(message)
        }
      })(clock),
  ],
  [
    'goes on telling who has ended it',
    ['passes a message on to who listens to its channel, until he ends it'],
    (clock) =>
      new (class extends PlainStore {
        override subscribe(channel: string, listener: ChannelListener) {
          super.subscribe(channel, listener)
          return () => {}
        }
      })(clock),
  ],
]

/** A sound store that offers no more than it must. */
function least(clock: ManualClock): Store {
  const store = new PlainStore(clock)
  return {
    name: 'least',
    get: (key) => Promise.resolve(store.get(key)),
    set: async (key, value, options) => store.set(key, new Uint8Array(value), options),
    delete: async (key) => store.delete(key),
  }
}

function setup(make: (clock: ManualClock) => Store): () => StoreUnderTest {
  return () => {
    const clock = new ManualClock()
    return { store: make(clock), advance: (milliseconds) => clock.advance(milliseconds) }
  }
}

/** The names of the checks that this store fails. */
async function failed(make: (clock: ManualClock) => Store): Promise<string[]> {
  const names: string[] = []
  for (const check of storeConformance) {
    const error: unknown = await check.run(setup(make)).catch((thrown: unknown) => thrown)
    if (error === undefined) continue
    expect(error, `${check.name} failed by something else than an assertion`).toBeInstanceOf(AssertionError)
    names.push(check.name)
  }
  return names
}

describe('the conformance suite', () => {
  it('has a name of its own for each check', () => {
    expect(new Set(storeConformance.map(({ name }) => name)).size).toBe(storeConformance.length)
  })

  it('has nothing against sound stores, with what they may leave out or without', async () => {
    expect(await failed((clock) => new PlainStore(clock))).toEqual([])
    expect(await failed((clock) => memoryStore({ clock }))).toEqual([])
    expect(await failed(least)).toEqual([])
  })

  it.each(wrong)('finds a store that %s', async (_, finders, make) => {
    expect(await failed(make)).toEqual(expect.arrayContaining([...finders]))
  })

  it('has no check that none of these stores fails', () => {
    const finders = new Set(wrong.flatMap(([, names]) => names))
    expect(storeConformance.map(({ name }) => name).filter((name) => !finders.has(name))).toEqual([])
  })

  it('cleans up after a check that passed and after one that failed', async () => {
    const cleaned: string[] = []
    const [check] = storeConformance
    const under = (name: string): StoreUnderTest => ({
      store: Object.assign(new PlainStore(new ManualClock()), { name }),
      advance: () => {},
      cleanup: () => void cleaned.push(name),
    })
    await check?.run(() => under('sound'))
    await expect(check?.run(async () => under('NOT SOUND'))).rejects.toThrow(AssertionError)
    expect(cleaned).toEqual(['sound', 'NOT SOUND'])
  })

  it('allows a store with a clock of its own to be a little early or late', async () => {
    for (const off of [-40, 40]) {
      const inexact = (clock: ManualClock): Store =>
        new (class extends PlainStore {
          override set(key: string, value: Uint8Array, { ttl }: WriteOptions) {
            return super.set(key, value, { ttl: Math.max(1, ttl + off) })
          }
        })(clock)
      const names: string[] = []
      for (const check of storeConformance) {
        const under = () => ({ ...setup(inexact)(), tolerance: 40 })
        await check.run(under).catch(() => names.push(check.name))
      }
      expect(names).toEqual([])
      expect(await failed(inexact)).not.toEqual([])
    }
  })
})
