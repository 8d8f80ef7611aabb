import { describe, expect, it, vi } from 'vitest'
import { createMonitor } from '../../src/monitor/monitor.ts'
import type { MonitorWarning } from '../../src/monitor/warnings.ts'
import { InvalidOptionError } from '../../src/errors.ts'
import { answer, ask, callerOf, openCache, question, settle } from '../support/chat.ts'
import { ScriptedStore } from '../support/scripted-store.ts'
import { runWorkload, workloadLatency, workloadPrices, workloadTtl, workloadUsd } from '../support/workload.ts'

const rates = ({ hits, misses }: { readonly hits: number; readonly misses: number }): number => hits / (hits + misses)

describe('the report of 5,000 calls', () => {
  it('has the figures that the provider, the clock and the callers count', async () => {
    const store = new ScriptedStore()
    const { cache, clock } = openCache({ store, ttl: workloadTtl, stale: '1d', prices: workloadPrices })
    const monitor = createMonitor(cache, { clock, retention: '24h' })
    const expected = await runWorkload({ cache, clock, store, calls: 5_000 })
    const report = monitor.report()
    expect(expected.all.hits).toBeGreaterThan(1_000)
    expect(expected.all.stale).toBeGreaterThan(10)

    const { hits, misses, stale, hitRate, savedMs } = report.calls
    expect({ hits, misses, stale }).toEqual(expected.all)
    expect(hitRate).toBe(rates(expected.all))
    for (const [operation, counted] of Object.entries(expected.byOperation)) expect(report.byOperation[operation]).toMatchObject(counted)
    for (const [scope, counted] of Object.entries(expected.byScope)) expect(report.byScope[scope]).toMatchObject(counted)
    // Embeddings are small texts too.
    const { small: _, ...longer } = expected.bySize
    expect(report.bySize).toMatchObject(longer)
    // A batch waits for the provider, so its hits save no time unless all of it was stored.
    expect(savedMs).toBeGreaterThanOrEqual(expected.chatHits * workloadLatency)
    expect(report.byOperation['chat']?.savedTokens).toBe((expected.byOperation['chat']?.hits ?? 0) * 21)
    expect(report.byOperation['chat']?.savedMs).toBe((expected.byOperation['chat']?.hits ?? 0) * workloadLatency)
    expect(report.byOperation['qa']?.spentTokens).toBe((expected.byOperation['qa']?.misses ?? 0) * 21)
    expect(report.savedUsd).toBeGreaterThanOrEqual(expected.chatHits * workloadUsd)
    expect(report.savedUsd).toBeCloseTo(cache.stats().savedUsd, 9)
    expect(report.bypasses).toEqual({ 'no-store': expected.bypasses })
    expect(Object.fromEntries(Object.entries(report.invalidations).map(([name, { calls }]) => [name, calls]))).toEqual(
      expected.invalidations,
    )
    expect(report.invalidations['all']?.removed).toBeGreaterThan(0)

    const provider = report.providerTimes['openai']
    expect(provider?.count).toBe(expected.requests - expected.bypasses)
    for (const quantile of [provider?.p50, provider?.p95, provider?.p99]) expect(quantile).toBeCloseTo(workloadLatency, -1)
    expect(Object.keys(report.readTimes).toSorted()).toEqual(['memory', 'scripted'])
    expect(report.errors['read']).toBeGreaterThan(0)
    expect(report.errors['write']).toBeGreaterThan(0)
    expect(report.stores).toEqual([{ name: 'scripted', read: true, write: true }])
    expect(report.written.dropped).toBe(cache.stats().droppedWrites)
    expect(report.memory).toMatchObject({ bytes: cache.memory().bytes, entries: cache.memory().entries })
    expect(report.to - report.from).toBeGreaterThanOrEqual(5_000 * 700)

    const longest = Math.max(
      ...String(report)
        .split('\n')
        .map((line) => line.length),
    )
    expect(longest).toBeLessThanOrEqual(80)
    expect(JSON.parse(JSON.stringify(report))).toEqual(JSON.parse(JSON.stringify({ ...report })))
    monitor.close()
  })
})

