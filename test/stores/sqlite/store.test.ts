import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { InvalidOptionError, StoreError } from '../../../src/errors.ts'
import type { Store } from '../../../src/store.ts'
import type { SqliteStoreOptions } from '../../../src/stores/sqlite/store.ts'
import { sqliteStore } from '../../../src/stores/sqlite/store.ts'
import { describeStore } from '../../contracts/store.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { valueOf } from '../../support/sqlite-process.ts'

const ttl = 3_600_000
const value = new TextEncoder().encode('the answer that no log may show')

let folder: string
let file: string
const stores: Store[] = []
const databases: DatabaseSync[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'llmemo-sqlite-'))
  file = join(folder, 'answers.db')
})
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close?.()
  for (const database of databases.splice(0)) if (database.isOpen) database.close()
  rmSync(folder, { recursive: true, force: true })
})

/** A store that is closed after the test, with its reports. */
function open(location: string | DatabaseSync = file, options: SqliteStoreOptions = {}): { store: Store; reports: string[] } {
  const store = sqliteStore(location, { busyTimeout: 1, clock: new ManualClock(), ...options })
  const reports: string[] = []
  store.onReport?.((message) => reports.push(message))
  stores.push(store)
  return { store, reports }
}

/** A second connection to the same file. */
function database(path = file, options: { readOnly?: boolean } = {}): DatabaseSync {
  const opened = new DatabaseSync(path, options)
  databases.push(opened)
  return opened
}

/** The sum that the store keeps, and the real sum. */
function totals(of = database()): { kept: unknown; real: unknown } {
  const kept = of.prepare('SELECT bytes FROM llmemo_total').get()?.['bytes']
  const real = of.prepare('SELECT coalesce(sum(octet_length(key) + octet_length(value)), 0) AS n FROM llmemo_entries').get()?.['n']
  return { kept, real }
}

/** Another process with the same file. `said` settles with its first line, or with its end if it says nothing; `ended` with its end. */
function child(task: string, name = '', count = 0) {
  const script = fileURLToPath(new URL('../../support/sqlite-process.ts', import.meta.url))
  const process_ = spawn(process.execPath, [script, task, file, name, String(count)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(process_, 'exit').then(([code, signal]) => ({ code, signal }))
  const line = once(process_.stdout, 'data').then(([given]) => String(given).trim())
  // A process that fails says nothing.
  const said = Promise.race([line, once(process_.stdout, 'end').then(() => 'nothing')])
  return { said, ended, end: () => process_.stdin.end(), kill: () => process_.kill('SIGKILL') }
}

/** The error of `action`. */
function failureOf(action: () => unknown): { ours: boolean; cause: boolean; tells: boolean } | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined
    const tells = [error, cause].some((each) => String(each).includes('the answer that no log'))
    return { ours: error instanceof StoreError, cause: cause instanceof Error, tells }
  }
}

/** The expected error: one of llmemo, with SQLite's error as its cause, and without the value. */
const storeError = { ours: true, cause: true, tells: false }

function damagedFiles(): string[] {
  return readdirSync(folder).filter((name) => name.includes('.damaged-'))
}

describeStore('sqliteStore in a file', async () => {
  const clock = new ManualClock()
  return { store: open(join(folder, 'a', 'b', 'answers.db'), { clock }).store, clock, cleanup: () => {} }
})

describeStore('sqliteStore in memory', async () => {
  const clock = new ManualClock()
  return { store: open(':memory:', { clock }).store, clock, cleanup: () => {} }
})

describeStore('sqliteStore in a database that was handed in', async () => {
  const clock = new ManualClock()
  const handedIn = database()
  // Without a log of its own, this database would wait for the disk at each of the suite's thousand single deletes.
  handedIn.exec('PRAGMA synchronous = OFF')
  return { store: open(handedIn, { clock }).store, clock, cleanup: () => {} }
})

