/**
 * Two processes that share their answers through one Redis. An answer that one process has paid for also serves the other. An invalidation
 * by one process holds in both. If both want the same answer at the same moment, one of them calls the provider.
 *
 * This program starts itself twice, and sends orders to the two processes. It uses the Redis of `REDIS_URL`. Without that variable it starts
 * a Redis of its own, if `redis-server` is installed.
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
import { from, head, milliseconds, type Row, rowText, savedBriefly, strong } from './report.ts'

/** The orders that a process takes. */
type Order = 'call' | 'invalidate' | 'end'

/** The result of an order. */
type Report = Pick<Row, 'from' | 'saved' | 'kind'>

/** Milliseconds until a process knows of an invalidation by the other, even if Redis could not notify it at once. */
const invalidationDelay = 50

// A process that this program has started can send to it.
if (process.send === undefined) await showBoth()
else await serve(process.env['REDIS_URL'] ?? '')

/** One of the two processes: a client of Redis and one that listens, a cache over them, and a wrapped client of the SDK. */
async function serve(url: string): Promise<void> {
  const provider = await openProvider()
  // A command fails if it has no answer within a second, and at once if the connection is lost.
  const redis = new Redis(url, { commandTimeout: 1_000, enableOfflineQueue: false, lazyConnect: true })
  // ioredis reports every failed attempt to connect; the cache itself says once that Redis is not answering.
  redis.on('error', () => {})
  // Redis notifies this process of the other's invalidations through it.
  const subscriber = redis.duplicate()
  subscriber.on('error', () => {})
  await Promise.all([redis.connect(), subscriber.connect()])
  const cache = createCache({
    store: redisStore(redis, { subscriber }),
    namespace: 'two-processes-example',
    invalidationDelay: invalidationDelay / 1_000,
    // If both want the same answer, one process calls the provider and the other waits.
    sharedFlights: true,
  })
  const openai = withCache(new OpenAI(provider.options), cache)

  async function call(): Promise<Report> {
    const text = 'What is a shared tier?\n\nA shared tier stands behind the memory of each process. An answer of one process serves all.'
    const answer = await openai.chat.completions.create(
      { model: 'gpt-5-mini', messages: [{ role: 'user', content: text }] },
      { cache: { tags: ['tiers'] } },
    )
    const info = answer._cache
    // The cache writes in the background, and the next order may go to the other process at once.
    await cache.flush()
    return { from: from(info), saved: info.hit ? savedBriefly(info) : '', kind: info.hit ? 'hit' : 'miss' }
  }

  async function invalidate(): Promise<Report> {
    const isDone = await cache.invalidate({ tags: ['tiers'] })
    return { from: isDone ? 'done' : 'not yet in Redis', saved: '', kind: 'miss' }
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
    else void (order === 'call' ? call() : invalidate()).then((report) => process.send?.(report))
  })
  process.send?.('ready')
}

/** Starts both processes, and prints a table of what happens. */
async function showBoth(): Promise<void> {
  const server = await openRedis()
  console.log(`${strong('Two processes over one Redis.')}\n${server.description}\n`)
  const start = async (): Promise<ChildProcess> => {
    const child = fork(import.meta.filename, { env: { ...process.env, REDIS_URL: server.url } })
    await once(child, 'message')
    return child
  }
  const [one, other] = await Promise.all([start(), start()])
  let calls = 0
  let requests = 0
  const send = async (child: ChildProcess, order: Order, call: string): Promise<void> => {
    const begun = performance.now()
    child.send(order)
    const [report]: Report[] = await once(child, 'message')
    if (report === undefined || call === '') return
    calls += order === 'call' ? 1 : 0
    requests += report.from === 'origin' ? 1 : 0
    console.log(rowText({ call, took: milliseconds(performance.now() - begun), ...report }))
  }

  // Redis may hold answers of an earlier run.
  await send(one, 'invalidate', '')
  console.log(head())
  await send(one, 'call', 'first process')
  await send(one, 'call', 'first process again')
  await send(other, 'call', 'second process')
  await send(other, 'call', 'second process again')
  await send(other, 'invalidate', 'second process invalidates')
  // After that time the first process knows of it for certain.
  await wait(2 * invalidationDelay)
  await Promise.all([send(one, 'call', 'both at once: the first'), send(other, 'call', 'both at once: the second')])

  const ended = Promise.all([once(one, 'exit'), once(other, 'exit')])
  for (const child of [one, other]) child.send('end')
  await ended
  await server.close()
  console.log(`\nThe provider was asked ${requests} times for ${calls} calls.`)
}
