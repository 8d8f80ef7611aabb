import { describe, expect, it } from 'vitest'
import { type IoredisClient, redisStore } from '../../../src/stores/redis/store.ts'
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
    pipeline: () => ({ exec: async () => [] }),
    scan: async () => ['0', []],
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
    await here.cache.store(question('one'), answer('one'))
    await here.cache.flush()
    await there.cache.store(question('two'), answer('two'))
    await there.cache.flush()
    replicate()
    const { cache } = openCache({ store: redisStore(client) })
    expect([await ask(cache, question('one')), await ask(cache, question('two'))]).toEqual(['one', 'two'])
  })
})
