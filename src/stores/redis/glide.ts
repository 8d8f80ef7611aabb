/**
 * The store's connection by a client of Valkey GLIDE 2, the package `@valkey/valkey-glide`. Clients are recognised by their shape, so nothing
 * of the package is imported.
 * @module
 */
import { errorReply, isValueReply, type RedisCommand, type RedisConnection, type RedisReply, wordsOf } from './connection.ts'
import { failure } from './failure.ts'
import { scanned } from './scan.ts'

/**
 * A client of Valkey GLIDE 2: `await GlideClient.createClient(…)` or `await GlideClusterClient.createClient(…)`.
 * The store does not change its settings and never closes it.
 */
export interface GlideClient {
  customCommand(words: (string | Buffer)[], options?: object): Promise<unknown>
  getPubSubMessage(): Promise<{ readonly message: unknown; readonly channel: unknown }>
  subscribe(channels: string[], timeoutMs: number): Promise<unknown>
  unsubscribe(channels: string[], timeoutMs: number): Promise<unknown>
  close(): void
}

/** How a command is sent, and its reply read. */
interface GlideOptions {
  readonly decoder?: number
  readonly route?: GlideRoute
}

type GlideRoute = 'allPrimaries' | { readonly type: 'routeByAddress'; readonly host: string; readonly port: number }

/** The methods by which a client of GLIDE is known. */
export const glideMethods = ['customCommand', 'getPubSubMessage', 'subscribe', 'unsubscribe', 'close'] as const

/** Values of its enum `Decoder`. */
const asBytes = { decoder: 0 }
const asTexts = { decoder: 1 }

/** A client refuses commands beyond its `inflightRequestsLimit`, which is 1000 by default. */
const commandsPerRoundTrip = 500

/** A connection by a client of GLIDE. It sends whatever is called in one turn in one round trip, and gives commands up by itself. */
export class GlideConnection implements RedisConnection {
  /** Whether it reads from replicas, a client does not say. */
  readonly readsReplicas = true
  readonly channelPrefix = ''
  readonly commandsWait = undefined
  readonly #client: GlideClient

  constructor(client: GlideClient) {
    this.#client = client
  }

  async sendAll(commands: readonly RedisCommand[]): Promise<readonly RedisReply[]> {
    const replies: RedisReply[] = []
    for (let start = 0; start < commands.length; start += commandsPerRoundTrip) {
      const sent = commands.slice(start, start + commandsPerRoundTrip).map((command) => this.sendOne(command))
      replies.push(...(await Promise.all(sent)))
    }
    return replies
  }

  async sendOne(command: RedisCommand): Promise<RedisReply> {
    try {
      return { value: await this.#client.customCommand(wordsOf(command), isValueReply(command) ? asBytes : asTexts) }
    } catch (error) {
      return errorReply(asOfRedis(error))
    }
  }

  async *scan(prefix: string): AsyncGenerator<string[]> {
    for (const options of await this.#servers()) {
      yield* scanned(prefix, (words) => this.#client.customCommand(['SCAN', ...words].map(String), options).catch(rethrown))
    }
  }

  /** How to reach each server with keys of its own. */
  async #servers(): Promise<readonly GlideOptions[]> {
    if (!isCluster(this.#client)) return [asTexts]
    let reply: unknown
    try {
      // Any command that is not summed up would do: the reply names each server by its address.
      reply = await this.#client.customCommand(['CLUSTER', 'MYID'], { ...asTexts, route: 'allPrimaries' })
    } catch (error) {
      throw failure('read', Object(asOfRedis(error)))
    }
    const servers: readonly unknown[] = Array.isArray(reply) ? reply : []
    return servers.map((server) => ({ decoder: asTexts.decoder, route: routeTo(String(Reflect.get(Object(server), 'key'))) }))
  }
}

/** Only a cluster has channels of its shards. */
function isCluster(client: GlideClient): boolean {
  return 'ssubscribe' in client
}

/** The route to a server at `host:port`, whose host may be an IPv6 address. */
function routeTo(address: string): GlideRoute {
  const colon = address.lastIndexOf(':')
  return { type: 'routeByAddress', host: address.slice(0, colon), port: Number(address.slice(colon + 1)) }
}

/** The client's own names for codes of errors of the server. Others it leaves as they are. */
const codeByName: Readonly<Record<string, string>> = {
  ResponseError: 'ERR',
  PermissionDenied: 'NOPERM',
  AuthenticationFailed: 'WRONGPASS',
  ReadOnly: 'READONLY',
  BusyLoadingError: 'LOADING',
  ClusterDown: 'CLUSTERDOWN',
  MasterDown: 'MASTERDOWN',
}

/** An error with the server's own code at the beginning of its message. */
function asOfRedis(error: unknown): unknown {
  const [, name = '', message = ''] =
    /^An error was signalled by the server: - (\w+): (.*)$/s.exec(String(Reflect.get(Object(error), 'message'))) ?? []
  const code = codeByName[name]
  return code === undefined ? error : new Error(`${code} ${message}`, { cause: error })
}

function rethrown(error: unknown): never {
  throw asOfRedis(error)
}