describe('a report', () => {
  it('forgets what is older than the retention, ten minutes at a time, and goes back as far as it is asked to', async () => {
    const { cache, clock } = openCache()
    const monitor = createMonitor(cache, { clock, retention: '30m' })
    const caller = callerOf(cache)
    await caller.ask('a')
    clock.advance(10 * 60_000)
    await caller.ask('b')
    await caller.ask('b')
    clock.advance(10 * 60_000)
    expect(monitor.report().calls).toMatchObject({ hits: 1, misses: 2 })
    expect(monitor.report({ since: '10m' }).calls).toMatchObject({ hits: 1, misses: 1 })
    expect(monitor.report({ since: 1 }).calls).toMatchObject({ hits: 0, misses: 0 })
    clock.advance(40 * 60_000)
    expect(monitor.report().calls).toMatchObject({ hits: 0, misses: 0 })
    expect(() => monitor.report({ since: '2h' })).toThrow(InvalidOptionError)
  })

  it('tells how long a key takes by the length of the texts, and that is the time of the clock', async () => {
    const { cache, clock } = openCache({ scope: ({ request }) => (clock.advance(JSON.stringify(request).length / 1_000), 'tenant') })
    const monitor = createMonitor(cache, { clock, textSizes: { small: 200 } })
    const caller = callerOf(cache)
    await caller.ask('x'.repeat(100))
    await caller.ask('x'.repeat(300))
    await caller.ask('x'.repeat(4_000))
    const { small, medium, large } = monitor.report().keyTimes
    expect([small.count, medium.count, large.count]).toEqual([1, 2, 0])
    expect(small.max).toBeLessThan(0.3)
    expect(medium.max).toBeGreaterThan(4)
  })

  it('tells of entries that expire unread, of the time to the second call, and what to do', async () => {
    const { cache, clock } = openCache({ ttl: { default: '1h', chat: '30m' } })
    const monitor = createMonitor(cache, { clock, retention: '24h' })
    const caller = callerOf(cache)
    for (let number = 0; number < 40; number++) await caller.ask(`question ${number}`)
    clock.advance(52 * 60_000)
    for (let number = 0; number < 20; number++) await caller.ask(`question ${number}`)
    const report = monitor.report()
    expect(report.byOperation['chat']).toMatchObject({ hits: 0, misses: 60, expired: 40, expiredUnread: 40, ttl: 1_800 })
    expect(report.byOperation['chat']?.secondCallAfter).toBeCloseTo(52 * 60, -2)
    expect(report.recommendations.map(({ text }) => text)).toEqual([
      '`chat` hits 0 % of the time and 100 % of its entries expire unread: lengthen its TTL or stop caching it: now 30 m, median time to the second question 52 m.',
    ])
    expect(String(report)).toContain('median time to the second question 52 m')
  })

  it('tells how many answers an invalidation removed', async () => {
    const { cache, clock } = openCache({ ttl: '10m' })
    const monitor = createMonitor(cache, { clock })
    for (const [text, tag] of [
      ['a', 'one'],
      ['b', 'one'],
      ['c', 'two'],
    ] as const)
      await cache.store(question(text, { tags: [tag] }), answer())
    await cache.invalidate({ tags: ['one'] })
    await cache.invalidate({ tags: ['one'] })
    await cache.invalidate({ all: true })
    expect(monitor.report().invalidations).toEqual({ tag: { calls: 2, removed: 2 }, all: { calls: 1, removed: 1 } })
  })

  it('tells what compression saves, and what is written', async () => {
    const store = new ScriptedStore()
    const { cache, clock } = openCache({ store, compressAbove: 1_000 })
    const monitor = createMonitor(cache, { clock })
    const long = answer('y'.repeat(50_000))
    await cache.store(question(), long)
    await cache.flush()
    const { compression, written } = monitor.report()
    const stored = [...store.map].filter(([key]) => store.entryKeys().includes(key)).map(([, value]) => value)
    expect(compression).toMatchObject({ answers: 1, bytes: JSON.stringify(long).length })
    expect(compression.storedBytes).toBe(new DataView(stored[0]?.buffer ?? new ArrayBuffer(20)).getUint32(12))
    expect(compression.savedBytes).toBe(compression.bytes - compression.storedBytes)
    expect(written).toMatchObject({ entries: 1, bytes: stored[0]?.byteLength, dropped: 0 })
  })

  it('I7 has no prompt and no answer in it', async () => {
    const { cache, clock } = openCache({ store: new ScriptedStore() })
    const monitor = createMonitor(cache, { clock })
    const caller = callerOf(cache)
    await caller.ask('a very secret question')
    await caller.ask('a very secret question')
    const report = monitor.report()
    for (const text of [String(report), JSON.stringify(report), report.toCsv(), monitor.prometheus(), monitor.emf()]) {
      expect(text.length).toBeGreaterThan(50)
      expect(text).not.toContain('secret')
      expect(text).not.toContain('sk-test')
    }
  })

  it('says that a store is out of order', async () => {
    const store = new ScriptedStore()
    const { cache, clock } = openCache({ store })
    const monitor = createMonitor(cache, { clock })
    store.reads = 'rejects'
    for (let number = 0; number < 6; number++) await ask(cache, question(`${number}`))
    const report = monitor.report()
    expect(report.stores).toEqual([{ name: 'scripted', read: false, write: true }])
    expect(report.recommendations[0]?.text).toMatch(/^The store scripted is not read at present, after [56] faults/)
    expect(String(report)).toContain('scripted: not read, written')
  })
})

