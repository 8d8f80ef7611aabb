/**
 * A quick start: real questions about real texts, through an OpenAI client whose answers are kept in a file.
 * Run it twice: the second time the file answers.
 * @module
 */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import OpenAI from 'openai'
import { cacheInfo, createCache, withCache } from 'llmemo'
import { sqliteStore } from 'llmemo/sqlite'
import { openProvider } from './provider.ts'
import { count, dollars, from, milliseconds, type Row, saved, seconds, strong, table } from './report.ts'

const file = 'quickstart.db'
const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
const licence = read('node_modules/openai/LICENSE')
const paragraphs = read('README.md')
  .split(/\n\s*\n/)
  .filter((text) => /^[A-Z]/.test(text) && text.length > 60)

// These lines are all that a program of your own needs: a cache, and the client wrapped with it.
const provider = await openProvider()
const cache = createCache({ store: sqliteStore(file), ttl: { default: '7d', summarize: '30d' } })
const openai = withCache(new OpenAI(provider.options), cache)

const rows: Row[] = []
let stored = 0
cache.on('store', () => (stored += 1))

/** Makes a call, and notes in the table what the cache says of its result. */
async function call(name: string, ask: () => Promise<unknown>): Promise<void> {
  stored = 0
  const begun = performance.now()
  const info = cacheInfo(await ask())
  const took = milliseconds(performance.now() - begun)
  if (info === undefined) throw new TypeError(`The call "${name}" did not go through the cache.`)
  // Of a batch of embeddings only the inputs that were missing went to the provider.
  const inputs = stored > 1 || (stored === 1 && info.operation === 'embeddings') ? `, ${stored} inputs` : ''
  rows.push({ call: name, from: `${from(info)}${inputs}`, took, saved: info.hit ? saved(info) : '', hit: info.hit })
}

const model = 'gpt-5-mini'
const summarise = (path: string, bypassCache = false) =>
  openai.chat.completions.create(
    { model, messages: [{ role: 'user', content: `Summarise this licence in one sentence.\n\n${read(path)}` }] },
    { bypassCache, cache: { operation: 'summarize', tags: [path] } },
  )

const question = `May I sell a product that contains this software?\n\n${licence}`
const asked = { model, messages: [{ role: 'user' as const, content: question }] }
const streamed = async () => {
  // Only a stream that tells its usage can be priced, and can answer a caller who wants it whole.
  const stream = await openai.chat.completions.create({ ...asked, stream: true, stream_options: { include_usage: true } })
  for await (const _ of stream) continue
  return stream
}
const embed = (input: string[]) => openai.embeddings.create({ model: 'text-embedding-3-small', input })

console.log(strong(`llmemo quick start. ${provider.description}`), '\n')

await call('Summarise the openai licence', () => summarise('node_modules/openai/LICENSE'))
await call('Summarise the lru-cache licence', () => summarise('node_modules/lru-cache/LICENSE.md'))
await call('Summarise the openai licence again', () => summarise('node_modules/openai/LICENSE'))
await call('May I sell it? Streamed', streamed)
await call('May I sell it? Streamed again', streamed)
await call('May I sell it? Whole', () => openai.chat.completions.create(asked))
await call('What is llmemo not? A response', () => openai.responses.create({ model, input: `What is llmemo not?\n\n${read('README.md')}` }))
await call('Embed 4 paragraphs of the README', () => embed(paragraphs.slice(0, 4)))
await call('Embed 4, of which 2 are the same', () => embed(paragraphs.slice(2, 6)))
await call('The lru-cache licence, bypassed', () => summarise('node_modules/lru-cache/LICENSE.md', true))

console.log(table(rows))

const { hits, misses, bypasses, hitRate, savedUsd, unpricedHits, savedTokens, savedMs, spentUsd, unpricedMisses, spentTokens } =
  cache.stats()
const money = (amount: number, unknown: number, all: number) => dollars(unknown > 0 && unknown === all ? null : amount)
console.log()
console.log(`Hits    ${hits} of ${hits + misses} calls (${Math.round(100 * hitRate)} %), and ${bypasses} bypassed the cache`)
console.log(`Saved   ${money(savedUsd, unpricedHits, hits)} · ${count(savedTokens)} tokens · ${seconds(savedMs)} of waiting`)
console.log(`Spent   ${money(spentUsd, unpricedMisses, misses)} · ${count(spentTokens)} tokens by the calls that missed`)
console.log(`Asked   the provider ${provider.calls() === 1 ? 'once' : `${provider.calls()} times`} for ${rows.length} calls`)

// Writes are behind the caller's back; closing waits for them.
await cache.close()
await provider.close()

console.log()
console.log(
  misses > 0
    ? `Run it again: the answers are in ${basename(file)} now.`
    : `All that may be stored came from ${basename(file)}. Delete the file to begin anew.`,
)
