/**
 * A store in an SQLite database: a file that outlives the process and that several processes can share.
 * Needs no package in a runtime with `node:sqlite`: Node.js 22.13 or newer (before 24 it prints an ExperimentalWarning).
 * @module
 */
import type { Clock } from '../../clock.ts'
import { systemClock } from '../../clock.ts'
import { InvalidOptionError, StoreError } from '../../errors.ts'
import { addedSums, sumsValue } from '../../base/sums.ts'
import { assertKnown, wholeNumber, withMethods } from '../../base/option-checks.ts'
import type { Store, StoreWrite, WriteOptions } from '../../store.ts'
import {
  bytesIn,
  connect,
  type Connection,
  isDamage,
  isDatabase,
  causeOf,
  reasonOf,
  rollback,
  type SqliteDatabase,
  type Statements,
  textIn,
  totalOf,
} from './database.ts'
import { allowedLocations, DatabaseFile } from './file.ts'
import { keysPerPage } from './schema.ts'

export type { SqliteDatabase, SqliteStatement, SqliteValue } from './database.ts'

/** Options of {@link sqliteStore}. */
export interface SqliteStoreOptions {
  /**
   * Maximum bytes of all keys and values together, from all processes. When there are more, expired entries are removed first, then the
   * entries stored first. The file is somewhat larger. @default 1_073_741_824 (1 GiB)
   */
  readonly maxBytes?: number
  /**
   * Milliseconds for which a lock of another connection may block the event loop; when a path is opened for the first time, it may be a
   * second. No effect on a database that was handed in, which has its own timeout. @default 50
   */
  readonly busyTimeout?: number
  /** Source of time. @default the clock of the machine */
  readonly clock?: Clock
}

const defaultMaxBytes = 1_024 * 1_024 * 1_024
const defaultBusyTimeout = 50
/**
 * Makes a store in an SQLite database.
 *
 * A path is opened at the first use, and its folder is created. Several processes of one machine may share the file. It is in WAL mode,
 * which no network file system supports: https://www.sqlite.org/wal.html. A damaged file is set aside and reported, and a new one is
 * created. A database of another application, or of a newer version, is left alone.
 *
 * A database that was handed in gets our tables and no other change. The store never closes it. It must have no open transaction when the
 * cache writes.
 * @param location the path of a file, `':memory:'`, or an open database
 * @throws {InvalidOptionError} when an option is invalid, or the runtime has no `node:sqlite` to open a path with. Methods throw {@link
 *   StoreError} when the database cannot be used.
 */
export function sqliteStore(location: string | SqliteDatabase, options: SqliteStoreOptions = {}): Store {
  assertKnown('', options, ['maxBytes', 'busyTimeout', 'clock'])
  const { maxBytes = defaultMaxBytes, busyTimeout = defaultBusyTimeout, clock = systemClock } = options
  wholeNumber('maxBytes', maxBytes, { least: 1, of: 'bytes' })
  wholeNumber('busyTimeout', busyTimeout, { least: 0, most: 60_000, of: 'milliseconds' })
  withMethods('clock', clock, { methods: ['now'], allowed: 'a clock with a method now()' })
  return new SqliteStore(typeof location === 'string' ? new DatabaseFile(location, busyTimeout) : injected(location), maxBytes, clock)
}

/** Runs each method on one connection, which it opens at the first use and again after damage. */
class SqliteStore implements Store {
  readonly name = 'sqlite'
  readonly #source: DatabaseFile | SqliteDatabase
  readonly #maxBytes: number
  readonly #clock: Clock
  #connection: Connection | undefined
  /** Why the store must not use the database; final once it is set. */
  #refusal: StoreError | undefined
  #closed = false
  #isReadOnlyReported = false
  #report: (message: string, cause?: unknown) => void = () => {}

  constructor(source: DatabaseFile | SqliteDatabase, maxBytes: number, clock: Clock) {
    this.#source = source
    this.#maxBytes = maxBytes
    this.#clock = clock
  }

