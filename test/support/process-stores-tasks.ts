/**
 * Programs of their own at a store, for the tests: `node process-stores-tasks.ts <task> <store as JSON> <argument>…`, or the same as a
 * worker thread or a worker of a cluster.
 * `write <size> <filling>` writes one value once its input says so. `batch <count> <dies at>` writes many at once to SQLite, and kills itself
 * on the way. `terminate <hurry>` asks questions, and closes its cache when it is told to end. `ask <name>` asks the same hundred questions as
 * others do, and tells what it was answered; `cluster` has that done by two workers. `caches <number>` makes caches over one client.
 * @module
 */
import cluster from 'node:cluster'
import { once } from 'node:events'
import { writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { Redis } from 'ioredis'
import { type Clock, systemClock } from '../../src/clock.ts'
import { createCache } from '../../src/cache/cache.ts'
import type { Store } from '../../src/store.ts'
import { redisStore } from '../../src/stores/redis/store.ts'
import { sqliteStore } from '../../src/stores/sqlite/store.ts'
import { answer, callerOf, question } from './chat.ts'

/** Which store a task uses, and where. */
export type Place =
  | { readonly kind: 'redis'; readonly port: number }
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'dynamodb'; readonly port: number; readonly tableName: string; readonly s3Port?: number }

/** Bytes of a chunk in Redis: a value of these tests is a handful of them. */
export const chunkBytes = 10_000

/** What one writing of a value consists of: all of its bytes are the same, so that two writings that were mixed up show. */
export function valueOf(size: number, filling: number): Uint8Array {
  return new Uint8Array(size).fill(filling)
}

/** The questions of the tasks. */
export const texts: readonly string[] = Array.from({ length: 100 }, (_, index) => `question ${index}`)

const hour = 3_600_000

interface Opened {
  readonly store: Store
  /** Lets go of the connection. */
  readonly end: () => void
}

async function opened(place: Place, clock: Clock = systemClock): Promise<Opened> {
  if (place.kind === 'sqlite') return { store: sqliteStore(place.file, { busyTimeout: 10_000, clock }), end: () => {} }
  if (place.kind === 'dynamodb') return openedTable(place, clock)
  const client = new Redis({ host: '127.0.0.1', port: place.port })
  client.on('error', () => {})
  await once(client, 'ready')
  return { store: redisStore(client, { maxValueBytes: chunkBytes }), end: () => client.disconnect() }
}

/** Loads the AWS SDK only for a task that uses it, as that takes longer than most of these tasks. */
async function openedTable({ port, s3Port, tableName }: Extract<Place, { kind: 'dynamodb' }>, clock: Clock): Promise<Opened> {
  const { DynamoDBClient } = await import('@aws-sdk/client-dynamodb')
  const { DynamoDBDocumentClient } = await import('@aws-sdk/lib-dynamodb')
  const { dynamodbStore } = await import('../../src/stores/dynamodb/store.ts')
  const { anywhere } = await import('./dynamodb-server.ts')
  const at = (number: number): object => ({ ...anywhere, endpoint: `http://127.0.0.1:${number}` })
  const client = new DynamoDBClient({ ...at(port), maxAttempts: 1 })
  const s3 = s3Port === undefined ? undefined : new (await import('@aws-sdk/client-s3')).S3Client({ ...at(s3Port), forcePathStyle: true })
  const overflow = s3 && { overflow: { client: s3, bucket: 'answers' } }
  const store = dynamodbStore(DynamoDBDocumentClient.from(client), { tableName, clock, ...overflow })
  return {
    store,
    end() {
      client.destroy()
      s3?.destroy()
    },
  }
}

function say(text: string): void {
  writeSync(1, `${text}\n`)
}

/** A clock on which deadlines come `hurry` times as soon. */
function hurried(hurry: number): Clock {
  return { ...systemClock, after: (milliseconds, callback) => systemClock.after(milliseconds / hurry, callback) }
}

async function write(place: Place, size: number, filling: number): Promise<void> {
  const { store, end } = await opened(place)
  say('ready')
  await once(process.stdin, 'data')
  await store.set('key', valueOf(size, filling), { ttl: hour })
  say('written')
  process.stdin.destroy()
  end()
}

