/**
 * The one suite of behaviours through the gateway, by unmodified SDKs and by programs in other languages.
 */
import { execFile, execFileSync } from 'node:child_process'
import { promisify } from 'node:util'
import { createAmazonBedrock } from '@ai-sdk/amazon-bedrock'
import { createAnthropic } from '@ai-sdk/anthropic'
import { createGoogleGenerativeAI } from '@ai-sdk/google'
import { createOpenAI } from '@ai-sdk/openai'
import Anthropic from '@anthropic-ai/sdk'
import { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand } from '@aws-sdk/client-bedrock-runtime'
import { GoogleGenAI } from '@google/genai'
import { embedMany, generateText, type LanguageModel, streamText } from 'ai'
import OpenAI from 'openai'
import { afterAll, beforeAll, vi } from 'vitest'
import { isJsonObject, type JsonObject } from '../../../src/json/object.ts'
import { describeBehaviours, type Spoken, type Told, versionOf, type Way } from '../../../test/contracts/behaviours.ts'
import { message, text as textBlock, textEvents } from '../../../test/support/anthropic-answers.ts'
import { startBedrock } from '../../../test/support/bedrock-server.ts'
import { converseAnswer, converseEvents } from '../../../test/support/bedrock-sdk.ts'
import { contentTokens, wordEvents, words } from '../../../test/support/gemini-answers.ts'
import { chunksOf, completion, response, responseEvents } from '../../../test/support/openai-answers.ts'
import type { ProviderReply, ProviderRequest } from '../../../test/support/provider-server.ts'
import { isStreamRequest } from '../support/stand-in.ts'
import { throughGateway } from '../support/through-gateway.ts'

// The gateway signs for Bedrock with the credentials of its own process.
beforeAll(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDGATEWAY')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'gateway-secret')
  vi.stubEnv('AWS_SESSION_TOKEN', undefined)
})
afterAll(() => void vi.unstubAllEnvs())

function openaiAnswers(request: ProviderRequest, reply: ProviderReply, text: string): unknown {
  const isStream = isStreamRequest(request)
  if (request.path === '/v1/responses') return isStream ? reply.events(responseEvents(text)) : reply.json(response(text))
  if (request.path === '/v1/embeddings') return reply.json(vectorsFor(request, text))
  return isStream ? reply.events(chunksOf(text).flat()) : reply.json(completion(text))
}

/** A vector for each input, whose second number is that of the answer. */
function vectorsFor({ body }: ProviderRequest, text: string): JsonObject {
  const { input } = isJsonObject(body) ? body : {}
  const inputs: readonly unknown[] = Array.isArray(input) ? input : [input]
  const data = inputs.map((each, index) => ({
    object: 'embedding',
    index,
    embedding: [String(each).length, Number(text.replaceAll(/\D/g, '') || 0)],
  }))
  return { object: 'list', model: 'gpt-test', data, usage: { prompt_tokens: 21, total_tokens: 21 } }
}

function anthropicAnswers(request: ProviderRequest, reply: ProviderReply, text: string): unknown {
  return isStreamRequest(request) ? reply.events(textEvents(text).flat()) : reply.json(message([textBlock(text)]))
}

function geminiAnswers({ path }: ProviderRequest, reply: ProviderReply, text: string): unknown {
  return path.includes(':streamGenerateContent') ? reply.events(wordEvents(text)) : reply.json(words(text))
}

function bedrockAnswers({ path }: ProviderRequest, reply: ProviderReply, text: string): unknown {
  return path.endsWith('/converse') ? reply.json(converseAnswer(text)) : reply.events(converseEvents(text).flat())
}

const openaiTokens = 21
const geminiTokens = contentTokens.promptTokenCount + contentTokens.candidatesTokenCount + contentTokens.thoughtsTokenCount
const refuseBedrock = (reply: ProviderReply): void =>
  reply.json({ message: 'no' }, { status: 400, headers: { 'x-amzn-errortype': 'ValidationException' } })