  get(key: string): Uint8Array | undefined {
    return this.#attempt('read', ({ statements }) => {
      const row = key.isWellFormed() ? statements.get.get(key, this.#clock.now()) : undefined
      return row === undefined ? undefined : bytesIn(row)
    })
  }

  getMany(keys: readonly string[]): (Uint8Array | undefined)[] {
    return this.#attempt('read', ({ statements }) => {
      const unique = new Set(keys)
      const rows = statements.getMany.all(JSON.stringify([...unique]), this.#clock.now())
      const found = new Map(rows.map((row) => [textIn(row), bytesIn(row)]))
      // A key that is asked for twice gives two arrays, as a caller may change either.
      const isCopied = unique.size < keys.length
      return keys.map((key) => {
        const value = found.get(key)
        return isCopied ? value && new Uint8Array(value) : value
      })
    })
  }

  set(key: string, value: Uint8Array, options: WriteOptions): void {
    this.setMany([{ key, value, ttl: options.ttl }])
  }

  setMany(writes: readonly StoreWrite[]): void {
    // SQLite keys are UTF-8, which turns all lone surrogates into the same character: two keys would become one.
    if (!writes.every(({ key }) => key.isWellFormed())) throw new StoreError('a key with a lone surrogate cannot be kept in SQLite.')
    this.#transact((statements) => {
      for (const write of writes) this.#write(statements, write)
    })
  }

  setIfAbsent(key: string, value: Uint8Array, { ttl }: WriteOptions): Uint8Array {
    if (!key.isWellFormed()) throw new StoreError('a key with a lone surrogate cannot be kept in SQLite.')
    return this.#transact((statements) => {
      const found = statements.get.get(key, this.#clock.now())
      if (found !== undefined) return new Uint8Array(bytesIn(found))
      this.#write(statements, { key, value, ttl })
      return new Uint8Array(value)
    })
  }

  delete(key: string): void {
    if (!key.isWellFormed()) return
    this.#attempt('written', ({ statements }) => {
      statements.delete.run(key)
    })
  }

  lease(key: string, token: string, { ttl }: WriteOptions): string {
    return this.#transact((statements) => {
      const holder = this.#holder(statements, key)
      if (holder !== undefined && holder !== token) return holder
      this.#write(statements, { key, value: new TextEncoder().encode(token), ttl })
      return token
    })
  }

  add(key: string, amounts: Readonly<Record<string, number>>, { ttl }: WriteOptions): Record<string, number> {
    return this.#transact((statements) => {
      const found = statements.get.get(key, this.#clock.now())
      const sums = addedSums(found === undefined ? undefined : bytesIn(found), amounts)
      if (Object.keys(amounts).length > 0) this.#write(statements, { key, value: sumsValue(sums), ttl })
      return sums
    })
  }

  release(key: string, token: string): void {
    this.#transact((statements) => {
      if (this.#holder(statements, key) === token) statements.delete.run(key)
    })
  }

  *keys(prefix: string): Iterable<string> {
    // Keys with one prefix are neighbours in the order of bytes. So the query needs neither an upper bound nor a pattern.
    for (let from: string | undefined = prefix; from !== undefined;) {
      const start: string = from
      const page = this.#attempt('read', ({ statements }) => statements.keys.all(start, this.#clock.now()).map(textIn))
      for (const key of page) {
        if (!key.startsWith(prefix)) return
        yield key
      }
      const last = page.length === keysPerPage ? page.at(-1) : undefined
      // The next possible text after `last` in the order of bytes.
      from = last === undefined ? undefined : `${last}\0`
    }
  }

  onReport(report: (message: string, cause?: unknown) => void): void {
    this.#report = report
  }

  close(): void {
    this.#closed = true
    this.#disconnect()
  }

  #write(statements: Statements, { key, value, ttl }: StoreWrite): void {
    if (Buffer.byteLength(key) + value.byteLength > this.#maxBytes) {
      // The former value is outdated, even though the new one does not fit.
      statements.delete.run(key)
      return
    }
    const now = this.#clock.now()
    statements.set.run(key, value, Math.floor(now + ttl), Math.floor(now))
    let total = totalOf(statements)
    for (const make of [() => statements.deleteExpired.run(now, key), () => statements.deleteOldest.run(key)]) {
      for (let before = Infinity; total > this.#maxBytes && total < before;) {
        before = total
        make()
        total = totalOf(statements)
      }
    }
  }

  #holder(statements: Statements, key: string): string | undefined {
    const row = statements.get.get(key, this.#clock.now())
    return row === undefined ? undefined : new TextDecoder().decode(bytesIn(row))
  }

  /** Runs `action` in a transaction that locks out all other writers. */
  #transact<Result>(action: (statements: Statements) => Result): Result {
    return this.#attempt('written', ({ database, statements }) => {
      database.exec('BEGIN IMMEDIATE')
      try {
        const result = action(statements)
        database.exec('COMMIT')
        return result
      } catch (error) {
        rollback(database)
        throw error
      }
    })
  }

  /** Runs `action`. If it finds the file damaged, runs it once more on a new file. */
  #attempt<Result>(verb: 'read' | 'written', action: (connection: Connection) => Result): Result {
    for (let again = true; ; again = false) {
      try {
        return action(this.#connect(verb))
      } catch (error) {
        if (again && isDamage(error) && this.#setAside(error)) continue
        if (error instanceof StoreError) throw error
        throw new StoreError(`the SQLite database${this.#name} could not be ${verb}: ${reasonOf(error)}.`, { cause: causeOf(error) })
      }
    }
  }

  #connect(verb: 'read' | 'written'): Connection {
    if (this.#closed) throw new StoreError('the SQLite store is closed.')
    if (this.#refusal !== undefined) throw this.#refusal
    const source = this.#source
    if (this.#connection !== undefined && verb === 'written' && source instanceof DatabaseFile && source.isGone()) {
      // SQLite would go on writing to the deleted file, where no process could read it.
      this.#disconnect()
      this.#report('The SQLite file was deleted or replaced while it was open; llmemo continues with the file that is there now.')
    }
    if (this.#connection !== undefined && source instanceof DatabaseFile && source.isOutdated()) this.#disconnect()
    try {
      if (this.#connection === undefined) {
        this.#connection = source instanceof DatabaseFile ? source.open() : connect(source)
        this.#reportReadOnly()
      }
      return this.#connection
    } catch (error) {
      if (error instanceof StoreError) {
        this.#refusal = error
        this.#report(error.message, error)
      }
      throw error
    }
  }

  /** The path with a space before it, for messages; empty for a database that has none or was handed in. */
  get #name(): string {
    const path = this.#source instanceof DatabaseFile ? this.#source.path : ''
    return path === '' ? '' : ` "${path}"`
  }

  #reportReadOnly(): void {
    const reason = this.#source instanceof DatabaseFile ? this.#source.readOnlyReason : undefined
    if (reason === undefined || this.#isReadOnlyReported) return
    this.#isReadOnlyReported = true
    this.#report(`The SQLite file${this.#name} can only be read (${reasonOf(reason)}); llmemo stores nothing in it.`, causeOf(reason))
  }

  #disconnect(): void {
    this.#connection = undefined
    if (this.#source instanceof DatabaseFile) this.#source.close()
  }

  /** @returns whether the caller can try again */
  #setAside(damage: unknown): boolean {
    if (!(this.#source instanceof DatabaseFile)) return false
    this.#disconnect()
    try {
      const aside = this.#source.setAside(this.#clock.now())
      if (aside !== undefined)
        this.#report(`The SQLite file was damaged; it was moved to ${aside}, and llmemo continues with a new file.`, causeOf(damage))
      return true
    } catch (error) {
      throw new StoreError(`the SQLite file is damaged and could not be moved aside: ${reasonOf(error)}.`, { cause: causeOf(error) })
    }
  }
}

function injected(location: unknown): SqliteDatabase {
  if (!isDatabase(location)) throw new InvalidOptionError('location', location, allowedLocations)
  return location
}
