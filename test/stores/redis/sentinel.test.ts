import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { afterEach, describe, expect, it } from 'vitest'
import { createCache } from '../../../src/cache/cache.ts'
import { redisStore } from '../../../src/stores/redis/store.ts'
import { callerOf, settle } from '../../support/chat.ts'
import { versions } from '../../support/redis-clients.ts'
import { freePort, type RedisServer, startRedis } from '../../support/redis-server.ts'

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

/** A plain client of one server. */
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

async function until(reached: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await reached())) await settle()
}

/** A master, its replica, and a sentinel that watches them. */
async function startSentinel(): Promise<{ master: RedisServer; replica: RedisServer; sentinel: Address }> {
  const [master, replica] = [await own(), await own()]
  const follower = bare(replica)
  await follower.call('REPLICAOF', master.host, String(master.port))
  await until(async () => (await follower.info('replication')).includes('master_link_status:up'))
  const folder = mkdtempSync(join(tmpdir(), 'llmemo-sentinel-'))
  closing.push(() => rmSync(folder, { recursive: true, force: true }))
  const sentinel = { host: '127.0.0.1', port: await freePort() }
  // https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/
  const settings = [
    `port ${sentinel.port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor ${name} ${master.host} ${master.port} 1`,
    `sentinel down-after-milliseconds ${name} 500`,
    `sentinel failover-timeout ${name} 3000`,
  ]
  const file = join(folder, 'sentinel.conf')
  writeFileSync(file, settings.join('\n'))
  const child = spawn('redis-server', [file, '--sentinel'], { stdio: ['ignore', 'pipe', 'inherit'] })
  closing.push(() => ended(child))
  child.stdout.resume()
  const watcher = bare(sentinel)
  // The sentinel knows the replica only after it has asked the master and the replica.
  await until(async () => JSON.stringify(await watcher.call('SENTINEL', 'REPLICAS', name)).includes('"slave-repl-offset"'))
  return { master, replica, sentinel }
}

async function ended(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  if (!child.kill('SIGKILL')) return
  await exit
}

/** A cache behind the sentinel, and a caller. Without memory, so that every stored answer comes from Redis. */
function open(client: Redis | Redis5, namespace: string) {
  client.on('error', () => {})
  closing.push(() => client.disconnect())
  const lines: string[] = []
  const logger = { warn: (line: string) => void lines.push(line), info: (line: string) => void lines.push(line) }
  const cache = createCache({ store: redisStore(client), namespace, maxMemoryBytes: 0, prices: false, logger })
  closing.push(() => cache.close())
  return { client, namespace, lines, cache, caller: callerOf(cache) }
}

describe('a sentinel', () => {
  it('R05 R08 R24 calls go on while the master fails over to its replica, and the store works again afterwards', async () => {
    const { master, replica, sentinel } = await startSentinel()
    const promoted = bare(replica)
    const opened = clients.map(([version, connect]) => open(connect(sentinel), version))
    for (const { client, cache, caller } of opened) {
      await until(() => client.status === 'ready')
      expect(await caller.ask('before')).toBe('re: before')
      await cache.flush()
      expect([await caller.ask('before'), caller.asked]).toEqual(['re: before', ['before']])
    }
    // Data on the replica survives the master.
    await until(async () => (await promoted.dbsize()) === opened.length)

    await master.kill()
    let asked = 0
    while (!(await promoted.info('replication')).includes('role:master')) {
      for (const { caller } of opened) expect(await caller.ask(`meanwhile ${asked}`)).toBe(`re: meanwhile ${asked}`)
      asked++
    }
    expect(asked).toBeGreaterThan(0)

    for (const { namespace, cache, caller, lines } of opened) {
      // Another request each time, until its answer comes from the new master: then reads and writes both work again.
      await until(async () => {
        const { length } = caller.asked
        expect(await caller.ask('after')).toBe('re: after')
        await cache.flush()
        return caller.asked.length === length
      })
      const there = createCache({ store: redisStore(promoted), namespace, prices: false })
      const other = callerOf(there)
      expect([await other.ask('before'), await other.ask('after'), other.asked]).toEqual(['re: before', 're: after', []])
      expect(await cache.invalidate({ all: true })).toBe(true)
      await there.close()
      expect(lines.filter((line) => line.includes('is not answering')).length).toBeLessThanOrEqual(1)
    }
  }, 60_000)
})
