/**
 * Cases of the store in SQLite: files that are damaged, foreign, newer, gone or read-only, and databases of the user's own that fail.
 * @module
 */
import { chmodSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { assertOurs, bytesIn, textIn } from '../../../src/stores/sqlite/database.ts'
import { applicationId } from '../../../src/stores/sqlite/schema.ts'
import { sqliteStore } from '../../../src/stores/sqlite/store.ts'
import { answer, question } from '../chat.ts'
import type { Cases, Issuer, SecretCase } from './issuer.ts'
import { keyBytes, secret } from './marker.ts'
import { mistaken, withoutModules } from './mistaken.ts'

const prompt = secret('prompt')
const bytes = new TextEncoder().encode(secret('answer'))
const refusedBy = (name: string, action: () => unknown): SecretCase => ({ name, run: (issuer) => issuer.refused(action) })

/** Runs `use` on the path of a file, in a folder of its own. */
async function inFolder(use: (path: string) => unknown): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'llmemo-secrets-'))
  try {
    await use(join(folder, 'answers.db'))
  } finally {
    chmodSync(folder, 0o700)
    rmSync(folder, { recursive: true })
  }
}

/** A cache over the file: each kind of use. */
async function useFile(issuer: Issuer, path: string): Promise<void> {
  const cache = issuer.cache({ store: sqliteStore(path), encryption: { keys: { a: keyBytes }, current: 'a' }, maxMemoryBytes: 0 })
  await issuer.outcome(async () => void (await cache.lookup(question(prompt))))
  await issuer.outcome(() => cache.store(question(prompt), answer(secret('answer'))))
  await cache.flush()
  await issuer.outcome(() => cache.delByPattern(`${prompt}*`))
  await issuer.outcome(() => cache.invalidate({ all: true }))
  await cache.close()
}

/** A database whose every method throws, as a driver might, with what it was given in the message. */
function failing(error: (sql: string) => unknown) {
  const fail = (sql: string): never => {
    throw error(`${sql} ${secret('password')}`)
  }
  return { exec: fail, prepare: fail }
}

export const sqliteCases: Cases = {
  'src/stores/sqlite/file.ts': [
    refusedBy('no path', () => sqliteStore('')),
    refusedBy('a URL', () => sqliteStore(`redis://:${secret('password')}@host`)),
    refusedBy('a path with a zero', () => sqliteStore(`${prompt}\0`)),
    {
      name: 'a runtime without node:sqlite',
      run: (issuer) =>
        withoutModules(async () => {
          await issuer.refused(() => sqliteStore(`x?key=${secret('key')}`))
        }),
    },
  ],
  'src/stores/sqlite/store.ts': [
    refusedBy('no database', () => sqliteStore(mistaken({ password: secret('password') }))),
    ...[
      (message: string) => new Error(message),
      (message: string) => Object.assign(new Error(message), { errstr: message, code: message, errcode: 1, query: message }),
      (message: string) => message,
    ].map((error, index) => ({
      name: `a driver that shows a password ${index}`,
      async run(issuer: Issuer) {
        const store = sqliteStore(mistaken(failing(error)))
        await issuer.refused(() => store.get(prompt))
        await issuer.refused(() => store.set(prompt, bytes, { ttl: 1_000 }))
        const cache = issuer.cache({ store })
        await issuer.outcome(() => cache.lookup(question(prompt)))
        await issuer.outcome(() => cache.store(question(prompt), answer(secret('answer'))))
        await cache.flush()
      },
    })),
    {
      name: 'keys that it cannot keep, and a closed one',
      run: (issuer) =>
        inFolder(async (path) => {
          const store = sqliteStore(path)
          const key = `${prompt}\uD800`
          await issuer.refused(() => store.set(key, bytes, { ttl: 1 }))
          await issuer.refused(() => store.setIfAbsent?.(key, bytes, { ttl: 1 }))
          await store.close?.()
          await issuer.refused(() => store.get(prompt))
        }),
    },
    {
      name: 'a file of another application',
      run: (issuer) =>
        inFolder(async (path) => {
          const database = new DatabaseSync(path)
          database.exec(`CREATE TABLE ${secret('name')} (a)`)
          database.close()
          await useFile(issuer, path)
        }),
    },
    {
      name: 'a damaged file',
      run: (issuer) =>
        inFolder(async (path) => {
          writeFileSync(path, prompt.repeat(1_000))
          await useFile(issuer, path)
        }),
    },
    {
      name: 'a file that goes away',
      run: (issuer) =>
        inFolder(async (path) => {
          const store = sqliteStore(path)
          store.onReport?.((message, cause) => issuer.keep('report', [message, cause]))
          await store.set(prompt, bytes, { ttl: 10_000 })
          unlinkSync(path)
          await store.set(prompt, bytes, { ttl: 10_000 })
          await store.close?.()
        }),
    },
    {
      name: 'a damaged file that cannot be moved',
      run: (issuer) =>
        inFolder(async (path) => {
          writeFileSync(path, prompt.repeat(1_000))
          const store = sqliteStore(path, { clock: mistaken({ now: () => Number.NaN, monotonic: () => 0, after: () => () => {} }) })
          // A folder stands where the file would be moved to.
          const { mkdirSync } = await import('node:fs')
          mkdirSync(join(`${path}.damaged-NaN`, 'full'), { recursive: true })
          await issuer.refused(() => store.get(prompt))
        }),
    },
    {
      name: 'a database that can only be read',
      run: (issuer) =>
        inFolder(async (path) => {
          await useFile(issuer, path)
          const store = sqliteStore(mistaken(new DatabaseSync(path, { readOnly: true })))
          await issuer.refused(() => store.set(prompt, bytes, { ttl: 1_000 }))
        }),
    },
    {
      name: 'a file that can only be read',
      run: (issuer) =>
        inFolder(async (path) => {
          await useFile(issuer, path)
          const { accessSync } = await import('node:fs')
          void accessSync
          // A test may run as root, whom no mode stops: the module says so instead.
          const fs = process.getBuiltinModule('node:fs')
          const { closeSync, openSync } = fs
          fs.openSync = () => {
            throw Object.assign(new Error(`EROFS: ${path}`), { code: 'EROFS', path })
          }
          try {
            await useFile(issuer, path)
          } finally {
            fs.openSync = openSync
            fs.closeSync = closeSync
          }
        }),
    },
  ],
  'src/stores/sqlite/database.ts': [
    refusedBy('a newer file', () => {
      const database = new DatabaseSync(':memory:')
      database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = 99`)
      assertOurs(database)
    }),
    refusedBy('a file of another application', () => {
      const database = new DatabaseSync(':memory:')
      database.exec(`CREATE TABLE ${secret('name')} (a)`)
      assertOurs(database)
    }),
    refusedBy('a row without bytes', () => bytesIn({ value: prompt })),
    refusedBy('a row without a key', () => textIn({ key: [prompt] })),
  ],
}
