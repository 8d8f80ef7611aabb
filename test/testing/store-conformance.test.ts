import { memoryStore } from '../../src/stores/memory-store.ts'
import { AssertionError } from 'node:assert'
import { describe, expect, it } from 'vitest'
import type { ChannelListener, Store, StoreWrite, WriteOptions } from '../../src/store.ts'
import { ManualClock, storeConformance, type StoreUnderTest } from '../../src/testing/index.ts'

/** A correct store in its simplest form. Each wrong store differs from it in one thing. */
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

  setIfAbsent(key: string, value: Uint8Array, options: WriteOptions): Promise<Uint8Array> | Uint8Array {
    const found = this.get(key)
    if (found !== undefined) return found
    void this.set(key, value, options)
    return value
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

  readonly sums = new Map<string, { readonly sums: Record<string, number>; readonly end: number }>()

  add(
    key: string,
    amounts: Readonly<Record<string, number>>,
    { ttl }: WriteOptions,
  ): Promise<Record<string, number>> | Record<string, number> {
    const found = this.sums.get(key)
    const sums = found === undefined || found.end <= this.clock.now() ? {} : { ...found.sums }
    for (const [name, amount] of Object.entries(amounts)) sums[name] = (sums[name] ?? 0) + amount
    if (Object.keys(amounts).length > 0) this.sums.set(key, { sums, end: this.clock.now() + ttl })
    return sums
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

/** Wrong stores: the fault of each, the checks that must find it, and the store. */
const wrong: readonly (readonly [fault: string, finders: readonly string[], make: (clock: ManualClock) => PlainStore])[] = [
  ['has an invalid name', ['has a name that says what it is'], (clock) => Object.assign(new PlainStore(clock), { name: 'My Store' })],
  [
    'keeps the last amount in place of the sum',
    ['adds to sums by their names, and gives those that are there now'],
    (clock) =>
      new (class extends PlainStore {
        override add(key: string, amounts: Readonly<Record<string, number>>, options: WriteOptions) {
          if (Object.keys(amounts).length > 0) this.sums.delete(key)
          return super.add(key, amounts, options)
        }
      })(clock),
  ],
  [
    'reads a sum and writes it in two steps',
    ['loses nothing of what is added at once'],
    (clock) =>
      new (class extends PlainStore {
        override async add(key: string, amounts: Readonly<Record<string, number>>, options: WriteOptions) {
          const before = this.sums.get(key)
          await Promise.resolve()
          if (before === undefined) this.sums.delete(key)
          else this.sums.set(key, before)
          return super.add(key, amounts, options)
        }
      })(clock),
  ],
  [
    'keeps sums for ever',
    ['ends sums at the TTL of what was added last'],
    (clock) =>
      new (class extends PlainStore {
        override add(key: string, amounts: Readonly<Record<string, number>>) {
          return super.add(key, amounts, { ttl: 1e12 })
        }
      })(clock),
  ],
  [
    'keeps only seven bits of each byte',
    ['returns every byte unchanged'],
    (clock) =>
      new (class extends PlainStore {
        override get(key: string) {
          return super.get(key)?.map((byte) => byte & 127)
        }
      })(clock),
  ],
  [
    'treats an empty value as missing',
    ['distinguishes an empty value from a missing one'],
    (clock) =>
      new (class extends PlainStore {
        override get(key: string) {
          const value = super.get(key)
          return value?.length === 0 ? undefined : value
        }
      })(clock),
  ],
  [
    'treats a missing value as empty',
    ['distinguishes an empty value from a missing one', 'deletes, and accepts a key that has no value'],
    (clock) =>
      new (class extends PlainStore {
        override get(key: string) {
          return super.get(key) ?? new Uint8Array(0)
        }
      })(clock),
  ],
  [
    'returns a list of numbers',
    ['returns a Uint8Array whose buffer and offset are right'],
    (clock) =>
      new (class extends PlainStore {
        override get(key: string) {
          const value = super.get(key)
          // A store written in JavaScript can return this.
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion
          return value && (Array.from(value) as unknown as Uint8Array)
        }
      })(clock),
  ],
  [
    'keeps the whole buffer of a view',
    ['stores a view of a larger buffer, and only the view'],
    (clock) =>
      new (class extends PlainStore {
        override set(key: string, value: Uint8Array, options: WriteOptions) {
          return super.set(key, new Uint8Array(value.buffer), options)
        }
      })(clock),
  ],
  [
    'does not delete',
    ['deletes, and accepts a key that has no value'],
    (clock) =>
      new (class extends PlainStore {
        override delete() {}
      })(clock),
  ],
  [
    'truncates keys',
    ['takes long keys, and keeps those apart that differ only at the end'],
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
    'ignores the case of keys',
    ['takes keys in any script, and compares them by characters, not by their looks'],
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
    'keeps the array of the caller',
    ['keeps a value unchanged when the caller changes the array that it passed'],
    (clock) =>
      new (class extends PlainStore {
        override set(key: string, value: Uint8Array, { ttl }: WriteOptions) {
          this.map.set(key, { value, end: this.clock.now() + ttl })
        }
      })(clock),
  ],
  [
    'returns its own array',
    ['keeps a value unchanged when the caller changes the array that it received'],
    (clock) =>
      new (class extends PlainStore {
        override get(key: string) {
          return super.get(key) && this.map.get(key)?.value
        }
      })(clock),
  ],
  [
    'returns one array twice',
    ['keeps a value unchanged when the caller changes the array that it received'],
    (clock) =>
      new (class extends PlainStore {
        override getMany(keys: readonly string[]) {
          const values = new Map(keys.map((key) => [key, this.get(key)]))
          return keys.map((key) => values.get(key))
        }
      })(clock),
  ],
  [
    'truncates values',
    ['takes a value of one megabyte'],
    (clock) =>
      new (class extends PlainStore {
        override set(key: string, value: Uint8Array, options: WriteOptions) {
          return super.set(key, value.subarray(0, 65_536), options)
        }
      })(clock),
  ],
  [
    'writes in two steps',
    ['holds one whole value after many were written at once'],
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
    'never expires a value',
    ['keeps a value until its TTL ends, and not at that very moment', 'keeps a value with the shortest TTL until that ends'],
    (clock) =>
      new (class extends PlainStore {
        override set(key: string, value: Uint8Array) {
          return super.set(key, value, { ttl: Infinity })
        }
      })(clock),
  ],
  [
    'keeps TTLs in seconds, rounded up',
    ['keeps a value with the shortest TTL until that ends'],
    (clock) =>
      new (class extends PlainStore {
        override set(key: string, value: Uint8Array, { ttl }: WriteOptions) {
          return super.set(key, value, { ttl: Math.ceil(ttl / 1_000) * 1_000 })
        }
      })(clock),
  ],
  [
    'keeps TTLs in seconds, rounded down',
    ['keeps a value with the shortest TTL until that ends'],
    (clock) =>
      new (class extends PlainStore {
        override set(key: string, value: Uint8Array, { ttl }: WriteOptions) {
          return super.set(key, value, { ttl: Math.floor(ttl / 1_000) * 1_000 })
        }
      })(clock),
  ],
  [
    'serves a value at the moment when it expires',
    ['keeps a value until its TTL ends, and not at that very moment', 'keeps a value with the shortest TTL until that ends'],
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
    ['replaces a value and its TTL', 'replaces a TTL by a shorter one', 'takes a new value after the old one has expired'],
    (clock) =>
      new (class extends PlainStore {
        override set(key: string, value: Uint8Array, { ttl }: WriteOptions) {
          this.map.set(key, { value: new Uint8Array(value), end: this.map.get(key)?.end ?? this.clock.now() + ttl })
        }
      })(clock),
  ],
  [
    'keeps the first value of a key',
    ['replaces a value and its TTL'],
    (clock) =>
      new (class extends PlainStore {
        override set(key: string, value: Uint8Array, options: WriteOptions) {
          if (super.get(key) === undefined) void super.set(key, value, options)
        }
      })(clock),
  ],
  [
    'reads many keys in another order',
    ['reads many keys in the given order, missing and repeated ones included'],
    (clock) =>
      new (class extends PlainStore {
        override getMany(keys: readonly string[]) {
          return super.getMany(keys.toSorted())
        }
      })(clock),
  ],
  [
    'leaves out missing values',
    ['reads many keys in the given order, missing and repeated ones included'],
    (clock) =>
      new (class extends PlainStore {
        override getMany(keys: readonly string[]) {
          return super.getMany(keys).filter((value) => value !== undefined)
        }
      })(clock),
  ],
  [
    'reads at most a hundred keys',
    ['reads several hundred keys at once'],
    (clock) =>
      new (class extends PlainStore {
        override getMany(keys: readonly string[]) {
          return keys.map((key, index) => (index < 100 ? this.get(key) : undefined))
        }
      })(clock),
  ],
  [
    'writes the first value of a repeated key',
    ['writes many values, and of a repeated key the last one'],
    (clock) =>
      new (class extends PlainStore {
        override setMany(writes: readonly StoreWrite[]) {
          super.setMany(writes.toReversed())
        }
      })(clock),
  ],
  [
    'writes all with the TTL of the first',
    ['writes many values, each with its own TTL'],
    (clock) =>
      new (class extends PlainStore {
        override setMany(writes: readonly StoreWrite[]) {
          super.setMany(writes.map((write) => ({ ...write, ttl: writes[0]?.ttl ?? 1 })))
        }
      })(clock),
  ],
  [
    'compares only the first character of a prefix',
    prefixChecks,
    (clock) =>
      new (class extends PlainStore {
        override keys(prefix: string) {
          return super.keys(prefix.slice(0, 1))
        }
      })(clock),
  ],
  [
    'lists expired keys',
    [
      'lists all keys for an empty prefix, without expired and deleted ones',
      'keeps a value until its TTL ends, and not at that very moment',
    ],
    (clock) =>
      new (class extends PlainStore {
        override keys(prefix: string) {
          return [...this.map.keys()].filter((key) => key.startsWith(prefix))
        }
      })(clock),
  ],
  [
    'lists only one page',
    ['lists each of many keys once', 'lists each of many keys once while they are being deleted'],
    (clock) =>
      new (class extends PlainStore {
        override keys(prefix: string) {
          return [...super.keys(prefix)].slice(0, 1_000)
        }
      })(clock),
  ],
  [
    'finds pages by their number',
    ['lists each of many keys once while they are being deleted'],
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
    'overwrites the value that is there',
    ['keeps a value if there is none, and gives the one that is there'],
    (clock) =>
      new (class extends PlainStore {
        override setIfAbsent(key: string, value: Uint8Array, options: WriteOptions) {
          void this.set(key, value, options)
          return value
        }
      })(clock),
  ],
  [
    'looks for a value and writes it in two steps',
    ['keeps one of many values that are set at once if there is none'],
    (clock) =>
      new (class extends PlainStore {
        override async setIfAbsent(key: string, value: Uint8Array, options: WriteOptions) {
          const found = this.get(key)
          await Promise.resolve()
          if (found !== undefined) return found
          void this.set(key, value, options)
          return value
        }
      })(clock),
  ],
  [
    'keeps what was set if absent for ever',
    ['ends a value that was set if absent at its TTL, and then keeps another one'],
    (clock) =>
      new (class extends PlainStore {
        override setIfAbsent(key: string, value: Uint8Array) {
          return super.setIfAbsent(key, value, { ttl: 10 * 3_600_000 })
        }
      })(clock),
  ],
  [
    'gives a lease to every token',
    [
      'gives a lease to one token at a time, and tells the others which token holds it',
      'gives a lease to one of many tokens that ask at once',
    ],
    (clock) =>
      new (class extends PlainStore {
        override lease(_: string, token: string) {
          return token
        }
      })(clock),
  ],
  [
    'checks a lease and takes it in two steps',
    ['gives a lease to one of many tokens that ask at once'],
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
    'never ends a lease',
    ['ends a lease at its TTL, unless its holder prolongs it'],
    (clock) =>
      new (class extends PlainStore {
        override lease(key: string, token: string) {
          return super.lease(key, token, { ttl: 3_600_000 })
        }
      })(clock),
  ],
  [
    "takes a lease back that is another's",
    ['ignores the release of a lease that is free, or that another token holds'],
    (clock) =>
      new (class extends PlainStore {
        override release(key: string) {
          this.leases.delete(key)
        }
      })(clock),
  ],
  [
    'passes all messages to all listeners',
    ['passes a message to the listeners of its channel, until they end listening'],
    (clock) =>
      new (class extends PlainStore {
        override publish(_: string, message: string) {
          for (const [listener] of this.listeners) listener.heard(message)
        }
      })(clock),
  ],
  [
    'still calls a listener that has ended',
    ['passes a message to the listeners of its channel, until they end listening'],
    (clock) =>
      new (class extends PlainStore {
        override subscribe(channel: string, listener: ChannelListener) {
          super.subscribe(channel, listener)
          return () => {}
        }
      })(clock),
  ],
]

/** A correct store without any optional method. */
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
  it('gives each check its own name', () => {
    expect(new Set(storeConformance.map(({ name }) => name)).size).toBe(storeConformance.length)
  })

  it('passes correct stores, with and without the optional methods', async () => {
    expect(await failed((clock) => new PlainStore(clock))).toEqual([])
    expect(await failed((clock) => memoryStore({ clock }))).toEqual([])
    expect(await failed(least)).toEqual([])
  })

  it.each(wrong)('finds a store that %s', async (_, finders, make) => {
    expect(await failed(make)).toEqual(expect.arrayContaining([...finders]))
  })

  it('has no check that all of these stores pass', () => {
    const finders = new Set(wrong.flatMap(([, names]) => names))
    expect(storeConformance.map(({ name }) => name).filter((name) => !finders.has(name))).toEqual([])
  })

  it('cleans up after passed and after failed checks', async () => {
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

  it('lets a store with its own clock be a little early or late', async () => {
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
