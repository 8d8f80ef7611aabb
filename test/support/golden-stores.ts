/**
 * The stores in `test/golden/stores`: what was asked through real SDKs, what the provider answered, and everything that lay in the store
 * then, generations included.
 * @module
 */
import { Readable } from 'node:stream'
import Anthropic from '@anthropic-ai/sdk'
import { BedrockRuntime, ConverseCommand, ConverseStreamCommand, InvokeModelCommand } from '@aws-sdk/client-bedrock-runtime'
import OpenAI from 'openai'
import { formatEvents, type ServerEvent } from '../../src/base/server-sent-events.ts'
import type { Cache } from '../../src/cache/cache.ts'
import { withCache } from '../../src/clients/with-cache.ts'
import type { CacheOptions } from '../../src/engine/settings/options.ts'
import { message, text, textEvents } from './anthropic-answers.ts'
import { converseAnswer, converseEvents } from './bedrock-sdk.ts'
import { frame } from './bedrock-server.ts'
import { documentedKey, goldenCache, sound } from './golden-calls.ts'
import { chunksOf, completion, response, responseEvents } from './openai-answers.ts'
import { isStream, read } from './outcome.ts'
import { ScriptedStore } from './scripted-store.ts'

/** Everything in a store: names to bytes, in base64. */
export interface Dump {
  readonly entries: Readonly<Record<string, string>>
  readonly generations: Readonly<Record<string, string>>
}

/** One store: how its cache is set up, and what is asked. */
export interface GoldenStore {
  readonly options?: CacheOptions
  /**
   * Asks. Gives the answer in a form that can be compared.
   * @param cache `undefined` for the client without a cache
   * @param isFilled whether the cache must have the answer
   */
  readonly ask: (cache: Cache | undefined, isFilled: boolean) => Promise<unknown>
}

const said = 'Guten Tag – 你好 👋 '.repeat(8)
const messages = [{ role: 'user', content: 'Grüße' }]
const labelled = { tags: ['doc:42'], operation: 'greet' }
const encrypted: CacheOptions = { encryption: { keys: { 'documented-test-key': documentedKey }, current: 'documented-test-key' } }

type Body = object | readonly ServerEvent[] | Uint8Array

/** A call of `client.<path>(params)` by an SDK that ends in a `fetch`. */
function byFetch(
  make: (fetch: typeof globalThis.fetch) => object,
  path: readonly string[],
  params: object,
  body: Body,
): GoldenStore['ask'] {
  const reply = (): Response => {
    if (body instanceof Uint8Array) return bytesResponse(body)
    if (!Array.isArray(body)) return Response.json(body)
    return new Response(formatEvents(body), { headers: { 'content-type': 'text/event-stream' } })
  }
  return async (cache, isFilled) => {
    const bare = make(async () => reply())
    const client = cache === undefined ? bare : withCache(bare, cache)
    return comparable(await called(client, path, [params, optionsOf(cache, isFilled)]))
  }
}

function bytesResponse(body: Uint8Array): Response {
  return new Response(Buffer.from(body), { headers: { 'content-type': 'audio/mpeg', 'content-length': String(body.byteLength) } })
}

/** A command of Bedrock's client, at an address that never changes. */
function byCommand(command: () => object, body: object | readonly ServerEvent[]): GoldenStore['ask'] {
  const handle = async (): Promise<object> => {
    const [type, bytes] = Array.isArray(body)
      ? ['application/vnd.amazon.eventstream', Readable.from(body.map(frame))]
      : ['application/json', Readable.from([Buffer.from(JSON.stringify(body))])]
    return { response: { statusCode: 200, headers: { 'content-type': type, 'x-amzn-requestid': 'golden' }, body: bytes } }
  }
  return async (cache, isFilled) => {
    const credentials = { accessKeyId: 'AKIDTEST', secretAccessKey: 'secret' }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the SDK calls nothing else of a handler
    const bare = new BedrockRuntime({ region: 'us-east-1', credentials, requestHandler: { handle } as never })
    const client = cache === undefined ? bare : withCache(bare, cache)
    return comparable(await called(client, ['send'], [command(), optionsOf(cache, isFilled)]))
  }
}

function optionsOf(cache: Cache | undefined, isFilled: boolean): object {
  return cache === undefined ? {} : { cache: { ...labelled, ...(isFilled && { mode: 'only-if-cached' }) } }
}

async function called(client: object, path: readonly string[], given: readonly unknown[]): Promise<unknown> {
  let owner: unknown = client
  for (const name of path.slice(0, -1)) owner = Reflect.get(Object(owner), name)
  const result: unknown = await Reflect.apply(Reflect.get(Object(owner), path.at(-1) ?? ''), owner, given)
  return result
}

/** An answer in a form that can be compared: a stream as its events, a `Response` as its bytes. */
async function comparable(answer: unknown): Promise<unknown> {
  if (answer instanceof Response) return [...new Uint8Array(await answer.arrayBuffer())]
  if (isStream(answer)) return read(answer)
  const { $metadata: _, stream, ...whole }: Record<string, unknown> = { ...Object(answer) }
  if (isStream(stream)) return read(stream)
  return whole['body'] instanceof Uint8Array ? { ...whole, body: Buffer.from(whole['body']).toString() } : whole
}