describe('warnings', () => {
  it('are told once when a threshold is crossed, and again after it was not', async () => {
    const { cache, clock } = openCache({ ttl: '1h' })
    const monitor = createMonitor(cache, { clock, thresholds: { memoryBytes: [20_000], memoryShare: 0.5, hitRate: false } })
    const heard: MonitorWarning[] = []
    monitor.on('warning', () => {
      throw new Error('a listener of ours')
    })
    monitor.on('warning', (warning) => heard.push(warning))
    await cache.store(question(), answer('z'.repeat(30_000)))
    clock.advance(60_000)
    clock.advance(60_000)
    expect(heard.map(({ about, threshold }) => [about, threshold])).toEqual([['memory', 20_000]])
    expect(heard[0]?.value).toBe(cache.memory().bytes)
    await cache.clear()
    await ask(cache)
    clock.advance(60_000)
    await cache.store(question(), answer('z'.repeat(30_000)))
    clock.advance(60_000)
    expect(heard).toHaveLength(2)
  })

  it('tell of slow reads, a low hit rate and many invalidations', async () => {
    const store = new ScriptedStore()
    const { cache, clock } = openCache({ store })
    const monitor = createMonitor(cache, { clock, thresholds: { leastCalls: 10, readMs: 20, hitRate: 0.5, invalidations: 3 } })
    const heard: string[] = []
    monitor.on('warning', ({ about }) => heard.push(about))
    const caller = callerOf(cache)
    for (let number = 0; number < 12; number++) {
      store.reads = 'held'
      const calling = caller.ask(`${number}`)
      await settle()
      clock.advance(30)
      store.reads = 'works'
      store.release()
      await calling
    }
    for (let number = 0; number < 4; number++) await cache.invalidate({ tags: ['a'] })
    clock.advance(60_000)
    expect(heard).toEqual(['reads', 'hit rate', 'invalidations'])
  })

  it('end with the watching, and their timer does not keep the process alive', () => {
    const { cache, clock } = openCache()
    const listener = vi.fn<() => void>()
    const monitor = createMonitor(cache, { clock, thresholds: { memoryBytes: [1] } })
    const end = monitor.on('warning', listener)
    // One for the thresholds, and one for the end of the slot.
    expect(clock.timers).toBe(2)
    end()
    monitor.close()
    expect(clock.timers).toBe(0)
    expect(listener).not.toHaveBeenCalled()
    expect(() => monitor.on(Object('warnings'), listener)).toThrow(InvalidOptionError)
  })
})

describe('the options of a monitor', () => {
  it.each([
    [{ retention: '5m' }, 'retention'],
    [{ retention: '2d' }, 'retention'],
    [{ textSizes: { small: 10, medium: 5 } }, 'textSizes'],
    [{ textSizes: { tiny: 5 } }, 'textSizes.tiny'],
    [{ thresholds: { hitRate: 2 } }, 'thresholds.hitRate'],
    [{ thresholds: { memoryBytes: 5 } }, 'thresholds.memoryBytes'],
    [{ since: '1h' }, 'since'],
  ])('are checked: %j', (options, name) => {
    expect(() => createMonitor(openCache().cache, Object(options))).toThrow(new RegExp(`option "${name}"`))
  })
})
