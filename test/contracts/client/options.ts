/**
 * The other options of a call.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { sequence, type ClientFixture } from './fixture.ts'

/** Declares the tests. */
export function describeOptions<Client extends object>(fixture: ClientFixture<Client>): void {
  const { ask, text, facts, wrap, wrapIn, cacheWith } = fixture

  describe('the options', () => {
    it('the TTL is that of the call, else of its operation, else the default', async () => {
      const client = wrap({ ttl: { default: '1h', summarize: '2h' } })
      const ttlOf = async (prompt: string, cache: object): Promise<number> => (await facts(client, { cache }, prompt)).ttl
      expect(await ttlOf('a', {})).toBe(3_600)
      expect(await ttlOf('b', { operation: 'summarize' })).toBe(7_200)
      expect(await ttlOf('c', { operation: 'summarize', ttl: '30s' })).toBe(30)
      expect(await ttlOf('d', { ttl: 1.5 })).toBe(2)
      fixture.clock.advance(30_000)
      expect(await facts(client, { cache: { operation: 'summarize' } }, 'c')).toMatchObject({ hit: false, operation: 'summarize' })
    })

    it('an invalidation by tag removes the answers with that tag, and no others', async () => {
      const cache = cacheWith()
      const client = wrapIn(cache)
      await text(client, 'a', { cache: { tags: ['doc:1', 'doc:2'] } })
      await text(client, 'b', { cache: { tags: ['doc:2'] } })
      await text(client, 'c')
      expect(await cache.invalidate({ tags: ['doc:1'] })).toBe(true)
      expect(await text(client, 'a', { cache: { tags: ['doc:1', 'doc:2'] } })).toBe('answer 4')
      expect(await text(client, 'b', { cache: { tags: ['doc:2'] } })).toBe('answer 2')
      expect(await text(client, 'c')).toBe('answer 3')
    })

    it('each context, variant and scope has an entry of its own', async () => {
      const client = wrap()
      const calls = [{}, { context: { project: 'atlas' } }, { context: 'atlas' }, { variant: 1 }, { scope: 'a' }, { scope: 'b' }]
      const texts = await sequence(calls, (cache) => text(client, 'Hi', { cache }))
      expect(texts).toEqual(calls.map((_, index) => `answer ${index + 1}`))
      expect(await sequence(calls, (cache) => text(client, 'Hi', { cache }))).toEqual(texts)
      expect(await text(client, 'Hi', { cache: { ttl: '10m' } })).toBe('answer 1')
    })

    it('I3: the scope is that of the call, else of the cache, else a digest that does not reveal the credential', async () => {
      const client = wrap({ scope: 'tenant-1' })
      expect(await facts(client)).toMatchObject({ scope: 'tenant-1' })
      expect(await facts(client, { cache: { scope: 'tenant-2' } })).toMatchObject({ scope: 'tenant-2', hit: false })
      expect(await facts(client, { cache: { scope: 'tenant-1' } })).toMatchObject({ hit: true })
      expect((await facts(wrap())).scope).toMatch(/^[0-9a-f]{64}$|^$/)
    })

    it.each([
      ['cache', { cache: 'no-store' }],
      ['cache', { cache: null }],
      ['cache.tll', { cache: { tll: '5m' } }],
      ['cache.ttl', { cache: { ttl: 'soon' } }],
      ['cache.ttl', { cache: { ttl: 0 } }],
      ['cache.ttl', { cache: { ttl: 'soon' }, bypassCache: true }],
      ['cache.mode', { cache: { mode: 'no-cash' } }],
      ['cache.operation', { cache: { operation: '' } }],
      ['cache.tags', { cache: { tags: 'doc:1' } }],
      ['cache.scope', { cache: { scope: 7 } }],
      ['cache.variant', { cache: { variant: 1.5 } }],
      ['bypassCache', { bypassCache: 'yes' }],
    ])('a wrong option is an error at the call, which names %s: %j', async (option, options) => {
      const asked = ask(wrap(), 'Hi', options)
      await expect(Promise.resolve(asked)).rejects.toMatchObject({
        name: 'InvalidOptionError',
        code: 'INVALID_OPTION',
        message: expect.stringContaining(`"${option}"`),
      })
      expect(fixture.server.requests).toHaveLength(0)
    })
  })
}
