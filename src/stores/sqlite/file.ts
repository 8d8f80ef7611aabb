/**
 * An SQLite database file, or a database in memory: opens it, checks it, and sets it aside when damaged.
 * @module
 */
import type * as fs from 'node:fs'
import type * as path from 'node:path'
import type * as sqlite from 'node:sqlite'
import type * as url from 'node:url'
import { Description, InvalidOptionError } from '../../errors.ts'
import { assertOurs, connect, type Connection, isReadOnly, isUnopenable, propertyOf, useWriteAheadLog } from './database.ts'
import { applicationId, schemaVersion } from './schema.ts'

/**
 * Milliseconds that the first opening waits for a lock, at the least. Processes that start together wait for the one that creates the
 * tables, which takes several writes to the disk.
 */
const firstOpeningTimeout = 1_000

/** One database by its location. The caller opens and closes it. */
export class DatabaseFile {
  readonly #path: string
  readonly #inMemory: boolean
  readonly #busyTimeout: number
  readonly #modules: Modules
  #database: { close(): void } | undefined
  #isFirstOpening = true
  /** The opened file. Another file may later have the same name. */
  #inode: bigint | undefined
  /** Of a file that is open for reading only: why, and the version that is read, if SQLite does not look for changes. */
  #readOnly: { readonly reason: unknown; readonly version: string | undefined } | undefined

  constructor(location: string, busyTimeout: number) {
    // A URL would be the path of a folder with the user's password in its name. One letter and a colon is a drive.
    const isUrl = /^(?:[a-z][a-z\d+.-]+:\/\/|file:)/i.test(location)
    if (isUrl || location === '' || location.includes('\0')) {
      throw new InvalidOptionError('location', isUrl ? new Description('a URL') : location, allowedLocations)
    }
    this.#modules = loadModules(location)
    this.#inMemory = location === ':memory:'
    // Absolute, because the working directory may change before the file is opened. An absolute path cannot be read as a `file:` URL
    // either.
    this.#path = this.#inMemory ? location : this.#modules.path.resolve(location)
    this.#busyTimeout = busyTimeout
  }

