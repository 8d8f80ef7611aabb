import { afterAll, beforeAll } from 'vitest'
import { redisStore } from '../../../src/stores/redis/store.ts'
import { describeStore } from '../../contracts/store.ts'
import { RedisClock, slowed } from '../../support/redis-clients.ts'
import { clusterClients, firstOfEachPackage, type OpenClient, serverClients } from '../../support/redis-other-clients.ts'
import { type RedisCluster, type RedisServer, startRedis, startRedisCluster } from '../../support/redis-server.ts'

let server: RedisServer
let cluster: RedisCluster

beforeAll(async () => {
  ;[server, cluster] = await Promise.all([startRedis(), startRedisCluster()])
})
afterAll(() => Promise.all([server.stop(), cluster.stop()]))

const removeAll = "return redis.call('flushall')"

/** The store over an empty Redis, with what the suite needs. */
async function opened({ client, send, listener, close }: OpenClient, keyPrefix?: string) {
  await send(removeAll, '0')
  const subscriber = await listener?.()
  const store = redisStore(client, { ...(keyPrefix !== undefined && { keyPrefix }), ...(subscriber && { subscriber }) })
  return { store: slowed(store), clock: new RedisClock([send]), cleanup: () => void close() }
}

for (const { name, open } of serverClients) describeStore(name, async () => opened(await open(server)))
for (const { name, open } of clusterClients) describeStore(name, async () => opened(await open(cluster)))
for (const { name, open } of firstOfEachPackage) describeStore(`${name} with a prefix`, async () => opened(await open(server), 'app*:'))
for (const { name, open } of clusterClients) describeStore(`${name} with a prefix`, async () => opened(await open(cluster), 'app*:'))
