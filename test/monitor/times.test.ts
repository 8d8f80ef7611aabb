import { describe, expect, it } from 'vitest'
import { ofWaits, TimeHistogram } from '../../src/monitor/times.ts'
import { seededRandom } from '../../src/testing/seeded-random.ts'

describe('times', () => {
  it('have the quantiles of a sorted list, within one per cent', () => {
    const random = seededRandom(3)
    const histogram = new TimeHistogram()
    const all = Array.from({ length: 20_000 }, () => Math.exp(6 * random()) / 10)
    for (const time of all) histogram.record(time)
    const sorted = all.toSorted((first, second) => first - second)
    const { p50, p95, p99, max, mean, count } = histogram.times()
    expect(count).toBe(20_000)
    for (const [quantile, share] of [
      [p50, 0.5],
      [p95, 0.95],
      [p99, 0.99],
      [max, 1],
    ] as const) {
      const exact = sorted[Math.ceil(share * sorted.length) - 1] ?? 0
      expect(Math.abs(quantile / exact - 1)).toBeLessThan(0.01)
    }
    expect(mean).toBeCloseTo(all.reduce((sum, time) => sum + time, 0) / all.length, 3)
  })

  it('take nothing, fractions, and what is far too long', () => {
    const histogram = new TimeHistogram()
    for (const time of [0, -5, Number.NaN, 0.000_000_3, 1e12]) histogram.record(time)
    const { count, max } = histogram.times()
    expect(count).toBe(5)
    expect(max).toBeGreaterThan(890_000)
    const waits = new TimeHistogram(ofWaits)
    waits.record(52 * 60_000)
    expect(Math.abs(waits.times().p50 / (52 * 60_000) - 1)).toBeLessThan(0.01)
  })

  it('are added up', () => {
    const [first, second] = [new TimeHistogram(), new TimeHistogram()]
    first.record(1)
    second.record(3)
    first.add(second)
    first.add(new TimeHistogram())
    expect(first.times()).toMatchObject({ count: 2, mean: 2 })
    expect(new TimeHistogram().times()).toEqual({ count: 0, mean: 0, p50: 0, p95: 0, p99: 0, max: 0 })
  })

  it('that stand for many count as many', () => {
    const histogram = new TimeHistogram()
    histogram.record(1)
    histogram.record(4, 2)
    expect(histogram.times()).toMatchObject({ count: 3, mean: 3 })
    expect(histogram.total).toBe(9)
  })
})
