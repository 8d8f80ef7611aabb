import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { comparedBySize, type Sweep, sweepTable } from '../bench/harness/by-size.ts'
import { race, raceByCall } from '../bench/harness/measure.ts'
import {
  asked,
  chatAnswer,
  chatEvents,
  converseAnswer,
  converseEvents,
  messageAnswer,
  messageEvents,
  prose,
  question,
  sizes,
} from '../bench/harness/payload.ts'
import { barChart, lineChart } from '../bench/harness/plot.ts'
import { budgetTable, standing, tally } from '../bench/harness/report.ts'
import { difference, median, percentile, ratio, slow, typical } from '../bench/harness/statistics.ts'
import { bytes, digits, duration, formatTable } from '../bench/harness/table.ts'
import { parseEvents } from '../src/base/server-sent-events.ts'

const timing = (rounds: number[], calls: number[] = []) => ({ rounds, calls })

describe('the statistics', () => {
  it('take percentiles between the values, in any order', () => {
    expect(percentile([40, 10, 30, 20], 0.5)).toBe(25)
    expect(percentile([1, 2, 3], 1)).toBe(3)
    expect(percentile([7], 0.99)).toBe(7)
    expect(percentile([], 0.5)).toBeNaN()
    expect(median([3, 1, 2])).toBe(2)
  })

  it('tell the typical call from the slow one', () => {
    const calls = Array.from({ length: 101 }, (_, index) => index)
    expect(typical(timing([5, 100, 4], calls))).toBe(5)
    expect(slow(timing([5, 100, 4], calls))).toBe(99)
  })

  it('compare round by round, so that a slow stretch of the machine is none of either', () => {
    const base = timing([10, 1_000, 10])
    expect(ratio(timing([20, 2_000, 20]), base)).toBe(2)
    expect(difference(timing([15, 1_005, 15]), base)).toBe(5)
  })
})

describe('the budgets by size', () => {
  const timings: Sweep = new Map([
    [
      500,
      new Map([
        ['llmemo', timing([6, 60, 6])],
        ['floor', timing([4, 40, 4])],
      ]),
    ],
    [
      20_000,
      new Map([
        ['llmemo', timing([30, 31, 32])],
        ['floor', timing([20, 31, 16])],
        ['another', timing([1, 1, 1])],
      ]),
    ],
  ])

  it('hold the ratio at each size that has a limit against that limit', () => {
    const what = 'hit in memory'
    expect(comparedBySize({ what, timings, name: 'llmemo', base: 'floor', limits: { 500: 1.8, 20_000: 1.2 } })).toEqual([
      { what: 'hit in memory, 0.5 KB, × floor', measured: 1.5, limit: 1.8, unit: '×' },
      { what: 'hit in memory, 20 KB, × floor', measured: 1.5, limit: 1.2, unit: '×' },
    ])
    const [named] = comparedBySize({ what, timings, name: 'floor', base: 'llmemo', baseName: 'us', limits: { 500: 1 } })
    expect(named?.what).toBe('hit in memory, 0.5 KB, × us')
  })

  it('are never made of what was not measured', () => {
    const compare = { what: 'hit', timings, name: 'llmemo' }
    expect(() => comparedBySize({ ...compare, base: 'another', limits: { 500: 1 } })).toThrow('another was not measured at 500')
    expect(() => comparedBySize({ ...compare, base: 'floor', limits: { 2_000: 1 } })).toThrow('llmemo was not measured at 2000')
  })

  it('stand beside a table of the sizes that were measured', () => {
    const { header, rows } = sweepTable(timings, 'floor')
    expect(header).toEqual(['', '0.5 KB', 'p99', '×', '20 KB', 'p99', '×'])
    expect(rows.map((row) => [row[0], row[3], row[6]])).toEqual([
      ['llmemo', '1.50', '1.50'],
      ['floor', '1', '1'],
      ['another', '–', '0.0500'],
    ])
  })
})

describe('the race', () => {
  it('lets the contenders take turns, each beginning a round in its turn', async () => {
    const ran: string[] = []
    const contenders = ['a', 'b', 'c'].map((name) => ({ name, run: () => ran.push(name) }))
    const timings = await race(contenders, { rounds: 3, round: 0, warmUp: 0, most: Infinity })
    expect(ran.slice(-9).join('')).toBe('abcbcacab')
    expect([...timings.keys()]).toEqual(['a', 'b', 'c'])
    expect(timings.get('b')).toMatchObject({ rounds: { length: 3 }, calls: { length: 3 } })
  })

  it('times a round by the timer that it is given, with what the round left to be done, by its calls', async () => {
    let time = 0
    const work = { name: 'work', run: () => void (time += 2), settle: async () => void (time += 6) }
    const bare = { name: 'bare', run: () => void (time += 1) }
    const timings = await race([work, bare], { rounds: 4, round: 0, warmUp: 0, most: Infinity, timer: () => time })
    // One call in each round: 2 + 6 ms, beside 1 ms.
    expect(timings.get('work')?.rounds).toEqual([8_000, 8_000, 8_000, 8_000])
    expect(timings.get('bare')?.rounds).toEqual([1_000, 1_000, 1_000, 1_000])
  })

  it('times single calls by turns, without what is done between them', async () => {
    let time = 0
    const ran: string[] = []
    const contender = (name: string, cost: number) => ({ name, run: () => void ((time += cost), ran.push(name)) })
    const rest = async () => void (time += 100)
    const timings = await raceByCall([contender('a', 3), contender('b', 5)], { calls: 2, warmUp: 1, timer: () => time }, rest)
    expect(ran.join('')).toBe('abbaab')
    expect(timings.get('a')?.rounds).toEqual([3_000, 3_000])
    expect(difference(timings.get('b') ?? timing([]), timings.get('a') ?? timing([]))).toBe(2_000)
  })

  it('waits for each call that takes its time', async () => {
    let under = 0
    let most = 0
    const run = async () => {
      most = Math.max(most, ++under)
      await Promise.resolve()
      under--
    }
    await race([{ name: 'a', run }], { rounds: 3, round: 0, warmUp: 0, most: Infinity })
    expect([most, under]).toEqual([1, 0])
  })
})

