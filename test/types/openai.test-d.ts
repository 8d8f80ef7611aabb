/**
 * What the compiler makes of a wrapped OpenAI client. Nothing here runs: `tsc` checks it with the openai that is installed, and
 * versions.test.ts with every major version that we know.
 */
import { Groq } from 'groq-sdk'
import { type Cached, cachingFetch, type CacheInfo, type CacheRequestOptions, createCache, withCache } from 'llmemo'
import OpenAI, { type APIPromise, AzureOpenAI } from 'openai'
import { zodResponseFormat, zodTextFormat } from 'openai/helpers/zod'
import type { ChatCompletionRunner } from 'openai/lib/ChatCompletionRunner'
import type { ChatCompletionStream } from 'openai/lib/ChatCompletionStream'
import type { ChatCompletionStreamingRunner } from 'openai/lib/ChatCompletionStreamingRunner'
import type { ResponseStream } from 'openai/lib/responses/ResponseStream'
import { z } from 'zod'

/** Whether each of two types can stand for the other. `any` could for all, and so is none of them. */
type Equal<A, B> = 0 extends 1 & A ? false : [A, B] extends [B, A] ? true : false

/** Compiles only when the value's type is `Expected`. */
declare function is<Expected>(): <Actual>(actual: Actual, ...differs: Equal<Actual, Expected> extends true ? [] : [Actual]) => void

declare const bare: OpenAI
declare const azure: AzureOpenAI
declare const streamed: boolean
declare const file: File
declare function first<Of>(list: readonly Of[]): Of

const client = withCache(bare)
const chat = { model: 'gpt-5-mini', messages: [{ role: 'user' as const, content: 'Hello' }] }
const question = { model: 'gpt-5-mini', input: 'Hello' }
const shape = z.object({ city: z.string() })

type City = { city: string }

export async function options(): Promise<void> {
  const { completions } = client.chat
  const all = { ttl: '10m' as const, operation: 'summarize', context: { project: 'atlas' }, tags: ['doc:42'], scope: 'a', variant: 1 }
  await completions.create(chat, { cache: { ...all, mode: 'reload' }, timeout: 1000, signal: AbortSignal.timeout(1000) })
  await completions.create(chat, { cache: { ttl: 60 } })
  await completions.create(chat, { bypassCache: true })
  await completions.create(chat)
  await client.responses.create(question, { cache: all })
  await client.completions.create({ model: 'm', prompt: 'p' }, { cache: all })
  await client.embeddings.create({ model: 'm', input: 'i' }, { cache: all })
  await client.moderations.create({ input: 'i' }, { cache: all })
  await client.images.generate({ model: 'm', prompt: 'p' }, { cache: all })
  await client.audio.speech.create({ model: 'm', input: 'i', voice: 'alloy' }, { cache: all })
  await client.audio.transcriptions.create({ model: 'm', file }, { cache: all })
  // @ts-expect-error: fetch has no such mode
  await completions.create(chat, { cache: { mode: 'sometimes' } })
  // @ts-expect-error: a TTL is seconds or a text
  await completions.create(chat, { cache: { ttl: true } })
  // @ts-expect-error: G31 a text that is no duration
  await completions.create(chat, { cache: { ttl: '1 hour' } })
  // @ts-expect-error: misspelt
  await completions.create(chat, { cache: { tll: 60 } })
  // @ts-expect-error: true or false
  await completions.create(chat, { bypassCache: 'yes' })
  // @ts-expect-error: misspelt
  await completions.create(chat, { bypasCache: true })
  // @ts-expect-error: the SDK's own options are checked as before
  await completions.create(chat, { timeout: '1s' })
  // @ts-expect-error: and so are its parameters
  await completions.create({ model: 'gpt-5-mini' }, { bypassCache: true })
  // @ts-expect-error: misspelt, in a method with a type parameter
  await client.chat.completions.parse(chat, { bypasCache: true })
  // @ts-expect-error: misspelt, in a method with a type parameter
  client.responses.stream(question, { cache: { tll: 60 } })
  // @ts-expect-error: misspelt, in a helper
  client.chat.completions.runTools({ ...chat, tools: [] }, { cache: { tll: 60 } })
  // @ts-expect-error: a client that is not wrapped knows no cache
  await bare.chat.completions.create(chat, { cache: { ttl: 60 } })
}

