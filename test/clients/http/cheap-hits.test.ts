import { afterEach, describe, expect, it, vi } from 'vitest'
import { createCache } from '../../../src/cache/cache.ts'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { message, text } from '../../support/anthropic-answers.ts'
import { sdks as anthropicSdks } from '../../support/anthropic-sdks.ts'
import { completion } from '../../support/openai-answers.ts'
import { sdks as openaiSdks } from '../../support/openai-sdks.ts'

const url = 'https://provider.invalid/v1'
const headers = { 'x-request-id': 'req_1', 'request-id': 'req_1' }
const asking = () => ({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] })

type Promised = PromiseLike<unknown> &
  Record<'parse' | 'asResponse' | 'withResponse', () => Promise<unknown>> &
  Pick<Promise<unknown>, 'catch' | 'finally'>

const subjects = [
  ...openaiSdks.map(({ name, make }) => ({ name, make, path: ['chat', 'completions'], answer: completion('Hello.') })),
  ...anthropicSdks.map(({ name, make }) => ({ name, make, path: ['messages'], answer: message([text('Hello.')]) })),
]

/** A wrapped client that knows the call, and its clock. */
async function known({ make, path, answer }: (typeof subjects)[number]) {
  const clock = new ManualClock()
  const cache = createCache({ logger: false, clock })
  const bare = make({ url, fetch: async () => Response.json(answer, { headers }) })
  const createOf = (client: object) => (): Promised => {
    const resource: unknown = path.reduce<unknown>((parent, name) => Reflect.get(Object(parent), name), client)
    return Reflect.apply(Reflect.get(Object(resource), 'create'), resource, [asking()])
  }
  const create = createOf(withCache(bare, cache))
  for (let call = 0; call < 3; call++) await create()
  const prototype: Promised = Object.getPrototypeOf(create())
  return { cache, clock, create, plain: createOf(bare), prototype }
}

afterEach(() => vi.restoreAllMocks())

async function outcome(promise: Promised): Promise<unknown> {
  const response = await promise.asResponse()
  const said: unknown = response instanceof Response && (await response.json())
  return [said, await promise.then(() => 'parsed', String)]
}

describe.each(subjects)('a known call of $name', (subject) => {
  it('reads the clock once for its age and once for its price', async () => {
    const { cache, clock, create } = await known(subject)
    const [monotonic, now] = [vi.spyOn(clock, 'monotonic'), vi.spyOn(clock, 'now')]
    await create()
    const counts = [monotonic, now].map(({ mock }) => mock.calls.length)
    vi.restoreAllMocks()
    // With each look at the monotonic time the wall clock is asked whether the machine slept.
    expect(counts).toEqual([1, 2])
    expect(cache.stats().hits).toBe(4)
  })

  it('gives one result by all methods of its promise, in whichever order they are called', async () => {
    const { create, plain } = await known(subject)
    const expected = await plain()
    const promise = create()
    const value = await promise.parse()
    expect(value).toStrictEqual(expected)
    const { data } = Object(await promise.withResponse())
    expect([await promise, await promise.catch(String), await promise.finally(() => {}), data].every((each) => each === value)).toBe(true)
    const other = create()
    const { data: first } = Object(await other.withResponse())
    expect(await other).toBe(first)
    expect(Object.keys(plain()).filter((name) => !(name in create()))).toEqual([])
  })

  it('gives the response as long as nothing was parsed, and then fails as the SDK does', async () => {
    const { create, plain } = await known(subject)
    expect(await outcome(create())).toEqual(await outcome(plain()))
  })

  it('is parsed as the class says, once its method was replaced', async () => {
    const { create, prototype } = await known(subject)
    const parse = vi.spyOn(prototype, 'parse')
    expect(cacheInfo(await create())).toMatchObject({ hit: true })
    expect(parse).toHaveBeenCalled()
  })
})
