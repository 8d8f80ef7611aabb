import { describe, expect, it } from 'vitest'
import { createCache, engineOf } from '../../../src/cache/cache.ts'
import { memoByEngine, ReadingMemo, TextMemo } from '../../../src/clients/http/call-memo.ts'
import { Reading } from '../../../src/json/reading.ts'

function text(name: number): string {
  return String(name).padEnd(100, '.')
}

describe('a memo of texts', () => {
  const room = 1_000
  const memory = 64 * room

  it('I6: keeps no more characters than its part of the memory', () => {
    const memo = new TextMemo<number>(memory)
    for (let name = 0; name < 100; name++) memo.set(text(name), name)
    const kept = Array.from({ length: 100 }, (_, name) => memo.get(text(name))).filter((value) => value !== undefined)
    expect(kept.length).toBeGreaterThan(3)
    expect(kept.length).toBeLessThanOrEqual(10)
    memo.set('x'.repeat(room / 8 + 1), 1)
    expect(memo.get('x'.repeat(room / 8 + 1))).toBeUndefined()
  })

  it('keeps a text that comes often', () => {
    const memo = new TextMemo<number>(memory)
    memo.set(text(-1), -1)
    for (let name = 0; name < 100; name++) {
      memo.set(text(name), name)
      expect(memo.get(text(-1))).toBe(-1)
    }
  })

  it('has the latest value of a text, and none after it was cleared', () => {
    const memo = new TextMemo<number>(memory)
    memo.set('a', 1)
    memo.set('a', 2)
    expect(memo.get('a')).toBe(2)
    memo.clear()
    expect(memo.get('a')).toBeUndefined()
  })
})

function reading(body: object): Reading {
  const read = new Reading()
  if (!read.addRecord(body)) throw new Error('it cannot be read')
  return read
}

describe('a memo of readings', () => {
  const room = 10_000

  it('I6: keeps no more characters than its part of the memory', () => {
    const memo = new ReadingMemo<number>(16 * room)
    for (let name = 0; name < 100; name++) memo.set(reading({ prompt: text(name).repeat(10) }), name)
    const kept = Array.from({ length: 100 }, (_, name) => memo.get(reading({ prompt: text(name).repeat(10) })))
    expect(kept.filter((value) => value !== undefined).length).toBeGreaterThan(3)
    expect(kept.filter((value) => value !== undefined).length).toBeLessThanOrEqual(10)
    memo.set(reading({ prompt: 'x'.repeat(room / 8 + 1) }), 1)
    expect(memo.get(reading({ prompt: 'x'.repeat(room / 8 + 1) }))).toBeUndefined()
  })

  it('keeps a long context beside 64 MiB of hot memory', () => {
    const memo = new ReadingMemo<number>(64 * 2 ** 20)
    const body = { context: 'what was said '.repeat(30_000) }
    memo.note(reading(body), { known: () => 1, read: () => reading(body) })
    expect(memo.get(reading(body))).toBe(1)
    expect(memo.get(reading(body))).toBe(1)
  })

  it('I6: counts members without texts, and readings with one sum', () => {
    const memo = new ReadingMemo<number>(16 * room)
    const bodies = Array.from({ length: 200 }, (_, name) => ({ list: Array.from({ length: 100 }, () => name % 2 === 0), name }))
    for (const [name, body] of bodies.entries()) memo.set(reading(body), name)
    expect(bodies.filter((body) => memo.get(reading(body)) !== undefined).length).toBeLessThanOrEqual(24)
    const alike = Array.from({ length: 50 }, (_, name) => ({ a: { [`b${name}`]: 1 } }))
    expect(new Set(alike.map((body) => reading(body).sum)).size).toBe(1)
    for (const [name, body] of alike.entries()) memo.set(reading(body), name)
    expect(alike.filter((body) => memo.get(reading(body)) !== undefined).length).toBeLessThanOrEqual(8)
    expect(memo.get(reading(Object(alike.at(-1))))).toBe(49)
  })

  it('keeps a call that comes often, with the latest that was noted of it', () => {
    const memo = new ReadingMemo<number>(16 * room)
    memo.set(reading({ a: 'often' }), -1)
    for (let name = 0; name < 100; name++) {
      memo.set(reading({ prompt: text(name).repeat(10) }), name)
      expect(memo.get(reading({ a: 'often' }))).toBe(-1)
    }
    memo.set(reading({ a: 'often' }), -2)
    expect(memo.get(reading({ a: 'often' }))).toBe(-2)
    memo.clear()
    expect(memo.get(reading({ a: 'often' }))).toBeUndefined()
  })

  it('I7: of a cache is cleared when everything is invalidated, as prompts were read', async () => {
    const cache = createCache({ logger: false })
    const engine = engineOf(cache)
    if (engine === undefined) throw new Error('the cache has no engine')
    const memoOf = memoByEngine<number>()
    memoOf(engine).set(reading({ a: 1 }), 1)
    await cache.invalidate({ model: 'm' })
    expect(memoOf(engine).get(reading({ a: 1 }))).toBe(1)
    await cache.invalidate({ all: true })
    expect(memoOf(engine).get(reading({ a: 1 }))).toBeUndefined()
  })
})

function noted(memo: ReadingMemo<number>, body: object, sent: object = body): void {
  memo.note(reading(body), { known: () => 1, read: () => reading(sent) })
}

describe('a call that was made a short while ago', () => {
  const room = 10_000

  it('is known when it comes again, and then for long', () => {
    const memo = new ReadingMemo<number>(16 * room)
    noted(memo, { text: 'a' })
    expect(memo.get(reading({ text: 'b' }))).toBeUndefined()
    expect(memo.get(reading({ text: 'a' }))).toBe(1)
    for (let name = 0; name < 100; name++) noted(memo, { text: text(name) })
    expect(memo.get(reading({ text: 'a' }))).toBe(1)
  })

  it('costs nothing until it comes again', () => {
    const memo = new ReadingMemo<number>(16 * room)
    let made = 0
    memo.note(reading({ text: 'a' }), { known: () => ++made, read: () => reading({ text: 'a' }) })
    expect([memo.hasRecent(reading({ text: 'a' })), memo.get(reading({ text: 'b' })), made]).toEqual([true, undefined, 0])
    expect([memo.get(reading({ text: 'a' })), memo.get(reading({ text: 'a' })), made]).toEqual([1, 1, 1])
  })

  it('I3: is known by what was sent, and only if that is all that it said', () => {
    const memo = new ReadingMemo<number>(16 * room)
    noted(memo, { text: 'a' }, { text: 'b' })
    noted(memo, { text: 'c', header: 1 }, { text: 'c' })
    const asked = [{ text: 'a' }, { text: 'b' }, { text: 'c' }, { text: 'c', header: 1 }]
    expect(asked.map((body) => memo.get(reading(body)))).toEqual([undefined, undefined, undefined, undefined])
    expect(memo.hasRecent(reading({ text: 'a' }))).toBe(true)
  })

  it('I6: takes a part of the room, and is forgotten with everything', () => {
    const memo = new ReadingMemo<number>(16 * room)
    for (let name = 0; name < 100; name++) noted(memo, { name, text: text(name) })
    const kept = Array.from({ length: 100 }, (_, name) => memo.hasRecent(reading({ name, text: text(name) }))).filter(Boolean)
    expect(kept.length).toBeGreaterThan(3)
    expect(kept.length).toBeLessThanOrEqual(12)
    memo.clear()
    expect(memo.hasRecent(reading({ name: 99, text: text(99) }))).toBe(false)
  })
})
