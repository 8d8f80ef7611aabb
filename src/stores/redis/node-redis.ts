/**
 * The store's connection by a client of node-redis 5 or 6, the package `redis`. Clients are recognised by their shape, so nothing of the
 * package is imported.
 * @module
 */
import type { ReadOptions } from '../../store.ts'
import {
  channelPrefixOf,
  errorReply,
  isValueReply,
  type RedisCommand,
  type RedisConnection,
  type RedisReply,
  wordsOf,
} from './connection.ts'
import { nodeRedisState, type NodeRedisState } from './node-redis-state.ts'
import { scanned } from './scan.ts'

/** What all clients of node-redis have. */
export interface NodeRedis {
  readonly isOpen: boolean
  /** Pools, and clusters of version 5, do not say it. */
  readonly isReady?: boolean | undefined
  /** The prefix of all keys, which version 6 adds to commands of its own methods only. */
  readonly _keyPrefix?: string | Buffer | undefined
  connect(): Promise<unknown>
  on(event: string, listener: (...given: unknown[]) => void): unknown
  off(event: string, listener: (...given: unknown[]) => void): unknown
  withTypeMapping(mapping: object): unknown
}

type Words = (string | Buffer)[]

/** One server: `createClient()`, or several connections to it: `createClientPool()`. */
export interface NodeRedisServer extends NodeRedis {
  readonly options?:
    | {
        readonly database?: number | undefined
        readonly socket?: { readonly socketTimeout?: number | undefined } | undefined
      }
    | undefined
  sendCommand(words: Words, options?: object): Promise<unknown>
}

/** A cluster: `createCluster()`. */
export interface NodeRedisCluster extends NodeRedis {
  readonly masters: readonly object[]
  nodeClient(node: object): unknown
  sendCommand(key: string | undefined, isReadonly: boolean | undefined, words: Words, options?: object): Promise<unknown>
}

/** A server with sentinels: `createSentinel()`. */
export interface NodeRedisSentinel extends NodeRedis {
  getSentinelNode(): unknown
  sendCommand(isReadonly: boolean | undefined, words: Words, options?: object): Promise<unknown>
}

/**
 * A client of node-redis 5 or 6: `createClient()`, `createClientPool()`, `createCluster()` or `createSentinel()` of the package `redis`.
 * The store connects a client that nothing has connected, listens to its event `error`, does not change its settings and never closes it.
 */
export type NodeRedisClient = NodeRedisServer | NodeRedisCluster | NodeRedisSentinel

/** The methods by which a client of node-redis is known. Version 4, which hands out bytes by another option, has no `withTypeMapping`. */
export const nodeRedisMethods = ['sendCommand', 'connect', 'withTypeMapping', 'on', 'off'] as const

/** Commands that only read, and so may go to a replica of a cluster. */
const readCommands: ReadonlySet<unknown> = new Set(['GET', 'GETRANGE'])

/** A connection by a client of node-redis, which sends whatever is called in one turn in one round trip. */
export class NodeRedisConnection implements RedisConnection {
  readonly #client: NodeRedisClient
  readonly #state: NodeRedisState
  /** Replies by their type, which is a character of the protocol: 36 is `$`, a string of bytes. */
  readonly #asBytes = { typeMapping: { 36: Buffer } }
  readonly #asTexts = { typeMapping: {} }

  constructor(client: NodeRedisClient) {
    this.#client = client
    this.#state = nodeRedisState(client)
  }

  /** Whether a cluster reads from replicas, it does not say. */
  get readsReplicas(): boolean {
    return isCluster(this.#client)
  }

  get channelPrefix(): string {
    return channelPrefixOf(optionsOf(this.#client)?.database ?? 0, '')
  }

  get commandsWait(): string | undefined {
    if (isCluster(this.#client) || isSentinel(this.#client)) return undefined
    const options = optionsOf(this.#client)
    if (options === undefined || options.socket?.socketTimeout !== undefined) return undefined
    return (
      'the client has no socketTimeout, so its commands wait in memory for as long as Redis hangs. ' +
      'Make it with { socket: { socketTimeout: 5000 }, pingInterval: 2000 }.'
    )
  }

  async sendAll(commands: readonly RedisCommand[], read?: ReadOptions): Promise<readonly RedisReply[]> {
    const connection = this.#state.firstConnection()
    if (connection !== undefined) await connection
    return Promise.all(commands.map((command) => this.#send(command, read)))
  }

  sendOne(command: RedisCommand, read?: ReadOptions): Promise<RedisReply> {
    const connection = this.#state.firstConnection()
    return connection === undefined ? this.#send(command, read) : connection.then(() => this.#send(command, read))
  }

  async #send(command: RedisCommand, read: ReadOptions | undefined): Promise<RedisReply> {
    const lost = this.#state.lost()
    if (lost !== undefined) return { error: lost }
    try {
      return { value: await this.#sent(command, read?.signal) }
    } catch (error) {
      return errorReply(error)
    }
  }

  #sent(command: RedisCommand, signal: AbortSignal | undefined): Promise<unknown> {
    const client = this.#client
    const words = wordsOf(command)
    const isRead = readCommands.has(command[0])
    const form = isValueReply(command) ? this.#asBytes : this.#asTexts
    // The signal takes a command out of the queue where it waits for a connection that was just lost.
    const options = signal === undefined ? form : { ...form, abortSignal: signal }
    // A message reaches all servers of a cluster, whichever gets it.
    if (isCluster(client)) return client.sendCommand(keyOf(command), isRead, words, options)
    return isSentinel(client) ? client.sendCommand(false, words, options) : client.sendCommand(words, options)
  }

  async *scan(prefix: string): AsyncGenerator<string[]> {
    const connection = this.#state.firstConnection()
    if (connection !== undefined) await connection
    const client = this.#client
    if (isCluster(client)) {
      for (const master of client.masters) {
        const node: unknown = await client.nodeClient(master)
        yield* scanned(prefix, async (words) =>
          isServer(node) ? node.sendCommand(['SCAN', ...words].map(String), this.#asTexts) : undefined,
        )
      }
    } else {
      yield* scanned(prefix, (words) => {
        const all = ['SCAN', ...words].map(String)
        return isSentinel(client) ? client.sendCommand(false, all, this.#asTexts) : client.sendCommand(all, this.#asTexts)
      })
    }
  }
}

/** The client's own prefix of keys, which it does not add to raw commands. */
export function nodeRedisPrefix({ _keyPrefix: prefix = '' }: NodeRedisClient): string {
  return String(prefix)
}

function optionsOf(client: NodeRedisClient): NodeRedisServer['options'] {
  return 'options' in client ? client.options : undefined
}

function keyOf(command: RedisCommand): string | undefined {
  if (command[0] === 'PUBLISH') return undefined
  return command[0] === 'EVAL' ? command[3] : command[1]
}

/** Whether the client is that of a cluster. */
export function isCluster(client: NodeRedis): client is NodeRedisCluster {
  return 'masters' in client && 'nodeClient' in client
}

function isSentinel(client: NodeRedisClient): client is NodeRedisSentinel {
  return 'getSentinelNode' in client
}

function isServer(client: unknown): client is NodeRedisServer {
  return typeof client === 'object' && client !== null && 'sendCommand' in client
}
