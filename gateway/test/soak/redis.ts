/**
 * 64 clients of the gateway for 30 seconds, while Redis is killed, hangs, is cut off and loses connections in the middle of replies. No
 * request may fail, and no answer may be another's, or older than an invalidation that was acknowledged before it was asked for.
 * `npm run soak:redis -w gateway`, after a build; `-- 60` for another number of seconds, `-- 30 7` for the plan of another seed.
 */
import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { Redis } from 'ioredis'
import { createCache, systemClock } from 'llmemo'
import { createGateway, listen, readSettings } from 'llmemo-gateway'
import { redisStore } from 'llmemo/redis'
import { startFaultProxy } from '../../../test/support/fault-proxy.ts'
import { completion } from '../../../test/support/openai-answers.ts'
import { startProvider } from '../../../test/support/provider-server.ts'
import { startRedis } from '../../../test/support/redis-server.ts'

const seconds = Number(process.argv[2] ?? 30)
let state = Number(process.argv[3] ?? 1)
const clients = 64
const subjects = 40

/** A whole number below `limit`, the same in each run of a seed. */
function random(limit: number): number {
  state = (state * 48_271) % 2_147_483_647
  return state % limit
}

/** The version that the provider answers of each subject with. */
const versions = Array.from({ length: subjects }, () => 0)
/** The version of each subject that no later answer may be older than. */
const least = [...versions]
const counts = { asked: 0, failed: 0, wrong: 0, outdated: 0, fromRedis: 0, fromMemory: 0, changed: 0, acknowledged: 0 }

const redis = await startRedis()
const proxy = await startFaultProxy(redis.port)
const client = new Redis({ port: proxy.port, maxRetriesPerRequest: 0, commandTimeout: 500, retryStrategy: () => 100 })
client.on('error', () => undefined)
const provider = await startProvider(({ body }, reply) => {
  const subject = Number(/subject (\d+)/.exec(JSON.stringify(body))?.[1])
  reply.json(completion(`subject ${subject} version ${versions[subject]}`))
})
const cache = createCache({ store: redisStore(client), maxMemoryBytes: 20_000, logger: false })
const gateway = createGateway({ cache, upstreams: { openai: provider.url }, privateHosts: ['127.0.0.1'] })
const server = await listen({ ...gateway, settings: readSettings({ server: { port: 0 } }), clock: systemClock })
const url = `http://${server.host}:${server.port}`
const agent = new Agent({ keepAlive: true, maxSockets: clients + 1 })

interface Answered {
  readonly status: number | undefined
  readonly source: unknown
  readonly text: string
}

async function post(path: string, body: object, headers: Readonly<Record<string, string>> = {}): Promise<Answered> {
  const sent = request(url + path, { method: 'POST', agent, headers: { 'content-type': 'application/json', ...headers } })
  sent.end(JSON.stringify(body))
  const [response]: IncomingMessage[] = await once(sent, 'response')
  if (response === undefined) throw new Error('there is no answer')
  let text = ''
  response.setEncoding('utf8').on('data', (piece: string) => (text += piece))
  await once(response, 'end')
  return { status: response.statusCode, source: response.headers['x-llmemo-source'], text }
}

async function ask(subject: number): Promise<void> {
  const before = least[subject] ?? 0
  counts.asked++
  try {
    const body = { model: 'gpt-test', messages: [{ role: 'user', content: `subject ${subject}` }] }
    const headers = { authorization: 'Bearer sk-test', 'x-llmemo-tags': `subject:${subject}` }
    const { status, source, text } = await post('/openai/v1/chat/completions', body, headers)
    const [, about, version] = /subject (\d+) version (\d+)/.exec(text) ?? []
    if (status !== 200) counts.failed++
    else if (Number(about) !== subject) counts.wrong++
    else if (Number(version) < before) counts.outdated++
    if (source === 'redis') counts.fromRedis++
    if (source === 'memory') counts.fromMemory++
  } catch {
    counts.failed++
  }
}

/** Changes a subject, and says so. What the gateway acknowledged holds from then on. */
async function change(subject: number): Promise<void> {
  const version = (versions[subject] ?? 0) + 1
  versions[subject] = version
  counts.changed++
  const { status, text } = await post('/cache/invalidate', { tags: [`subject:${subject}`] })
  if (status !== 200 || !text.includes('"complete":true')) return
  counts.acknowledged++
  least[subject] = Math.max(least[subject] ?? 0, version)
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** What can happen to Redis, and how it ends. */
const troubles: readonly (readonly [string, () => unknown, () => unknown])[] = [
  ['is killed', () => redis.kill(), () => redis.start()],
  ['hangs', () => redis.pause(), () => redis.resume()],
  ['is cut off', () => proxy.refuse(), () => proxy.recover()],
  ['gets nothing through', () => proxy.blackHole(), () => proxy.recover()],
  ['is slow to reply', () => proxy.holdReplies(), () => proxy.recover()],
  ['loses connections in the middle of replies', () => proxy.cutAfter(random(2_000)), () => undefined],
]

const end = performance.now() + seconds * 1_000
const isOver = (): boolean => performance.now() >= end
const asking = Array.from({ length: clients }, async () => {
  while (!isOver()) await ask(random(subjects))
})
const changing = (async () => {
  for (; !isOver(); await pause(20 + random(60))) await change(random(subjects))
})()
for (let turn = 0; !isOver(); turn++) {
  const [name, begin, recover] = troubles[turn % troubles.length] ?? []
  await pause(2_500 + random(1_500))
  await begin?.()
  await pause(300 + random(1_200))
  await recover?.()
  console.log(`Redis ${name}: ${counts.asked} asked, ${counts.failed} failed, ${counts.wrong} wrong, ${counts.outdated} outdated`)
}
await Promise.all([...asking, changing])
agent.destroy()
await gateway.close()
await server.drain()
await cache.close()
client.disconnect()
await provider.close()
await proxy.close()
await redis.stop()
console.log(JSON.stringify(counts))
const isIdle = counts.fromRedis === 0 || counts.acknowledged === 0
if (isIdle) console.error('The plan was of no use: nothing came from Redis, or no change was acknowledged.')
process.exitCode = counts.failed + counts.wrong + counts.outdated > 0 || isIdle ? 1 : 0
