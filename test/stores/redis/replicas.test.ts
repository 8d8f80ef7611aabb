import { afterEach, describe, expect, it, vi } from 'vitest'
import { type IoredisClient, type RedisClient, redisStore } from '../../../src/stores/redis/store.ts'
import type { Cache } from '../../../src/cache/cache.ts'
import type { Duration } from '../../../src/duration.ts'
import { answer, ask, openCache, question } from '../../support/chat.ts'

/** A cluster client whose replicas have what the master had when `replicate` was called last. */
function lagging(scaleReads: unknown): { client: IoredisClient; replicate: () => void } {
  const master = new Map<string, Buffer>()
  let replica = new Map<string, Buffer>()
  const reads = scaleReads === 'master' ? () => master : () => replica
  const client: IoredisClient = {
    isCluster: true,
    status: 'ready',
    options: { scaleReads },
    getBuffer: async (key) => reads().get(key) ?? null,
    getrangeBuffer: async (key, start, end) =>
      reads()
        .get(key)
        ?.subarray(start, end + 1) ?? Buffer.alloc(0),
    set: async (key: string, value: Buffer, _: 'PX', __: number, condition?: 'NX') => {
      if (condition === 'NX' && master.has(key)) return null
      master.set(key, value)
      return 'OK'
    },
    unlink: async (key) => Number(master.delete(key)),
    del: async (key) => Number(master.delete(key)),
    publish: async () => 0,
    // The only script of these tests reads. ioredis sends scripts to the master.
    eval: async (_, __, key) => master.get(key)?.toString() ?? null,
    evalBuffer: async (_, __, key) => master.get(key) ?? null,
    pipeline: () => ({ exec: async () => [] }),
    scan: async () => ['0', [...master.keys()]],
  }
  return { client, replicate: () => void (replica = new Map(master)) }
}

describe('a cluster whose replicas are behind', () => {
  it.each(['slave', 'all', () => []])(
    'G15 heeds invalidations at once, as they are read from the master: scaleReads %s',
    async (scaleReads) => {
      const { client, replicate } = lagging(scaleReads)
      const [here, there] = [openCache({ store: redisStore(client) }), openCache({ store: redisStore(client) })]
      const asked = question('What is the answer?', { tags: ['doc'] })
      await here.cache.store(asked, answer('old'))
      await here.cache.flush()
      replicate()
      expect(await ask(there.cache, asked)).toBe('old')
      expect(await here.cache.invalidate({ tags: ['doc'] })).toBe(true)
      there.clock.advance(1_001)
      expect(await ask(there.cache, asked)).toBeUndefined()
      expect(await ask(openCache({ store: redisStore(client) }).cache, asked)).toBeUndefined()
    },
  )

  it('G15 a first fill takes over the generation that only the master has', async () => {
    const { client, replicate } = lagging('slave')
    const [here, there] = [openCache({ store: redisStore(client) }), openCache({ store: redisStore(client) })]
    // At once: both have read that there is none, and one of them writes first.
    await Promise.all([here.cache.store(question('one'), answer('one')), there.cache.store(question('two'), answer('two'))])
    await Promise.all([here.cache.flush(), there.cache.flush()])
    replicate()
    const { cache } = openCache({ store: redisStore(client) })
    expect([await ask(cache, question('one')), await ask(cache, question('two'))]).toEqual(['one', 'two'])
  })
})

/** Sends the words of a command: to a replica if it only reads, else to the master. */
type Send = (words: readonly (string | Uint8Array)[]) => Buffer | string | number | null

/** Servers whose replicas have what the master had when `replicate` was called last. */
function laggingServers(): { send: Send; replicate: () => void } {
  const master = new Map<string, Buffer>()
  let replica = new Map<string, Buffer>()
  const send: Send = ([name = '', ...given]) => {
    const [first = '', second = '', third = ''] = given.map((word) =>
      typeof word === 'string' ? word : Buffer.from(word).toString('latin1'),
    )
    const last = Buffer.from(given.at(-1) ?? '')
    switch (name) {
      case 'GET':
        return replica.get(first) ?? null
      case 'GETRANGE':
        return replica.get(first)?.subarray(Number(second), Number(third) + 1) ?? Buffer.alloc(0)
      case 'SET':
        if (given.includes('NX') && master.has(first)) return null
        master.set(first, Buffer.from(given[1] ?? ''))
        return 'OK'
      case 'PSETEX':
        master.set(first, last)
        return 'OK'
      case 'EVAL':
        // One script of these tests reads, and the other writes if there is nothing.
        if (given.length === 3) return master.get(third) ?? null
        if (master.has(third)) return null
        master.set(third, last)
        return 'OK'
      case 'UNLINK':
      case 'DEL':
        return Number(master.delete(first))
      default:
        return 0
    }
  }
  return { send, replicate: () => void (replica = new Map(master)) }
}

function wordsIn(command: unknown): string[] {
  return Array.isArray(command) ? command.map(String) : []
}

const nothing = async (): Promise<void> => {}

