/**
 * Checks of a store that adds up numbers, so that several processes can count together.
 * @module
 */
import { hour, same, storeCheck, type StoreCheck } from './store-check.ts'

const ttl = { ttl: hour }

/** Checks of sums. A check passes if the store does not offer them. */
export const sumsChecks: readonly StoreCheck[] = [
  storeCheck('adds to sums by their names, and gives those that are there now', async ({ store }) => {
    if (store.add === undefined) return
    same(await store.add('sums', {}, ttl), {})
    same(await store.add('sums', { a: 2, 'b "\u{10ffff}|': 3 }, ttl), { a: 2, 'b "\u{10ffff}|': 3 })
    same((await store.add('sums', { a: 40 }, ttl))['a'], 42)
    same((await store.add('other', { a: 1 }, ttl))['a'], 1)
    same((await store.add('sums', {}, ttl))['a'], 42)
  }),

  storeCheck('loses nothing of what is added at once', async ({ store }) => {
    if (store.add === undefined) return
    const many = Object.fromEntries(Array.from({ length: 120 }, (_, index) => [`sum ${index}`, index]))
    await Promise.all(Array.from({ length: 20 }, async () => store.add?.('sums', { ...many, all: 1 }, ttl)))
    const sums = await store.add('sums', {}, ttl)
    same(sums['all'], 20)
    same(sums['sum 119'], 20 * 119)
    same(Object.keys(sums).length, 121)
  }),

  storeCheck('ends sums at the TTL of what was added last', async (trial) => {
    const { store, tolerance } = trial
    if (store.add === undefined) return
    const short = 2_000 + tolerance
    await store.add('sums', { a: 1 }, { ttl: short })
    await store.add('kept', { a: 1 }, { ttl: short })
    await store.add('kept', { a: 1 }, { ttl: 10 * (short + tolerance) })
    await trial.advance(short + tolerance + 1_000)
    same(await store.add('sums', {}, ttl), {})
    same((await store.add('kept', {}, ttl))['a'], 2)
  }),
]
