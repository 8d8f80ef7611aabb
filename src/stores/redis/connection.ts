/**
 * What the store needs of a client of Redis, whichever it is: commands sent in one round trip, and replies that never reject. Each client has
 * a module that makes such a connection of it.
 * @module
 */
import type { ReadOptions } from '../../store.ts'

/** A command with one key or one channel, as Redis names it; and `READ_LATEST`, a `GET` that no replica answers. */
export type RedisCommand =
  | readonly ['GET' | 'READ_LATEST', key: string]
  | readonly ['GETRANGE', key: string, start: number, end: number]
  | readonly ['SET', key: string, value: Uint8Array, unit: 'PX', milliseconds: number]
  | readonly ['SET', key: string, value: Uint8Array, unit: 'PX', milliseconds: number, condition: 'NX']
  | readonly ['UNLINK' | 'DEL', key: string]
  | readonly ['PUBLISH', channel: string, message: string]
  | readonly ['EVAL', script: string, keys: 1, key: string, ...given: (string | number)[]]

/**
 * The reply to a command, or its error. `GET`, `READ_LATEST` and `GETRANGE` reply with bytes or `null`, `EVAL` with texts.
 */
export type RedisReply = { readonly value: unknown; readonly error?: never } | { readonly error: object }

/** A client, as the store uses it. */
export interface RedisConnection {
  /** Whether commands that only read may reach a replica, which may be behind. */
  readonly readsReplicas: boolean
  /** Begins the name of each channel, because channels span databases and prefixes of keys. */
  readonly channelPrefix: string
  /**
   * Why commands of a read that was given up wait in memory for as long as Redis is away, and what to set.
   * `undefined` if the client ends them.
   */
  readonly commandsWait: string | undefined
  /**
   * Sends all commands at once and returns their replies in order. Never rejects.
   * @param read its signal ends the wait, if the client can end it. A signal is made when it is asked for, so only such a client looks at it
   */
  sendAll(commands: readonly RedisCommand[], read?: ReadOptions): Promise<readonly RedisReply[]>
  /** Sends one command, as `sendAll` does. */
  sendOne(command: RedisCommand, read?: ReadOptions): Promise<RedisReply>
  /**
   * All keys of all servers that begin with `prefix`. A key may appear twice.
   * @throws {StoreError} when a page cannot be read
   */
  scan(prefix: string): AsyncGenerator<string[]>
}

/** The reply of a command whose client gave no usable one. */
export function errorReply(error: unknown): RedisReply {
  return { error: typeof error === 'object' && error !== null ? error : new Error('no reply') }
}

/** The replies of promises, in their order. */
export function repliesOf(replies: readonly Promise<unknown>[]): Promise<RedisReply[]> {
  return Promise.all(replies.map((reply) => reply.then((value) => ({ value }), errorReply)))
}

/** The name of a channel prefix: a database other than the first one, and the prefix of keys. */
export function channelPrefixOf(database: number, keyPrefix: string): string {
  return `${database === 0 ? '' : `${database}:`}${keyPrefix}`
}

/** The same memory as a `Buffer`, which clients of Node.js take. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Clients send a script to the master, as it may write. */
export const readLatestScript = "return redis.call('get', KEYS[1])"

/** A command as Redis knows it. */
export function sentAs(command: RedisCommand): readonly [string, ...(string | number | Uint8Array)[]] {
  return command[0] === 'READ_LATEST' ? ['EVAL', readLatestScript, 1, command[1]] : command
}

/** Whether the reply to a command is the value of a user. */
export function isValueReply([name]: RedisCommand): boolean {
  return name === 'GET' || name === 'GETRANGE' || name === 'READ_LATEST'
}

/** The words of a command as clients send them that know no numbers. */
export function wordsOf(command: RedisCommand): (string | Buffer)[] {
  return sentAs(command).map((word) => (typeof word === 'number' ? String(word) : typeof word === 'string' ? word : bufferOf(word)))
}