const refuseAnthropic = (reply: ProviderReply): void =>
  reply.json({ type: 'error', error: { type: 'invalid_request_error', message: 'no' } }, { status: 400 })

function describeThrough(spoken: Omit<Spoken, 'through'>): void {
  describeBehaviours({ ...spoken, title: `${spoken.title}, through the gateway`, through: throughGateway })
}

/** Parts of a stream, and what they say together. */
async function read<Part>(stream: AsyncIterable<Part>, textOf: (part: Part) => string | undefined): Promise<Told> {
  const all = await Array.fromAsync(stream)
  return { text: all.map((part) => textOf(part) ?? '').join(''), all }
}

const openai = ({ url, headers }: Way): OpenAI =>
  new OpenAI({ baseURL: `${url}/openai/v1`, apiKey: 'sk-test', maxRetries: 0, defaultHeaders: headers })

describeThrough({
  title: `Chat through ${versionOf('openai')}`,
  answer: openaiAnswers,
  tokens: openaiTokens,
  async ask(way, content) {
    const all = await openai(way).chat.completions.create({ model: 'gpt-test', messages: [{ role: 'user', content }] })
    return { text: all.choices[0]?.message.content ?? '', all: { ...all } }
  },
  async stream(way, content) {
    const asked = {
      model: 'gpt-test',
      messages: [{ role: 'user' as const, content }],
      stream: true as const,
      stream_options: { include_usage: true },
    }
    return read(await openai(way).chat.completions.create(asked), ({ choices }) => choices[0]?.delta.content ?? '')
  },
})

describeThrough({
  title: `Responses through ${versionOf('openai')}`,
  answer: openaiAnswers,
  tokens: openaiTokens,
  async ask(way, input) {
    const all = await openai(way).responses.create({ model: 'gpt-test', input })
    return { text: all.output_text, all: { ...all } }
  },
  async stream(way, input) {
    const stream = await openai(way).responses.create({ model: 'gpt-test', input, stream: true })
    return read(stream, (event) => (event.type === 'response.output_text.delta' ? event.delta : ''))
  },
})

describeThrough({
  title: `Embeddings through ${versionOf('openai')}`,
  answer: openaiAnswers,
  tokens: openaiTokens,
  async ask(way, input) {
    const all = await openai(way).embeddings.create({ model: 'gpt-test', input, encoding_format: 'float' })
    return { text: JSON.stringify(all.data.map(({ embedding }) => embedding)), all: all.data }
  },
})

const anthropic = ({ url, headers }: Way): Anthropic =>
  new Anthropic({ baseURL: `${url}/anthropic`, apiKey: 'sk-test', authToken: null, maxRetries: 0, defaultHeaders: headers })

describeThrough({
  title: `Messages through ${versionOf('@anthropic-ai/sdk')}`,
  answer: anthropicAnswers,
  fail: refuseAnthropic,
  tokens: openaiTokens,
  async ask(way, content) {
    const asked = { model: 'claude-test', max_tokens: 100, messages: [{ role: 'user' as const, content }] }
    const all = await anthropic(way).messages.create(asked)
    return { text: all.content.map((block) => (block.type === 'text' ? block.text : '')).join(''), all: { ...all } }
  },
  async stream(way, content) {
    const asked = { model: 'claude-test', max_tokens: 100, messages: [{ role: 'user' as const, content }], stream: true as const }
    return read(await anthropic(way).messages.create(asked), (event) =>
      event.type === 'content_block_delta' && event.delta.type === 'text_delta' ? event.delta.text : '',
    )
  },
})

const gemini = ({ url, headers }: Way): GoogleGenAI =>
  new GoogleGenAI({ apiKey: 'key-test', httpOptions: { baseUrl: `${url}/gemini`, headers: { ...headers } } })

/** An answer without what HTTP says of it. */
function body(answer: object): JsonObject {
  const { sdkHttpResponse: _, ...rest }: JsonObject = JSON.parse(JSON.stringify(answer))
  return rest
}

