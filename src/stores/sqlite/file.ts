/**
 * An SQLite database file of ours, or one in memory: opened, checked, set aside.
 * @module
 */
import type * as fs from 'node:fs'
import type * as path from 'node:path'
import type * as sqlite from 'node:sqlite'
import { InvalidOptionError } from '../../errors.ts'
import { assertOurs, connect, type Connection, propertyOf, useWriteAheadLog } from './database.ts'
import { applicationId, schemaVersion } from './schema.ts'

/** A database file of ours, or one in memory: opened, checked, set aside. */
export class DatabaseFile {
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

/** What a database may be given as. */
export const allowedLocations = "the path of a file, ':memory:', or an open database of node:sqlite or better-sqlite3"

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
