/**
 * The store's connection by a client of Valkey GLIDE 2, the package `@valkey/valkey-glide`. Clients are recognised by their shape, so nothing
 * of the package is imported.
 * @module
 */
import { errorReply, type RedisCommand, type RedisConnection, type RedisReply, wordsOf } from './connection.ts'
import { failure } from './failure.ts'
import { scanned } from './scan.ts'

/**
 * A client of Valkey GLIDE 2: `await GlideClient.createClient(…)` or `await GlideClusterClient.createClient(…)`.
 * The store does not change its settings and never closes it.
 */
export interface GlideClient {
  customCommand(words: (string | Buffer)[], options?: GlideOptions): Promise<unknown>
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

/** Commands whose reply is the value of a user. */
const valueCommands: ReadonlySet<unknown> = new Set(['GET', 'GETRANGE'])

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

  sendAll(commands: readonly RedisCommand[]): Promise<readonly RedisReply[]> {
    return Promise.all(commands.map((command) => this.sendOne(command)))
  }

  async sendOne(command: RedisCommand): Promise<RedisReply> {
    try {
      return { value: await this.#client.customCommand(wordsOf(command), valueCommands.has(command[0]) ? asBytes : asTexts) }
    } catch (error) {
      return errorReply(error)
    }
  }

  async *scan(prefix: string): AsyncGenerator<string[]> {
    for (const options of await this.#servers()) {
      yield* scanned(prefix, (words) => this.#client.customCommand(['SCAN', ...words].map(String), options))
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
      throw failure('read', Object(error))
    }
    return (Array.isArray(reply) ? reply : []).map((server: unknown) => ({ ...asTexts, route: routeTo(String(Reflect.get(Object(server), 'key'))) }))
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
