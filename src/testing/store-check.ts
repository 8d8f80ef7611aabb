/**
 * The parts of a store check, and helpers to write one.
 * @module
 */
import { AssertionError } from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import type { Store } from '../store.ts'

/** A new and empty store for one check. */
export interface StoreUnderTest {
  readonly store: Store
  /** Lets time pass for the store: moves the clock that the store was given, or waits if the store has its own clock. */
  advance(milliseconds: number): Promise<void> | void
  /** How far the store's time may be off, in milliseconds, if it has its own clock. @default 0 */
  readonly tolerance?: number
  /** Closes the store and removes what it left. Called after each check, passed or failed. */
  cleanup?(): Promise<void> | void
}

/** One requirement on every store. */
export interface StoreCheck {
  /** The requirement, as the end of a sentence that begins with the store's name. */
  readonly name: string
  /**
   * Runs the check on a new store.
   * @throws {AssertionError} of `node:assert` that says what the store did instead
   */
  run(setup: () => Promise<StoreUnderTest> | StoreUnderTest): Promise<void>
}

/** The store of one check, with short methods for texts and bytes. */
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

  /** Writes a text or bytes; for an hour if no TTL is given. */
  async set(key: string, value: string | Uint8Array, ttl = hour): Promise<void> {
    await this.store.set(key, typeof value === 'string' ? bytesOf(value) : value, { ttl })
  }

  /** The value under a key as an array of numbers, so that equal bytes of different classes are equal. */
  async get(key: string): Promise<readonly number[] | undefined> {
    return listed(await this.store.get(key))
  }

  /** Like {@link StoreTrial.get} for many keys; in one batch if the store offers it. */
  async getMany(keys: readonly string[]): Promise<(readonly number[] | undefined)[]> {
    const { store } = this
    const values = store.getMany === undefined ? await Promise.all(keys.map(async (key) => store.get(key))) : await store.getMany(keys)
    return Array.from(values, listed)
  }

  /** Writes many texts for an hour; in one batch if the store offers it. */
  async setMany(texts: readonly (readonly [key: string, text: string])[]): Promise<void> {
    const { store } = this
    if (store.setMany === undefined) await Promise.all(texts.map(([key, text]) => this.set(key, text)))
    else await store.setMany(texts.map(([key, text]) => ({ key, value: bytesOf(text), ttl: hour })))
  }

  /** All keys that begin with a prefix, sorted. */
  async keys(prefix: string): Promise<string[]> {
    const keys: string[] = []
    for await (const key of this.store.keys?.(prefix) ?? []) keys.push(key)
    return keys.toSorted()
  }

  /** Lets time pass. */
  async advance(milliseconds: number): Promise<void> {
    await this.#under.advance(milliseconds)
  }

  /** Asserts that a key holds this text, or nothing. */
  async holds(key: string, text: string | undefined): Promise<void> {
    same(await this.get(key), text === undefined ? undefined : numbers(text))
  }
}

/** An hour in milliseconds. */
export const hour = 3_600_000

/** Makes a check that runs on a new store and cleans up after it. */
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
 * Asserts that two values are equal.
 * @throws {AssertionError} that shows the beginning of both. `deepStrictEqual` would compare large values line by line, which takes
 *   seconds.
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