const openai = (fetch: typeof globalThis.fetch): object => new OpenAI({ apiKey: 'sk-golden', maxRetries: 0, fetch })
const anthropic = (fetch: typeof globalThis.fetch): object => new Anthropic({ apiKey: 'sk-golden', maxRetries: 0, fetch })
const chat = ['chat', 'completions', 'create']
const asked = { model: 'gpt-5-mini', messages }
const askedClaude = { model: 'claude-test-1', max_tokens: 100, messages }
const streamed = { stream: true, stream_options: { include_usage: true } }
const input = { modelId: 'test.model-v1:0', messages: [{ role: 'user' as const, content: [{ text: 'Grüße' }] }] }
const invoked = { anthropic_version: 'bedrock-2023-05-31', max_tokens: 100, messages }
const vectors = [0.25, -1, 1e-7]
const embedded = {
  object: 'list',
  model: 'text-embedding-3-small',
  data: ['a', 'b'].map((_, index) => ({ object: 'embedding', index, embedding: vectors })),
  usage: { prompt_tokens: 2, total_tokens: 2 },
}

/** The stores by the names of their files. */
export const goldenStores: Readonly<Record<string, GoldenStore>> = {
  'openai-chat': { ask: byFetch(openai, chat, asked, completion(said)) },
  'openai-chat-stream': { ask: byFetch(openai, chat, { ...asked, ...streamed }, chunksOf(said).flat()) },
  'openai-chat-compressed': { options: { compressAbove: 0 }, ask: byFetch(openai, chat, asked, completion(said)) },
  'openai-chat-stream-compressed': {
    options: { compressAbove: 0 },
    ask: byFetch(openai, chat, { ...asked, ...streamed }, chunksOf(said).flat()),
  },
  'openai-chat-encrypted': { options: encrypted, ask: byFetch(openai, chat, asked, completion(said)) },
  'openai-chat-stream-encrypted': { options: encrypted, ask: byFetch(openai, chat, { ...asked, ...streamed }, chunksOf(said).flat()) },
  'openai-responses': { ask: byFetch(openai, ['responses', 'create'], { model: 'gpt-5-mini', input: 'Grüße' }, response(said)) },
  'openai-responses-stream': {
    ask: byFetch(openai, ['responses', 'create'], { model: 'gpt-5-mini', input: 'Grüße', stream: true }, responseEvents(said)),
  },
  'openai-embeddings': {
    ask: byFetch(openai, ['embeddings', 'create'], { model: embedded.model, input: ['a', 'b'], encoding_format: 'float' }, embedded),
  },
  'openai-speech': { ask: byFetch(openai, ['audio', 'speech', 'create'], { model: 'tts-1', input: 'Hello', voice: 'alloy' }, sound) },
  'anthropic-messages': { ask: byFetch(anthropic, ['messages', 'create'], askedClaude, message([text(said)])) },
  'anthropic-messages-stream': {
    ask: byFetch(anthropic, ['messages', 'create'], { ...askedClaude, stream: true }, textEvents(said).flat()),
  },
  'bedrock-converse': { ask: byCommand(() => new ConverseCommand(input), converseAnswer(said)) },
  'bedrock-converse-stream': { ask: byCommand(() => new ConverseStreamCommand(input), converseEvents(said).flat()) },
  'bedrock-converse-stream-encrypted': {
    options: encrypted,
    ask: byCommand(() => new ConverseStreamCommand(input), converseEvents(said).flat()),
  },
  'bedrock-invoke': {
    ask: byCommand(
      () => new InvokeModelCommand({ modelId: 'anthropic.claude-test', contentType: 'application/json', body: JSON.stringify(invoked) }),
      message([text(said)]),
    ),
  },
  value: { ask: valueIn },
  'value-encrypted': { options: encrypted, ask: valueIn },
}

async function valueIn(cache: Cache | undefined, isFilled: boolean): Promise<unknown> {
  const value = { name: 'Ada', born: 1815, tags: ['größer', null, 1e21] }
  if (cache === undefined) return value
  if (!isFilled) await cache.set('user:1', value, '7d')
  return cache.get('user:1')
}

/** Asks once through a cache over an empty store. @returns what lies in the store then */
export async function dumpOf({ options = {}, ask }: GoldenStore): Promise<Dump> {
  const store = new ScriptedStore()
  const { cache } = goldenCache(options, store)
  await ask(cache, false)
  await cache.flush()
  const generations = new Set(
    store.calls.filter((call) => call.startsWith('set-if-absent ')).map((call) => call.slice('set-if-absent '.length)),
  )
  const named = [...store.map]
    .map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')] as const)
    .toSorted(([first], [second]) => (first < second ? -1 : 1))
  return {
    entries: Object.fromEntries(named.filter(([name]) => !generations.has(name))),
    generations: Object.fromEntries(named.filter(([name]) => generations.has(name))),
  }
}

/** A store with all of this in it. */
export function storeOf({ entries, generations }: Dump): ScriptedStore {
  const store = new ScriptedStore()
  for (const [name, bytes] of Object.entries({ ...entries, ...generations }))
    store.map.set(name, new Uint8Array(Buffer.from(bytes, 'base64')))
  return store
}