/** The compiler tries all overloads with a stricter rule first, which such variables can pass in the SDK's own and not in ours. */
export async function optionsInVariables(own: OpenAI.RequestOptions, both: OpenAI.RequestOptions & CacheRequestOptions): Promise<void> {
  is<CacheInfo>()((await client.chat.completions.create(chat, own))._cache)
  is<CacheInfo>()((await client.chat.completions.create(chat, both))._cache)
  is<CacheInfo>()((await client.chat.completions.parse(chat, own))._cache)
  is<CacheInfo>()((await client.responses.parse(question, own))._cache)
  is<CacheInfo>()((await client.responses.parse(question, both))._cache)
  is<CacheInfo>()((await client.embeddings.create({ model: 'm', input: 'i' }, own))._cache)
}

export async function results(): Promise<void> {
  const answer = await client.chat.completions.create(chat)
  is<OpenAI.ChatCompletion & { readonly _cache: CacheInfo }>()(answer)
  is<CacheInfo>()(answer._cache)
  is<boolean>()(answer._cache.hit)
  is<string | null>()(first(answer.choices).message.content)
  answer._request_id satisfies string | null | undefined
  // @ts-expect-error: no such fact
  void answer._cache.nope
  // @ts-expect-error: the facts are not the caller's to change
  answer._cache = { ...answer._cache }
  // @ts-expect-error: a client that is not wrapped tells no facts
  void (await bare.chat.completions.create(chat))._cache

  const { data, response, request_id } = await client.chat.completions.create(chat).withResponse()
  is<CacheInfo>()(data._cache)
  is<string>()(data.id)
  is<Response>()(response)
  is<string | null>()(request_id)
  is<Promise<Response>>()(client.chat.completions.create(chat).asResponse())

  is<CacheInfo>()((await client.responses.create(question))._cache)
  is<string>()((await client.responses.create(question)).output_text)
  is<CacheInfo>()((await client.completions.create({ model: 'm', prompt: 'p' }))._cache)
  is<CacheInfo>()((await client.embeddings.create({ model: 'm', input: 'i' }))._cache)
  is<number[]>()(first((await client.embeddings.create({ model: 'm', input: 'i' })).data).embedding)
  is<CacheInfo>()((await client.moderations.create({ input: 'i' }))._cache)
  is<boolean>()(first((await client.moderations.create({ input: 'i' })).results).flagged)
  is<CacheInfo>()((await client.images.generate({ model: 'm', prompt: 'p' }))._cache)
  const speech = await client.audio.speech.create({ model: 'm', input: 'i', voice: 'alloy' })
  is<CacheInfo>()(speech._cache)
  is<Promise<ArrayBuffer>>()(speech.arrayBuffer())
  const transcription = await client.audio.transcriptions.create({ model: 'm', file, response_format: 'verbose_json' })
  is<CacheInfo>()(transcription._cache)
  is<number>()(transcription.duration)
  // A text has no room for facts.
  is<string>()(await client.audio.transcriptions.create({ model: 'm', file, response_format: 'text' }, { bypassCache: true }))
}

export async function streams(): Promise<void> {
  const stream = await client.chat.completions.create({ ...chat, stream: true }, { cache: { ttl: '1h' } })
  is<CacheInfo>()(stream._cache)
  is<AbortController>()(stream.controller)
  for await (const chunk of stream) is<OpenAI.ChatCompletionChunk>()(chunk)
  for (const half of stream.tee()) for await (const chunk of half) is<OpenAI.ChatCompletionChunk>()(chunk)
  stream.toReadableStream() satisfies ReadableStream

  const either = await client.chat.completions.create({ ...chat, stream: streamed }, { bypassCache: true })
  is<CacheInfo>()(either._cache)
  if ('choices' in either) is<string>()(either.id)
  else for await (const chunk of either) is<OpenAI.ChatCompletionChunk>()(chunk)

  const events = await client.responses.create({ ...question, stream: true }, { bypassCache: true })
  is<CacheInfo>()(events._cache)
  for await (const event of events) is<OpenAI.Responses.ResponseStreamEvent>()(event)

  const texts = await client.completions.create({ model: 'm', prompt: 'p', stream: true }, { bypassCache: true })
  is<CacheInfo>()(texts._cache)
  for await (const text of texts) is<OpenAI.Completion>()(text)
}

