import { DatabaseSync } from 'node:sqlite'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { Cluster, Redis } from 'ioredis'
import { memoryStore } from '../../../src/stores/memory-store.ts'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/clock.ts'
import { createCache } from '../../../src/cache/cache.ts'
import type { TextFolding } from '../../../src/engine/settings/key-options.ts'
import { type CacheOptions, readOptions } from '../../../src/engine/settings/options.ts'
import { InvalidOptionError } from '../../../src/errors.ts'
import type { Duration } from '../../../src/duration.ts'
import { ScriptedStore } from '../../support/scripted-store.ts'

const key = new Uint8Array(32).fill(7)
const day = 86_400_000

/** What the types forbid and JavaScript does not. */
function unchecked(options: object): CacheOptions {
  return options
}

describe('options that are left out', () => {
  it('are what the documentation says', () => {
    const { ttl, policy, ambient, ...settings } = readOptions({})
    expect([ttl('chat'), ttl('embeddings')]).toEqual([3_600_000, 3_600_000])
    expect([policy, ambient.current]).toEqual([undefined, undefined])
    expect(settings).toEqual({
      store: undefined,
      recordings: undefined,
      switches: undefined,
      usage: 'keep',
      savings: false,
      stale: 0,
      jitter: 0,
      random: Math.random,
      maxMemoryTtl: 300_000,
      staleWhileRevalidate: 0,
      staleIfError: 0,
      refreshAhead: 0,
      namespace: '',
      scope: undefined,
      maxMemoryBytes: 67_108_864,
      maxMemoryEntries: Infinity,
      maxEntryBytes: 8_388_608,
      compressAbove: 4_096,
      compressionLevel: 6,
      debug: undefined,
      encryption: undefined,
      endpoints: [],
      canonical: { longText: 1_000 },
      ignoredFields: new Set(),
      keptFields: new Set(),
      ignoredHeaders: new Set(),
      prices: [],
      replay: {},
      streamUsage: 'auto',
      scopeOfCall: undefined,
      requireScope: false,
      readDeadline: 100,
      firstReadDeadline: 1_000,
      flightDeadline: 900_000,
      invalidationDelay: 1_000,
      sharedFlights: false,
      leaseTtl: 10_000,
      logger: console,
      requireStore: false,
      clock: systemClock,
      warnings: [],
    })
  })
})

/** What these foldings make of a text. */
function fold(...names: TextFolding[]): ((text: string) => string) | undefined {
  return readOptions({ key: { fold: names } }).canonical.text
}

describe('options that are given', () => {
  it('are taken over, durations in seconds or with a unit', () => {
    const store = memoryStore()
    const settings = readOptions({
      store,
      stale: '1d',
      namespace: 'bot',
      scope: 'tenant',
      maxMemoryBytes: 0,
      maxEntryBytes: 1,
      compressAbove: Infinity,
      readDeadline: 0.25,
      flightDeadline: '2m',
      invalidationDelay: 0,
      logger: false,
      prices: false,
      key: { ignore: ['seed'], keep: ['user'], ignoreHeaders: ['X-Trace'], longText: 64 },
    })
    expect(settings).toMatchObject({
      stale: day,
      namespace: 'bot',
      scope: 'tenant',
      maxMemoryBytes: 0,
      maxEntryBytes: 1,
      compressAbove: Infinity,
      readDeadline: 250,
      flightDeadline: 120_000,
      invalidationDelay: 0,
      logger: undefined,
      prices: false,
      ignoredFields: new Set(['seed']),
      keptFields: new Set(['user']),
      ignoredHeaders: new Set(['x-trace']),
      canonical: { longText: 64 },
    })
    expect(settings.store).toBe(store)
  })

  it('keep an answer past its TTL for as long as any of the rules would serve it', () => {
    const windows = { stale: '1m', staleWhileRevalidate: '2m', staleIfError: '3m' } as const
    expect(readOptions(windows)).toMatchObject({ stale: 180_000, staleWhileRevalidate: 120_000, staleIfError: 180_000 })
    expect(readOptions({ ...windows, stale: '1h' }).stale).toBe(3_600_000)
    expect(readOptions({ staleWhileRevalidate: '2m' }).stale).toBe(120_000)
  })

  it('have a TTL for each operation, and one for the rest', () => {
    const { ttl } = readOptions({ ttl: { default: '10m', summarize: '2h', __proto__x: 1 } })
    expect(['summarize', 'chat', 'toString', '__proto__'].map(ttl)).toEqual([7_200_000, 600_000, 600_000, 600_000])
    expect(readOptions({ ttl: { qa: '30m' } }).ttl('chat')).toBe(3_600_000)
    expect(readOptions({ ttl: '1d' }).ttl('chat')).toBe(day)
  })

  it('fold texts in the order given, and only those that are asked for', () => {
    expect(fold()).toBeUndefined()
    expect(fold('white-space')?.('  A \n\t b ')).toBe('A b')
    expect(fold('unicode-form')?.('e\u0301')).toBe('é')
    expect(fold('letter-case')?.('ÀB')).toBe('àb')
    expect(fold('white-space', 'letter-case', 'unicode-form')?.(' E\u0301  B ')).toBe('é b')
  })

  it('are read once: what is done to the object afterwards changes nothing', () => {
    const ttl: { default: Duration } = { default: '10m' }
    const settings = readOptions({ ttl })
    ttl.default = '20m'
    expect(settings.ttl('chat')).toBe(600_000)
  })
})