describe('the table', () => {
  it.each([
    [0, '0'],
    [0.01234, '0.0123'],
    [1.2345, '1.23'],
    [12.345, '12.3'],
    [1234.5, '1,235'],
    [Number.NaN, '–'],
  ])('writes %d with three digits: %s', (value, written) => {
    expect(digits(value)).toBe(written)
  })

  it('has units', () => {
    expect([duration(1.5), duration(1_500), duration(1_500_000)]).toEqual(['1.50 µs', '1.50 ms', '1.50 s'])
    expect([bytes(512), bytes(2_048), bytes(3 * 2 ** 20)]).toEqual(['512 B', '2.00 KiB', '3.00 MiB'])
  })

  it('is Markdown, aligned', () => {
    expect(formatTable({ header: ['', 'time'], rows: [['llmemo', '1 µs']] })).toBe(
      ['|        | time |', '| ------ | ---: |', '| llmemo | 1 µs |'].join('\n'),
    )
  })

  it('says plainly which budgets are met and missed, and what has no limit', () => {
    const budget = { what: 'a hit', limit: 2, unit: '×' }
    const budgets = [
      { ...budget, measured: 2 },
      { ...budget, measured: 2.01 },
      { ...budget, measured: Number.NaN },
      { ...budget, measured: 3, limit: undefined },
    ]
    expect(budgets.map(standing)).toEqual(['met', 'missed', 'missed', 'no limit'])
    expect(budgetTable(budgets).rows.map((row) => row.slice(1))).toEqual([
      ['2.00 ×', '2.00 ×', 'met'],
      ['2.01 ×', '2.00 ×', '**missed**'],
      ['– ×', '2.00 ×', '**missed**'],
      ['3.00 ×', '–', 'no limit'],
    ])
    expect(tally(budgets)).toEqual({ met: 1, missed: 2 })
  })
})

describe('the payloads', () => {
  it.each(sizes)('have %d bytes, give or take four in a hundred', (size) => {
    for (const made of [question(size), chatAnswer(size), messageAnswer(size), converseAnswer(size)]) {
      const length = Buffer.byteLength(JSON.stringify(made))
      expect(Math.abs(length - size) / size).toBeLessThan(0.04)
    }
  })

  it('are the same in every run, and differ by seed', () => {
    expect(question(2_000)).toEqual(question(2_000))
    expect(question(2_000, 2)).not.toEqual(question(2_000, 1))
    expect(asked(question(500)).messages).not.toBe(asked(question(500)).messages)
  })

  it('stream the whole text, with the protocol’s own end', () => {
    const chat = parseEvents(chatEvents(1_000))
    expect(chat.at(-1)?.data).toBe('[DONE]')
    const text = chat.slice(0, -1).map(({ data }) => textOf(data, 'choices', 0, 'delta', 'content'))
    expect(text.join('')).toBe(prose(1_000, 1_001))
    const message = parseEvents(messageEvents(1_000))
    expect(message.at(-1)?.event).toBe('message_stop')
    expect(message.map(({ data }) => textOf(data, 'delta', 'text')).join('')).toBe(prose(1_000, 1_001))
    const converse = converseEvents(1_000)
    expect(converse.slice(-2).map(({ event }) => event)).toEqual(['messageStop', 'metadata'])
    const deltas = converse.filter(({ event }) => event === 'contentBlockDelta')
    expect(deltas.map(({ data }) => textOf(JSON.stringify(data), 'delta', 'text')).join('')).toBe(prose(1_000, 1_001))
  })
})

describe('the plots', () => {
  const axis = { name: 'entries', isLogarithmic: true, format: digits }

  it('draw every bar and every line, and no text breaks out of them', () => {
    const bars = barChart('<a> & b', '', [
      { name: 'long', value: 10, label: '10 µs', isOurs: false },
      { name: 'short', value: 1, label: '1 µs', isOurs: true },
    ])
    expect(bars.indexOf('>short<')).toBeLessThan(bars.indexOf('>long<'))
    expect(bars).toContain('&lt;a&gt; &amp; b')
    const lines = lineChart('t', '', axis, { ...axis, isLogarithmic: false }, [
      {
        name: 'one',
        points: [
          [1, 1],
          [10, 5],
        ],
      },
      {
        name: 'two',
        points: [
          [1, 1],
          [10, 5],
        ],
      },
    ])
    expect(lines.match(/<circle/g)).toHaveLength(4)
    expect(lines).not.toContain('NaN')
    // Two lines that end in the same place have their names beneath each other.
    const ends = [...lines.matchAll(/y="([\d.]+)"[^>]*>(?:one|two)</g)].map(([, y]) => Number(y))
    expect(Math.abs((ends[0] ?? 0) - (ends[1] ?? 0))).toBeGreaterThanOrEqual(14)
  })
})

it('the lock file names no package registry', () => {
  const lock = readFileSync(new URL('../bench/package-lock.json', import.meta.url), 'utf8')
  expect(lock).not.toMatch(/"resolved": "http/)
})

/** A member, however deep, of a JSON text; nothing where it is no text. */
function textOf(json: string, ...path: (string | number)[]): string {
  const found = path.reduce<unknown>((value, name) => Reflect.get(Object(value), name), JSON.parse(json))
  return typeof found === 'string' ? found : ''
}
