/**
 * Tells the clients of Redis apart by their shape, and makes the store's connection of each.
 * @module
 */
import { InvalidOptionError } from '../../errors.ts'
import type { RedisConnection } from './connection.ts'
import { GlideConnection, glideMethods, type GlideClient } from './glide.ts'
import { IoredisConnection, ioredisMethods, type IoredisClient } from './ioredis.ts'
import { NodeRedisConnection, nodeRedisMethods, nodeRedisPrefix, type NodeRedisClient } from './node-redis.ts'
import { prefixed } from './prefixed.ts'
import { UpstashConnection, upstashMethods, upstashService, type UpstashClient } from './upstash.ts'

/** A client that the store takes. */
export type RedisClient = IoredisClient | NodeRedisClient | UpstashClient | GlideClient

const allowed =
  'a client of ioredis 5 or 6 (new Redis() or new Cluster()), of node-redis 5 or 6 (createClient(), createClientPool(), createCluster() or ' +
  'createSentinel()), of @upstash/redis (new Redis()), or of Valkey GLIDE 2 (await GlideClient.createClient())'

/**
 * The store's connection by `client`.
 * @throws {InvalidOptionError} when the client is none of those that the store takes
 */
export function connectionBy(client: RedisClient): RedisConnection {
  if (isIoredis(client)) return new IoredisConnection(client)
  if (isNodeRedis(client)) return prefixed(new NodeRedisConnection(client), nodeRedisPrefix(client))
  if (isGlide(client)) return new GlideConnection(client)
  const service = isUpstash(client) ? upstashService(client) : undefined
  if (service !== undefined) return new UpstashConnection(service)
  throw new InvalidOptionError('client', client, allowed)
}

/** Whether `value` is a client of ioredis that sends commands. */
export function isIoredis(value: unknown): value is IoredisClient {
  return hasMethods(value, ioredisMethods)
}

/** Whether `value` is a client of node-redis 5 or 6. */
export function isNodeRedis(value: unknown): value is NodeRedisClient {
  return hasMethods(value, nodeRedisMethods) && 'isOpen' in value
}

/** Whether `value` is a client of GLIDE. */
export function isGlide(value: unknown): value is GlideClient {
  return hasMethods(value, glideMethods)
}

function isUpstash(value: unknown): value is UpstashClient {
  return hasMethods(value, upstashMethods)
}

function hasMethods(value: unknown, methods: readonly string[]): value is object {
  return typeof value === 'object' && value !== null && methods.every((name) => typeof Reflect.get(value, name) === 'function')
}