export async function helpers(): Promise<void> {
  const formatted = { ...chat, response_format: zodResponseFormat(shape, 'city') }
  const parsed = await client.chat.completions.parse(formatted, { cache: { ttl: '1h' } })
  is<CacheInfo>()(parsed._cache)
  is<City | null>()(first(parsed.choices).message.parsed)
  const raw = await client.chat.completions.parse(chat, { bypassCache: true })
  is<null>()(first(raw.choices).message.parsed)
  const named = await client.chat.completions.parse<typeof chat, City>(chat, { bypassCache: true })
  is<City | null>()(first(named.choices).message.parsed)

  const asked = { ...question, text: { format: zodTextFormat(shape, 'city') } }
  const response = await client.responses.parse(asked, { cache: { ttl: '1h' } })
  is<CacheInfo>()(response._cache)
  is<City | null>()(response.output_parsed)

  is<ChatCompletionStream<City>>()(client.chat.completions.stream(formatted, { bypassCache: true }))
  is<ChatCompletionStream>()(client.chat.completions.stream(chat, { bypassCache: true }))
  is<ResponseStream<City>>()(client.responses.stream(asked, { bypassCache: true }))

  const weather = { name: 'weather', description: '', parameters: {}, function: () => 'sunny' }
  const tools = [{ type: 'function' as const, function: weather }]
  const run = { cache: { ttl: '1h' }, maxChatCompletions: 3 }
  is<ChatCompletionRunner>()(client.chat.completions.runTools({ ...chat, tools }, run))
  is<ChatCompletionRunner<City>>()(client.chat.completions.runTools({ ...formatted, tools }, run))
  is<ChatCompletionStreamingRunner>()(client.chat.completions.runTools({ ...chat, tools, stream: true }, run))
}

export async function theRest(): Promise<void> {
  is<OpenAI['models']>()(client.models)
  is<OpenAI['files']>()(client.files)
  is<OpenAI.ChatCompletion>()(await client.chat.completions.retrieve('id'))
  // @ts-expect-error: what is not cached takes no options of the cache
  await client.files.create({ file, purpose: 'batch' }, { cache: { ttl: 60 } })
  // @ts-expect-error: and has no facts of it
  void (await client.models.retrieve('m'))._cache
  is<string | null>()(client.organization)
  client satisfies OpenAI
}

export async function clients(): Promise<void> {
  is<Cached<OpenAI>>()(client)
  const derived = client.withOptions({ maxRetries: 0 })
  is<Cached<OpenAI>>()(derived)
  is<CacheInfo>()((await derived.chat.completions.create(chat, { bypassCache: true }))._cache)

  const cachedAzure = withCache(azure)
  is<string>()(cachedAzure.apiVersion)
  is<CacheInfo>()((await cachedAzure.embeddings.create({ model: 'm', input: 'i' }, { bypassCache: true }))._cache)
  is<CacheInfo>()((await cachedAzure.withOptions({}).chat.completions.create(chat, { bypassCache: true }))._cache)
  cachedAzure satisfies AzureOpenAI

  class Own extends OpenAI {
    readonly team = 'support'
    greet(): APIPromise<OpenAI.ChatCompletion> {
      return this.chat.completions.create(chat)
    }
  }
  const own = withCache(new Own(), createCache())
  own.team satisfies 'support'
  is<APIPromise<OpenAI.ChatCompletion>>()(own.greet())
  is<CacheInfo>()((await own.responses.create(question, { bypassCache: true }))._cache)
  is<CacheInfo>()((await own.withOptions({}).responses.create(question, { bypassCache: true }))._cache)

  const twice = withCache(client, { ttl: '1h' })
  is<CacheInfo>()((await twice.chat.completions.create(chat, { bypassCache: true }))._cache)
  is<Cached<OpenAI>>()(generic(bare))
  is<Cached<AzureOpenAI>>()(generic(azure))

  // What is no client is a `TypeError` when it runs; its type is its own.
  is<{ a: number }>()(withCache({ a: 1 }))
  // @ts-expect-error: not even an object
  withCache('client')
  // @ts-expect-error: no options of a cache
  withCache(bare, { tll: '1h' })
}

function generic<Client extends OpenAI>(given: Client): Cached<Client> {
  const wrapped = withCache(given)
  void wrapped.embeddings.create({ model: 'm', input: 'i' }, { bypassCache: true }).then(({ _cache }) => is<CacheInfo>()(_cache))
  return wrapped
}

export function fetches(): void {
  const fetch = cachingFetch(createCache())
  fetch satisfies typeof globalThis.fetch
  void new OpenAI({ fetch })
  void new AzureOpenAI({ fetch })
  void new Groq({ fetch })
  withCache(new Groq()) satisfies Groq
}
