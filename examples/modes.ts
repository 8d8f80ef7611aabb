/**
 * How a single call uses the cache: the cache modes of `fetch`, and `bypassCache`.
 * @module
 */
import OpenAI, { APIError } from 'openai'
import { type CacheMode, createCache, systemClock, withCache } from 'llmemo'
import { openProvider } from './provider.ts'
import { line, strong } from './report.ts'

const provider = await openProvider()
// A clock that the example can put forward: it need not wait two hours until an answer is stale.
let forward = 0
const clock = { ...systemClock, now: () => systemClock.now() + forward, monotonic: () => systemClock.monotonic() + forward }
const cache = createCache({ ttl: '1h', stale: '1d', clock })
const openai = withCache(new OpenAI(provider.options), cache)
console.log(strong(provider.description))

const poem =
  'Two roads diverged in a yellow wood, and sorry I could not travel both. ' +
  'I took the one less traveled by, and that has made all the difference.'
const request = { model: 'gpt-5-mini', messages: [{ role: 'user' as const, content: `Which road was taken?\n\n${poem}` }] }

async function ask(mode: CacheMode, why: string): Promise<void> {
  try {
    const { id, _cache } = await openai.chat.completions.create(request, { cache: { mode } })
    console.log(`${mode.padEnd(15)} ${why.padEnd(42)} ${id.slice(-6)}  ${line(_cache)}`)
  } catch (error) {
    // The error is the SDK's own, with the status 504.
    if (!(error instanceof APIError) || error.code !== 'NOT_CACHED') throw error
    console.log(`${mode.padEnd(15)} ${why.padEnd(42)} ${error.code}: the provider was not asked`)
  }
}

console.log(`\n${strong('mode'.padEnd(16) + 'what it does'.padEnd(43) + 'answer  from')}`)
await ask('only-if-cached', 'never asks the provider')
await ask('no-store', 'asks, and leaves the cache alone')
await ask('default', 'asks, as nothing is stored yet')
await ask('default', 'gets the stored answer')
await ask('reload', 'asks again, and stores the new answer')
await ask('default', 'gets the new answer')
forward += 2 * 3_600_000
console.log('two hours pass')
await ask('force-cache', 'accepts a stale answer')
await ask('default', 'asks, as the answer is stale')

// Both are the same as the mode "no-store". The first is short; the second is the option of web standards.
const short = await openai.chat.completions.create(request, { bypassCache: true })
const standard = await openai.chat.completions.create(request, { fetchOptions: { cache: 'no-store' } })
console.log(`\nbypassCache: true                        ${line(short._cache)}`)
console.log(`fetchOptions: { cache: 'no-store' }      ${line(standard._cache)}`)
console.log(`\nThe provider was asked ${provider.calls()} times. Bypassed: ${JSON.stringify(cache.stats().bypassReasons)}`)

await cache.close()
await provider.close()
