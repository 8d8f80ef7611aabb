/**
 * Clients of Redis other than ioredis, each over one server or over a cluster.
 * @module
 */
import { createClient, createClientPool, createCluster } from 'redis'
import { createClient as createClient5, createClientPool as createClientPool5, createCluster as createCluster5 } from 'redis5'
import { Redis as Upstash } from '@upstash/redis'
import { GlideClient, GlideClusterClient, Logger } from '@valkey/valkey-glide'
import type { NodeRedisCluster, NodeRedisServer, RedisClient, RedisSubscriber } from '../../src/stores/redis/store.ts'
import { versionOf } from './packed.ts'
import type { RedisCluster, RedisServer } from './redis-server.ts'
import { startUpstash } from './upstash-server.ts'

type Address = Pick<RedisServer, 'host' | 'port'>

/** A client with what a test needs besides. */
export interface OpenClient {
  readonly client: RedisClient
  /** Sends a script without keys to each server, before whatever the store sends next. */
  readonly send: (script: string, milliseconds: string) => unknown
  /** A client of the same kind that only listens. */
  readonly listener?: () => Promise<RedisSubscriber>
  readonly close: () => unknown
}

/** A kind of client, by the name and version of its package. */
export interface ClientKind {
  readonly name: string
  readonly open: (server: Address) => Promise<OpenClient>
}

// GLIDE writes whatever a server refuses, with the words of the command, to the console.
Logger.init('off')

const url = ({ host, port }: Address): string => `redis://${host}:${port}`
const evaluation = (script: string, milliseconds: string): string[] => ['EVAL', script, '0', milliseconds]

/** What the tests use of any client of node-redis. */
type NodeRedisConnection = NodeRedisServer & { readonly isOpen: boolean; destroy(): void }

function nodeRedis<Client extends NodeRedisConnection>(
  name: string,
  create: (options: { url: string; socket: { reconnectStrategy: number } }) => Client,
  asListener?: (client: Client) => RedisSubscriber,
): ClientKind {
  return {
    name,
    async open(server) {
      const open: NodeRedisConnection[] = []
      const made = (): Client => {
        const client = create({ url: url(server), socket: { reconnectStrategy: 5 } })
        open.push(client)
        return client
      }
      const client = made()
      await client.connect()
      return {
        client,
        send: (script, milliseconds) => client.sendCommand(evaluation(script, milliseconds)),
        ...(asListener && { listener: async () => asListener(made()) }),
        close: () => open.forEach((each) => each.isOpen && each.destroy()),
      }
    },
  }
}

const [newest, older] = [`redis ${versionOf('redis')}`, `redis ${versionOf('redis5')}`]
const oneConnection = { minimum: 1, maximum: 1 }

/** Clients of one server. */
export const serverClients: readonly ClientKind[] = [
  nodeRedis(
    newest,
    (options) => createClient(options),
    (client) => client,
  ),
  nodeRedis(
    `${newest}, RESP2`,
    (options) => createClient({ ...options, RESP: 2 }),
    (client) => client,
  ),
  nodeRedis(
    older,
    (options) => createClient5(options),
    (client) => client,
  ),
  nodeRedis(
    `${older}, RESP3`,
    (options) => createClient5({ ...options, RESP: 3 }),
    (client) => client,
  ),
  nodeRedis(`${newest}, pool`, (options) => createClientPool(options, oneConnection)),
  nodeRedis(`${older}, pool`, (options) => createClientPool5(options, oneConnection)),
  {
    name: `@upstash/redis ${versionOf('@upstash/redis')}`,
    async open(server) {
      const service = await startUpstash(server)
      const { token, send } = service
      return { client: new Upstash({ url: service.url, token, enableTelemetry: false }), send, close: () => service.stop() }
    },
  },
  {
    name: `@valkey/valkey-glide ${versionOf('@valkey/valkey-glide')}`,
    async open({ host, port }) {
      const open: GlideClient[] = []
      const made = async (): Promise<GlideClient> => {
        const client = await GlideClient.createClient({ addresses: [{ host, port }], requestTimeout: 2_000 })
        open.push(client)
        return client
      }
      const client = await made()
      return {
        client,
        send: (script, milliseconds) => client.customCommand(evaluation(script, milliseconds)),
        listener: made,
        close: () => open.forEach((each) => each.close()),
      }
    },
  },
]

interface ClusterKind {
  readonly name: string
  readonly open: (cluster: RedisCluster) => Promise<OpenClient>
}

interface NodeRedisClusterConnection extends NodeRedisCluster {
  destroy(): void
}

function nodeRedisCluster(name: string, create: (options: { rootNodes: { url: string }[] }) => NodeRedisClusterConnection): ClusterKind {
  return {
    name,
    async open({ nodes }) {
      const client = create({ rootNodes: nodes.map((node) => ({ url: url(node) })) })
      await client.connect()
      const servers = await Promise.all(client.masters.map((master) => client.nodeClient(master)))
      return {
        client,
        send: (script, milliseconds) =>
          Promise.all(servers.filter(isServer).map((server) => server.sendCommand(evaluation(script, milliseconds)))),
        close: () => client.destroy(),
      }
    },
  }
}

function isServer(value: unknown): value is NodeRedisServer {
  return typeof Reflect.get(Object(value), 'sendCommand') === 'function'
}

/** Clients of a cluster. */
export const clusterClients: readonly ClusterKind[] = [
  nodeRedisCluster(`${newest}, cluster`, (options) => createCluster(options)),
  nodeRedisCluster(`${older}, cluster`, (options) => createCluster5(options)),
  {
    name: `@valkey/valkey-glide ${versionOf('@valkey/valkey-glide')}, cluster`,
    async open({ nodes }) {
      const addresses = nodes.map(({ host, port }) => ({ host, port }))
      const client = await GlideClusterClient.createClient({ addresses, requestTimeout: 2_000 })
      let sent: Promise<unknown> = Promise.resolve()
      // What goes to all servers takes this client longer than what goes to one, and what is sent later overtakes it.
      const inTurn: RedisClient = new Proxy(client, {
        get(target, name) {
          if (name !== 'customCommand') return Reflect.get(target, name)
          return async (...given: Parameters<typeof client.customCommand>) => {
            await sent
            return target.customCommand(...given)
          }
        },
      })
      return {
        client: inTurn,
        send: (script, milliseconds) => (sent = client.customCommand(evaluation(script, milliseconds), { route: 'allPrimaries' })),
        close: () => client.close(),
      }
    },
  },
]

/** One client of each package. */
export const firstOfEachPackage: readonly ClientKind[] = [newest, '@upstash/redis', '@valkey/valkey-glide'].flatMap(
  (name) => serverClients.find((kind) => kind.name.startsWith(name)) ?? [],
)
