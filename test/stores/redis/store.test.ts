import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { InvalidOptionError, LlmemoError, StoreError } from '../../../src/errors.ts'
import type { ReadOptions, Store } from '../../../src/store.ts'
import { type IoredisClient, type RedisClient, redisStore } from '../../../src/stores/redis/store.ts'
import { describeStore } from '../../contracts/store.ts'
import {
  clusters,
  counting,
  RedisClock,
  slowed,
  type TestClient,
  type TestClientOptions,
  type Version,
  versions,
} from '../../support/redis-clients.ts'
import { type RedisCluster, type RedisServer, startRedis, startRedisCluster } from '../../support/redis-server.ts'

let server: RedisServer
let cluster: RedisCluster

beforeAll(async () => {
  ;[server, cluster] = await Promise.all([startRedis(), startRedisCluster()])
})
afterAll(() => Promise.all([server.stop(), cluster.stop()]))

for (const [name, connect] of versions) {
  describeStore(name, async () => {
    const client = connect(server)
    await client.flushall()
    return { store: slowed(redisStore(client)), clock: new RedisClock([client]), cleanup: () => client.disconnect() }
  })
}

describeStore('ioredis with a prefix of its own', async () => {
  const client = versions[0][1](server, { keyPrefix: 'app*:' })
  await client.flushall()
  return { store: slowed(redisStore(client)), clock: new RedisClock([client]), cleanup: () => client.disconnect() }
})

describeStore('ioredis that listens', async () => {
  const [client, subscriber] = [versions[0][1](server), versions[0][1](server)]
  await client.flushall()
  const cleanup = (): void => {
    client.disconnect()
    subscriber.disconnect()
  }
  return { store: slowed(redisStore(client, { subscriber })), clock: new RedisClock([client]), cleanup }
})

describeStore('ioredis with automatic pipelines', async () => {
  const client = versions[0][1](server, { enableAutoPipelining: true })
  await client.flushall()
  return { store: slowed(redisStore(client)), clock: new RedisClock([client]), cleanup: () => client.disconnect() }
})

describeStore('ioredis, all but the smallest values in chunks', async () => {
  const client = versions[0][1](server)
  await client.flushall()
  const clock = new RedisClock([client])
  // Small enough to cut the suite's values, and large enough for its megabyte.
  return { store: slowed(inChunks(redisStore(client, { maxValueBytes: 2 }), client)), clock, cleanup: () => client.disconnect() }
})

for (const [name, connect] of clusters) {
  describeStore(name, async () => {
    const client = connect(cluster, 'app:')
    if (client.status !== 'ready') await new Promise((resolve) => client.once('ready', () => resolve(undefined)))
    const nodes: readonly TestClient[] = client.nodes('master')
    await Promise.all(nodes.map((node) => node.flushall()))
    return { store: slowed(redisStore(client)), clock: new RedisClock(nodes), cleanup: () => client.disconnect() }
  })
}

/** The same store with larger chunks for large values: in chunks of two bytes, a megabyte would need half a million. */
function inChunks(store: Store, client: RedisClient): Store {
  const large = redisStore(client, { maxValueBytes: 1_000 })
  return {
    name: store.name,
    get: (key, options) => store.get(key, options),
    set: (key, value, options) => (value.byteLength > 1_000 ? large : store).set(key, value, options),
    delete: (key) => store.delete(key),
    getMany: (keys, options) => store.getMany?.(keys, options) ?? [],
    setMany: (writes) => store.setMany?.(writes),
    keys: (prefix) => store.keys?.(prefix) ?? [],
    lease: (key, token, options) => store.lease?.(key, token, options) ?? '',
    release: (key, token) => store.release?.(key, token),
  }
}

