/**
 * Channels of Redis pub/sub, on their own connection. Listeners learn when messages may have been missed.
 * @module
 */
import { Description, InvalidOptionError } from '../../errors.ts'
import { withMethods } from '../../base/option-checks.ts'
import type { ChannelListener } from '../../store.ts'

/**
 * A client of ioredis 5 or 6 that only listens: `client.duplicate()`. A cluster client may be the store's own client, because it listens on
 * a separate connection.
 */
export interface RedisSubscriber {
  readonly isCluster: boolean
  readonly status: string
  subscribe(channel: string): Promise<unknown>
  unsubscribe(channel: string): Promise<unknown>
  on(event: string, listener: (...given: unknown[]) => void): unknown
  off(event: string, listener: (...given: unknown[]) => void): unknown
}

const methods = ['subscribe', 'unsubscribe', 'on', 'off']

/**
 * Checks that `subscriber` can listen while `client` sends commands, and returns it.
 * @throws {InvalidOptionError} when it cannot
 */
export function knownSubscriber(subscriber: RedisSubscriber, client: object): RedisSubscriber {
  const allowed = 'a second client of ioredis, because a listening client takes no other commands: client.duplicate()'
  const known = withMethods('subscriber', subscriber, { methods, allowed })
  if (Object.is(known, client) && !known.isCluster)
    throw new InvalidOptionError('subscriber', new Description('the client itself'), allowed)
  return known
}

/** Keeps the listeners of each channel, and subscribes again after each reconnection. */
export class RedisChannels {
  readonly #subscriber: RedisSubscriber
  readonly #failed: (error: unknown) => void
  readonly #listeners = new Map<string, Set<ChannelListener>>()

  /** @param failed called for each channel that could not be opened; it is tried again after the next connection */
  constructor(subscriber: RedisSubscriber, failed: (error: unknown) => void) {
    this.#subscriber = subscriber
    this.#failed = failed
  }

  /** Listens to a channel, again after each reconnection. Never throws. @returns a function that ends it */
  listen(channel: string, listener: ChannelListener): () => void {
    if (this.#listeners.size === 0) {
      this.#subscriber.on('message', this.#heard)
      this.#subscriber.on('ready', this.#connected)
    }
    const listeners = this.#listeners.get(channel) ?? new Set()
    this.#listeners.set(channel, listeners.add(listener))
    // In status `wait`, the first command opens the connection. In all other states, the event `ready` follows.
    if (['ready', 'wait'].includes(this.#subscriber.status)) void this.#open(channel)
    return () => {
      if (listeners.delete(listener) && listeners.size === 0) this.#leave(channel)
    }
  }

  #leave(channel: string): void {
    this.#listeners.delete(channel)
    // This fails if the connection is lost; then there is no subscription to end.
    this.#subscriber.unsubscribe(channel).catch(() => {})
    if (this.#listeners.size > 0) return
    this.#subscriber.off('message', this.#heard)
    this.#subscriber.off('ready', this.#connected)
  }

  readonly #heard = (channel: unknown, message: unknown): void => {
    if (typeof channel !== 'string' || typeof message !== 'string') return
    for (const listener of this.#listeners.get(channel) ?? []) listener.heard(message)
  }

  readonly #connected = (): void => {
    for (const channel of this.#listeners.keys()) void this.#open(channel)
  }

  /** ioredis subscribes again by itself, but does not say whether or when. A second subscription does no harm. */
  async #open(channel: string): Promise<void> {
    try {
      await this.#subscriber.subscribe(channel)
    } catch (error) {
      if (this.#listeners.has(channel)) this.#failed(error)
      return
    }
    for (const listener of this.#listeners.get(channel) ?? []) listener.missed()
  }
}
