/**
 * The store's connection by a client of ioredis 5 or 6. Clients are recognised by their shape, so nothing of ioredis is imported.
 * @module
 */
import { bufferOf, channelPrefixOf, errorReply, type RedisCommand, type RedisConnection, type RedisReply, sentAs } from './connection.ts'
import { Description, InvalidOptionError } from '../../errors.ts'
import { firstConnection } from './first-connection.ts'
import { scanned } from './scan.ts'

/** Commands for one server of a cluster, or for the only server. */
export interface RedisNode {
  scan(cursor: string, match: 'MATCH', pattern: string, count: 'COUNT', number: number): Promise<unknown>
}

/**
 * A client of ioredis 5 or 6: `new Redis()`, with or without Sentinels, or `new Cluster()`; or any object with the same methods.
 * The store does not change its settings and never closes it.
 */
export interface IoredisClient {
  readonly isCluster: boolean
  readonly status: string
  readonly options: {
    readonly keyPrefix?: string | undefined
    readonly db?: number | undefined
    readonly enableOfflineQueue?: boolean | undefined
    readonly commandTimeout?: number | undefined
    readonly scaleReads?: unknown
    readonly sentinels?: unknown
    readonly role?: unknown
    readonly redisOptions?: { readonly commandTimeout?: number | undefined } | undefined
  }
  getBuffer(key: string): Promise<unknown>
  getrangeBuffer(key: string, start: number, end: number): Promise<unknown>
  set(key: string, value: Buffer, unit: 'PX', milliseconds: number): Promise<unknown>
  set(key: string, value: Buffer, unit: 'PX', milliseconds: number, condition: 'NX'): Promise<unknown>
  unlink(key: string): Promise<unknown>
  del(key: string): Promise<unknown>
  publish(channel: string, message: string): Promise<unknown>
  eval(script: string, keys: 1, key: string, ...given: (string | number)[]): Promise<unknown>
  /** As `eval`, with a reply of bytes. Called for a cluster that is read from replicas. */
  evalBuffer?(script: string, keys: 1, key: string, ...given: (string | number)[]): Promise<unknown>
  pipeline(commands: unknown[][]): { exec(): Promise<unknown> }
  /** Called when the client keeps no commands until it is connected, to wait for its first connection. */
  once?(event: 'ready' | 'close' | 'end', listener: () => void): unknown
  off?(event: 'ready' | 'close' | 'end', listener: () => void): unknown
  connect?(): Promise<unknown>
  scan?: RedisNode['scan']
  nodes?(role: 'master'): RedisNode[]
}

/** The methods by which a client of ioredis is known. */
export const ioredisMethods = ['getBuffer', 'getrangeBuffer', 'set', 'unlink', 'del', 'publish', 'eval', 'pipeline', 'scan'] as const

/** The methods of ioredis for the commands of Redis. */
const methodOf = {
  GET: 'getBuffer',
  READ_LATEST: 'evalBuffer',
  GETRANGE: 'getrangeBuffer',
  SET: 'set',
  UNLINK: 'unlink',
  DEL: 'del',
  PUBLISH: 'publish',
  EVAL: 'eval',
} as const satisfies Record<RedisCommand[0], keyof IoredisClient>

/** The connection is lost, or its owner closed it. Commands would wait without limit in the client's own queue. */
const unconnected: ReadonlySet<unknown> = new Set(['close', 'reconnecting', 'disconnecting', 'end'])

/** A connection by a client of ioredis. On a cluster each command is sent alone, so that it reaches its own server and follows its key. */
export class IoredisConnection implements RedisConnection {
  readonly #client: IoredisClient

  /** @throws {InvalidOptionError} when the client reaches replicas only */
  constructor(client: IoredisClient) {
    const { sentinels, role } = client.options
    if (Array.isArray(sentinels) && role === 'slave') {
      // It would read what replicas do not know yet to be outdated, and could write nothing.
      throw new InvalidOptionError(
        'client',
        new Description("a client with the role 'slave'"),
        "one of the master: no role, or role: 'master'",
      )
    }
    this.#client = client
  }