describe('the arguments of sqliteStore', () => {
  it.each([
    ['maxBytes', [0, -1, Number.NaN, 1.5, Infinity]],
    ['busyTimeout', [-1, Number.NaN, 0.5, 60_001]],
    ['clock', [null, Object.create(null)]],
  ])('refuses a wrong %s at once', (name, wrong) => {
    for (const given of wrong) expect(() => sqliteStore(file, { [name]: given })).toThrow(new RegExp(`"${name}"`))
  })

  it.each(['', 'a\0b'])('refuses the path %j at once', (path) => {
    expect(() => sqliteStore(path)).toThrow(InvalidOptionError)
  })

  it('says what to do when the runtime has no node:sqlite; an open database works without it', async () => {
    const opened = database()
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined)
    expect(() => sqliteStore(file)).toThrow(/22\.13.*--experimental-sqlite/)
    expect(() => sqliteStore(file)).toThrow(/better-sqlite3/)
    const { store } = open(opened)
    await store.set('key', value, { ttl })
    expect(await store.get('key')).toEqual(value)
  })

  it('opens no file before its first use', () => {
    open()
    expect(existsSync(file)).toBe(false)
  })

  it('marks a file with the documented ids', async () => {
    const { store } = open()
    await store.set('key', value, { ttl })
    await store.close?.()
    const bytes = readFileSync(file)
    // https://www.sqlite.org/fileformat.html: user version at 60, application id at 68.
    expect(bytes.readUInt32BE(60)).toBe(1)
    expect(bytes.toString('latin1', 68, 72)).toBe('LMEM')
    expect(database().prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
  })

  it('adds its tables to a database that was handed in, and neither changes nor closes anything else', async () => {
    const opened = database()
    opened.exec("PRAGMA user_version = 7; CREATE TABLE entries (mine TEXT); INSERT INTO entries VALUES ('kept')")
    const { store } = open(opened)
    await store.set('key', value, { ttl })
    await store.close?.()
    expect(opened.isOpen).toBe(true)
    expect(opened.prepare('SELECT mine FROM entries').all()).toEqual([{ mine: 'kept' }])
    const pragma = (name: string) => opened.prepare(`PRAGMA ${name}`).get()?.[name]
    expect(['user_version', 'application_id', 'journal_mode'].map(pragma)).toEqual([7, 0, 'delete'])
  })

  it('stays closed', async () => {
    const { store } = open()
    await store.set('key', value, { ttl })
    await store.close?.()
    await store.close?.()
    for (const use of [
      () => store.get('key'),
      () => store.set('key', value, { ttl }),
      () => store.delete('key'),
      () => [...ofStore(store)],
    ])
      expect(use).toThrow(StoreError)
    expect(await open().store.get('key')).toEqual(value)
  })

  it('refuses a key that SQLite would confuse with another', async () => {
    const { store } = open()
    await store.set('\u{fffd}', value, { ttl })
    expect(() => store.set('\u{d800}', value, { ttl })).toThrow(StoreError)
    expect(await store.get('\u{d800}')).toBeUndefined()
    expect(await store.getMany?.(['\u{d800}'])).toEqual([undefined])
    await store.delete('\u{d800}')
    expect(await store.get('\u{fffd}')).toEqual(value)
  })
})

function ofStore(store: Store): Iterable<string> {
  const keys = store.keys?.('') ?? []
  if (!(Symbol.iterator in keys)) throw new TypeError('the keys of this store are read at once')
  return keys
}

