/**
 * A store in an SQLite database: a file that outlives the process and that several processes share.
 * Needs no package where the runtime has `node:sqlite`: Node.js 22.13 or newer (older than 24 prints an ExperimentalWarning).
 * @module
 */
import type * as fs from 'node:fs'
import type * as path from 'node:path'
import type * as sqlite from 'node:sqlite'
import type { Clock } from '../clock.ts'
import { systemClock } from '../clock.ts'
import { InvalidOptionError, StoreError } from '../errors.ts'
import type { Store, StoreWrite, WriteOptions } from '../store.ts'

/** A value that SQLite is given. */
export type SqliteValue = null | number | bigint | string | Uint8Array

/** A prepared statement, as `node:sqlite` and better-sqlite3 have it. */
export interface SqliteStatement {
  run(...parameters: SqliteValue[]): unknown
  get(...parameters: SqliteValue[]): unknown
  all(...parameters: SqliteValue[]): unknown[]
}

/** An open database: `DatabaseSync` of `node:sqlite`, `Database` of better-sqlite3, or what does the same. */
export interface SqliteDatabase {
  exec(sql: string): unknown
  prepare(sql: string): SqliteStatement
}

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
const pageOfKeys = 500
/** How many expired entries go at once, so that a backlog of them does not hold up one write. */
const expiredAtOnce = 64

/** 'LMEM': marks a database file as ours. https://www.sqlite.org/pragma.html#pragma_application_id */
const applicationId = 0x4c_4d_45_4d
const schemaVersion = 1

/**
 * The names have a prefix because the database may be one that its user shares with us.
 * The casts to BLOB are there because the length of a text ends at its first NUL.
 * The sum is kept by triggers, and so holds whichever process writes; it is taken anew should a part of the schema have been missing.
 */
const schema = `
  CREATE TABLE IF NOT EXISTS llmemo_entries (
    key TEXT PRIMARY KEY, value BLOB NOT NULL, expires_at INTEGER NOT NULL, stored_at INTEGER NOT NULL);
  CREATE INDEX IF NOT EXISTS llmemo_entries_by_expiry ON llmemo_entries (expires_at);
  CREATE INDEX IF NOT EXISTS llmemo_entries_by_storing ON llmemo_entries (stored_at);
  CREATE TABLE IF NOT EXISTS llmemo_total (only INTEGER PRIMARY KEY CHECK (only = 1), bytes INTEGER NOT NULL);
  CREATE TRIGGER IF NOT EXISTS llmemo_entries_inserted AFTER INSERT ON llmemo_entries BEGIN
    UPDATE llmemo_total SET bytes = bytes + length(CAST(new.key AS BLOB)) + length(new.value); END;
  CREATE TRIGGER IF NOT EXISTS llmemo_entries_updated AFTER UPDATE OF key, value ON llmemo_entries BEGIN
    UPDATE llmemo_total SET bytes = bytes + length(CAST(new.key AS BLOB)) + length(new.value)
      - length(CAST(old.key AS BLOB)) - length(old.value); END;
  CREATE TRIGGER IF NOT EXISTS llmemo_entries_deleted AFTER DELETE ON llmemo_entries BEGIN
    UPDATE llmemo_total SET bytes = bytes - length(CAST(old.key AS BLOB)) - length(old.value); END;
  INSERT OR REPLACE INTO llmemo_total
    SELECT 1, coalesce(sum(length(CAST(key AS BLOB)) + length(value)), 0) FROM llmemo_entries;`
const schemaObjects = 7

const sql = {
  get: 'SELECT value FROM llmemo_entries WHERE key = ? AND expires_at > ?',
  getMany: 'SELECT key, value FROM llmemo_entries WHERE key IN (SELECT value FROM json_each(?)) AND expires_at > ?',
  keys: `SELECT key FROM llmemo_entries WHERE key >= ? AND expires_at > ? ORDER BY key LIMIT ${pageOfKeys}`,
  set: `INSERT INTO llmemo_entries (key, value, expires_at, stored_at) VALUES (?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at, stored_at = excluded.stored_at`,
  delete: 'DELETE FROM llmemo_entries WHERE key = ?',
  total: 'SELECT bytes FROM llmemo_total',
  deleteExpired: `DELETE FROM llmemo_entries WHERE rowid IN (
    SELECT rowid FROM llmemo_entries WHERE expires_at <= ? AND key <> ? ORDER BY expires_at LIMIT ${expiredAtOnce})`,
  deleteOldest: `DELETE FROM llmemo_entries WHERE rowid = (
    SELECT rowid FROM llmemo_entries WHERE key <> ? ORDER BY stored_at, rowid LIMIT 1)`,
} as const

