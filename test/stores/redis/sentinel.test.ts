import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { afterEach, describe, expect, it } from 'vitest'
import { createCache } from '../../../src/cache/cache.ts'
import { redisStore } from '../../../src/stores/redis/store.ts'
import { callerOf } from '../../support/chat.ts'
import { versions } from '../../support/redis-clients.ts'
import { type RedisServer, startRedis, startRedisSentinel } from '../../support/redis-server.ts'
import { until } from '../../support/until.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

const name = 'answers'
type Address = Pick<RedisServer, 'host' | 'port'>

const clients = [
  ['ioredis 6', (sentinel: Address) => new Redis({ sentinels: [sentinel], name })],
  ['ioredis 5', (sentinel: Address) => new Redis5({ sentinels: [sentinel], name })],
] as const

/** A bare client of one server. */
function bare(server: Address): Redis | Redis5 {
  const client = versions[0][1](server)
  client.on('error', () => {})
  closing.push(() => client.disconnect())
  return client
}

async function own(): Promise<RedisServer> {
  const server = await startRedis()
  closing.push(() => server.stop())
  return server
}

/** A master, its replica, and a sentinel that watches over them. */
async function startSentinel(): Promise<{ master: RedisServer; replica: RedisServer; sentinel: Address }> {
  const [master, replica] = [await own(), await own()]
  const follower = bare(replica)
  await follower.call('REPLICAOF', master.host, String(master.port))
  await until(async () => (await follower.info('replication')).includes('master_link_status:up'))
  const sentinel = await startRedisSentinel([
    `sentinel monitor ${name} ${master.host} ${master.port} 1`,
    `sentinel down-after-milliseconds ${name} 500`,
    `sentinel failover-timeout ${name} 3000`,
  ])
  closing.push(() => sentinel.stop())
  const watcher = bare(sentinel)
  // What it knows of the replica it has asked the master and the replica itself.
  await until(async () => JSON.stringify(await watcher.call('SENTINEL', 'REPLICAS', name)).includes('"slave-repl-offset"'))
  return { master, replica, sentinel }
}

/** A cache behind the sentinel, and a caller of it. Without memory, so that every answer that is no new one comes from Redis. */
function open(client: Redis | Redis5, namespace: string) {
  client.on('error', () => {})
  closing.push(() => client.disconnect())
  const lines: string[] = []
  const logger = { warn: (line: string) => void lines.push(line), info: (line: string) => void lines.push(line) }
  const cache = createCache({ store: redisStore(client), namespace, maxMemoryBytes: 0, prices: false, logger })
  closing.push(() => cache.close())
  return { client, namespace, lines, cache, caller: callerOf(cache) }
}

/** Asks once. @returns whether Redis had the answer; if not, the answer is stored now, as far as Redis takes it */
async function isServed(text: string, { caller, cache }: Pick<ReturnType<typeof open>, 'caller' | 'cache'>): Promise<boolean> {
  const { length } = caller.asked
  expect(await caller.ask(text)).toBe(`re: ${text}`)
  await cache.flush()
  return caller.asked.length === length
}

describe('a sentinel', () => {
  it('R05 R08 R24 calls go on while the master fails over to its replica, and the store works again afterwards', async () => {
    const { master, replica, sentinel } = await startSentinel()
    const promoted = bare(replica)
    const opened = clients.map(([version, connect]) => open(connect(sentinel), version))
    for (const { client, cache, caller } of opened) {
      await until(() => client.status === 'ready')
      // Until the answer comes from Redis: a busy machine may miss the read's deadline.
      await until(() => isServed('before', { caller, cache }))
    }
    // What the replica has outlives the master.
    await until(async () => (await promoted.keys('*:v1:*')).length === opened.length)

    await master.kill()
    let asked = 0
    do {
      for (const { caller } of opened) expect(await caller.ask(`meanwhile ${asked}`)).toBe(`re: meanwhile ${asked}`)
      asked++
    } while (!(await promoted.info('replication')).includes('role:master'))

    for (const { namespace, cache, caller, lines } of opened) {
      // Until the answer comes from the new master: the cache reads and writes again.
      await until(() => isServed('after', { caller, cache }))
      const there = createCache({ store: redisStore(promoted), namespace, prices: false, readDeadline: '1h' })
      const other = callerOf(there)
      expect([await other.ask('before'), await other.ask('after'), other.asked]).toEqual(['re: before', 're: after', []])
      expect(await cache.invalidate({ all: true })).toBe(true)
      await there.close()
      expect(lines.filter((line) => line.includes('is not answering')).length).toBeLessThanOrEqual(1)
    }
  })
})
