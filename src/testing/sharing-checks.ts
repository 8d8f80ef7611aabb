/**
 * Checks of a store that several processes share: leases, and channels for messages.
 * @module
 */
import { hour, same, storeCheck, type StoreCheck } from './store-check.ts'

const ttl = { ttl: hour }

/** Checks of leases and channels. A check passes if the store does not offer the method. */
export const sharingChecks: readonly StoreCheck[] = [
  storeCheck('gives a lease to one token at a time, and tells the others which token holds it', async ({ store }) => {
    if (store.lease === undefined) return
    same(await store.lease('key', 'first', ttl), 'first')
    same(await store.lease('key', 'second', ttl), 'first')
    same(await store.lease('other key', 'second', ttl), 'second')
    await store.release?.('key', 'second')
    same(await store.lease('key', 'second', ttl), 'first')
    await store.release?.('key', 'first')
    same(await store.lease('key', 'second', ttl), 'second')
  }),

  storeCheck('gives a lease to one of many tokens that ask at once', async ({ store }) => {
    if (store.lease === undefined) return
    const tokens = Array.from({ length: 20 }, (_, index) => `token ${index}`)
    const holders = new Set(await Promise.all(tokens.map(async (token) => store.lease?.('key', token, ttl))))
    same(holders.size, 1)
    same(tokens.filter((token) => holders.has(token)).length, 1)
  }),

  storeCheck('ends a lease at its TTL, unless its holder prolongs it', async (trial) => {
    const { store, tolerance } = trial
    if (store.lease === undefined) return
    const short = { ttl: 2_000 + 2 * tolerance }
    await store.lease('key', 'first', short)
    await trial.advance(1_500)
    same(await store.lease('key', 'first', short), 'first')
    await trial.advance(1_500)
    same(await store.lease('key', 'second', short), 'first')
    await trial.advance(short.ttl + tolerance)
    same(await store.lease('key', 'second', short), 'second')
  }),

  storeCheck('ignores the release of a lease that is free, or that another token holds', async ({ store }) => {
    if (store.lease === undefined) return
    await store.release?.('key', 'first')
    await store.lease('key', 'second', ttl)
    await store.release?.('key', 'first')
    same(await store.lease('key', 'third', ttl), 'second')
  }),

  storeCheck('passes a message to the listeners of its channel, until they end listening', async ({ store }) => {
    if (store.subscribe === undefined) return
    const heard: string[] = []
    const last = Promise.withResolvers<void>()
    const opened = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const
    const end = store.subscribe('channel', { heard: (message) => heard.push(message), missed: () => opened[0].resolve() })
    if (end === undefined) return
    const endOther = store.subscribe('other', { heard: () => last.resolve(), missed: () => opened[1].resolve() })
    await Promise.all(opened.map(({ promise }) => promise))
    await store.publish?.('channel', 'first \u{10ffff}')
    await store.publish?.('channel', '')
    await store.publish?.('other', 'in between')
    await last.promise
    end()
    await store.publish?.('channel', 'too late')
    same(heard, ['first \u{10ffff}', ''])
    endOther?.()
  }),
]
