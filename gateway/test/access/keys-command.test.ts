import { readFileSync } from 'node:fs'
import { StoreError, systemClock } from 'llmemo'
import { sqliteStore } from 'llmemo/sqlite'
import { expect, it } from 'vitest'
import { isApiKey } from '../../src/access/api-key.ts'
import { keysCommand } from '../../src/access/keys-command.ts'
import { databasePath } from '../support/database-path.ts'

it('makes, lists and revokes keys, of which only digests are in the file', async () => {
  const path = databasePath()
  const store = sqliteStore(path)
  let out = ''
  let told = ''
  const run = async (...words: string[]): Promise<number> => {
    out = ''
    told = ''
    return keysCommand(words, { store, clock: systemClock, out: (text) => void (out += text), tell: (text) => void (told += text) })
  }
  expect(await run('create', '--role', 'read', '--role', 'write', '--tenant', 'acme', '--expires', '90d', '--rate', '600/m')).toBe(0)
  const key = out.trim()
  expect(isApiKey(key)).toBe(true)
  expect(await run('list')).toBe(0)
  expect(out).toMatch(/^[\da-f]{12} {2}acme {2}read,write {2}rate 600\/m {2}expires \d{4}-\d\d-\d\d\n$/)
  expect(await run('list', '--json')).toBe(0)
  const [record] = JSON.parse(out)
  expect(record).toMatchObject({ tenant: 'acme', roles: ['read', 'write'], rate: '600/m' })
  expect(out).not.toContain('digest')

  expect(await run('create', '--role', 'read')).toBe(2)
  expect(told).toContain('needs a tenant')
  expect(await run('create', '--role', 'sk-secret')).toBe(2)
  expect(await run('create', '--role', 'read', '--tenant', 'a:b')).toBe(2)
  expect(await run('create', '--role', 'admin', '--rate', 'fast')).toBe(2)
  expect(await run('create', '--sk-secret')).toBe(2)
  expect(told).not.toContain('sk-secret')
  expect(await run('revoke', 'none')).toBe(1)
  expect(await run('revoke', record.id)).toBe(0)
  await run('list')
  expect(out).toBe('')
  await store.close?.()
  expect(readFileSync(path, 'latin1')).not.toContain(key.slice(4, 20))
})

async function away(): Promise<never> {
  throw new StoreError('Redis could not be read: Connection is lost.')
}

it('says that the store is away, rather than how it is used', async () => {
  let told = ''
  const store = { ...sqliteStore(databasePath()), get: away, set: away, keys: away }
  const tell = (text: string): void => void (told = text)
  const command = { store: Object(store), clock: systemClock, out: tell, tell }
  expect(await keysCommand(['create', '--role', 'admin'], command)).toBe(2)
  expect(told).toContain('could not be read')
  expect(told).not.toContain('Usage')
})
