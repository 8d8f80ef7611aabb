/**
 * How the cost of a hit grows: with the length of the prompt, the number of entries, and the number of callers at once.
 * @module
 */
import { createCache } from '../../dist/index.mjs'
import { round } from '../harness/by-size.ts'
import { numberIn, runChild } from '../harness/child.ts'
import { floor, floorName } from '../harness/floor.ts'
import { race } from '../harness/measure.ts'
import { asked, chatAnswer, question } from '../harness/payload.ts'
import type { Row, Run } from '../harness/report.ts'
import { ratio, type Timing, typical } from '../harness/statistics.ts'
import { digits, duration } from '../harness/table.ts'

const lengths = [1_000, 10_000, 100_000, 1_000_000]
const crowds = [1, 10, 100, 1_000]
const counts = [1_000, 10_000, 100_000, 1_000_000]

/** Longer prompts and more entries are left to the full run. */
const inQuickLook = 10_000

const powers = (value: number): string => value.toLocaleString('en-US')

/** Growth. */
export const growth: Row = {
  name: 'growth',
  title: 'How the cost of a hit grows',
  async run(run) {
    const byLength = await prompts(run)
    const byCount = await entries(run)
    const byCallers = await callers(run)
    return {
      tables: [
        {
          caption: 'With the length of the prompt, for an answer of 2 KB: `lookup()`.',
          table: {
            header: ['characters', ...byLength.map(({ characters }) => powers(characters))],
            rows: [
              ['llmemo', ...byLength.map(({ ours }) => duration(ours))],
              ['beside the floor', ...byLength.map(({ ratio: times }) => `${digits(times)} ×`)],
            ],
          },
        },
        {
          caption: 'With the number of entries: `cache.get()` of any of them, `cache.set()` of a new one, small values.',
          table: {
            header: ['entries', ...counts.map(powers)],
            rows: [
              ['get', ...counts.map((count) => duration(byCount.find((each) => each.count === count)?.get ?? Number.NaN))],
              ['set', ...counts.map((count) => duration(byCount.find((each) => each.count === count)?.set ?? Number.NaN))],
            ],
          },
        },
        {
          caption: 'With the number of callers who hit at the same moment: time for each.',
          table: { header: ['callers', ...crowds.map(powers)], rows: [['llmemo', ...byCallers.map(({ each }) => duration(each))]] },
        },
      ],
      notes: run.isQuick ? [`Prompts of more than ${powers(inQuickLook)} characters and more entries are left to the full run.`] : [],
      figures: { byLength, byCount, byCallers },
    }
  },
}

async function prompts({ effort, isQuick }: Run) {
  const found: { characters: number; ours: number; ratio: number }[] = []
  for (const characters of lengths.filter((length) => !isQuick || length <= inQuickLook)) {
    const cache = createCache()
    const one = question(characters)
    const answer = chatAnswer(2_000)
    const request = () => ({ endpoint: 'chat.completions', body: asked(one) })
    await cache.store(request(), answer)
    const timings = await race(
      [floor(() => asked(one), JSON.stringify(answer)), { name: 'llmemo', run: () => cache.lookup(request()) }],
      effort,
    )
    const ours = timings.get('llmemo')
    const base = timings.get(floorName)
    if (ours === undefined || base === undefined) throw new Error('nothing was measured')
    found.push({ characters, ours: round(typical(ours)), ratio: round(ratio(ours, base)) })
  }
  return found
}

async function entries({ isQuick }: Run) {
  const found: { count: number; get: number; set: number }[] = []
  for (const count of counts) {
    // Nothing in a quick look takes longer.
    if (isQuick && count > inQuickLook) continue
    const told = await runChild('growth-process.ts', { count }, ['--max-old-space-size=8192'])
    found.push({ count, get: round(numberIn(told, 'get')), set: round(numberIn(told, 'set')) })
  }
  return found
}

async function callers({ effort }: Run) {
  const cache = createCache()
  const one = question(2_000)
  const request = () => ({ endpoint: 'chat.completions', body: asked(one) })
  await cache.store(request(), chatAnswer(2_000))
  const contenders = crowds.map((count) => ({
    name: String(count),
    run: () => Promise.all(Array.from({ length: count }, () => cache.lookup(request()))),
  }))
  const timings = await race(contenders, effort)
  return crowds.map((count) => ({ count, each: round(typicalOf(timings.get(String(count))) / count) }))
}

function typicalOf(timing: Timing | undefined): number {
  return timing === undefined ? Number.NaN : typical(timing)
}
