/**
 * The calls whose entries lie in `test/golden`: what was asked, what was answered, and how it was kept.
 * @module
 */
import { cachingFetch } from '../../src/clients/with-cache.ts'
import { createCache, type Cache } from '../../src/cache/cache.ts'
import type { CacheOptions } from '../../src/engine/settings/options.ts'
import type { Store } from '../../src/store.ts'
import { answer, question } from './chat.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

/** When all of them were stored. */
export const storedAt = 1_750_000_000_000

/** A key that seals nothing but test data: the bytes 0 to 31. */
export const documentedKey = Uint8Array.from({ length: 32 }, (_, index) => index)

/** The server-sent events of a short answer, many times as long as the shortest that is compressed. */
export const events = [
  ...Array.from({ length: 40 }, (_, index) => chunk({ content: `word ${index} ` }, null)),
  chunk({}, 'stop'),
  { ...chunk({}, null), choices: [], usage: { prompt_tokens: 9, completion_tokens: 80, total_tokens: 89 } },
]
  .map((each) => `data: ${JSON.stringify(each)}\n\n`)
  .concat('data: [DONE]\n\n')
  .join('')

/** Sound, as far as the cache knows: every byte there is. */
export const sound = Uint8Array.from({ length: 256 }, (_, index) => index)

/** One golden entry: how its cache is set up, how it is filled, and how it is asked. */
export interface GoldenCall {
  readonly options: CacheOptions
  fill(cache: Cache): Promise<unknown>
  /** What the cache has; `undefined` for nothing. */
  ask(cache: Cache): Promise<unknown>
}

const greeting = question('Grüße – 你好 🎉', { tags: ['doc:42'], scope: 'tenant', context: { project: 'atlas' } })
const streamed = question('Count to forty', { scope: 'tenant' })
const spoken = (cache: Cache, mode: RequestCache) =>
  cachingFetch(
    cache,
    async () => new Response(sound, { headers: { 'content-type': 'audio/mpeg', 'content-length': String(sound.byteLength) } }),
  )('https://api.openai.com/v1/audio/speech', {
    method: 'POST',
    cache: mode,
    headers: { authorization: 'Bearer sk-golden', 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'tts-1', input: 'Hello', voice: 'alloy' }),
  })

/** The golden entries by the names of their files. */
export const goldenCalls: Readonly<Record<string, GoldenCall>> = {
  'json-raw': {
    options: { compressAbove: Infinity },
    fill: (cache) => cache.store(greeting, answer('Guten Tag 👋')),
    ask: async (cache) => (await cache.lookup(greeting))?.answer,
  },
  'sse-deflate': {
    options: { compressAbove: 0 },
    fill: (cache) => cache.store(streamed, events),
    ask: async (cache) => (await cache.lookup(streamed))?.answer,
  },
  bytes: {
    options: { compressAbove: Infinity },
    fill: async (cache) => (await spoken(cache, 'default')).arrayBuffer(),
    async ask(cache) {
      const response = await spoken(cache, 'only-if-cached')
      return response.status === 200 ? new Uint8Array(await response.arrayBuffer()) : undefined
    },
  },
  'json-encrypted': {
    options: { encryption: { keys: { 'documented-test-key': documentedKey }, current: 'documented-test-key' } },
    fill: (cache) => cache.store(greeting, answer('Guten Tag 👋')),
    ask: async (cache) => (await cache.lookup(greeting))?.answer,
  },
  value: {
    options: {},
    fill: (cache) => cache.set('user:1', { name: 'Ada', born: 1815, tags: ['größer', null, 1e21] }, '7d'),
    ask: (cache) => cache.get('user:1'),
  },
}

/** A cache on the clock of the golden entries. */
export function goldenCache(options: CacheOptions, store: Store): { readonly cache: Cache; readonly clock: ManualClock } {
  const clock = new ManualClock(storedAt)
  return {
    cache: createCache({ prices: false, logger: false, ttl: '1d', stale: '1h', namespace: 'golden', ...options, store, clock }),
    clock,
  }
}

function chunk(delta: object, finish: string | null) {
  const choices = [{ index: 0, delta, finish_reason: finish }]
  return { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1_750_000_000, model: 'gpt-5-mini-2025-08-07', choices }
}
