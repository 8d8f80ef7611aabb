import { hash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LlmemoError } from '../../src/errors.ts'
import { sqliteStore } from '../../src/stores/sqlite/store.ts'
import { callerOf, openCache, type Told, withoutReasons } from '../support/chat.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { ScriptedStore } from '../support/scripted-store.ts'

let folder: string
let file: string
const closing: (() => unknown)[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'llmemo-faults-'))
  file = join(folder, 'answers.db')
})
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
  rmSync(folder, { recursive: true, force: true })
})

/** A cache over the file, or over this database. */
function open(location: string | DatabaseSync = file) {
  const clock = new ManualClock()
  const opened = openCache({ clock, store: sqliteStore(location, { busyTimeout: 1, clock }) })
  closing.push(() => opened.cache.close())
  return { ...opened, caller: callerOf(opened.cache) }
}

function database(options: { readOnly?: boolean } = {}): DatabaseSync {
  const opened = new DatabaseSync(file, options)
  closing.push(() => opened.isOpen && opened.close())
  return opened
}

/** Asks twice: each question once of the origin, and once of whatever has the answer now. */
async function everyAnswer({ cache, caller }: Pick<ReturnType<typeof open>, 'cache' | 'caller'>, count = 10): Promise<unknown[]> {
  const answers: unknown[] = []
  for (let index = 0; index < count; index++) {
    answers.push(await caller.ask(`question ${index}`))
    await cache.flush()
  }
  for (let index = 0; index < count; index++) answers.push(await caller.ask(`question ${index}`))
  return answers
}

function rightAnswers(count = 10): string[] {
  const once = Array.from({ length: count }, (_, index) => `re: question ${index}`)
  return [...once, ...once]
}

function errorsIn(told: Told): unknown[] {
  return told.events.filter(({ name }) => name === 'error').map(({ event }) => Reflect.get(Object(event), 'error'))
}

describe('D12 an SQLite file', () => {
  it('that another process has locked: calls go on, and the file is used again when it is free', async () => {
    const cache = open()
    await cache.caller.ask('first')
    await cache.cache.flush()
    const other = database()
    other.exec('BEGIN EXCLUSIVE')
    expect(await everyAnswer(cache)).toEqual(rightAnswers())
    expect(withoutReasons(cache.told.lines)).toEqual(['llmemo: the store "sqlite" is not taking writes; calls go on without it.'])
    expect(errorsIn(cache.told).every((error) => LlmemoError.isInstance(error))).toBe(true)
    expect(errorsIn(cache.told)).toHaveLength(5)
    expect(cache.cache.stats()).toMatchObject({ hits: 10, errorKinds: { write: 5 }, droppedWrites: 10 })
    other.exec('COMMIT')
    cache.clock.advance(1_000)
    await cache.caller.ask('after')
    await cache.cache.flush()
    expect(cache.told.lines[1]).toBe('llmemo: the store "sqlite" is taking writes again.')
    const next = open()
    expect([await next.caller.ask('after'), next.caller.asked]).toEqual(['re: after', []])
  })

  it('that is locked before it was ever opened', async () => {
    const other = database()
    other.exec('BEGIN EXCLUSIVE')
    const cache = open()
    expect(await everyAnswer(cache)).toEqual(rightAnswers())
    expect(withoutReasons(cache.told.lines)).toEqual([
      'llmemo: the store "sqlite" is not answering; calls go on without it.',
      'llmemo: the store "sqlite" is not taking writes; calls go on without it.',
    ])
  })

  it('that is corrupt: it is set aside, one line and one event tell of it, and a new one is used', async () => {
    const noise = Buffer.from(Array.from({ length: 20_000 }, (_, index) => (index * index * 7 + 13) % 256))
    writeFileSync(file, noise)
    const cache = open()
    expect(await everyAnswer(cache)).toEqual(rightAnswers())
    expect(cache.told.lines).toEqual([expect.stringContaining('was damaged; it was moved to')])
    expect(errorsIn(cache.told)).toEqual([expect.objectContaining({ code: 'STORE_FAILED' })])
    const aside = readdirSync(folder).find((name) => name.includes('.damaged-')) ?? ''
    expect(readFileSync(join(folder, aside))).toEqual(noise)
    // The new file has none of the generations that were read from the old one. That is noticed within the delay.
    cache.clock.advance(1_001)
    await cache.caller.ask('later')
    await cache.cache.flush()
    const next = open()
    expect([await next.caller.ask('later'), next.caller.asked]).toEqual(['re: later', []])
  })

  it('that is corrupted while it is open', async () => {
    const cache = open()
    await cache.caller.ask('first')
    await cache.cache.flush()
    writeFileSync(file, 'no database any more, and long enough to be taken for none: '.repeat(100))
    expect(await everyAnswer(cache)).toEqual(rightAnswers())
    expect(cache.told.lines.length).toBeLessThanOrEqual(2)
  })

  it('that may only be read: what is in it is served, and nothing is written', async () => {
    const writer = open()
    await writer.caller.ask('known')
    await writer.cache.close()
    const cache = open(database({ readOnly: true }))
    expect([await cache.caller.ask('known'), cache.caller.asked]).toEqual(['re: known', []])
    expect(await everyAnswer(cache)).toEqual(rightAnswers())
    expect(withoutReasons(cache.told.lines)).toEqual(['llmemo: the store "sqlite" is not taking writes; calls go on without it.'])
  })

  it.each<[string, string]>([
    ['that a newer version wrote', 'PRAGMA application_id = 1280132429; PRAGMA user_version = 99; CREATE TABLE later (a)'],
    ['that belongs to another application', 'CREATE TABLE invoices (id INTEGER)'],
  ])('%s is left as it is', async (_, sql) => {
    const other = database()
    other.exec(sql)
    other.close()
    const before = readFileSync(file)
    const cache = open()
    expect(await everyAnswer(cache)).toEqual(rightAnswers())
    // One for what it is, and one each for reading and writing that are given up.
    expect(cache.told.lines).toHaveLength(3)
    expect(new Set(cache.told.lines).size).toBe(3)
    expect(readFileSync(file)).toEqual(before)
  })

  it('that is deleted while it is open: a new one is begun', async () => {
    const cache = open()
    await cache.caller.ask('first')
    await cache.cache.flush()
    rmSync(folder, { recursive: true })
    mkdirSync(folder)
    expect(await everyAnswer(cache)).toEqual(rightAnswers())
    expect(cache.told.lines).toEqual([expect.stringContaining('was deleted or replaced while it was open')])
    // The new file has none of the generations that were read from the old one. That is noticed within the delay.
    cache.clock.advance(1_001)
    await cache.caller.ask('later')
    await cache.cache.flush()
    const next = open()
    expect([await next.caller.ask('later'), next.caller.asked]).toEqual(['re: later', []])
  })

  it('whose disk is full', async () => {
    const opened = database()
    const cache = open(opened)
    await cache.caller.ask('first')
    await cache.cache.flush()
    opened.exec('PRAGMA max_page_count = 1')
    // Of a kind that compressing does not make small.
    const long = Array.from({ length: 5_000 }, (_, index) => hash('sha256', `${index}`)).join('')
    expect(await cache.caller.ask(long)).toBe(`re: ${long}`)
    await cache.cache.flush()
    expect(await cache.caller.ask(long)).toBe(`re: ${long}`)
    expect(cache.cache.stats().errorKinds).toEqual({ write: 1 })
    opened.exec('PRAGMA max_page_count = 100000')
  })

  it('in the place of which there is a folder', async () => {
    mkdirSync(file)
    const cache = open()
    expect(await everyAnswer(cache)).toEqual(rightAnswers())
    expect(cache.told.lines).toHaveLength(2)
  })
})