describe('redisStore', () => {
  const open: { disconnect(): void }[] = []
  afterEach(() => {
    for (const client of open.splice(0)) client.disconnect()
  })

  async function connect(options: TestClientOptions = {}, version: Version = versions[0]): Promise<TestClient> {
    const client = version[1](server, options)
    open.push(client)
    await client.flushall()
    return client
  }

  const hour = { ttl: 3_600_000 }

  it.each([undefined, null, {}, 'redis://localhost', { get: () => null, set: () => null }])('refuses an invalid client: %s', (client) => {
    // A caller in JavaScript can pass this.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    expect(() => redisStore(client as unknown as RedisClient)).toThrow(
      /"client" is .* ioredis 5 or 6 .*node-redis 5 or 6 .*@upstash\/redis .*Valkey GLIDE/,
    )
  })

  it.each([0, -1, 1.5, Number.NaN, 2 ** 30])('refuses maxValueBytes: %s', async (maxValueBytes) => {
    const client = await connect()
    expect(() => redisStore(client, { maxValueBytes })).toThrow(InvalidOptionError)
  })

  it('refuses an unknown option', async () => {
    const client = await connect()
    expect(() => redisStore(client, JSON.parse('{ "maxValueByte": 1 }'))).toThrow(/maxValueByte/)
  })

  it('reads one key or a batch in one round trip, and writes a batch in one', async () => {
    const { client, sent } = counting(await connect())
    const store = redisStore(client)
    await store.set('a', bytes('A'), hour)
    await store.get('a')
    await store.getMany?.(['a', 'b'])
    await store.setMany?.([
      { key: 'a', value: bytes('A'), ttl: 1_000 },
      { key: 'b', value: bytes('B'), ttl: 1_000 },
    ])
    expect(sent).toEqual(['set', 'getBuffer', 'pipeline of getBuffer', 'pipeline of set'])
  })

  it('does not ask for the signal of a read, which is made only then and which the client could not heed', async () => {
    const store = redisStore(await connect())
    await store.set('a', bytes('A'), hour)
    const options: ReadOptions = {
      get signal(): never {
        return expect.unreachable()
      },
    }
    expect(await store.get('a', options)).toHaveLength(1)
    expect(await store.getMany?.(['a', 'none'], options)).toHaveLength(2)
  })

  it.each([0, -1, -0, 0.5, 1.5, Number.NaN, Infinity, -Infinity, 2 ** 60])('R19 writes nothing with a TTL of %s', async (ttl) => {
    const client = await connect()
    const store = redisStore(client)
    await expect(store.set('key', bytes('value'), { ttl })).rejects.toThrow(StoreError)
    await expect(Promise.resolve(store.setMany?.([{ key: 'key', value: bytes('value'), ttl }]))).rejects.toThrow(StoreError)
    expect(await client.dbsize()).toBe(0)
  })

  it.each([1, 2 ** 31 + 1, 2 ** 40])('R19 writes with the TTL of %s ms, and never without one', async (ttl) => {
    const client = await connect()
    await redisStore(client).set('key', bytes('value'), { ttl })
    // -2 means that the key has expired, -1 that it has no TTL.
    const left = await client.pttl('key')
    expect(left === -2 ? ttl : left).toBeLessThanOrEqual(ttl)
    expect(left).not.toBe(-1)
    expect(left).toSatisfy((ms: number) => ms > ttl - 60_000)
  })

  it.each(['list', 'hash', 'set', 'zset', 'stream'])(
    'R11 leaves a %s of another application alone, whichever method finds it',
    async (type) => {
      const client = await connect()
      const make: Record<string, () => Promise<unknown>> = {
        list: () => client.rpush('key', 'theirs'),
        hash: () => client.hset('key', 'field', 'theirs'),
        set: () => client.sadd('key', 'theirs'),
        zset: () => client.zadd('key', 1, 'theirs'),
        stream: () => client.xadd('key', '*', 'field', 'theirs'),
      }
      await make[type]?.()
      const reports: string[] = []
      for (const meet of [
        (store: Store) => store.get('key'),
        (store: Store) => store.getMany?.(['other', 'key']),
        (store: Store) => store.delete('key'),
      ]) {
        const store = redisStore(client)
        store.onReport?.((message) => void reports.push(message))
        await meet(store)
        expect(await store.get('key')).toBeUndefined()
        await store.set('key', bytes('ours'), hour)
        await store.delete('key')
        expect(await client.type('key')).toBe(type)
      }
      expect(reports).toEqual(Array.from({ length: 3 }, () => expect.stringContaining('left alone')))
    },
  )

  it('R11 uses a key again when the other application has removed its value', async () => {
    const client = await connect()
    const store = redisStore(client)
    await client.rpush('key', 'theirs')
    await store.get('key')
    await client.del('key')
    await store.get('key')
    await store.set('key', bytes('ours'), hour)
    expect(await client.get('key')).toBe('ours')
  })

  it.each(versions)('R20 %s: lists and deletes only keys with its prefix, whatever characters that has', async (...version) => {
    const [, make] = version
    const bare = await connect()
    for (const key of ['a*:x', 'a?:x', 'ab:x', 'app:[b]:1', 'app:b:1', 'x:app:[b]:1', 'APP:[B]:1', 'app:[b]']) await bare.set(key, 'theirs')
    const client = make(server, { keyPrefix: 'app:' })
    open.push(client)
    const store = redisStore(client)
    await store.set('[b]:ours', bytes('x'), hour)
    const found: string[] = []
    for await (const key of store.keys?.('[b]:') ?? []) {
      found.push(key)
      await store.delete(key)
    }
    expect(found.toSorted()).toEqual(['[b]:1', '[b]:ours'])
    expect((await bare.keys('*')).toSorted()).toEqual(['APP:[B]:1', 'a*:x', 'a?:x', 'ab:x', 'app:[b]', 'app:b:1', 'x:app:[b]:1'])
  })

  it.each(versions)('R21 R24 %s: returns every byte unchanged, in plain values and in chunks', async (...version) => {
    const client = await connect({}, version)
    const all = Uint8Array.from({ length: 256 * 256 }, (_, index) => ((index % 256) ^ (index >> 8)) & 0xff)
    for (const maxValueBytes of [100_000, 1_000]) {
      const store = redisStore(client, { maxValueBytes })
      await store.set('all', all, hour)
      await store.set('none', new Uint8Array(), hour)
      expect(Buffer.compare((await store.get('all')) ?? Buffer.of(), all)).toBe(0)
      expect(await store.get('none')).toHaveLength(0)
      expect((await store.getMany?.(['none', 'all', 'missing']))?.map((value) => value?.length)).toEqual([0, all.length, undefined])
    }
    // A plain value is stored as its bytes, so that other programs can read it.
    expect(await client.getBuffer('none')).toHaveLength(0)
  })

  describe('a value in chunks', () => {
    const value = Uint8Array.from({ length: 25 }, (_, index) => index)
    const small = { maxValueBytes: 10 }

    it('is kept under keys that begin with its own, each with its TTL, and is listed once', async () => {
      const client = await connect()
      const store = redisStore(client, small)
      await store.set('key', value, hour)
      const names = await chunks(client)
      expect(names).toHaveLength(3)
      expect(names.every((name) => name.startsWith('key:chunk:'))).toBe(true)
      const left = await Promise.all(['key', ...names].map((name) => client.pttl(name)))
      expect(left.every((ttl) => ttl > 3_500_000 && ttl <= 3_600_000)).toBe(true)
      const listed: string[] = []
      for await (const key of store.keys?.('') ?? []) listed.push(key)
      expect(listed).toEqual(['key'])
      expect(await store.get('key')).toEqual(value)
    })

    it.each([0, 1, 2])('R22 is a miss without its chunk %s, and its other chunks are removed', async (lost) => {
      const client = await connect()
      const store = redisStore(client, small)
      await store.set('key', value, hour)
      await client.del((await chunks(client))[lost] ?? '')
      expect(await store.get('key')).toBeUndefined()
      // Sent on the same connection, and so after the removal of the chunks.
      expect(await chunks(client)).toEqual([])
      await store.set('key', value, hour)
      expect(await store.get('key')).toEqual(value)
    })

    it.each([
      ['a shorter chunk', (client: TestClient, name: string) => client.set(name, 'short')],
      ['a chunk of another type', (client: TestClient, name: string) => client.del(name).then(() => client.rpush(name, 'theirs'))],
    ])('R22 is a miss with %s', async (_, damage) => {
      const client = await connect()
      const store = redisStore(client, small)
      await store.set('key', value, hour)
      await damage(client, (await chunks(client))[1] ?? '')
      expect(await store.get('key')).toBeUndefined()
    })

    it.each([
      'llmemo chunks 1 ',
      'llmemo chunks 2 00000000-0000-0000-0000-000000000000 1 1',
      'llmemo chunks 1 00000000-0000-0000-0000-000000000000 99999 1',
      'llmemo chunks 1 00000000-0000-0000-0000-000000000000 3 30',
      `llmemo chunks 1 00000000-0000-0000-0000-000000000000 1 1${' '.repeat(1_000)}`,
    ])('is a miss when its header is made up: %j', async (header) => {
      const client = await connect()
      await client.set('key', header)
      expect(await redisStore(client).get('key')).toBeUndefined()
    })

    it('is never mixed up with another write to the same key, whichever ends last', async () => {
      const client = await connect()
      const other = redisStore(await connect(), small)
      const store = redisStore(client, small)
      const values = Array.from({ length: 20 }, (_, index) => new Uint8Array(21 + index).fill(index))
      await Promise.all(values.map(async (each, index) => (index % 2 === 0 ? store : other).set('key', each, hour)))
      const got = await store.get('key')
      expect(got).toHaveLength(21 + (got?.[0] ?? -100))
      expect(new Set(got).size).toBe(1)
    })

    it('is deleted with all its chunks', async () => {
      const client = await connect()
      const store = redisStore(client, small)
      await store.set('key', value, hour)
      await store.delete('key')
      expect(await client.dbsize()).toBe(0)
    })

    it('may look like a header', async () => {
      const client = await connect()
      const store = redisStore(client)
      for (const text of ['llmemo chunks ', 'llmemo chunks 1 00000000-0000-0000-0000-000000000000 1 1']) {
        await store.set('key', bytes(text), hour)
        expect(Buffer.from((await store.get('key')) ?? []).toString()).toBe(text)
      }
    })

    it('is not read to its end when the caller no longer waits', async () => {
      const { client, sent } = counting(await connect())
      const store = redisStore(client, { maxValueBytes: 1 })
      await store.set('key', new Uint8Array(100), hour)
      sent.length = 0
      expect(await store.get('key', { signal: AbortSignal.abort() })).toBeUndefined()
      expect(sent).toEqual(['getBuffer'])
    })

    it('is refused when it would need too many chunks', async () => {
      const client = await connect()
      await expect(redisStore(client, { maxValueBytes: 1 }).set('key', new Uint8Array(10_001), hour)).rejects.toThrow('raise maxValueBytes')
      expect(await client.dbsize()).toBe(0)
    })
  })

  it('refuses keys that UTF-8 would turn into one', async () => {
    const store = redisStore(await connect())
    await expect(store.set('\uD800', bytes('x'), hour)).rejects.toThrow('lone surrogate')
    await store.set('\uFFFD', bytes('y'), hour)
    expect(await store.get('\uD800')).toBeUndefined()
    await store.delete('\uD800')
    expect(await store.getMany?.(['\uFFFD', '\uD800', '\uFFFD'])).toEqual([Buffer.from('y'), undefined, Buffer.from('y')])
  })

  it('deletes with DEL when the server has no UNLINK', async () => {
    const client = await connect()
    await client.set('key', 'x')
    const old = new Proxy<IoredisClient>(client, {
      get(target, name) {
        if (name === 'unlink') return () => Promise.reject(new Error("ERR unknown command 'unlink', with args beginning with: 'key'"))
        const member: unknown = Reflect.get(target, name)
        return typeof member === 'function' ? member.bind(target) : member
      },
    })
    await redisStore(old).delete('key')
    expect(await client.exists('key')).toBe(0)
  })

  it.each(versions)('I7 %s: no error holds a key or a value in any of its members', async (...version) => {
    const secret = 'the patient has'
    const admin = await connect({}, version)
    await admin.call('ACL', 'SETUSER', 'weak', 'on', '>hunter2', '~*', '+get', '+ping', '+info', '+hello', '+client')
    const weak = version[1](server, { username: 'weak', password: 'hunter2' })
    open.push(weak)
    const store = redisStore(weak)
    const reports: string[] = []
    store.onReport?.((message) => void reports.push(message))
    const error: unknown = await Promise.resolve(store.set(`${secret} a key`, bytes(secret), hour)).catch((thrown: unknown) => thrown)
    expect(LlmemoError.isInstance(error)).toBe(true)
    const seen: unknown[] = []
    for (let each: unknown = error; each !== undefined && each !== null; each = Reflect.get(Object(each), 'cause')) seen.push(each)
    expect(seen).toHaveLength(2)
    const everything = seen
      .flatMap((each) => Reflect.ownKeys(Object(each)).map((name) => String(Reflect.get(Object(each), name))))
      .join('\n')
    expect(everything).toContain('Redis could not be written: NOPERM.')
    expect(everything).not.toContain(secret)
    expect(everything).not.toContain('hunter2')
    expect(reports).toEqual([expect.stringContaining('NOPERM')])
  })

  it('fails at once when the client is closed, and keeps quiet', async () => {
    const client = await connect()
    const store = redisStore(client)
    client.disconnect()
    await new Promise((resolve) => client.once('end', () => resolve(undefined)))
    await expect(store.get('key')).rejects.toThrow('Redis could not be read: Connection is closed.')
    await expect(store.set('key', bytes('x'), hour)).rejects.toThrow('Connection is closed')
    await expect(Promise.resolve(store.delete('key'))).rejects.toThrow(StoreError)
  })
})

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** The keys of all chunks, in a server that holds only one value. */
async function chunks(client: TestClient): Promise<string[]> {
  return (await client.keys('*')).filter((key) => key !== 'key').toSorted()
}
