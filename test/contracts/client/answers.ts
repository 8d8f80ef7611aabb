/**
 * What a caller gets on a miss and on a hit: the result of the bare client, and the facts about it.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { isStream, outcomeOf } from '../../support/outcome.ts'
import { infoOf, type ClientFixture, type Mode } from './fixture.ts'

/** The members of `_cache`. */
const members = [
  'age',
  'hit',
  'key',
  'operation',
  'reason',
  'savedMs',
  'savedTokens',
  'savedUsd',
  'scope',
  'source',
  'stale',
  'stored',
  'ttl',
]

/** Declares the tests of one mode: whole or streamed. */
export function describeAnswers<Client extends object>(fixture: ClientFixture<Client>, mode: Mode<Client>): void {
  const { ask, text, wrap, textOf } = fixture
  const { outcome, streamed } = mode

  it('S09: a miss and a hit give what the bare client gives, for one request to the provider', async () => {
    fixture.server.respond((request, reply) => fixture.setup.answer(request, reply, 'Grüße – 你好 🎉\nand\r\nmore'))
    const client = wrap()
    const expected = await outcome(fixture.bare)
    expect(await textOf(Promise.resolve(expected))).toBe('Grüße – 你好 🎉\nand\r\nmore')
    expect(await outcome(client)).toStrictEqual(expected)
    expect(fixture.server.requests).toHaveLength(2)
    expect(await outcome(client)).toStrictEqual(expected)
    expect(await outcome(client)).toStrictEqual(expected)
    expect(fixture.server.requests).toHaveLength(2)
  })

  it('the provider gets exactly the request of the bare client', async () => {
    await outcome(fixture.bare)
    await outcome(wrap(), { cache: { operation: 'qa', context: 'secret context', tags: ['secret tag'], scope: 'secret scope' } })
    const [first, second] = fixture.server.requests.map(({ method, path, body, headers }) => ({ method, path, body, headers }))
    expect(second).toEqual(first)
  })

  it('`_cache` holds the facts of a miss and of a hit, and is not enumerable', async () => {
    const client = wrap({ ttl: '10m' })
    const plain = await ask(fixture.bare, 'Hi', {}, streamed)
    if (isStream(plain)) for await (const event of plain) void event
    const miss = await ask(client, 'Hi', {}, streamed)
    const info = infoOf(miss)
    expect(Object.keys(info).toSorted()).toEqual(members)
    if (isStream(miss)) for await (const event of miss) void event
    const { key, scope } = info
    expect(key).toMatch(/^[0-9a-f]{64}$/)
    const common = { key, scope, operation: fixture.setup.operation, age: 0, ttl: 600, stale: false, stored: true, reason: undefined }
    expect({ ...info }).toEqual({ ...common, hit: false, source: 'origin', savedUsd: 0, savedTokens: 0, savedMs: 0 })

    fixture.clock.advance(5_000)
    const hit = await ask(client, 'Hi', {}, streamed)
    expect({ ...infoOf(hit) }).toEqual({
      ...common,
      hit: true,
      source: 'memory',
      age: 5,
      ttl: 595,
      savedTokens: fixture.setup.tokens,
      savedMs: expect.any(Number),
      savedUsd: null,
    })
    for (const result of [miss, hit]) {
      expect(Object.keys(Object(result))).toEqual(Object.keys(Object(plain)))
      expect(Object.getOwnPropertyDescriptor(result, '_cache')).toMatchObject({ enumerable: false })
      expect(cacheInfo(result)).toBe(infoOf(result))
    }
    expect(Object.hasOwn(Object(plain), '_cache')).toBe(false)
    expect(cacheInfo(plain)).toBeUndefined()
  })

  it('one entry serves both modes', async () => {
    const client = wrap()
    expect(await textOf(outcome(client))).toBe('answer 1')
    expect(await text(client, 'Hi', {}, !streamed)).toBe('answer 1')
    expect(fixture.server.requests).toHaveLength(1)
  })
}

/** Declares the tests that need no mode. */
export function describeAnswersOfBothModes<Client extends object>(fixture: ClientFixture<Client>): void {
  const { ask, wrap } = fixture

  describe('a result', () => {
    it('K05: belongs to its caller: a change to it reaches no other caller and no later hit', async () => {
      const client = wrap()
      const expected = await outcomeOf(() => ask(fixture.bare))
      fixture.server.respond((request, reply) => fixture.setup.answer(request, reply, 'answer 1'))
      const [first, second] = await Promise.all([ask(client), ask(client)])
      spoil(first)
      expect({ value: second }).toStrictEqual(expected)
      const hit = await ask(client)
      expect({ value: hit }).toStrictEqual(expected)
      spoil(hit)
      expect({ value: await ask(client) }).toStrictEqual(expected)
      expect(fixture.server.requests).toHaveLength(2)
    })

    it('gives the same JSON as the bare client’s', async () => {
      const client = wrap()
      const expected = JSON.stringify(await ask(fixture.bare))
      fixture.server.respond((request, reply) => fixture.setup.answer(request, reply, 'answer 1'))
      expect(JSON.stringify(await ask(client))).toBe(expected)
      expect(JSON.stringify(await ask(client))).toBe(expected)
    })
  })
}

/** Changes everything in a result that can be changed. */
function spoil(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const name of Object.keys(value)) {
    const member: unknown = Reflect.get(value, name)
    spoil(member)
    if (typeof member !== 'object') Reflect.set(value, name, 'spoilt')
  }
  Reflect.set(value, 'more', 'spoilt')
}
