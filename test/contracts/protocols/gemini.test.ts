import { createGoogleGenerativeAI } from '@ai-sdk/google'
import { GoogleGenAI } from '@google/genai'
import { embedMany, generateText, streamText } from 'ai'
import { isJsonObject, type JsonObject } from '../../../src/json/object.ts'
import { contentTokens, wordEvents, words } from '../../support/gemini-answers.ts'
import type { ProviderReply, ProviderRequest } from '../../support/provider-server.ts'
import { describeBehaviours, type Told, versionOf, type Way } from '../behaviours.ts'

function answer({ path, body }: ProviderRequest, reply: ProviderReply, text: string): unknown {
  if (path.includes(':streamGenerateContent')) {
    return path.includes('alt=sse')
      ? reply.events(wordEvents(text))
      : reply.json(wordEvents(text).map(({ data }): unknown => JSON.parse(data)))
  }
  if (path.includes(':batchEmbedContents')) {
    const { requests } = isJsonObject(body) ? body : {}
    return reply.json({ embeddings: (Array.isArray(requests) ? requests : []).map((request) => vector(request, text)) })
  }
  if (path.includes(':embedContent')) return reply.json({ embedding: vector(body, text) })
  if (path.includes(':countTokens')) return reply.json({ totalTokens: Number(text.replaceAll(/\D/g, '') || 0) + 1 })
  return reply.json(words(text))
}

/** The second value says which answer of the server it was. */
function vector(request: unknown, text: string): JsonObject {
  return { values: [JSON.stringify(request).length, Number(text.replaceAll(/\D/g, '') || 0)] }
}

const tokens = contentTokens.promptTokenCount + contentTokens.candidatesTokenCount + contentTokens.thoughtsTokenCount
const model = 'gemini-test-1'

function genai({ url, fetch }: Way): GoogleGenAI {
  return new GoogleGenAI({ apiKey: 'key', httpOptions: { baseUrl: url, fetch } })
}

/** A response without what HTTP adds to it. */
function plain(response: object): JsonObject {
  const { sdkHttpResponse: _, ...rest }: JsonObject = JSON.parse(JSON.stringify(response))
  return rest
}

describeBehaviours({
  title: `Gemini through ${versionOf('@google/genai')}`,
  answer,
  tokens,
  async ask(way, prompt) {
    const response = await genai(way).models.generateContent({ model, contents: prompt })
    return { text: response.text ?? '', all: plain(response) }
  },
  async stream(way, prompt) {
    const all: JsonObject[] = []
    let text = ''
    for await (const chunk of await genai(way).models.generateContentStream({ model, contents: prompt })) {
      all.push(plain(chunk))
      text += chunk.text ?? ''
    }
    return { text, all }
  },
})

const google = ({ url, fetch }: Way) => createGoogleGenerativeAI({ apiKey: 'key', baseURL: `${url}/v1beta`, fetch })

describeBehaviours({
  title: `Gemini through ${versionOf('ai')}, ${versionOf('@ai-sdk/google')}`,
  answer,
  tokens,
  async ask(way, prompt) {
    const { text, usage, finishReason } = await generateText({ model: google(way)(model), prompt, maxRetries: 0 })
    return { text, all: { usage, finishReason } }
  },
  async stream(way, prompt) {
    const failures: unknown[] = []
    const { textStream, usage } = streamText({
      model: google(way)(model),
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

/** The JSON-array form, which no SDK asks for and plain programs do. */
async function post({ url, fetch }: Way, method: string, prompt: string): Promise<Told> {
  const response = await fetch(`${url}/v1beta/models/${model}:${method}?key=secret`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ contents: [{ parts: [{ text: prompt }] }] }),
  })
  if (!response.ok) throw new Error(await response.text())
  const all: unknown = await response.json()
  return {
    text:
      JSON.stringify(all)
        .match(/"text":"[^"]*"/g)
        ?.join('')
        .replaceAll(/"text":|"/g, '') ?? '',
    all,
  }
}

describeBehaviours({
  title: 'Gemini over plain HTTP, streamed as a JSON array',
  answer,
  tokens,
  ask: (way, prompt) => post(way, 'generateContent', prompt),
  stream: (way, prompt) => post(way, 'streamGenerateContent', prompt),
})

describeBehaviours({
  title: `Gemini's embeddings through ${versionOf('@google/genai')}`,
  answer,
  tokens: undefined,
  async ask(way, contents) {
    const { embeddings = [] } = await genai(way).models.embedContent({ model, contents: [contents] })
    return { text: `${JSON.stringify(embeddings)} of ${contents}`, all: embeddings }
  },
})

describeBehaviours({
  title: `Gemini's embeddings through ${versionOf('ai')}, ${versionOf('@ai-sdk/google')}`,
  answer,
  tokens: undefined,
  async ask(way, value) {
    const { embeddings } = await embedMany({ model: google(way).embeddingModel(model), values: [value], maxRetries: 0 })
    return { text: `${JSON.stringify(embeddings)} of ${value}`, all: embeddings }
  },
})

describeBehaviours({
  title: "Gemini's batches of embeddings over plain HTTP",
  answer,
  tokens: undefined,
  async ask({ url, fetch }, text) {
    const response = await fetch(`${url}/v1beta/models/${model}:batchEmbedContents`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-goog-api-key': 'key' },
      body: JSON.stringify({ requests: [{ model: `models/${model}`, content: { parts: [{ text }] } }] }),
    })
    if (!response.ok) throw new Error(await response.text())
    const all: unknown = await response.json()
    return { text: `${JSON.stringify(all)} of ${text}`, all }
  },
})

describeBehaviours({
  title: `Gemini's count of tokens through ${versionOf('@google/genai')}`,
  answer,
  tokens: undefined,
  async ask(way, contents) {
    const { totalTokens } = await genai(way).models.countTokens({ model, contents })
    return { text: `${String(totalTokens)} of ${contents}`, all: totalTokens }
  },
})
