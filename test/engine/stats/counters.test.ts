import { describe, expect, it } from 'vitest'
import type { PriceBook, PriceFacts } from '../../../src/engine/pricing/price-book.ts'
import type { HitEvent, SpentEvent } from '../../../src/engine/stats/counters.ts'
import type { Usage } from '../../../src/entry.ts'
import { createPriceBook } from '../../../src/engine/pricing/price-book.ts'
import { createStats } from '../../../src/engine/stats/counters.ts'

const at = Date.UTC(2026, 10, 1)
const prices = createPriceBook([
  { model: 'one', input: 1, output: 1 },
  { model: 'two', input: 2, output: 2 },
])

const hit = (event: Partial<HitEvent> = {}): HitEvent => ({
  operation: 'chat',
  scope: 'tenant',
  model: 'one',
  provider: 'openai',
  source: 'memory',
  usage: { input: 600_000, output: 400_000 },
  savedMs: 100,
  stale: false,
  at,
  ...event,
})
const spent = (event: Partial<SpentEvent> = {}): SpentEvent => ({
  operation: 'chat',
  scope: 'tenant',
  model: 'one',
  provider: 'openai',
  usage: { input: 600_000, output: 400_000 },
  at,
  ...event,
})
/** A clock that stands. */
const clock = { now: () => at }
const create = () => createStats({ priceBook: prices, clock })

/** A price book that keeps what it was asked. */
function asking(): PriceBook & { asked: [Usage, PriceFacts][] } {
  const asked: [Usage, PriceFacts][] = []
  return {
    asked,
    load: () => Promise.resolve(),
    price(usage, facts) {
      asked.push([usage, facts])
      return 1
    },
  }
}

