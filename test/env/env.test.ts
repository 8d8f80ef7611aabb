import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createCacheFromEnv, EnvironmentError } from '../../src/env/env.ts'
import { EnvironmentReader } from '../../src/env/reader.ts'
import { optionsIn, variableNames } from '../../src/env/options.ts'
import { storeAddress, storeIn } from '../../src/env/store-url.ts'
import { createTable } from '../../src/stores/dynamodb/store.ts'
import { answer, ask, question } from '../support/chat.ts'
import { startDynalite } from '../support/dynamodb-server.ts'
import { top } from '../support/packed.ts'
import { startRedis } from '../support/redis-server.ts'

const key = Buffer.alloc(32, 7).toString('base64')

/** What the environment makes of the options of a cache. */
function read(environment: Readonly<Record<string, string>>) {
  const reader = new EnvironmentReader(environment)
  return { options: optionsIn(reader), store: storeIn(reader), mistakes: reader.mistakes }
}

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

describe('the options of an environment', () => {
  it('are those that createCache takes', () => {
    const { options, mistakes } = read({
      CACHE_ENABLED: 'no',
      CACHE_MODE: 'Force-Cache',
      CACHE_TTL: '90',
      CACHE_TTL_SUMMARIZE: '2h',
      CACHE_TTL_DOC_QA: ' 1.5m ',
      CACHE_STALE: '1d',
      CACHE_STALE_IF_ERROR: '0',
      CACHE_STALE_WHILE_REVALIDATE: '10s',
      CACHE_NAMESPACE: 'bot',
      STAGE: 'prod',
      CACHE_SCOPE: 'tenant',
      CACHE_REQUIRE_SCOPE: '1',
      CACHE_MEMORY_BYTES: '1000000',
      MEMORY_CACHE_SIZE: '500',
      CACHE_COMPRESSION_THRESHOLD: '2048',
      CACHE_COMPRESSION_LEVEL: '9',
      CACHE_ENCRYPTION_KEYS: `new:${key}, old:${'ab'.repeat(32)}`,
      LOG_LEVEL: 'silent',
      PATH: '/usr/bin',
    })
    expect(mistakes).toEqual([])
    expect(options).toEqual({
      enabled: false,
      mode: 'force-cache',
      ttl: { default: '90000ms', summarize: '7200000ms', doc_qa: '90000ms' },
      stale: '86400000ms',
      staleIfError: 0,
      staleWhileRevalidate: '10000ms',
      namespace: 'bot-prod',
      scope: 'tenant',
      requireScope: true,
      maxMemoryBytes: 1_000_000,
      maxMemoryEntries: 500,
      compressAbove: 2_048,
      compressionLevel: 9,
      encryption: { keys: { new: key, old: 'ab'.repeat(32) }, current: 'new' },
      logger: false,
    })
  })

  it('are none where nothing is set, or set to nothing', () => {
    expect(read({ CACHE_TTL: '', CACHE_STORE: '  ', PATH: '/usr/bin' })).toEqual({ options: {}, store: undefined, mistakes: [] })
  })

  it.each([
    ['memory:', { kind: 'memory' }],
    ['sqlite:answers.db', { kind: 'sqlite', path: 'answers.db' }],
    ['sqlite:///var/answers.db', { kind: 'sqlite', path: '/var/answers.db' }],
    ['rediss://user:p%40ss@host:6380/2', { kind: 'redis', url: 'rediss://user:p%40ss@host:6380/2' }],
    ['dynamodb://My_Table?region=eu-west-1', { kind: 'dynamodb', table: 'My_Table', region: 'eu-west-1' }],
    ['dynamodb://answers?endpoint=http://localhost:8000', { kind: 'dynamodb', table: 'answers', endpoint: 'http://localhost:8000' }],
    ['redis:', undefined],
    ['sqlite:', undefined],
    ['dynamodb://answers?regoin=x', undefined],
    ['dynamodb://answers/path', undefined],
    ['postgres://host', undefined],
    ['answers.db', undefined],
  ])('have a store by its address: %s', (text, expected) => {
    expect(storeAddress(text)).toEqual(expected)
  })

  it('have a store by another name, unless two names differ', () => {
    expect(read({ REDIS_URL: 'redis://a' }).store).toEqual({ kind: 'redis', url: 'redis://a' })
    expect(read({ DYNAMODB_TABLE: 'answers', CACHE_TABLE: 'answers' })).toMatchObject({
      store: { kind: 'dynamodb', table: 'answers' },
      mistakes: [],
    })
    expect(read({ REDIS_URL: 'redis://a', DYNAMODB_TABLE: 'answers' }).mistakes).toEqual([
      'REDIS_URL and DYNAMODB_TABLE name different stores: set CACHE_STORE to say which one.',
    ])
    expect(read({ REDIS_URL: 'redis://a', DYNAMODB_TABLE: 'answers', CACHE_STORE: 'memory:' })).toMatchObject({
      store: { kind: 'memory' },
      mistakes: [],
    })
  })
})

