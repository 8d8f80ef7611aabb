import { memoryStore } from '../../../src/stores/memory-store.ts'
import { describe, expect, it } from 'vitest'
import type { Cache, CacheRequest, Invalidation } from '../../../src/cache/cache.ts'
import { cachingFetch } from '../../../src/clients/with-cache.ts'
import { InvalidOptionError } from '../../../src/errors.ts'
import type { Store } from '../../../src/store.ts'
import { answer, ask, openCache, question, settle } from '../../support/chat.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { ScriptedStore } from '../../support/scripted-store.ts'

/** Questions that differ in everything by which answers can be selected. */
const asked: Record<string, CacheRequest> = {
  plain: question('plain'),
  tagged: question('tagged', { tags: ['doc:1', 'doc:2'] }),
  otherTag: question('other tag', { tags: ['doc:3'] }),
  operation: question('operation', { operation: 'summarize' }),
  scope: question('scope', { scope: 'tenant' }),
  model: { endpoint: 'chat.completions', body: { model: 'gpt-5', messages: [{ role: 'user', content: 'model' }] } },
}

async function fill(cache: Cache): Promise<void> {
  for (const each of Object.values(asked)) await cache.store(each, answer())
  await cache.set('user:1', 'one')
  await cache.set('team:1', 'two')
  await cache.flush()
}

/** The names of those that are gone. */
async function gone(cache: Cache): Promise<string[]> {
  const names: string[] = []
  for (const [name, each] of Object.entries(asked)) if ((await ask(cache, each)) === undefined) names.push(name)
  for (const key of ['user:1', 'team:1']) if (!(await cache.has(key))) names.push(key)
  return names
}

const selectors: [Invalidation, string[]][] = [
  [{ tags: ['doc:1'] }, ['tagged']],
  [{ tags: ['doc:2', 'doc:3'] }, ['tagged', 'otherTag']],
  [{ tags: ['doc:4'] }, []],
  [{ operation: 'summarize' }, ['operation']],
  [{ operation: 'chat' }, ['plain', 'tagged', 'otherTag', 'scope', 'model']],
  [{ operation: 'value' }, ['user:1', 'team:1']],
  [{ model: 'gpt-5' }, ['model']],
  [{ scope: 'tenant' }, ['scope']],
  [{ scope: '' }, ['plain', 'tagged', 'otherTag', 'operation', 'model', 'user:1', 'team:1']],
  [{ pattern: 'user:*' }, ['user:1']],
  [{ all: true }, [...Object.keys(asked), 'user:1', 'team:1']],
]

