/**
 * What the compiler makes of a wrapped Anthropic client. Nothing here runs: `tsc` checks it with the SDK that is installed, and
 * versions.test.ts with older ones too.
 */
import Anthropic, { type APIPromise, type BaseAnthropic } from '@anthropic-ai/sdk'
import type { BetaMessageStream } from '@anthropic-ai/sdk/lib/BetaMessageStream'
import type { MessageStream } from '@anthropic-ai/sdk/lib/MessageStream'
import { type Cached, type CachedAnthropic, cachingFetch, type CacheInfo, type CacheRequestOptions, createCache, withCache } from 'llmemo'

/** Whether each of two types can stand for the other. `any` could for all, and so is none of them. */
type Equal<A, B> = 0 extends 1 & A ? false : [A, B] extends [B, A] ? true : false

/** Compiles only when the value's type is `Expected`. */
declare function is<Expected>(): <Actual>(actual: Actual, ...differs: Equal<Actual, Expected> extends true ? [] : [Actual]) => void

type Informed<Answer> = Answer & { readonly _cache: CacheInfo }

declare const bare: Anthropic
declare const streamed: boolean

const client = withCache(bare)
const count = { model: 'claude-sonnet-4-5', messages: [{ role: 'user' as const, content: 'Hello' }] }
const question = { ...count, max_tokens: 256 }

export async function options(): Promise<void> {
  const { messages, beta } = client
  const all = { ttl: '10m' as const, operation: 'summarize', context: { project: 'atlas' }, tags: ['doc:42'], scope: 'a', variant: 1 }
  await messages.create(question, { cache: { ...all, mode: 'reload' }, timeout: 1000, signal: AbortSignal.timeout(1000) })
  await messages.create(question, { cache: { ttl: 60 } })
  await messages.create(question, { bypassCache: true })
  await messages.create(question)
  messages.stream(question, { cache: all })
  await messages.countTokens(count, { cache: all })
  await beta.messages.create({ ...question, betas: ['context-1m-2025-08-07'] }, { cache: all })
  beta.messages.stream(question, { cache: all })
  await beta.messages.countTokens(count, { cache: all })
  // @ts-expect-error: fetch has no such mode
  await messages.create(question, { cache: { mode: 'sometimes' } })
  // @ts-expect-error: a TTL is seconds or a text
  await messages.create(question, { cache: { ttl: true } })
  // @ts-expect-error: G31 a text that is no duration
  await messages.create(question, { cache: { ttl: '1 hour' } })
  // @ts-expect-error: misspelt
  await messages.create(question, { cache: { tll: 60 } })
  // @ts-expect-error: true or false
  await messages.create(question, { bypassCache: 'yes' })
  // @ts-expect-error: misspelt
  await messages.create(question, { bypasCache: true })
  // @ts-expect-error: the SDK's own options are checked as before
  await messages.create(question, { timeout: '1s' })
  // @ts-expect-error: and so are its parameters
  await messages.create(count, { bypassCache: true })
  // @ts-expect-error: misspelt, in a helper
  messages.stream(question, { bypasCache: true })
  // @ts-expect-error: misspelt, in a helper
  beta.messages.stream(question, { cache: { tll: 60 } })
  // @ts-expect-error: misspelt
  await messages.countTokens(count, { cache: { tll: 60 } })
  // @ts-expect-error: a client that is not wrapped knows no cache
  await bare.messages.create(question, { cache: { ttl: 60 } })
}

/** The compiler tries all overloads with a stricter rule first, which such variables can pass in the SDK's own and not in ours. */
export async function optionsInVariables(
  own: Anthropic.RequestOptions,
  both: Anthropic.RequestOptions & CacheRequestOptions,
): Promise<void> {
  is<CacheInfo>()((await client.messages.create(question, own))._cache)
  is<CacheInfo>()((await client.messages.create(question, both))._cache)
  is<CacheInfo>()((await client.messages.countTokens(count, own))._cache)
  is<CacheInfo>()((await client.beta.messages.create(question, own))._cache)
  is<CacheInfo>()((await client.beta.messages.create(question, both))._cache)
}