type Statements = Readonly<Record<keyof typeof sql, SqliteStatement>>

/** A database that is ready for use. */
interface Connection {
  readonly database: SqliteDatabase
  readonly statements: Statements
}

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
  if (!(Number.isSafeInteger(maxBytes) && maxBytes > 0))
    throw new InvalidOptionError('maxBytes', maxBytes, 'a whole number of bytes, at least 1')
  if (!(Number.isSafeInteger(busyTimeout) && busyTimeout >= 0 && busyTimeout <= 60_000))
    throw new InvalidOptionError('busyTimeout', busyTimeout, 'a whole number of milliseconds from 0 to 60000')
  if (typeof clock?.now !== 'function') throw new InvalidOptionError('clock', clock, 'a clock with a method now()')
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
    this.#attempt('written', ({ database, statements }) => {
      database.exec('BEGIN IMMEDIATE')
      try {
        for (const write of writes) this.#write(statements, write)
        database.exec('COMMIT')
      } catch (error) {
        rollback(database)
        throw error
      }
    })
  }

  delete(key: string): void {
    if (!key.isWellFormed()) return
    this.#attempt('written', ({ statements }) => {
      statements.delete.run(key)
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
      const last = page.length === pageOfKeys ? page.at(-1) : undefined
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

/** A database file of ours, or one in memory: opened, checked, set aside. */
class DatabaseFile {
  readonly #path: string
  readonly #inMemory: boolean
  readonly #busyTimeout: number
  readonly #modules: Modules
  #database: { close(): void } | undefined
  /** Which file was opened; another may come to lie under its name. */
  #inode: bigint | undefined

  constructor(location: string, busyTimeout: number) {
    if (location === '' || location.includes('\0')) throw new InvalidOptionError('location', location, allowedLocations)
    this.#modules = loadModules(location)
    this.#inMemory = location === ':memory:'
    // Absolute, as the working directory may be another when the file is opened; and `file:` at its start is no URL then.
    this.#path = this.#inMemory ? location : this.#modules.path.resolve(location)
    this.#busyTimeout = busyTimeout
  }

  open(): Connection {
    const { fs, path, sqlite } = this.#modules
    if (!this.#inMemory) fs.mkdirSync(path.dirname(this.#path), { recursive: true })
    const database = new sqlite.DatabaseSync(this.#path)
    this.#database = database
    try {
      this.#inode = this.#inodeNow()
      database.exec(`PRAGMA busy_timeout = ${this.#busyTimeout}`)
      // Before anything is changed: the file may belong to somebody else.
      assertOurs(database)
      useWriteAheadLog(database)
      return connect(database, `PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion};`)
    } catch (error) {
      this.close()
      throw error
    }
  }

  close(): void {
    try {
      this.#database?.close()
    } catch {
      // A damaged file cannot be closed in good order, and there is nothing in it to save.
    }
    this.#database = undefined
  }

  /** Whether the file that was opened lies no longer under its name. */
  isGone(): boolean {
    return !this.#inMemory && this.#inodeNow() !== this.#inode
  }

  /**
   * Renames a damaged file. The log goes first: found beside a new file, it would be taken for its own.
   * @returns the new path, or `undefined` when another process has set it aside already
   */
  setAside(now: number): string | undefined {
    if (this.#inMemory || this.isGone()) return undefined
    const aside = `${this.#path}.damaged-${Math.floor(now)}`
    let moved = false
    for (const suffix of ['-wal', '-shm', '']) {
      try {
        this.#modules.fs.renameSync(this.#path + suffix, aside + suffix)
        moved = suffix === ''
      } catch (error) {
        if (propertyOf(error, 'code') !== 'ENOENT') throw error
      }
    }
    return moved ? aside : undefined
  }

  #inodeNow(): bigint | undefined {
    return this.#modules.fs.statSync(this.#path, { bigint: true, throwIfNoEntry: false })?.ino
  }
}

interface Modules {
  readonly fs: typeof fs
  readonly path: typeof path
  readonly sqlite: typeof sqlite
}

const allowedLocations = "the path of a file, ':memory:', or an open database of node:sqlite or better-sqlite3"

/** Not imported, so that this module loads where the runtime has none of them. */
function loadModules(location: string): Modules {
  // The types say that each is always there, which is not so on older and other runtimes.
  const load: Partial<NodeJS.Process>['getBuiltinModule'] = globalThis.process?.getBuiltinModule?.bind(globalThis.process)
  const fs: Partial<Modules>['fs'] = load?.('node:fs')
  const path: Partial<Modules>['path'] = load?.('node:path')
  const sqlite: Partial<Modules>['sqlite'] = load?.('node:sqlite')
  if (fs !== undefined && path !== undefined && sqlite !== undefined) return { fs, path, sqlite }
  const needed = 'an open database of better-sqlite3, as this runtime has no node:sqlite to open a path with'
  throw new InvalidOptionError('location', location, `${needed}; use Node.js 22.13 or newer, or 22.5 with --experimental-sqlite`)
}

function injected(location: unknown): SqliteDatabase {
  if (!isDatabase(location)) throw new InvalidOptionError('location', location, allowedLocations)
  return location
}

function isDatabase(value: unknown): value is SqliteDatabase {
  return typeof propertyOf(value, 'exec') === 'function' && typeof propertyOf(value, 'prepare') === 'function'
}

/** @throws {StoreError} when the database is somebody else's, or of a newer version */
function assertOurs(database: SqliteDatabase): void {
  const id = numberOf(database, 'SELECT application_id AS n FROM pragma_application_id')
  const version = numberOf(database, 'SELECT user_version AS n FROM pragma_user_version')
  if (id === applicationId && version > schemaVersion)
    throw new StoreError(`the SQLite file is of version ${version}, which a newer llmemo wrote; this one knows version ${schemaVersion}.`)
  if (id !== applicationId && (id !== 0 || numberOf(database, 'SELECT count(*) AS n FROM sqlite_master') > 0))
    throw new StoreError('the SQLite file belongs to another application and is left alone; choose another path.')
}

function useWriteAheadLog(database: SqliteDatabase): void {
  try {
    database.exec('PRAGMA journal_mode = WAL')
  } catch (error) {
    // Everything works without it, only slower: the file is read-only, or another process is at it just now, maybe to do the same.
    if (isDamage(error)) throw error
  }
  database.exec('PRAGMA synchronous = NORMAL')
}

/** Our tables made where they are missing, and our statements. `marks` is what makes a file ours. */
function connect(database: SqliteDatabase, marks = ''): Connection {
  const objects = "SELECT count(*) AS n FROM sqlite_master WHERE tbl_name IN ('llmemo_entries', 'llmemo_total') AND sql IS NOT NULL"
  if (numberOf(database, objects) < schemaObjects) {
    database.exec('BEGIN IMMEDIATE')
    try {
      if (marks !== '') assertOurs(database)
      database.exec(`${schema}${marks}COMMIT`)
    } catch (error) {
      rollback(database)
      throw error
    }
  }
  const prepare = (name: keyof typeof sql) => database.prepare(sql[name])
  const statements: Statements = {
    get: prepare('get'),
    getMany: prepare('getMany'),
    keys: prepare('keys'),
    set: prepare('set'),
    delete: prepare('delete'),
    total: prepare('total'),
    deleteExpired: prepare('deleteExpired'),
    deleteOldest: prepare('deleteOldest'),
  }
  return { database, statements }
}

function rollback(database: SqliteDatabase): void {
  try {
    database.exec('ROLLBACK')
  } catch {
    // SQLite has rolled back on its own, as it does when the disk is full.
  }
}

function totalOf(statements: Statements): number {
  return Number(propertyOf(statements.total.get(), 'bytes'))
}

function numberOf(database: SqliteDatabase, query: string): number {
  return Number(propertyOf(database.prepare(query).get(), 'n'))
}

function bytesIn(row: unknown): Uint8Array {
  const value = propertyOf(row, 'value')
  if (!ArrayBuffer.isView(value)) throw new StoreError('the SQLite database returned something that is no BLOB in a row object.')
  // better-sqlite3 returns a Buffer.
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
}

function textIn(row: unknown): string {
  const key = propertyOf(row, 'key')
  if (typeof key !== 'string') throw new StoreError('the SQLite database returned something that is no text in a row object.')
  return key
}

/** Whether SQLite says SQLITE_CORRUPT or SQLITE_NOTADB: as a number in node:sqlite, as a name in better-sqlite3. https://www.sqlite.org/rescode.html */
function isDamage(error: unknown): boolean {
  const number = propertyOf(error, 'errcode')
  const name = propertyOf(error, 'code')
  // The upper bits only say more about the same thing.
  if (typeof number === 'number') return (number & 0xff) === 11 || (number & 0xff) === 26
  return typeof name === 'string' && /^SQLITE_(?:CORRUPT|NOTADB)/.test(name)
}

/** What SQLite says of the kind of error; its whole message is in the cause. */
function reasonOf(error: unknown): string {
  const reason = propertyOf(error, 'errstr') ?? propertyOf(error, 'code')
  return typeof reason === 'string' ? reason : 'see the cause'
}

function propertyOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
