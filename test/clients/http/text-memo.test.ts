import { describe, expect, it } from 'vitest'
import { createCache, engineOf } from '../../../src/cache/cache.ts'
import { memoByEngine, TextMemo } from '../../../src/clients/http/text-memo.ts'

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

  it('I7: of a cache is cleared when everything is invalidated, as its texts are prompts', async () => {
    const cache = createCache({ logger: false })
    const engine = engineOf(cache)
    if (engine === undefined) throw new Error('the cache has no engine')
    const memoOf = memoByEngine<number>()
    memoOf(engine).set('a', 1)
    await cache.invalidate({ model: 'm' })
    expect(memoOf(engine).get('a')).toBe(1)
    await cache.invalidate({ all: true })
    expect(memoOf(engine).get('a')).toBeUndefined()
  })
})
