/**
 * What a caller pays when the cache does not help him: at a miss, and when he bypasses it. Beside the same call of the bare SDK.
 * @module
 */
import { Redis } from 'ioredis'
import OpenAI from 'openai'
import { createCache, withCache } from '../../dist/index.mjs'
import { redisStore } from '../../dist/redis.mjs'
import { budgetSize, type Prepared, round, sweep, sweepFigures, sweepTable } from '../harness/by-size.ts'
import { type Contender, raceByCall } from '../harness/measure.ts'
import { originOf } from '../harness/origin.ts'
import { asked, chatAnswer, question, type Question } from '../harness/payload.ts'
import type { Row, Run } from '../harness/report.ts'
import { difference, slow, type Timing, typical } from '../harness/statistics.ts'
import { duration } from '../harness/table.ts'
import { callerOf } from '../others/llmemo.ts'
import { everyone } from '../others/index.ts'
import type { Caller } from '../others/other.ts'

const sdk = 'SDK, instant fetch'
const overRedis = 'llmemo over Redis'

/** Miss and bypass. */
export const missAndBypass: Row = {
  name: 'miss-and-bypass',
  title: 'What a miss and a bypass cost the caller',
  async run(run) {
    const misses = await sweep(run, (size) => missing(size, run.redis))
    const bypasses = await sweep(run, bypassing)
    const seen = await seenByCaller(run)
    const added = (name: string): number => difference(timingIn(seen, name), timingIn(seen, sdk)) / 1_000
    return {
      tables: [
        {
          caption: 'Miss as its caller sees it, 2 KB: one call at a time, and what was left to be done is done before the next.',
          table: {
            header: ['', 'median', 'p99', 'added'],
            rows: [...seen].map(([name, timing]) => [
              name,
              duration(typical(timing)),
              duration(slow(timing)),
              name === sdk ? '–' : duration(added(name) * 1_000),
            ]),
          },
        },
        {
          caption: 'Misses one after the other: every call asks something new. × is beside the SDK with an instant fetch.',
          table: sweepTable(misses, sdk),
        },
        { caption: 'Bypass: `{ bypassCache: true }`.', table: sweepTable(bypasses, sdk) },
      ],
      notes: [
        'One after the other, all run on one thread: what is written behind the caller’s back, and what is dropped when memory is full, is in these times too.',
      ],
      budgets: [{ what: 'added to a miss, OpenAI client, 2 KB', measured: added('llmemo'), limit: 0.1, unit: 'ms' }],
      figures: {
        miss: sweepFigures(misses, sdk),
        bypass: sweepFigures(bypasses, sdk),
        addedMilliseconds: { memory: round(added('llmemo')), redis: round(added(overRedis)) },
      },
    }
  },
}

function timingIn(timings: ReadonlyMap<string, Timing>, name: string): Timing {
  const timing = timings.get(name)
  if (timing === undefined) throw new RangeError(`${name} was not measured`)
  return timing
}

async function seenByCaller({ redis, isQuick }: Run): Promise<ReadonlyMap<string, Timing>> {
  const one = question(budgetSize)
  const { fetch } = originOf({ whole: JSON.stringify(chatAnswer(budgetSize)) })
  const bare = new OpenAI({ apiKey: 'sk-bench', fetch })
  const client = new Redis(redis)
  const caches = [createCache(), createCache({ store: redisStore(client), namespace: 'miss-seen' })] as const
  const callers = [callerOf(fetch, caches[0], () => {}), callerOf(fetch, caches[1], () => {})] as const
  const contenders = [
    { name: sdk, run: anew(one, async (next) => bare.chat.completions.create(asked(next))) },
    { name: 'llmemo', run: anew(one, async (next) => callers[0].ask(next)) },
    { name: overRedis, run: anew(one, async (next) => callers[1].ask(next)) },
  ]
  const rest = async (): Promise<void> => {
    await caches[1].flush()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const timings = await raceByCall(contenders, isQuick ? { calls: 400, warmUp: 400 } : { calls: 3_000, warmUp: 1_000 }, rest)
  await caches[1].close()
  await client.flushall()
  await client.quit()
  return timings
}

async function missing(size: number, redis: string): Promise<Prepared> {
  const one = question(size)
  const { fetch } = originOf({ whole: JSON.stringify(chatAnswer(size)) })
  const bare = new OpenAI({ apiKey: 'sk-bench', fetch })
  const client = new Redis(redis)
  const shared = createCache({ store: redisStore(client), namespace: `miss-${size}` })
  const callers: [string, Caller][] = [[overRedis, callerOf(fetch, shared, () => shared.close())]]
  for (const other of everyone) {
    const caller = await other.memory?.({ fetch, calls: () => 0 })
    if (caller !== undefined) callers.push([other.name, caller])
  }
  const contenders: Contender[] = callers.map(([name, caller]) => ({ name, run: anew(one, async (next) => caller.ask(next)) }))
  return {
    contenders: [{ name: sdk, run: anew(one, async (next) => bare.chat.completions.create(asked(next))) }, ...contenders],
    async close() {
      for (const [, caller] of callers) await caller.close()
      await client.flushall()
      await client.quit()
    },
  }
}

/** Asks another question each time: the same one with a number in its last message. */
function anew(one: Question, ask: (next: Question) => Promise<unknown>): () => Promise<unknown> {
  const before = one.messages.slice(0, -1)
  let number = 0
  return () => ask({ ...one, messages: [...before, { role: 'user', content: `Question ${number++}` }] })
}

function bypassing(size: number): Prepared {
  const one = question(size)
  const { fetch } = originOf({ whole: JSON.stringify(chatAnswer(size)) })
  const bare = new OpenAI({ apiKey: 'sk-bench', fetch })
  const wrapped = withCache(new OpenAI({ apiKey: 'sk-bench', fetch }))
  return {
    contenders: [
      { name: sdk, run: async () => bare.chat.completions.create(asked(one)) },
      { name: 'llmemo', run: async () => wrapped.chat.completions.create(asked(one), { bypassCache: true }) },
    ],
  }
}
