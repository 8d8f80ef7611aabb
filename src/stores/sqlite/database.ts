/**
 * An open SQLite database of `node:sqlite` or better-sqlite3: prepares it for use, and reads its rows.
 * @module
 */
import { codeOf, nameOf, withoutContent } from '../../base/foreign-error.ts'
import { StoreError } from '../../errors.ts'
import { applicationId, schema, schemaObjects, schemaVersion, sql } from './schema.ts'

/** A value for SQLite. */
export type SqliteValue = null | number | bigint | string | Uint8Array

/** A prepared statement of `node:sqlite` or better-sqlite3. */
export interface SqliteStatement {
  run(...parameters: SqliteValue[]): unknown
  get(...parameters: SqliteValue[]): unknown
  all(...parameters: SqliteValue[]): unknown[]
}

/** An open database: `DatabaseSync` of `node:sqlite`, `Database` of better-sqlite3, or an object with the same methods. */
export interface SqliteDatabase {
  exec(sql: string): unknown
  prepare(sql: string): SqliteStatement
}

/** The prepared statements. */
export type Statements = Readonly<Record<keyof typeof sql, SqliteStatement>>

/** A database that is ready for use. */
export interface Connection {
  readonly database: SqliteDatabase
  readonly statements: Statements
}

const ownershipSql = `SELECT
  (SELECT application_id FROM pragma_application_id) AS id,
  (SELECT user_version FROM pragma_user_version) AS version,
  (SELECT count(*) FROM sqlite_master) AS objects`

/** @throws {StoreError} when the database belongs to another application, or to a newer version */
export function assertOurs(database: SqliteDatabase): void {
  // One statement, so that all three are of one moment: another process may be creating the tables.
  const row = database.prepare(ownershipSql).get()
  const id = Number(propertyOf(row, 'id'))
  const version = Number(propertyOf(row, 'version'))
  if (id === applicationId && version > schemaVersion)
    throw new StoreError(`the SQLite file is of version ${version}, written by a newer llmemo; this one reads version ${schemaVersion}.`)
  if (id !== applicationId && (id !== 0 || Number(propertyOf(row, 'objects')) > 0))
    throw new StoreError('the SQLite file belongs to another application and is left alone; choose another path.')
}

/** Lets other processes read while one writes. */
export function useWriteAheadLog(database: SqliteDatabase): void {
  try {
    database.exec('PRAGMA journal_mode = WAL')
  } catch (error) {
    // The store works without it, only slower. The file may be read-only, or another process may be switching the mode too.
    if (isDamage(error)) throw error
  }
  database.exec('PRAGMA synchronous = NORMAL')
}

/**
 * Creates the missing tables and prepares the statements. A database that cannot be written is used as it is, without the missing ones.
 * @param marks the SQL that marks a file as ours
 */
export function connect(database: SqliteDatabase, marks = ''): Connection {
  let refusal: { readonly error: unknown } | undefined
  try {
    createMissing(database, marks)
  } catch (error) {
    if (!isReadOnly(error)) throw error
    refusal = { error }
  }
  const prepare = (name: keyof typeof sql) =>
    refusal === undefined ? database.prepare(sql[name]) : prepareIfPossible(database, name, refusal)
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

/** A statement that finds nothing and refuses writes, if its table is missing in a database that cannot be written. */
function prepareIfPossible(database: SqliteDatabase, name: keyof typeof sql, refusal: { readonly error: unknown }): SqliteStatement {
  try {
    return database.prepare(sql[name])
  } catch {
    return {
      run() {
        throw refusal.error
      },
      get: () => undefined,
      all: () => [],
    }
  }
}

function createMissing(database: SqliteDatabase, marks: string): void {
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
}

/** Rolls a failed transaction back. */
export function rollback(database: SqliteDatabase): void {
  try {
    database.exec('ROLLBACK')
  } catch {
    // SQLite has rolled back by itself, for example because the disk is full.
  }
}

/** Bytes of all keys and values together. */
export function totalOf(statements: Statements): number {
  return Number(propertyOf(statements.total.get(), 'bytes'))
}

function numberOf(database: SqliteDatabase, query: string): number {
  return Number(propertyOf(database.prepare(query).get(), 'n'))
}

/** The value of a row. */
export function bytesIn(row: unknown): Uint8Array {
  const value = propertyOf(row, 'value')
  if (!ArrayBuffer.isView(value)) throw new StoreError('the SQLite database returned a row whose value is not a BLOB.')
  // better-sqlite3 returns a Buffer.
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
}

/** The key of a row. */
export function textIn(row: unknown): string {
  const key = propertyOf(row, 'key')
  if (typeof key !== 'string') throw new StoreError('the SQLite database returned a row whose key is not a text.')
  return key
}

/**
 * Whether the error is SQLITE_CORRUPT or SQLITE_NOTADB: a number in node:sqlite, a name in better-sqlite3.
 * https://www.sqlite.org/rescode.html
 */
export function isDamage(error: unknown): boolean {
  return isCode(error, [11, 26], /^SQLITE_(?:CORRUPT|NOTADB)/)
}

/** Whether the error is SQLITE_READONLY: the file, its folder, its volume or the connection allows no writes. */
export function isReadOnly(error: unknown): boolean {
  return isCode(error, [8], /^SQLITE_READONLY/)
}

/** Whether the error is SQLITE_CANTOPEN, which a missing file gives, and a log that cannot be created. */
export function isUnopenable(error: unknown): boolean {
  return isCode(error, [14], /^SQLITE_CANTOPEN/)
}

function isCode(error: unknown, numbers: readonly number[], names: RegExp): boolean {
  const number = propertyOf(error, 'errcode')
  const name = propertyOf(error, 'code')
  // The upper bits hold details of the same code.
  if (typeof number === 'number') return numbers.includes(number & 0xff)
  return typeof name === 'string' && names.test(name)
}

/** The kind of an error of SQLite, in SQLite's own words, or of the file system. */
export function reasonOf(error: unknown): string {
  const words = propertyOf(error, 'errstr')
  return typeof words === 'string' && /^[a-z][a-z ,'()-]{1,79}$/i.test(words) ? words : codeOf(error) || nameOf(error)
}

/** The error without what it may quote, to be the cause of ours. */
export function causeOf(error: unknown): Error {
  const number = propertyOf(error, 'errcode')
  return Object.assign(withoutContent(error, reasonOf(error)), typeof number === 'number' && { errcode: number })
}

/** Whether this has the methods of a database. */
export function isDatabase(value: unknown): value is SqliteDatabase {
  return typeof propertyOf(value, 'exec') === 'function' && typeof propertyOf(value, 'prepare') === 'function'
}

/** A property of a value of any type. */
export function propertyOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