  /**
   * Opens the file, and creates it where it is missing. A file that cannot be written, as on a read-only volume, is opened for reading.
   * Only the owner may read what is created: entries hold prompts' answers.
   */
  open(): Connection {
    try {
      if (!this.#inMemory) this.#create()
      return this.#openFile(this.#path, {})
    } catch (error) {
      if (this.#inMemory || !this.#isToBeRead(error)) throw error
      return this.#openToRead(error)
    }
  }

  /** Why the open file cannot be written; `undefined` when it can. */
  get readOnlyReason(): unknown {
    return this.#readOnly?.reason
  }

  /** The path, for messages; empty for a database in memory. */
  get path(): string {
    return this.#inMemory ? '' : this.#path
  }

  /** Whether another process changed a file that SQLite reads as one that never changes. */
  isOutdated(): boolean {
    return this.#readOnly?.version !== undefined && this.#readOnly.version !== this.#version()
  }

  #create(): void {
    const { fs, path } = this.#modules
    fs.mkdirSync(path.dirname(this.#path), { recursive: true, mode: 0o700 })
    try {
      // SQLite takes an empty file for a new database, and gives its log the same mode.
      fs.closeSync(fs.openSync(this.#path, 'ax', 0o600))
    } catch (error) {
      if (propertyOf(error, 'code') !== 'EEXIST') throw error
    }
  }

  /** Whether the file is there and the error says that it cannot be written. Too many open files, for one, is another error. */
  #isToBeRead(error: unknown): boolean {
    const { fs, path } = this.#modules
    const isRefused = isReadOnly(error) || ['EACCES', 'EPERM', 'EROFS'].includes(String(propertyOf(error, 'code')))
    if (!isRefused && !isUnopenable(error)) return false
    if (fs.statSync(this.#path, { throwIfNoEntry: false })?.isFile() !== true) return false
    return isRefused || [this.#path, path.dirname(this.#path)].some((each) => !this.#isWritable(each))
  }

  #isWritable(path: string): boolean {
    try {
      this.#modules.fs.accessSync(path, this.#modules.fs.constants.W_OK)
      return true
    } catch {
      return false
    }
  }

  #openToRead(reason: unknown): Connection {
    try {
      const connection = this.#openFile(this.#path, { readOnly: true })
      this.#readOnly = { reason, version: undefined }
      return connection
    } catch (error) {
      if (!isReadOnly(error) && !isUnopenable(error)) throw error
      // A file in WAL mode needs two more files beside it, even for reading, unless SQLite is told that it never changes.
      // Source: https://www.sqlite.org/wal.html#read_only_databases
      const version = this.#version()
      const connection = this.#openFile(`${this.#modules.url.pathToFileURL(this.#path).href}?immutable=1`, { readOnly: true })
      this.#readOnly = { reason, version }
      return connection
    }
  }

  #openFile(location: string, options: { readonly readOnly?: boolean }): Connection {
    const database = new this.#modules.sqlite.DatabaseSync(location, options)
    this.#database = database
    try {
      this.#inode = this.#inodeNow()
      const timeout = this.#isFirstOpening ? Math.max(this.#busyTimeout, firstOpeningTimeout) : this.#busyTimeout
      this.#isFirstOpening = false
      database.exec(`PRAGMA busy_timeout = ${timeout}`)
      // Before any change, because the file may belong to another application.
      assertOurs(database)
      if (options.readOnly !== true) useWriteAheadLog(database)
      const connection = connect(database, `PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion};`)
      database.exec(`PRAGMA busy_timeout = ${this.#busyTimeout}`)
      return connection
    } catch (error) {
      this.close()
      throw error
    }
  }

  close(): void {
    try {
      this.#database?.close()
    } catch {
      // Closing a damaged file may fail; it holds nothing to save.
    }
    this.#database = undefined
    this.#readOnly = undefined
  }

  /** Whether the opened file no longer has its name. */
  isGone(): boolean {
    return !this.#inMemory && this.#inodeNow() !== this.#inode
  }

  /**
   * Renames a damaged file. Its log goes first: SQLite would take a log beside a new file for the log of that file.
   * @returns the new path, or `undefined` when another process has already set the file aside
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

  /** Changes with the file and with its log. */
  #version(): string {
    const found = ['', '-wal'].map((suffix) => this.#modules.fs.statSync(this.#path + suffix, { bigint: true, throwIfNoEntry: false }))
    return found.map((each) => `${each?.ino} ${each?.size} ${each?.mtimeNs}`).join(' ')
  }

  #inodeNow(): bigint | undefined {
    return this.#modules.fs.statSync(this.#path, { bigint: true, throwIfNoEntry: false })?.ino
  }
}

interface Modules {
  readonly fs: typeof fs
  readonly path: typeof path
  readonly sqlite: typeof sqlite
  readonly url: typeof url
}

/** The allowed values of a location. */
export const allowedLocations = "the path of a file, ':memory:', or an open database of node:sqlite or better-sqlite3"

/** Not imported, so that this file loads in a runtime without these modules. */
function loadModules(location: string): Modules {
  // The types claim that these functions always exist, which is wrong for older and other runtimes.
  const load: Partial<NodeJS.Process>['getBuiltinModule'] = globalThis.process?.getBuiltinModule?.bind(globalThis.process)
  const fs: Partial<Modules>['fs'] = load?.('node:fs')
  const path: Partial<Modules>['path'] = load?.('node:path')
  const sqlite: Partial<Modules>['sqlite'] = load?.('node:sqlite')
  const url: Partial<Modules>['url'] = load?.('node:url')
  if (fs !== undefined && path !== undefined && sqlite !== undefined && url !== undefined) return { fs, path, sqlite, url }
  const needed = 'an open database of better-sqlite3, because this runtime has no node:sqlite to open a path with'
  throw new InvalidOptionError('location', location, `${needed}; use Node.js 22.13 or newer, or 22.5 with --experimental-sqlite`)
}
