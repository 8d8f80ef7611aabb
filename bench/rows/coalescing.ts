/**
 * Ten thousand equal calls at the same moment, of which one is enough, and what they cost their callers.
 * @module
 */
import { Redis } from 'ioredis'
import { round } from '../harness/by-size.ts'
import { type Origin, originOf } from '../harness/origin.ts'
import { chatAnswer, question } from '../harness/payload.ts'
import type { Budget, Row } from '../harness/report.ts'
import { duration } from '../harness/table.ts'
import { everyone } from '../others/index.ts'
import type { Caller } from '../others/other.ts'

const callers = 10_000
/** So many of the others' in a quick look, as most of them ask the provider for each. */
const fewer = 1_000
/** Milliseconds that the provider takes: few for a model, so that what is added shows. */
const latency = 500

interface Crowd {
  readonly name: string
  readonly store: 'memory' | 'Redis'
  readonly callers: number
  /** Milliseconds until the last had his answer. */
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
      for (const other of everyone) {
        await redis.flushall()
        let slowness = 0
        const origin = originOf({ whole, latency: () => slowness })
        const caller = await (store === 'memory' ? other.memory?.(origin) : other.redis?.(origin, run.redis))
        if (caller === undefined) continue
        const count = run.isQuick && other.name !== 'llmemo' ? fewer : callers
        crowds.push({
          name: other.name,
          store,
          callers: count,
          ...(await crowd(count, other.name === 'llmemo', caller, origin, redis, () => (slowness = latency))),
        })
      }
    }
    await redis.quit()
    const many = callers.toLocaleString('en-US')
    const budgets = crowds
      .filter(({ name }) => name === 'llmemo')
      .flatMap(({ store, upstream, milliseconds, alone, reads }): Budget[] => [
        { what: `${many} equal calls at once, ${store}: upstream calls`, measured: upstream, limit: 1, unit: 'calls' },
        {
          what: `${many} equal calls at once, ${store}: time beside that of one call`,
          measured: milliseconds / alone,
          limit: 2,
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
        'DESIGN.md says “time about one call’s”: here that is held to be at most twice the time of one call alone.',
      ],
      budgets,
      figures: crowds.map((each) => ({ ...each, milliseconds: round(each.milliseconds), alone: round(each.alone) })),
    }
  },
}

async function crowd(
  count: number,
  isOurs: boolean,
  caller: Caller,
  origin: Origin,
  redis: Redis,
  slowDown: () => void,
): Promise<Omit<Crowd, 'name' | 'store' | 'callers'>> {
  // A smaller crowd beforehand, so that nobody waits for connections, prices or compilers.
  for (let time = 0; time < 2; time++) await Promise.all(Array.from({ length: 500 }, () => caller.ask(question(2_000, 75))))
  slowDown()
  const alone = isOurs ? await timeOf(() => caller.ask(question(2_000, 76))) : latency
  await new Promise((resolve) => setTimeout(resolve, 50))
  const one = question(2_000, 77)
  const before = { upstream: origin.calls(), reads: await readsOf(redis) }
  const entries = isOurs ? await countEntries(redis) : undefined
  const milliseconds = await timeOf(() => Promise.all(Array.from({ length: count }, () => caller.ask(one))))
  const upstream = origin.calls() - before.upstream
  const reads = (await readsOf(redis)) - before.reads
  const ofEntries = await entries?.()
  await caller.close()
  return { milliseconds, alone, upstream, reads: ofEntries ?? reads, marks: ofEntries === undefined ? 0 : reads - ofEntries }
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
