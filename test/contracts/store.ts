/**
 * What every store must do, whatever it is made of: one suite that each store's test calls.
 * @module
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Store } from '../../src/store.ts'
import type { ManualClock } from '../manual-clock.ts'

/** A store to put to the test. */
export interface StoreUnderTest {
  readonly store: Store
  /** The clock that the store goes by. */
  readonly clock: ManualClock
  /** Closes the store and takes away what it left. */
  readonly cleanup: () => Promise<void> | void
}

const hour = 3_600_000

/** Declares the suite for the store that `setup` makes, anew and empty for each test. */
export function describeStore(name: string, setup: () => Promise<StoreUnderTest>): void {
  describe(`${name} as a store`, () => {
    let store: Store
    let clock: ManualClock
    let cleanup: StoreUnderTest['cleanup']

    beforeEach(async () => {
      ;({ store, clock, cleanup } = await setup())
    })
    afterEach(() => cleanup())

    const set = async (key: string, value: Uint8Array, ttl = hour) => store.set(key, value, { ttl })
    const get = async (key: string) => plain(await store.get(key))
    const getMany = async (keys: readonly string[]) => {
      const values = store.getMany ? await store.getMany(keys) : await Promise.all(keys.map(async (key) => store.get(key)))
      return values.map(plain)
    }
    const keysFrom = async (prefix: string) => {
      const keys: string[] = []
      for await (const key of store.keys?.(prefix) ?? []) keys.push(key)
      return keys.toSorted()
    }

    it('has a name', () => {
      expect(store.name).toMatch(/^[a-z]+$/)
    })

    it('gives back every byte as it was', async () => {
      const value = Uint8Array.from({ length: 256 }, (_, index) => index)
      await set('key', value)
      expect(await get('key')).toEqual(Array.from({ length: 256 }, (_, index) => index))
    })

    it('tells an empty value from a missing one', async () => {
      await set('key', new Uint8Array(0))
      expect(await get('key')).toEqual([])
      expect(await get('another')).toBeUndefined()
    })

    it('returns a Uint8Array, of which a caller may take the buffer and the offset', async () => {
      await set('key', bytes('value'))
      const value = await store.get('key')
      expect(value).toBeInstanceOf(Uint8Array)
      expect(value && [...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)]).toEqual(listed('value'))
    })

    it('takes a view into a larger buffer, and no more than the view', async () => {
      await set('key', new Uint8Array([1, 2, 3, 4, 5]).subarray(1, 3))
      await set('node', Buffer.from([1, 2, 3, 4, 5]).subarray(3))
      expect(await get('key')).toEqual([2, 3])
      expect(await get('node')).toEqual([4, 5])
    })

    it('replaces what was under a key, and its TTL', async () => {
      await set('key', bytes('long and first'), 1_000)
      await set('key', bytes('second'), 3_000)
      expect(await get('key')).toEqual(listed('second'))
      clock.advance(2_000)
      expect(await get('key')).toEqual(listed('second'))
    })

    it('shortens a TTL as well', async () => {
      await set('key', bytes('first'), 3_000)
      await set('key', bytes('second'), 1_000)
      clock.advance(1_000)
      expect(await get('key')).toBeUndefined()
    })

    it('deletes, and takes it easy when there is nothing to delete', async () => {
      await set('key', bytes('value'))
      await set('other', bytes('kept'))
      await store.delete('key')
      await store.delete('key')
      expect(await get('key')).toBeUndefined()
      expect(await get('other')).toEqual(listed('kept'))
    })

    it('C03 keeps a value until its TTL and not for the moment at which it ends', async () => {
      await set('key', bytes('value'), 5_000)
      clock.advance(4_999)
      expect(await get('key')).toEqual(listed('value'))
      expect(await getMany(['key'])).toEqual([listed('value')])
      clock.advance(1)
      expect(await get('key')).toBeUndefined()
      expect(await getMany(['key'])).toEqual([undefined])
      expect(await keysFrom('')).toEqual([])
    })

    it('C03 keeps a value with the shortest TTL until it ends', async () => {
      await set('key', bytes('value'), 1)
      expect(await get('key')).toEqual(listed('value'))
      clock.advance(1)
      expect(await get('key')).toBeUndefined()
    })

    it('is written anew after a value has expired', async () => {
      await set('key', bytes('first'), 1_000)
      clock.advance(1_500)
      await set('key', bytes('second'), 1_000)
      clock.advance(999)
      expect(await get('key')).toEqual(listed('second'))
    })

    it('reads many in the order asked for, missing and repeated ones included', async () => {
      await set('a', bytes('A'))
      await set('b', bytes('B'))
      expect(await getMany(['b', 'missing', 'a', 'b', 'a'])).toEqual([[66], undefined, [65], [66], [65]])
      expect(await getMany([])).toEqual([])
    })

    it('reads several hundred at once', async () => {
      const names = Array.from({ length: 300 }, (_, index) => `key ${index}`)
      await Promise.all(names.map((key) => set(key, bytes(key))))
      expect(await getMany(names)).toEqual(names.map(listed))
    })

    it('writes many, the last one of a repeated key', async () => {
      if (!store.setMany) return
      await store.setMany([
        { key: 'a', value: bytes('first'), ttl: hour },
        { key: 'b', value: bytes('B'), ttl: 1_000 },
        { key: 'a', value: bytes('second'), ttl: hour },
      ])
      await store.setMany([])
      expect(await getMany(['a', 'b'])).toEqual([listed('second'), [66]])
      clock.advance(1_000)
      expect(await getMany(['a', 'b'])).toEqual([listed('second'), undefined])
    })

    it.each(['a*', 'a?', 'a[bc]', 'a%', 'a_', 'a\\', 'a{b,c}', "a'b", 'a^', 'a:'])(
      'lists the keys that begin with %j, read literally',
      async (prefix) => {
        if (!store.keys) return
        const wanted = [prefix, `${prefix}1`, `${prefix}:x`, `${prefix}\u{10ffff}`]
        await Promise.all(
          [...wanted, 'ab', 'abc', 'ac1', 'aXb', 'a', 'b', ''].filter((key) => key !== '').map((key) => set(key, bytes('x'))),
        )
        expect(await keysFrom(prefix)).toEqual(wanted.toSorted())
      },
    )

    it('lists all keys for an empty prefix, and none that has expired or was deleted', async () => {
      if (!store.keys) return
      await set('kept', bytes('x'))
      await set('expired', bytes('x'), 1_000)
      await set('deleted', bytes('x'))
      await store.delete('deleted')
      clock.advance(1_000)
      expect(await keysFrom('')).toEqual(['kept'])
    })

    it('lists each of many keys once, and every one when they are deleted on the way', async () => {
      if (!store.keys) return
      const names = Array.from({ length: 1_100 }, (_, index) => `page:${index}`)
      await (store.setMany
        ? store.setMany(names.map((key) => ({ key, value: bytes('x'), ttl: hour })))
        : Promise.all(names.map((key) => set(key, bytes('x')))))
      expect(await keysFrom('page:')).toEqual(names.toSorted())
      const seen: string[] = []
      for await (const key of store.keys('page:')) {
        seen.push(key)
        await store.delete(key)
      }
      expect(seen.toSorted()).toEqual(names.toSorted())
      expect(await keysFrom('page:')).toEqual([])
    })

    it('takes long keys, and tells apart those that differ at the very end', async () => {
      const long = 'k'.repeat(500)
      await set(`${long}1`, bytes('one'))
      await set(`${long}2`, bytes('two'))
      expect(await getMany([`${long}1`, `${long}2`, long])).toEqual([listed('one'), listed('two'), undefined])
    })

    it('takes keys in any script, by their characters and not by what they look like', async () => {
      const keys = ['naïve', 'nai\u0308ve', '日本語', '👩‍👩‍👧', 'a b', 'A B', ' a b', 'a\nb', 'a:b/c?d#e', '"quoted"', "it's"]
      await Promise.all(keys.map((key) => set(key, bytes(key))))
      expect(await getMany(keys)).toEqual(keys.map(listed))
    })

    it('is not touched by what a caller does to an array that he passed', async () => {
      const value = bytes('value')
      const node = Buffer.from('value')
      const written = [set('key', value), set('node', node)]
      value.fill(0)
      node.fill(0)
      await Promise.all(written)
      expect(await getMany(['key', 'node'])).toEqual([listed('value'), listed('value')])
    })

    it('is not touched by what a caller does to an array that he received', async () => {
      await set('key', bytes('value'))
      ;(await store.get('key'))?.fill(0)
      const [first, second] = (await store.getMany?.(['key', 'key'])) ?? [undefined, bytes('value')]
      first?.fill(0)
      expect(plain(second)).toEqual(listed('value'))
      expect(await get('key')).toEqual(listed('value'))
    })

    it('takes a value of a megabyte', async () => {
      const value = Uint8Array.from({ length: 1_048_576 }, (_, index) => (index * 31) % 251)
      await set('key', value)
      const got = await store.get('key')
      expect(got && Buffer.compare(got, value)).toBe(0)
    })

    it('has one whole value after many were written at once', async () => {
      await Promise.all(Array.from({ length: 20 }, (_, index) => set('key', new Uint8Array(10_000 + index).fill(index))))
      const value = (await get('key')) ?? []
      expect(value.length).toBe(10_000 + (value[0] ?? -1))
      expect(new Set(value).size).toBe(1)
    })
  })
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function listed(text: string): number[] {
  return [...bytes(text)]
}

/** As an array of numbers, so that a `Buffer` and a `Uint8Array` with the same bytes are equal. */
function plain(value: Uint8Array | undefined): number[] | undefined {
  return value && [...value]
}
