/**
 * The AI SDK with a caching middleware as its documentation describes one. It speaks to the provider itself, without the provider's SDK.
 * Source: https://ai-sdk.dev/docs/advanced/caching
 * @module
 */
import { createOpenAI } from '@ai-sdk/openai'
import type { LanguageModelV4GenerateResult, LanguageModelV4StreamPart } from '@ai-sdk/provider'
import { generateText, type LanguageModelMiddleware, simulateReadableStream, streamText, wrapLanguageModel } from 'ai'
import { Redis } from 'ioredis'
import { asked } from '../harness/payload.ts'
import type { Caller, Other } from './other.ts'

/** `generateText` and `streamText` over a model that the middleware wraps. */
export const aiSdk: Other = {
  name: 'AI SDK middleware',
  package: 'ai',
  abilities: {
    streams: 'yes',
    bedrock: 'yes, by its own client',
    embeddings: 'no',
    processes: 'no',
    bound: 'none',
  },
  memory({ fetch }) {
    const wholes = new Map<string, LanguageModelV4GenerateResult>()
    const streams = new Map<string, LanguageModelV4StreamPart[]>()
    return callerOf(fetch, {
      async whole(key, make) {
        const known = wholes.get(key)
        if (known !== undefined) return known
        const made = await make()
        wholes.set(key, made)
        return made
      },
      parts: (key) => Promise.resolve(streams.get(key)),
      keep: (key, parts) => void streams.set(key, parts),
      close() {},
    })
  },
  async redis({ fetch }, url) {
    const store = new Redis(url)
    return callerOf(fetch, {
      async whole(key, make) {
        const known = await store.get(key)
        if (known !== null) {
          // What was stored is what this middleware was given: not checked, as in the documentation.
          const read: LanguageModelV4GenerateResult = JSON.parse(known)
          const { response = {} } = read
          return { ...read, response: { ...response, ...(response.timestamp && { timestamp: new Date(response.timestamp) }) } }
        }
        const made = await make()
        await store.set(key, JSON.stringify(made))
        return made
      },
      parts: () => Promise.resolve(undefined),
      keep() {},
      async close() {
        await store.quit()
      },
    })
  },
}

interface Kept {
  whole(key: string, make: () => PromiseLike<LanguageModelV4GenerateResult>): Promise<LanguageModelV4GenerateResult>
  parts(key: string): Promise<LanguageModelV4StreamPart[] | undefined>
  keep(key: string, parts: LanguageModelV4StreamPart[]): void
  close(): Promise<void> | void
}

function callerOf(fetch: typeof globalThis.fetch, kept: Kept): Caller {
  const middleware: LanguageModelMiddleware = {
    specificationVersion: 'v4',
    wrapGenerate: ({ doGenerate, params, model }) => kept.whole(keyOf(model, params), doGenerate),
    async wrapStream({ doStream, params, model }) {
      const key = keyOf(model, params)
      const known = await kept.parts(key)
      // Without the documentation's 10 ms between the parts, which are there to be looked at.
      if (known !== undefined) return { stream: simulateReadableStream({ chunks: known, initialDelayInMs: null, chunkDelayInMs: null }) }
      const { stream, ...rest } = await doStream()
      const parts: LanguageModelV4StreamPart[] = []
      const recorder = new TransformStream<LanguageModelV4StreamPart, LanguageModelV4StreamPart>({
        transform(part, controller) {
          parts.push(part)
          controller.enqueue(part)
        },
        flush: () => kept.keep(key, parts),
      })
      return { stream: stream.pipeThrough(recorder), ...rest }
    },
  }
  const model = wrapLanguageModel({ model: createOpenAI({ apiKey: 'sk-bench', fetch }).chat('gpt-4.1-mini'), middleware })
  return {
    ask(question) {
      const { messages } = asked(question)
      return generateText({ model, messages, temperature: question.temperature, allowSystemInMessages: true })
    },
    async stream(question, first) {
      const { messages } = asked(question)
      const { textStream } = streamText({ model, messages, temperature: question.temperature, allowSystemInMessages: true })
      let text = ''
      for await (const part of textStream) {
        if (text === '') first()
        text += part
      }
      return text
    },
    close: () => kept.close(),
  }
}

function keyOf(model: { readonly provider: string; readonly modelId: string }, params: unknown): string {
  return JSON.stringify({ provider: model.provider, modelId: model.modelId, params })
}
