import { deflateRawSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCache } from '../../../src/cache/cache.ts'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { InvalidOptionError } from '../../../src/errors.ts'
import { createEntryCodec } from '../../../src/codec/entry-codec.ts'
import { fflateCompression } from '../../../src/codec/fflate-compression.ts'
import type { CacheOptions } from '../../../src/engine/settings/options.ts'
import type { CacheWideMode } from '../../../src/engine/settings/switches.ts'
import { converseAnswer, makeBedrock } from '../../support/bedrock-sdk.ts'
import { startBedrock } from '../../support/bedrock-server.ts'
import { answer, openCache, question } from '../../support/chat.ts'
import { completion } from '../../support/openai-answers.ts'
import { offLane, sdks } from '../../support/openai-sdks.ts'
import { type ProviderServer, startProvider } from '../../support/provider-server.ts'
import { entryHead } from '../../support/entry-head.ts'

const messages = [{ role: 'user' as const, content: 'Hi' }]

describe.each([...sdks, ...sdks.map(offLane)])('switches of a cache through $name', ({ make }) => {
  let server: ProviderServer
  beforeEach(async () => {
    server = await startProvider((_, reply) => reply.json(completion('Hello.')))
  })
  afterEach(() => server.close())

  const open = (options: CacheOptions) => {
    const cache = createCache({ logger: false, prices: false, ...options })
    const client = withCache(make({ url: server.url }), cache)
    const ask = async (options?: object) => cacheInfo(await client.chat.completions.create({ model: 'm', messages }, options))
    return { cache, ask }
  }

  it('enabled is asked for each call, so that the cache can be switched off and on again', async () => {
    let isOn: unknown = true
    const { cache, ask } = open({ enabled: () => isOn === true })
    for (let time = 0; time < 3; time++) await ask()
    expect(server.requests).toHaveLength(1)
    isOn = false
    for (let time = 0; time < 3; time++) expect(await ask()).toMatchObject({ hit: false, stored: false, reason: 'disabled' })
    expect(server.requests).toHaveLength(4)
    isOn = true
    expect(await ask()).toMatchObject({ hit: true })
    expect(cache.stats()).toMatchObject({ hits: 3, misses: 1, bypasses: 3, bypassReasons: { disabled: 3 } })
  })

  it('a switch that fails, or gives no answer, makes calls go past the cache', async () => {
    const broken: CacheOptions[] = [
      { enabled: () => JSON.parse('"yes"') },
      {
        enabled() {
          throw new Error('mine')
        },
      },
      { mode: () => JSON.parse('"fast"') },
    ]
    for (const options of broken) {
      const { ask } = open(options)
      for (let time = 0; time < 2; time++) expect(await ask()).toMatchObject({ hit: false, reason: 'fault' })
    }
    expect(server.requests).toHaveLength(6)
  })

  it('a mode holds for all calls that name none, and may change from call to call', async () => {
    let mode: CacheWideMode = 'default'
    const { ask } = open({ mode: () => mode })
    await ask()
    await ask()
    expect(server.requests).toHaveLength(1)
    mode = 'no-store'
    expect(await ask()).toMatchObject({ hit: false, reason: 'no-store' })
    expect(await ask({ cache: { mode: 'default' } })).toMatchObject({ hit: true })
    mode = 'reload'
    expect(await ask()).toMatchObject({ hit: false, stored: true })
    expect(server.requests).toHaveLength(3)
    mode = 'only-if-cached'
    expect(await ask()).toMatchObject({ hit: true })
    await expect(ask({ cache: { context: 'another' } })).rejects.toThrow(/not cached|no answer is stored/i)
    expect(server.requests).toHaveLength(3)
  })

  it('enabled: false and mode: no-store make every call go past the cache', async () => {
    for (const options of [{ enabled: false }, { mode: 'no-store' }] as const) {
      const { cache, ask } = open(options)
      for (let time = 0; time < 2; time++) await ask()
      expect(cache.stats()).toMatchObject({ hits: 0, misses: 0, bypasses: 2, stored: 0 })
    }
    expect(server.requests).toHaveLength(4)
  })
})

it('switches hold for Bedrock and for described requests', async () => {
  const server = await startBedrock('http1', (_, reply) => reply.json(converseAnswer('Hello.')))
  let isOn = true
  const cache = createCache({ logger: false, enabled: () => isOn })
  const client = withCache(makeBedrock('http1', server), cache)
  const { ConverseCommand } = await import('@aws-sdk/client-bedrock-runtime')
  const ask = () => client.send(new ConverseCommand({ modelId: 'm', messages: [{ role: 'user', content: [{ text: 'Hi' }] }] }))
  await ask()
  expect((await ask())._cache.hit).toBe(true)
  await cache.store(question(), answer())
  isOn = false
  expect((await ask())._cache).toMatchObject({ hit: false, reason: 'disabled' })
  expect(await cache.lookup(question())).toBeUndefined()
  isOn = true
  expect(await cache.lookup(question())).toBeDefined()
  await server.close()
})

describe('sizes', () => {
  it('I6 memory holds no more entries than maxMemoryEntries, those that were used last', async () => {
    const { cache } = openCache({ maxMemoryEntries: 3 })
    for (const name of ['a', 'b', 'c']) await cache.set(name, name)
    await cache.get('a')
    await cache.set('d', 'd')
    expect(cache.memory().entries).toBe(3)
    expect(await Promise.all(['a', 'b', 'c', 'd'].map((name) => cache.get(name)))).toEqual(['a', undefined, 'c', 'd'])
    expect(cache.stats().evictions).toBe(1)
    for (let time = 0; time < 100; time++) await cache.set(`${time}`, time)
    expect(cache.memory().entries).toBe(3)
  })

  it.each([1, 9])('bodies are compressed at level %d, by zlib and by fflate', (compressionLevel) => {
    const text = Array.from({ length: 3_000 }, (_, index) => `${(index * 7_919) % 1_013} words`).join(' ')
    const entry = { head: entryHead(), body: text }
    const sizes = { compressAbove: 1, maxBodyBytes: 1_000_000 }
    const codec = createEntryCodec({ ...sizes, compressionLevel })
    const bytes = codec.encode(entry)
    const stored = deflateRawSync(text, { level: compressionLevel })
    expect(Buffer.from(bytes).includes(stored)).toBe(true)
    const byFflate = createEntryCodec({ ...sizes, compressionLevel, compression: fflateCompression })
    expect(byFflate.decode(bytes).body).toBe(text)
    expect(codec.decode(byFflate.encode(entry)).body).toBe(text)
  })

  it.each<[string, object]>([
    ['maxMemoryEntries', { maxMemoryEntries: 0 }],
    ['maxMemoryEntries', { maxMemoryEntries: 1.5 }],
    ['compressionLevel', { compressionLevel: 0 }],
    ['compressionLevel', { compressionLevel: 10 }],
    ['enabled', { enabled: 'yes' }],
    ['enabled', { enabled: null }],
    ['mode', { mode: 'off' }],
    ['mode', { mode: null }],
  ])('a wrong %s is refused at once: %#', (name, options) => {
    expect(() => createCache(options)).toThrow(InvalidOptionError)
    expect(() => createCache(options)).toThrow(`"${name}"`)
  })
})
