/**
 * A quick start: questions about real texts, through an OpenAI client that keeps its answers in a file.
 * Run it twice: the second time, the answers come from the file.
 * @module
 */
import { readFileSync } from 'node:fs'
import OpenAI from 'openai'
import { createCache, withCache } from 'llmemo'
import { sqliteStore } from 'llmemo/sqlite'
import { openTable } from './call-table.ts'
import { openProvider } from './provider.ts'
import { count, strong } from './report.ts'

const file = 'quickstart.db'

// These lines are all that your own program needs: a cache, and the client wrapped with it.
const provider = await openProvider()
const cache = createCache({ store: sqliteStore(file), ttl: { default: '7d', summarize: '30d' } })
const openai = withCache(new OpenAI(provider.options), cache)

const licences = {
  openai: readFileSync(new URL('../node_modules/openai/LICENSE', import.meta.url), 'utf8'),
  lruCache: readFileSync(new URL('../node_modules/lru-cache/LICENSE.md', import.meta.url), 'utf8'),
}
const readme = readFileSync(new URL('README.md', import.meta.resolve('llmemo/package.json')), 'utf8')
const paragraphs = licences.openai.split(/\n\s*\n/).filter((text) => text.length > 200)

const model = 'gpt-5-mini'
const summarise = (text: string, bypassCache = false) =>
  openai.chat.completions.create(
    { model, messages: [{ role: 'user', content: `Summarise this licence in one sentence.\n\n${text}` }] },
    { bypassCache, cache: { operation: 'summarize', tags: ['licences'] } },
  )

const content = `May I sell a product that contains this software?\n\n${licences.openai}`
const question = { model, messages: [{ role: 'user' as const, content }] }
const stream = async () => {
  // A stream has a known price, and can answer calls that want no stream, only if it reports its usage.
  const events = await openai.chat.completions.create({ ...question, stream: true, stream_options: { include_usage: true } })
  for await (const _ of events) continue
  return events
}
const aboutLlmemo = { model, input: `What is llmemo not?\n\n${readme}` }
const embed = (input: string[]) => openai.embeddings.create({ model: 'text-embedding-3-small', input })

console.log(strong('llmemo quick start: 10 calls of an OpenAI client, with answers kept in a file'))
console.log(provider.description)
if (provider.isReal) announceSpending()
console.log('In the table, "origin" is the provider; "memory" and "sqlite" are the cache.\n')

const table = openTable(cache, provider)
await table.call("Summarise openai's licence", () => summarise(licences.openai))
await table.call("Summarise lru-cache's", () => summarise(licences.lruCache))
await table.call("Summarise openai's again", () => summarise(licences.openai))
await table.call('May I sell it? As a stream', stream)
await table.call('The same stream again', stream)
await table.call('The same, not as a stream', () => openai.chat.completions.create(question))
await table.call('Responses API about llmemo', () => openai.responses.create(aboutLlmemo))
await table.call('Embed 4 paragraphs', () => embed(paragraphs.slice(0, 4)))
await table.call('Embed 4, of which 2 are new', () => embed(paragraphs.slice(2, 6)))
await table.call("Bypass: lru-cache's licence", () => summarise(licences.lruCache, true))
console.log()
table.printSums()

// The cache writes in the background; closing it waits for the writes.
await cache.close()
await provider.close()

const { stored, misses } = cache.stats()
console.log()
if (stored > 0) console.log(`Run it again: the answers are in ${file} now.`)
else if (misses === 0) console.log(`All answers but the bypass came from ${file}. Delete it to start again.`)
table.printOutlook()
if (table.failures.length > 0) process.exitCode = 1

/** Prints how much the calls cost at most, before the first of them. */
function announceSpending(): void {
  // About four characters are a token. A model that reasons writes some hundred tokens before it answers.
  const texts = [licences.openai, licences.openai, licences.lruCache, licences.lruCache, readme, ...paragraphs.slice(0, 6)]
  const input = Math.ceil(texts.join('').length / 4_000) * 1_000
  const output = 5 * 1_000
  // The list prices of gpt-5-mini, in dollars for a million tokens.
  const usd = (0.25 * input + 2 * output) / 1_000_000
  console.log(`Up to 7 requests, about ${count(input)} tokens in and ${count(output)} out: about $${usd.toFixed(2)} at the list`)
  console.log(`price of ${model}. Answers that are in ${file} already cost nothing.`)
}