/** Clients of other packages than ioredis, which may all read from replicas. */
const others: readonly (readonly [name: string, make: (send: Send) => RedisClient])[] = [
  [
    'createCluster() of node-redis',
    (send) => ({
      isOpen: true,
      isReady: true,
      masters: [{}],
      nodeClient: nothing,
      connect: nothing,
      on: nothing,
      off: nothing,
      withTypeMapping: nothing,
      sendCommand: async (_: unknown, isReadonly: boolean | undefined, words: (string | Buffer)[]) => {
        // A command that is said only to read goes to a replica.
        expect(isReadonly === true).toBe(['GET', 'GETRANGE'].includes(String(words[0])))
        return send(words)
      },
    }),
  ],
  [
    'Valkey GLIDE',
    (send) => ({
      customCommand: async (words) => send(words),
      getPubSubMessage: () => new Promise(() => {}),
      subscribe: nothing,
      unsubscribe: nothing,
      close() {},
    }),
  ],
  [
    'Upstash',
    (send) => {
      const reply = (words: readonly (string | Uint8Array)[]) => {
        const result = send(words)
        return { result: Buffer.isBuffer(result) ? result.toString('base64') : result }
      }
      vi.stubGlobal('fetch', async (url: string, { body }: { body: string | Uint8Array }) => {
        const path = url.split('/').slice(3).map(decodeURIComponent)
        if (typeof body !== 'string') return Response.json(reply([...path, body]))
        const commands: unknown = JSON.parse(body)
        return Response.json(
          path[0] === 'pipeline' && Array.isArray(commands) ? commands.map((each) => reply(wordsIn(each))) : reply(wordsIn(commands)),
        )
      })
      const client = { baseUrl: 'https://upstash.invalid', headers: {} }
      return Object.assign({ createScript: nothing, pipeline: nothing, use: nothing }, { client })
    },
  ],
]

afterEach(() => void vi.unstubAllGlobals())

describe.each(others)('replicas that are behind, by %s', (_, make) => {
  it('G15 heeds invalidations at once, and takes over a generation that only the master has', async () => {
    const { send, replicate } = laggingServers()
    const client = make(send)
    const [here, there] = [openCache({ store: redisStore(client) }), openCache({ store: redisStore(client) })]
    const asked = question('What is the answer?', { tags: ['doc'] })
    await here.cache.store(asked, answer('old'))
    await here.cache.flush()
    await there.cache.store(question('other', { tags: ['doc'] }), answer('other'))
    await there.cache.flush()
    replicate()
    const last = openCache({ store: redisStore(client) })
    expect([await ask(last.cache, asked), await ask(last.cache, question('other', { tags: ['doc'] }))]).toEqual(['old', 'other'])
    expect(await here.cache.invalidate({ tags: ['doc'] })).toBe(true)
    there.clock.advance(1_001)
    expect(await ask(there.cache, asked)).toBeUndefined()
    expect(await ask(openCache({ store: redisStore(client) }).cache, asked)).toBeUndefined()
  })
})

/** Two processes over it that hold an answer and a value, which the replicas have as well. */
async function processes(options: { readonly delay?: Duration } = {}) {
  const { client, replicate } = lagging('slave')
  const open = () => openCache({ store: redisStore(client), invalidationDelay: options.delay ?? '1s' })
  const [here, there] = [open(), open()]
  await here.cache.store(question(), answer('old'))
  await here.cache.set('user:1', 'old')
  await here.cache.flush()
  replicate()
  expect([await ask(there.cache), await there.cache.get('user:1')]).toEqual(['old', 'old'])
  return { here, there, open, client }
}

describe('what was removed by its key, while a replica still has it', () => {
  it.each<[string, (cache: Cache, key: string) => Promise<unknown>]>([
    ['invalidate by key', async (cache, key) => cache.invalidate({ key })],
    ['forget', async (cache) => cache.forget((await cache.lookup(question())) ?? {})],
  ])('G15 G19 an answer: %s', async (_, remove) => {
    for (const delay of [0, '1s'] as const) {
      const { here, there } = await processes({ delay })
      const key = (await here.cache.lookup(question()))?.info.key ?? ''
      await remove(here.cache, key)
      there.clock.advance(1_001)
      for (const { cache } of [here, there, here, there]) expect(await ask(cache)).toBeUndefined()
      // It stays so while the replica is behind, and can be filled again.
      there.clock.advance(5_000)
      expect(await ask(there.cache)).toBeUndefined()
      await there.cache.store(question(), answer('new'))
      await there.cache.flush()
      expect([await ask(there.cache), await ask(here.cache)]).toEqual(['new', 'new'])
    }
  })

  it.each<[string, (cache: Cache) => Promise<unknown>]>([
    ['delByPattern', (cache) => cache.delByPattern('user:*')],
    ['invalidate by pattern', (cache) => cache.invalidate({ pattern: 'user:?' })],
    ['del, for the process itself', (cache) => cache.del('user:1')],
  ])('G15 G19 a value: %s', async (name, remove) => {
    const { here, there } = await processes()
    await remove(here.cache)
    there.clock.advance(1_001)
    expect(await here.cache.get('user:1')).toBeUndefined()
    if (name.startsWith('del,')) return
    expect([await there.cache.get('user:1'), await there.cache.has('user:1')]).toEqual([undefined, false])
  })

  it('G15 a client of Sentinel that is connected to a replica is refused', () => {
    const { client } = lagging('master')
    const given = { ...client, isCluster: false, options: { sentinels: [{ host: 'a', port: 1 }], role: 'slave' } }
    expect(() => redisStore(given)).toThrow("a client with the role 'slave'")
    expect(() => redisStore({ ...given, options: { ...given.options, role: 'master' } })).not.toThrow()
  })
})
