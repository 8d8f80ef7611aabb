/**
 * Checks of a store with one value under one key.
 * @module
 */
import { ok } from 'node:assert/strict'
import { bytesOf, numbers, same, storeCheck, type StoreCheck } from './store-check.ts'

/** Checks of values: their bytes, their keys, and that callers cannot change stored bytes. */
export const valueChecks: readonly StoreCheck[] = [
  storeCheck('has a name that says what it is', async ({ store }) => {
    ok(/^[a-z][a-z0-9-]*$/.test(store.name), `its name ${JSON.stringify(store.name)} is not of lower-case letters, digits and hyphens`)
  }),

  storeCheck('returns every byte unchanged', async (trial) => {
    const every = Array.from({ length: 256 }, (_, index) => index)
    await trial.set('key', Uint8Array.from(every))
    same(await trial.get('key'), every)
  }),

  storeCheck('distinguishes an empty value from a missing one', async (trial) => {
    await trial.set('key', new Uint8Array(0))
    await trial.holds('key', '')
    await trial.holds('another', undefined)
  }),

  storeCheck('returns a Uint8Array whose buffer and offset are right', async (trial) => {
    await trial.set('key', 'value')
    const value = await trial.store.get('key')
    ok(value instanceof Uint8Array, 'the result is not a Uint8Array')
    same([...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)], numbers('value'))
  }),

  storeCheck('stores a view of a larger buffer, and only the view', async (trial) => {
    await trial.set('key', new Uint8Array([1, 2, 3, 4, 5]).subarray(1, 3))
    await trial.set('node', Buffer.from([1, 2, 3, 4, 5]).subarray(3))
    same(await trial.getMany(['key', 'node']), [
      [2, 3],
      [4, 5],
    ])
  }),

  storeCheck('deletes, and accepts a key that has no value', async (trial) => {
    await trial.set('key', 'value')
    await trial.set('other', 'kept')
    await trial.store.delete('key')
    await trial.store.delete('key')
    await trial.holds('key', undefined)
    await trial.holds('other', 'kept')
  }),

  storeCheck('takes long keys, and keeps those apart that differ only at the end', async (trial) => {
    const long = 'k'.repeat(500)
    await trial.set(`${long}1`, 'one')
    await trial.set(`${long}2`, 'two')
    same(await trial.getMany([`${long}1`, `${long}2`, long]), [numbers('one'), numbers('two'), undefined])
  }),

  storeCheck('takes keys in any script, and compares them by characters, not by their looks', async (trial) => {
    const keys = ['naïve', 'nai\u0308ve', '日本語', '👩‍👩‍👧', 'a b', 'A B', ' a b', 'a\nb', 'a:b/c?d#e', '"quoted"', "it's"]
    await Promise.all(keys.map((key) => trial.set(key, key)))
    same(await trial.getMany(keys), keys.map(numbers))
  }),

  storeCheck('keeps a value unchanged when the caller changes the array that it passed', async (trial) => {
    const value = bytesOf('value')
    const node = Buffer.from('value')
    const written = [trial.set('key', value), trial.set('node', node)]
    value.fill(0)
    node.fill(0)
    await Promise.all(written)
    same(await trial.getMany(['key', 'node']), [numbers('value'), numbers('value')])
  }),

  storeCheck('keeps a value unchanged when the caller changes the array that it received', async (trial) => {
    await trial.set('key', 'value')
    ;(await trial.store.get('key'))?.fill(0)
    await trial.holds('key', 'value')
    const [first, second] = (await trial.store.getMany?.(['key', 'key'])) ?? []
    first?.fill(0)
    if (trial.store.getMany !== undefined) same([...(second ?? [])], numbers('value'))
    await trial.holds('key', 'value')
  }),

  storeCheck('takes a value of one megabyte', async (trial) => {
    const value = Uint8Array.from({ length: 1_048_576 }, (_, index) => (index * 31) % 251)
    await trial.set('key', value)
    const got = await trial.store.get('key')
    ok(got instanceof Uint8Array && Buffer.compare(got, value) === 0, 'the megabyte came back changed')
  }),

  storeCheck('holds one whole value after many were written at once', async (trial) => {
    await Promise.all(Array.from({ length: 20 }, (_, index) => trial.set('key', new Uint8Array(10_000 + index).fill(index))))
    const value = (await trial.get('key')) ?? []
    ok(value.length === 10_000 + (value[0] ?? -1) && new Set(value).size === 1, 'the value is a mixture of those written')
  }),
]
