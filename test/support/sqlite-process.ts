/**
 * Another process at the same SQLite file, for the tests: `node sqlite-process.ts <task> <file> <name> [count]`.
 * `write` writes `count` entries and ends by itself, without closing. `forever` writes until it is killed. `lock` holds an exclusive
 * lock until its input ends. Each says a line when it has begun, or is done.
 * @module
 */
import { writeSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { sqliteStore } from '../../src/stores/sqlite/store.ts'

const [task, file = '', name = '', count = '0'] = process.argv.slice(2)
const hour = 3_600_000

/** The value of the entry with this number: a length and a filling that belong together, so that a torn one shows. */
export function valueOf(number: number): Uint8Array {
  return new Uint8Array(5_000 + (number % 200)).fill(number % 200)
}

if (task === 'write') {
  const store = sqliteStore(file, { busyTimeout: 20_000, maxBytes: 1_000_000 })
  const reports: string[] = []
  store.onReport?.((message) => reports.push(message))
  for (let number = 0; number < Number(count); number++) {
    await store.set(`${name}:${number}`, valueOf(number), { ttl: hour })
    // A key that the others write as well.
    await store.set('shared', valueOf(number), { ttl: hour })
    if (number % 10 === 0) await store.delete(`${name}:${number - 5}`)
  }
  writeSync(1, `done ${reports.length}\n`)
}

if (task === 'forever') {
  const store = sqliteStore(file, { busyTimeout: 20_000 })
  for (let number = 0; ; number++) {
    const writes = Array.from({ length: 20 }, (_, index) => ({ key: `${name}:${index}`, value: valueOf(number), ttl: hour }))
    await store.setMany?.(writes)
    if (number === 30) writeSync(1, 'writing\n')
  }
}

if (task === 'lock') {
  const database = new DatabaseSync(file)
  database.exec('BEGIN EXCLUSIVE')
  writeSync(1, 'locked\n')
  process.stdin.once('end', () => database.close()).resume()
}
