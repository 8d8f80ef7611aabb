/**
 * A store that does what a test tells it: it works, fails in every way that a store can fail, or waits until it is let go on.
 * @module
 */
import type { Store } from '../../src/store.ts'

/** How an operation of a {@link ScriptedStore} goes. `held` ones wait for `release()`. */
export type Manner = 'works' | 'throws' | 'rejects' | 'never' | 'garbage' | 'held'

/** A store over a map, which notes what it is asked. */
export class ScriptedStore implements Store {
  readonly name = 'scripted'
  readonly map = new Map<string, Uint8Array>()
  /** Every call, as `get key`, `set key` or `delete key`; the keys of one `getMany` or `setMany` follow one another. */
  readonly calls: string[] = []
  reads: Manner = 'works'
  writes: Manner = 'works'
  deletes: Manner = 'works'
  /** Operations under way, and the most there were at a time. */
  active = 0
  mostActive = 0
  closed = 0
  readonly #held: (() => void)[] = []

  async #go<Value>(manner: Manner, result: () => Value): Promise<Value> {
    this.active++
    this.mostActive = Math.max(this.mostActive, this.active)
    try {
      if (manner === 'rejects') throw new Error('the store says no')
      if (manner === 'never') await new Promise<never>(() => {})
      if (manner === 'held') await new Promise<void>((resolve) => this.#held.push(resolve))
      return result()
    } finally {
      this.active--
    }
  }

  get(key: string): Promise<Uint8Array | undefined> {
    this.calls.push(`get ${key}`)
    if (this.reads === 'throws') throw new Error('the store throws')
    // What a store written in JavaScript can return.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    if (this.reads === 'garbage') return Promise.resolve('garbage' as unknown as Uint8Array)
    // What lies there when it is asked: a reply may be late, and what it says then is old.
    const value = this.map.get(key)
    return this.#go(this.reads, () => value)
  }

  set(key: string, value: Uint8Array): Promise<void> {
    this.calls.push(`set ${key}`)
    if (this.writes === 'throws') throw new Error('the store throws')
    return this.#go(this.writes, () => void this.map.set(key, new Uint8Array(value)))
  }

  setIfAbsent(key: string, value: Uint8Array): Promise<Uint8Array> {
    this.calls.push(`set-if-absent ${key}`)
    if (this.writes === 'throws') throw new Error('the store throws')
    return this.#go(this.writes, () => {
      const found = this.map.get(key) ?? new Uint8Array(value)
      this.map.set(key, found)
      return found
    })
  }

  delete(key: string): Promise<void> {
    this.calls.push(`delete ${key}`)
    if (this.deletes === 'throws') throw new Error('the store throws')
    return this.#go(this.deletes, () => void this.map.delete(key))
  }

  keys(prefix: string): string[] {
    return [...this.map.keys()].filter((key) => key.startsWith(prefix))
  }

  close(): void {
    this.closed++
  }

  /** Lets every held operation go on. */
  release(): void {
    for (const go of this.#held.splice(0)) go()
  }

  /** Lets the operation go on that was held last. */
  releaseLast(): void {
    this.#held.pop()?.()
  }

  /** The keys of entries, not of marks. */
  entryKeys(): string[] {
    return [...this.map.keys()].filter((key) => key.includes(':v1:') || key.includes(':kv:'))
  }

  /** How many calls of this kind there were. */
  count(kind: 'get' | 'set' | 'delete'): number {
    return this.calls.filter((call) => call.startsWith(`${kind} `)).length
  }
}
