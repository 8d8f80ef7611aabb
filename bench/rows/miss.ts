/**
 * What a miss costs its caller, and what it costs in all: beside the same call of the bare SDK.
 * @module
 */
import { Redis } from 'ioredis'
import OpenAI from 'openai'
import { type Cache, createCache } from '../../dist/index.mjs'
import { redisStore } from '../../dist/redis.mjs'
import { budgetSize, comparedBySize, type Prepared, round, sweep, sweepFigures, sweepTable } from '../harness/by-size.ts'
import { type Contender, raceByCall } from '../harness/measure.ts'
import { originOf } from '../harness/origin.ts'
import { asked, chatAnswer, question, type Question } from '../harness/payload.ts'
import type { Row, Run } from '../harness/report.ts'
import { difference, ratio, slow, type Timing, typical } from '../harness/statistics.ts'
import { digits, duration } from '../harness/table.ts'
import { callerOf } from '../others/llmemo.ts'
import { othersAt } from '../others/index.ts'
import type { Caller } from '../others/other.ts'

const sdk = 'SDK, instant fetch'
const ours = 'llmemo'
const overRedis = 'llmemo over Redis'

/** Miss. */
export const miss: Row = {
  name: 'miss',
  title: 'What a miss costs',
  async run(run) {
    const misses = await sweep(run, (size) => missing(size, run), [budgetSize])
    const seen = await seenByCaller(run)
    const base = timingIn(seen, sdk)
    const added = (name: string): number => difference(timingIn(seen, name), base)
    return {
      tables: [
        {
          caption: 'Miss as its caller sees it, 2 KB: one call at a time, and what was left to be done is done before the next.',
          table: {
            header: ['', 'median', 'p99', 'added', '× SDK'],
            rows: [...seen].map(([name, timing]) => [
              name,
              duration(typical(timing)),
              duration(slow(timing)),
              name === sdk ? '–' : duration(added(name)),
              digits(ratio(timing, base)),
            ]),
          },
        },
        {
          caption: 'Misses one after the other: every call asks something new. × is beside the SDK with an instant fetch.',
          table: sweepTable(misses, sdk),
        },
      ],
      notes: [
        'One after the other, all run on one thread: what is written behind the caller’s back, until llmemo has no work left, and what is dropped when memory is full, is in these times too.',
      ],
      budgets: [
        { what: 'added to a miss as its caller sees it, OpenAI, 2 KB, memory', measured: added(ours), limit: 50, unit: 'µs' },
        { what: 'added to a miss as its caller sees it, OpenAI, 2 KB, Redis', measured: added(overRedis), limit: 80, unit: 'µs' },
        ...[
          { what: 'misses back to back, OpenAI, memory', name: ours, limit: 2 },
          { what: 'misses back to back, OpenAI, Redis', name: overRedis, limit: 3 },
        ].flatMap(({ what, name, limit }) =>
          comparedBySize({ what, timings: misses, name, base: sdk, baseName: 'the SDK', limits: { [budgetSize]: limit } }),
        ),
      ],
      figures: {
        miss: sweepFigures(misses, sdk),
        added: { memory: round(added(ours)), redis: round(added(overRedis)) },
      },
    }
  },
}

function timingIn(timings: ReadonlyMap<string, Timing>, name: string): Timing {
  const timing = timings.get(name)
  if (timing === undefined) throw new RangeError(`${name} was not measured`)
  return timing
}

async function seenByCaller({ redis, isQuick, effort: { timer } }: Run): Promise<ReadonlyMap<string, Timing>> {
  const one = question(budgetSize)
  const { fetch } = originOf({ whole: JSON.stringify(chatAnswer(budgetSize)) })
  const bare = new OpenAI({ apiKey: 'sk-bench', fetch })
  const client = new Redis(redis)
  const caches = [createCache(), createCache({ store: redisStore(client), namespace: 'miss-seen' })] as const
  const callers = [callerOf(fetch, caches[0], () => {}), callerOf(fetch, caches[1], () => {})] as const
  const contenders = [
    { name: sdk, run: asNew(one, (next) => bare.chat.completions.create(asked(next))) },
    { name: ours, run: asNew(one, (next) => callers[0].ask(next)) },
    { name: overRedis, run: asNew(one, (next) => callers[1].ask(next)) },
  ]
  const rest = async (): Promise<void> => {
    for (const cache of caches) await cache.flush()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const timings = await raceByCall(
    contenders,
    { ...(isQuick ? { calls: 400, warmUp: 400 } : { calls: 3_000, warmUp: 1_000 }), timer },
    rest,
  )
  await caches[1].close()
  await client.flushall()
  await client.quit()
  return timings
}

async function missing(size: number, run: Run): Promise<Prepared> {
  const one = question(size)
  const { fetch } = originOf({ whole: JSON.stringify(chatAnswer(size)) })
  const bare = new OpenAI({ apiKey: 'sk-bench', fetch })
  const client = new Redis(run.redis)
  const caches: [string, Cache][] = [
    [ours, createCache()],
    [overRedis, createCache({ store: redisStore(client), namespace: `miss-${size}` })],
  ]
  const contenders: Contender[] = [{ name: sdk, run: asNew(one, (next) => bare.chat.completions.create(asked(next))) }]
  const callers: Caller[] = []
  for (const [name, cache] of caches) {
    const caller = callerOf(fetch, cache, () => cache.close())
    callers.push(caller)
    contenders.push({ name, run: asNew(one, (next) => caller.ask(next)), settle: () => cache.flush() })
  }
  const origin = { fetch, calls: () => 0 }
  for (const other of othersAt(run, size)) {
    if (other.name === ours) continue
    const inMemory = await other.memory?.(origin)
    const inRedis = await other.redis?.(origin, run.redis)
    for (const [name, caller] of [
      [other.name, inMemory],
      [inMemory === undefined ? other.name : `${other.name} over Redis`, inRedis],
    ] as const) {
      if (caller === undefined) continue
      callers.push(caller)
      contenders.push({ name, run: asNew(one, (next) => caller.ask(next)) })
    }
  }
  return {
    contenders,
    async close() {
      for (const caller of callers) await caller.close()
      await client.flushall()
      await client.quit()
    },
  }
}

/** Asks another question each time: the same one with a number in its last message. */
function asNew(one: Question, ask: (next: Question) => Promise<unknown>): () => Promise<unknown> {
  const before = one.messages.slice(0, -1)
  let number = 0
  return () => ask({ ...one, messages: [...before, { role: 'user', content: `Question ${number++}` }] })
}
