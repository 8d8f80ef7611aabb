import { hash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { deflateRawSync } from 'node:zlib'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createEntryCodec } from '../../src/codec/entry-codec.ts'
import { sqliteStore } from '../../src/stores/sqlite/store.ts'
import { callerOf, openCache } from '../support/chat.ts'
import { ScriptedStore } from '../support/scripted-store.ts'

const codec = createEntryCodec({ compressAbove: Infinity, maxBodyBytes: 2 ** 20 })

/** A store that holds the answer to one question, and the place where it does. */
async function filled() {
  const store = new ScriptedStore()
  const { cache, clock } = openCache({ store })
  await callerOf(cache).ask('a question')
  await cache.flush()
  const [place = ''] = store.entryKeys()
  return { store, clock, place, honest: store.map.get(place) ?? new Uint8Array() }
}

describe('bytes in the store', () => {
  it('B02 cut, lengthened or changed anyhow: a caller gets the one right answer, and nothing is thrown', async () => {
    const { store, clock, place, honest } = await filled()
    const changes = fc.array(fc.tuple(fc.nat(honest.length - 1), fc.nat(255)), { maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(changes, fc.nat(honest.length), fc.uint8Array({ maxLength: 3 }), async (places, length, more) => {
        const bytes = Uint8Array.from(honest)
        for (const [at, byte] of places) bytes[at] = byte
        for (const damaged of [bytes, bytes.subarray(0, length), Buffer.concat([bytes, more])]) {
          store.map.set(place, damaged)
          const { cache, told } = openCache({ store, clock })
          const caller = callerOf(cache)
          expect(await caller.ask('a question')).toBe('re: a question')
          const same = Buffer.compare(damaged, honest) === 0
          expect(caller.asked).toHaveLength(same ? 0 : 1)
          expect(told.lines).toEqual([])
        }
      }),
    )
  })

  it('B06 of two versions in one store: each keeps its own, and neither rewrites the other', async () => {
    const { store, clock, place } = await filled()
    const newer = Buffer.from('LMEM\u0002an entry as the next version writes it')
    store.map.set(place, newer)
    const { cache } = openCache({ store, clock, maxMemoryBytes: 0 })
    const caller = callerOf(cache)
    for (let time = 0; time < 10; time++) {
      expect(await caller.ask('a question')).toBe('re: a question')
      await cache.flush()
    }
    expect(store.map.get(place)).toBe(newer)
    expect(store.count('set')).toBe(1)
  })

  it('B07 that would inflate to 512 MiB are a miss, and are overwritten', async () => {
    const { store, clock, place, honest } = await filled()
    const { head } = codec.decode(honest)
    const bombed = bomb(JSON.stringify(head))
    store.map.set(place, bombed)
    const { cache, errors } = openCache({ store, clock })
    const before = process.resourceUsage().maxRSS
    expect(await callerOf(cache).ask('a question')).toBe('re: a question')
    // In KiB.
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(128 * 1_024)
    expect(errors()).toEqual(['entry'])
    await cache.flush()
    expect(codec.decode(store.map.get(place) ?? new Uint8Array()).head.key).toBe(head.key)
  })

  it('B09 whose head and body name members of Object.prototype change nothing but themselves', async () => {
    const { store, clock, place, honest } = await filled()
    const { head, body } = codec.decode(honest)
    const before = Object.getOwnPropertyNames(Object.prototype)
    store.map.set(
      place,
      codec.encode({
        head: { ...head, headers: JSON.parse('{"__proto__":"a","constructor":"b"}') },
        body: String(body).replace('{', '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},'),
      }),
    )
    const { cache } = openCache({ store, clock })
    const caller = callerOf(cache)
    expect([await caller.ask('a question'), caller.asked]).toEqual(['re: a question', []])
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before)
  })
})

describe('bytes in an SQLite file', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'llmemo-bytes-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('B14 that are damaged are told of once each, filled in again, and never make the store unusable', async () => {
    const file = join(folder, 'answers.db')
    const first = openCache({ store: sqliteStore(file) })
    for (let index = 0; index < 20; index++) await callerOf(first.cache).ask(`question ${index}`)
    await first.cache.close()
    const database = new DatabaseSync(file)
    database.exec('UPDATE llmemo_entries SET value = substr(value, 1, length(value) - 1)')
    database.close()
    const second = openCache({ store: sqliteStore(file) })
    const caller = callerOf(second.cache)
    for (let index = 0; index < 20; index++) expect(await caller.ask(`question ${index}`)).toBe(`re: question ${index}`)
    expect([caller.asked.length, second.told.lines]).toEqual([20, []])
    expect(second.cache.stats().errorKinds).toEqual({ entry: 20 })
    await second.cache.close()
    const third = openCache({ store: sqliteStore(file) })
    const last = callerOf(third.cache)
    for (let index = 0; index < 20; index++) expect(await last.ask(`question ${index}`)).toBe(`re: question ${index}`)
    expect(last.asked).toEqual([])
    await third.cache.close()
  })
})

/** An entry after the format's description whose body says that it has 1 MiB and holds 512. */
function bomb(headText: string): Uint8Array {
  const block = deflateRawSync(new Uint8Array(2 ** 20), { finishFlush: 3 /* Z_FULL_FLUSH */ })
  const body = Buffer.concat([...Array.from({ length: 512 }, () => block), deflateRawSync(new Uint8Array(0))])
  const head = Buffer.from(headText)
  const header = Buffer.alloc(20)
  header.write('LMEM\u0001\u0001')
  header.writeUInt32BE(head.length, 8)
  header.writeUInt32BE(body.length, 12)
  header.writeUInt32BE(2 ** 20, 16)
  const before = Buffer.concat([header, head, body])
  return Buffer.concat([before, hash('sha256', before, 'buffer').subarray(0, 8)])
}
