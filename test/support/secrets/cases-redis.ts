/**
 * Cases of the store in Redis: a real server that asks for a password, refuses, lacks a command, hangs or is gone.
 * @module
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { Redis } from 'ioredis'
import { redisStore } from '../../../src/stores/redis/store.ts'
import { RedisChannels } from '../../../src/stores/redis/channels.ts'
import { failure } from '../../../src/stores/redis/failure.ts'
import { GlideConnection, type GlideClient } from '../../../src/stores/redis/glide.ts'
import { IoredisConnection, type IoredisClient } from '../../../src/stores/redis/ioredis.ts'
import { NodeRedisConnection, type NodeRedisClient } from '../../../src/stores/redis/node-redis.ts'
import { UpstashConnection } from '../../../src/stores/redis/upstash.ts'
import { earOf, type IoredisSubscriber } from '../../../src/stores/redis/subscribers.ts'
import { Reports } from '../../../src/stores/redis/reports.ts'
import { answer, question, settle } from '../chat.ts'
import { startRedis } from '../redis-server.ts'
import type { Cases, Issuer, SecretCase } from './issuer.ts'
import { keyBytes, secret } from './marker.ts'
import { mistaken } from './mistaken.ts'

const password = secret('password')
const prompt = secret('prompt')
const bytes = new TextEncoder().encode(secret('answer'))
const refusedBy = (name: string, action: () => unknown): SecretCase => ({ name, run: (issuer) => issuer.refused(action) })

/** A client by a URL that has the password in it. It gives up at once. */
function connected(port: number, secretWord: string): Redis {
  const client = new Redis(`redis://:${secretWord}@127.0.0.1:${port}/0`, {
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    lazyConnect: true,
  })
  client.on('error', () => {})
  return client
}

/** Runs `use` with a server that asks for the password. */
async function withServer(use: (port: number) => Promise<void>): Promise<void> {
  const server = await startRedis({ requirepass: password })
  try {
    await use(server.port)
  } finally {
    await server.stop()
  }
}

/** A cache over this client: each kind of use, and each method of its store. */
async function useClient(issuer: Issuer, client: Redis): Promise<void> {
  const subscriber = client.duplicate()
  subscriber.on('error', () => {})
  const store = redisStore(client, { subscriber, maxValueBytes: 1_000 })
  const cache = issuer.cache({ store, encryption: { keys: { a: keyBytes }, current: 'a' }, maxMemoryBytes: 0, sharedFlights: true })
  for (let time = 0; time < 2; time++) {
    await issuer.outcome(async () => void (await cache.lookup(question(prompt))))
    await issuer.outcome(() => cache.store(question(prompt), answer(secret('answer').repeat(100))))
    await cache.flush()
  }
  await issuer.outcome(() => cache.delByPattern(`${prompt}*`))
  await issuer.outcome(() => cache.invalidate({ all: true }))
  await issuer.outcome(() => store.set(prompt, bytes, { ttl: 1_000 }))
  await issuer.outcome(async () => void (await store.lease?.(prompt, secret('token'), { ttl: 1_000 })))
  await issuer.outcome(() => store.release?.(prompt, secret('token')))
  await issuer.outcome(() => store.publish?.(prompt, secret('token')))
  await issuer.outcome(() => store.delete(prompt))
  await cache.close()
  client.disconnect()
  subscriber.disconnect()
}

/** A client that gives these replies. */
function replying(reply: () => unknown, status = 'ready'): IoredisClient {
  const command = async (): Promise<unknown> => reply()
  const names = ['getBuffer', 'getrangeBuffer', 'set', 'unlink', 'del', 'publish', 'eval', 'scan', 'get', 'subscribe']
  return mistaken({
    status,
    options: { password },
    pipeline: () => ({ exec: command }),
    ...Object.fromEntries(names.map((name) => [name, command])),
  })
}

/** As ioredis and the server make them: with the command, and with a message that repeats it. */
function replyError(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError', command: { name: 'set', args: [prompt, secret('answer'), password] } })
}

