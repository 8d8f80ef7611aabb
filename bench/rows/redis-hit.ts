/**
 * A hit in Redis, with nothing in memory: beside bare ioredis, and through clients beside the others.
 * @module
 */
import { Redis } from 'ioredis'
import { createCache } from '../../dist/index.mjs'
import { redisStore } from '../../dist/redis.mjs'
import {
  budgetSize,
  budgetSizes,
  comparedBySize,
  type Prepared,
  round,
  type Sweep,
  sweep,
  sweepFigures,
  sweepTable,
} from '../harness/by-size.ts'
import { fill } from '../harness/check.ts'
import { cpuTime } from '../harness/clock.ts'
import { type Contender, race } from '../harness/measure.ts'
import { originOf } from '../harness/origin.ts'
import { pack, unpack } from '../harness/packed.ts'
import { asked, chatAnswer, question } from '../harness/payload.ts'
import type { Budget, Row, Run } from '../harness/report.ts'
import { ratio, type Timing, typical } from '../harness/statistics.ts'
import { digits, duration } from '../harness/table.ts'
import { othersAt } from '../others/index.ts'

const bare = 'ioredis: getBuffer, inflate, JSON.parse'
const ours = 'llmemo lookup()'
const wrapped = 'llmemo'
const byHand = 'ioredis by hand'
const counted = 200

/** Redis hit. */
export const redisHit: Row = {
  name: 'redis-hit',
  title: 'Hit in Redis',
  async run(run) {
    let trips = Number.NaN
    const engine = await sweep(run, async (size) => {
      const prepared = await engineCallers(size, run.redis)
      if (size === budgetSize) trips = await prepared.countTrips()
      return prepared
    })
    const clients = await sweep(run, (size) => callers(size, run), budgetSizes)
    const cpu = await cpuOfHits(run)
    return {
      tables: [
        { caption: `Through OpenAI's client, or the other's own. × is beside ${byHand}.`, table: sweepTable(clients, byHand) },
        { caption: 'In the engine.', table: sweepTable(engine, bare) },
        {
          caption: 'Time of the processor for a hit of 2 KB, in a loop of its own, on all threads of this process.',
          table: {
            header: ['', 'CPU', '×'],
            rows: [...cpu].map(([name, timing]) => [name, duration(typical(timing)), digits(ratio(timing, cpuOf(cpu, bare)))]),
          },
        },
      ],
      notes: [`A hit of 2 KB took ${digits(trips)} round trips, by Redis' own count of reads.`],
      budgets: [
        ...budgetsOf(clients),
        {
          what: 'hit in Redis, OpenAI, 2 KB, CPU × bare ioredis',
          measured: ratio(cpuOf(cpu, wrapped), cpuOf(cpu, bare)),
          limit: 1.5,
          unit: '×',
        },
        { what: 'hit in Redis, round trips', measured: Math.round(trips * 20) / 20, limit: 1, unit: 'round trips' },
      ],
      figures: {
        engine: sweepFigures(engine, bare),
        clients: sweepFigures(clients, byHand),
        cpu: [...cpu].map(([name, timing]) => ({ name, median: round(typical(timing)), ratio: round(ratio(timing, cpuOf(cpu, bare))) })),
        roundTrips: trips,
      },
    }
  },
}

function budgetsOf(timings: Sweep): Budget[] {
  const compared = (base: string, limits: Readonly<Record<number, number>>): Budget[] =>
    comparedBySize({ what: 'hit in Redis, OpenAI', timings, name: wrapped, base, limits })
  return [
    ...compared(byHand, { 2_000: 1.5 }),
    ...compared('cacheable', { 500: 1, 2_000: 1, 8_000: 1, 20_000: 1 }),
    ...compared('bentocache', { 20_000: 1 }),
  ]
}

interface PreparedEngine extends Prepared {
  close(): Promise<void>
  /** Round trips of one hit. */
  countTrips(): Promise<number>
}

/** `lookup()`, and what it takes to read, inflate and parse the same answer by ioredis alone. */
async function engineCallers(size: number, url: string): Promise<PreparedEngine> {
  const client = new Redis(url)
  const cache = createCache({ store: redisStore(client), maxMemoryBytes: 0, namespace: `redis-hit-${size}` })
  const one = question(size)
  const answer = chatAnswer(size)
  const request = () => ({ endpoint: 'chat.completions', body: asked(one) })
  await cache.store(request(), answer)
  await cache.flush()
  if ((await cache.lookup(request()))?.info.source !== 'redis') throw new Error('Redis did not answer')
  await client.set('bare', pack(JSON.stringify(answer)))
  const readBare = async (): Promise<unknown> => {
    const stored = await client.getBuffer('bare')
    if (stored === null) throw new Error('Redis lost it')
    return unpack(stored)
  }
  return {
    contenders: [
      { name: bare, run: readBare },
      { name: ours, run: () => cache.lookup(request()) },
    ],
    async countTrips() {
      const before = await reads(client)
      for (let hit = 0; hit < counted; hit++) await cache.lookup(request())
      // The question how many there were is one as well.
      return ((await reads(client)) - before - 1) / counted
    },
    async close() {
      await cache.close()
      await client.quit()
    },
  }
}

async function cpuOfHits(run: Run): Promise<ReadonlyMap<string, Timing>> {
  const engine = await engineCallers(budgetSize, run.redis)
  const clients = await callers(budgetSize, run, [wrapped, byHand])
  const timings = await race([...engine.contenders, ...clients.contenders], { ...run.careful, timer: cpuTime })
  await engine.close()
  await clients.close?.()
  return timings
}

function cpuOf(timings: ReadonlyMap<string, Timing>, name: string): Timing {
  const timing = timings.get(name)
  if (timing === undefined) throw new RangeError(`${name} was not measured`)
  return timing
}

/** How often Redis read from a connection until now. */
async function reads(client: Redis): Promise<number> {
  return Number(/total_reads_processed:(\d+)/.exec(await client.info('stats'))?.[1])
}

async function callers(size: number, run: Run, names?: readonly string[]): Promise<Prepared> {
  const one = question(size)
  const answer = chatAnswer(size)
  const contenders: Contender[] = []
  const closers: (() => Promise<void> | void)[] = []
  for (const other of othersAt(run, size)) {
    if (names?.includes(other.name) === false) continue
    const origin = originOf({ whole: JSON.stringify(answer) })
    const caller = await other.redis?.(origin, run.redis)
    if (caller === undefined) continue
    await fill(other.name, caller, origin, one, answer.choices[0]?.message.content ?? '')
    contenders.push({ name: other.name, run: () => caller.ask(one) })
    closers.push(() => caller.close())
  }
  return {
    contenders,
    async close() {
      for (const close of closers) await close()
    },
  }
}
