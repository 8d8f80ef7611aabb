/**
 * The cache for other values that are expensive to make, under keys of your own.
 * And for answers that did not come through a wrapped client: from a batch job, or from another program.
 * @module
 */
import { readFileSync } from 'node:fs'
import { createCache, createCacheKey, withCache } from 'llmemo'
import { strong } from './report.ts'

const cache = createCache({ ttl: { value: '1d', default: '1h' } })

/** Facts about a package. */
interface Facts {
  readonly version: string
  readonly licence: string
}

// The key carries the type of its value, so `get` and `wrap` need no type argument.
const factsKey = createCacheKey<Facts>('package', (name) => name)

let reads = 0
function readFacts(name: string): Facts {
  reads += 1
  const text = readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), 'utf8')
  const { version, license }: { version: string; license: string } = JSON.parse(text)
  return { version, licence: license }
}

console.log(strong('wrap: the stored value, else the function runs once for all callers at the same time'))
const names = ['zod', 'openai', 'zod', 'zod', 'openai']
const facts = await Promise.all(names.map((name) => cache.wrap(factsKey(name), '10m', () => readFacts(name))))
console.log(`  ${names.map((name, place) => `${name}: ${facts[place]?.licence ?? ''}`).join(', ')}`)
console.log(`  ${names.length} asked, ${reads} read`)

console.log(strong('\nget, has, set, del'))
console.log(`  ${(await cache.get(factsKey('zod')))?.licence ?? 'nothing'}, ${await cache.has(factsKey('fflate'))}`)
await cache.set(factsKey('fflate'), readFacts('fflate'), '10m')
await cache.del(factsKey('zod'))
console.log(`  ${(await cache.get(factsKey('zod')))?.licence ?? 'nothing'}, ${await cache.has(factsKey('fflate'))}`)

console.log(strong('\nwrapSWR: stale after a minute, served at once for a day while the function runs again'))
const fresh = await cache.wrapSWR(factsKey('lru-cache'), '1m', '1d', () => readFacts('lru-cache'))
console.log(`  lru-cache: ${fresh.licence}`)

console.log(strong('\ndelByPattern'))
console.log(`  ${await cache.delByPattern('package:*')} values removed, ${await cache.has(factsKey('openai'))}`)

console.log(strong('\nstore and lookup: an answer from elsewhere'))
const request = {
  endpoint: 'chat.completions',
  body: { model: 'gpt-5-mini', messages: [{ role: 'user', content: 'Who holds the copyright?' }] },
}
const message = { role: 'assistant', content: 'The contributors.' }
// The same rules hold as for every answer: one that is cut off, empty or an error is not stored.
const cutOff = await cache.store(request, { model: 'gpt-5-mini', choices: [{ index: 0, message, finish_reason: 'length' }] })
console.log(`  stored: ${cutOff.stored}, as its finish reason is ${cutOff.reason ?? ''}`)
const whole = await cache.store(request, { model: 'gpt-5-mini', choices: [{ index: 0, message, finish_reason: 'stop' }] })
console.log(`  stored: ${whole.stored}, key ${whole.key.slice(0, 12)}…`)
const found = await cache.lookup(request)
console.log(`  found: ${found?.info.hit ?? false}, in ${found?.info.source ?? 'nowhere'}`)

await cache.close()

console.log(strong('\nAnswers by their text, and a function of your own'))
let summaries = 0
const summarise = withCache(
  async (text: string) => {
    summaries += 1
    return `${text.split(' ').slice(0, 3).join(' ')}…`
  },
  { operation: 'summarise', cache },
)
const texts = ['The quick brown fox jumps over the dog', 'The quick brown fox jumps over the dog']
console.log(`  ${(await Promise.all(texts.map((text) => summarise(text)))).join(' ')} ${summaries} made`)
await cache.store({ text: 'Is it good?', operation: 'sentiment' }, { mood: 'curious' })
const sentiment = await cache.getOrCreate({ text: 'Is it good?', operation: 'sentiment' }, () => ({ mood: 'unknown' }))
console.log(`  ${sentiment.mood}`)
