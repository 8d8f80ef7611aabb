/**
 * Checks of a store that several processes share: values set if absent, leases, and channels for messages.
 * @module
 */
import { bytesOf, hour, numbers, same, storeCheck, type StoreCheck } from './store-check.ts'

const ttl = { ttl: hour }

/** Checks of "set if absent", leases and channels. A check passes if the store does not offer the method. */
export const sharingChecks: readonly StoreCheck[] = [
  storeCheck('keeps a value if there is none, and gives the one that is there', async (trial) => {
    const { store } = trial
    if (store.setIfAbsent === undefined) return
    const bytes = bytesOf('first \0\u{10ffff}')
    same([...(await store.setIfAbsent('key', bytes, ttl))], [...bytes])
    same([...(await store.setIfAbsent('key', bytesOf('second'), ttl))], [...bytes])
    await trial.holds('key', 'first \0\u{10ffff}')
    await trial.set('other', 'third')
    same([...(await store.setIfAbsent('other', bytes, ttl))], numbers('third'))
    await store.delete('key')
    same([...(await store.setIfAbsent('key', bytesOf('second'), ttl))], numbers('second'))
    await trial.holds('key', 'second')
  }),

  storeCheck('keeps one of many values that are set at once if there is none', async (trial) => {
    const { store } = trial
    if (store.setIfAbsent === undefined) return
    const values = Array.from({ length: 20 }, (_, index) => `value ${index}`)
    const kept = await Promise.all(values.map(async (value) => store.setIfAbsent?.('key', bytesOf(value), ttl)))
    const texts = new Set(kept.map((value) => String.fromCodePoint(...(value ?? []))))
    same(texts.size, 1)
    const [first] = texts
    await trial.holds('key', first)
  }),

  storeCheck('ends a value that was set if absent at its TTL, and then keeps another one', async (trial) => {
    const { store, tolerance } = trial
    if (store.setIfAbsent === undefined) return
    const short = 2_000 + tolerance
    await store.setIfAbsent('key', bytesOf('first'), { ttl: short })
    await trial.advance(short + tolerance + 1_000)
    await trial.holds('key', undefined)
    same([...(await store.setIfAbsent('key', bytesOf('second'), ttl))], numbers('second'))
  }),

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
