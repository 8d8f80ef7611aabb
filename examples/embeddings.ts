/**
 * Embeddings are cached per input: only the new texts of a batch go to the provider, in one request.
 * So a program can rebuild a search index after each change of its texts, and pays only for the changes.
 * @module
 */
import { readFileSync } from 'node:fs'
import OpenAI from 'openai'
import { createCache, withCache } from 'llmemo'
import { openProvider } from './provider.ts'
import { line, strong } from './report.ts'

const provider = await openProvider()
const cache = createCache({ ttl: { embeddings: '30d' } })
const openai = withCache(new OpenAI(provider.options), cache)
console.log(strong(provider.description))

let sent = 0
cache.on('store', () => (sent += 1))

async function embed(input: string[]): Promise<number[][]> {
  sent = 0
  const answer = await openai.embeddings.create({ model: 'text-embedding-3-small', input })
  console.log(`${String(input.length).padStart(2)} texts, ${sent} of them sent to the provider: ${line(answer._cache)}`)
  return answer.data.map(({ embedding }) => embedding)
}

const licence = readFileSync(new URL('../node_modules/lru-cache/LICENSE.md', import.meta.url), 'utf8')
const texts = licence
  .split(/^## /m)
  .slice(1)
  .map((section) => section.replaceAll(/\s+/g, ' ').trim())

console.log(`\n${strong('The sections of a licence')}`)
await embed(texts)
await embed(texts)

console.log(`\n${strong('One section is changed, one is new')}`)
texts[0] = `${texts[0] ?? ''} It is short.`
texts.push('Trademarks This license does not give permission to use names or logos of the contributors.')
const index = await embed(texts)

console.log(`\n${strong('A search')}`)
for (const question of ['Is there a warranty, and who is liable for damages?', 'What if I have not complied?']) {
  const [vector = []] = await embed([question])
  // Embeddings have length 1, so the dot product is the cosine.
  const nearness = index.map((other) => other.reduce((sum, value, place) => sum + value * (vector[place] ?? 0), 0))
  const nearest = nearness.indexOf(Math.max(...nearness))
  console.log(`   ${question}\n   → ${(texts[nearest] ?? '').slice(0, 76)}…`)
}

await cache.close()
await provider.close()
