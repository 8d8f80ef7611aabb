/**
 * Anthropic's models in other clouds, over their HTTP: Vertex AI's `rawPredict`, and Bedrock's `invoke`.
 */
import { createAmazonBedrock } from '@ai-sdk/amazon-bedrock'
import AnthropicVertex from '@anthropic-ai/vertex-sdk'
import { embedMany } from 'ai'
import { expect, it } from 'vitest'
import { createCache } from '../../../src/cache/cache.ts'
import { cachingFetch, withCache } from '../../../src/clients/with-cache.ts'
import { parseEvents } from '../../../src/base/server-sent-events.ts'
import { isJsonObject, type JsonObject } from '../../../src/json/object.ts'
import { message, text as textBlock, textEvents } from '../../support/anthropic-answers.ts'
import { startBedrock } from '../../support/bedrock-server.ts'
import { type ProviderReply, type ProviderRequest, startProvider } from '../../support/provider-server.ts'
import { describeBehaviours, type Told, versionOf, type Way } from '../behaviours.ts'

const refuseAnthropic = (reply: ProviderReply): void =>
  reply.json({ type: 'error', error: { type: 'invalid_request_error', message: 'no' } }, { status: 400 })

function anthropicAnswer({ path }: ProviderRequest, reply: ProviderReply, text: string): unknown {
  return path.endsWith(':streamRawPredict') ? reply.events(textEvents(text).flat()) : reply.json(message([textBlock(text)]))
}

const ask = (content: string) => ({ model: 'claude-test-1', max_tokens: 100, messages: [{ role: 'user' as const, content }] })

function vertex({ url, fetch }: Way): AnthropicVertex {
  const client = { region: 'us-central1', projectId: 'p', baseURL: `${url}/v1`, accessToken: 'token', maxRetries: 0, fetch }
  return new AnthropicVertex({
    ...client,
    authClient: Object({ getRequestHeaders: async () => new Headers({ authorization: 'Bearer t' }) }),
  })
}

describeBehaviours({
  title: `Vertex AI's rawPredict through ${versionOf('@anthropic-ai/vertex-sdk')}`,
  answer: anthropicAnswer,
  fail: refuseAnthropic,
  tokens: 21,
  async ask(way, content) {
    const all = await vertex(way).messages.create(ask(content))
    return { text: all.content.map((block) => (block.type === 'text' ? block.text : '')).join(''), all: { ...all } }
  },
  async stream(way, content) {
    const all = await Array.fromAsync(await vertex(way).messages.create({ ...ask(content), stream: true }))
    return {
      text: all
        .map((event) => (event.type === 'content_block_delta' && event.delta.type === 'text_delta' ? event.delta.text : ''))
        .join(''),
      all,
    }
  },
})

/** A call over plain HTTP, as Vertex AI takes it. */
async function predict({ url, fetch }: Way, content: string, stream: boolean): Promise<Told> {
  const { model, ...rest } = ask(content)
  const method = stream ? 'streamRawPredict' : 'rawPredict'
  const response = await fetch(`${url}/v1/projects/p/locations/global/publishers/anthropic/models/${model}:${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer ya29.token' },
    body: JSON.stringify({ ...rest, anthropic_version: 'vertex-2023-10-16', ...(stream && { stream }) }),
  })
  const all = await response.text()
  if (!response.ok) throw new Error(all)
  const parts: JsonObject[] = stream ? parseEvents(all).map(({ data }): JsonObject => JSON.parse(data)) : [JSON.parse(all)]
  return { text: parts.map(textIn).join(''), all: parts }
}

/** The words of a whole answer, or of an event of a stream. */
function textIn(part: JsonObject): string {
  const { content, delta } = part
  const blocks: readonly unknown[] = Array.isArray(content) ? content : [delta]
  return blocks.map((block) => (isJsonObject(block) && typeof block['text'] === 'string' ? block['text'] : '')).join('')
}

describeBehaviours({
  title: "Vertex AI's rawPredict over plain HTTP",
  answer: anthropicAnswer,
  fail: refuseAnthropic,
  tokens: 21,
  ask: (way, content) => predict(way, content, false),
  stream: (way, content) => predict(way, content, true),
})

/** A call of Bedrock over plain HTTP. Its streams are AWS's own, in which each chunk is base64. */
async function invoke({ url, fetch }: Way, content: string, stream: boolean): Promise<Told> {
  const { model: _, ...rest } = ask(content)
  const response = await fetch(`${url}/model/anthropic.claude-test-v1%3A0/${stream ? 'invoke-with-response-stream' : 'invoke'}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer bedrock-key' },
    body: JSON.stringify({ ...rest, anthropic_version: 'bedrock-2023-05-31' }),
  })
  const all = Buffer.from(await response.arrayBuffer())
  if (!response.ok) throw new Error(all.toString())
  if (!stream) return { text: textIn(JSON.parse(all.toString())), all: all.toString() }
  const chunks = [...all.toString('latin1').matchAll(/"bytes":"([^"]*)"/g)].map(([, bytes = '']) => Buffer.from(bytes, 'base64').toString())
  const parts = chunks.map((chunk): JsonObject => JSON.parse(chunk))
  return { text: parts.map(textIn).join(''), all: parts }
}

