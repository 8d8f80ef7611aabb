/**
 * The contract of every adapter: what goes through it behaves as the calls of a wrapped client do. One suite that the tests of each call.
 * @module
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CallOptions } from '../../src/call.ts'
import { type Cache, createCache } from '../../src/cache/cache.ts'
import type { CacheOptions } from '../../src/engine/settings/options.ts'
import { isNotCached } from '../../src/not-cached.ts'
import { settle } from '../support/chat.ts'

/** How an adapter is driven by the suite. */
export interface AdapterDriver {
  /** Asks for a whole answer. @returns all that a caller sees of it, but for its cache facts */
  whole(prompt: string, options?: CallOptions): Promise<unknown>
  /** Asks for a stream. @returns its parts as a caller sees them. @default the adapter has no streams */
  streamed?(prompt: string, options?: CallOptions): Promise<AsyncIterable<unknown>>
  /** The text of a whole answer. */
  textOf(answer: unknown): string
  /** The text in a part; `''` if it has none. */
  textOfPart?(part: unknown): string
  /** How many calls have reached the provider. */
  readonly asked: number
  /** The provider fails each call from now on, or answers again. */
  fail(isFailing: boolean): void
  /** A stream waits for it after its first text, from now on. */
  pause(gate: Promise<unknown> | undefined): void
  close(): Promise<void> | void
}

/** An adapter that the contract tests. */
export interface AdapterUnderTest {
  readonly open: (cache: Cache) => AdapterDriver | Promise<AdapterDriver>
  /** The tokens of one answer, input and output. */
  readonly tokens: number
  /** Whether the adapter has streams. @default true */
  readonly streams?: boolean
  /** Options for the cache, made for each test. */
  readonly options?: () => CacheOptions | Promise<CacheOptions>
}

/** Declares the suite for an adapter. */
export function describeAdapter(name: string, { open, tokens, options, streams = true }: AdapterUnderTest): void {
  describe(`${name} as an adapter`, () => {
    let cache: Cache
    let driver: AdapterDriver
    beforeEach(async () => {
      cache = createCache({ prices: [{ model: '*', input: 1_000_000, output: 1_000_000 }], logger: false, ...(await options?.()) })
      driver = await open(cache)
    })
    afterEach(async () => {
      await driver.close()
      await cache.close()
    })

    /** Waits until what a call brought is stored. */
    const written = async (): Promise<void> => {
      await settle()
      await cache.flush()
      await settle()
    }
    const partsOf = async (prompt: string, given?: CallOptions): Promise<unknown[]> =>
      Array.fromAsync((await driver.streamed?.(prompt, given)) ?? [])
    const textOfParts = (parts: readonly unknown[]): string => parts.map((part) => driver.textOfPart?.(part) ?? '').join('')

    const forms = [
      ['whole', false],
      ['streamed', true],
    ] as const
    describe.each(streams ? forms : forms.slice(0, 1))('%s', (_, isStream) => {
      const ask = async (prompt: string, given?: CallOptions): Promise<unknown> =>
        isStream ? partsOf(prompt, given) : driver.whole(prompt, given)
      it('asks the provider once, and gives the same answer again', async () => {
        const first = await ask('a')
        await written()
        expect(await ask('a')).toEqual(first)
        expect(driver.asked).toBe(1)
        await ask('b')
        expect(driver.asked).toBe(2)
      })

      it('counts usage once', async () => {
        await ask('a')
        await written()
        await ask('a')
        await written()
        expect(cache.stats()).toMatchObject({ hits: 1, misses: 1, stored: 1, savedTokens: tokens, savedUsd: tokens })
      })

      it('keeps scopes apart', async () => {
        await ask('a', { scope: 'one' })
        await ask('a', { scope: 'two' })
        expect(driver.asked).toBe(2)
        await written()
        await ask('a', { scope: 'two' })
        await cache.with({ scope: 'one' }, () => ask('a'))
        expect(driver.asked).toBe(2)
      })

      it('is invalidated by its tags', async () => {
        await ask('a', { tags: ['doc'] })
        await written()
        await cache.invalidate({ tags: ['doc'] })
        await ask('a')
        expect(driver.asked).toBe(2)
      })

      it('goes past the cache when it is told to', async () => {
        for (let call = 0; call < 2; call++) await ask('a', { mode: 'no-store' })
        expect(driver.asked).toBe(2)
        expect(cache.stats()).toMatchObject({ bypasses: 2, stored: 0 })
      })

      it('is refused when nothing is stored and the provider must not be asked', async () => {
        const refused = await ask('a', { mode: 'only-if-cached' }).then(undefined, (error: unknown) => error)
        expect(isNotCached(refused)).toBe(true)
        expect(driver.asked).toBe(0)
      })

      it('does not store an error', async () => {
        driver.fail(true)
        await expect(ask('a')).rejects.toBeInstanceOf(Error)
        const failed = driver.asked
        driver.fail(false)
        await ask('a')
        expect(driver.asked).toBe(failed + 1)
        await written()
        expect(cache.stats()).toMatchObject({ hits: 0, stored: 1 })
      })

      it('is one call for all who ask at the same time', async () => {
        const answers = await Promise.all(Array.from({ length: 5 }, () => ask('a')))
        for (const answer of answers) expect(isStream ? textOfParts(Object(answer)) : driver.textOf(answer)).not.toBe('')
        expect(driver.asked).toBe(1)
        await written()
        expect(cache.stats()).toMatchObject({ hits: 4, misses: 1 })
      })
    })

    if (!streams) return

    it('gives a later caller a stream from its first part, while it still comes', async () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      driver.pause(promise)
      const [first, second] = [await driver.streamed?.('a'), await driver.streamed?.('a')]
      const seen = await Promise.all(
        [first, second].map(async (stream) => {
          const parts: unknown[] = []
          for await (const part of stream ?? []) {
            parts.push(part)
            // Both have a text before the provider goes on.
            if (driver.textOfPart?.(part) !== '') resolve()
          }
          return parts
        }),
      )
      expect(textOfParts(seen[0] ?? [])).not.toBe('')
      expect(textOfParts(seen[1] ?? [])).toBe(textOfParts(seen[0] ?? []))
      expect(driver.asked).toBe(1)
    })

    it('serves a stream whole, and a whole answer as a stream', async () => {
      const parts = await partsOf('a')
      const whole = await driver.whole('b')
      await written()
      expect(driver.textOf(await driver.whole('a'))).toBe(textOfParts(parts))
      expect(textOfParts(await partsOf('b'))).toBe(driver.textOf(whole))
      expect(driver.asked).toBe(2)
    })
  })
}
