/**
 * Checks of a store with many keys: reading, writing and listing.
 * @module
 */
import { bytesOf, hour, numbers, same, storeCheck, type StoreCheck } from './store-check.ts'

/** Characters with a meaning in patterns of Redis or SQL, or in paths. In a prefix they have none. */
const prefixes = ['a*', 'a?', 'a[bc]', 'a%', 'a_', 'a\\', 'a{b,c}', "a'b", 'a^', 'a:']

/** Checks of batches and lists of keys. A check passes if the store does not offer the method. */
export const batchChecks: readonly StoreCheck[] = [
  storeCheck('reads many keys in the given order, missing and repeated ones included', async (trial) => {
    await trial.set('a', 'A')
    await trial.set('b', 'B')
    same(await trial.getMany(['b', 'missing', 'a', 'b', 'a']), [[66], undefined, [65], [66], [65]])
    same(await trial.getMany([]), [])
  }),

  storeCheck('reads several hundred keys at once', async (trial) => {
    const names = Array.from({ length: 300 }, (_, index) => `key ${index}`)
    await Promise.all(names.map((key) => trial.set(key, key)))
    same(await trial.getMany(names), names.map(numbers))
  }),

  storeCheck('writes many values, and of a repeated key the last one', async (trial) => {
    if (trial.store.setMany === undefined) return
    await trial.store.setMany([
      { key: 'a', value: bytesOf('first'), ttl: hour },
      { key: 'b', value: bytesOf('B'), ttl: hour },
      { key: 'a', value: bytesOf('second'), ttl: hour },
    ])
    await trial.store.setMany([])
    same(await trial.getMany(['a', 'b']), [numbers('second'), numbers('B')])
  }),

  ...prefixes.map((prefix) =>
    storeCheck(`lists the keys that begin with ${JSON.stringify(prefix)}, without reading it as a pattern`, async (trial) => {
      if (trial.store.keys === undefined) return
      const wanted = [prefix, `${prefix}1`, `${prefix}:x`, `${prefix}\u{10ffff}`]
      await Promise.all([...wanted, 'ab', 'abc', 'ac1', 'aXb', 'a', 'b'].map((key) => trial.set(key, 'x')))
      same(await trial.keys(prefix), wanted.toSorted())
    }),
  ),

  storeCheck('lists all keys for an empty prefix, without expired and deleted ones', async (trial) => {
    if (trial.store.keys === undefined) return
    await trial.set('kept', 'x')
    await trial.set('expired', 'x', 1_000)
    await trial.set('deleted', 'x')
    await trial.store.delete('deleted')
    await trial.advance(1_000 + trial.tolerance)
    same(await trial.keys(''), ['kept'])
  }),

  storeCheck('lists each of many keys once', async (trial) => {
    if (trial.store.keys === undefined) return
    const names = Array.from({ length: 1_100 }, (_, index) => `page:${index}`)
    await trial.setMany(names.map((key) => [key, 'x']))
    same(await trial.keys('page:'), names.toSorted())
  }),

  storeCheck('lists each of many keys once while they are being deleted', async (trial) => {
    if (trial.store.keys === undefined) return
    const names = Array.from({ length: 1_100 }, (_, index) => `page:${index}`)
    await trial.setMany(names.map((key) => [key, 'x']))
    const seen: string[] = []
    for await (const key of trial.store.keys('page:')) {
      seen.push(key)
      await trial.store.delete(key)
    }
    same(seen.toSorted(), names.toSorted())
    same(await trial.keys('page:'), [])
  }),
]
