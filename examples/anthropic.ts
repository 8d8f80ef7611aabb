/**
 * Anthropic's client: messages whole and streamed, the stream helper, token counts and tool use.
 * @module
 */
import { readFileSync } from 'node:fs'
import Anthropic from '@anthropic-ai/sdk'
import { cacheInfo, createCache, withCache } from 'llmemo'
import { openProvider } from './provider.ts'
import { line, strong } from './report.ts'

const provider = await openProvider('ANTHROPIC_API_KEY', '')
const cache = createCache({ ttl: { default: '1h', count_tokens: '1d' } })
const anthropic = withCache(new Anthropic(provider.options), cache)
console.log(strong(provider.description))

const licence = readFileSync(new URL('../node_modules/zod/LICENSE', import.meta.url), 'utf8')
const question = `Must I keep the copyright notice in all copies?\n\n${licence}`
const request = { model: 'claude-haiku-4-5', max_tokens: 512, messages: [{ role: 'user' as const, content: question }] }

for (const time of ['the first time', 'the second time']) {
  console.log(`\n${strong(`Asked ${time}`)}`)
  const message = await anthropic.messages.create(request)
  console.log(`${textOf(message.content)}\n  ${line(message._cache)}`)
}

console.log(`\n${strong('By the stream helper, with a mark for Anthropic’s own prompt cache')}`)
// The stored whole answer serves a stream too. `cache_control` cannot change an answer, so it is not part of the key.
const marked = [{ type: 'text' as const, text: question, cache_control: { type: 'ephemeral' as const } }]
const helper = anthropic.messages.stream({ ...request, messages: [{ role: 'user', content: marked }] })
let events = 0
helper.on('streamEvent', () => (events += 1))
const message = await helper.finalMessage()
console.log(`${events} events, ${message.usage.output_tokens} tokens\n  ${line(cacheInfo(helper))}`)

console.log(`\n${strong('Tokens')}`)
for (let time = 0; time < 2; time += 1) {
  const count = await anthropic.messages.countTokens({ model: request.model, messages: request.messages })
  console.log(`${count.input_tokens} tokens\n  ${line(count._cache)}`)
}

const packages = ['zod', 'fflate']
const tool: Anthropic.Tool = {
  name: 'read_licence',
  description: 'Reads the licence of a package.',
  input_schema: {
    type: 'object',
    properties: { package: { type: 'string', enum: packages, description: 'The name of the package' } },
    required: ['package'],
  },
}

for (const time of ['the first time', 'the second time']) {
  console.log(`\n${strong(`A conversation with a tool, ${time}`)}`)
  const messages: Anthropic.MessageParam[] = [{ role: 'user', content: 'Does the licence of zod give a warranty?' }]
  // Each step is a call that holds the whole conversation. The SDK's tool runner works like that in versions 0.x. In 1.11 the provider
  // keeps the conversation as a thread, and the cache never stores a call that continues one.
  for (let steps = 0; steps < 4; steps += 1) {
    const { content, stop_reason, _cache } = await anthropic.messages.create({ ...request, messages, tools: [tool] })
    console.log(`  ${stop_reason}: ${line(_cache)}`)
    if (stop_reason !== 'tool_use') break
    const results = content.flatMap((block) =>
      block.type === 'tool_use' ? [{ type: 'tool_result' as const, tool_use_id: block.id, content: read(block.input) }] : [],
    )
    messages.push({ role: 'assistant', content }, { role: 'user', content: results })
  }
}
console.log(`\nAnthropic was asked ${provider.calls()} times for ${cache.stats().hits + cache.stats().misses} calls.`)

await cache.close()
await provider.close()

function textOf(content: readonly Anthropic.ContentBlock[]): string {
  return content.map((block) => (block.type === 'text' ? block.text : '')).join('')
}

/** The tool. It does not trust the model's arguments: it reads only known packages. */
function read(input: unknown): string {
  const name = packages.find((each) => typeof input === 'object' && input !== null && Reflect.get(input, 'package') === each)
  console.log(`  tool: read_licence(${name ?? 'unknown'})`)
  return name === undefined
    ? 'There is no such package.'
    : readFileSync(new URL(`../node_modules/${name}/LICENSE`, import.meta.url), 'utf8')
}
