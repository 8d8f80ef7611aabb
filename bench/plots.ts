/**
 * Draws the plots of a kept run: `bench/results/*.svg`.
 * @module
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bar, barChart, type Line, lineChart } from './harness/plot.ts'
import { duration } from './harness/table.ts'

/** What the plots need of the figures. Each is as its row in `rows/` returns it. */
export interface Drawn {
  readonly 'client-hit': { readonly openai: readonly Swept[]; readonly uncopied: readonly string[] }
  readonly 'redis-hit': { readonly clients: readonly Swept[] }
  readonly coalescing: readonly { readonly name: string; readonly store: string; readonly upstream: number }[]
  readonly growth: { readonly byCount: readonly { readonly count: number; readonly get: number; readonly set: number }[] }
  readonly workload: {
    readonly calls: number
    readonly saved: readonly { readonly memory: number; readonly hitRate: number; readonly dollarShare: number }[]
  }
}

interface Swept {
  readonly name: string
  readonly sizes: Readonly<Record<string, { readonly median: number }>>
}

const isOurs = (name: string): boolean => name.startsWith('llmemo')
const microseconds = { name: 'time of a hit', isLogarithmic: true, format: duration }
const kilobytes = { name: 'question and answer, each', isLogarithmic: true, format: (size: number) => `${size / 1_000} KB` }

/** Writes the plots beside the figures. @param where one line about the machine */
export function draw(rows: Drawn, where: string, folder: string): void {
  const { openai, uncopied } = rows['client-hit']
  const keep = (name: string, svg: string): void => writeFileSync(join(folder, `${name}.svg`), svg)
  const bars = openai.flatMap(({ name, sizes }): Bar[] => {
    const value = sizes['2000']?.median
    const label = `${duration(value ?? 0)}${uncopied.includes(name) ? ', not copied' : ''}`
    return value === undefined ? [] : [{ name, value, label, isOurs: isOurs(name) }]
  })
  keep('hot-hit', barChart('A hit in memory, question and answer of 2 KB', `OpenAI's chat completions. ${where}`, bars))
  keep('hot-hit-by-size', lineChart('A hit in memory', `OpenAI's chat completions. ${where}`, kilobytes, microseconds, openai.map(linesOf)))
  const redis = rows['redis-hit'].clients.map(linesOf)
  keep(
    'redis-hit-by-size',
    lineChart('A hit in Redis', `OpenAI's chat completions, nothing in memory. ${where}`, kilobytes, microseconds, redis),
  )
  const { byCount } = rows.growth
  keep(
    'growth',
    lineChart(
      'The cost of a hit as entries grow',
      `cache.get() and cache.set() of small values. ${where}`,
      { name: 'entries', isLogarithmic: true, format: (count) => count.toLocaleString('en-US') },
      { ...microseconds, name: 'time', isLogarithmic: false },
      [
        { name: 'get', points: byCount.map(({ count, get }) => [count, get]), isOurs: true },
        { name: 'set', points: byCount.map(({ count, set }) => [count, set]) },
      ],
    ),
  )
  const { calls, saved } = rows.workload
  keep(
    'workload',
    lineChart(
      'What a cache of which size saves',
      `${calls.toLocaleString('en-US')} calls in 24 hours, replayed.`,
      { name: 'hot memory', isLogarithmic: true, format: (size) => `${size} MiB` },
      { name: 'share', isLogarithmic: false, format: (share) => `${Math.round(share * 100)} %` },
      [
        { name: 'dollars saved', points: saved.map(({ memory, dollarShare }) => [memory, dollarShare]), isOurs: true },
        { name: 'hit rate', points: saved.map(({ memory, hitRate }) => [memory, hitRate]) },
      ],
    ),
  )
}

function linesOf({ name, sizes }: Swept): Line {
  return { name, points: Object.entries(sizes).map(([size, { median }]) => [Number(size), median] as const), isOurs: isOurs(name) }
}
