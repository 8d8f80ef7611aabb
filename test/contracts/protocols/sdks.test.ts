/**
 * SDKs and frameworks that take a `fetch`, over the protocols of OpenAI and Anthropic.
 */
import { createAnthropic } from '@ai-sdk/anthropic'
import { createMistral } from '@ai-sdk/mistral'
import { createOpenAI } from '@ai-sdk/openai'
import Anthropic from '@anthropic-ai/sdk'
import { Cerebras } from '@cerebras/cerebras_cloud_sdk'
import { ChatOpenAI } from '@langchain/openai'
import Perplexity from '@perplexity-ai/perplexity_ai'
import { embedMany, generateText, type LanguageModel, streamText } from 'ai'
import Groq from 'groq-sdk'
import OpenAI from 'openai'
import Together from 'together-ai'
import { isJsonObject, type JsonObject } from '../../../src/json/object.ts'
import { message, text as textBlock, textEvents } from '../../support/anthropic-answers.ts'
import { chunksOf, completion, response, responseEvents } from '../../support/openai-answers.ts'
import type { ProviderReply, ProviderRequest } from '../../support/provider-server.ts'
import { describeBehaviours, type Spoken, type Told, versionOf, type Way } from '../behaviours.ts'

const tokens = 21
const model = 'test-1'

function isStream({ body }: ProviderRequest): boolean {
  return isJsonObject(body) && body['stream'] === true
}

/** What OpenAI answers, and Anthropic. */
function answer(request: ProviderRequest, reply: ProviderReply, text: string): unknown {
  const { path } = request
  if (path.endsWith('/embeddings')) return reply.json(vectors(request, text))
  if (path.endsWith('/messages')) return isStream(request) ? reply.events(textEvents(text).flat()) : reply.json(message([textBlock(text)]))
  if (path.endsWith('/responses')) return isStream(request) ? reply.events(responseEvents(text)) : reply.json(response(text))
  return isStream(request) ? reply.events(chunksOf(text).flat()) : reply.json(completion(text))
}

/** A vector for each input, whose second number says which answer of the server it was. */
function vectors({ body }: ProviderRequest, text: string): JsonObject {
  const { input } = isJsonObject(body) ? body : {}
  const inputs: readonly unknown[] = Array.isArray(input) ? input : [input]
  const embedding = (each: unknown): number[] => [String(each).length, Number(text.replaceAll(/\D/g, '') || 0)]
  const data = inputs.map((each, index) => ({ object: 'embedding', index, embedding: embedding(each) }))
  return { object: 'list', model, data, usage: { prompt_tokens: tokens, total_tokens: tokens } }
}

/** What Mistral streams: the usage stands in the last chunk that has a choice. */
function mistralAnswer(request: ProviderRequest, reply: ProviderReply, text: string): unknown {
  if (!isStream(request)) return answer(request, reply, text)
  const [start, middle, [last, counted, done]] = chunksOf(text)
  const { usage }: JsonObject = JSON.parse(counted?.data ?? '')
  const end = { data: JSON.stringify({ ...JSON.parse(last?.data ?? ''), usage }) }
  return reply.events([...start, ...middle, end, ...(done === undefined ? [] : [done])])
}

const refuseAnthropic = (reply: ProviderReply): void =>
  reply.json({ type: 'error', error: { type: 'invalid_request_error', message: 'no' } }, { status: 400 })

/** Parts of a stream, and what they say together. */
async function read<Part>(stream: AsyncIterable<Part>, textOf: (part: Part) => string | null | undefined): Promise<Told> {
  const all = await Array.fromAsync(stream)
  return { text: all.map((part) => textOf(part) ?? '').join(''), all }
}

const options = ({ url, fetch }: Way) => ({ baseURL: `${url}/v1`, apiKey: 'key', maxRetries: 0, fetch })
const chat = (content: string) => ({ model, messages: [{ role: 'user' as const, content }] })

/** Clients with OpenAI's methods for chats. */
const clients: Readonly<Record<string, (way: Way) => OpenAI | Groq | Together | Perplexity | Cerebras>> = {
  openai: (way) => new OpenAI(options(way)),
  'groq-sdk': (way) => new Groq({ ...options(way), baseURL: way.url }),
  'together-ai': (way) => new Together(options(way)),
  '@perplexity-ai/perplexity_ai': (way) => new Perplexity({ ...options(way), baseURL: way.url }),
  // Its types know the `fetch` of another package alone.
  '@cerebras/cerebras_cloud_sdk': ({ url, fetch }) =>
    Object.assign(new Cerebras({ apiKey: 'key', baseURL: url, maxRetries: 0, warmTCPConnection: false }), { fetch }),
}

