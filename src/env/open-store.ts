/**
 * Makes the store at an address along with its client, which the store then owns and closes. The one place that loads a client by itself.
 * @module
 */
import { withoutContent } from '../base/foreign-error.ts'
import { StoreError } from '../errors.ts'
import type { Store } from '../store.ts'
import type { StoreAddress } from './store-url.ts'

/**
 * The store at an address; `undefined` for memory alone.
 * @throws {StoreError} if the package of its client is not installed
 */
export async function openStore(address: StoreAddress): Promise<Store | undefined> {
  if (address.kind === 'memory') return undefined
  if (address.kind === 'sqlite') return (await import('../stores/sqlite/store.ts')).sqliteStore(address.path)
  return address.kind === 'redis' ? openRedis(address.url) : openDynamodb(address)
}

async function openRedis(url: string): Promise<Store> {
  const { Redis } = await installed('ioredis', () => import('ioredis'))
  const { redisStore } = await import('../stores/redis/store.ts')
  // A command without an answer within two seconds has failed, and none waits for a lost connection.
  const client = new Redis(url, { commandTimeout: 2_000, connectTimeout: 5_000, maxRetriesPerRequest: 1, enableOfflineQueue: false })
  const subscriber = client.duplicate({ enableOfflineQueue: true })
  // ioredis reports each attempt to connect that failed; the cache says once that Redis does not answer.
  for (const each of [client, subscriber]) each.on('error', () => undefined)
  return owning(redisStore(client, { subscriber }), () => {
    client.disconnect()
    subscriber.disconnect()
  })
}

async function openDynamodb({ table, region, endpoint }: StoreAddress & { readonly kind: 'dynamodb' }): Promise<Store> {
  const { DynamoDBClient } = await installed('@aws-sdk/client-dynamodb', () => import('@aws-sdk/client-dynamodb'))
  const { DynamoDBDocumentClient } = await installed('@aws-sdk/lib-dynamodb', () => import('@aws-sdk/lib-dynamodb'))
  const { dynamodbStore } = await import('../stores/dynamodb/store.ts')
  const client = new DynamoDBClient({
    maxAttempts: 2,
    retryMode: 'standard',
    requestHandler: { connectionTimeout: 500 },
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
  })
  return owning(dynamodbStore(DynamoDBDocumentClient.from(client), { tableName: table }), () => client.destroy())
}

/** The store, which also ends its client when it is closed. */
function owning(store: Store, end: () => void): Store {
  const close = store.close?.bind(store)
  return Object.defineProperty(store, 'close', {
    value: async () => {
      await close?.()
      end()
    },
  })
}

async function installed<Module>(name: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load()
  } catch (cause) {
    throw new StoreError(`the store needs the package "${name}": npm install ${name}`, { cause: withoutContent(cause) })
  }
}
