/**
 * A day of a chat application, replayed on a clock of its own: what a cache of which size would have saved.
 * @module
 */
import { LRUCache } from 'lru-cache'
import { cachingFetch, createCache } from '../../dist/index.mjs'
import { ManualClock } from '../../dist/testing.mjs'
import { round } from '../harness/by-size.ts'
import { chatAnswer, prose, random } from '../harness/payload.ts'
import type { Row } from '../harness/report.ts'
import { digits } from '../harness/table.ts'

/** MiB of hot memory. */
const memories = [1, 4, 16, 64, 256]

/** One moment: the same question, from as many callers at once. */
interface Arrival {
  readonly question: number
  readonly callers: number
}

interface Saved {
  readonly memory: number
  readonly hitRate: number
  readonly dollars: number
  readonly dollarShare: number
  readonly hours: number
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

/** Replay of a workload. */
export const workload: Row = {
  name: 'workload',
  title: 'A workload replayed',
  async run(run) {
    const calls = run.isQuick ? 2_000 : 100_000
    const arrivals = arrivalsOf(calls)
    const saved: Saved[] = []
    for (const memory of memories) saved.push(await replay(arrivals, memory))
    const byCount = countBound(arrivals, 1_000)
    return {
      tables: [
        {
          caption: `${calls.toLocaleString('en-US')} calls of gpt-4.1-mini in 24 hours.`,
          table: {
            header: ['hot memory', 'hit rate', 'dollars saved', 'of all dollars', 'hours of waiting saved'],
            rows: saved.map(({ memory, hitRate, dollars, dollarShare, hours }) => [
              `${memory} MiB`,
              percent(hitRate),
              `$${dollars.toFixed(2)}`,
              percent(dollarShare),
              digits(hours),
            ]),
          },
        },
      ],
      notes: [
        'Questions: Zipf with exponent 1 over as many questions as there are calls; one moment in ten is a burst of 2 to 20 callers with one question.',
        'Answers: log-normal around 1.2 KB, 24 h fresh; questions of 2 KB. The provider takes 300 ms and 8 ms for each token.',
        `For comparison: 1,000 entries, whatever their size, and no joining of calls under way, as llm-cacher has by default, would hit ${percent(byCount)}.`,
      ],
      figures: {
        calls,
        saved: saved.map((each) => ({ ...each, hitRate: round(each.hitRate), dollars: round(each.dollars) })),
        byCount: round(byCount),
      },
    }
  },
}

function arrivalsOf(calls: number): Arrival[] {
  const draw = random(21)
  const popularity = zipf(calls)
  const arrivals: Arrival[] = []
  for (let left = calls; left > 0;) {
    const callers = Math.min(left, draw() < 0.1 ? 2 + Math.floor(draw() * 19) : 1)
    arrivals.push({ question: popularity(draw()), callers })
    left -= callers
  }
  return arrivals
}

/** The rank that a number from 0 to 1 falls on, where the n-th of `count` is asked 1/n as often as the first. */
function zipf(count: number): (draw: number) => number {
  const sums = new Float64Array(count)
  let sum = 0
  for (let rank = 0; rank < count; rank++) sums[rank] = sum += 1 / (rank + 1)
  return (draw) => {
    const wanted = draw * sum
    let low = 0
    let high = count - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((sums[middle] ?? sum) < wanted) low = middle + 1
      else high = middle
    }
    return low
  }
}

async function replay(arrivals: readonly Arrival[], memory: number): Promise<Saved> {
  const clock = new ManualClock()
  const step = (24 * 3_600_000) / arrivals.length
  const cache = createCache({ clock, maxMemoryBytes: memory * 2 ** 20, ttl: '24h' })
  const text = prose(100_000, 22)
  const system = prose(1_600, 23)
  const origin: typeof globalThis.fetch = async (_, init) => {
    const number = Number(/Question (\d+)/.exec(typeof init?.body === 'string' ? init.body : '')?.[1])
    const answer = answerOf(number, text)
    // All who ask at this moment have joined by the time that it answers.
    await new Promise((resolve) => setImmediate(resolve))
    clock.advance(300 + 8 * answer.usage.completion_tokens)
    return Response.json(answer)
  }
  const fetch = cachingFetch(cache, origin)
  const ask = async (number: number): Promise<void> => {
    const messages = [
      { role: 'system', content: system },
      { role: 'user', content: `Question ${number}? ${text.slice(number % 90_000, (number % 90_000) + 300)}` },
    ]
    const response = await fetch('https://api.openai.com/v1/chat/completions', {
      method: 'POST',
      headers: { authorization: 'Bearer sk-bench', 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4.1-mini', messages }),
    })
    await response.arrayBuffer()
  }
  for (const { question, callers } of arrivals) {
    clock.advance(step)
    await Promise.all(Array.from({ length: callers }, () => ask(question)))
  }
  const { hitRate, savedUsd, spentUsd, savedMs } = cache.stats()
  return { memory, hitRate, dollars: savedUsd, dollarShare: savedUsd / (savedUsd + spentUsd), hours: savedMs / 3_600_000 }
}

/** The same answer to the same question, of a length that is log-normal around 1,200 characters. */
function answerOf(number: number, text: string) {
  const draw = random(number + 31)
  const normal = Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw())
  const length = Math.min(50_000, Math.round(1_200 * Math.exp(0.9 * normal)))
  const frame = chatAnswer(0)
  const [choice] = frame.choices
  const start = number % 49_000
  const tokens = Math.max(1, Math.round(length / 4))
  return {
    ...frame,
    choices: [{ ...choice, message: { ...choice?.message, content: text.slice(start, start + length) } }],
    usage: { prompt_tokens: 480, completion_tokens: tokens, total_tokens: 480 + tokens },
  }
}

/** The hit rate of so many least recently used entries when no caller joins a call that is under way. */
function countBound(arrivals: readonly Arrival[], max: number): number {
  const kept = new LRUCache<number, true>({ max })
  let hits = 0
  let calls = 0
  for (const { question, callers } of arrivals) {
    calls += callers
    if (kept.get(question) === true) hits += callers
    else kept.set(question, true)
  }
  return hits / calls
}
