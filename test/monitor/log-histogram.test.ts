import { createHistogram } from 'node:perf_hooks'
import { describe, expect, it } from 'vitest'
import { LogHistogram } from '../../src/monitor/log-histogram.ts'
import { seededRandom } from '../../src/testing/seeded-random.ts'

const random = seededRandom(11)
/** From one to a billion, most of them small. */
const values = Array.from({ length: 5_000 }, () => Math.ceil(10 ** (9 * random() ** 2)))
const exact = values.toSorted((first, second) => first - second)

describe('a histogram of our own', () => {
  it('tells quantiles within one per cent, as that of Node.js does', () => {
    const [own, theirs] = [new LogHistogram(), createHistogram({ lowest: 1, highest: 1e9, figures: 3 })]
    for (const value of values) {
      own.record(value)
      theirs.record(value)
    }
    expect(own.max).toBe(exact.at(-1))
    for (const percent of [1, 50, 95, 99, 99.9]) {
      const truth = exact[Math.ceil((exact.length * percent) / 100) - 1] ?? 0
      // A number below fifty is less precise than one per cent by itself: it is a whole one.
      expect(Math.abs(own.percentile(percent) - truth)).toBeLessThanOrEqual(Math.max(0.5, 0.0101 * truth))
      expect(Math.abs(own.percentile(percent) - theirs.percentile(percent))).toBeLessThanOrEqual(Math.max(1, 0.012 * truth))
    }
  })

  it('added to another is as one that took all', () => {
    const [first, second, both] = [new LogHistogram(), new LogHistogram(), new LogHistogram()]
    values.forEach((value, index) => {
      const half = index % 2 === 0 ? first : second
      half.record(value)
      both.record(value)
    })
    first.add(second)
    expect(first.max).toBe(both.max)
    for (const percent of [0, 10, 50, 99, 100]) expect(first.percentile(percent)).toBe(both.percentile(percent))
  })

  it('holds nothing at first, and one value for what it is', () => {
    const histogram = new LogHistogram()
    expect([histogram.max, histogram.percentile(50)]).toEqual([0, 0])
    histogram.record(1)
    expect([histogram.max, histogram.percentile(50), histogram.percentile(99)]).toEqual([1, 1, 1])
  })
})
