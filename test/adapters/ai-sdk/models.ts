/**
 * Models of the AI SDK under the middleware, driven as the SDK drives them: those of its providers over a real socket, and mock models of its
 * three versions.
 * @module
 */
import { ReadableStream as WebStream } from 'node:stream/web'
import { createAmazonBedrock } from '@ai-sdk/amazon-bedrock'
import { createAnthropic } from '@ai-sdk/anthropic'
import { createGoogle } from '@ai-sdk/google'
import { createOpenAI } from '@ai-sdk/openai'
import type { LanguageModelV4 } from '@ai-sdk/provider'
import { wrapLanguageModel } from 'ai'
import { wrapLanguageModel as wrapV2 } from 'ai5'
import { MockLanguageModelV2 } from 'ai5/test'
import { wrapLanguageModel as wrapV3 } from 'ai6'
import { MockLanguageModelV3 } from 'ai6/test'
import { MockLanguageModelV4 } from 'ai/test'
import {
  cacheEmbeddingMiddleware,
  cacheImageMiddleware,
  cacheMiddleware,
  type CallParams,
} from '../../../src/adapters/ai-sdk/middleware.ts'
import type { Cache } from '../../../src/cache/cache.ts'
import type { CallOptions } from '../../../src/call.ts'
import { isJsonObject, type JsonObject } from '../../../src/json/object.ts'
import type { AdapterDriver } from '../../contracts/adapter.ts'
import { message, text, textEvents } from '../../support/anthropic-answers.ts'
import { startBedrock } from '../../support/bedrock-server.ts'
import { converseAnswer, converseEvents } from '../../support/bedrock-sdk.ts'
import { geminiAnswer, geminiEvents } from '../../support/google-answers.ts'
import { chunksOf, completion } from '../../support/openai-answers.ts'
import { type ProviderServer, startProvider } from '../../support/provider-server.ts'

/** What every version of a model has. */
export interface AnyModel {
  doGenerate(params: never): PromiseLike<unknown>
  doStream(params: never): PromiseLike<unknown>
}

/** The parameters of a call for a text. */
export function params(prompt: string, llmemo?: CallOptions): never {
  const given = {
    prompt: [{ role: 'user', content: [{ type: 'text', text: prompt }] }],
    ...(llmemo !== undefined && { providerOptions: { llmemo } }),
  }
  // The three versions have it in common.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return given as never
}

/** A result or part without what differs between a new answer and a stored one: the connection, and the cache facts. */
export function comparable(value: unknown): JsonObject {
  const { request: _, response, providerMetadata, ...rest } = objectOf(value)
  const { headers: _headers, body: _body, ...named } = objectOf(response)
  const { llmemo: _facts, ...metadata } = objectOf(providerMetadata)
  return { ...rest, response: named, providerMetadata: metadata }
}

function objectOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {}
}

/** The parts of a stream, each as it came. An error among them is thrown, as the SDK does where it is asked for a text. */
export async function* partsOf(result: unknown): AsyncGenerator<JsonObject> {
  const stream = objectOf(result)['stream']
  if (!(stream instanceof ReadableStream)) throw new TypeError('there is no stream')
  for await (const part of stream) {
    if (objectOf(part)['type'] === 'error') throw objectOf(part)['error']
    yield objectOf(part)
  }
}