describe('counting', () => {
  it('begins at zero, with a hit rate of 0', () => {
    expect(create().snapshot()).toEqual({
      since: at,
      hits: 0,
      misses: 0,
      bypasses: 0,
      pass: 0,
      bypassReasons: {},
      errors: 0,
      errorKinds: {},
      stored: 0,
      skipped: {},
      stale: 0,
      evictions: 0,
      droppedWrites: 0,
      invalidations: 0,
      hitRate: 0,
      savedUsd: 0,
      unpricedHits: 0,
      savedTokens: 0,
      savedInputTokens: 0,
      savedOutputTokens: 0,
      savedMs: 0,
      spentTokens: 0,
      spentUsd: 0,
      unpricedMisses: 0,
      byModel: {},
      byOperation: {},
      bySource: {},
      byScope: {},
      shadow: { hits: 0, same: 0, different: 0, savedUsd: 0, unpricedHits: 0, savedTokens: 0, savedMs: 0 },
    })
  })

  it('counts what a hit saved', () => {
    const stats = create()
    stats.hit(hit())
    stats.hit(hit({ model: 'two', operation: 'qa', source: 'redis', savedMs: 50, stale: true }))
    expect(stats.snapshot()).toMatchObject({
      hits: 2,
      stale: 1,
      savedUsd: 3,
      unpricedHits: 0,
      savedTokens: 2_000_000,
      savedInputTokens: 1_200_000,
      savedOutputTokens: 800_000,
      savedMs: 150,
      spentTokens: 0,
      spentUsd: 0,
    })
  })

  it('counts by scope, and prices equal calls of two scopes apart', () => {
    const stats = create()
    const { usage } = hit()
    for (const scope of ['a', 'b', 'a', '']) stats.hit(hit({ usage, scope }))
    stats.miss({ operation: 'chat', scope: 'b', inputs: 3 })
    const { byScope } = stats.snapshot()
    const none = { hits: 0, misses: 0, savedUsd: 0, unpricedHits: 0, savedTokens: 0, savedMs: 0 }
    const once = { ...none, hits: 1, savedUsd: 1, savedTokens: 1_000_000, savedMs: 100 }
    expect(byScope).toEqual({
      a: { ...none, hits: 2, savedUsd: 2, savedTokens: 2_000_000, savedMs: 200 },
      b: { ...once, misses: 3 },
      '': once,
    })
  })

  it('counts anew after a reset, and says since when', () => {
    let now = at
    const stats = createStats({ priceBook: prices, clock: { now: () => now } })
    const count = (): void => {
      stats.hit(hit())
      stats.miss({ operation: 'chat', scope: 'tenant', model: 'one' })
      stats.spent(spent())
      stats.bypass({ operation: 'chat', reason: 'no-store' })
      stats.skipped('length')
      stats.error('read')
      stats.passed()
    }
    count()
    const before = stats.snapshot()
    now += 60_000
    // What waits for its price belongs to the time before.
    stats.hit(hit())
    before.reset()
    expect(before).toMatchObject({ since: at, hits: 1, savedUsd: 1 })
    const zero = stats.snapshot()
    expect(zero).toEqual({ ...create().snapshot(), since: now })
    count()
    expect(stats.snapshot()).toEqual({ ...before, since: now })
    expect([zero.hits, zero.byModel]).toEqual([0, {}])
  })

  it('can be sent to another thread', () => {
    const stats = create()
    stats.hit(hit())
    const snapshot = stats.snapshot()
    expect(structuredClone(snapshot)).toEqual({ ...snapshot })
  })

  it('counts by model, operation and source', () => {
    const stats = create()
    stats.hit(hit())
    stats.hit(hit())
    stats.hit(hit({ model: 'two', source: 'flight', usage: undefined, savedMs: 7 }))
    stats.miss({ operation: 'qa', scope: 'tenant', model: 'two' })
    stats.miss({ operation: 'embeddings', scope: 'tenant' })
    const none = { hits: 0, misses: 0, savedUsd: 0, unpricedHits: 0, savedTokens: 0, savedMs: 0 }
    const twice = { ...none, hits: 2, savedUsd: 2, savedTokens: 2_000_000, savedMs: 200 }
    const unpriced = { ...none, hits: 1, unpricedHits: 1, savedMs: 7 }
    const { byModel, byOperation, bySource } = stats.snapshot()
    expect(byModel).toEqual({ one: twice, two: { ...unpriced, misses: 1 } })
    expect(byOperation).toEqual({
      chat: { ...twice, hits: 3, unpricedHits: 1, savedMs: 207 },
      qa: { ...none, misses: 1 },
      embeddings: { ...none, misses: 1 },
    })
    expect(bySource).toEqual({ memory: twice, flight: unpriced, origin: { ...none, misses: 2 } })
  })

  it('leaves bypasses out of the hit rate', () => {
    const stats = create()
    for (let time = 0; time < 3; time++) stats.hit(hit())
    stats.miss({ operation: 'chat', scope: 'tenant', model: 'one' })
    stats.bypass({ operation: 'chat', reason: 'no-store' })
    stats.bypass({ operation: 'chat', reason: 'no-store' })
    stats.bypass({ operation: 'chat', reason: 'background' })
    const snapshot = stats.snapshot()
    expect(snapshot).toMatchObject({ hits: 3, misses: 1, bypasses: 3, hitRate: 0.75 })
    expect(snapshot.bypassReasons).toEqual({ 'no-store': 2, background: 1 })
  })

  it('counts what was stored, skipped, dropped, evicted, invalidated and broken', () => {
    const stats = create()
    stats.stored()
    stats.stored(3)
    stats.skipped('length')
    stats.skipped('length')
    stats.skipped('empty')
    stats.dropped()
    stats.evicted(5)
    stats.invalidated()
    stats.error('store')
    stats.error('store')
    stats.error('entry')
    expect(stats.snapshot()).toMatchObject({
      stored: 4,
      skipped: { length: 2, empty: 1 },
      droppedWrites: 1,
      evictions: 5,
      invalidations: 1,
      errors: 3,
      errorKinds: { store: 2, entry: 1 },
    })
  })

  it('counts what misses really cost apart from what hits saved', () => {
    const stats = create()
    stats.miss({ operation: 'chat', scope: 'tenant', model: 'one' })
    stats.spent(spent())
    stats.spent(spent({ model: 'unknown', usage: { input: 10, output: 5 } }))
    stats.spent(spent({ usage: undefined }))
    stats.hit(hit({ model: 'two' }))
    expect(stats.snapshot()).toMatchObject({ spentTokens: 1_000_015, spentUsd: 1, unpricedMisses: 2, savedTokens: 1_000_000, savedUsd: 2 })
  })
})

