/**
 * Clients that only listen: to which channels, what they hear, and when they are connected. Told apart by their shape.
 * @module
 */
import { Description, InvalidOptionError } from '../../errors.ts'
import { isGlide, isNodeRedis } from './clients.ts'
import type { GlideClient } from './glide.ts'
import { isCluster, type NodeRedis } from './node-redis.ts'
import { nodeRedisState } from './node-redis-state.ts'

/**
 * A client of ioredis 5 or 6 that only listens: `client.duplicate()`. A cluster client may be the store's own client, because it listens on
 * a separate connection.
 */
export interface IoredisSubscriber {
  readonly isCluster: boolean
  readonly status: string
  subscribe(channel: string): Promise<unknown>
  unsubscribe(channel: string): Promise<unknown>
  on(event: string, listener: (...given: unknown[]) => void): unknown
  off(event: string, listener: (...given: unknown[]) => void): unknown
}

/** A client of node-redis 5 or 6 that only listens: `client.duplicate()`; for a cluster a `createClient()` of one of its servers. */
export interface NodeRedisSubscriber extends NodeRedis {
  readonly isReady: boolean
  subscribe(channel: string, listener: (message: string, channel: string) => void): Promise<unknown>
  unsubscribe(channel: string, listener: (message: string, channel: string) => void): Promise<unknown>
}

/** A client that only listens. It need not be of the same package as the client that sends commands. */
export type RedisSubscriber = IoredisSubscriber | NodeRedisSubscriber | GlideClient

/** What the store does with a client that listens. */
export interface Ear {
  /** Whether a subscription can be tried. Otherwise `connected` follows. */
  readonly isConnected: boolean
  /** Begins to hear, and to tell when a connection was made. Called before the first channel is opened. */
  begin(events: EarEvents): void
  /** Ends what `begin` began. Called after the last channel is closed. */
  end(): void
  /** Resolves when the channel is open. */
  open(channel: string): Promise<unknown>
  close(channel: string): Promise<unknown>
}

/** What a client that listens tells. */
export interface EarEvents {
  readonly heard: (channel: string, message: string) => void
  /** A connection was made, for the first time or again. */
  readonly connected: () => void
}

const allowed =
  'a second client, because a listening client takes no other commands: client.duplicate() of ioredis or of createClient() of node-redis, ' +
  'or another client of Valkey GLIDE'

/**
 * The ear of `subscriber`, which listens while `client` sends commands.
 * @throws {InvalidOptionError} when it cannot
 */
export function earOf(subscriber: RedisSubscriber, client: object): Ear {
  const isSame = Object.is(subscriber, client)
  if (isGlide(subscriber)) return new GlideEar(subscriber)
  if (isNodeRedis(subscriber)) {
    if (isSubscriber(subscriber) && !isSame) return new NodeRedisEar(subscriber)
  } else if (isIoredisSubscriber(subscriber) && (!isSame || subscriber.isCluster)) return new IoredisEar(subscriber)
  throw new InvalidOptionError('subscriber', isSame ? new Description('the client itself') : subscriber, allowed)
}

function isSubscriber(client: NodeRedis): client is NodeRedisSubscriber {
  return 'subscribe' in client && 'unsubscribe' in client && 'isReady' in client && !isCluster(client)
}

function isIoredisSubscriber(value: unknown): value is IoredisSubscriber {
  return ['subscribe', 'unsubscribe', 'on', 'off'].every((name) => typeof Reflect.get(Object(value), name) === 'function')
}

class IoredisEar implements Ear {
  readonly #client: IoredisSubscriber
  #heard: ((...given: unknown[]) => void) | undefined
  #connected: (() => void) | undefined

  constructor(client: IoredisSubscriber) {
    this.#client = client
  }

  /** In status `wait`, the first command opens the connection. In all other states, the event `ready` follows. */
  get isConnected(): boolean {
    return ['ready', 'wait'].includes(this.#client.status)
  }

  begin({ heard, connected }: EarEvents): void {
    this.#heard = (channel, message) => {
      if (typeof channel === 'string' && typeof message === 'string') heard(channel, message)
    }
    this.#connected = connected
    this.#client.on('message', this.#heard)
    this.#client.on('ready', this.#connected)
  }

  end(): void {
    if (this.#heard !== undefined) this.#client.off('message', this.#heard)
    if (this.#connected !== undefined) this.#client.off('ready', this.#connected)
  }

  open(channel: string): Promise<unknown> {
    return this.#client.subscribe(channel)
  }

  close(channel: string): Promise<unknown> {
    return this.#client.unsubscribe(channel)
  }
}

class NodeRedisEar implements Ear {
  readonly #client: NodeRedisSubscriber
  #heard = (_message: string, _channel: string): void => {}
  #connected = (): void => {}

  constructor(client: NodeRedisSubscriber) {
    this.#client = client
  }

  get isConnected(): boolean {
    return this.#client.isReady
  }

  begin({ heard, connected }: EarEvents): void {
    this.#heard = (message, channel) => heard(channel, message)
    this.#connected = connected
    this.#client.on('ready', connected)
    // Connects a client that nothing has connected.
    void nodeRedisState(this.#client).firstConnection()
  }

  end(): void {
    this.#client.off('ready', this.#connected)
  }

  open(channel: string): Promise<unknown> {
    return this.#client.subscribe(channel, this.#heard)
  }

  close(channel: string): Promise<unknown> {
    return this.#client.unsubscribe(channel, this.#heard)
  }
}

/** Milliseconds within which a channel must be open. */
const openDeadline = 5_000

/** A client of GLIDE opens its channels again by itself, and does not tell when it was connected again. */
class GlideEar implements Ear {
  readonly isConnected = true
  readonly #client: GlideClient
  /** Changes with each `begin` and `end`, so that an earlier loop ends. */
  #turn = {}

  constructor(client: GlideClient) {
    this.#client = client
  }

  begin({ heard }: EarEvents): void {
    const turn = (this.#turn = {})
    const hear = async (): Promise<void> => {
      for (;;) {
        const { channel, message } = await this.#client.getPubSubMessage()
        if (this.#turn !== turn) return
        heard(String(channel), String(message))
      }
    }
    // It fails when the client is closed.
    hear().catch(() => {})
  }

  end(): void {
    this.#turn = {}
  }

  open(channel: string): Promise<unknown> {
    return this.#client.subscribe([channel], openDeadline)
  }

  close(channel: string): Promise<unknown> {
    return this.#client.unsubscribe([channel], openDeadline)
  }
}
