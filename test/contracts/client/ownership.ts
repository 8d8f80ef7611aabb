/**
 * What belongs to the caller: parameters, options and the bare client.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { withCache } from '../../../src/clients/with-cache.ts'
import { outcomeOf } from '../../support/outcome.ts'
import { clientOf, sequence, type ClientFixture } from './fixture.ts'

/** Declares the tests. */
export function describeOwnership<Client extends object>(fixture: ClientFixture<Client>): void {
  const { ask, text, facts, wrap, cacheWith } = fixture

  describe('the caller’s own things', () => {
    it.each([false, true])('T04: parameters and options stay unchanged (streamed: %s)', async (streamed) => {
      const client = wrap()
      const params = deepFreeze(fixture.setup.params('Hi', streamed))
      const options = deepFreeze({ cache: { tags: ['a'], context: { of: ['this'] }, ttl: '5m' }, bypassCache: false })
      for (let time = 0; time < 2; time++) expect((await outcomeOf(() => fixture.setup.ask(client, params, options))).error).toBeUndefined()
      expect(fixture.server.requests).toHaveLength(1)
    })

    it('the bare client stays bare', async () => {
      const before = Object.getOwnPropertyDescriptors(fixture.bare)
      const client = wrap()
      await ask(client)
      expect(Object.getOwnPropertyDescriptors(fixture.bare)).toEqual(before)
      expect(Object.getPrototypeOf(client)).toBe(Object.getPrototypeOf(fixture.bare))
      expect(await text(fixture.bare)).toBe('answer 2')
      expect(await text(fixture.bare)).toBe('answer 3')
    })

    it('a wrapped client can be wrapped again, with another cache', async () => {
      const [inner, outer] = [cacheWith(), cacheWith()]
      const once = clientOf(withCache(fixture.bare, inner), fixture.bare)
      const twice = clientOf(withCache(once, outer), fixture.bare)
      expect(await text(twice)).toBe('answer 1')
      expect(await facts(twice)).toMatchObject({ hit: true })
      expect(inner.stats()).toMatchObject({ hits: 0, misses: 0 })
      expect(outer.stats()).toMatchObject({ hits: 1, misses: 1 })
      expect(await text(once)).toBe('answer 2')
    })

    it('T09: two wrapped clients share a cache and its counters', async () => {
      const cache = cacheWith()
      const clients = [withCache(fixture.bare, cache), withCache(fixture.setup.make({ url: fixture.server.url, maxRetries: 0 }), cache)]
      expect(await sequence(clients, (client) => text(clientOf(client, fixture.bare)))).toEqual(['answer 1', 'answer 1'])
      expect(cache.stats()).toMatchObject({
        hits: 1,
        misses: 1,
        hitRate: 0.5,
        savedTokens: fixture.setup.tokens,
        spentTokens: fixture.setup.tokens,
      })
    })
  })
}

function deepFreeze<Value extends object>(value: Value): Value {
  for (const member of Object.values(value)) if (typeof member === 'object' && member !== null) deepFreeze(Object(member))
  return Object.freeze(value)
}
