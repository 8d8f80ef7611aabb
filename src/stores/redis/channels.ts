/**
 * Channels of Redis pub/sub, on their own connection. Listeners learn when messages may have been missed.
 * @module
 */
import type { ChannelListener } from '../../store.ts'
import type { Ear } from './subscribers.ts'

/** Keeps the listeners of each channel, and subscribes again after each reconnection. */
export class RedisChannels {
  readonly #ear: Ear
  readonly #failed: (error: unknown) => void
  readonly #listeners = new Map<string, Set<ChannelListener>>()

  /** @param failed called for each channel that could not be opened; it is tried again after the next connection */
  constructor(ear: Ear, failed: (error: unknown) => void) {
    this.#ear = ear
    this.#failed = failed
  }

  /** Listens to a channel, again after each reconnection. Never throws. @returns a function that ends it */
  listen(channel: string, listener: ChannelListener): () => void {
    if (this.#listeners.size === 0) this.#ear.begin({ heard: this.#heard, connected: this.#connected })
    const listeners = this.#listeners.get(channel) ?? new Set()
    this.#listeners.set(channel, listeners.add(listener))
    if (this.#ear.isConnected) void this.#open(channel)
    return () => {
      if (listeners.delete(listener) && listeners.size === 0) this.#leave(channel)
    }
  }

  #leave(channel: string): void {
    this.#listeners.delete(channel)
    // This fails if the connection is lost; then there is no subscription to end.
    this.#ear.close(channel).catch(() => {})
    if (this.#listeners.size === 0) this.#ear.end()
  }

  readonly #heard = (channel: string, message: string): void => {
    for (const listener of this.#listeners.get(channel) ?? []) listener.heard(message)
  }

  readonly #connected = (): void => {
    for (const channel of this.#listeners.keys()) void this.#open(channel)
  }

  /** Clients subscribe again by themselves, but do not say whether or when. A second subscription does no harm. */
  async #open(channel: string): Promise<void> {
    try {
      await this.#ear.open(channel)
    } catch (error) {
      if (this.#listeners.has(channel)) this.#failed(error)
      return
    }
    for (const listener of this.#listeners.get(channel) ?? []) listener.missed()
  }
}
