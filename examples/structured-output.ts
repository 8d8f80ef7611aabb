/**
 * Structured output: `parse()` works on a stored answer as on a new one, and the schema is part of the key.
 * @module
 */
import { readFileSync } from 'node:fs'
import OpenAI from 'openai'
import { zodResponseFormat } from 'openai/helpers/zod'
import { z } from 'zod'
import { createCache, withCache } from 'llmemo'
import { openProvider } from './provider.ts'
import { line, strong } from './report.ts'

const provider = await openProvider()
const cache = createCache({ ttl: { extract: '30d' } })
const openai = withCache(new OpenAI(provider.options), cache)
console.log(strong(provider.description))

const brief = z.object({
  name: z.enum(['MIT License', 'Apache License', 'Blue Oak Model License']),
  year: z.number().int().describe('The year of the copyright or of the version'),
  permits: z.array(z.enum(['use', 'modify', 'distribute', 'sublicense', 'sell'])),
})
const full = brief.extend({ warranty: z.string().describe('What is said about a warranty') })

async function extract(schema: z.ZodType, path: string): Promise<void> {
  const content = `Extract the facts of this licence.\n\n${readFileSync(new URL(`../node_modules/${path}`, import.meta.url), 'utf8')}`
  const completion = await openai.chat.completions.parse(
    { model: 'gpt-5-mini', messages: [{ role: 'user', content }], response_format: zodResponseFormat(schema, 'licence') },
    // The operation names the purpose of the call. It has its own TTL and statistics, and can be invalidated.
    { cache: { operation: 'extract', tags: [path] } },
  )
  const { parsed, refusal } = completion.choices[0]?.message ?? {}
  console.log(`\n${path}: ${line(completion._cache)}\n`, parsed ?? refusal)
}

await extract(brief, 'zod/LICENSE')
await extract(brief, 'zod/LICENSE')
// A schema with one more field makes another key.
await extract(full, 'zod/LICENSE')
await extract(brief, 'openai/LICENSE')

// Suppose the file has changed: its tag invalidates all that was extracted from it, in every process that shares the store.
await cache.invalidate({ tags: ['zod/LICENSE'] })
console.log(`\n${strong("After invalidate({ tags: ['zod/LICENSE'] })")}`)
await extract(brief, 'zod/LICENSE')
await extract(brief, 'openai/LICENSE')

await cache.close()
await provider.close()
