import { describe, expect, it } from 'vitest'
import { InvalidOptionError } from '../../src/errors.ts'
import { createMonitor } from '../../src/monitor/monitor.ts'
import { callerOf, openCache } from '../support/chat.ts'
import { type EmfValue, emfValues } from '../support/strict-emf.ts'
import { runWorkload, workloadPrices, workloadTtl, workloadUsd } from '../support/workload.ts'

function sumOf(values: readonly EmfValue[], name: string, operation?: string): number {
  const picked = values.filter((each) => each.name === name && each.dimensions['operation'] === operation)
  return picked.reduce((sum, { value }) => sum + value, 0)
}

describe('the lines for CloudWatch', () => {
  it('add up to the figures that the provider and the callers count, however often they are taken', async () => {
    const { cache, clock } = openCache({ ttl: workloadTtl, stale: '1d', prices: workloadPrices })
    const monitor = createMonitor(cache, { clock })
    const lines: string[] = []
    let stores = 0
    cache.on('store', () => {
      if (++stores % 50 === 0) lines.push(...monitor.emf({ service: 'support-bot' }).split('\n'))
    })
    const expected = await runWorkload({ cache, clock, calls: 5_000 })
    lines.push(...monitor.emf({ service: 'support-bot' }).split('\n'))
    const values = lines.flatMap(emfValues)
    expect(lines.length).toBeGreaterThan(10)
    expect(sumOf(values, 'CacheHits')).toBe(expected.all.hits)
    expect(sumOf(values, 'CacheMisses')).toBe(expected.all.misses)
    const invalidations = Object.values(expected.invalidations).reduce((sum, each) => sum + each, 0)
    expect(sumOf(values, 'CacheInvalidations')).toBe(invalidations)
    for (const [operation, { hits, misses }] of Object.entries(expected.byOperation)) {
      expect([sumOf(values, 'CacheHits', operation), sumOf(values, 'CacheMisses', operation)]).toEqual([hits, misses])
    }
    expect(sumOf(values, 'CostSaved', 'chat')).toBeCloseTo((expected.byOperation['chat']?.hits ?? 0) * workloadUsd, 6)
    for (const { dimensions, namespace } of values) expect([dimensions['service'], namespace]).toEqual(['support-bot', 'llmemo'])
    expect(monitor.emf()).toBe('')
  })

  it('have the rate in per cent, and the time of the clock', async () => {
    const { cache, clock } = openCache()
    const monitor = createMonitor(cache, { clock })
    const caller = callerOf(cache)
    for (let number = 0; number < 4; number++) await caller.ask('a')
    const values = emfValues(monitor.emf().split('\n')[0] ?? '')
    expect(values.find(({ name }) => name === 'CacheHitRate')).toMatchObject({ value: 75, unit: 'Percent', timestamp: clock.now() })
  })

  it('have names that CloudWatch takes, whatever an operation is called', async () => {
    const { cache, clock } = openCache({ prices: false })
    const monitor = createMonitor(cache, { clock })
    for (const operation of [':colon', 'Übersetzung', ' ', 'x'.repeat(150), 'line\nbreak']) {
      await cache.lookup({ endpoint: 'chat.completions', body: { model: 'm', messages: [] }, operation, mode: 'reload' })
    }
    const lines = monitor.emf().split('\n')
    expect(lines).toHaveLength(6)
    expect(lines.flatMap(emfValues).length).toBeGreaterThan(20)
  })

  it.each([{ service: '' }, { service: ':a' }, { namespace: 'ü' }, { namespace: 'x'.repeat(256) }, { name: 'x' }])(
    'refuse %j',
    (options) => {
      const { cache, clock } = openCache()
      expect(() => createMonitor(cache, { clock }).emf(Object(options))).toThrow(InvalidOptionError)
    },
  )
})