describe('invalidate', () => {
  it.each(selectors)('%j takes away exactly what it selects', async (what, expected) => {
    const { cache } = openCache()
    await fill(cache)
    expect(await gone(cache)).toEqual([])
    expect(await cache.invalidate(what)).toBe(true)
    expect(await gone(cache)).toEqual(expected)
    await fill(cache)
    expect(await gone(cache)).toEqual([])
  })

  it.each(selectors)('%j reaches the other process within the delay', async (what, expected) => {
    const clock = new ManualClock()
    const store = new ScriptedStore()
    const [here, there] = [openCache({ store, clock, invalidationDelay: '2s' }), openCache({ store, clock, invalidationDelay: '2s' })]
    await fill(here.cache)
    expect(await gone(there.cache)).toEqual([])
    await here.cache.invalidate(what)
    expect(await gone(here.cache)).toEqual(expected)
    clock.advance(2_001)
    expect(await gone(there.cache)).toEqual(expected)
    expect(clock.timers).toBe(0)
  })

  it('may go unheard elsewhere for the delay, and no longer', async () => {
    const clock = new ManualClock()
    const store = new ScriptedStore()
    const [here, there] = [openCache({ store, clock }), openCache({ store, clock })]
    await fill(here.cache)
    await gone(there.cache)
    await here.cache.invalidate({ all: true })
    clock.advance(1_000)
    expect(await gone(there.cache)).toEqual([])
    clock.advance(1)
    expect(await gone(there.cache)).toHaveLength(8)
  })

  it.each([1, 0])('G13 is heeded with the next call where there is no delay, after %i ms', async (passed) => {
    const clock = new ManualClock()
    const store = new ScriptedStore()
    const [here, there] = [openCache({ store, clock }), openCache({ store, clock, invalidationDelay: 0 })]
    await fill(here.cache)
    expect(await gone(there.cache)).toEqual([])
    clock.advance(passed)
    await here.cache.invalidate({ tags: ['doc:1'] })
    clock.advance(passed)
    expect(await gone(there.cache)).toEqual(['tagged'])
  })

  it('concerns its own namespace alone', async () => {
    const store = new ScriptedStore()
    const [here, there] = [openCache({ store, namespace: 'a' }), openCache({ store, namespace: 'b', invalidationDelay: 0 })]
    await fill(here.cache)
    await fill(there.cache)
    await here.cache.clear()
    there.clock.advance(10_000)
    expect(await gone(here.cache)).toHaveLength(8)
    expect(await gone(there.cache)).toEqual([])
  })

  it('holds for a process that starts afterwards, which can store a new answer', async () => {
    const store = new ScriptedStore()
    const before = openCache({ store })
    await fill(before.cache)
    await before.cache.clear()
    for (const fillFirst of [false, true]) {
      const { cache } = openCache({ store })
      if (fillFirst) await fill(cache)
      expect(await gone(cache)).toHaveLength(fillFirst ? 0 : 8)
    }
  })

  it('K09 of what is being filled: its caller gets the answer, and it is not stored', async () => {
    const store = new ScriptedStore()
    const { cache } = openCache({ store })
    const { promise, resolve: give } = Promise.withResolvers<Response>()
    const fetch = cachingFetch(cache, () => promise)
    const call = fetch('https://api.openai.com/v1/chat/completions', { method: 'POST', body: JSON.stringify(question().body) })
    await settle()
    await cache.invalidate({ model: 'gpt-5-mini' })
    give(Response.json(answer('late')))
    expect(await (await call).json()).toEqual(answer('late'))
    await cache.flush()
    expect(cache.stats().skipped).toEqual({ invalidated: 1 })
    expect(store.entryKeys()).toEqual([])
  })

  it('K09 K12 of what another process is filling: what it stores is outdated for every process', async () => {
    const clock = new ManualClock()
    const store = new ScriptedStore()
    const [here, there] = [openCache({ store, clock }), openCache({ store, clock })]
    const { promise, resolve: give } = Promise.withResolvers<Response>()
    const fetch = cachingFetch(there.cache, () => promise)
    const call = fetch('https://api.openai.com/v1/chat/completions', { method: 'POST', body: JSON.stringify(question().body) })
    await settle()
    await here.cache.invalidate({ all: true })
    give(Response.json(answer('late')))
    await (await call).json()
    await there.cache.flush()
    clock.advance(1_001)
    expect([await ask(here.cache), await ask(there.cache)]).toEqual([undefined, undefined])
  })

  it('tells of each label, and of a store that did not take it', async () => {
    const store = new ScriptedStore()
    const { cache, told } = openCache({ store })
    await cache.invalidate({ tags: ['a', 'b'] })
    store.writes = 'rejects'
    expect(await cache.invalidate({ scope: 'tenant' })).toBe(false)
    const labels = told.events.filter(({ name }) => name === 'invalidate').map(({ event }) => event)
    expect(labels).toEqual([{ label: 'tag:a' }, { label: 'tag:b' }, { label: 'scope:tenant' }])
    expect(cache.stats().invalidations).toBe(3)
  })

  it('writes nothing readable into the store: a tag may be private', async () => {
    const store = new ScriptedStore()
    const { cache } = openCache({ store })
    await cache.invalidate({ tags: ['patient:Jane Doe'] })
    for (const [key, value] of store.map) expect(`${key} ${Buffer.from(value).toString('latin1')}`).not.toContain('Jane')
  })

  it.each<[string, unknown]>([
    ['"invalidate" is null', null],
    ['"invalidate" is undefined', undefined],
    ['"invalidate" is a string of 3 characters', 'all'],
    ['"invalidate" is an object with nothing known', {}],
    ['"invalidate" is an object with tags, all', { tags: ['a'], all: true }],
    ['"invalidate" is an object with tag;', { tag: 'a' }],
    ['"invalidate.tags" is an array of 0', { tags: [] }],
    ['"invalidate.tags" is a string of 1 characters', { tags: 'a' }],
    ['"invalidate.tags" is an array of 1', { tags: [1] }],
    ['"invalidate.operation" is undefined', { operation: undefined }],
    ['"invalidate.model" is 5', { model: 5 }],
    ['"invalidate.scope" is null', { scope: null }],
    ['"invalidate.pattern" is an empty string', { pattern: '' }],
    ['"invalidate.all" is false', { all: false }],
    ['"invalidate.all" is a string of 3 characters', { all: 'yes' }],
  ])('refuses what selects nothing clearly: %s', async (message, what) => {
    const { cache } = openCache()
    await fill(cache)
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const done = cache.invalidate(what as Invalidation)
    await expect(done).rejects.toThrow(InvalidOptionError)
    await expect(done).rejects.toThrow(message)
    expect(await gone(cache)).toEqual([])
  })
})

/** A store whose generations can be made unreadable when no entry is read with them, as for tags that stand only in the entry. */
function storeOf(): { store: Store; marksFail: (fail: boolean) => void } {
  const memory = memoryStore()
  let failing = false
  const getMany = async (keys: readonly string[]) => {
    if (failing && keys.every((key) => key.includes(':mark:'))) throw new Error('no generations now')
    return Promise.all(keys.map(async (key) => memory.get(key)))
  }
  const get = async (key: string) => (await getMany([key]))[0]
  return { store: { ...memory, get, getMany }, marksFail: (fail) => void (failing = fail) }
}

describe('an entry from the store, with a tag that the reader did not name', () => {
  it('I3: is not served while it cannot be known whether that tag was invalidated', async () => {
    const { store, marksFail } = storeOf()
    const writer = openCache({ store })
    await writer.cache.store(question('plain', { tags: ['doc:1'] }), answer())
    await writer.cache.flush()
    await writer.cache.invalidate({ tags: ['doc:1'] })
    const reader = openCache({ store })
    marksFail(true)
    expect(await ask(reader.cache, question('plain'))).toBeUndefined()
    expect(reader.errors()).toContain('read')
  })

  it('is served when the tag has no generation', async () => {
    const { store } = storeOf()
    const writer = openCache({ store })
    await writer.cache.store(question('plain', { tags: ['doc:1'] }), answer())
    await writer.cache.flush()
    expect(await ask(openCache({ store }).cache, question('plain'))).toBe('42')
  })
})