describe('options that cannot be', () => {
  it.each<[name: string, allowed: string, wrong: readonly object[]]>([
    ['options', 'an object with store, ttl', [[], Object(() => {})]],
    ['stores', 'one of the options store, ttl', [{ stores: {} }]],
    ['store', 'a store', [{ store: null }, { store: 'redis://' }, { store: 1 }]],
    ['store.name', 'a text that is not empty', [{ store: {} }, { store: { name: '' } }]],
    ['store.get', 'a function', [{ store: { name: 'a' } }]],
    ['store.getMany', 'a function, or absent', [{ store: { ...memoryStore(), getMany: 1 } }]],
    [
      'ttl',
      'a positive number of seconds',
      [{ ttl: 0 }, { ttl: -1 }, { ttl: Number.NaN }, { ttl: Infinity }, { ttl: 'soon' }, { ttl: '367d' }, { ttl: '' }, { ttl: true }],
    ],
    [
      'ttl',
      'a duration, or an object of operation to duration',
      [{ ttl: null }, { ttl: [] }, { ttl: {} }, { ttl: new Date() }, { ttl: new Map([['qa', '1h']]) }, { ttl: ['1h'] }],
    ],
    ['ttl.qa', 'a positive number of seconds', [{ ttl: { qa: 0 } }, { ttl: { qa: undefined } }]],
    ['stale', 'a positive number of seconds', [{ stale: null }, { stale: -1 }, { stale: 'x' }, { stale: Infinity }]],
    ['jitter', 'a number from 0 to 1', [{ jitter: null }, { jitter: -0.1 }, { jitter: 1.1 }, { jitter: '0.1' }, { jitter: Number.NaN }]],
    ['random', 'a function that gives numbers from 0 to 1', [{ random: null }, { random: 0.5 }]],
    ['maxMemoryTtl', 'a positive number of seconds', [{ maxMemoryTtl: null }, { maxMemoryTtl: 0 }, { maxMemoryTtl: 'x' }]],
    ['staleWhileRevalidate', 'a positive number of seconds', [{ staleWhileRevalidate: null }, { staleWhileRevalidate: -1 }]],
    ['staleIfError', 'a positive number of seconds', [{ staleIfError: null }, { staleIfError: true }, { staleIfError: '400d' }]],
    ['refreshAhead', 'a number from 0 to 1', [{ refreshAhead: null }, { refreshAhead: 2 }, { refreshAhead: '10%' }]],
    ['namespace', 'a text without lone surrogates', [{ namespace: null }, { namespace: 1 }, { namespace: '\ud800' }]],
    ['scope', 'a text without lone surrogates', [{ scope: null }, { scope: {} }, { scope: '\udfff' }]],
    [
      'maxMemoryBytes',
      'a whole number of bytes from 0',
      [{ maxMemoryBytes: null }, { maxMemoryBytes: -1 }, { maxMemoryBytes: 1.5 }, { maxMemoryBytes: '1' }],
    ],
    ['maxEntryBytes', 'a whole number of bytes from 1', [{ maxEntryBytes: 0 }, { maxEntryBytes: Infinity }, { maxEntryBytes: 2 ** 32 }]],
    ['compressAbove', 'a whole number of bytes from 0', [{ compressAbove: -1 }, { compressAbove: -Infinity }, { compressAbove: '1k' }]],
    ['encryption', 'an object with "keys"', [{ encryption: 'secret' }, { encryption: null }]],
    ['encryption.current', 'one of the ids', [{ encryption: { keys: { a: key }, current: 'b' } }]],
    ['key', 'an object with longText', [{ key: null }, { key: 'x' }, { key: [] }]],
    ['key.kepp', 'one of the options longText, ignore', [{ key: { kepp: [] } }]],
    ['key.longText', 'a whole number of characters from 64', [{ key: { longText: 63 } }, { key: { longText: 'x' } }]],
    ['key.ignore', 'an array of texts', [{ key: { ignore: 'seed' } }, { key: { ignore: [1] } }]],
    ['key.keep', 'an array of texts', [{ key: { keep: {} } }]],
    ['key.ignoreHeaders', 'an array of texts', [{ key: { ignoreHeaders: [null] } }]],
    ['key.fold', 'white-space, unicode-form, letter-case', [{ key: { fold: ['case'] } }, { key: { fold: ['toString'] } }]],
    ['policy', 'a function', [{ policy: null }, { policy: true }, { policy: {} }]],
    ['prices', 'an array of price rules, or false', [{ prices: null }, { prices: true }, { prices: {} }]],
    ['prices[0].input', '', [{ prices: [{ model: 'm', input: -1, output: 1 }] }]],
    ['replay', 'an object with delay', [{ replay: null }, { replay: 5 }]],
    ['replay.dealy', 'one of the options delay', [{ replay: { dealy: 1 } }]],
    ['replay.delay', 'a function', [{ replay: { delay: 5 } }]],
    ['readDeadline', 'a positive number of seconds', [{ readDeadline: null }, { readDeadline: 0 }, { readDeadline: 'x' }]],
    ['flightDeadline', 'a positive number of seconds', [{ flightDeadline: 0 }]],
    ['invalidationDelay', 'a positive number of seconds', [{ invalidationDelay: -1 }]],
    ['sharedFlights', 'a store that has leases', [{ sharedFlights: true }, { sharedFlights: true, store: new ScriptedStore() }]],
    [
      'sharedFlights',
      'true or false',
      [
        { sharedFlights: 'yes', store: memoryStore() },
        { sharedFlights: null, store: memoryStore() },
      ],
    ],
    ['leaseTtl', 'a positive number of seconds', [{ leaseTtl: 0 }]],
    [
      'logger',
      'an object with warn() and info(), or false',
      [{ logger: null }, { logger: true }, { logger: { warn: () => {} } }, { logger: console.log }],
    ],
    ['clock', 'an object with now(), monotonic() and after()', [{ clock: null }, { clock: Date }, { clock: { now: () => 0 } }]],
  ])('%s: allowed is %s', (name, allowed, wrong) => {
    for (const options of wrong) {
      const make = () => createCache(unchecked(options))
      expect(make, `given ${JSON.stringify(options)}`).toThrow(InvalidOptionError)
      expect(make).toThrow(`option "${name}" is `)
      expect(make).toThrow(allowed)
    }
  })

  it.each<[given: string, instead: string, store: unknown]>([
    ['a client of Redis', 'redisStore(client)', new Redis({ lazyConnect: true })],
    ['a client of Redis', 'redisStore(client)', new Cluster([{ host: '127.0.0.1' }], { lazyConnect: true })],
    ['a client of AWS', 'dynamodbStore(client', new DynamoDBClient({ region: 'eu-west-1' })],
    ['a client of AWS', 'dynamodbStore(client', DynamoDBDocumentClient.from(new DynamoDBClient({ region: 'eu-west-1' }))],
    ['an SQLite database', 'sqliteStore(database)', new DatabaseSync(':memory:')],
    ['a URL of Redis', 'redisStore(new Redis(url))', 'redis://user:hunter2@host'],
    ['a string of 10 characters', "sqliteStore('answers.db')", 'answers.db'],
    ['a function', 'redisStore(new Redis(url))', memoryStore],
    ['a promise', 'await it first', Promise.resolve(memoryStore())],
  ])('G49 say of a store that is none what it is, and what to do: %s', (given, instead, store) => {
    const make = () => createCache(unchecked({ store }))
    expect(make).toThrow(InvalidOptionError)
    expect(make).toThrow(`option "store" is ${given}; allowed is `)
    expect(make).toThrow(instead)
  })

  it.each([
    ['ttl', '10M', "'m' for minutes"],
    ['ttl', '250MS', "'m' for minutes"],
    ['ttl', 86_400_000, "for milliseconds write '86400000ms'"],
    ['readDeadline', 40_000_000, "for milliseconds write '40000000ms'"],
  ])('G49 say what is wrong with a duration: %s %s', (name, given, hint) => {
    expect(() => createCache(unchecked({ [name]: given }))).toThrow(hint)
  })

  it('G52 show no text, however short', () => {
    const wrong = {
      store: 'hunter2',
      namespace: 'hunter2\ud800',
      ttl: 'hunter2',
      encryption: 'hunter2',
      policy: 'hunter2',
      logger: 'hunter2',
      clock: 'hunter2',
      key: 'hunter2',
      prices: 'hunter2',
      replay: 'hunter2',
      sharedFlights: 'hunter2',
      maxMemoryBytes: 'hunter2',
      encryptionKey: 'hunter2',
    }
    for (const [name, given] of Object.entries(wrong)) {
      const make = () => createCache(unchecked({ [name]: given }))
      expect(make).toThrow(InvalidOptionError)
      expect(make).toThrow(expect.objectContaining({ message: expect.not.stringContaining('hunter2') }))
    }
  })

  it('show nothing that may be a secret', () => {
    const secret = 'sk-very-secret-very-secret-very-secret-very-secret'
    expect(() => createCache(unchecked({ encryption: { keys: { a: secret }, current: 'a' } }))).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('very-secret') }),
    )
    expect(() => createCache(unchecked({ store: secret }))).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('very') }),
    )
  })
})

