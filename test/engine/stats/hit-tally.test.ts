import { describe, expect, it } from 'vitest'
import { createPriceBook } from '../../../src/engine/pricing/price-book.ts'
import { createStats, type HitEvent } from '../../../src/engine/stats/counters.ts'

const minute = 60_000
const at = Date.UTC(2026, 10, 1)
const usage = { input: 600_000, output: 400_000 }
const event: HitEvent = {
  operation: 'chat',
  scope: 'tenant',
  model: 'one',
  provider: 'openai',
  source: 'memory',
  usage,
  savedMs: 100,
  stale: false,
  at,
}
const like = { source: 'memory', usage, stale: false, at }
const create = () => createStats({ priceBook: createPriceBook([{ model: 'one', input: 1, output: 1 }]), clock: { now: () => at } })

describe('hits that are alike', () => {
  it('are counted as if each were counted by itself', () => {
    const [single, together] = [create(), create()]
    for (let hit = 0; hit < 3; hit++) single.hit({ ...event, stale: true })
    const tally = together.hit({ ...event, stale: true })
    expect([tally.again({ ...like, stale: true }), tally.again({ ...like, stale: true, at: at + minute - 1 })]).toEqual([true, true])
    expect(together.snapshot()).toEqual(single.snapshot())
    expect(together.snapshot()).toMatchObject({ hits: 3, stale: 3, savedUsd: 3, savedTokens: 3_000_000, savedMs: 300 })
  })

  it.each([
    ['from another place', { source: 'redis' }],
    ['on another answer', { usage: { ...usage } }],
    ['past the TTL', { stale: true }],
    ['at a time with another price', { at: at + minute }],
  ])('are none %s, and then nothing is counted', (_, other) => {
    const stats = create()
    expect(stats.hit(event).again({ ...like, ...other })).toBe(false)
    expect(stats.snapshot().hits).toBe(1)
  })

  it('are counted by themselves after their price was added, and after a reset', () => {
    const stats = create()
    const tally = stats.hit(event)
    const snapshot = stats.snapshot()
    expect(tally.again(like)).toBe(false)
    const later = stats.hit(event)
    snapshot.reset()
    expect(later.again(like)).toBe(false)
    expect(stats.snapshot()).toMatchObject({ hits: 0, savedUsd: 0 })
  })

  it('are none if the answer does not say what it used, as they have no price that waits', () => {
    const stats = create()
    const tally = stats.hit({ ...event, usage: undefined })
    expect(tally.again({ ...like, usage: undefined })).toBe(false)
    expect(stats.snapshot()).toMatchObject({ hits: 1, unpricedHits: 1 })
  })

  it('reach the ledger each', () => {
    const noted: unknown[] = []
    const savings = { note: (_: unknown, figures: object): void => void noted.push(figures) }
    const tally = createStats({ priceBook: createPriceBook([]), clock: { now: () => at }, savings }).hit(event)
    tally.again(like)
    expect(noted).toEqual([1, 2].map(() => ({ hits: 1, savedTokens: 1_000_000, savedMs: 100 })))
  })
})
