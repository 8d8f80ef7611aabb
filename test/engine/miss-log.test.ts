import { afterEach, describe, expect, it, vi } from 'vitest'
import { RecentRequests } from '../../src/engine/recent-requests.ts'
import { createCache } from '../../src/cache/cache.ts'
import { InvalidOptionError } from '../../src/errors.ts'
import { answer, callerOf, openCache, question } from '../support/chat.ts'
import { ScriptedStore } from '../support/scripted-store.ts'
import type { CacheOptions } from '../../src/engine/settings/options.ts'
import type { CacheRequest } from '../../src/cache/cache.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

/** A cache that tells of misses. `why` looks a request up and gives the reason of its miss; `''` for a hit. */
function open(options: CacheOptions = {}) {
  const opened = openCache({ debug: 'miss', ...options })
  const { cache, told } = opened
  const why = async (request: CacheRequest): Promise<string> => {
    const before = told.lines.length
    await cache.lookup(request)
    const lines = told.lines.slice(before)
    expect(lines.length).toBeLessThanOrEqual(1)
    return (lines[0] ?? '').replace(/^llmemo: miss of \w+ [\da-f]{12}: /, '')
  }
  return { ...opened, why }
}

const parts = (number: number) => ({
  namespace: '',
  scope: '',
  provider: 'openai',
  origin: '',
  endpoint: 'chat.completions',
  headers: {},
  request: { number, fixed: true },
  context: null,
  variant: 0,
})

describe("debug: 'miss'", () => {
  it('says of each miss why it was one', async () => {
    const { cache, clock, why } = open({ ttl: '10m' })
    expect(await why(question('a'))).toBe('never seen.')
    expect(await why(question('a'))).toBe('asked before, and not stored since.')
    await cache.store(question('a', { tags: ['doc:42'] }), answer())
    expect(await why(question('a'))).toBe('')
    expect(await why(question('a', { mode: 'reload' }))).toBe('the call does not read the cache (mode reload).')
    clock.advance(60_000)
    expect(await why(question('a', { ttl: '20s' }))).toBe("older than the call's own ttl, by 40 s.")
    clock.advance(12 * 60_000)
    expect(await why(question('a'))).toBe('expired 3 m ago.')

    await cache.store(question('a', { tags: ['doc:42'] }), answer())
    await cache.invalidate({ tags: ['doc:42'] })
    expect(await why(question('a'))).toBe('invalidated by `tag:doc:42`.')
    await cache.store(question('a'), answer())
    await cache.invalidate({ all: true })
    expect(await why(question('a'))).toBe('invalidated by `all`.')
    const { key } = await cache.store(question('a'), answer())
    await cache.invalidate({ key })
    expect(await why(question('a'))).toBe('removed by its key.')
    await cache.store(question('a'), answer('', 'length'))
    expect(await why(question('a'))).toMatch(/^its answer was not stored \((empty|length)\)\.$/)
  })

  it('names a request that is nearly the same, and where they differ', async () => {
    const { cache, why } = open({ scope: 'one' })
    const { key } = await cache.store(question('a'), answer())
    const { body } = question('a')
    const near = `nearly the same as ${key.slice(0, 12)}, but for`
    expect(await why(question('a', { body: { ...body, temperature: 0.7 } }))).toBe(`${near} \`temperature\`.`)
    expect(await why(question('b'))).toBe(`${near} \`messages[0].content\`.`)
    expect(await why(question('a', { scope: 'two' }))).toBe(`the same as ${key.slice(0, 12)} of another scope.`)
    expect(await why(question('a', { headers: { 'x-custom': '1' } }))).toBe(`${near} \`headers.x-custom\`.`)
    expect(await why({ endpoint: 'embeddings', body: { model: 'e', input: 'x' } })).toBe('1 of its inputs is not stored.')
    expect(
      await why({ endpoint: 'responses', body: { model: 'other', input: ['z'], tools: [{}, {}], reasoning: { effort: 'low' } } }),
    ).toBe('never seen.')
  })

  it('says what was evicted', async () => {
    const { cache, why } = open({ maxMemoryEntries: 1 })
    await cache.store(question('a'), answer())
    await cache.store(question('b'), answer())
    expect(await why(question('a'))).toBe('evicted.')
  })

  it('over a store, does not claim to know what happened there', async () => {
    const store = new ScriptedStore()
    const { cache, why } = open({ store, maxMemoryBytes: 0 })
    const { key } = await cache.store(question('a'), answer())
    await cache.flush()
    for (const name of store.keys('')) if (name.includes(key)) await store.delete(name)
    expect(await why(question('a'))).toMatch(/^it was stored, and is gone: /)
  })

  it('tells of calls through a client, and not of values of the user’s own', async () => {
    const { cache, told } = open()
    const caller = callerOf(cache)
    await caller.ask('a')
    await caller.ask('a')
    await cache.wrap('my secret key', '1m', () => 1)
    expect(told.lines).toEqual([expect.stringMatching(/^llmemo: miss of chat [\da-f]{12}: never seen\.$/)])
  })

  it('shows no name that may be a secret', async () => {
    const { cache, why, told } = open()
    const secret = 'sk-Xy7zK3vJ99'
    await cache.store(question('a', { tags: [secret], operation: secret, context: { [secret]: 1 } }), answer())
    await why(question('a', { operation: secret, context: { [secret]: 2 } }))
    await cache.invalidate({ tags: [secret] })
    await cache.lookup(question('a', { operation: secret, context: { [secret]: 1 } }))
    expect(told.lines).toEqual([
      expect.stringMatching(/^llmemo: miss of … \w{12}: nearly the same as \w{12}, but for `context\.…`\.$/),
      expect.stringMatching(/invalidated by `tag:…`\.$/),
    ])
  })

  it('is set by the environment too, and costs nothing when it is off', async () => {
    const note = vi.spyOn(RecentRequests.prototype, 'note')
    const { cache, told } = openCache()
    await cache.lookup(question('a'))
    expect(told.lines).toEqual([])
    expect(note).not.toHaveBeenCalled()
    vi.stubEnv('LLMEMO_DEBUG', 'miss')
    const debugged = openCache()
    await debugged.cache.lookup(question('a'))
    expect(debugged.told.lines).toEqual([expect.stringContaining('never seen')])
    vi.stubEnv('LLMEMO_DEBUG', 'hit')
    expect(() => createCache()).toThrow(InvalidOptionError)
  })

  it('keeps a bounded table', () => {
    const requests = new RecentRequests()
    for (let number = 0; number < 600; number++) requests.note(`${number}`, parts(number))
    // The oldest are forgotten, and with them what they are near to.
    expect(requests.nearest('0')).toBeUndefined()
    expect(requests.nearest('599')).toEqual({ key: '100', places: ['number'] })
  })
})