describe("sqliteStore's limit", () => {
  it('never keeps more than maxBytes after any sequence of writes, and keeps the right sum', async () => {
    const write = fc.record({
      key: fc.string({ unit: 'grapheme', maxLength: 3 }),
      size: fc.nat(400),
      ttl: fc.integer({ min: 1, max: 50 }),
      wait: fc.nat(20),
      remove: fc.boolean(),
    })
    const sequence = fc.array(fc.array(write, { minLength: 1, maxLength: 4 }), { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(sequence, fc.integer({ min: 1, max: 1_000 }), async (batches, maxBytes) => {
        const opened = new DatabaseSync(':memory:')
        const clock = new ManualClock()
        const store = sqliteStore(opened, { maxBytes, clock })
        for (const batch of batches) {
          await store.setMany?.(batch.map(({ key, size, ttl }) => ({ key, value: new Uint8Array(size), ttl })))
          const last = batch.at(-1) ?? { key: '', size: 0 }
          const fits = Buffer.byteLength(last.key) + last.size <= maxBytes
          expect(await store.get(last.key)).toEqual(fits ? new Uint8Array(last.size) : undefined)
          for (const { key, remove, wait } of batch) {
            if (remove) await store.delete(key)
            clock.advance(wait)
          }
          const { kept, real } = totals(opened)
          expect(kept).toBe(real)
          expect(Number(real)).toBeLessThanOrEqual(maxBytes)
        }
        opened.close()
      }),
      { numRuns: 60 },
    )
  })

  it('removes expired entries first, then the oldest; a rewritten entry counts as new', async () => {
    const clock = new ManualClock()
    const { store } = open(file, { clock, maxBytes: 400 })
    const put = async (key: string, time = ttl) => {
      await store.set(key, new Uint8Array(99), { ttl: time })
      clock.advance(10)
    }
    await put('a')
    await put('b')
    await put('c', 5)
    await put('d')
    await put('e')
    expect([...ofStore(store)]).toEqual(['a', 'b', 'd', 'e'])
    await put('a')
    await put('f')
    expect([...ofStore(store)]).toEqual(['a', 'd', 'e', 'f'])
  })

  it('never removes the entry that it is writing, even if all have the same time', async () => {
    const { store } = open(file, { maxBytes: 300 })
    await store.set('a', new Uint8Array(99), { ttl })
    await store.set('b', new Uint8Array(99), { ttl })
    await store.set('a', new Uint8Array(249), { ttl })
    expect([...ofStore(store)]).toEqual(['a'])
  })

  it('keeps neither a value larger than its limit, nor the older one under that key', async () => {
    const { store } = open(file, { maxBytes: 400 })
    await store.set('other', new Uint8Array(100), { ttl })
    await store.set('key', new Uint8Array(100), { ttl })
    await store.set('key', new Uint8Array(398), { ttl })
    expect(await store.get('key')).toBeUndefined()
    expect(await store.get('other')).toEqual(new Uint8Array(100))
    await store.set('key', new Uint8Array(397), { ttl })
    expect(await store.get('key')).toEqual(new Uint8Array(397))
  })

  it('counts all bytes of a key that holds a NUL', async () => {
    await open().store.set(`a\0${'b'.repeat(50)}`, new Uint8Array(10), { ttl })
    expect(totals()).toEqual({ kept: 62, real: 62 })
  })

  it('counts existing entries when a part of its tables was missing', async () => {
    const { store } = open()
    await store.set('key', new Uint8Array(97), { ttl })
    await store.close?.()
    const opened = database()
    opened.exec('DROP TABLE llmemo_total')
    opened.close()
    const again = open().store
    expect(await again.get('key')).toEqual(new Uint8Array(97))
    expect(totals()).toEqual({ kept: 100, real: 100 })
  })
})

describe('sqliteStore with a damaged file', () => {
  it('D12 moves a file of random bytes aside, reports it once, and creates a new one', async () => {
    const noise = Buffer.from(Array.from({ length: 20_000 }, (_, index) => (index * index * 7 + 13) % 256))
    writeFileSync(file, noise)
    const clock = new ManualClock()
    const { store, reports } = open(file, { clock })
    expect(await store.get('key')).toBeUndefined()
    await store.set('key', value, { ttl })
    expect(await store.get('key')).toEqual(value)
    expect(damagedFiles()).toEqual([`answers.db.damaged-${clock.now()}`])
    expect(readFileSync(join(folder, damagedFiles()[0] ?? ''))).toEqual(noise)
    expect(reports).toEqual([expect.stringContaining(`answers.db.damaged-${clock.now()}`)])
  })

  it.each([
    ['the pages behind the first', 4_096, Infinity],
    ['the first page behind the header', 100, 4_096],
    ['the root pages only', 4_096, 40_960],
  ])('D12 does so when %s are damaged', async (_, from, to) => {
    const before = open().store
    await before.setMany?.(Array.from({ length: 200 }, (_, index) => ({ key: `key ${index}`, value: valueOf(index), ttl })))
    await before.close?.()
    const descriptor = openSync(file, 'r+')
    const length = Math.min(to, statSync(file).size) - from
    writeSync(descriptor, Buffer.alloc(length, 0xa5), 0, length, from)
    closeSync(descriptor)
    const { store, reports } = open()
    expect(await store.get('key 7')).toBeUndefined()
    await store.set('key 7', value, { ttl })
    expect(await store.get('key 7')).toEqual(value)
    expect(damagedFiles()).toHaveLength(1)
    expect(reports).toHaveLength(1)
  })

  it('D12 continues when another store has already set the file aside', async () => {
    writeFileSync(file, 'no database, and long enough not to be taken for the beginning of one: '.repeat(20))
    const first = open()
    const second = open()
    expect(await first.store.get('key')).toBeUndefined()
    await first.store.set('key', value, { ttl })
    expect(await second.store.get('key')).toEqual(value)
    expect([first.reports.length, second.reports.length]).toEqual([1, 0])
  })

  it('D12 leaves a damaged database alone that was handed in', () => {
    writeFileSync(file, 'no database, and long enough not to be taken for the beginning of one: '.repeat(20))
    const { store, reports } = open(database())
    expect(failureOf(() => store.get('key'))).toEqual(storeError)
    expect(failureOf(() => store.set('key', value, { ttl }))).toEqual(storeError)
    expect(readdirSync(folder)).toEqual(['answers.db'])
    expect(reports).toEqual([])
  })
})

describe('sqliteStore with a file of another program', () => {
  it('D12 leaves the database of another application unchanged, and reports it once', () => {
    const other = database()
    other.exec('CREATE TABLE invoices (id INTEGER); INSERT INTO invoices VALUES (1); PRAGMA user_version = 3')
    other.close()
    const before = readFileSync(file)
    const { store, reports } = open()
    for (const use of [
      () => store.get('key'),
      () => store.set('key', value, { ttl }),
      () => store.delete('key'),
      () => [...ofStore(store)],
    ])
      expect(use).toThrow(StoreError)
    expect(reports).toEqual([expect.stringContaining('another application')])
    expect(readFileSync(file)).toEqual(before)
    expect(readdirSync(folder)).toEqual(['answers.db'])
  })

  it('D12 leaves a file of a newer version unchanged, and reports it once', async () => {
    const { store: older } = open()
    await older.set('key', value, { ttl })
    await older.close?.()
    const newer = database()
    newer.exec('PRAGMA user_version = 2')
    newer.close()
    const before = readFileSync(file)
    const { store, reports } = open()
    expect(() => store.get('key')).toThrow(StoreError)
    expect(() => store.set('key', value, { ttl })).toThrow(/newer/)
    expect(reports).toHaveLength(1)
    expect(readFileSync(file)).toEqual(before)
  })

  it('D12 throws from its methods, not at construction, when no file can be created', () => {
    mkdirSync(file)
    expect(failureOf(() => open().store.get('key'))).toEqual(storeError)
    writeFileSync(join(folder, 'plain'), '')
    expect(failureOf(() => open(join(folder, 'plain', 'answers.db')).store.set('key', value, { ttl }))).toEqual(storeError)
  })
})

describe('sqliteStore when SQLite fails', () => {
  it('D12 throws at a lock of another connection, still reads, and writes again after the lock', async () => {
    const { store } = open()
    await store.set('key', value, { ttl })
    const other = database()
    other.exec('BEGIN EXCLUSIVE')
    expect(failureOf(() => store.set('key', value, { ttl }))).toEqual(storeError)
    expect(failureOf(() => store.delete('key'))).toEqual(storeError)
    expect(await store.get('key')).toEqual(value)
    other.exec('COMMIT')
    await store.delete('key')
    expect(await store.get('key')).toBeUndefined()
  })

  it('D12 throws at a lock on a file that it has not opened yet, and opens it after the lock', async () => {
    const other = database()
    other.exec('BEGIN EXCLUSIVE')
    const { store, reports } = open()
    expect(failureOf(() => store.get('key'))).toEqual(storeError)
    expect(failureOf(() => store.set('key', value, { ttl }))).toEqual(storeError)
    other.exec('COMMIT')
    await store.set('key', value, { ttl })
    expect(await store.get('key')).toEqual(value)
    expect(reports).toEqual([])
  })

  it('D12 waits a second at the first opening, for processes that start together, and after it for as long as the option says', () => {
    const exec = vi.spyOn(DatabaseSync.prototype, 'exec')
    const timeouts = () => exec.mock.calls.map(([sql]) => sql).filter((sql) => sql.includes('busy_timeout'))
    const other = database()
    other.exec('BEGIN EXCLUSIVE')
    const { store } = open()
    expect(failureOf(() => store.get('key'))).toEqual(storeError)
    expect(timeouts()).toEqual(['PRAGMA busy_timeout = 1000'])
    expect(failureOf(() => store.get('key'))).toEqual(storeError)
    expect(timeouts()).toEqual(['PRAGMA busy_timeout = 1000', 'PRAGMA busy_timeout = 1'])
    other.exec('COMMIT')
    const patient = open(file, { busyTimeout: 2_000 }).store
    exec.mockClear()
    void patient.set('key', value, { ttl })
    expect(timeouts()).toEqual(['PRAGMA busy_timeout = 2000', 'PRAGMA busy_timeout = 2000'])
  })

  it('D12 throws at a lock of another process, still reads, and writes again after the lock', async () => {
    const { store } = open()
    await store.set('key', value, { ttl })
    const other = child('lock')
    expect(await other.said).toBe('locked')
    expect(failureOf(() => store.set('key', value, { ttl }))).toEqual(storeError)
    expect(await store.get('key')).toEqual(value)
    other.end()
    expect(await other.ended).toEqual({ code: 0, signal: null })
    await store.set('key', new Uint8Array([1]), { ttl })
    expect(await store.get('key')).toEqual(new Uint8Array([1]))
  })

  it('D12 throws at a full disk, keeps its entries, and leaves no transaction open', async () => {
    const opened = database()
    const { store } = open(opened)
    await store.set('key', value, { ttl })
    opened.exec('PRAGMA max_page_count = 1')
    expect(failureOf(() => store.set('large', new Uint8Array(1_000_000), { ttl }))).toEqual(storeError)
    expect(opened.isTransaction).toBe(false)
    expect(await store.get('key')).toEqual(value)
    expect(await store.get('large')).toBeUndefined()
    opened.exec('PRAGMA max_page_count = 100000')
    await store.set('large', new Uint8Array(1_000_000), { ttl })
    expect(totals(opened)).toEqual({ kept: 1_000_008 + value.length, real: 1_000_008 + value.length })
  })

  it('D12 reads a read-only file, and throws at writes', async () => {
    const writable = open()
    await writable.store.set('key', value, { ttl })
    await writable.store.close?.()
    const { store } = open(database(file, { readOnly: true }))
    expect(await store.get('key')).toEqual(value)
    expect(await store.getMany?.(['key'])).toEqual([value])
    expect([...ofStore(store)]).toEqual(['key'])
    expect(failureOf(() => store.set('key', new Uint8Array([1]), { ttl }))).toEqual(storeError)
    expect(failureOf(() => store.delete('key'))).toEqual(storeError)
    expect(await store.get('key')).toEqual(value)
  })

  it('D12 throws when a database that was handed in has been closed', async () => {
    const opened = database()
    const { store } = open(opened)
    await store.set('key', value, { ttl })
    opened.close()
    expect(failureOf(() => store.get('key'))).toEqual(storeError)
    expect(failureOf(() => store.set('key', value, { ttl }))).toEqual(storeError)
  })

  it('D12 continues with a new file when its open file is deleted, even with its folder', async () => {
    const path = join(folder, 'deep', 'answers.db')
    const { store, reports } = open(path)
    await store.set('key', value, { ttl })
    rmSync(dirname(path), { recursive: true })
    expect(() => store.get('key')).not.toThrow()
    await store.set('after', value, { ttl })
    expect(await store.get('after')).toEqual(value)
    expect(await store.get('key')).toBeUndefined()
    expect(await open(path).store.get('after')).toEqual(value)
    expect(reports).toEqual([expect.stringContaining('deleted')])
  })

  it('D12 drops the log of a deleted file, not the new file in its place', async () => {
    const { store } = open()
    await store.setMany?.(Array.from({ length: 50 }, (_, index) => ({ key: `old ${index}`, value: valueOf(index), ttl })))
    rmSync(file)
    const other = open()
    await other.store.set('new', value, { ttl })
    await store.set('also new', value, { ttl })
    await store.close?.()
    await other.store.close?.()
    expect([...ofStore(open().store)].toSorted()).toEqual(['also new', 'new'])
    expect(database().prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
  })
})

describe('sqliteStore and other processes', () => {
  it('P01 reads whole values or none after a process was killed during its writes', async () => {
    const killed = child('forever', 'key')
    expect(await killed.said).toBe('writing')
    killed.kill()
    expect(await killed.ended).toEqual({ code: null, signal: 'SIGKILL' })
    expect(statSync(`${file}-wal`).size).toBeGreaterThan(0)
    const { store, reports } = open(file, { clock: { now: () => Date.now(), monotonic: () => 0, after: () => () => {} } })
    const values = (await store.getMany?.(Array.from({ length: 20 }, (_, index) => `key:${index}`))) ?? []
    // All twenty were written in one transaction, again and again: all exist, and all are of one round.
    expect(new Set(values.map((each) => each?.[0])).size).toBe(1)
    for (const each of values) expect(each).toEqual(valueOf(each?.[0] ?? -1))
    expect(reports).toEqual([])
    await store.set('key:0', value, { ttl })
    expect(await store.get('key:0')).toEqual(value)
    const { kept, real } = totals()
    expect(kept).toBe(real)
  })

  it('P03 lets processes write one new file at once, exit by themselves, and keep one right sum', async () => {
    const processes = ['a', 'b', 'c'].map((name) => child('write', name, 120))
    expect(await Promise.all(processes.map(({ said }) => said))).toEqual(['done 0', 'done 0', 'done 0'])
    expect(await Promise.all(processes.map(({ ended }) => ended))).toEqual(Array.from({ length: 3 }, () => ({ code: 0, signal: null })))
    const opened = database()
    expect(opened.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
    const { kept, real } = totals(opened)
    expect(kept).toBe(real)
    expect(Number(real)).toBeLessThanOrEqual(1_000_000)
    for (const row of opened.prepare('SELECT value FROM llmemo_entries').all()) {
      const each = row['value']
      if (!(each instanceof Uint8Array)) throw new TypeError('a value is a BLOB')
      expect(Buffer.compare(each, valueOf(each[0] ?? -1))).toBe(0)
    }
  })
})