/** A service that answers everything with this text. */
async function withService(body: string, use: (connection: UpstashConnection) => Promise<void>): Promise<void> {
  const server = createServer((request, response) => {
    request.resume()
    response.writeHead(400).end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const port: unknown = Reflect.get(Object(server.address()), 'port')
  try {
    await use(new UpstashConnection({ baseUrl: `http://127.0.0.1:${String(port)}`, headers: { authorization: `Bearer ${password}` } }))
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

export const redisCases: Cases = {
  'src/stores/redis/store.ts': [
    refusedBy('no client', () => redisStore(mistaken(`redis://:${password}@host`))),
    refusedBy('a prefix', () =>
      redisStore(
        replying(() => null),
        { keyPrefix: mistaken({ password }) },
      ),
    ),
    refusedBy('an option', () =>
      redisStore(
        replying(() => null),
        mistaken({ password }),
      ),
    ),
    {
      name: 'keys and TTLs that it cannot keep',
      async run(issuer) {
        const store = redisStore(replying(() => null))
        await issuer.refused(() => store.set(`${prompt}\uD800`, bytes, { ttl: 1 }))
        await issuer.refused(() => store.set(prompt, bytes, { ttl: 0.5 }))
      },
    },
    {
      name: 'another value that is gone again',
      run: (issuer) => issuer.refused(() => redisStore(replying(() => null)).setIfAbsent?.(prompt, bytes, { ttl: 100 })),
    },
    { name: 'a server that works', run: (issuer) => withServer((port) => useClient(issuer, connected(port, password))) },
    {
      name: 'a server that refuses the password',
      run: (issuer) => withServer((port) => useClient(issuer, connected(port, `${password}-old`))),
    },
    { name: 'no server', run: (issuer) => useClient(issuer, connected(1, password)) },
  ],
  'src/stores/redis/large-values.ts': [
    refusedBy('too many chunks', () =>
      redisStore(
        replying(() => 'OK'),
        { maxValueBytes: 1 },
      ).set(prompt, new Uint8Array(300_000), { ttl: 1_000 }),
    ),
  ],
  'src/stores/redis/clients.ts': [
    refusedBy('a client of another kind', () => redisStore(mistaken({ url: `redis://:${password}@host`, createScript() {} }))),
  ],
  'src/stores/redis/subscribers.ts': [
    {
      name: 'the client itself',
      run: (issuer) => {
        const client = new Redis({ lazyConnect: true, password })
        return issuer.refused(() => redisStore(client, { subscriber: client }))
      },
    },
    {
      name: 'a channel that is refused',
      async run(issuer) {
        const subscriber: IoredisSubscriber = mistaken({
          status: 'ready',
          on() {},
          off() {},
          subscribe: () => Promise.reject(replyError(`NOPERM ${password}`)),
          unsubscribe: async () => {},
        })
        const reports = new Reports(new IoredisConnection(replying(() => null)))
        reports.sendTo((message, cause) => issuer.keep('report', [message, cause]))
        new RedisChannels(earOf(subscriber, {}), (error) => reports.cannotListen(Object(error))).listen(prompt, { heard() {}, missed() {} })
        await settle()
      },
    },
  ],
  'src/stores/redis/failure.ts': [
    'ERR unknown command, with args beginning with: ',
    'WRONGPASS invalid',
    'NOAUTH Authentication required ',
    'NOPERM ',
    'Connection is closed ',
    '',
    `${password.toUpperCase()} `,
    secret('password').replaceAll(/[a-z\d]/g, ''),
  ].map((beginning, index) => ({
    name: `an error ${index}`,
    run(issuer: Issuer) {
      for (const name of ['Error', password]) {
        const error = Object.assign(replyError(`${beginning}${password} ${prompt}`), { code: password, name })
        issuer.keep('thrown', failure('read', error))
      }
    },
  })),
  'src/stores/redis/ioredis.ts': [
    refusedBy('a replica behind Sentinels', () => {
      const options = { sentinels: [{ host: 'h', password }], role: 'slave', password }
      return redisStore({ ...replying(() => null), options })
    }),
    {
      name: 'replies that are none',
      async run(issuer) {
        const two = [
          ['GET', prompt],
          ['GET', prompt],
        ] as const
        for (const reply of [() => null, () => [prompt], () => [[prompt, prompt]], () => Promise.reject(mistaken(prompt))]) {
          issuer.keep(
            'replies',
            (await new IoredisConnection(replying(reply)).sendAll(two)).map(({ error }) => error && failure('read', error)),
          )
          issuer.keep(
            'replies',
            (await new IoredisConnection(replying(reply)).sendAll(two.slice(0, 1))).map(({ error }) => error && failure('read', error)),
          )
        }
        for (const status of ['end', 'close'])
          issuer.keep('replies', await new IoredisConnection(replying(() => null, status)).sendAll(two))
      },
    },
  ],
  'src/stores/redis/scan.ts': [
    {
      name: 'pages that are none',
      async run(issuer) {
        for (const reply of [() => prompt, () => Promise.reject(replyError(password))]) {
          await issuer.refused(() => Array.fromAsync(new IoredisConnection(replying(reply)).scan(prompt)))
        }
      },
    },
  ],
  'src/stores/redis/connection.ts': [
    {
      name: 'an error that is none',
      async run(issuer) {
        const [reply] = await new IoredisConnection(replying(() => Promise.reject(mistaken(prompt)))).sendAll([['GET', prompt]])
        issuer.keep('replies', reply?.error && failure('read', reply.error))
      },
    },
  ],
  'src/stores/redis/node-redis-state.ts': [
    {
      name: 'a client without a connection',
      async run(issuer) {
        for (const [isOpen, isReady] of [
          [false, false],
          [true, false],
        ]) {
          const client: NodeRedisClient = mistaken({
            isOpen,
            isReady,
            options: { password },
            on: (event: string, listener: () => void) => event === 'error' && listener(),
            connect: async () => {},
            sendCommand: () => Promise.reject(replyError(password)),
          })
          const { error } = await new NodeRedisConnection(client).sendOne(['GET', prompt])
          issuer.keep('replies', error && failure('read', error))
        }
      },
    },
  ],
  'src/stores/redis/glide.ts': [
    {
      name: 'errors of the server and of the client',
      async run(issuer) {
        for (const message of [
          `An error was signalled by the server: - ResponseError: unknown command, with args beginning with: '${prompt}'`,
          `An error was signalled by the server: - PermissionDenied: ${prompt}`,
          password,
        ]) {
          const client: GlideClient = mistaken({ customCommand: () => Promise.reject(replyError(message)), ssubscribe() {} })
          const { error } = await new GlideConnection(client).sendOne(['GET', prompt])
          issuer.keep('replies', error && failure('read', error))
          await issuer.refused(() => Array.fromAsync(new GlideConnection(client).scan(prompt)))
          const single: GlideClient = mistaken({ customCommand: () => Promise.reject(replyError(message)) })
          await issuer.refused(() => Array.fromAsync(new GlideConnection(single).scan(prompt)))
        }
      },
    },
  ],
  'src/stores/redis/upstash.ts': [
    {
      name: 'a service that is away, and answers that are no replies',
      async run(issuer) {
        const away = new UpstashConnection({ baseUrl: 'http://127.0.0.1:1', headers: { authorization: `Bearer ${password}` } })
        await withService(`{"error":"ERR ${prompt} ${password}"}`, async (refusing) => {
          await withService(`<html>${prompt}`, async (broken) => {
            for (const connection of [away, refusing, broken]) {
              const replies = await connection.sendAll([
                ['GET', prompt],
                ['UNLINK', prompt],
              ])
              for (const { error } of replies.concat(await connection.sendOne(['SET', prompt, bytes, 'PX', 1_000])))
                issuer.keep('replies', error && failure('read', error))
              await issuer.refused(() => Array.fromAsync(connection.scan(prompt)))
            }
          })
        })
      },
    },
  ],
  'src/stores/redis/reports.ts': [
    {
      name: 'a person has to act',
      run(issuer) {
        const reports = new Reports(new IoredisConnection(replying(() => null)))
        reports.sendTo((message, cause) => issuer.keep('report', [message, cause]))
        for (const code of ['NOAUTH', 'WRONGPASS', 'NOPERM']) reports.failure('read', replyError(`${code} ${password}`))
        reports.cannotListen(replyError(password))
        const controller = new AbortController()
        reports.watch({ signal: controller.signal })
        controller.abort(new Error(prompt))
        reports.watch({})
      },
    },
  ],
  'src/stores/redis/strings.ts': [
    {
      name: 'a key of another application',
      run: (issuer) =>
        withServer(async (port) => {
          const client = connected(port, password)
          const store = redisStore(client)
          store.onReport?.((message, cause) => issuer.keep('report', [message, cause]))
          await client.lpush('foreign', prompt)
          await issuer.outcome(() => store.get('foreign'))
          await issuer.outcome(() => store.delete('foreign'))
          client.disconnect()
        }),
    },
  ],
}