describe('options that are probably not what was meant', () => {
  it.each<[options: CacheOptions, line: RegExp]>([
    [{ ttl: 60_000 }, /"ttl" is 60000 seconds, which is 16\.7 hours\. For milliseconds write '60000ms'/],
    [{ ttl: 3_600_000 }, /"ttl" is 3600000 seconds, which is 41\.7 days/],
    [{ ttl: { default: '1h', qa: 300_000 } }, /"ttl\.qa" is 300000 seconds/],
    [{ stale: 600_000 }, /"stale" is 600000 seconds/],
    [{ flightDeadline: 30_000 }, /"flightDeadline" is 30000 seconds/],
    [{ readDeadline: 100 }, /"readDeadline" is 100 seconds, for which each call would wait/],
    [{ ttl: { embedding: '30d' } }, /"ttl\.embedding" is for an operation .* Did you mean "embeddings"\?/],
    [{ ttl: { defualt: '30d' } }, /Did you mean "default"\?/],
    [{ ttl: { message: '1h' } }, /Did you mean "messages"\?/],
  ])('G49 are told in one line: %j', (options, line) => {
    const lines: string[] = []
    const { warnings } = readOptions({ ...options, logger: { warn: (text) => lines.push(text), info: () => {} } })
    expect(warnings).toEqual([expect.stringMatching(line)])
  })

  it.each<CacheOptions>([
    { ttl: 86_400 },
    { ttl: 604_800 },
    { ttl: 2_592_000 },
    { ttl: 36_000 },
    { ttl: 90 },
    { ttl: '60000s' },
    { ttl: { default: '1h', summarize: '2h', sentiment: '24h', qa: '30m', embeddings: '30d' } },
    { ttl: { embedding: '1h', embeddings: '30d' } },
    { readDeadline: 0.2, flightDeadline: 900 },
  ])('G49 are not suspected of what is plausible: %j', (options) => {
    expect(readOptions(options).warnings).toEqual([])
  })
})
