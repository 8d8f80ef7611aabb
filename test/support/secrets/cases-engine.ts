/**
 * Cases of the engine: stores that fail, flights that end, functions of the user that throw.
 * @module
 */
import { createCache } from '../../../src/cache/cache.ts'
import { DeadlineError } from '../../../src/errors.ts'
import { FaultLog } from '../../../src/engine/shared-store/fault-log.ts'
import { Flight } from '../../../src/engine/flight/flight.ts'
import type { Origin } from '../../../src/engine/flight/upstream.ts'
import { inTime } from '../../../src/engine/shared-store/deadline.ts'
import { OptionFault } from '../../../src/engine/settings/option-fault.ts'
import { Notices } from '../../../src/engine/notices.ts'
import { guardedLogger } from '../../../src/engine/settings/logger.ts'
import { EntryReader } from '../../../src/engine/tiers/entry-reader.ts'
import { cachingFetch } from '../../../src/clients/with-cache.ts'
import { providerNamed } from '../../../src/providers/catalogue.ts'
import { createEntryCodec } from '../../../src/codec/entry-codec.ts'
import { InvalidationBus } from '../../../src/engine/shared-store/bus.ts'
import { StoreReader } from '../../../src/engine/shared-store/store-reader.ts'
import type { Store } from '../../../src/store.ts'
import { systemClock } from '../../../src/clock.ts'
import { answer, question, settle } from '../chat.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import type { Cases, Issuer } from './issuer.ts'
import { keyBytes, secret } from './marker.ts'
import { mistaken } from './mistaken.ts'

const prompt = secret('prompt')
const asked = question(prompt)
const answered = answer(secret('answer'))

/** A store over a map, of which some methods are others. */
function storeWith(methods: Partial<Store>, map = new Map<string, Uint8Array>()): Store {
  return {
    name: 'own',
    get: (key) => map.get(key),
    set: (key, value) => void map.set(key, value),
    delete: (key) => void map.delete(key),
    ...methods,
  }
}

/** What a client of a store throws. Its name, its code and its system call are what logs show of it. */
function clientError(): Error {
  const error = new Error(`connect redis://user:${secret('password')}@host`, { cause: new Error(secret('password')) })
  return Object.assign(error, {
    name: `${secret('password')} Error`,
    code: `E${secret('password')}`,
    syscall: secret('password'),
    address: secret('url'),
    port: secret('url'),
    config: { password: secret('password') },
    command: { args: [prompt] },
  })
}

/** Everything of a cache over this store: filled, asked, listed, invalidated, closed. */
async function useAll(issuer: Issuer, store: Store, isSealed = true): Promise<void> {
  const encryption = { keys: { a: keyBytes }, current: 'a' }
  const cache = issuer.cache({ store, sharedFlights: store.lease !== undefined, ...(isSealed && { encryption }) })
  // The error of a store of the user's own is the user's own value, and goes to nobody but the user's own listener.
  for (let time = 0; time < 7; time++) {
    await issuer.outcome(async () => void (await cache.lookup(asked)))
    await issuer.outcome(() => cache.store(asked, answered))
    await cache.flush()
  }
  await issuer.outcome(() => cache.set('a key', prompt))
  await issuer.outcome(() => cache.delByPattern('*'))
  await issuer.outcome(() => cache.invalidate({ tags: ['a'] }))
  await issuer.outcome(() => cache.del('a key'))
  await cache.close()
}

/** What a listener gets of a store of the user's own: the error that it threw, which is the user's own. */
function withoutOwn(issuer: Issuer, own: unknown): void {
  const all = issuer.issued.splice(0)
  for (const { what, value } of all) {
    const error: unknown = Reflect.get(Object(value), 'error') ?? value
    if (error !== own && Reflect.get(Object(error), 'cause') !== own) issuer.keep(what, value)
  }
}

