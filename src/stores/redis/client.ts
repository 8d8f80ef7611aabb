/**
 * The parts of an ioredis client that the store uses. Sends commands in one round trip, and reports errors without values.
 * Clients are recognised by their shape, so nothing of ioredis is imported.
 * @module
 */
import { codeOf as systemCodeOf, withoutContent } from '../../base/foreign-error.ts'
import { Description, InvalidOptionError, StoreError } from '../../errors.ts'
import { withMethods } from '../../base/option-checks.ts'
import { firstConnection } from './first-connection.ts'

/** Commands for one server of a cluster, or for the only server. */
export interface RedisNode {
  scan(cursor: string, match: 'MATCH', pattern: string, count: 'COUNT', number: number): Promise<unknown>
}

/**
 * A client of ioredis 5 or 6: `new Redis()`, with or without Sentinels, or `new Cluster()`; or any object with the same methods.
 * The store does not change its settings and never closes it.
 */
export interface RedisClient {
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

/** A command with one key or one channel, under the name of its method. */
export type RedisCommand =
  | readonly ['getBuffer', key: string]
  | readonly ['getrangeBuffer', key: string, start: number, end: number]
  | readonly ['set', key: string, value: Buffer, unit: 'PX', milliseconds: number]
  | readonly ['set', key: string, value: Buffer, unit: 'PX', milliseconds: number, condition: 'NX']
  | readonly ['unlink' | 'del', key: string]
  | readonly ['publish', channel: string, message: string]
  | readonly ['eval' | 'evalBuffer', script: string, keys: 1, key: string, ...given: (string | number)[]]

/** The reply to a command, or its error. */
export type RedisReply = { readonly value: unknown; readonly error?: never } | { readonly error: object }

const methods = ['getBuffer', 'getrangeBuffer', 'set', 'unlink', 'del', 'publish', 'eval', 'pipeline', 'scan']

/**
 * Checks that `client` has all that the store needs, and returns it.
 * @throws {InvalidOptionError} when something is missing
 */
export function knownClient(client: RedisClient): RedisClient {
  const allowed = 'a client of ioredis 5 or 6: new Redis() or new Cluster()'
  const known = withMethods('client', client, { methods, allowed })
  const { sentinels, role } = Object(known.options)
  if (Array.isArray(sentinels) && role === 'slave') {
    // It would read what replicas do not know yet to be outdated, and could write nothing.
    throw new InvalidOptionError(
      'client',
      new Description("a client with the role 'slave'"),
      `one of the master: no role, or role: 'master'`,
    )
  }
  return known
}

/** The connection is lost, or its owner closed it. Commands would wait without limit in the client's own queue. */
const unconnected: ReadonlySet<unknown> = new Set(['close', 'reconnecting', 'disconnecting', 'end'])

/**
 * Sends all commands at once and returns their replies in order. Never rejects.
 * On a cluster each command is sent alone, so that it reaches its own server and follows a key that moves.
 */
export async function sendAll(client: RedisClient, commands: readonly RedisCommand[]): Promise<readonly RedisReply[]> {
  const connection = firstConnection(client)
  if (connection !== undefined) await connection
  const lost = lostConnection(client)
  if (lost !== undefined) return commands.map(() => lost)
  if (client.isCluster || commands.length === 1) return Promise.all(commands.map((command) => send(client, command)))
  try {
    const replies = await client.pipeline(commands.map((command) => [...command])).exec()
    return commands.map((_, index) => replyIn(Array.isArray(replies) ? replies[index] : undefined))
  } catch (error) {
    const thrown = { error: objectOf(error) }
    return commands.map(() => thrown)
  }
}

/** Sends one command, as {@link sendAll} does. */
export function sendOne(client: RedisClient, command: RedisCommand): Promise<RedisReply> {
  const sent = (): Promise<RedisReply> => {
    const lost = lostConnection(client)
    return lost === undefined ? send(client, command) : Promise.resolve(lost)
  }
  const connection = firstConnection(client)
  return connection === undefined ? sent() : connection.then(sent)
}

function lostConnection({ status }: RedisClient): RedisReply | undefined {
  if (!unconnected.has(status)) return undefined
  return { error: new Error(status === 'end' ? 'Connection is closed' : 'Connection is lost') }
}

async function send(client: RedisClient, [name, ...parameters]: RedisCommand): Promise<RedisReply> {
  try {
    const method: unknown = Reflect.get(client, name)
    const value: unknown = typeof method === 'function' ? await Reflect.apply(method, client, parameters) : undefined
    return { value }
  } catch (error) {
    return { error: objectOf(error) }
  }
}

/** The reply to one command of a pipeline, which ioredis gives as an array: the error or null, and the reply. */
function replyIn(result: unknown): RedisReply {
  if (!Array.isArray(result)) return { error: new Error('no reply') }
  const [error, value]: readonly unknown[] = result
  return error === null || error === undefined ? { value } : { error: objectOf(error) }
}

function objectOf(error: unknown): object {
  return typeof error === 'object' && error !== null ? error : new Error('no reply')
}

/** All keys of all servers that begin with `prefix`, without the client's own prefix. A key may appear twice. */
export async function* scanAll(client: RedisClient, prefix: string): AsyncGenerator<string[]> {
  const { keyPrefix = '' } = client.options
  // ioredis adds its prefix to keys, but not to patterns, and does not remove it from the keys that it finds.
  const pattern = `${literally(keyPrefix + prefix)}*`
  for (const node of client.nodes?.('master') ?? [client]) {
    let cursor = '0'
    do {
      const page = await scanPage(node, cursor, pattern)
      cursor = page.cursor
      yield page.keys.filter((key) => key.startsWith(keyPrefix + prefix)).map((key) => key.slice(keyPrefix.length))
    } while (cursor !== '0')
  }
}

async function scanPage(node: Partial<RedisNode>, cursor: string, pattern: string): Promise<{ cursor: string; keys: string[] }> {
  let reply: unknown
  try {
    reply = await node.scan?.(cursor, 'MATCH', pattern, 'COUNT', 500)
  } catch (error) {
    throw failure('read', objectOf(error))
  }
  const [next, keys]: readonly unknown[] = Array.isArray(reply) ? reply : []
  if (typeof next !== 'string' || !Array.isArray(keys)) throw new StoreError('the reply of Redis is not a page of keys.')
  return { cursor: next, keys: keys.filter((key): key is string => typeof key === 'string') }
}

/** A pattern that matches exactly `text`. https://redis.io/docs/latest/commands/keys/ */
function literally(text: string): string {
  return text.replaceAll(/[*?[\]\\]/g, String.raw`\$&`)
}

/** The code of an error of Redis: `OOM`, `WRONGTYPE`. Empty for an error of the client itself. */
export function codeOf(error: object): string {
  const message = Reflect.get(error, 'message')
  return typeof message === 'string' ? (/^[A-Z]{3,20}(?= |$)/.exec(message)?.[0] ?? '') : ''
}

/** Whether the server does not know the command. */
export function isUnknownCommand(error: object): boolean {
  return /^ERR unknown command/i.test(String(Reflect.get(error, 'message')))
}

/**
 * Messages that begin so hold nothing of what was sent. All other messages are hidden: a server repeats the arguments of an unknown
 * command, and ioredis attaches the whole command to an error, with key and value.
 */
const plainMessages =
  /^(?:Connection is closed|Connection is lost|Command timed out|Command aborted due to connection close|Stream isn't writeable|Cluster isn't ready|Reached the max retries per request limit|Failed to refresh slots cache|None of startup nodes is available|Cluster is disconnect(?:ed|ing)|Connection in subscriber mode|Connection is in monitoring mode|Protocol error|no reply)/

/** An error of ours for an error of the client. It says what went wrong, and holds nothing of what was sent. */
export function failure(verb: 'read' | 'written', error: object): StoreError {
  const plain = plainMessages.exec(String(Reflect.get(error, 'message')))?.[0] ?? ''
  const reason = codeOf(error) || plain || systemCodeOf(error) || 'an error of the client'
  return new StoreError(`Redis could not be ${verb}: ${reason}.`, { cause: withoutContent(error, reason) })
}
