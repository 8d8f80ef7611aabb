/**
 * Streams are recorded while they arrive, and replayed with the same events. `cacheInfo(stream)` is for a stream what `_cache` is for a result.
 * @module
 */
import { readFileSync } from 'node:fs'
import OpenAI from 'openai'
import { cacheInfo, createCache, withCache } from 'llmemo'
import { openProvider } from './provider.ts'
import { line, milliseconds, strong } from './report.ts'

const provider = await openProvider()
const cache = createCache()
const openai = withCache(new OpenAI(provider.options), cache)
console.log(strong(provider.description))

const licence = readFileSync(new URL('../node_modules/zod/LICENSE', import.meta.url), 'utf8')
const content = `Must I keep the copyright notice in all copies?\n\n${licence}`
const request = { model: 'gpt-5-mini', messages: [{ role: 'user' as const, content }] }
// OpenAI reports the usage of a stream only with this option. Without it, a replay cannot say what it saved, and a call that wants
// the whole answer, usage included, must go to the provider.
const options = { stream: true, stream_options: { include_usage: true } } as const

for (const time of ['the first time', 'the second time']) {
  console.log(`\n${strong(`Streamed, ${time}`)}`)
  const begun = performance.now()
  const stream = await openai.chat.completions.create({ ...request, ...options })
  for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? '')
  // A stream is stored when it ends, so the facts are complete only now.
  console.log(`\n  ${line(cacheInfo(stream))}, in ${milliseconds(performance.now() - begun)}`)
}

console.log(`\n${strong('By the stream helper')}`)
// The SDK's helpers work on top of the cache, without any change.
const helper = openai.chat.completions.stream({ ...request, ...options })
let pieces = 0
helper.on('content', () => (pieces += 1))
const completion = await helper.finalChatCompletion()
console.log(`${pieces} pieces, ${completion.usage?.total_tokens ?? 0} tokens\n  ${line(cacheInfo(helper))}`)

console.log(`\n${strong('Whole')}`)
// The recording of a stream also answers calls that want no stream, and the other way round.
const whole = await openai.chat.completions.create(request)
console.log(`${whole.choices[0]?.message.content ?? ''}\n  ${line(whole._cache)}`)

console.log(`\n${strong('Abandoned half-way')}`)
// An incomplete answer is never stored.
const abandoned = await openai.chat.completions.create({ ...request, ...options }, { cache: { variant: 1 } })
for await (const chunk of abandoned) if (chunk.choices[0]?.delta.content) break
await cache.flush()
console.log(`  ${line(cacheInfo(abandoned))}`)

await cache.close()
await provider.close()
