/**
 * Streams: recorded as they come, and replayed with the same events. `cacheInfo()` tells of a stream what `_cache` tells of a result.
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
// OpenAI tells what a stream cost only when it is asked to. Without it a replay cannot say what it saved,
// and a caller who wants the answer whole, usage included, must be sent to the provider.
const options = { stream: true, stream_options: { include_usage: true } } as const

for (const time of ['the first time', 'the second time']) {
  console.log(`\n${strong(`Streamed, ${time}`)}`)
  const begun = performance.now()
  const stream = await openai.chat.completions.create({ ...request, ...options })
  for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? '')
  // A stream is stored when its end has come, so the facts are complete only now.
  console.log(`\n  ${line(cacheInfo(stream))}, in ${milliseconds(performance.now() - begun)}`)
}

console.log(`\n${strong('By the stream helper')}`)
// Helpers of the SDK sit on top of the cache and need nothing of it.
const helper = openai.chat.completions.stream({ ...request, ...options })
let pieces = 0
helper.on('content', () => (pieces += 1))
const completion = await helper.finalChatCompletion()
console.log(`${pieces} pieces, ${completion.usage?.total_tokens ?? 0} tokens\n  ${line(cacheInfo(helper))}`)

console.log(`\n${strong('Whole')}`)
// The recording of a stream also answers those who want no stream, and the other way round.
const whole = await openai.chat.completions.create(request)
console.log(`${whole.choices[0]?.message.content ?? ''}\n  ${line(whole._cache)}`)

console.log(`\n${strong('Abandoned half-way')}`)
// What was broken off is not an answer and is never stored.
const abandoned = await openai.chat.completions.create({ ...request, ...options }, { cache: { variant: 1 } })
for await (const chunk of abandoned) if (chunk.choices[0]?.delta.content) break
await cache.flush()
console.log(`  ${line(cacheInfo(abandoned))}`)

await cache.close()
await provider.close()
