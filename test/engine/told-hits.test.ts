import { describe, expect, it } from 'vitest'
import type { HitEvent, HitsEvent } from '../../src/events.ts'
import { createMonitor } from '../../src/monitor/monitor.ts'
import { callerOf, settle } from '../support/chat.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { createCache } from '../../src/cache/cache.ts'
import type { CacheOptions } from '../../src/engine/settings/options.ts'
import { runWorkload, workloadPrices, workloadTtl } from '../support/workload.ts'

/** A cache that nothing listens to yet. */
function openCache(options: CacheOptions = {}) {
  const clock = new ManualClock()
  return { clock, cache: createCache({ prices: false, logger: false, clock, ...options }) }
}

/** What hits add up to, by what they are for and whether they were stale. */
function summed(events: readonly (HitEvent | HitsEvent)[]): object {
  const sums = new Map<string, { inputs: number; tokens: number; latency: number }>()
  for (const { operation, model, scope, source, stale, characters, inputs, tokens, latency } of events) {
    const name = JSON.stringify([operation, model, scope, source, stale, characters])
    const sum = sums.get(name) ?? { inputs: 0, tokens: 0, latency: 0 }
    sums.set(name, { inputs: sum.inputs + inputs, tokens: sum.tokens + (tokens ?? 0), latency: sum.latency + latency })
  }
  return Object.fromEntries([...sums].toSorted(([first], [second]) => (first < second ? -1 : 1)))
}

describe('hits that are told together', () => {
  it('add up to those that are told one by one', async () => {
    const options = { ttl: workloadTtl, stale: '1d', prices: workloadPrices } as const
    const single: HitEvent[] = []
    const together: HitsEvent[] = []
    const first = openCache(options)
    first.cache.on('hit', (event) => single.push(event))
    await runWorkload({ ...first, calls: 1_000 })
    const second = openCache(options)
    second.cache.on('hits', (event) => together.push(event))
    await runWorkload({ ...second, calls: 1_000 })
    second.cache.stats()
    expect(single.length).toBeGreaterThan(200)
    expect(summed(together)).toEqual(summed(single))
  })

  it('are told within a second, and before what comes after them', async () => {
    const { cache, clock } = openCache()
    const heard: string[] = []
    cache.on('hits', ({ inputs }) => heard.push(`hits ${inputs}`))
    cache.on('miss', () => heard.push('miss'))
    const caller = callerOf(cache)
    for (const text of ['a', 'a', 'a', 'b', 'b']) await caller.ask(text)
    expect(heard).toEqual(['miss', 'hits 2', 'miss'])
    clock.advance(999)
    expect(heard).toHaveLength(3)
    clock.advance(1)
    expect(heard.slice(3)).toEqual(['hits 1'])
    await caller.ask('b')
    expect(cache.stats().hits).toBe(4)
    expect(heard.slice(4)).toEqual(['hits 1'])
  })

  it('I6 wait for no longer than there are few, however many differ', async () => {
    const { cache } = openCache({ maxMemoryBytes: 64 * 2 ** 20 })
    const heard: HitsEvent[] = []
    const caller = callerOf(cache)
    const texts = Array.from({ length: 300 }, (_, index) => `question ${index}`)
    for (const text of texts) await caller.ask(text)
    cache.on('hits', (event) => heard.push(event))
    for (const text of texts) await caller.ask(text)
    await settle()
    expect(heard).toHaveLength(256)
    cache.stats()
    expect(heard).toHaveLength(300)
    expect(new Set(heard.map(({ key }) => key)).size).toBe(300)
  })

  it('call a listener that makes such calls itself once for each, and not without end', async () => {
    const { cache, clock } = openCache()
    const caller = callerOf(cache)
    await caller.ask('a')
    let told = 0
    cache.on('hits', ({ inputs }) => {
      told += inputs
      if (told < 5) return caller.ask('a')
      return undefined
    })
    await caller.ask('a')
    for (let second = 0; second < 8; second++) {
      clock.advance(1_000)
      await settle()
    }
    expect(told).toBe(5)
  })

  it('I5 take one timer, however often they are told', async () => {
    const { cache, clock } = openCache()
    const caller = callerOf(cache)
    await caller.ask('a')
    cache.on('hits', () => undefined)
    const before = clock.timers
    for (let time = 0; time < 20; time++) {
      await caller.ask('a')
      cache.stats()
    }
    expect(clock.timers).toBe(before + 1)
    clock.advance(1_000)
    expect(clock.timers).toBe(before)
  })

  it('are what a monitor counts, up to its report', async () => {
    const { cache, clock } = openCache()
    const monitor = createMonitor(cache, { clock })
    const caller = callerOf(cache)
    for (let time = 0; time < 4; time++) await caller.ask('a')
    expect(monitor.report().calls).toMatchObject({ hits: 3, misses: 1 })
    await caller.ask('a')
    expect(monitor.prometheus()).toContain('llmemo_hits_total{operation="chat"} 4')
    monitor.close()
  })
})