describe('a store of any kind', () => {
  it.each(['throws', 'rejects', 'garbage'] as const)('I1 that %s at everything: every caller has its answer', async (manner) => {
    const store = new ScriptedStore()
    Object.assign(store, { reads: manner, writes: manner === 'garbage' ? 'throws' : manner, deletes: manner })
    const { cache, clock, told } = openCache({ store })
    expect(await everyAnswer({ cache, caller: callerOf(cache) })).toEqual(rightAnswers())
    expect(told.lines).toHaveLength(2)
    expect(clock.timers).toBe(0)
  })

  it('R01 R02 that is down, comes up, and goes down again: one line each time, and it is used when it is up', async () => {
    const store = new ScriptedStore()
    const { cache, clock, told } = openCache({ store, maxMemoryBytes: 0 })
    const caller = callerOf(cache)
    for (let outage = 0; outage < 3; outage++) {
      store.reads = 'rejects'
      for (let call = 0; call < 100; call++) await caller.ask(`question ${call}`)
      store.reads = 'works'
      clock.advance(20_000)
      await caller.ask('again')
      await cache.flush()
      const { length } = caller.asked
      expect(await caller.ask('again')).toBe('re: again')
      expect(caller.asked).toHaveLength(length)
    }
    const outages = Array.from({ length: 3 }, () => ['not answering; calls go on without it.', 'answering again.'])
    expect(withoutReasons(told.lines)).toEqual(outages.flat().map((what) => `llmemo: the store "scripted" is ${what}`))
  })

  it('R14 whose replies are shifted by one gives no caller the answer of another', async () => {
    const store = new ScriptedStore()
    const { cache } = openCache({ store, maxMemoryBytes: 0 })
    const caller = callerOf(cache)
    const texts = ['a', 'b', 'c', 'd']
    for (const text of texts) await caller.ask(text)
    await cache.flush()
    const places = store.entryKeys()
    const values = places.map((place) => store.map.get(place) ?? new Uint8Array())
    places.forEach((place, index) => store.map.set(place, values[(index + 1) % values.length] ?? new Uint8Array()))
    expect(await Promise.all(texts.map((text) => caller.ask(text)))).toEqual(texts.map((text) => `re: ${text}`))
    expect(cache.stats().errorKinds).toEqual({ foreign: 4 })
    expect(caller.asked).toEqual([...texts, ...texts])
  })
})
