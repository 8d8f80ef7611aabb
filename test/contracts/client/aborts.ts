/**
 * Callers who abort.
 * @module
 */
import { expect, it } from 'vitest'
import type { Outcome } from '../../support/outcome.ts'
import { gate } from '../../support/provider-server.ts'
import type { ClientFixture, Mode } from './fixture.ts'

/** Declares the tests of one mode: whole or streamed. */
export function describeAborts<Client extends object>(fixture: ClientFixture<Client>, mode: Mode<Client>): void {
  const { wrap, textOf } = fixture
  const { outcome } = mode

  it('K04: the first caller aborts: the others get their answer', async () => {
    const released = gate()
    fixture.server.respond(async (request, reply) => {
      await released
      return fixture.setup.answer(request, reply, 'for the others')
    })
    const client = wrap()
    const controller = new AbortController()
    const first = outcome(client, { signal: controller.signal })
    const others = [outcome(client), outcome(client)]
    await fixture.server.untilRequests(1)
    controller.abort()
    expect((await first).error).toBeDefined()
    released.open()
    for (const other of others) expect(await textOf(other)).toBe('for the others')
    expect(await textOf(outcome(client))).toBe('for the others')
    expect(fixture.server.requests).toHaveLength(1)
    expect(fixture.server.aborted).toBe(0)
  })

  it('K04: all callers abort: the call to the provider is aborted, once', async () => {
    fixture.server.respond((_request, reply) => reply.hold())
    const client = wrap()
    const controllers = [new AbortController(), new AbortController(), new AbortController()]
    const asked = controllers.map(({ signal }) => outcome(client, { signal }))
    await fixture.server.untilRequests(1)
    for (const controller of controllers) controller.abort()
    for (const each of asked) expect((await each).error).toBeDefined()
    await fixture.server.untilAborted(1)
    fixture.server.respond((request, reply) => fixture.setup.answer(request, reply, 'a new one'))
    expect(await textOf(outcome(client))).toBe('a new one')
    expect(fixture.server.requests).toHaveLength(2)
  })

  it('S05: an abort before a call, during it, or before a hit gives the error of the bare client', async () => {
    const client = wrap()
    const aborted = { signal: AbortSignal.abort() }
    const expected = await outcome(fixture.bare, aborted)
    expect(expected.error).toBeDefined()
    expect(await outcome(client, aborted)).toStrictEqual(expected)
    expect(fixture.server.requests).toHaveLength(0)

    fixture.server.respond((_request, reply) => reply.hold())
    const during = async (each: Client): Promise<Outcome> => {
      const controller = new AbortController()
      const asked = fixture.server.requests.length
      const outcomeThen = outcome(each, { signal: controller.signal })
      await fixture.server.untilRequests(asked + 1)
      controller.abort()
      return outcomeThen
    }
    expect(await during(client)).toStrictEqual(await during(fixture.bare))
    await fixture.server.untilAborted(2)

    fixture.server.respond((request, reply) => fixture.setup.answer(request, reply, 'answer'))
    await outcome(client)
    const asked = fixture.server.requests.length
    expect(await outcome(client, aborted)).toStrictEqual(expected)
    expect(fixture.server.requests).toHaveLength(asked)
  })
}