function textIn(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** The text in a whole answer. */
export function textOf(answer: unknown): string {
  const { content } = objectOf(answer)
  return Array.isArray(content) ? content.map((piece) => textIn(objectOf(piece)['text'])).join('') : ''
}

/** The text in a part. */
export function textOfPart(part: unknown): string {
  const { type, delta } = objectOf(part)
  return type === 'text-delta' ? textIn(delta) : ''
}

async function* comparableParts(result: unknown): AsyncGenerator<JsonObject> {
  for await (const part of partsOf(result)) {
    const { type } = part
    if (type !== 'raw') yield type === 'finish' ? comparable(part) : part
  }
}

function driverOf(model: AnyModel, rest: Pick<AdapterDriver, 'asked' | 'fail' | 'pause' | 'close'>): AdapterDriver {
  return {
    whole: async (prompt, options) => comparable(await model.doGenerate(params(prompt, options))),
    streamed: async (prompt, options) => comparableParts(await model.doStream(params(prompt, options))),
    textOf,
    textOfPart,
    get asked() {
      return rest.asked
    },
    fail: rest.fail,
    pause: rest.pause,
    close: rest.close,
  }
}

const said = 'The sky is blue.'

/** Drives a provider's own model over a real socket. */
export async function driveOverSocket(cache: Cache, { make, start = startProvider }: SocketModel): Promise<AdapterDriver> {
  let isFailing = false
  let gate: Promise<unknown> = Promise.resolve()
  const server: ProviderServer = await start(({ path, body, headers }, reply) => {
    if (JSON.stringify([body, headers]).includes('llmemo'))
      return reply.json({ error: { message: 'cache options were sent' } }, { status: 400 })
    if (isFailing) return reply.json({ error: { message: 'down', type: 'error', code: 500, status: 'INTERNAL' } }, { status: 500 })
    if (path.includes('streamGenerateContent')) {
      const [first, rest] = geminiEvents(said)
      return reply.events([...first, gate, ...rest])
    }
    if (path.endsWith('/converse')) return reply.json(converseAnswer(said))
    if (path.endsWith('/converse-stream')) {
      const [first, ...rest] = converseEvents(said)
      return reply.events([...first, gate, ...rest.flat()])
    }
    if (path.includes('generateContent')) return reply.json(geminiAnswer(said))
    const isStream = objectOf(body)['stream'] === true
    const [first, second, end] = path.endsWith('/messages') ? textEvents(said) : chunksOf(said)
    if (isStream) return reply.events([...first, gate, ...second, ...end])
    return reply.json(path.endsWith('/messages') ? message([text(said)]) : completion(said))
  })
  const model = wrapLanguageModel({ model: make(server.url), middleware: cacheMiddleware(cache) })
  return driverOf(model, {
    get asked() {
      return server.requests.length
    },
    fail: (is) => void (isFailing = is),
    pause: (until = Promise.resolve()) => void (gate = until),
    close: () => server.close(),
  })
}

/** A model of a provider's package, and the server that plays the provider. */
export interface SocketModel {
  readonly make: (url: string) => LanguageModelV4
  /** @default an HTTP/1.1 server that streams server-sent events */
  readonly start?: typeof startProvider
}

/** The SDK's own models for its providers, by the name of their package. */
export const socketModels: Readonly<Record<string, SocketModel>> = {
  '@ai-sdk/openai': { make: (baseURL) => createOpenAI({ baseURL, apiKey: 'sk-test' }).chat('gpt-test-1') },
  '@ai-sdk/anthropic': { make: (baseURL) => createAnthropic({ baseURL, apiKey: 'sk-test' })('claude-test-1') },
  '@ai-sdk/google': { make: (baseURL) => createGoogle({ baseURL, apiKey: 'sk-test' })('gemini-test-1') },
  '@ai-sdk/amazon-bedrock': {
    make: (baseURL) => createAmazonBedrock({ region: 'us-east-1', apiKey: 'key', baseURL })('test.model-v1:0'),
    start: (handler) => startBedrock('http1', handler),
  },
}

const usages: Readonly<Record<string, JsonObject>> = {
  v2: { inputTokens: 9, outputTokens: 12, totalTokens: 21 },
  v3: { inputTokens: { total: 9, noCache: 9 }, outputTokens: { total: 12, text: 12 } },
}

/** Drives a mock model of one version of the SDK. */
export function driveMock(cache: Cache, version: 'v2' | 'v3' | 'v4'): AdapterDriver {
  let asked = 0
  let isFailing = false
  let gate: Promise<unknown> = Promise.resolve()
  const usage = usages[version === 'v2' ? 'v2' : 'v3']
  const finishReason = version === 'v2' ? 'stop' : { unified: 'stop', raw: 'stop' }
  const metadata = { id: 'id-1', timestamp: new Date(1_750_000_000_000), modelId: 'mock-1' }
  const begin = (): void => {
    asked++
    if (isFailing) throw new TypeError('the provider is down')
  }
  const doGenerate = async (): Promise<never> => {
    begin()
    return mock({
      content: [{ type: 'text', text: said }],
      finishReason,
      usage,
      warnings: [],
      response: { ...metadata, headers: { a: 'b' } },
    })
  }
  const doStream = async (): Promise<never> => {
    begin()
    const parts = [
      { type: 'stream-start', warnings: [] },
      { type: 'response-metadata', ...metadata },
      { type: 'text-start', id: '0' },
      { type: 'text-delta', id: '0', delta: said.slice(0, 3) },
      gate,
      { type: 'text-delta', id: '0', delta: said.slice(3) },
      { type: 'text-end', id: '0' },
      { type: 'raw', rawValue: {} },
      { type: 'finish', finishReason, usage },
    ]
    return mock({ stream: WebStream.from(withoutWaiting(parts)), request: { body: 'a' } })
  }
  const given = { modelId: 'mock-1', doGenerate, doStream }
  const models = {
    v2: () => wrapV2({ model: new MockLanguageModelV2(given), middleware: cacheMiddleware(cache, { specificationVersion: 'v2' }) }),
    v3: () => wrapV3({ model: new MockLanguageModelV3(given), middleware: cacheMiddleware(cache, { specificationVersion: 'v3' }) }),
    v4: () => wrapLanguageModel({ model: new MockLanguageModelV4(given), middleware: cacheMiddleware(cache) }),
  }
  return driverOf(models[version](), {
    get asked() {
      return asked
    },
    fail: (is) => void (isFailing = is),
    pause: (until = Promise.resolve()) => void (gate = until),
    close: () => undefined,
  })
}

async function* withoutWaiting(parts: readonly unknown[]): AsyncGenerator {
  for (const part of parts) {
    if (part instanceof Promise) await part
    else yield part
  }
}

/** One answer for the mock models of all versions, whose types differ. */
function mock(answer: JsonObject): never {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return answer as never
}

/** The parameters of a call of an embedding or an image model. */
const otherParams = (prompt: string, llmemo?: CallOptions) => ({
  n: 1,
  prompt,
  values: [prompt],
  providerOptions: { ...(llmemo && { llmemo: { ...llmemo } }) },
})

/** Drives an embedding or an image model of one version of the SDK, as the SDK calls its middleware. */
export function driveOther(cache: Cache, kind: 'embedding' | 'image', version: 'v2' | 'v3' | 'v4'): AdapterDriver {
  let asked = 0
  let isFailing = false
  const begin = (): void => {
    asked++
    if (isFailing) throw new TypeError('the provider is down')
  }
  const model = {
    specificationVersion: version,
    provider: 'mock',
    modelId: 'mock-1',
    async doEmbed({ values }: CallParams & { readonly values?: readonly string[] }) {
      begin()
      return { embeddings: (values ?? []).map(() => [asked, 0.5]), usage: { tokens: 21 }, warnings: [] }
    },
    async doGenerate({ n = 1 }: CallParams & { readonly n?: number }) {
      begin()
      const usage = { inputTokens: 9, outputTokens: 12, totalTokens: 21 }
      const response = { timestamp: new Date(1_750_000_000_000), modelId: 'mock-1', headers: undefined }
      return { images: Array.from({ length: n }, () => new Uint8Array([137, 80, asked])), warnings: [], usage, response }
    },
  }
  const options = { specificationVersion: version }
  return {
    whole: async (prompt, llmemo) => {
      const call = { params: otherParams(prompt, llmemo), model }
      const result =
        kind === 'embedding'
          ? await cacheEmbeddingMiddleware(cache, options).wrapEmbed(call)
          : await cacheImageMiddleware(cache, options).wrapGenerate(call)
      return comparable(result)
    },
    textOf: (answer) => JSON.stringify(answer),
    get asked() {
      return asked
    },
    fail: (is) => void (isFailing = is),
    pause: () => undefined,
    close: () => undefined,
  }
}