describe('mistakes', () => {
  it('I7 are one error, which names each variable and shows the value of none', async () => {
    const wrong = {
      CACHE_ENABLED: 'secret1',
      CACHE_MODE: 'secret2',
      CACHE_TTL: 'secret3',
      CACHE_TTL_QA: '-5',
      CACHE_STORE: 'redis//:secret4@host',
      CACHE_MEMORY_BYTES: 'secret5',
      CACHE_COMPRESSION_LEVEL: '12',
      CACHE_ENCRYPTION_KEYS: 'id:secret6',
      MEMORY_CACHE_SIZE: '0',
      LOG_LEVEL: 'secret7',
      ENABLE_OTEL: 'secret8',
    }
    const error: unknown = await createCacheFromEnv(wrong).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(EnvironmentError)
    const { message, mistakes } = error instanceof EnvironmentError ? error : { message: '', mistakes: [] }
    expect(mistakes).toHaveLength(Object.keys(wrong).length)
    for (const name of Object.keys(wrong)) expect(message).toContain(name)
    expect(message).not.toContain('secret')
  })

  it('says which package OpenTelemetry needs, if it is not installed', async () => {
    vi.doMock('@opentelemetry/api', () => {
      throw new Error("Cannot find package '@opentelemetry/api'")
    })
    try {
      const error: unknown = await createCacheFromEnv({ ENABLE_OTEL: 'true' }).catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(EnvironmentError)
      expect(error).toMatchObject({ mistakes: ['ENABLE_OTEL needs the package "@opentelemetry/api": npm install @opentelemetry/api.'] })
    } finally {
      vi.doUnmock('@opentelemetry/api')
    }
  })

  it('takes shadow as the mode of the cache', async () => {
    const cache = await createCacheFromEnv({ CACHE_MODE: 'shadow', LOG_LEVEL: 'silent' })
    for (const text of ['a', 'a']) await cache.getOrCreate({ text, operation: 'qa' }, () => 'answer')
    expect(cache.stats()).toMatchObject({ hits: 0, misses: 2, shadow: { hits: 1, same: 1 } })
    await cache.close()
  })

  it.each([
    'redis://user:%zz@host',
    'redis://%zz:secret@host',
    'redis://user:secret@ho%zzst',
    'dynamodb://ta%zzble',
    'dynamodb://user:secret@table',
    'dynamodb://:secret@table',
  ])('I7 are addresses that their client could not decode, or that have a password for nothing: %s', async (address) => {
    const error: unknown = await createCacheFromEnv({ CACHE_STORE: address }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(EnvironmentError)
    expect(String(error)).not.toContain('secret')
  })

  it('I7 show of a name only what no secret can be', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const wrong = { CACHE_TTL_GPT4: 'x', CACHE_TTL_SUMMARIZE: 'x', CACHE_TTL_qa_a8f3c91b2d47: 'x' }
    const error: unknown = await createCacheFromEnv(wrong).catch((reason: unknown) => reason)
    const { mistakes } = error instanceof EnvironmentError ? error : { mistakes: [] }
    expect(mistakes.map((mistake) => mistake.replace(/ must be .*/, ''))).toEqual([
      'CACHE_TTL_GPT4',
      'CACHE_TTL_SUMMARIZE',
      'CACHE_TTL_qa_…, whose name has 25 characters,',
    ])
    await (await createCacheFromEnv({ CACHE_MODEa8f3c91b2d47: 'x' })).close()
    expect(warn.mock.calls).toEqual([['llmemo: the variable CACHE_…, whose name has 22 characters, is unknown. Did you mean CACHE_MODE?']])
  })

  it('I7 of the cache itself are told in the same way', async () => {
    const error: unknown = await createCacheFromEnv({ CACHE_SCOPE: '\uD800' }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(EnvironmentError)
  })

  it('in the name of a variable are warned of', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    await (await createCacheFromEnv({ CACHE_NAMESPASE: 'x', CACHE_DIRECTORY: 'other' })).close()
    expect(warn.mock.calls).toEqual([['llmemo: the variable CACHE_NAMESPASE is unknown. Did you mean CACHE_NAMESPACE?']])
  })
})