describeThrough({
  title: `Gemini through ${versionOf('@google/genai')}`,
  answer: geminiAnswers,
  tokens: geminiTokens,
  async ask(way, contents) {
    const all = await gemini(way).models.generateContent({ model: 'gemini-test', contents })
    return { text: all.text ?? '', all: body(all) }
  },
  async stream(way, contents) {
    const { text, all } = await read(
      await gemini(way).models.generateContentStream({ model: 'gemini-test', contents }),
      (each) => each.text,
    )
    return { text, all: Array.isArray(all) ? all.map((each: object) => body(each)) : all }
  },
})

/** Makes a call by the unmodified client, which speaks HTTP/2. */
async function byBedrock({ url, headers }: Way, make: (client: BedrockRuntimeClient) => Promise<Told>): Promise<Told> {
  const client = new BedrockRuntimeClient({
    region: 'us-east-1',
    endpoint: `${url}/bedrock`,
    credentials: { accessKeyId: 'AKIDCLIENT', secretAccessKey: 'client-secret' },
    maxAttempts: 1,
  })
  client.middlewareStack.add(
    (next) => (given) => {
      const { request } = given
      if (typeof request === 'object' && request !== null) Object.assign(Object(Reflect.get(request, 'headers')), headers)
      return next(given)
    },
    { step: 'build' },
  )
  try {
    return await make(client)
  } finally {
    client.destroy()
  }
}

const asked = (prompt: string) => ({ modelId: 'test.model-v1:0', messages: [{ role: 'user' as const, content: [{ text: prompt }] }] })

describeThrough({
  title: `Converse through ${versionOf('@aws-sdk/client-bedrock-runtime')}`,
  start: (handler) => startBedrock('http1', handler),
  answer: bedrockAnswers,
  fail: refuseBedrock,
  tokens: openaiTokens,
  ask: (way, prompt) =>
    byBedrock(way, async (client) => {
      const { output, usage, stopReason } = await client.send(new ConverseCommand(asked(prompt)))
      return { text: output?.message?.content?.[0]?.text ?? '', all: { output, usage, stopReason } }
    }),
  stream: (way, prompt) =>
    byBedrock(way, async (client) => {
      const { stream } = await client.send(new ConverseStreamCommand(asked(prompt)))
      if (stream === undefined) throw new TypeError('the answer is no stream')
      return read(stream, ({ contentBlockDelta }) => contentBlockDelta?.delta?.text)
    }),
})

const models: Readonly<
  Record<string, Pick<Spoken, 'answer' | 'fail' | 'start' | 'tokens'> & { readonly modelOf: (way: Way) => LanguageModel }>
> = {
  '@ai-sdk/openai': {
    answer: openaiAnswers,
    tokens: openaiTokens,
    modelOf: ({ url, headers }) => createOpenAI({ baseURL: `${url}/openai/v1`, apiKey: 'sk-test', headers }).chat('gpt-test'),
  },
  '@ai-sdk/anthropic': {
    answer: anthropicAnswers,
    fail: refuseAnthropic,
    tokens: openaiTokens,
    modelOf: ({ url, headers }) => createAnthropic({ baseURL: `${url}/anthropic/v1`, apiKey: 'sk-test', headers })('claude-test'),
  },
  '@ai-sdk/google': {
    answer: geminiAnswers,
    tokens: geminiTokens,
    modelOf: ({ url, headers }) =>
      createGoogleGenerativeAI({ baseURL: `${url}/gemini/v1beta`, apiKey: 'key-test', headers })('gemini-test'),
  },
  '@ai-sdk/amazon-bedrock': {
    start: (handler) => startBedrock('http1', handler),
    answer: bedrockAnswers,
    fail: refuseBedrock,
    tokens: openaiTokens,
    modelOf: ({ url, headers }) =>
      createAmazonBedrock({ region: 'us-east-1', baseURL: `${url}/bedrock`, apiKey: 'bedrock-key', headers })('test.model-v1:0'),
  },
}

