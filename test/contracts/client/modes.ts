/**
 * The cache modes of a call.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { outcomeOf } from '../../support/outcome.ts'
import { gate } from '../../support/provider-server.ts'
import type { ClientFixture } from './fixture.ts'

/** Declares the tests. */
export function describeModes<Client extends object>(fixture: ClientFixture<Client>): void {
  const { ask, text, facts, wrap, wrapIn, cacheWith } = fixture

  describe('the mode', () => {
    it('default: serves a fresh answer, and replaces one that is not fresh', async () => {
      const client = wrap({ ttl: '10m' })
      expect(await text(client, 'Hi', { cache: { mode: 'default' } })).toBe('answer 1')
      fixture.clock.advance(599_000)
      expect(await text(client)).toBe('answer 1')
      fixture.clock.advance(1_000)
      expect(await text(client)).toBe('answer 2')
      expect(await text(client)).toBe('answer 2')
    })

    it.each([{ cache: { mode: 'no-store' } }, { bypassCache: true }, { bypassCache: true, cache: { mode: 'reload' } }])(
      'no-store: neither reads nor writes: %j',
      async (options) => {
        const client = wrap()
        expect(await text(client, 'Hi', options)).toBe('answer 1')
        expect(await text(client)).toBe('answer 2')
        expect(await text(client, 'Hi', options)).toBe('answer 3')
        expect(await text(client)).toBe('answer 2')
        expect(await facts(client, options)).toMatchObject({ hit: false, source: 'origin', stored: false, reason: 'no-store', key: '' })
      },
    )

    it('bypassCache: false changes nothing', async () => {
      const client = wrap()
      await ask(client)
      expect(await facts(client, { bypassCache: false })).toMatchObject({ hit: true })
    })

    it('reload: writes without reading', async () => {
      const client = wrap()
      expect(await text(client)).toBe('answer 1')
      expect(await text(client, 'Hi', { cache: { mode: 'reload' } })).toBe('answer 2')
      expect(await text(client)).toBe('answer 2')
    })

    it.each([false, true])(
      'only-if-cached: a miss is an error at once, without a request to the provider (streamed: %s)',
      async (streamed) => {
        const cache = cacheWith()
        const client = wrapIn(cache)
        const options = { cache: { mode: 'only-if-cached' } }
        const { error } = await outcomeOf(() => ask(client, 'Hi', options, streamed))
        expect(error?.message).toMatch(/llmemo: no answer is stored for this request/)
        expect(fixture.server.requests).toHaveLength(0)
        // The SDK must not retry: the cache has no answer at the second try either.
        expect(cache.stats()).toMatchObject({ bypasses: 1, bypassReasons: { 'not cached': 1 } })
        await text(client, 'Hi', {}, streamed)
        expect(await text(client, 'Hi', options, streamed)).toBe('answer 1')
        expect(fixture.server.requests).toHaveLength(1)
      },
    )

    it('reload: does not join an equal call that is under way', async () => {
      const released = gate()
      fixture.server.respond(async (request, reply) => {
        const text = `answer ${fixture.server.requests.length}`
        await released
        return fixture.setup.answer(request, reply, text)
      })
      const client = wrap()
      const first = text(client)
      await fixture.server.untilRequests(1)
      const second = text(client, 'Hi', { cache: { mode: 'reload' } })
      await fixture.server.untilRequests(2)
      released.open()
      expect(await Promise.all([first, second])).toEqual(['answer 1', 'answer 2'])
    })

    it('force-cache: serves a stale answer as long as it is kept', async () => {
      const client = wrap({ ttl: '10m', stale: '1h' })
      const options = { cache: { mode: 'force-cache' } }
      expect(await text(client, 'Hi', options)).toBe('answer 1')
      fixture.clock.advance(600_000)
      expect(await facts(client, options)).toMatchObject({ hit: true, stale: true, age: 600, ttl: 0 })
      expect(await text(client)).toBe('answer 2')
      fixture.clock.advance(600_000 + 3_600_000)
      expect(await text(client, 'Hi', options)).toBe('answer 3')
    })
  })
}
