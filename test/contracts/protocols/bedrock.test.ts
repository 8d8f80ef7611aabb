import { createAmazonBedrock } from '@ai-sdk/amazon-bedrock'
import { generateText, streamText } from 'ai'
import { BedrockRuntime, type ConverseCommandInput } from '@aws-sdk/client-bedrock-runtime'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Cache, createCache } from '../../../src/cache/cache.ts'
import { cachingFetch, withCache } from '../../../src/clients/with-cache.ts'
import type { JsonObject } from '../../../src/json/object.ts'
import { message, text as textBlock, textEvents } from '../../support/anthropic-answers.ts'
import { startBedrock } from '../../support/bedrock-server.ts'
import { converseAnswer, converseEvents } from '../../support/bedrock-sdk.ts'
import type { ProviderReply, ProviderRequest, ProviderServer } from '../../support/provider-server.ts'
import { describeBehaviours, versionOf, type Way } from '../behaviours.ts'

const model = 'test.model-v1:0'
const http1 = (handler: Parameters<typeof startBedrock>[1]) => startBedrock('http1', handler)

function answer({ path }: ProviderRequest, reply: ProviderReply, text: string): unknown {
  if (path.endsWith('/converse')) return reply.json(converseAnswer(text), { headers: { 'x-amzn-requestid': 'r-1' } })
  if (path.endsWith('/converse-stream')) return reply.events(converseEvents(text).flat())
  return reply.json({ message: `unknown ${path}` }, { status: 404 })
}

const keys = { region: 'us-east-1', accessKeyId: 'AKIDTEST', secretAccessKey: 'secret' }
const bedrock = ({ url, fetch }: Way, credentials: object = keys) => createAmazonBedrock({ ...credentials, baseURL: url, fetch })

for (const [kind, credentials] of [
  ['signed', keys],
  ['with a key', { region: 'us-east-1', apiKey: 'bedrock-key' }],
] as const) {
  describeBehaviours({
    title: `Bedrock's Converse through ${versionOf('ai')}, ${versionOf('@ai-sdk/amazon-bedrock')}, ${kind}`,
    start: http1,
    answer,
    fail: (reply) => reply.json({ message: 'no' }, { status: 400, headers: { 'x-amzn-errortype': 'ValidationException' } }),
    tokens: 21,
    async ask(way, prompt) {
      const { text, usage, finishReason } = await generateText({ model: bedrock(way, credentials)(model), prompt, maxRetries: 0 })
      return { text, all: { usage, finishReason } }
    },
    async stream(way, prompt) {
      const failures: unknown[] = []
      const { textStream, usage } = streamText({
        model: bedrock(way, credentials)(model),
        prompt,
        maxRetries: 0,
        onError: ({ error }) => void failures.push(error),
      })
      const parts: string[] = []
      for await (const part of textStream) parts.push(part)
      if (failures.length > 0) throw failures[0]
      return { text: parts.join(''), all: { parts, usage: await usage } }
    },
  })
}

const messages = [{ role: 'user' as const, content: [{ text: 'Hi' }] }]

/** The same calls of the SDK, and over plain HTTP as a signed request. */
const picture = <Source>(source: Source) => [
  { role: 'user' as const, content: [{ text: 'What?' }, { image: { format: 'png' as const, source } }] },
]

