/**
 * Shadow mode: the provider answers every call, and the cache counts what it could have saved, and how often its answer was the same. A switch
 * then turns the cache on, without a restart.
 * @module
 */
import OpenAI from 'openai'
import { createCache, withCache } from 'llmemo'
import { openProvider } from './provider.ts'
import { strong } from './report.ts'

const provider = await openProvider()
// In production, read it from where you keep such switches. The function is asked for each call.
let isTrusted = false
const cache = createCache({ mode: () => (isTrusted ? 'default' : 'shadow') })
const openai = withCache(new OpenAI(provider.options), cache)
console.log(strong(provider.description))

const poem = 'Two roads diverged in a yellow wood. I took the one less traveled by, and that has made all the difference.'
const questions = ['Which road was taken?', 'What has it made?', 'Which road was taken?', 'Which road was taken?']

async function askAll(): Promise<number> {
  let hits = 0
  for (const question of questions) {
    const messages = [{ role: 'user' as const, content: `${question}\n\n${poem}` }]
    const { _cache } = await openai.chat.completions.create({ model: 'gpt-5-mini', messages })
    if (_cache.hit) hits += 1
  }
  return hits
}

console.log(`in shadow: ${await askAll()} of ${questions.length} calls answered by the cache`)
const { shadow } = cache.stats()
console.log(`  it could have answered ${shadow.hits}: ${shadow.same} with the same words, ${shadow.different} with others`)
console.log(`  that would have saved ${shadow.savedTokens > 0 ? 'tokens' : 'nothing'} and ${shadow.savedUsd > 0 ? 'money' : 'no money'}`)
isTrusted = true
console.log(`switched on: ${await askAll()} of ${questions.length} calls answered by the cache`)
await provider.close()