describe('money', () => {
  it('counts a hit of unknown worth as unknown and not as 0 dollars', () => {
    const stats = create()
    stats.hit(hit())
    stats.hit(hit({ usage: undefined }))
    stats.hit(hit({ model: 'unknown' }))
    stats.hit(hit({ usage: { input: 10, output: 1, cacheRead: 11 } }))
    stats.hit(hit({ usage: { input: 0, output: 0 } }))
    expect(stats.snapshot()).toMatchObject({ hits: 5, savedUsd: 1, unpricedHits: 3 })
  })

  it("does not take what the provider's own prompt cache saved for ours", () => {
    const stats = createStats({ priceBook: createPriceBook(), clock })
    const usage = { input: 10_000, output: 500, cacheRead: 8_000 }
    stats.hit(hit({ model: 'gpt-5-mini', usage }))
    // 2,000 at $0.25, 8,000 at $0.025 and 500 at $2 a million.
    expect(stats.snapshot().savedUsd).toBeCloseTo(0.0017, 10)
    expect(stats.snapshot().savedTokens).toBe(10_500)
  })

  it('asks for no price on the way of a hit, and for each once', () => {
    const priceBook = asking()
    const stats = createStats({ priceBook, clock })
    stats.hit(hit({ origin: 'https://api.groq.com' }))
    stats.spent(spent({ at: undefined }))
    expect(priceBook.asked).toEqual([])
    expect(stats.snapshot()).toMatchObject({ savedUsd: 1, spentUsd: 1 })
    expect(stats.snapshot()).toMatchObject({ savedUsd: 1, spentUsd: 1 })
    const usage = { input: 600_000, output: 400_000 }
    expect(priceBook.asked).toEqual([
      [usage, { provider: 'openai', model: 'one', origin: 'https://api.groq.com', at }],
      [usage, { provider: 'openai', model: 'one' }],
    ])
  })

  it('prices equal calls once, however many there are', () => {
    const priceBook = asking()
    const stats = createStats({ priceBook, clock })
    const usage = { input: 600_000, output: 400_000 }
    for (let time = 0; time < 100_000; time++) stats.hit(hit({ usage, at: at + (time % 1_000) }))
    expect(priceBook.asked).toEqual([])
    expect(stats.snapshot()).toMatchObject({ hits: 100_000, savedUsd: 100_000, byModel: { one: { savedUsd: 100_000 } } })
    expect(priceBook.asked).toHaveLength(1)
  })

  it.each<[string, Partial<HitEvent>]>([
    ['the model that answered', { answered: 'two' }],
    ['the provider', { provider: 'anthropic' }],
    ['the host', { origin: 'https://api.groq.com' }],
    ['the minute', { at: at + 60_000 }],
  ])('prices calls apart that differ in %s', (_, other) => {
    const priceBook = asking()
    const stats = createStats({ priceBook, clock })
    const usage = { input: 1, output: 1 }
    stats.hit(hit({ usage }))
    stats.hit(hit({ usage, ...other }))
    stats.snapshot()
    expect(priceBook.asked).toHaveLength(2)
  })

  it('counts equal calls apart by model, operation and source', () => {
    const stats = create()
    const { usage } = hit()
    for (const other of [{}, { operation: 'qa' }, { source: 'redis' }, { model: 'two', answered: 'one' }])
      stats.hit(hit({ usage, ...other }))
    expect(stats.snapshot()).toMatchObject({
      savedUsd: 4,
      byModel: { one: { savedUsd: 3 }, two: { savedUsd: 1 } },
      byOperation: { chat: { savedUsd: 3 }, qa: { savedUsd: 1 } },
      bySource: { memory: { savedUsd: 3 }, redis: { savedUsd: 1 } },
    })
  })

  it('prices some hundred that wait as soon as nothing else is to be done', async () => {
    const priceBook = asking()
    const stats = createStats({ priceBook, clock })
    for (let time = 0; time < 300; time++) stats.hit(hit({ usage: { input: time, output: 1 } }))
    expect(priceBook.asked).toEqual([])
    await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setImmediate(resolve))
    expect(priceBook.asked).toHaveLength(300)
    expect(stats.snapshot()).toMatchObject({ savedUsd: 300 })
    expect(priceBook.asked).toHaveLength(300)
  })

  it('I6 keeps no more than some thousand waiting, even for a program that never yields', () => {
    const priceBook = asking()
    const stats = createStats({ priceBook, clock })
    for (let time = 0; time < 50_000; time++) stats.spent(spent({ usage: { input: time, output: 1 } }))
    expect(priceBook.asked.length).toBeGreaterThan(50_000 - 16_384)
    expect(stats.snapshot()).toMatchObject({ spentUsd: 50_000 })
    expect(priceBook.asked).toHaveLength(50_000)
  })

  it('shows sums without the noise of binary fractions', () => {
    const stats = createStats({ priceBook: createPriceBook([{ model: 'cheap', input: 0.1, output: 0.1 }]), clock })
    for (let time = 0; time < 3; time++) {
      stats.hit(hit({ model: 'cheap', usage: { input: 1_000_000, output: time } }))
      stats.spent(spent({ model: 'cheap', usage: { input: 1_000_000, output: time } }))
    }
    // Three times ten cents, and a ten-thousandth of a cent for every ten tokens.
    expect(stats.snapshot()).toMatchObject({ savedUsd: 0.3000003, spentUsd: 0.3000003, byModel: { cheap: { savedUsd: 0.3000003 } } })
  })
})

