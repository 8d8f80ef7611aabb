/**
 * A store in an SQLite database: a file that outlives the process and that several processes share.
 * Needs no package where the runtime has `node:sqlite`: Node.js 22.13 or newer (older than 24 prints an ExperimentalWarning).
 * @module
 */
import type { Clock } from '../../clock.ts'
import { systemClock } from '../../clock.ts'
import { InvalidOptionError, StoreError } from '../../errors.ts'
import { wholeNumber, withMethods } from '../../base/option-checks.ts'
import type { Store, StoreWrite, WriteOptions } from '../../store.ts'
import {
  bytesIn,
  connect,
  type Connection,
  isDamage,
  propertyOf,
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

/** How a {@link sqliteStore} is made. */
export interface SqliteStoreOptions {
  /**
   * How many bytes all keys and values together may take, whichever process wrote them. Beyond it the expired entries go, then those
   * that were stored first. The file is somewhat larger. @default 1_073_741_824 (1 GiB)
   */
  readonly maxBytes?: number
  /**
   * Milliseconds for which the lock of another connection may block the event loop. No effect on a database that was handed in,
   * which has a timeout of its own. @default 50
   */
  readonly busyTimeout?: number
  /** Where time comes from. @default the clock of the machine */
  readonly clock?: Clock
}

const defaultMaxBytes = 1_024 * 1_024 * 1_024
const defaultBusyTimeout = 50
/**
 * A store in an SQLite database.
 *
 * A path is opened at the first use, its folder created. The file may be shared by several processes of one machine (it is in WAL mode,
 * which no network file system supports: https://www.sqlite.org/wal.html). A damaged file is set aside, reported, and a new one begun;
 * a database that is not ours, or of a newer version, is left alone. A database that was handed in gets our tables and is otherwise
 * left as it is; it is never closed, and must have no transaction open when the cache writes.
 * @param location the path of a file, `':memory:'`, or an open database
 * @throws {InvalidOptionError} when an option has a value that cannot be, or the runtime has no `node:sqlite` to open a path with.
 *   Methods throw {@link StoreError} when the database cannot be used.
 */
export function sqliteStore(location: string | SqliteDatabase, options: SqliteStoreOptions = {}): Store {
  const { maxBytes = defaultMaxBytes, busyTimeout = defaultBusyTimeout, clock = systemClock } = options
  wholeNumber('maxBytes', maxBytes, { least: 1, of: 'bytes' })
  wholeNumber('busyTimeout', busyTimeout, { least: 0, most: 60_000, of: 'milliseconds' })
  withMethods('clock', clock, ['now'], 'a clock with a method now()')
  return new SqliteStore(typeof location === 'string' ? new DatabaseFile(location, busyTimeout) : injected(location), maxBytes, clock)
}

/** The five methods over one connection, and what is done when it fails. */
class SqliteStore implements Store {
  readonly name = 'sqlite'
  readonly #source: DatabaseFile | SqliteDatabase
  readonly #maxBytes: number
  readonly #clock: Clock
  #connection: Connection | undefined
  /** Why the database is not for us to use, found once and for all. */
  #refusal: StoreError | undefined
  #closed = false
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
      const rows = statements.getMany.all(JSON.stringify([...new Set(keys)]), this.#clock.now())
      const found = new Map(rows.map((row) => [textIn(row), bytesIn(row)]))
      return keys.map((key) => {
        const value = found.get(key)
        // Copied, as a key that is asked for twice is two arrays, each of which may be changed.
        return value && new Uint8Array(value)
      })
    })
  }

  set(key: string, value: Uint8Array, options: WriteOptions): void {
    this.setMany([{ key, value, ttl: options.ttl }])
  }

  setMany(writes: readonly StoreWrite[]): void {
    // SQLite keeps UTF-8, in which all lone surrogates are the same character, and two keys would be one.
    if (!writes.every(({ key }) => key.isWellFormed())) throw new StoreError('a key with a lone surrogate cannot be kept in SQLite.')
    this.#transact((statements) => {
      for (const write of writes) this.#write(statements, write)
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

  release(key: string, token: string): void {
    this.#transact((statements) => {
      if (this.#holder(statements, key) === token) statements.delete.run(key)
    })
  }

  *keys(prefix: string): Iterable<string> {
    // Keys with one prefix stand together in the order of their bytes, so neither an upper bound nor a pattern is needed.
    for (let from: string | undefined = prefix; from !== undefined;) {
      const start: string = from
      const page = this.#attempt('read', ({ statements }) => statements.keys.all(start, this.#clock.now()).map(textIn))
      for (const key of page) {
        if (!key.startsWith(prefix)) return
        yield key
      }
      const last = page.length === keysPerPage ? page.at(-1) : undefined
      // The next text after `last` in the order of bytes.
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
      // What lies there is older than the value that has no room.
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

  /** Does all of `action` or nothing, with no other process in between. */
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

  /** Does `action`, a second time on a new file where the first one found the file damaged. */
  #attempt<Result>(verb: 'read' | 'written', action: (connection: Connection) => Result): Result {
    for (let again = true; ; again = false) {
      try {
        return action(this.#connect(verb))
      } catch (error) {
        if (again && isDamage(error) && this.#setAside(error)) continue
        if (error instanceof StoreError) throw error
        throw new StoreError(`the SQLite database could not be ${verb}: ${reasonOf(error)}.`, { cause: error })
      }
    }
  }

  #connect(verb: 'read' | 'written'): Connection {
    if (this.#closed) throw new StoreError('the SQLite store is closed.')
    if (this.#refusal !== undefined) throw this.#refusal
    const source = this.#source
    if (this.#connection !== undefined && verb === 'written' && source instanceof DatabaseFile && source.isGone()) {
      // SQLite would go on writing to a file that has no name any more, and nobody would ever read it.
      this.#disconnect()
      this.#report('The SQLite file was deleted or replaced while it was open; llmemo goes on with what is there now.')
    }
    try {
      return (this.#connection ??= source instanceof DatabaseFile ? source.open() : connect(source))
    } catch (error) {
      if (error instanceof StoreError) {
        this.#refusal = error
        this.#report(error.message)
      }
      throw error
    }
  }

  #disconnect(): void {
    this.#connection = undefined
    if (this.#source instanceof DatabaseFile) this.#source.close()
  }

  /** @returns whether there is now something else to try */
  #setAside(damage: unknown): boolean {
    if (!(this.#source instanceof DatabaseFile)) return false
    this.#disconnect()
    try {
      const aside = this.#source.setAside(this.#clock.now())
      if (aside !== undefined) this.#report(`The SQLite file was damaged; it was moved to ${aside} and a new one is begun.`, damage)
      return true
    } catch (error) {
      throw new StoreError(`the SQLite file is damaged and could not be moved aside: ${reasonOf(error)}.`, { cause: error })
    }
  }
}

function injected(location: unknown): SqliteDatabase {
  if (!isDatabase(location)) throw new InvalidOptionError('location', location, allowedLocations)
  return location
}

function isDatabase(value: unknown): value is SqliteDatabase {
  return typeof propertyOf(value, 'exec') === 'function' && typeof propertyOf(value, 'prepare') === 'function'
}
