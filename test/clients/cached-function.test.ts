import { describe, expect, it } from 'vitest'
import { createCache } from '../../src/cache/cache.ts'
import { cacheOf } from '../../src/clients/cache-of.ts'
import { withCache } from '../../src/clients/with-cache.ts'
import { InvalidOptionError, UnknownClientError } from '../../src/errors.ts'
import { openCache } from '../support/chat.ts'

/** A function that notes what it was asked. */
function counting() {
  const asked: unknown[][] = []
  const summarise = async (text: string, options?: { readonly words: number }): Promise<{ readonly summary: string }> => {
    asked.push([text, options])
    await Promise.resolve()
    return { summary: `${text} in ${options?.words ?? 'some'} words` }
  }
  return { asked, summarise }
}

describe('a function wrapped by withCache', () => {
  it('is called once for equal arguments, also by those who ask at the same time, and each gets a copy', async () => {
    const { cache } = openCache()
    const { asked, summarise } = counting()
    const cached = withCache(summarise, { operation: 'summarise', cache })
    const [first, second] = await Promise.all([cached('a'), cached('a')])
    const third = await cached('a')
    expect([first, second, third]).toEqual(Array.from({ length: 3 }, () => ({ summary: 'a in some words' })))
    expect(first).not.toBe(second)
    expect(third).not.toBe(first)
    expect((await cached('a', { words: 3 })).summary).toBe('a in 3 words')
    expect((await cached('b')).summary).toBe('b in some words')
    expect(asked).toHaveLength(3)
    expect(cache.stats()).toMatchObject({ hits: 2, misses: 3, stored: 3, byOperation: { summarise: { hits: 2, misses: 3 } } })
    expect(cacheOf(cached)).toBe(cache)
  })

  it('has the TTL of its operation, and can be invalidated by it and by its tags', async () => {
    const { cache, clock } = openCache({ ttl: { summarise: '10m', default: '1h' } })
    const { asked, summarise } = counting()
    const cached = withCache(summarise, { operation: 'summarise', tags: ['docs'], cache })
    await cached('a')
    clock.advance(599_000)
    await cached('a')
    expect(asked).toHaveLength(1)
    clock.advance(1_000)
    await cached('a')
    expect(asked).toHaveLength(2)
    for (const what of [{ operation: 'summarise' }, { tags: ['docs'] }]) {
      await cache.invalidate(what)
      await cached('a')
    }
    expect(asked).toHaveLength(4)
  })

  it('shares no answer with a function of another name, another scope or another context', async () => {
    const { cache } = openCache()
    const made: string[] = []
    const make = (name: string) => async (text: string) => {
      made.push(name)
      return `${name}: ${text}`
    }
    const functions = [
      withCache(make('a'), { operation: 'a', cache }),
      withCache(make('b'), { operation: 'b', cache }),
      withCache(make('c'), { operation: 'a', scope: 'other', cache }),
      withCache(make('d'), { operation: 'a', context: { language: 'de' }, cache }),
    ]
    for (let time = 0; time < 2; time++) {
      expect(await Promise.all(functions.map((cached) => cached('x')))).toEqual(['a: x', 'b: x', 'c: x', 'd: x'])
    }
    expect(made).toEqual(['a', 'b', 'c', 'd'])
  })

  it('fails as the function does, and does not keep that', async () => {
    const { cache } = openCache()
    const error = new Error('mine')
    let calls = 0
    const cached = withCache(
      async () => {
        if (++calls === 1) throw error
        return calls
      },
      { operation: 'flaky', cache },
    )
    await expect(cached()).rejects.toBe(error)
    expect([await cached(), await cached()]).toEqual([2, 2])
  })

  it('serves the stored answer while the function fails, if that is allowed', async () => {
    const { cache, clock } = openCache({ ttl: '1m', staleIfError: '1h' })
    let fails = false
    const cached = withCache(async () => (fails ? Promise.reject(new Error('out of order')) : 'good'), { operation: 'x', cache })
    await cached()
    clock.advance(61_000)
    fails = true
    expect(await cached()).toBe('good')
  })

  it('goes past the cache with what JSON cannot hold', async () => {
    const { cache } = openCache()
    let calls = 0
    const cached = withCache(async (given: unknown) => [++calls, typeof given], { operation: 'any', cache })
    for (const given of [() => {}, new Map(), Number.NaN]) await cached(given)
    expect(cache.stats()).toMatchObject({ bypasses: 3, bypassReasons: { 'not keyable': 3 } })
    const made = new Map([[1, 2]])
    const unkept = withCache(async () => made, { operation: 'map', cache })
    expect([await unkept(), await unkept()]).toEqual([made, made])
    expect(cache.stats().skipped).toEqual({ 'not JSON': 2 })
    expect(calls).toBe(3)
  })

  it('keeps what is empty, as it is an answer', async () => {
    const { cache } = openCache()
    let calls = 0
    const cached = withCache(async () => (++calls > 1 ? 'again' : null), { operation: 'empty', cache })
    expect([await cached(), await cached()]).toEqual([null, null])
  })

  it('of a function that is not async is', async () => {
    const cached = withCache((number: number) => number * 2, { operation: 'double', cache: createCache({ logger: false }) })
    const answer: Promise<number> = cached(4)
    expect(answer).toBeInstanceOf(Promise)
    expect(await answer).toBe(8)
  })

  it('refuses a wrong option at once, and a function without a name as an unknown client', () => {
    const { summarise } = counting()
    const wrong: object[] = [{ operation: '' }, { operation: 7 }, { operation: 'x', ttl: 'soon' }, { operation: 'x', store: {} }]
    for (const options of wrong) expect(() => Reflect.apply(withCache, undefined, [summarise, options])).toThrow(InvalidOptionError)
    expect(() => Reflect.apply(withCache, undefined, [summarise, { operation: 'x', cache: 7 }])).toThrow(InvalidOptionError)
    expect(() => Reflect.apply(withCache, undefined, [summarise])).toThrow(UnknownClientError)
  })
})
