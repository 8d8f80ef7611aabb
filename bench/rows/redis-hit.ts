/**
 * A hit in Redis, with nothing in memory: beside bare ioredis, and through clients beside the others.
 * @module
 */
import { Redis } from 'ioredis'
import { createCache } from '../../dist/index.mjs'
import { redisStore } from '../../dist/redis.mjs'
import { budgetSize, type Prepared, ratioAt, sweep, sweepFigures, sweepTable } from '../harness/by-size.ts'
import { fill } from '../harness/check.ts'
import type { Contender } from '../harness/measure.ts'
import { originOf } from '../harness/origin.ts'
import { pack, unpack } from '../harness/packed.ts'
import { asked, chatAnswer, question } from '../harness/payload.ts'
import type { Row } from '../harness/report.ts'
import { digits } from '../harness/table.ts'
import { everyone } from '../others/index.ts'

const bare = 'ioredis: getBuffer, inflate, JSON.parse'
const ours = 'llmemo lookup()'
const counted = 200

/** Redis hit. */
export const redisHit: Row = {
  name: 'redis-hit',
  title: 'Hit in Redis',
  async run(run) {
    let trips = Number.NaN
    const engine = await sweep(run, async (size) => {
      const client = new Redis(run.redis)
      const store = redisStore(client)
      const cache = createCache({ store, maxMemoryBytes: 0, namespace: `redis-hit-${size}` })
      const one = question(size)
      const answer = chatAnswer(size)
      const request = () => ({ endpoint: 'chat.completions', body: asked(one) })
      await cache.store(request(), answer)
      await cache.flush()
      if ((await cache.lookup(request()))?.info.source !== 'redis') throw new Error('Redis did not answer')
      await client.set('bare', pack(JSON.stringify(answer)))
      if (size === budgetSize) {
        const before = await reads(client)
        for (let hit = 0; hit < counted; hit++) await cache.lookup(request())
        // The question how many there were is one as well.
        trips = ((await reads(client)) - before - 1) / counted
      }
      return {
        contenders: [
          {
            name: bare,
            async run() {
              const stored = await client.getBuffer('bare')
              if (stored === null) throw new Error('Redis lost it')
              return unpack(stored)
            },
          },
          { name: ours, run: () => cache.lookup(request()) },
        ],
        async close() {
          await cache.close()
          await client.quit()
        },
      }
    })
    const clients = await sweep(run, (size) => callers(size, run.redis))
    return {
      tables: [
        { caption: 'In the engine.', table: sweepTable(engine, bare) },
        {
          caption: "Through OpenAI's client, or the other's own. × is beside ioredis by hand.",
          table: sweepTable(clients, 'ioredis by hand'),
        },
      ],
      notes: [`A hit of 2 KB took ${digits(trips)} round trips, by Redis' own count of reads.`],
      budgets: [
        { what: 'Redis hit, 2 KB, beside bare ioredis', measured: ratioAt(engine, budgetSize, ours, bare), limit: 1.2, unit: '×' },
        { what: 'Redis hit, round trips', measured: Math.round(trips * 20) / 20, limit: 1, unit: 'round trips' },
      ],
      figures: { engine: sweepFigures(engine, bare), clients: sweepFigures(clients, 'ioredis by hand'), roundTrips: trips },
    }
  },
}

/** How often Redis read from a connection until now. */
async function reads(client: Redis): Promise<number> {
  return Number(/total_reads_processed:(\d+)/.exec(await client.info('stats'))?.[1])
}

async function callers(size: number, url: string): Promise<Prepared> {
  const one = question(size)
  const answer = chatAnswer(size)
  const contenders: Contender[] = []
  const closers: (() => Promise<void> | void)[] = []
  for (const other of everyone) {
    const origin = originOf({ whole: JSON.stringify(answer) })
    const caller = await other.redis?.(origin, url)
    if (caller === undefined) continue
    await fill(other.name, caller, origin, one, answer.choices[0]?.message.content ?? '')
    contenders.push({ name: other.name, run: async () => caller.ask(one) })
    closers.push(() => caller.close())
  }
  return {
    contenders,
    async close() {
      for (const close of closers) await close()
    },
  }
}
