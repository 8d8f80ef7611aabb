import { createGoogleGenerativeAI } from '@ai-sdk/google'
import { GoogleGenAI } from '@google/genai'
import { generateText, streamText } from 'ai'
import { isJsonObject, type JsonObject } from '../../../src/json/object.ts'
import { contentTokens, embeddings, wordEvents, words } from '../../support/gemini-answers.ts'
import type { ProviderReply, ProviderRequest } from '../../support/provider-server.ts'
import { describeBehaviours, type Told, versionOf, type Way } from '../behaviours.ts'

function answer({ path, body }: ProviderRequest, reply: ProviderReply, text: string): unknown {
  if (path.includes(':streamGenerateContent')) {
    return path.includes('alt=sse')
      ? reply.events(wordEvents(text))
      : reply.json(wordEvents(text).map(({ data }): unknown => JSON.parse(data)))
  }
  if (path.includes(':batchEmbedContents') && isJsonObject(body)) {
    const { requests } = body
    return reply.json({ ...embeddings(Array.isArray(requests) ? requests.filter(isJsonObject) : []), id: text })
  }
  return reply.json(words(text))
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
  if (!response.ok) throw new Error(String(response.status))
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
