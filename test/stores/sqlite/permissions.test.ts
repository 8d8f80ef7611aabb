import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCache } from '../../../src/cache/cache.ts'
import type { Store } from '../../../src/store.ts'
import { sqliteStore } from '../../../src/stores/sqlite/store.ts'

const ttl = 3_600_000
const value = new TextEncoder().encode('an answer')

let folder: string
let file: string
const closing: (() => unknown)[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'llmemo-sqlite-'))
  chmodSync(folder, 0o755)
  file = join(folder, 'answers.db')
})
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
  rmSync(folder, { recursive: true, force: true })
})

function open(location: string | DatabaseSync = file): { store: Store; reports: string[] } {
  const store = sqliteStore(location)
  const reports: string[] = []
  store.onReport?.((message) => reports.push(message))
  closing.push(() => store.close?.())
  return { store, reports }
}

async function fill(): Promise<void> {
  const store = sqliteStore(file)
  await store.set('key', value, { ttl })
  await store.close?.()
}

/** Makes the folder and its files read-only, as a volume that is mounted for reading is. */
function makeReadOnly(): void {
  for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o444)
  chmodSync(folder, 0o555)
  // The superuser may write in spite of the modes.
  const user = process.geteuid?.()
  if (user === 0) process.seteuid?.(65_534)
  closing.push(() => {
    if (user === 0) process.seteuid?.(0)
    chmodSync(folder, 0o755)
  })
}

async function keysOf(store: Store): Promise<string[]> {
  const keys: string[] = []
  for await (const key of store.keys?.('') ?? []) keys.push(key)
  return keys
}

function messageOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    return String(error)
  }
  return 'nothing was thrown'
}

describe('a file that the process creates', () => {
  it('G55 is open to its owner only, with its log, its index and the folders that were created for it', async () => {
    file = join(folder, 'new', 'deep', 'answers.db')
    const { store } = open()
    await store.set('key', value, { ttl })
    const modes = ['', '-wal', '-shm'].map((suffix) => statSync(file + suffix).mode & 0o777)
    expect(modes).toEqual([0o600, 0o600, 0o600])
    expect([statSync(join(folder, 'new')).mode & 0o777, statSync(join(folder, 'new', 'deep')).mode & 0o777]).toEqual([0o700, 0o700])
  })

  it('G55 is open to its owner only when it takes the place of a damaged or a deleted one', async () => {
    writeFileSync(file, 'no database at all, but long enough to be looked at as one'.repeat(100))
    const { store } = open()
    await store.set('key', value, { ttl })
    expect(statSync(file).mode & 0o777).toBe(0o600)
    rmSync(file)
    await store.set('key', value, { ttl })
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  it('G55 keeps the mode that its owner gave to a file or a folder before', async () => {
    await fill()
    chmodSync(file, 0o660)
    const { store } = open()
    await store.set('key', value, { ttl })
    expect([statSync(file).mode & 0o777, statSync(folder).mode & 0o777]).toEqual([0o660, 0o755])
  })
})

describe('a file that can only be read', () => {
  it('G48 is read on a read-only volume; writes are errors, and one report says why', async () => {
    await fill()
    makeReadOnly()
    const { store, reports } = open()
    expect(await store.get('key')).toEqual(value)
    expect(await store.getMany?.(['key', 'none'])).toEqual([value, undefined])
    expect(await keysOf(store)).toEqual(['key'])
    expect(messageOf(() => store.set('key', value, { ttl }))).toMatch(/could not be written: attempt to write a readonly database/)
    expect(messageOf(() => store.delete('key'))).toMatch(/readonly/)
    expect(reports).toEqual([expect.stringMatching(/^The SQLite file ".*answers\.db" can only be read \(.*readonly.*\)/)])
    expect(readdirSync(folder)).toEqual(['answers.db'])
  })

  it('G48 is read beside a process that writes it, and read again after a change', async () => {
    await fill()
    makeReadOnly()
    const { store } = open()
    expect(await store.get('key')).toEqual(value)
    if (process.getuid?.() === 0) process.seteuid?.(0)
    chmodSync(folder, 0o755)
    chmodSync(file, 0o644)
    const writer = sqliteStore(file)
    await writer.set('key', new Uint8Array([7]), { ttl })
    await writer.close?.()
    expect(await store.get('key')).toEqual(new Uint8Array([7]))
  })

  it('G48 without our tables holds nothing, and refuses writes', async () => {
    new DatabaseSync(file).close()
    const { store } = open(new DatabaseSync(file, { readOnly: true }))
    expect(await store.get('key')).toBeUndefined()
    expect(await store.getMany?.(['key'])).toEqual([undefined])
    expect(await keysOf(store)).toEqual([])
    expect(messageOf(() => store.set('key', value, { ttl }))).toMatch(/could not be written: .*readonly/)
  })

  it('G48 as an open read-only database is read', async () => {
    await fill()
    const database = new DatabaseSync(file, { readOnly: true })
    closing.push(() => database.close())
    const { store } = open(database)
    expect(await store.get('key')).toEqual(value)
  })

  it('G48 lacks an index or a trigger of ours, and is read', async () => {
    await fill()
    const writable = new DatabaseSync(file)
    writable.exec('DROP INDEX llmemo_entries_by_storing; DROP TRIGGER llmemo_entries_deleted')
    writable.close()
    const database = new DatabaseSync(file, { readOnly: true })
    closing.push(() => database.close())
    expect(await open(database).store.get('key')).toEqual(value)
  })

  it('G48 serves a whole cache: what was stored before is a hit', async () => {
    const before = createCache({ store: sqliteStore(file) })
    await before.set('greeting', { text: 'hello' })
    await before.close()
    makeReadOnly()
    const cache = createCache({ store: sqliteStore(file), logger: false })
    closing.push(() => cache.close())
    expect(await cache.get('greeting')).toEqual({ text: 'hello' })
  })
})

describe('a file that cannot be used', () => {
  it.each<[name: string, path: () => string, reason: string]>([
    ['a folder in its place', () => folder, 'unable to open database file'],
    ['a file in the place of its folder', () => join(file, 'answers.db'), 'EEXIST|ENOTDIR'],
  ])('G47 is named in the error, with the reason: %s', (_, path, reason) => {
    writeFileSync(file, '')
    const { store } = open(path())
    const message = messageOf(() => store.get('key'))
    expect(message).toContain(`"${path()}"`)
    expect(message).toMatch(new RegExp(reason))
  })

  it('G47 is named in the error, with the reason: a folder that cannot be written', () => {
    makeReadOnly()
    expect(messageOf(() => open().store.get('key'))).toMatch(/"[^"]*answers\.db" could not be read: EACCES/)
    expect(messageOf(() => open(join(folder, 'new', 'answers.db')).store.get('key'))).toMatch(
      /"[^"]*new.answers\.db" could not be read: EACCES/,
    )
    expect(existsSync(join(folder, 'new'))).toBe(false)
  })
})
