/**
 * A connection whose keys and channels all begin with a prefix, for clients that do not add one by themselves.
 * @module
 */
import type { ReadOptions } from '../../store.ts'
import type { RedisCommand, RedisConnection, RedisReply } from './connection.ts'

/** The same connection, whose users do not see the prefix. */
export function prefixed(connection: RedisConnection, prefix: string): RedisConnection {
  return prefix === '' ? connection : new PrefixedConnection(connection, prefix)
}

class PrefixedConnection implements RedisConnection {
  readonly #connection: RedisConnection
  readonly #prefix: string

  constructor(connection: RedisConnection, prefix: string) {
    this.#connection = connection
    this.#prefix = prefix
  }

  get readsReplicas(): boolean {
    return this.#connection.readsReplicas
  }

  get channelPrefix(): string {
    return this.#connection.channelPrefix + this.#prefix
  }

  get commandsWait(): string | undefined {
    return this.#connection.commandsWait
  }

  sendAll(commands: readonly RedisCommand[], read?: ReadOptions): Promise<readonly RedisReply[]> {
    return this.#connection.sendAll(
      commands.map((command) => withPrefix(command, this.#prefix)),
      read,
    )
  }

  sendOne(command: RedisCommand, read?: ReadOptions): Promise<RedisReply> {
    return this.#connection.sendOne(withPrefix(command, this.#prefix), read)
  }

  async *scan(prefix: string): AsyncGenerator<string[]> {
    for await (const page of this.#connection.scan(this.#prefix + prefix)) yield page.map((key) => key.slice(this.#prefix.length))
  }
}

function withPrefix(command: RedisCommand, prefix: string): RedisCommand {
  if (command[0] === 'PUBLISH') return command
  if (command[0] === 'EVAL') {
    const [name, script, keys, key, ...given] = command
    return [name, script, keys, prefix + key, ...given]
  }
  if (command[0] === 'SET') {
    const [name, key, value, unit, milliseconds, condition] = command
    return condition === undefined
      ? [name, prefix + key, value, unit, milliseconds]
      : [name, prefix + key, value, unit, milliseconds, condition]
  }
  return command[0] === 'GETRANGE' ? [command[0], prefix + command[1], command[2], command[3]] : [command[0], prefix + command[1]]
}
