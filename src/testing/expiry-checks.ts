/**
 * Checks of a store when time passes.
 * @module
 */
import { bytesOf, hour, numbers, same, storeCheck, type StoreCheck } from './store-check.ts'

/** Checks of TTLs: when values expire, and how a new TTL replaces the old one. */
export const expiryChecks: readonly StoreCheck[] = [
  storeCheck('keeps a value until its TTL and not for the moment at which it ends', async (trial) => {
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

  storeCheck('keeps a value with the shortest TTL until it ends', async (trial) => {
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

  storeCheck('replaces what was under a key, and its TTL', async (trial) => {
    await trial.set('key', 'long and first', 1_000)
    await trial.set('key', 'second', 3_000 + trial.tolerance)
    await trial.holds('key', 'second')
    await trial.advance(2_000)
    await trial.holds('key', 'second')
  }),

  storeCheck('shortens a TTL as well', async (trial) => {
    await trial.set('key', 'first', 3_000 + trial.tolerance)
    await trial.set('key', 'second', 1_000)
    await trial.advance(1_000 + trial.tolerance)
    await trial.holds('key', undefined)
  }),

  storeCheck('is written anew after a value has expired', async (trial) => {
    await trial.set('key', 'first', 1_000)
    await trial.advance(1_500 + trial.tolerance)
    await trial.set('key', 'second', 1_000 + trial.tolerance)
    await trial.advance(999)
    await trial.holds('key', 'second')
  }),

  storeCheck('writes many with a TTL each', async (trial) => {
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