function batch(place: Place, count: number, diesAt: number): void {
  let asked = 0
  // It is asked for the time before each of the writes.
  const now = (): number => {
    if (++asked === diesAt) process.kill(process.pid, 'SIGKILL')
    return Date.now()
  }
  const store = sqliteStore(place.kind === 'sqlite' ? place.file : '', { clock: { ...systemClock, now } })
  void store.setMany?.(Array.from({ length: count }, (_, index) => ({ key: `key ${index}`, value: valueOf(5_000, 2), ttl: hour })))
  process.kill(process.pid, 'SIGKILL')
}

async function terminate(place: Place, hurry: number): Promise<void> {
  const clock = hurried(hurry)
  const { store, end } = await opened(place, clock)
  const cache = createCache({ store, clock, readDeadline: 0.02, prices: false, logger: false })
  const caller = callerOf(cache)
  const ended = once(process, 'SIGTERM')
  // A signal that is waited for keeps no process alive.
  process.stdin.resume()
  say('ready')
  for (const text of texts) await caller.ask(text)
  say('asked')
  await ended
  say('closing')
  await Promise.all([cache.close(), cache.close()])
  await cache.close()
  const asked = caller.asked.length
  const after = [await caller.ask(texts[0] ?? ''), await caller.ask('after it was closed')]
  await cache.flush()
  say(JSON.stringify({ after, asked: caller.asked.length - asked, dropped: cache.stats().droppedWrites }))
  process.stdin.destroy()
  end()
}

async function ask(place: Place, name: string): Promise<void> {
  const { store, end } = await opened(place)
  // A read may take its time on a busy machine. What the cache logs must not mix with what the task says.
  const cache = createCache({ store, readDeadline: '1h', prices: false, logger: false })
  const caller = callerOf(cache)
  const answers = await Promise.all(texts.map((text) => caller.ask(text)))
  await cache.close()
  end()
  const said = { name, answers, asked: caller.asked.length }
  // A thread's port has no origin to name.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  parentPort?.postMessage(said)
  if (cluster.isWorker) process.send?.(said, () => process.disconnect())
}

async function inCluster(place: string): Promise<void> {
  cluster.setupPrimary({ exec: import.meta.filename, args: ['ask', place, 'worker'] })
  const workers = [cluster.fork(), cluster.fork()]
  const said = workers.map(async (worker): Promise<unknown> => {
    // Listens for both at once: a worker may end in the turn in which its message arrives.
    const [messages]: [unknown[], unknown[]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')])
    return messages[0]
  })
  say(JSON.stringify(await Promise.all(said)))
}

async function caches(port: number, number: number): Promise<void> {
  const warnings: string[] = []
  process.on('warning', ({ name }) => warnings.push(name))
  const client = new Redis({ host: '127.0.0.1', port })
  await once(client, 'ready')
  const listeners = (): number => client.eventNames().reduce((sum, name) => sum + client.listenerCount(name), 0)
  const standing = (): { bytes: number; listeners: number } => {
    globalThis.gc?.()
    return { bytes: process.memoryUsage().heapUsed, listeners: listeners() }
  }
  const make = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index++) {
      const cache = createCache({ store: redisStore(client), prices: false, logger: false })
      await cache.store(question(), answer('x'.repeat(10_000)))
      await cache.lookup(question())
      // Every other one is forgotten without being closed.
      await (index % 2 === 0 ? cache.close() : cache.flush())
    }
  }
  await make(50)
  const before = standing()
  await make(number)
  const after = standing()
  say(JSON.stringify({ warnings, grown: after.bytes - before.bytes, listeners: after.listeners - before.listeners }))
  client.disconnect()
}

const tasks: Readonly<Record<string, (place: Place, first: string, second: string) => Promise<void> | void>> = {
  write: (place, first, second) => write(place, Number(first), Number(second)),
  batch: (place, first, second) => batch(place, Number(first), Number(second)),
  terminate: (place, first) => terminate(place, Number(first)),
  ask,
  cluster: (place) => inCluster(JSON.stringify(place)),
  caches: (place, first) => caches(place.kind === 'redis' ? place.port : 0, Number(first)),
}
const given: readonly unknown[] = Array.isArray(workerData) ? workerData : process.argv.slice(2)
const [name = '', where = '', first = '', second = ''] = given.map(String)
await tasks[name]?.(JSON.parse(where), first, second)
