import { describe, expect, it } from 'vitest'
import { createCache } from '../../../src/cache/cache.ts'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { InvalidOptionError } from '../../../src/errors.ts'
import { message, text } from '../../support/anthropic-answers.ts'
import { sdks as anthropicSdks } from '../../support/anthropic-sdks.ts'
import { completion } from '../../support/openai-answers.ts'
import { azureSdks, sdks as openaiSdks } from '../../support/openai-sdks.ts'
import { ScriptedStore } from '../../support/scripted-store.ts'

type Make = (options: { url: string; fetch: typeof fetch }) => object

const url = 'https://provider.invalid/v1'
const asked = () => ({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] })

const openai = { path: ['chat', 'completions'], answer: completion }
const subjects = [
  ...openaiSdks.map(({ name, make }) => ({ ...openai, name, make: make as Make })),
  ...anthropicSdks.map(({ name, make }) => ({
    name,
    make: make as Make,
    path: ['messages'],
    answer: (said: string) => message([text(said)]),
  })),
]
// Without a lane. openai 7 itself reads the options of a call a turn later.
const others = azureSdks.slice(1).map(({ name, make }) => ({ ...openai, name, make: make as Make }))
const all = [...subjects, ...others].map((subject) => [subject.name, subject] as const)

/** A wrapped client whose provider counts its answers. */
function open({ make, path, answer }: (typeof subjects)[number], options: Parameters<typeof createCache>[0] = {}) {
  let answers = 0
  const headers = { 'x-request-id': 'req_1', 'request-id': 'req_1' }
  const bare = make({ url, fetch: async () => Response.json(answer(`answer ${++answers}`), { headers }) })
  const cache = createCache({ logger: false, prices: false, ...options })
  const client: unknown = withCache(bare, cache)
  const resource: unknown = path.reduce((parent: unknown, name) => Reflect.get(Object(parent), name), client)
  const create = async (cacheOptions: object): Promise<unknown> =>
    Reflect.apply(Reflect.get(Object(resource), 'create'), resource, [asked(), { cache: cacheOptions }])
  return { cache, create, answers: () => answers }
}

const scopeOf = (result: unknown): unknown => cacheInfo(Object(result))?.scope

describe.each(all)('options that their caller changes after a call of %s', (_, subject) => {
  it('G06 the answer is that of the scope the call was made with', async () => {
    const { create, answers } = open(subject)
    const options = { scope: 'a' }
    const asking = create(options)
    options.scope = 'b'
    expect(scopeOf(await asking)).toBe('a')
    expect(cacheInfo(Object(await create({ scope: 'b' })))?.hit).toBe(false)
    expect(cacheInfo(Object(await create({ scope: 'a' })))?.hit).toBe(true)
    expect(answers()).toBe(2)
  })

  it('G06 a lane learns nothing wrong', async () => {
    const { create } = open(subject)
    for (let turn = 0; turn < 3; turn++) await create({ scope: 'b' })
    const options = { scope: 'a' }
    const asking = create(options)
    options.scope = 'b'
    await asking
    for (let turn = 0; turn < 3; turn++) expect(scopeOf(await create({ scope: 'a' }))).toBe('a')
  })

  it('G14 the answer bears the tags and the context that the call was made with', async () => {
    const { cache, create } = open(subject)
    const [tags, context] = [['a'], { page: 1 }]
    const asking = create({ tags, context })
    tags[0] = 'b'
    context.page = 2
    await asking
    expect(cacheInfo(Object(await create({ tags: ['a'], context: { page: 1 } })))?.hit).toBe(true)
    expect(cacheInfo(Object(await create({ context: { page: 2 } })))?.hit).toBe(false)
    await cache.invalidate({ tags: ['a'] })
    expect(cacheInfo(Object(await create({ tags: ['a'], context: { page: 1 } })))?.hit).toBe(false)
  })

  it('G06 nor while a store is asked for a known call', async () => {
    const store = new ScriptedStore()
    const { cache, create } = open(subject, { store, maxMemoryBytes: 0 })
    for (let turn = 0; turn < 3; turn++) {
      await create({ scope: 'a' })
      await cache.flush()
    }
    for (const key of store.entryKeys()) await store.delete(key)
    const options = { scope: 'a' }
    const asking = create(options)
    options.scope = 'b'
    expect(scopeOf(await asking)).toBe('a')
    await cache.flush()
    expect(cacheInfo(Object(await create({ scope: 'b' })))?.hit).toBe(false)
  })

  it('G38 a scope that is undefined is an error for a known call too', async () => {
    const { create } = open(subject)
    for (let turn = 0; turn < 3; turn++) await create({})
    await expect(create({ scope: undefined })).rejects.toThrow(InvalidOptionError)
  })
})
