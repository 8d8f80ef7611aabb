/**
 * An SQLite database file, or a database in memory: opens it, checks it, and sets it aside when damaged.
 * @module
 */
import type * as fs from 'node:fs'
import type * as path from 'node:path'
import type * as sqlite from 'node:sqlite'
import { InvalidOptionError } from '../../errors.ts'
import { assertOurs, connect, type Connection, propertyOf, useWriteAheadLog } from './database.ts'
import { applicationId, schemaVersion } from './schema.ts'

/** One database by its location. The caller opens and closes it. */
export class DatabaseFile {
  readonly #path: string
  readonly #inMemory: boolean
  readonly #busyTimeout: number
  readonly #modules: Modules
  #database: { close(): void } | undefined
  /** The opened file. Another file may later have the same name. */
  #inode: bigint | undefined

  constructor(location: string, busyTimeout: number) {
    if (location === '' || location.includes('\0')) throw new InvalidOptionError('location', location, allowedLocations)
    this.#modules = loadModules(location)
    this.#inMemory = location === ':memory:'
    // Absolute, because the working directory may change before the file is opened. An absolute path cannot be read as a `file:` URL
    // either.
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
      // Before any change, because the file may belong to another application.
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
      // Closing a damaged file may fail; it holds nothing to save.
    }
    this.#database = undefined
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

  #inodeNow(): bigint | undefined {
    return this.#modules.fs.statSync(this.#path, { bigint: true, throwIfNoEntry: false })?.ino
  }
}

interface Modules {
  readonly fs: typeof fs
  readonly path: typeof path
  readonly sqlite: typeof sqlite
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
  if (fs !== undefined && path !== undefined && sqlite !== undefined) return { fs, path, sqlite }
  const needed = 'an open database of better-sqlite3, because this runtime has no node:sqlite to open a path with'
  throw new InvalidOptionError('location', location, `${needed}; use Node.js 22.13 or newer, or 22.5 with --experimental-sqlite`)
}