  get readsReplicas(): boolean {
    const { scaleReads = 'master' } = this.#client.options
    return this.#client.isCluster && scaleReads !== 'master'
  }

  /** ioredis adds its prefix to keys only. */
  get channelPrefix(): string {
    const { keyPrefix = '', db = 0 } = this.#client.options
    return channelPrefixOf(db, keyPrefix)
  }

  get commandsWait(): string | undefined {
    const { enableOfflineQueue, commandTimeout, redisOptions } = this.#client.options
    if (enableOfflineQueue === false || (commandTimeout ?? redisOptions?.commandTimeout) !== undefined) return undefined
    return (
      'the client has no commandTimeout and an offline queue, so its commands wait in memory for as long as Redis is away. ' +
      'Make it with { commandTimeout: 1000, enableOfflineQueue: false }.'
    )
  }

  async sendAll(commands: readonly RedisCommand[]): Promise<readonly RedisReply[]> {
    const client = this.#client
    const connection = firstConnection(client)
    if (connection !== undefined) await connection
    const lost = lostConnection(client)
    if (lost !== undefined) return commands.map(() => lost)
    const [first] = commands
    if (first !== undefined && commands.length === 1) return [await send(client, first)]
    if (client.isCluster) return Promise.all(commands.map((command) => send(client, command)))
    try {
      const replies = await client.pipeline(commands.map((command) => [methodOf[command[0]], ...parametersOf(command)])).exec()
      return commands.map((_, index) => replyIn(Array.isArray(replies) ? replies[index] : undefined))
    } catch (error) {
      const thrown = errorReply(error)
      return commands.map(() => thrown)
    }
  }

  sendOne(command: RedisCommand): Promise<RedisReply> {
    const client = this.#client
    const sent = (): Promise<RedisReply> => {
      const lost = lostConnection(client)
      return lost === undefined ? send(client, command) : Promise.resolve(lost)
    }
    const connection = firstConnection(client)
    return connection === undefined ? sent() : connection.then(sent)
  }

  /** ioredis adds its prefix to keys, but not to patterns, and does not remove it from the keys that it finds. */
  async *scan(prefix: string): AsyncGenerator<string[]> {
    const { keyPrefix = '' } = this.#client.options
    const nodes: readonly Partial<RedisNode>[] = this.#client.nodes?.('master') ?? [this.#client]
    for (const node of nodes) {
      for await (const page of scanned(keyPrefix + prefix, (words) => node.scan?.(...words))) {
        yield page.map((key) => key.slice(keyPrefix.length))
      }
    }
  }
}

function lostConnection({ status }: IoredisClient): RedisReply | undefined {
  if (!unconnected.has(status)) return undefined
  return { error: new Error(status === 'end' ? 'Connection is closed' : 'Connection is lost') }
}

async function send(client: IoredisClient, command: RedisCommand): Promise<RedisReply> {
  try {
    // A double of a client may have no `evalBuffer`.
    const method: unknown = Reflect.get(client, methodOf[command[0]]) ?? Reflect.get(client, 'eval')
    if (typeof method !== 'function') return errorReply(undefined)
    const value: unknown = await Reflect.apply(method, client, parametersOf(command))
    return { value }
  } catch (error) {
    return errorReply(error)
  }
}

function parametersOf(command: RedisCommand): unknown[] {
  const [, ...parameters] = sentAs(command)
  return parameters.map((each) => (typeof each === 'object' ? bufferOf(each) : each))
}

/** The reply to one command of a pipeline, which ioredis gives as an array: the error or null, and the reply. */
function replyIn(result: unknown): RedisReply {
  if (!Array.isArray(result)) return errorReply(undefined)
  const [error, value]: readonly unknown[] = result
  return error === null || error === undefined ? { value } : errorReply(error)
}
