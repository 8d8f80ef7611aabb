/**
 * Which answers are stored.
 * @module
 */
import { expect, it } from 'vitest'
import { gate } from '../../support/provider-server.ts'
import { rounds, type ClientFixture, type Mode } from './fixture.ts'

/** Declares the tests of one mode: whole or streamed. */
export function describeStoring<Client extends object>(fixture: ClientFixture<Client>, mode: Mode<Client>): void {
  const { wrap, wrapIn, cacheWith, untilLanded } = fixture
  const { outcome, readOf } = mode

  it('S06: an answer that was cut short reaches its caller, and is stored only if the policy says so', async () => {
    fixture.server.respond((request, reply) =>
      fixture.setup.answer(request, reply, `cut ${fixture.server.requests.length}`, { stop: 'cut short' }),
    )
    const client = wrap()
    expect(await readOf(client)).toMatchObject({ text: 'cut 1', info: { hit: false, stored: false, reason: 'length' } })
    expect(await readOf(client)).toMatchObject({ text: 'cut 2', info: { hit: false } })
    const lenient = wrap({ policy: () => true })
    expect(await readOf(lenient)).toMatchObject({ text: 'cut 3', info: { hit: false, stored: true, reason: undefined } })
    expect(await readOf(lenient)).toMatchObject({ text: 'cut 3', info: { hit: true } })
  })

  it('S08: an answer that is too large for an entry reaches its caller unchanged, and is not stored', async () => {
    const long = 'too long '.repeat(100)
    fixture.server.respond((request, reply) => fixture.setup.answer(request, reply, long))
    const cache = cacheWith({ maxEntryBytes: 512 })
    const expected = await outcome(fixture.bare)
    expect(await outcome(wrapIn(cache))).toStrictEqual(expected)
    expect(await readOf(wrapIn(cache))).toMatchObject({ text: long, info: { hit: false, stored: false, reason: 'too large' } })
    expect(fixture.server.requests).toHaveLength(3)
    expect(cache.stats()).toMatchObject({ stored: 0, skipped: { 'too large': 2 } })
  })

  it('K09: an invalidation during a call: the caller gets the answer, and it is not stored', async () => {
    const released = gate()
    fixture.server.respond(async (request, reply) => {
      const said = `answer ${fixture.server.requests.length}`
      await released
      return fixture.setup.answer(request, reply, said)
    })
    const cache = cacheWith()
    const client = wrapIn(cache)
    const filling = readOf(client)
    await fixture.server.untilRequests(1)
    expect(await cache.invalidate({ all: true })).toBe(true)
    released.open()
    expect(await filling).toMatchObject({ text: 'answer 1', info: { hit: false, stored: false, reason: 'invalidated' } })
    expect(await readOf(client)).toMatchObject({ text: 'answer 2', info: { hit: false, stored: true } })
    expect(await readOf(client)).toMatchObject({ text: 'answer 2', info: { hit: true } })
  })

  it('K10: a refresh that fails leaves the old answer in its place, and no caller gets its error', async () => {
    const cache = cacheWith({ ttl: '10m', staleWhileRevalidate: '1h' })
    const client = wrapIn(cache)
    await outcome(client)
    fixture.clock.advance(600_000)
    fixture.server.respond((_request, reply) => fixture.setup.refuse(reply, 500))
    const old = { text: 'answer 1', info: { hit: true, stale: true } }
    expect(await readOf(client)).toMatchObject(old)
    await fixture.server.untilRequests(2)
    await untilLanded()
    await rounds(10)
    expect(cache.stats()).toMatchObject({ errorKinds: { refresh: 1 }, stored: 1 })
    expect(await readOf(client)).toMatchObject(old)

    fixture.server.respond((request, reply) => fixture.setup.answer(request, reply, 'a new one'))
    fixture.clock.advance(60_000)
    expect(await readOf(client)).toMatchObject(old)
    await untilLanded()
    await rounds(10)
    expect(await readOf(client)).toMatchObject({ text: 'a new one', info: { hit: true, stale: false } })
  })
}
