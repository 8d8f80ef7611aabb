/**
 * Makes the store at an address along with its client, which the store then owns and closes. The one place that loads a client by itself.
 * @module
 */
import { withoutContent } from '../base/foreign-error.ts'
import type { Finding } from '../base/finding.ts'
import { StoreError } from '../errors.ts'
import type { Store } from '../store.ts'
import type { StoreAddress } from './store-url.ts'

type DynamodbAddress = StoreAddress & { readonly kind: 'dynamodb' }

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
  const client = await redisClient(url)
  const { redisStore } = await import('../stores/redis/store.ts')
  const subscriber = client.duplicate({ enableOfflineQueue: true }).on('error', () => undefined)
  return owning(redisStore(client, { subscriber }), () => {
    client.disconnect()
    subscriber.disconnect()
  })
}

async function openDynamodb(address: DynamodbAddress): Promise<Store> {
  const client = await dynamodbClient(address)
  const { DynamoDBDocumentClient } = await installed('@aws-sdk/lib-dynamodb', () => import('@aws-sdk/lib-dynamodb'))
  const { dynamodbStore } = await import('../stores/dynamodb/store.ts')
  return owning(dynamodbStore(DynamoDBDocumentClient.from(client), { tableName: address.table }), () => client.destroy())
}

/** A client of Redis, set as we recommend. */
async function redisClient(url: string) {
  const { Redis: Client } = await installed('ioredis', () => import('ioredis'))
  // A command without an answer within two seconds has failed, and none waits for a lost connection.
  const client = new Client(url, { commandTimeout: 2_000, connectTimeout: 5_000, maxRetriesPerRequest: 1, enableOfflineQueue: false })
  // ioredis reports each attempt to connect that failed; the cache says once that Redis does not answer.
  return client.on('error', () => undefined)
}

/** A client of DynamoDB, set as we recommend. */
async function dynamodbClient({ region, endpoint }: DynamodbAddress) {
  const { DynamoDBClient: Client } = await installed('@aws-sdk/client-dynamodb', () => import('@aws-sdk/client-dynamodb'))
  return new Client({
    maxAttempts: 2,
    retryMode: 'standard',
    requestHandler: { connectionTimeout: 500 },
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
  })
}

/**
 * Examines the store at an address for what keeps a cache from working well. Makes a client of its own, and ends it.
 * @param key a name that holds nothing; it is used and removed again
 * @throws {StoreError} if the package of the store's client is not installed
 */
export async function examineStore(address: StoreAddress, key: string): Promise<Finding[]> {
  if (address.kind === 'redis') {
    const { examineRedis } = await import('../stores/redis/examination.ts')
    const client = await redisClient(address.url)
    try {
      return await examineRedis(client, { key, channel: key })
    } finally {
      client.disconnect()
    }
  }
  if (address.kind !== 'dynamodb') return []
  const client = await dynamodbClient(address)
  try {
    const { examineDynamodb } = await import('../stores/dynamodb/examination.ts')
    return await examineDynamodb(client, { tableName: address.table, key })
  } finally {
    client.destroy()
  }
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