export const engineCases: Cases = {
  'src/engine/shared-store/shared-store.ts': [
    {
      name: 'every method of a store of the user’s own throws',
      async run(issuer) {
        const own = clientError()
        const throws = (): never => {
          throw own
        }
        await useAll(
          issuer,
          storeWith({ get: throws, set: throws, delete: throws, keys: throws, getMany: throws, setMany: throws, close: throws }),
        )
        withoutOwn(issuer, own)
      },
    },
    {
      name: 'a store that takes no writes',
      async run(issuer) {
        const own = clientError()
        const throws = (): never => {
          throw own
        }
        await useAll(issuer, storeWith({ set: throws, setIfAbsent: (_, value) => value }))
        withoutOwn(issuer, own)
      },
    },
    { name: 'a store that cannot list', run: (issuer) => useAll(issuer, storeWith({})) },
    {
      name: 'a store that reports',
      async run(issuer) {
        await useAll(issuer, storeWith({ onReport: (report) => report('a report') }))
      },
    },
    {
      name: 'more writes than may wait',
      async run(issuer) {
        const clock = new ManualClock()
        const store = storeWith({ setMany: () => new Promise(() => {}), setIfAbsent: (_, value) => value })
        const cache = issuer.cache({ store, clock, maxMemoryBytes: 0, compressAbove: Infinity })
        for (let index = 0; index < 1_100; index++) {
          await cache.store(question(`${prompt} ${index}`), answer(`${secret('answer')} ${'x'.repeat(80_000)}`))
        }
        issuer.keep('stats()', cache.stats())
        const closing = cache.close()
        await settle()
        clock.advance(60_000)
        await closing
      },
    },
  ],
  'src/engine/shared-store/listing.ts': [
    {
      name: 'a store that fails to list, and one that cannot',
      async run(issuer) {
        const own = clientError()
        const fails = issuer.cache({
          store: storeWith({
            keys: () => {
              throw own
            },
          }),
        })
        await issuer.refused(() => fails.delByPattern('*'))
        await issuer.refused(() => Array.fromAsync(fails.entries()))
        withoutOwn(issuer, own)
        const cannot = issuer.cache({ store: storeWith({}) })
        await issuer.refused(() => cannot.delByPattern('*'))
        await issuer.refused(() => Array.fromAsync(cannot.entries()))
      },
    },
  ],
  'src/engine/call-events.ts': [
    {
      name: 'calls that miss, are stored, hit, skipped and bypassed, and what they cost',
      async run(issuer) {
        const cache = issuer.cache({ prices: [{ model: '*', input: 1, output: 1 }] })
        let finish = 'stop'
        const through = cachingFetch(cache, async () => Response.json(answer(secret('answer'), finish)))
        const headers = { authorization: `Bearer ${secret('key')}`, 'content-type': 'application/json' }
        const ask = async (text: string, url = 'https://api.openai.com/v1/chat/completions'): Promise<void> => {
          const body = JSON.stringify(question(text).body)
          await (await through(`${url}?token=${secret('token')}`, { method: 'POST', headers, body })).text()
          await settle()
        }
        await ask(prompt)
        await ask(prompt)
        finish = 'length'
        await ask(`${prompt} cut off`)
        const watched = issuer.cache({ mode: 'shadow' })
        await watched.store(asked, answered)
        const shadowed = cachingFetch(watched, async () => Response.json(answer(secret('answer'))))
        for (let time = 0; time < 3; time++) {
          const body = JSON.stringify(asked.body)
          await (await shadowed('https://api.openai.com/v1/chat/completions', { method: 'POST', headers, body })).text()
          await settle()
        }
        issuer.keep('returned', (await cache.lookup({ ...asked, mode: 'no-store' }))?.info)
      },
    },
  ],
  'src/engine/told-hits.ts': [
    {
      name: 'hits that are told together',
      async run(issuer) {
        const cache = issuer.cache()
        await cache.store(asked, answered)
        for (let time = 0; time < 3; time++) await cache.lookup(asked)
        cache.stats()
      },
    },
  ],
  'src/engine/shared-store/store-reader.ts': [
    {
      name: 'a store that answers garbage',
      async run(issuer) {
        await useAll(issuer, storeWith({ get: () => mistaken(prompt) }), false)
        await useAll(issuer, storeWith({ getMany: () => mistaken([prompt]) }), false)
      },
    },
    {
      name: 'more reads than may run',
      async run(issuer) {
        const clock = new ManualClock()
        const reader = new StoreReader({
          store: storeWith({ get: () => new Promise(() => {}) }),
          clock,
          breaker: mistaken({ tryAcquire: () => true, succeeded() {}, failed() {}, withdrawn() {} }),
          readDeadline: 100,
          firstReadDeadline: 100,
          onFault: (error) => issuer.keep('fault', error),
        })
        const reads = Array.from({ length: 70 }, (_, index) => reader.read([`${prompt} ${index}`], new Set()))
        await settle()
        clock.advance(1_000)
        await Promise.all(reads)
      },
    },
  ],
  'src/engine/shared-store/fault-log.ts': [
    {
      name: 'faults and recovery',
      run(issuer) {
        for (const error of [
          clientError(),
          prompt,
          { name: prompt, code: prompt },
          Symbol(prompt),
          new DeadlineError('reading the store', 1),
        ]) {
          const log = new FaultLog('redis', issuer.logger, 5)
          log.fault('read', error)
          log.fault('write', error)
          for (let time = 0; time < 6; time++) log.fault('read', error)
          log.changed('read', false)
          log.changed('read', true)
          log.report('a report', error)
          log.changed('write', false)
        }
      },
    },
  ],
  'src/engine/shared-store/deadline.ts': [
    {
      name: 'late',
      async run(issuer) {
        const clock = new ManualClock()
        const late = issuer.refused(() => inTime(clock, { what: 'reading the store', deadline: 5 }, () => new Promise(() => {})))
        clock.advance(10)
        await late
      },
    },
  ],
  'src/engine/shared-store/bus.ts': [
    {
      name: 'a channel that fails',
      async run(issuer) {
        const own = clientError()
        const throws = (): never => {
          throw own
        }
        const bus = new InvalidationBus(
          { store: storeWith({ subscribe: throws, publish: throws }), clock: systemClock, events: issuer.events(), namespace: '' },
          { declared() {}, removed() {}, missed() {} },
        )
        await bus.removed('a key')
        await bus.close()
        withoutOwn(issuer, own)
        issuer.keep('counted', true)
      },
    },
  ],
  'src/engine/tiers/tiers.ts': [
    {
      name: 'an entry makes room for another',
      async run(issuer) {
        const cache = issuer.cache({ maxMemoryBytes: 20_000 })
        for (let index = 0; index < 40; index++) await cache.store(question(`${prompt} ${index}`), answer(secret('answer').repeat(20)))
      },
    },
  ],
  'src/engine/tiers/entry-reader.ts': [
    {
      name: 'entries of others, damaged ones and empty ones',
      async run(issuer) {
        const codec = createEntryCodec({ compressAbove: 100, maxBodyBytes: 10_000 })
        const reader = new EntryReader({ codec, namespace: '', events: issuer.events(), allows: () => false })
        const map = new Map<string, Uint8Array>()
        const cache = issuer.cache({ store: storeWith({}, map), maxMemoryBytes: 0 })
        const stored = await cache.store(asked, answered)
        await cache.flush()
        const bytes = [...map.values()].find((value) => Buffer.from(value).includes(stored.key))
        const address = { key: 'other', storeKey: prompt, scope: '', labels: [] }
        reader.read(address, bytes, Date.now())
        reader.read({ ...address, key: stored.key, scope: stored.scope }, bytes, Date.now())
        const endpoint = providerNamed('openai')?.endpoints.find(({ name }) => name === 'chat.completions')
        const entry = codec.decode(bytes ?? new Uint8Array())
        const empty = codec.encode({ ...entry, body: JSON.stringify({ prompt }) })
        reader.read({ ...address, key: stored.key, scope: stored.scope, ...(endpoint && { endpoint }) }, empty, Date.now())
        reader.read(address, new TextEncoder().encode(prompt), Date.now())
      },
    },
  ],
  'src/engine/miss-log.ts': [
    {
      name: 'misses of requests whose names are secrets',
      async run(issuer) {
        // Its events hold the names of operations and scopes; the lines of its log must not.
        const cache = createCache({ debug: 'miss', logger: issuer.logger, prices: false })
        const name = secret('name')
        const asked = (context: unknown) => question(prompt, { operation: name, scope: name, tags: [name], context: mistaken(context) })
        await cache.store(asked({ [name]: name }), answer(secret('answer')))
        await cache.lookup(asked({ [name]: prompt }))
        await cache.invalidate({ tags: [name] })
        await cache.lookup(asked({ [name]: name }))
        await cache.close()
      },
    },
  ],
  'src/engine/notices.ts': [
    {
      name: 'functions of the user throw',
      run(issuer) {
        const named = Object.assign(new Error(prompt), { name: secret('password') })
        for (const error of [new Error(prompt), prompt, named, { name: prompt }, new (class Bad extends Error {})(prompt)]) {
          const notices = new Notices(issuer.logger)
          notices.hookFailed(error)
          notices.policyFailed(error)
          notices.entryFailed(error)
          for (const misdeed of [{ threw: error }, { given: error }]) notices.optionFailed(new OptionFault('scope', misdeed, 'a text'))
        }
      },
    },
    {
      name: 'an entry of another key',
      async run(issuer) {
        const map = new Map<string, Uint8Array>()
        const first = issuer.cache({ store: storeWith({}, map), encryption: { keys: { a: keyBytes }, current: 'a' }, maxMemoryBytes: 0 })
        await first.store(asked, answered)
        await first.flush()
        for (const encryption of [undefined, { keys: { a: new Uint8Array(32) }, current: 'a' }, { keys: { b: keyBytes }, current: 'b' }]) {
          const second = issuer.cache({ store: storeWith({}, map), ...(encryption && { encryption }), maxMemoryBytes: 0 })
          issuer.keep('returned', await second.lookup(asked))
        }
      },
    },
  ],
  'src/engine/engine.ts': [
    {
      name: 'hooks that throw, hits, misses, skips and options that are probably not meant',
      async run(issuer) {
        const cache = issuer.cache({
          ttl: { default: 60_000, [secret('password')]: 60_000, sumarize: '1h' },
          policy: () => {
            throw new Error(prompt)
          },
        })
        cache.on('miss', () => {
          throw new Error(prompt)
        })
        issuer.keep('returned', await cache.lookup(asked))
        issuer.keep('returned', await cache.store(asked, answered))
        await cache.invalidate({ all: true })
        const other = issuer.cache()
        issuer.keep('returned', await other.store(asked, answered))
        issuer.keep('returned', (await other.lookup(asked))?.info)
        issuer.keep('returned', await other.lookup({ ...asked, mode: 'no-store' }))
        const query = `?key=${secret('key')}#${secret('token')}`
        const through = cachingFetch(other, async () => new Response('{}'))
        await through(`https://user:${secret('password')}@example.com/v1/unknown${query}`, { method: 'POST', body: prompt })
      },
    },
    {
      name: 'a logger that fails',
      async run(issuer) {
        const failed: unknown[] = []
        const logger = guardedLogger({ warn: () => mistaken(Promise.reject(new Error(prompt))), info: () => mistaken(null) }, () =>
          failed.push(1),
        )
        logger.warn('a')
        logger.info('b')
        await settle()
        issuer.keep('lines lost', failed)
      },
    },
  ],
  'src/engine/flight/flight.ts': [
    {
      name: 'a flight without an answer, and a reader that holds up the others',
      async run(issuer) {
        const clock = new ManualClock()
        const silent = flight(clock, () => new Promise(() => {}))
        const first = silent.join()
        const waiting = issuer.refused(() => first.head())
        clock.advance(20 * minute)
        await waiting
        const items = { next: async () => ({ done: false, value: secret('answer') }) }
        const long = flight(clock, async () => ({ head: 'head', items, shareable: true }))
        const [fast, slow] = [long.join(), long.join()]
        await fast.head()
        await slow.head()
        let reads = 0
        const reading = (async () => {
          for (; reads < 20; reads++) await fast.next()
        })()
        for (let turn = 0; turn < 20; turn++) {
          await settle()
          clock.advance(minute)
        }
        await issuer.refused(() => slow.next())
        fast.leave()
        await issuer.outcome(() => reading)
      },
    },
  ],
}

const minute = 60_000

function flight(clock: ManualClock, start: Origin<string, string>['start']): Flight<string, string> {
  const origin = { start, size: (item: string) => item.length }
  return new Flight({ origin, bounds: { maxBytes: 10, deadline: 15 * minute }, clock, closed: () => {}, ended: () => {} })
}
