/**
 * The store's connection by a client of Upstash's REST service, the package `@upstash/redis`. Clients are recognised by their shape, so nothing
 * of the package is imported.
 *
 * The client's own methods hold values as texts, which would damage bytes. So the store asks the client where its service is, and speaks to it
 * by `fetch`: bytes go as the body of a request, as its last word, and come back in base64.
 * Source: https://upstash.com/docs/redis/features/restapi
 * @module
 */
import type { ReadOptions } from '../../store.ts'
import { type RedisCommand, type RedisConnection, errorReply, isValueReply, type RedisReply, sentAs } from './connection.ts'
import { scanned } from './scan.ts'

/** A client of `@upstash/redis` 1: `new Redis()` or `Redis.fromEnv()`. The store does not change its settings. */
export interface UpstashClient {
  createScript(script: string): unknown
  pipeline(): unknown
  use(middleware: never): unknown
}

/** The methods by which a client of Upstash is known. */
export const upstashMethods = ['createScript', 'pipeline', 'use'] as const

/** Where the service of a client is, and how it is asked. Read again for each request, as a client may change it. */
export interface UpstashService {
  readonly baseUrl: string
  readonly headers: Readonly<Record<string, string>>
  readonly readYourWrites?: boolean
  readonly options?: {
    readonly cache?: RequestCache | undefined
    /** The name of a backend of Fastly Compute. */
    readonly backend?: unknown
    readonly signal?: AbortSignal | (() => AbortSignal) | undefined
  }
}

/** The service of a client; `undefined` for a client that does not say where it is. */
export function upstashService(client: UpstashClient): UpstashService | undefined {
  const service: unknown = Reflect.get(client, 'client')
  return isService(service) ? service : undefined
}

function isService(value: unknown): value is UpstashService {
  if (typeof value !== 'object' || value === null) return false
  const headers: unknown = Reflect.get(value, 'headers')
  return typeof Reflect.get(value, 'baseUrl') === 'string' && typeof headers === 'object' && headers !== null
}

/** As `SET … PX … NX`, but with the value as the last word. */
const setIfAbsent = "return redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[1], 'NX')"

/** A connection by Upstash's REST service. */
export class UpstashConnection implements RedisConnection {
  /** A database in several regions has replicas in all but one. */
  readonly readsReplicas = true
  readonly channelPrefix = ''
  readonly commandsWait = undefined
  readonly #service: UpstashService
  /** Names what this process has written, so that a replica which is behind does not answer. */
  #syncToken = ''

  constructor(service: UpstashService) {
    this.#service = service
  }

  async sendAll(commands: readonly RedisCommand[], read?: ReadOptions): Promise<readonly RedisReply[]> {
    // A batch is JSON, which has no bytes.
    if (commands.length === 1 || commands.some(([name]) => name === 'SET')) {
      return Promise.all(commands.map((command) => this.sendOne(command, read)))
    }
    try {
      const replies = await this.#ask('/pipeline', JSON.stringify(commands.map(sentAs)), read?.signal)
      // A request that is refused as a whole has one error.
      return commands.map((command, index) => replyIn(command, Array.isArray(replies) ? replies[index] : replies))
    } catch (error) {
      const thrown = errorReply(error)
      return commands.map(() => thrown)
    }
  }

  async sendOne(command: RedisCommand, read?: ReadOptions): Promise<RedisReply> {
    try {
      const reply = command[0] === 'SET' ? this.#write(command, read?.signal) : this.#ask('', JSON.stringify(sentAs(command)), read?.signal)
      return replyIn(command, await reply)
    } catch (error) {
      return errorReply(error)
    }
  }

  async *scan(prefix: string): AsyncGenerator<string[]> {
    yield* scanned(prefix, async (words) => {
      const reply = await this.#ask('', JSON.stringify(['SCAN', ...words]), undefined)
      const told = replyIn(undefined, reply)
      if (told.error !== undefined) throw told.error
      return told.value
    })
  }

  #write([, key, value, , milliseconds, condition]: RedisCommand & readonly ['SET', ...unknown[]], signal?: AbortSignal): Promise<unknown> {
    const words = condition === 'NX' ? ['EVAL', setIfAbsent, 1, key, milliseconds] : ['PSETEX', key, milliseconds]
    return this.#ask(words.map((word) => `/${encodeURIComponent(word)}`).join(''), new Uint8Array(value), signal)
  }

  /** The reply of the service, which is JSON. */
  async #ask(path: string, body: string | Uint8Array<ArrayBuffer>, signal: AbortSignal | undefined): Promise<unknown> {
    const { baseUrl, headers, readYourWrites, options = {} } = this.#service
    const { cache, backend, signal: clientSignal } = options
    const own = typeof clientSignal === 'function' ? clientSignal() : clientSignal
    const signals = [signal, own].filter((each) => each !== undefined)
    // Not an object of them: the client's own names differ in their case, and both values would be sent.
    const sent = new Headers(headers)
    sent.set('upstash-encoding', 'base64')
    if (readYourWrites !== false && this.#syncToken !== '') sent.set('upstash-sync-token', this.#syncToken)
    const response = await fetch(baseUrl + path, {
      method: 'POST',
      headers: sent,
      body,
      ...(cache !== undefined && { cache }),
      ...(backend !== undefined && { backend }),
      ...(signals.length > 0 && { signal: AbortSignal.any(signals) }),
    })
    this.#syncToken = response.headers.get('upstash-sync-token') ?? this.#syncToken
    const text = await response.text()
    try {
      return JSON.parse(text)
    } catch {
      throw new Error(`Unexpected HTTP status ${response.status}`)
    }
  }
}

/** The reply to one command: `{ result }` or `{ error }`. All texts are in base64, but for `OK`. */
function replyIn(command: RedisCommand | undefined, reply: unknown): RedisReply {
  const error: unknown = Reflect.get(Object(reply), 'error')
  if (typeof error === 'string') return { error: new Error(error) }
  if (!('result' in Object(reply))) return errorReply(undefined)
  const isBytes = command !== undefined && isValueReply(command)
  return { value: decoded(Reflect.get(Object(reply), 'result'), isBytes) }
}

function decoded(value: unknown, isBytes: boolean): unknown {
  if (Array.isArray(value)) return value.map((each) => decoded(each, isBytes))
  if (typeof value !== 'string') return value
  if (!isBytes && value === 'OK') return value
  const bytes = bytesIn(value)
  return isBytes ? bytes : new TextDecoder().decode(bytes)
}

function bytesIn(base64: string): Uint8Array {
  if (typeof Buffer === 'function') return Buffer.from(base64, 'base64')
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
}