const startHttp1: NonNullable<Parameters<typeof describeBehaviours>[0]['start']> = (handler) => startBedrock('http1', handler)
const refuseBedrock = (reply: ProviderReply): void =>
  reply.json({ message: 'no' }, { status: 400, headers: { 'x-amzn-errortype': 'ValidationException' } })

/** A stream of Anthropic's messages as Bedrock gives it, with the count of tokens in its last chunk. */
function chunksOf(text: string) {
  const events = textEvents(text)
    .flat()
    .map(({ data }): JsonObject => JSON.parse(data))
  const metrics = { inputTokenCount: 9, outputTokenCount: 12, invocationLatency: 5, firstByteLatency: 1 }
  const last = events.length - 1
  return events.map((event, at) => {
    const chunk = at === last ? { ...event, 'amazon-bedrock-invocationMetrics': metrics } : event
    return { event: 'chunk', data: JSON.stringify({ bytes: Buffer.from(JSON.stringify(chunk)).toString('base64') }) }
  })
}

describeBehaviours({
  title: "Bedrock's invoke over plain HTTP",
  start: startHttp1,
  answer: ({ path }, reply, text) => (path.endsWith('/invoke') ? reply.json(message([textBlock(text)])) : reply.events(chunksOf(text))),
  fail: refuseBedrock,
  tokens: 21,
  ask: (way, content) => invoke(way, content, false),
  stream: (way, content) => invoke(way, content, true),
})

describeBehaviours({
  title: `Bedrock's embeddings through ${versionOf('ai')}, ${versionOf('@ai-sdk/amazon-bedrock')}`,
  start: startHttp1,
  answer: ({ body }, reply, text) =>
    reply.json({ embedding: [JSON.stringify(body).length, Number(text.replaceAll(/\D/g, '') || 0)], inputTextTokenCount: 9 }),
  fail: refuseBedrock,
  tokens: 9,
  async ask({ url, fetch }, value) {
    const model = createAmazonBedrock({ region: 'us-east-1', apiKey: 'bedrock-key', baseURL: url, fetch }).embeddingModel(
      'amazon.titan-embed-text-v2:0',
    )
    const { embeddings } = await embedMany({ model, values: [value], maxRetries: 0 })
    return { text: `${JSON.stringify(embeddings)} of ${value}`, all: embeddings }
  },
})

it('an entry of a wrapped client of @anthropic-ai/vertex-sdk is found by its calls over HTTP', async () => {
  const server = await startProvider((request, reply) => anthropicAnswer(request, reply, `answer ${server.requests.length}`))
  const cache = createCache({ logger: false })
  const url = server.url.replace(/\/v1$/, '')
  const bare = vertex({ url, fetch: globalThis.fetch, cache, headers: {} })
  const wrapped = withCache(bare, cache)
  const first = await wrapped.messages.create(ask('Hi'), { cache: { scope: 'team' } })
  const again = await cache.with({ scope: 'team' }, () =>
    vertex({ url, fetch: cachingFetch(cache), cache, headers: {} }).messages.create(ask('Hi')),
  )
  expect(JSON.parse(JSON.stringify(again))).toEqual(JSON.parse(JSON.stringify(first)))
  expect(server.requests).toHaveLength(1)
  await server.close()
})
