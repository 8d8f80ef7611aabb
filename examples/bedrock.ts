/**
 * Amazon Bedrock: Converse, ConverseStream and InvokeModel. A hit needs no credentials and no network.
 *
 * AWS credentials rotate, so they cannot tell tenants apart. All answers of a cache are in one scope until you set `scope`.
 * @module
 */
import { readFileSync } from 'node:fs'
import { ConverseCommand, ConverseStreamCommand, InvokeModelCommand } from '@aws-sdk/client-bedrock-runtime'
import { cacheInfo, createCache, withCache } from 'llmemo'
import { openBedrock } from './bedrock-provider.ts'
import { line, strong } from './report.ts'

const provider = await openBedrock()
const cache = createCache({ ttl: { default: '1h', invoke: '30d' }, scope: 'examples' })
const bedrock = withCache(provider.client, cache)
console.log(strong(provider.description))

const licence = readFileSync(new URL('../node_modules/zod/LICENSE', import.meta.url), 'utf8')
const modelId = process.env['LLMEMO_BEDROCK_MODEL'] ?? 'us.anthropic.claude-haiku-4-5-20251001-v1:0'
const request = {
  modelId,
  messages: [{ role: 'user' as const, content: [{ text: `Must I keep the copyright notice in all copies?\n\n${licence}` }] }],
  inferenceConfig: { maxTokens: 512 },
}

for (const time of ['the first time', 'the second time']) {
  console.log(`\n${strong(`Converse, ${time}`)}`)
  const answer = await bedrock.send(new ConverseCommand(request), { cache: { tags: ['licence:zod'] } })
  console.log(`${answer.output?.message?.content?.[0]?.text ?? ''}\n  ${line(answer._cache)}`)
}

console.log(`\n${strong('ConverseStream')}`)
// A stored whole answer serves a stream, and a stored stream serves a whole answer.
const streamed = await bedrock.send(new ConverseStreamCommand(request))
for await (const event of streamed.stream ?? []) process.stdout.write(event.contentBlockDelta?.delta?.text ?? '')
console.log(`\n  ${line(cacheInfo(streamed))}`)

for (const time of ['the first time', 'the second time']) {
  console.log(`\n${strong(`InvokeModel, ${time}`)}`)
  const body = JSON.stringify({ inputText: licence, dimensions: 256, normalize: true })
  const answer = await bedrock.send(
    new InvokeModelCommand({ modelId: 'amazon.titan-embed-text-v2:0', body, contentType: 'application/json' }),
  )
  const { embedding }: { embedding: number[] } = JSON.parse(answer.body.transformToString())
  console.log(`${embedding.length} numbers\n  ${line(answer._cache)}`)
}

console.log(`\n${strong('After invalidation')}`)
await cache.invalidate({ tags: ['licence:zod'] })
const renewed = await bedrock.send(new ConverseCommand(request), { cache: { tags: ['licence:zod'] } })
console.log(`  ${line(renewed._cache)}`)
console.log(`\nBedrock was asked ${provider.calls()} times for ${cache.stats().hits + cache.stats().misses} calls.`)

await cache.close()
await provider.close()
