/**
 * One process of a soak: many callers through wrapped clients over one cache on Redis, which declare answers outdated now and then.
 * Started by run.ts with its settings as JSON.
 * @module
 */
import { setTimeout as wait } from 'node:timers/promises'
import { APIUserAbortError, OpenAI } from 'openai'
import { cacheInfo, createCache, systemClock, withCache, type Clock, type Invalidation } from '../../src/index.ts'
import { redisStore } from '../../src/stores/redis/store.ts'
import { seededRandom } from '../../src/testing/seeded-random.ts'
import { type TestClient, type TestClientOptions, versions } from '../support/redis-clients.ts'
import {
  type Declared,
  type FromProcess,
  invalidationDelay,
  machineTime,
  memoryBytes,
  type ProcessSettings,
  type Served,
  type ToProcess,
  ttl,
} from './messages.ts'
import { readContent } from './origin.ts'
import { digestOf, questions, tags, zipf } from './questions.ts'

const settings: ProcessSettings = JSON.parse(process.argv[2] ?? '')
const random = seededRandom(settings.seed + settings.index + 1)
const next = zipf(random)
const digests = questions.map(digestOf)

/** The clients that people have: with what ioredis does by itself, as we advise, with automatic pipelines, and of the older version. */
const clientOptions: readonly TestClientOptions[] = [
  {},
  { commandTimeout: 1_000, enableOfflineQueue: false },
  { enableAutoPipelining: true, maxRetriesPerRequest: null },
  { commandTimeout: 500 },
]
const version = versions[settings.index % versions.length] ?? versions[0]
const connect = (): TestClient => {
  const client = version[1](
    { host: '127.0.0.1', port: settings.redisPort },
    { ...clientOptions[settings.index % clientOptions.length], retryStrategy: (times) => Math.min(500, times * 50) },
  )
  // ioredis writes its errors to the console if there is no listener.
  client.on('error', () => {})
  return client
}
const redis = connect()
/** Half of the processes listen to what the others invalidate, and the other half find it out by looking. */
const subscriber = settings.index % 2 === 0 ? connect() : undefined
/** All processes but one take turns at a question by a lease. */
const sharedFlights = settings.index > 0
/** Milliseconds that others wait for the lease of one whose release was lost. */
const leaseTtl = 1_000

let timers = 0
/** The machine's clock, which knows how many of its timers are waited for: each flight has one until it ends. */
const clock: Clock = {
  ...systemClock,
  after(milliseconds, callback, awaited) {
    timers++
    let over = false
    const end = (): void => {
      if (!over) timers--
      over = true
    }
    const done = (): void => {
      end()
      callback()
    }
    const cancel = systemClock.after(milliseconds, done, awaited)
    return () => {
      end()
      cancel()
    }
  },
}

const lines: string[] = []
const note = (line: string): void => void lines.push(line)
const cache = createCache({
  // Small chunks in half of the processes, so that large answers are cut up by some and not by others.
  store: redisStore(redis, { ...(settings.index % 2 === 0 && { maxValueBytes: 8_000 }), ...(subscriber && { subscriber }) }),
  requireStore: settings.requireStore,
  sharedFlights,
  leaseTtl: leaseTtl / 1_000,
  ttl: ttl / 1_000,
  maxMemoryBytes: memoryBytes,
  maxMemoryTtl: settings.index % 2 === 0 ? '5m' : '5s',
  prices: false,
  logger: { warn: note, info: note },
  clock,
})

let served: Served[] = []
let declared: Declared[] = []
let aborted = 0
let failed: string[] = []
let wrong: string[] = []
let readFaults = 0
let isReading = true
cache.on('error', ({ doing }) => {
  if (doing === 'read') readFaults++
})
cache.on('state', ({ side, usable }) => {
  if (side === 'read') isReading = usable
})

const clients = new Map(
  [...new Set(questions.map(({ apiKey }) => apiKey))].map((apiKey) => [
    apiKey,
    withCache(new OpenAI({ apiKey, baseURL: `http://127.0.0.1:${settings.originPort}/v1`, maxRetries: 0 }), cache),
  ]),
)

