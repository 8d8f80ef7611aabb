import { describe, expect, it } from 'vitest'
import { createCache, engineOf } from '../../src/cache/cache.ts'
import { cachingFetch } from '../../src/clients/with-cache.ts'
import { InvalidOptionError } from '../../src/errors.ts'
import { answer, ask, openCache, question, settle } from '../support/chat.ts'
import { ScriptedStore } from '../support/scripted-store.ts'

describe('a cache', () => {
  it('needs no options, and keeps no timer', async () => {
    const cache = createCache()
    await cache.store(question(), answer())
    expect(await ask(cache)).toBe('42')
    await cache.close()
  })

  it('counts what memory holds', async () => {
    const { cache, clock } = openCache({ ttl: { default: '1h', chat: '1m' } })
    expect(cache.memory()).toMatchObject({ bytes: 0, entries: 0 })
    await cache.store(question(), answer('x'.repeat(10_000)))
    await cache.set('key', 'value')
    expect(cache.memory().entries).toBe(2)
    expect(cache.memory().bytes).toBeGreaterThan(10_000)
    clock.advance(60_000)
    expect(cache.memory().entries).toBe(1)
    await cache.del('key')
    expect(cache.memory()).toMatchObject({ bytes: 0, entries: 0 })
  })

  it('tells of what happens, to as many as listen, until they do no more', async () => {
    const { cache } = openCache()
    const heard: string[] = []
    const ends = ['first', 'second'].map((name) => cache.on('store', ({ bytes }) => heard.push(`${name} ${bytes}`)))
    await cache.store(question('a'), answer())
    ends[0]?.()
    await cache.store(question('b'), answer())
    const { length } = JSON.stringify(answer())
    expect(heard).toEqual([`first ${length}`, `second ${length}`, `second ${length}`])
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    expect(() => cache.on('stored' as 'store', () => {})).toThrow(InvalidOptionError)
  })

  it('clears everything', async () => {
    const store = new ScriptedStore()
    const { cache } = openCache({ store })
    await cache.store(question(), answer())
    await cache.set('key', 'value')
    await cache.clear()
    expect([await ask(cache), await cache.get('key')]).toEqual([undefined, undefined])
  })

  it('has an engine, and nothing else has', () => {
    expect(engineOf(openCache().cache)).toBeDefined()
    for (const other of [undefined, null, {}, 'cache', () => {}]) expect(engineOf(other)).toBeUndefined()
  })
})

describe('flush and close', () => {
  it('P02 flush writes what waits, and can be called at any time', async () => {
    const store = new ScriptedStore()
    const { cache } = openCache({ store })
    await cache.flush()
    await cache.store(question(), answer())
    expect(store.entryKeys()).toEqual([])
    await Promise.all([cache.flush(), cache.flush()])
    expect(store.entryKeys()).toHaveLength(1)
    await openCache().cache.flush()
  })

  it('P02 close writes what waits, once, and calls made later are answered by memory and the origin', async () => {
    const store = new ScriptedStore()
    const { cache, clock, told } = openCache({ store })
    await cache.store(question('before'), answer('before'))
    await Promise.all([cache.close(), cache.close()])
    await cache.close()
    expect([store.entryKeys().length, store.closed]).toEqual([1, 1])
    const calls = store.calls.length
    let origin = 0
    const fetch = cachingFetch(cache, () => {
      origin++
      return Promise.resolve(Response.json(answer('after')))
    })
    const call = () => fetch('https://api.openai.com/v1/chat/completions', { method: 'POST', body: JSON.stringify(question('after').body) })
    expect(await (await call()).json()).toEqual(answer('after'))
    expect(await (await call()).json()).toEqual(answer('after'))
    expect(origin).toBe(1)
    expect(await ask(cache, question('before'))).toBe('before')
    await cache.set('key', 'value')
    expect([await cache.get('key'), await cache.has('key'), await cache.wrap('other', 60, () => 'made')]).toEqual(['value', true, 'made'])
    expect(await cache.delByPattern('*')).toBe(2)
    expect(await cache.invalidate({ all: true })).toBe(false)
    expect(await ask(cache, question('before'))).toBeUndefined()
    await cache.flush()
    expect(store.calls).toHaveLength(calls)
    expect(told.lines).toEqual([])
    expect(clock.timers).toBe(0)
  })

  it('P02 an `await using` block closes at its end', async () => {
    const store = new ScriptedStore()
    {
      await using cache = openCache({ store }).cache
      await cache.store(question(), answer())
    }
    expect([store.entryKeys().length, store.closed]).toEqual([1, 1])
  })

  it('P02 close with a hung store gives up in time', async () => {
    const store = new ScriptedStore()
    const { cache, clock } = openCache({ store })
    await cache.store(question(), answer())
    store.writes = 'never'
    const closing = cache.close()
    await settle()
    clock.advance(10_000)
    await settle()
    clock.advance(10_000)
    await closing
    expect(clock.timers).toBe(0)
  })
})