describe('a cache of the environment', () => {
  it('is made of process.env if no other is given', async () => {
    vi.stubEnv('CACHE_SCOPE', 'from the process')
    const cache = await createCacheFromEnv()
    expect((await cache.store(question(), answer())).scope).toBe('from the process')
    await cache.close()
  })

  it.each(['CACHE_ENABLED', 'CACHE_MODE'])('does as %s says', async (name) => {
    const cache = await createCacheFromEnv({ [name]: name === 'CACHE_MODE' ? 'no-store' : 'false' })
    await cache.store(question(), answer())
    expect(await ask(cache)).toBeUndefined()
    await cache.close()
  })

  it('has its answers in the file that is named', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'llmemo-env-'))
    const env = { CACHE_STORE: `sqlite:${join(folder, 'answers.db')}`, CACHE_SCOPE: 's' }
    try {
      const first = await createCacheFromEnv(env)
      await first.store(question(), answer())
      await first.close()
      const second = await createCacheFromEnv(env)
      expect((await second.lookup(question()))?.info.source).toBe('sqlite')
      await second.close()
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('has its answers in Redis, and ends its connections when it is closed', async () => {
    const redis = await startRedis({ requirepass: 'secret' })
    try {
      const env = { REDIS_URL: `redis://:secret@${redis.host}:${redis.port}`, CACHE_SCOPE: 's' }
      const [first, second] = await Promise.all([createCacheFromEnv(env), createCacheFromEnv(env)])
      await first.store(question(), answer())
      await first.flush()
      expect((await second.lookup(question()))?.info.source).toBe('redis')
      await Promise.all([first.close(), second.close()])
      const probe = await createCacheFromEnv(env)
      expect((await probe.lookup(question()))?.info.source).toBe('redis')
      await probe.close()
    } finally {
      await redis.stop()
    }
  })

  it('has its answers in DynamoDB', async () => {
    const server = await startDynalite()
    try {
      await createTable(server.client(), { tableName: 'Answers' })
      vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIATEST')
      vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret-test')
      const env = { CACHE_STORE: `dynamodb://Answers?region=eu-central-1&endpoint=${server.endpoint}`, CACHE_SCOPE: 's' }
      const first = await createCacheFromEnv(env)
      await first.store(question(), answer())
      await first.close()
      const second = await createCacheFromEnv(env)
      expect((await second.lookup(question()))?.info.source).toBe('dynamodb')
      await second.close()
    } finally {
      await server.close()
    }
  })
})

describe('the page and the example of variables', () => {
  const others = ['REDIS_URL', 'DRAGONFLY_URL', 'DYNAMODB_TABLE', 'MEMORY_CACHE_SIZE', 'ENABLE_OTEL', 'LLMEMO_DEBUG', 'LOG_LEVEL', 'STAGE']
  const known = [...variableNames, ...others].toSorted()

  it.each(['docs/environment.md', 'examples/.env.example'])('%s has all of them, and no others', (path) => {
    const text = readFileSync(join(top, path), 'utf8')
    const named = path.endsWith('.md') ? [...text.matchAll(/`([A-Z_]{5,})`(?=.*\|)/g)] : [...text.matchAll(/^(?:# )?([A-Z_]+)=/gm)]
    const names = new Set(named.map(([, name = '']) => name).filter((name) => !name.startsWith('CACHE_TTL_')))
    expect([...names].toSorted()).toEqual(known)
  })

  it('can be used as it is', () => {
    const text = readFileSync(join(top, 'examples/.env.example'), 'utf8')
    const set = [...text.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value])
    expect(read(Object.fromEntries(set)).mistakes).toEqual([])
  })
})
