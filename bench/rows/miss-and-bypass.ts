/**
 * What a caller pays when the cache does not help him: at a miss, and when he bypasses it. Beside the same call of the bare SDK.
 * @module
 */
import { Redis } from 'ioredis'
import OpenAI from 'openai'
import { createCache, withCache } from '../../dist/index.mjs'
import { redisStore } from '../../dist/redis.mjs'
import { budgetSize, type Prepared, sweep, sweepFigures, sweepTable, timingOf } from '../harness/by-size.ts'
import type { Contender } from '../harness/measure.ts'
import { originOf } from '../harness/origin.ts'
import { asked, chatAnswer, question, type Question } from '../harness/payload.ts'
import type { Row } from '../harness/report.ts'
import { difference } from '../harness/statistics.ts'
import { callerOf } from '../others/llmemo.ts'
import { everyone } from '../others/index.ts'
import type { Caller } from '../others/other.ts'

const sdk = 'SDK, instant fetch'

/** Miss and bypass. */
export const missAndBypass: Row = {
  name: 'miss-and-bypass',
  title: 'What a miss and a bypass cost the caller',
  async run(run) {
    const misses = await sweep(run, (size) => missing(size, run.redis))
    const bypasses = await sweep(run, bypassing)
    const added = difference(timingOf(misses, budgetSize, 'llmemo'), timingOf(misses, budgetSize, sdk)) / 1_000
    return {
      tables: [
        { caption: 'Miss: every call asks something new. × is beside the SDK with an instant fetch.', table: sweepTable(misses, sdk) },
        { caption: 'Bypass: `{ bypassCache: true }`.', table: sweepTable(bypasses, sdk) },
      ],
      notes: [
        'Both run on one thread: what is written behind the caller’s back, and what is dropped when memory is full, is in these times too.',
      ],
      budgets: [{ what: 'added to a miss, OpenAI client, 2 KB', measured: added, limit: 0.1, unit: 'ms' }],
      figures: { miss: sweepFigures(misses, sdk), bypass: sweepFigures(bypasses, sdk), addedMilliseconds: added },
    }
  },
}

async function missing(size: number, redis: string): Promise<Prepared> {
  const one = question(size)
  const { fetch } = originOf({ whole: JSON.stringify(chatAnswer(size)) })
  const bare = new OpenAI({ apiKey: 'sk-bench', fetch })
  const client = new Redis(redis)
  const shared = createCache({ store: redisStore(client), namespace: `miss-${size}` })
  const callers: [string, Caller][] = [['llmemo over Redis', callerOf(fetch, shared, () => shared.close())]]
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
