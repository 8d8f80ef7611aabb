/**
 * A provider, a network or a store that fails.
 * @module
 */
import { expect, it } from 'vitest'
import { withCache } from '../../../src/clients/with-cache.ts'
import { ScriptedStore } from '../../support/scripted-store.ts'
import { clientOf, type ClientFixture, type Mode } from './fixture.ts'

/** Declares the tests of one mode: whole or streamed. */
export function describeErrors<Client extends object>(fixture: ClientFixture<Client>, mode: Mode<Client>): void {
  const { wrap, wrapIn, cacheWith, textOf } = fixture
  const { outcome } = mode

  it.each([400, 401, 404, 429, 500])('K02 I1: status %i gives the same error after as many requests, and is not stored', async (status) => {
    fixture.server.respond((_request, reply) => fixture.setup.refuse(reply, status))
    const client = wrap()
    const expected = await outcome(fixture.bare)
    const asked = fixture.server.requests.length
    expect(expected.error).toBeDefined()
    expect(await outcome(client)).toStrictEqual(expected)
    expect(fixture.server.requests).toHaveLength(2 * asked)
    fixture.server.respond((request, reply) => fixture.setup.answer(request, reply, 'good again'))
    expect(await textOf(outcome(client))).toBe('good again')
    expect(await textOf(outcome(client))).toBe('good again')
    expect(fixture.server.requests).toHaveLength(2 * asked + 1)
  })

  it('I1: the SDK retries after a short error, and the answer is stored', async () => {
    fixture.server.respond((request, reply) =>
      fixture.server.requests.length === 1 ? fixture.setup.refuse(reply, 429) : fixture.setup.answer(request, reply, 'at the second try'),
    )
    const client = wrap()
    expect(await textOf(outcome(client))).toBe('at the second try')
    expect(await textOf(outcome(client))).toBe('at the second try')
    expect(fixture.server.requests).toHaveLength(2)
  })

  it('I1: a refused connection gives the same error', async () => {
    const closed = await fixture.start()
    await closed.close()
    const unreachable = fixture.setup.make({ url: closed.url, maxRetries: 0 })
    const expected = await outcome(unreachable)
    expect(expected.error).toBeDefined()
    expect(await outcome(clientOf(withCache(unreachable, cacheWith()), unreachable))).toStrictEqual(expected)
  })

  it.each(['throws', 'rejects'] as const)('K06: every caller gets an answer, though a read of the store %s', async (manner) => {
    const store = new ScriptedStore()
    store.reads = manner
    const cache = cacheWith({ store })
    const client = wrapIn(cache)
    const texts = await Promise.all([1, 2, 3].map(() => textOf(outcome(client))))
    expect(texts).toEqual(['answer 1', 'answer 1', 'answer 1'])
    expect(await textOf(outcome(client))).toBe('answer 1')
    expect(fixture.server.requests).toHaveLength(1)
    expect(cache.stats().errors).toBeGreaterThan(0)
    await cache.flush()
    store.reads = 'works'
    expect(await textOf(outcome(wrap({ store })))).toBe('answer 1')
    expect(fixture.server.requests).toHaveLength(1)
  })
}
