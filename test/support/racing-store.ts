/**
 * A store whose operations are done, and told of, in any order; and which loses keys.
 * @module
 */
import type { ChannelListener, Store, StoreWrite } from '../../src/store.ts'

/** What lies between a process and the store, or the provider. */
export interface Network {
  /** Resolves when what was sent arrives. */
  travel(): Promise<void>
  /** A random whole number from 0. */
  below(limit: number): number
}

/**
 * A store of several processes in one. Eviction may take any key, but not within the round trip of an operation on it: no store evicts what
 * it takes in at that moment.
 */
export class RacingStore implements Store {
  readonly name = 'racing'
  readonly map = new Map<string, Uint8Array>()
  readonly #network: Network
  readonly #passesMessages: boolean
  readonly #listeners = new Map<ChannelListener, string>()
  /** How many operations on a key are under way. */
  readonly #inUse = new Map<string, number>()

  constructor(network: Network, { passesMessages }: { readonly passesMessages: boolean }) {
    this.#network = network
    this.#passesMessages = passesMessages
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.#use([key], () => this.map.get(key))
  }

  getMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return this.#use(keys, () => keys.map((key) => this.map.get(key)))
  }

  set(key: string, value: Uint8Array): Promise<void> {
    return this.#use([key], () => void this.map.set(key, value))
  }

  setMany(writes: readonly StoreWrite[]): Promise<void> {
    const put = (): void => {
      for (const { key, value } of writes) this.map.set(key, value)
    }
    return this.#use(
      writes.map(({ key }) => key),
      put,
    )
  }

  setIfAbsent(key: string, value: Uint8Array): Promise<Uint8Array> {
    return this.#use([key], () => {
      const found = this.map.get(key) ?? value
      this.map.set(key, found)
      return found
    })
  }

  delete(key: string): Promise<void> {
    return this.#use([key], () => void this.map.delete(key))
  }

  /** Loses one key, whichever. */
  evict(): void {
    const keys = [...this.map.keys()].filter((key) => !this.#inUse.has(key))
    const key = keys[this.#network.below(keys.length)]
    if (key !== undefined) this.map.delete(key)
  }

  /** Loses everything. */
  loseAll(): void {
    for (const key of this.map.keys()) if (!this.#inUse.has(key)) this.map.delete(key)
  }

  async publish(channel: string, message: string): Promise<void> {
    if (!this.#passesMessages) return
    await this.#network.travel()
    for (const [listener, its] of this.#listeners) {
      // One in four is lost; the others arrive in any order.
      if (its === channel && this.#network.below(4) > 0) void this.#network.travel().then(() => listener.heard(message))
    }
  }

  subscribe(channel: string, listener: ChannelListener): (() => void) | undefined {
    if (!this.#passesMessages) return undefined
    this.#listeners.set(listener, channel)
    listener.missed()
    return () => this.#listeners.delete(listener)
  }

  async #use<Value>(keys: readonly string[], work: () => Value): Promise<Value> {
    for (const key of keys) this.#inUse.set(key, (this.#inUse.get(key) ?? 0) + 1)
    await this.#network.travel()
    const value = work()
    await this.#network.travel()
    for (const key of keys) {
      const left = (this.#inUse.get(key) ?? 1) - 1
      if (left > 0) this.#inUse.set(key, left)
      else this.#inUse.delete(key)
    }
    return value
  }
}