/** Asks once, and notes what became of it. */
async function ask(index: number, streamed: boolean, patience?: number): Promise<void> {
  const question = questions[index]
  const client = clients.get(question?.apiKey ?? '')
  if (question === undefined || client === undefined) throw new RangeError(`no question ${index}`)
  const { text, operation, tags } = question
  const body = { model: 'gpt-5-mini', messages: [{ role: 'user' as const, content: text }] }
  const signal = patience === undefined ? undefined : AbortSignal.timeout(patience)
  const options = { cache: { operation, tags }, ...(signal && { signal }) }
  const begun = machineTime()
  const faults = readFaults
  const wasReading = isReading
  const blind = (): boolean => readFaults > faults || !wasReading || !isReading
  try {
    let said = ''
    let info
    if (streamed) {
      const stream = await client.chat.completions.create({ ...body, stream: true, stream_options: { include_usage: true } }, options)
      info = cacheInfo(stream)
      for await (const chunk of stream) said += chunk.choices[0]?.delta.content ?? ''
      // A stream that its caller aborts ends like any other.
      signal?.throwIfAborted()
    } else {
      const answer = await client.chat.completions.create(body, options)
      info = answer._cache
      said = answer.choices[0]?.message.content ?? ''
    }
    const ended = machineTime()
    const { digest, made, took } = readContent(said)
    if (digest !== digests[index]) wrong.push(`question ${index} got the answer to ${digests.indexOf(digest)}`)
    const { source = 'none' } = info ?? {}
    const waited = source === 'origin' || source === 'flight'
    const origin = (waited || sharedFlights ? took : 0) + (sharedFlights ? leaseTtl : 0)
    served.push({ question: index, source, made, begun, ended, origin, blind: blind() })
  } catch (error) {
    if (signal?.aborted === true && (error instanceof APIUserAbortError || error === signal.reason)) aborted++
    else failed.push(`question ${index}: ${[error, error instanceof Error && error.cause].filter(Boolean).map(String).join(', ')}`)
  }
}

const stopping = new AbortController()

async function caller(): Promise<void> {
  await wait(random() * 500)
  while (!stopping.signal.aborted) {
    const draw = random()
    await ask(next(), draw < 0.25, draw > 0.99 ? 10 : undefined)
    await wait(random() * 400)
  }
}

/** Declares something outdated every now and then: mostly a tag, sometimes an operation, seldom everything. */
async function declarer(): Promise<void> {
  while (!stopping.signal.aborted) {
    await wait(300 + random() * 2_500)
    if (stopping.signal.aborted) return
    const [what, label] = drawn()
    const begun = machineTime()
    try {
      const known = await cache.invalidate(what)
      declared.push({ label, begun, ended: machineTime(), known })
    } catch (error) {
      failed.push(`invalidate ${label}: ${String(error)}`)
    }
  }
}

function drawn(): [Invalidation, string] {
  const draw = random()
  if (draw < 0.07) return [{ all: true }, 'all']
  const operation = questions[next()]?.operation ?? ''
  if (draw < 0.25) return [{ operation }, `operation:${operation}`]
  const tag = tags[Math.floor(random() * tags.length)] ?? ''
  return [{ tags: [tag] }, `tag:${tag}`]
}

function send(message: FromProcess): void {
  process.send?.(message)
}

function tell(): void {
  const { bytes } = cache.memory()
  if (bytes > memoryBytes) failed.push(`${bytes} bytes of memory, where ${memoryBytes} are allowed`)
  const progress = { kind: 'progress', served, declared, aborted, failed, wrong } as const
  served = []
  declared = []
  aborted = 0
  failed = []
  wrong = []
  send(progress)
}

/** Asks until Redis is asked again, then waits until everything that was declared must be known, and asks each question once. */
async function settle(): Promise<void> {
  let isAsked = false
  for (const until = machineTime() + 20_000; !isAsked && machineTime() < until; await wait(100)) {
    const faults = readFaults
    // A question of its own each time, as what memory holds says nothing of Redis.
    await cache.get(`settling ${machineTime()}`)
    isAsked = isReading && readFaults === faults
  }
  if (!isAsked) failed.push('Redis is not asked any more')
  await wait(invalidationDelay + 100)
  // A few at a time, so that no read of Redis waits for another.
  for (let from = 0; from < questions.length; from += 40) {
    await Promise.all(questions.slice(from, from + 40).map((_, index) => ask(from + index, false)))
  }
}

/** Lets go of everything. What is left would keep the process from its end, which is waited for. */
async function close(): Promise<void> {
  await cache.flush()
  await cache.close()
  await cache.close()
  await ask(0, false)
  if (timers > 0) failed.push(`${timers} timers are left, of flights or of waiting`)
  const secrets = questions.flatMap(({ text, apiKey }) => [text, apiKey])
  for (const line of lines) if (secrets.some((secret) => line.includes(secret))) failed.push('a log line tells a secret')
  redis.disconnect()
  subscriber?.disconnect()
}

const working: Promise<void>[] = []
const telling = setInterval(tell, 500)

async function obey({ kind }: ToProcess): Promise<void> {
  if (kind === 'stop') {
    stopping.abort()
    return
  }
  await Promise.all(working)
  if (kind === 'settle') {
    await settle()
    tell()
    send({ kind: 'settled' })
    return
  }
  clearInterval(telling)
  await close()
  tell()
  send({ kind: 'closed' })
  process.removeListener('disconnect', abandoned)
  process.disconnect()
}

/** The process that started this one is gone. */
function abandoned(): never {
  process.exit(1)
}

process.on('unhandledRejection', (reason) => failed.push(`unhandled: ${String(reason)}`))
process.on('disconnect', abandoned)
process.on('message', (message: ToProcess) => void obey(message))
for (let count = 0; count < settings.callers; count++) working.push(caller())
working.push(declarer())
send({ kind: 'ready' })