export async function results(): Promise<void> {
  const answer = await client.messages.create(question)
  is<Informed<Anthropic.Message>>()(answer)
  is<CacheInfo>()(answer._cache)
  is<boolean>()(answer._cache.hit)
  is<Anthropic.ContentBlock[]>()(answer.content)
  answer._request_id satisfies string | null | undefined
  // @ts-expect-error: no such fact
  void answer._cache.nope
  // @ts-expect-error: the facts are not the caller's to change
  answer._cache = { ...answer._cache }
  // @ts-expect-error: a client that is not wrapped tells no facts
  void (await bare.messages.create(question))._cache

  const { data, response, request_id } = await client.messages.create(question).withResponse()
  is<CacheInfo>()(data._cache)
  is<string>()(data.id)
  is<Response>()(response)
  request_id satisfies string | null | undefined
  is<Promise<Response>>()(client.messages.create(question).asResponse())

  is<Informed<Anthropic.MessageTokensCount>>()(await client.messages.countTokens(count))
  is<Informed<Anthropic.Beta.BetaMessage>>()(await client.beta.messages.create(question))
  is<Informed<Anthropic.Beta.BetaMessageTokensCount>>()(await client.beta.messages.countTokens(count))
}

export async function streams(): Promise<void> {
  const stream = await client.messages.create({ ...question, stream: true }, { cache: { ttl: '1h' } })
  is<CacheInfo>()(stream._cache)
  is<AbortController>()(stream.controller)
  for await (const event of stream) is<Anthropic.RawMessageStreamEvent>()(event)
  for (const half of stream.tee()) for await (const event of half) is<Anthropic.RawMessageStreamEvent>()(event)

  const either = await client.messages.create({ ...question, stream: streamed }, { bypassCache: true })
  is<CacheInfo>()(either._cache)
  if ('content' in either) is<string>()(either.id)
  else for await (const event of either) is<Anthropic.RawMessageStreamEvent>()(event)

  const events = await client.beta.messages.create({ ...question, stream: true }, { bypassCache: true })
  is<CacheInfo>()(events._cache)
  for await (const event of events) is<Anthropic.Beta.BetaRawMessageStreamEvent>()(event)

  is<MessageStream>()(client.messages.stream(question, { cache: { ttl: '1h' } }))
  is<BetaMessageStream>()(client.beta.messages.stream(question, { cache: { ttl: '1h' } }))
}

export async function theRest(): Promise<void> {
  is<Anthropic['models']>()(client.models)
  is<Anthropic['messages']['batches']>()(client.messages.batches)
  is<Anthropic['beta']['files']>()(client.beta.files)
  // @ts-expect-error: what is not cached takes no options of the cache
  await client.models.retrieve('m', {}, { cache: { ttl: 60 } })
  // @ts-expect-error: and has no facts of it
  void (await client.models.retrieve('m'))._cache
  client satisfies Anthropic
  client satisfies BaseAnthropic
}

export async function clients(): Promise<void> {
  is<Cached<Anthropic>>()(client)
  is<CachedAnthropic<Anthropic>>()(client)
  const derived = client.withOptions({ maxRetries: 0 })
  is<Cached<Anthropic>>()(derived)
  is<CacheInfo>()((await derived.messages.create(question, { bypassCache: true }))._cache)

  class Own extends Anthropic {
    readonly team = 'support'
    greet(): APIPromise<Anthropic.Message> {
      return this.messages.create(question)
    }
  }
  const own = withCache(new Own(), createCache())
  own.team satisfies 'support'
  is<APIPromise<Anthropic.Message>>()(own.greet())
  is<CacheInfo>()((await own.withOptions({}).messages.create(question, { bypassCache: true }))._cache)

  const twice = withCache(client, { ttl: '1h' })
  is<CacheInfo>()((await twice.messages.create(question, { bypassCache: true }))._cache)
  is<Cached<Anthropic>>()(generic(bare))
  void new Anthropic({ fetch: cachingFetch(createCache()) })
}

function generic<Client extends Anthropic>(given: Client): Cached<Client> {
  const wrapped = withCache(given)
  void wrapped.messages.create(question, { bypassCache: true }).then(({ _cache }) => is<CacheInfo>()(_cache))
  return wrapped
}
