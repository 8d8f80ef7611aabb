/**
 * Ten thousand equal calls at the same moment, of which one is enough, and what they cost their callers.
 * @module
 */
import { Redis } from 'ioredis'
import { round } from '../harness/by-size.ts'
import { type Origin, originOf } from '../harness/origin.ts'
import { chatAnswer, question } from '../harness/payload.ts'
import type { Budget, Row } from '../harness/report.ts'
import { median } from '../harness/statistics.ts'
import { duration } from '../harness/table.ts'
import { everyone } from '../others/index.ts'
import type { Caller } from '../others/other.ts'

const callers = 10_000
/** Those in a quick look: most of the rest ask the provider for each, which takes its time. */
const few = new Set(['llmemo', 'bentocache', 'cacheable'])
/** So many of the others' in a quick look. */
const fewer = 1_000
/** Milliseconds that the provider takes: few for a model, so that what is added shows. */
const latency = 500

interface Crowd {
  readonly name: string
  readonly store: 'memory' | 'Redis'
  readonly callers: number
  /** Milliseconds until the last caller had its answer. */
  readonly milliseconds: number
  /** Milliseconds of one such call by itself. */
  readonly alone: number
  readonly upstream: number
  /** Commands by which Redis was read for an answer. */
  readonly reads: number
  /** Commands by which it was asked what was invalidated. */
  readonly marks: number
}

/** 10,000 equal calls at once. */
export const coalescing: Row = {
  name: 'coalescing',
  title: `${callers.toLocaleString('en-US')} equal calls at once`,
  async run(run) {
    const whole = JSON.stringify(chatAnswer(2_000))
    const redis = new Redis(run.redis)
    const crowds: Crowd[] = []
    for (const store of ['memory', 'Redis'] as const) {
      for (const other of run.isQuick ? everyone.filter(({ name }) => few.has(name)) : everyone) {
        await redis.flushall()
        let slowness = 0
        const origin = originOf({ whole, latency: () => slowness })
        const caller = await (store === 'memory' ? other.memory?.(origin) : other.redis?.(origin, run.redis))
        if (caller === undefined) continue
        const isOurs = other.name === 'llmemo'
        const count = run.isQuick && !isOurs ? fewer : callers
        const slowDown = (): void => void (slowness = latency)
        const times = isOurs && !run.isQuick ? 3 : 1
        const facts = await crowd(caller, { count, isOurs, times, origin, redis, slowDown })
        crowds.push({ name: other.name, store, callers: count, ...facts })
      }
    }
    await redis.quit()
    const many = callers.toLocaleString('en-US')
    const budgets = crowds
      .filter(({ name }) => name === 'llmemo')
      .flatMap(({ store, upstream, milliseconds, alone, reads }): Budget[] => [
        { what: `${many} equal calls at once, ${store}: upstream calls`, measured: upstream, limit: 1, unit: 'calls' },
        {
          what: `${many} equal calls at once, ${store}: time, × one call`,
          measured: milliseconds / alone,
          limit: 2.5,
          unit: '×',
        },
        ...(store === 'Redis' ? [{ what: `${many} equal calls at once: reads of Redis`, measured: reads, limit: 1, unit: 'reads' }] : []),
      ])
    return {
      tables: [
        {
          caption: `Of 2 KB each; the provider takes ${latency} ms.`,
          table: {
            header: [
              '',
              'answers in',
              'callers',
              'upstream calls',
              'reads of Redis',
              'until the last answer',
              'one call alone',
              'added for each caller',
            ],
            rows: crowds.map(({ name, store, callers: count, milliseconds, alone, upstream, reads }) => [
              name,
              store,
              count.toLocaleString('en-US'),
              upstream.toLocaleString('en-US'),
              store === 'Redis' ? reads.toLocaleString('en-US') : '–',
              duration(milliseconds * 1_000),
              duration(alone * 1_000),
              duration(((milliseconds - alone) * 1_000) / count),
            ]),
          },
          left: [0, 1],
        },
      ],
      notes: [
        `With its first read and in the same batch, llmemo also asked by ${crowds.find(({ name, store }) => name === 'llmemo' && store === 'Redis')?.marks} reads what was invalidated.`,
      ],
      budgets,
      figures: crowds.map((each) => ({ ...each, milliseconds: round(each.milliseconds), alone: round(each.alone) })),
    }
  },
}

interface CrowdSettings {
  readonly count: number
  readonly isOurs: boolean
  /** Crowds, one after the other, of which the median counts. */
  readonly times: number
  readonly origin: Origin
  readonly redis: Redis
  readonly slowDown: () => void
}

async function crowd(caller: Caller, settings: CrowdSettings): Promise<Omit<Crowd, 'name' | 'store' | 'callers'>> {
  const { count, isOurs, times, origin, redis, slowDown } = settings
  // A smaller crowd beforehand, so that nothing waits for connections, prices or compilers.
  for (let time = 0; time < 2; time++) await Promise.all(Array.from({ length: 500 }, () => caller.ask(question(2_000, 75))))
  slowDown()
  const alone = isOurs ? await timeOf(() => caller.ask(question(2_000, 76))) : latency
  const took: number[] = []
  let upstream = 0
  let reads = 0
  let ofEntries = 0
  for (let time = 0; time < times; time++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    const one = question(2_000, 77 + time)
    const before = { upstream: origin.calls(), reads: await readsOf(redis) }
    const entries = isOurs ? await countEntries(redis) : undefined
    took.push(await timeOf(() => Promise.all(Array.from({ length: count }, () => caller.ask(one)))))
    // The worst of the crowds, as each has the same limit.
    upstream = Math.max(upstream, origin.calls() - before.upstream)
    reads = Math.max(reads, (await readsOf(redis)) - before.reads)
    ofEntries = Math.max(ofEntries, (await entries?.()) ?? 0)
  }
  await caller.close()
  const milliseconds = median(took)
  return { milliseconds, alone, upstream, reads: isOurs ? ofEntries : reads, marks: isOurs ? reads - ofEntries : 0 }
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/** Counts, from now on, the commands that read entries of llmemo. It costs Redis too much to be done for ten thousand of them. */
async function countEntries(redis: Redis): Promise<() => Promise<number>> {
  const monitor = await redis.monitor()
  let seen = 0
  monitor.on('monitor', (_: unknown, [command = '', ...keys]: string[]) => {
    if (/^m?get$/i.test(command)) seen += keys.filter((key) => key.includes(':v1:')).length
  })
  return async () => {
    await new Promise((resolve) => setTimeout(resolve, 50))
    monitor.disconnect()
    return seen
  }
}

/** How many commands that read values Redis has been given. */
async function readsOf(redis: Redis): Promise<number> {
  const stats = await redis.info('commandstats')
  return [...stats.matchAll(/cmdstat_(?:get|mget|getrange|hget|hmget|hgetall|eval|evalsha|fcall):calls=(\d+)/g)].reduce(
    (sum, [, calls]) => sum + Number(calls),
    0,
  )
}
