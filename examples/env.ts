/**
 * A cache as environment variables say, with its store and the store's client. Try it with other variables:
 * `CACHE_STORE=redis://localhost:6379 node env.ts`, or `CACHE_TTL=soon node env.ts`.
 * @module
 */
import OpenAI from 'openai'
import { withCache } from 'llmemo'
import { createCacheFromEnv, EnvironmentError } from 'llmemo/env'
import { openProvider } from './provider.ts'
import { line, strong } from './report.ts'

const provider = await openProvider()
console.log(strong(provider.description))

// These are used unless the environment says otherwise.
const defaults = { CACHE_STORE: 'sqlite:env-example.db', CACHE_TTL: '1h', CACHE_TTL_QA: '10m' }
try {
  const cache = await createCacheFromEnv({ ...defaults, ...process.env })
  const openai = withCache(new OpenAI(provider.options), cache)
  for (const operation of ['qa', 'qa', 'summarize']) {
    const messages = [{ role: 'user' as const, content: `May I sell it? (${operation})` }]
    const answer = await openai.chat.completions.create({ model: 'gpt-5-mini', messages }, { cache: { operation } })
    console.log(`  ${operation.padEnd(10)} fresh for ${answer._cache.ttl} s: ${line(answer._cache)}`)
  }
  await cache.close()
} catch (error) {
  if (!(error instanceof EnvironmentError)) throw error
  console.log(error.message)
  process.exitCode = 1
}
await provider.close()
