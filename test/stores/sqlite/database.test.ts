import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { assertOurs, type SqliteDatabase } from '../../../src/stores/sqlite/database.ts'
import { sqliteStore } from '../../../src/stores/sqlite/store.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'llmemo-sqlite-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** `database`, beside which another process acts right after the first row that is read. */
function withAnother(database: DatabaseSync, act: () => void): SqliteDatabase {
  let left = 1
  return {
    exec: (sql) => database.exec(sql),
    prepare(sql) {
      const statement = database.prepare(sql)
      return {
        run: (...given) => statement.run(...given),
        all: (...given) => statement.all(...given),
        get(...given) {
          const row: unknown = statement.get(...given)
          if (left-- > 0) act()
          return row
        },
      }
    },
  }
}

it('P03 an empty file is not taken for that of another application while another process creates the tables', async () => {
  const file = join(folder, 'new.db')
  const database = new DatabaseSync(file)
  const other = sqliteStore(file)
  const looked = withAnother(database, () => void other.set('a', new Uint8Array([1]), { ttl: 60_000 }))
  expect(() => assertOurs(looked)).not.toThrow()
  expect(await other.get('a')).toEqual(new Uint8Array([1]))
  await other.close?.()
  database.close()
})
