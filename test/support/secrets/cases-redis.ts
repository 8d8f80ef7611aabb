/**
 * Cases of the store in Redis: a real server that asks for a password, refuses, lacks a command, hangs or is gone.
 * @module
 */
import { Redis } from 'ioredis'
import { redisStore } from '../../../src/stores/redis/store.ts'
import { RedisChannels, type RedisSubscriber } from '../../../src/stores/redis/channels.ts'
import { failure, sendAll, scanAll, type RedisClient } from '../../../src/stores/redis/client.ts'
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
function replying(reply: () => unknown, status = 'ready'): RedisClient {
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

export const redisCases: Cases = {
  'src/stores/redis/store.ts': [
    refusedBy('no client', () => redisStore(mistaken(`redis://:${password}@host`))),
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
  'src/stores/redis/channels.ts': [
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
        const subscriber: RedisSubscriber = mistaken({
          status: 'ready',
          on() {},
          off() {},
          subscribe: () => Promise.reject(replyError(`NOPERM ${password}`)),
          unsubscribe: async () => {},
        })
        const reports = new Reports(replying(() => null))
        reports.sendTo((message, cause) => issuer.keep('report', [message, cause]))
        new RedisChannels(subscriber, (error) => reports.cannotListen(Object(error))).listen(prompt, { heard() {}, missed() {} })
        await settle()
      },
    },
  ],
  'src/stores/redis/client.ts': [
    refusedBy('a replica behind Sentinels', () => {
      const options = { sentinels: [{ host: 'h', password }], role: 'slave', password }
      return redisStore({ ...replying(() => null), options })
    }),
    ...[
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
    {
      name: 'replies that are none',
      async run(issuer) {
        const two = [
          ['getBuffer', prompt],
          ['getBuffer', prompt],
        ] as const
        for (const reply of [() => null, () => [prompt], () => [[prompt, prompt]], () => Promise.reject(mistaken(prompt))]) {
          issuer.keep(
            'replies',
            (await sendAll(replying(reply), two)).map(({ error }) => error && failure('read', error)),
          )
          issuer.keep(
            'replies',
            (await sendAll(replying(reply), two.slice(0, 1))).map(({ error }) => error && failure('read', error)),
          )
        }
        for (const status of ['end', 'close'])
          issuer.keep(
            'replies',
            await sendAll(
              replying(() => null, status),
              two,
            ),
          )
        for (const reply of [() => prompt, () => Promise.reject(replyError(password))]) {
          await issuer.refused(() => Array.fromAsync(scanAll(replying(reply), prompt)))
        }
      },
    },
  ],
  'src/stores/redis/reports.ts': [
    {
      name: 'a person has to act',
      run(issuer) {
        const reports = new Reports(replying(() => null))
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
