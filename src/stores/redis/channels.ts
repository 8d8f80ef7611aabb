/**
 * Channels of Redis pub/sub, on a connection of their own. Whoever listens is told when it could not hear for a while.
 * @module
 */
import { InvalidOptionError } from '../../errors.ts'
import { withMethods } from '../../base/option-checks.ts'
import type { ChannelListener } from '../../store.ts'

/**
 * A client of ioredis 5 or 6 that does nothing but listen: `client.duplicate()`. A cluster client may be the one that is also asked, as it
 * listens on a connection of its own.
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
 * `subscriber`, when it can listen while `client` is asked.
 * @throws {InvalidOptionError} when it cannot
 */
export function knownSubscriber(subscriber: RedisSubscriber, client: object): RedisSubscriber {
  const allowed = 'a client of ioredis of its own, as one that listens takes no other commands: client.duplicate()'
  const known = withMethods('subscriber', subscriber, methods, allowed)
  if (Object.is(known, client) && !known.isCluster) throw new InvalidOptionError('subscriber', 'the client itself', allowed)
  return known
}

/** Channels that are listened to. */
export class RedisChannels {
  readonly #subscriber: RedisSubscriber
  readonly #failed: (error: unknown) => void
  readonly #listeners = new Map<string, Set<ChannelListener>>()

  /** @param failed told of each channel that could not be opened; it is tried again with the next connection */
  constructor(subscriber: RedisSubscriber, failed: (error: unknown) => void) {
    this.#subscriber = subscriber
    this.#failed = failed
  }

  /** Listens to a channel, with every connection anew. Never throws. @returns what ends it */
  listen(channel: string, listener: ChannelListener): () => void {
    if (this.#listeners.size === 0) {
      this.#subscriber.on('message', this.#heard)
      this.#subscriber.on('ready', this.#connected)
    }
    const listeners = this.#listeners.get(channel) ?? new Set()
    this.#listeners.set(channel, listeners.add(listener))
    // One that waits for its first command connects by it; any other says when it is ready.
    if (['ready', 'wait'].includes(this.#subscriber.status)) void this.#open(channel)
    return () => {
      if (listeners.delete(listener) && listeners.size === 0) this.#leave(channel)
    }
  }

  #leave(channel: string): void {
    this.#listeners.delete(channel)
    // On a connection that is lost there is nothing to leave.
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

  /** ioredis subscribes anew by itself, but says neither whether it does nor when; to do so twice does no harm. */
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