describe('an entry of Bedrock', () => {
  let server: ProviderServer
  let cache: Cache

  beforeEach(async () => {
    server = await http1((request, reply) => {
      const said = `answer ${server.requests.length}`
      const { path } = request
      if (path.endsWith('/invoke')) return reply.json(message([textBlock(said)]))
      return path.includes('/invoke') ? reply.events(chunks(said)) : answer(request, reply, said)
    })
    cache = createCache({ logger: false })
  })
  afterEach(() => server.close())

  const client = () =>
    withCache(
      new BedrockRuntime({
        region: 'us-east-1',
        endpoint: server.url,
        credentials: { accessKeyId: 'AKIDTEST', secretAccessKey: 'secret' },
        requestHandler: new NodeHttpHandler(),
      }),
      cache,
    )

  const post = async (action: string, body: object, headers: Record<string, string> = {}): Promise<Response> =>
    cachingFetch(cache)(`${server.url}/model/${encodeURIComponent(model)}/${action}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: 'AWS4-HMAC-SHA256 Credential=AKIDTEST/20261129/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=00',
        ...headers,
      },
      body: JSON.stringify(body),
    })

  const bytes = Buffer.from('a picture')
  const system = [{ text: 'Be brief.' }]
  const tools = { tools: [{ toolSpec: { name: 'f', inputSchema: { json: { type: 'object', properties: { bytes: { $ref: '#/a' } } } } } }] }

  const cases: readonly [string, Omit<ConverseCommandInput, 'modelId'>, object][] = [
    ['words', { messages, system, inferenceConfig: { temperature: 0 } }, { messages, system, inferenceConfig: { temperature: 0 } }],
    [
      'a picture and a tool',
      { messages: picture({ bytes }), toolConfig: tools },
      { messages: picture({ bytes: bytes.toString('base64') }), toolConfig: tools },
    ],
  ]
  it.each(cases)('of %s is the same of the SDK and over HTTP, whole and streamed', async (_, input, body) => {
    const command = { modelId: model, ...input }
    const first = await client().converse(command)
    expect(await (await post('converse', body)).json()).toEqual(JSON.parse(JSON.stringify({ ...first, $metadata: undefined })))
    expect((await post('converse', body)).headers.get('x-amzn-requestid')).toBe('r-1')
    const streamed = await client().converseStream(command)
    const events: unknown[] = []
    for await (const event of streamed.stream ?? []) events.push(event)
    expect(events.length).toBeGreaterThan(3)
    expect(server.requests).toHaveLength(1)
    await cache.clear()
    await (await post('converse-stream', body)).text()
    expect((await client().converse(command)).output?.message?.content).toEqual([{ text: 'answer 2' }])
    expect(server.requests).toHaveLength(2)
  })

  const claude = { anthropic_version: 'bedrock-2023-05-31', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] }

  it('of a model’s own form is the same of the SDK and over HTTP, whole and streamed', async () => {
    const command = { modelId: model, body: JSON.stringify(claude), contentType: 'application/json' }
    const first = await client().invokeModel(command)
    const said = await post('invoke', claude, { accept: '*/*' })
    expect(await said.text()).toBe(first.body.transformToString())
    const stream = await post('invoke-with-response-stream', claude)
    expect(stream.headers.get('content-type')).toBe('application/vnd.amazon.eventstream')
    await stream.arrayBuffer()
    expect(server.requests).toHaveLength(1)
    await cache.clear()
    await (await post('invoke-with-response-stream', claude)).arrayBuffer()
    const again = await client().invokeModelWithResponseStream(command)
    expect(again.contentType).toBe('application/json')
    const parts: JsonObject[] = []
    for await (const { chunk } of again.body ?? []) parts.push(JSON.parse(new TextDecoder().decode(chunk?.bytes)))
    expect(parts.map(({ type }) => type)).toContain('message_stop')
    expect(server.requests).toHaveLength(2)
  })

  it.each([
    ['another guardrail', { 'x-amzn-bedrock-guardrailidentifier': 'g-1' }, 2],
    [
      'another signature',
      { 'x-amz-date': '20261129T000000Z', authorization: 'AWS4-HMAC-SHA256 Credential=OTHER/20261130/us-east-1/bedrock/aws4_request' },
      1,
    ],
    ['another region', { authorization: 'AWS4-HMAC-SHA256 Credential=AKIDTEST/20261129/eu-west-1/bedrock/aws4_request' }, 2],
  ])('is told apart by %s, or not', async (_, headers, asked) => {
    await (await post('invoke', claude)).text()
    await (await post('invoke', claude, headers)).text()
    expect(server.requests).toHaveLength(asked)
  })
})

/** A stream of Anthropic's messages as the service gives it. */
function chunks(text: string) {
  const events = textEvents(text)
    .flat()
    .map(({ data }): JsonObject => JSON.parse(data))
  const metrics = { inputTokenCount: 9, outputTokenCount: 12, invocationLatency: 5, firstByteLatency: 1 }
  return events.map((event, at) => ({
    event: 'chunk',
    data: JSON.stringify({
      bytes: Buffer.from(
        JSON.stringify(at === events.length - 1 ? { ...event, 'amazon-bedrock-invocationMetrics': metrics } : event),
      ).toString('base64'),
    }),
  }))
}
