/**
 * Checks of a store when time passes.
 * @module
 */
import { bytesOf, hour, numbers, same, storeCheck, type StoreCheck } from './store-check.ts'

/** Checks of TTLs: when values expire, and how a new TTL replaces the old one. */
export const expiryChecks: readonly StoreCheck[] = [
  storeCheck('keeps a value until its TTL ends, and not at that very moment', async (trial) => {
    const { tolerance } = trial
    const ttl = 5_000 + 2 * tolerance
    await trial.set('key', 'value', ttl)
    await trial.advance(ttl - 1 - tolerance)
    same(await trial.getMany(['key']), [numbers('value')])
    await trial.holds('key', 'value')
    await trial.advance(1 + 2 * tolerance)
    await trial.holds('key', undefined)
    same(await trial.getMany(['key']), [undefined])
    same(await trial.keys(''), [])
  }),

  storeCheck('keeps a value with the shortest TTL until that ends', async (trial) => {
    const ttl = 1 + trial.tolerance
    await trial.set('key', 'value', ttl)
    await trial.holds('key', 'value')
    await trial.advance(ttl + trial.tolerance)
    await trial.holds('key', undefined)
  }),

  storeCheck('keeps a value for a year', async (trial) => {
    await trial.set('key', 'value', 366 * 24 * hour)
    await trial.holds('key', 'value')
  }),

  storeCheck('replaces a value and its TTL', async (trial) => {
    await trial.set('key', 'long and first', 1_000)
    await trial.set('key', 'second', 3_000 + trial.tolerance)
    await trial.holds('key', 'second')
    await trial.advance(2_000)
    await trial.holds('key', 'second')
  }),

  storeCheck('replaces a TTL by a shorter one', async (trial) => {
    await trial.set('key', 'first', 3_000 + trial.tolerance)
    await trial.set('key', 'second', 1_000)
    await trial.advance(1_000 + trial.tolerance)
    await trial.holds('key', undefined)
  }),

  storeCheck('takes a new value after the old one has expired', async (trial) => {
    await trial.set('key', 'first', 1_000)
    await trial.advance(1_500 + trial.tolerance)
    await trial.set('key', 'second', 1_000 + trial.tolerance)
    await trial.advance(999)
    await trial.holds('key', 'second')
  }),

  storeCheck('writes many values, each with its own TTL', async (trial) => {
    if (trial.store.setMany === undefined) return
    await trial.store.setMany([
      { key: 'a', value: bytesOf('A'), ttl: hour },
      { key: 'b', value: bytesOf('B'), ttl: 1_000 },
    ])
    same(await trial.getMany(['a', 'b']), [numbers('A'), numbers('B')])
    await trial.advance(1_000 + trial.tolerance)
    same(await trial.getMany(['a', 'b']), [numbers('A'), undefined])
  }),
]
