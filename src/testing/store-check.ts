/**
 * What a check of a store is made of, and the words that the checks are written in.
 * @module
 */
import { AssertionError } from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import type { Store } from '../store.ts'

/** A store to put to the test, new and empty. */
export interface StoreUnderTest {
  readonly store: Store
  /** Lets so many milliseconds pass for the store: moves the clock that it was given, or waits where it goes by one of its own. */
  advance(milliseconds: number): Promise<void> | void
  /**
   * By how many milliseconds the store's time may be off, when it goes by a clock of its own. @default 0
   */
  readonly tolerance?: number
  /** Closes the store and takes away what it left. Called after each check, whether it passed or not. */
  cleanup?(): Promise<void> | void
}

/** One thing that every store must do. */
export interface StoreCheck {
  /** What the store must do, as the end of a sentence that begins with its name. */
  readonly name: string
  /**
   * Puts a new store to the test.
   * @throws {AssertionError} of `node:assert` that says what the store did instead
   */
  run(setup: () => Promise<StoreUnderTest> | StoreUnderTest): Promise<void>
}

/** A store in the hands of a check. */
export class StoreTrial {
  readonly store: Store
  /** Milliseconds by which the store's time may be off. */
  readonly tolerance: number
  readonly #under: StoreUnderTest

  constructor(under: StoreUnderTest) {
    this.store = under.store
    this.tolerance = under.tolerance ?? 0
    this.#under = under
  }

  /** Keeps a text or bytes, for an hour where no TTL is given. */
  async set(key: string, value: string | Uint8Array, ttl = hour): Promise<void> {
    await this.store.set(key, typeof value === 'string' ? bytesOf(value) : value, { ttl })
  }

  /** What is under a key, as an array of numbers: bytes with the same numbers are equal whatever their class. */
  async get(key: string): Promise<readonly number[] | undefined> {
    return listed(await this.store.get(key))
  }

  /** Like {@link StoreTrial.get}, of many at once where the store can. */
  async getMany(keys: readonly string[]): Promise<(readonly number[] | undefined)[]> {
    const { store } = this
    const values = store.getMany === undefined ? await Promise.all(keys.map(async (key) => store.get(key))) : await store.getMany(keys)
    return Array.from(values, listed)
  }

  /** Keeps many texts for an hour, at once where the store can. */
  async setMany(texts: readonly (readonly [key: string, text: string])[]): Promise<void> {
    const { store } = this
    if (store.setMany === undefined) await Promise.all(texts.map(([key, text]) => this.set(key, text)))
    else await store.setMany(texts.map(([key, text]) => ({ key, value: bytesOf(text), ttl: hour })))
  }

  /** The keys that begin with a prefix, sorted. */
  async keys(prefix: string): Promise<string[]> {
    const keys: string[] = []
    for await (const key of this.store.keys?.(prefix) ?? []) keys.push(key)
    return keys.toSorted()
  }

  /** Lets time pass. */
  async advance(milliseconds: number): Promise<void> {
    await this.#under.advance(milliseconds)
  }

  /** Says that a key holds this text, or nothing. */
  async holds(key: string, text: string | undefined): Promise<void> {
    same(await this.get(key), text === undefined ? undefined : numbers(text))
  }
}

/** An hour in milliseconds. */
export const hour = 3_600_000

/** A check that puts a new store to the test and cleans up after it. */
export function storeCheck(name: string, body: (trial: StoreTrial) => Promise<void>): StoreCheck {
  return {
    name,
    async run(setup) {
      const under = await setup()
      try {
        await body(new StoreTrial(under))
      } finally {
        await under.cleanup?.()
      }
    },
  }
}

/**
 * Says that two values are the same.
 * @throws {AssertionError} that shows the beginning of both. `deepStrictEqual` would compare them line by line, which takes seconds for
 * what a store under test may return.
 */
export function same(actual: unknown, expected: unknown): void {
  if (isDeepStrictEqual(actual, expected)) return
  const message = `expected ${shown(expected)}, but the store gave ${shown(actual)}`
  throw new AssertionError({ message, actual, expected })
}

/** A text as the bytes of its UTF-8. */
export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** A text as the numbers of its bytes. */
export function numbers(text: string): number[] {
  return [...bytesOf(text)]
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined'
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`
}

function listed(value: Uint8Array | undefined): readonly number[] | undefined {
  return value && [...value]
}