for (const [name, clientOf] of Object.entries(clients)) {
  const create = async (way: Way, body: object): Promise<object> => {
    const { completions } = clientOf(way).chat
    const made: unknown = await Reflect.apply(completions.create, completions, [body])
    return Object(made)
  }
  describeBehaviours({
    title: `Chat through ${versionOf(name)}`,
    answer,
    tokens,
    async ask(way, content) {
      const all: OpenAI.ChatCompletion = Object(await create(way, chat(content)))
      return { text: all.choices[0]?.message.content ?? '', all: { ...all } }
    },
    async stream(way, content) {
      const asked = { ...chat(content), stream: true, stream_options: { include_usage: true } }
      const stream: AsyncIterable<OpenAI.ChatCompletionChunk> = Object(await create(way, asked))
      return read(stream, ({ choices }) => choices[0]?.delta.content)
    },
  })
}

describeBehaviours({
  title: `Responses through ${versionOf('openai')}`,
  answer,
  tokens,
  async ask(way, input) {
    const all = await new OpenAI(options(way)).responses.create({ model, input })
    return { text: all.output_text, all: { ...all } }
  },
  async stream(way, input) {
    const stream = await new OpenAI(options(way)).responses.create({ model, input, stream: true })
    return read(stream, (event) => (event.type === 'response.output_text.delta' ? event.delta : ''))
  },
})

describeBehaviours({
  title: `Embeddings through ${versionOf('openai')}`,
  answer,
  tokens,
  async ask(way, input) {
    const { data } = await new OpenAI(options(way)).embeddings.create({ model, input, encoding_format: 'float' })
    return { text: JSON.stringify(data.map(({ embedding }) => embedding)), all: data }
  },
})

describeBehaviours({
  title: `Messages through ${versionOf('@anthropic-ai/sdk')}`,
  answer,
  fail: refuseAnthropic,
  tokens,
  async ask(way, content) {
    const client = new Anthropic({ ...options(way), baseURL: way.url, authToken: null })
    const all = await client.messages.create({ ...chat(content), max_tokens: 100 })
    return { text: all.content.map((block) => (block.type === 'text' ? block.text : '')).join(''), all: { ...all } }
  },
  async stream(way, content) {
    const client = new Anthropic({ ...options(way), baseURL: way.url, authToken: null })
    const stream = await client.messages.create({ ...chat(content), max_tokens: 100, stream: true })
    return read(stream, (event) => (event.type === 'content_block_delta' && event.delta.type === 'text_delta' ? event.delta.text : ''))
  },
})

const models: readonly (readonly [string, string, (way: Way) => LanguageModel, Partial<Spoken>?])[] = [
  ['Chat', '@ai-sdk/openai', (way) => createOpenAI(options(way)).chat(model)],
  ['Responses', '@ai-sdk/openai', (way) => createOpenAI(options(way)).responses(model)],
  ['Messages', '@ai-sdk/anthropic', (way) => createAnthropic(options(way))(model), { fail: refuseAnthropic }],
  ['Chat', '@ai-sdk/mistral', (way) => createMistral(options(way))(model), { answer: mistralAnswer }],
]

for (const [what, name, modelOf, more] of models) {
  describeBehaviours({
    title: `${what} through ${versionOf('ai')}, ${versionOf(name)}`,
    answer,
    tokens,
    ...more,
    async ask(way, prompt) {
      const { text, usage, finishReason } = await generateText({ model: modelOf(way), prompt, maxOutputTokens: 100, maxRetries: 0 })
      return { text, all: { usage, finishReason } }
    },
    async stream(way, prompt) {
      const failures: unknown[] = []
      const onError = ({ error }: { readonly error: unknown }): void => void failures.push(error)
      const { textStream, usage } = streamText({ model: modelOf(way), prompt, maxOutputTokens: 100, maxRetries: 0, onError })
      const parts = await Array.fromAsync(textStream)
      if (failures.length > 0) throw failures[0]
      return { text: parts.join(''), all: { parts, usage: await usage } }
    },
  })
}

for (const [name, make] of [
  ['@ai-sdk/openai', (way: Way) => createOpenAI(options(way)).embeddingModel(model)],
  ['@ai-sdk/mistral', (way: Way) => createMistral(options(way)).embeddingModel(model)],
] as const) {
  describeBehaviours({
    title: `Embeddings through ${versionOf('ai')}, ${versionOf(name)}`,
    answer,
    tokens,
    async ask(way, value) {
      const { embeddings } = await embedMany({ model: make(way), values: [value], maxRetries: 0 })
      return { text: JSON.stringify(embeddings), all: embeddings }
    },
  })
}

const langchain = ({ url, fetch }: Way): ChatOpenAI =>
  new ChatOpenAI({ model, apiKey: 'key', maxRetries: 0, configuration: { baseURL: `${url}/v1`, fetch } })

describeBehaviours({
  title: `Chat through ${versionOf('@langchain/openai')}`,
  answer,
  tokens,
  async ask(way, prompt) {
    const { text, id, usage_metadata: usage } = await langchain(way).invoke(prompt)
    return { text, all: { id, usage } }
  },
  async stream(way, prompt) {
    const parts = await Array.fromAsync(await langchain(way).stream(prompt))
    return { text: parts.map(({ text }) => text).join(''), all: parts.map(({ text, usage_metadata: usage }) => ({ text, usage })) }
  },
})
