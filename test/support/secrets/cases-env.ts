/**
 * Cases of a cache of the environment: a secret as the value of each variable, and in the name of one.
 * @module
 */
import { registerHooks } from 'node:module'
import { createCacheFromEnv } from '../../../src/env/env.ts'
import type { openStore } from '../../../src/env/open-store.ts'
import { variableNames } from '../../../src/env/options.ts'
import { question } from '../chat.ts'
import type { Cases, Issuer } from './issuer.ts'
import { secret } from './marker.ts'
import { mistaken } from './mistaken.ts'

const password = secret('password')
const token = `sk-${secret('token')}`
const names = [
  ...variableNames,
  'CACHE_TTL_QA',
  'REDIS_URL',
  'DRAGONFLY_URL',
  'DYNAMODB_TABLE',
  'MEMORY_CACHE_SIZE',
  'LOG_LEVEL',
  'ENABLE_OTEL',
]

/** Addresses of stores that have a password in them, and that cannot be. */
const addresses = [
  `${password}!`,
  `redis//user:${password}@host`,
  `redis://user:${password}@`,
  `redis://user:${password}%zz@127.0.0.1:1`,
  `redis://%zz:${password}@127.0.0.1:1`,
  `redis://user:${password}@ho%zzst:1`,
  `redis://user:${password}@127.0.0.1:99999`,
  `http://user:${password}@host`,
  `dynamodb://${password}%zz`,
  `dynamodb://table?token=${password}`,
  `dynamodb://table?endpoint=${password}`,
  `dynamodb://user:${password}@table`,
]

/** What a cache of these variables says, or why there is none. What it says of calls is kept too. */
async function cacheOf(issuer: Issuer, variables: Readonly<Record<string, string>>): Promise<void> {
  await issuer.console(async () => {
    try {
      const cache = issuer.watched(await createCacheFromEnv(variables))
      await cache.lookup(question(secret('prompt')))
      await cache.close()
    } catch (error) {
      issuer.keep('thrown', error)
    }
    issuer.keep('asked', true)
  })
}

/** Loads the part that makes stores again, as if a package were not installed. */
async function withoutPackage(issuer: Issuer, missing: string, address: Parameters<typeof openStore>[0]): Promise<void> {
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      if (specifier === missing) throw Object.assign(new Error(`no ${password}`), { code: 'ERR_MODULE_NOT_FOUND' })
      return next(specifier, context)
    },
  })
  try {
    // What was loaded before is remembered, so another copy of the module is asked.
    const again = `../../../src/env/open-store.ts?without=${encodeURIComponent(missing)}`
    const { openStore: open }: { openStore: typeof openStore } = await import(again)
    await issuer.refused(() => open(address))
  } finally {
    hooks.deregister()
  }
}

/** The cases of these files. */
export const envCases: Cases = {
  'src/env/reader.ts': [
    { name: 'a text in place of an environment', run: (issuer) => issuer.refused(() => createCacheFromEnv(mistaken(token))) },
    {
      name: 'a variable is no text',
      run: (issuer) => issuer.refused(() => createCacheFromEnv(mistaken({ CACHE_STORE: { password } }))),
    },
  ],
  'src/env/env.ts': [
    {
      name: 'all variables are secrets at once',
      run: (issuer) => issuer.refused(() => createCacheFromEnv(Object.fromEntries(names.map((name) => [name, token])))),
    },
    ...addresses.flatMap((address) =>
      ['CACHE_STORE', 'REDIS_URL', 'CACHE_TABLE'].map((name) => ({
        name: `${name} is ${address.replaceAll(password, '…')}`,
        run: (issuer: Issuer) => issuer.refused(() => createCacheFromEnv({ [name]: address })),
      })),
    ),
    ...[`?password=${password}`, `/${password}%zz`].map((end) => ({
      name: `a Redis that is not there ${end.slice(0, 3)}`,
      run: (issuer: Issuer) => cacheOf(issuer, { REDIS_URL: `redis://user:${password}@127.0.0.1:1${end}` }),
    })),
    {
      name: 'stores that differ',
      run: (issuer) => issuer.refused(() => createCacheFromEnv({ REDIS_URL: `redis://:${password}@host`, CACHE_TABLE: 'table' })),
    },
    {
      name: 'no OpenTelemetry',
      async run(issuer) {
        const hooks = registerHooks({
          resolve(specifier, context, next) {
            if (specifier === '@opentelemetry/api') throw Object.assign(new Error(`no ${password}`), { code: 'ERR_MODULE_NOT_FOUND' })
            return next(specifier, context)
          },
        })
        try {
          const again = '../../../src/env/env.ts?without=otel'
          const { createCacheFromEnv: make }: { createCacheFromEnv: typeof createCacheFromEnv } = await import(again)
          await issuer.refused(() => make({ ENABLE_OTEL: 'true', CACHE_NAMESPACE: token }))
        } finally {
          hooks.deregister()
        }
      },
    },
    {
      name: 'what only the cache refuses',
      run: (issuer) => issuer.refused(() => createCacheFromEnv({ CACHE_SCOPE: `${password}\uD800`, CACHE_NAMESPACE: token })),
    },
    {
      name: 'ids of keys that are secrets, and keys that are wrong',
      async run(issuer) {
        const key = 'ab'.repeat(32)
        for (const given of [`${token}:${token}`, token, `${key}:${token}`, `a:${key},${token}`, `${token.repeat(3)}:${key}`]) {
          await cacheOf(issuer, { CACHE_ENCRYPTION_KEYS: given })
        }
      },
    },
    {
      name: 'names of variables that are secrets',
      async run(issuer) {
        await cacheOf(issuer, { [`CACHE_TTL_${password}`]: '-1' })
        await cacheOf(issuer, { [`CACHE_MODE${password.slice(0, 12)}`]: token })
        await cacheOf(issuer, { CACHE_NAMESPASE: token })
      },
    },
  ],
  'src/env/open-store.ts': [
    { name: 'no ioredis', run: (issuer) => withoutPackage(issuer, 'ioredis', { kind: 'redis', url: `redis://:${password}@127.0.0.1:1` }) },
    ...['@aws-sdk/client-dynamodb', '@aws-sdk/lib-dynamodb'].map((name) => ({
      name: `no ${name}`,
      run: (issuer: Issuer) =>
        withoutPackage(issuer, name, { kind: 'dynamodb', table: 'table', endpoint: `http://:${password}@127.0.0.1:1` }),
    })),
  ],
  'src/env/options.ts': [
    {
      name: 'a logger of trouble only',
      async run(issuer) {
        const variables = { LOG_LEVEL: 'warn', REDIS_URL: `redis://user:${password}@127.0.0.1:1`, CACHE_TTL: '3600000ms' }
        await cacheOf(issuer, { ...variables, CACHE_TTL_SUMARIZE: '60000' })
      },
    },
  ],
}