for (const [name, { modelOf, ...spoken }] of Object.entries(models)) {
  describeThrough({
    ...spoken,
    title: `${versionOf('ai')}, ${versionOf(name)}`,
    async ask(way, prompt) {
      const { text, usage, finishReason } = await generateText({ model: modelOf(way), prompt, maxOutputTokens: 100, maxRetries: 0 })
      return { text, all: { usage, finishReason } }
    },
    async stream(way, prompt) {
      const failures: unknown[] = []
      const { textStream, usage } = streamText({
        model: modelOf(way),
        prompt,
        maxOutputTokens: 100,
        maxRetries: 0,
        onError: ({ error }) => void failures.push(error),
      })
      const parts = await Array.fromAsync(textStream)
      if (failures.length > 0) throw failures[0]
      return { text: parts.join(''), all: { parts, usage: await usage } }
    },
  })
}

describeThrough({
  title: `Embeddings through ${versionOf('ai')}, ${versionOf('@ai-sdk/openai')}`,
  answer: openaiAnswers,
  tokens: openaiTokens,
  async ask({ url, headers }, value) {
    const model = createOpenAI({ baseURL: `${url}/openai/v1`, apiKey: 'sk-test', headers }).embeddingModel('gpt-test')
    const { embeddings } = await embedMany({ model, values: [value], maxRetries: 0 })
    return { text: JSON.stringify(embeddings), all: embeddings }
  },
})

const run = promisify(execFile)

/** Runs a program that prints an answer of the provider. */
async function printed(program: string, words: readonly string[]): Promise<Told> {
  const { stdout } = await run(program, words)
  const text = Array.from(stdout.matchAll(/"content": ?"([^"]*)"/g), ([, said = '']) => said).join('')
  return { text, all: stdout }
}

const sent = (content: string, stream: boolean): string =>
  JSON.stringify({
    model: 'gpt-test',
    messages: [{ role: 'user', content }],
    ...(stream && { stream, stream_options: { include_usage: true } }),
  })

function byCurl({ url, headers }: Way, prompt: string, stream: boolean): Promise<Told> {
  const all = { authorization: 'Bearer sk-test', 'content-type': 'application/json', ...headers }
  const given = Object.entries(all).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  return printed('curl', ['-sS', '--fail', `${url}/openai/v1/chat/completions`, ...given, '-d', sent(prompt, stream)])
}

function byPython(script: string, path: string): (way: Way, prompt: string, stream: boolean) => Promise<Told> {
  const file = new URL(`../support/${script}`, import.meta.url).pathname
  return ({ url, headers }, prompt, stream) => {
    const all = { authorization: 'Bearer sk-test', 'content-type': 'application/json', ...headers }
    return printed('python3', [file, `${url}/openai/v1${path}`, sent(prompt, stream), JSON.stringify(all)])
  }
}

const others = [
  { title: 'Chat by curl', needs: ['curl', '--version'], ask: byCurl },
  { title: "Chat by Python's urllib", needs: ['python3', '-c', 'pass'], ask: byPython('ask-by-urllib.py', '/chat/completions') },
  { title: "Chat by Python's openai", needs: ['python3', '-c', 'import openai'], ask: byPython('ask-by-openai.py', '') },
]

for (const { title, needs, ask } of others) {
  if (!isThere(needs)) {
    console.warn(`SKIPPED: ${title}, as this machine cannot run: ${needs.join(' ')}`)
    continue
  }
  describeThrough({
    title,
    answer: openaiAnswers,
    tokens: openaiTokens,
    ask: (way, prompt) => ask(way, prompt, false),
    stream: (way, prompt) => ask(way, prompt, true),
  })
}

function isThere([program = '', ...words]: readonly string[]): boolean {
  try {
    execFileSync(program, words, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
