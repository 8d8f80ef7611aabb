/**
 * Two processes that share their answers through one Redis: what one has paid for the other finds there, what one declares outdated the
 * other heeds, and what both want at the same moment one of them asks for. This program starts itself twice over; each of the two is asked to do something, and tells how it went.
 * Redis is the one that `REDIS_URL` names; without it, one is started for the while of this example, where `redis-server` is installed.
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { Redis } from 'ioredis'
import OpenAI from 'openai'
import { createCache, withCache } from 'llmemo'
import { redisStore } from 'llmemo/redis'
import { openProvider } from './provider.ts'
import { openRedis } from './redis-server.ts'
import { from, milliseconds, type Row, saved, strong, table } from './report.ts'

/** What a process can be asked to do. */
type Order = 'ask' | 'declare it outdated' | 'end'

/** How it went. */
type Report = Pick<Row, 'from' | 'saved' | 'hit'>

/** Milliseconds within which a process heeds what another one declared outdated, should it not have heard of it at once. */
const invalidationDelay = 50

// Started by itself, it is one of the two.
if (process.send === undefined) await showBoth()
else await serve(process.env['REDIS_URL'] ?? '')

/** One of the two: a client of Redis and one that listens, a cache over them, and a wrapped client of the SDK. */
async function serve(url: string): Promise<void> {
  const provider = await openProvider()
  // A command that has no answer within a second is given up, and none waits for a connection that is lost.
  const redis = new Redis(url, { commandTimeout: 1_000, enableOfflineQueue: false, lazyConnect: true })
  // ioredis reports every failed attempt to connect; the cache itself says once that Redis is not answering.
  redis.on('error', () => {})
  // By it this process hears what the other declares outdated.
  const subscriber = redis.duplicate()
  subscriber.on('error', () => {})
  await Promise.all([redis.connect(), subscriber.connect()])
  const cache = createCache({
    store: redisStore(redis, { subscriber }),
    namespace: 'two-processes-example',
    invalidationDelay: invalidationDelay / 1_000,
    // One process at a time asks the provider for an answer that both want.
    sharedFlights: true,
  })
  const openai = withCache(new OpenAI(provider.options), cache)

  async function ask(): Promise<Report> {
    const text = 'What is a shared tier?\n\nA shared tier stands behind the memory of each process. What one has paid for, the others find.'
    const answer = await openai.chat.completions.create(
      { model: 'gpt-5-mini', messages: [{ role: 'user', content: text }] },
      { cache: { tags: ['tiers'] } },
    )
    const info = answer._cache
    // The answer is written behind the caller's back; the other process is asked for it at once.
    await cache.flush()
    return { from: from(info), saved: info.hit ? saved(info) : '', hit: info.hit }
  }

  async function declare(): Promise<Report> {
    const isTold = await cache.invalidate({ tags: ['tiers'] })
    return { from: isTold ? 'Redis was told' : 'Redis is told later', saved: '', hit: false }
  }

  async function end(): Promise<void> {
    await cache.close()
    redis.disconnect()
    subscriber.disconnect()
    await provider.close()
    process.disconnect()
  }

  process.on('message', (order: Order) => {
    if (order === 'end') void end()
    else void (order === 'ask' ? ask() : declare()).then((report) => process.send?.(report))
  })
  process.send?.('ready')
}

/** Starts the two, and shows what happens in a table. */
async function showBoth(): Promise<void> {
  const server = await openRedis()
  console.log(`${strong('Two processes over one Redis.')}\n${server.description}\n`)
  const start = async (): Promise<ChildProcess> => {
    const child = fork(import.meta.filename, { env: { ...process.env, REDIS_URL: server.url } })
    await once(child, 'message')
    return child
  }
  const [one, other] = await Promise.all([start(), start()])
  const rows: Row[] = []
  const tell = async (child: ChildProcess, order: Order, call: string): Promise<void> => {
    const begun = performance.now()
    child.send(order)
    const [report]: Report[] = await once(child, 'message')
    if (report !== undefined) rows.push({ call, took: milliseconds(performance.now() - begun), ...report })
  }

  // Of an earlier run on a Redis that stays.
  await tell(one, 'declare it outdated', '')
  rows.length = 0
  await tell(one, 'ask', 'one process asks')
  await tell(one, 'ask', 'and again')
  await tell(other, 'ask', 'the other asks the same')
  await tell(other, 'ask', 'and again')
  await tell(other, 'declare it outdated', 'the other declares it outdated')
  // The first process has heard of it, or has looked.
  await wait(2 * invalidationDelay)
  await Promise.all([tell(one, 'ask', 'both ask at the same moment: one'), tell(other, 'ask', 'both ask at the same moment: the other')])
  console.log(table(rows))

  const ended = Promise.all([once(one, 'exit'), once(other, 'exit')])
  for (const child of [one, other]) child.send('end')
  await ended
  await server.close()
  const asked = rows.filter((row) => row.from === 'origin').length
  console.log(`\nThe provider was asked ${asked} times for ${rows.length - 1} calls.`)
}