describe('names and bounds', () => {
  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', ''])('takes %j for a name like any other', (name) => {
    const stats = create()
    stats.hit(hit({ model: name, operation: name, source: name, scope: name }))
    stats.skipped(name)
    stats.bypass({ operation: name, reason: name })
    stats.error(name)
    const snapshot = stats.snapshot()
    for (const table of [snapshot.byModel, snapshot.byOperation, snapshot.bySource, snapshot.byScope]) {
      expect(Object.entries(table)).toEqual([[name, expect.objectContaining({ hits: 1, unpricedHits: 1 })]])
    }
    for (const table of [snapshot.skipped, snapshot.bypassReasons, snapshot.errorKinds]) expect(Object.entries(table)).toEqual([[name, 1]])
    expect(Object.hasOwn(Object.prototype, 'hits')).toBe(false)
  })

  it('counts names beyond a thousand, and those that are very long, under "other"', () => {
    const stats = create()
    stats.miss({ operation: 'x'.repeat(10_000), scope: 'tenant', model: 'a' })
    for (let number = 0; number < 1_500; number++) {
      stats.hit(hit({ model: `model ${number}`, operation: `operation ${number}`, source: `source ${number}`, scope: `scope ${number}` }))
      stats.skipped(`reason ${number}`)
    }
    stats.hit(hit({ model: 'model 3' }))
    const { byModel, byOperation, bySource, byScope, skipped } = stats.snapshot()
    for (const table of [byModel, byOperation, bySource, byScope, skipped]) expect(Object.keys(table).length).toBeLessThanOrEqual(1_001)
    expect(byModel['other']).toMatchObject({ hits: 501, misses: 0, unpricedHits: 501 })
    expect(byModel['model 3']?.hits).toBe(2)
    expect(byOperation['other']).toMatchObject({ misses: 1 })
    expect(skipped['other']).toBe(500)
    expect(Object.values(byModel).reduce((sum, row) => sum + row.hits, 0)).toBe(1_501)
  })

  it('takes no garbage into its sums', () => {
    const stats = create()
    stats.hit(hit({ savedMs: Number.NaN, usage: { input: Number.NaN, output: -5 } }))
    stats.hit(hit({ savedMs: -1 }))
    stats.spent(spent({ usage: { input: Number.POSITIVE_INFINITY, output: 1 } }))
    expect(stats.snapshot()).toMatchObject({
      savedMs: 0,
      savedTokens: 1_000_000,
      savedUsd: 1,
      unpricedHits: 1,
      spentTokens: 1,
      unpricedMisses: 1,
    })
  })

  it('hands out a copy', () => {
    const stats = create()
    stats.hit(hit())
    stats.skipped('length')
    const first = stats.snapshot()
    const before = structuredClone(first)
    stats.hit(hit())
    stats.skipped('length')
    expect(first).toEqual(before)
    Object.assign(first, { hits: 99 })
    Object.assign(first.byModel['one'] ?? {}, { hits: 99 })
    Object.assign(first.skipped, { length: 99 })
    const second = stats.snapshot()
    expect(second).toMatchObject({ hits: 2, skipped: { length: 2 } })
    expect(second.byModel['one']?.hits).toBe(2)
  })
})
