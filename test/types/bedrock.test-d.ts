/**
 * What the compiler makes of a wrapped Bedrock Runtime client. Nothing here runs: `tsc` checks it, and versions.test.ts with the built
 * package.
 */
import {
  ApplyGuardrailCommand,
  type ApplyGuardrailCommandOutput,
  type BedrockRuntime,
  BedrockRuntimeClient,
  ConverseCommand,
  type ConverseCommandOutput,
  ConverseStreamCommand,
  type ConverseStreamCommandOutput,
  type ConverseStreamOutput,
  CountTokensCommand,
  InvokeModelCommand,
  type InvokeModelCommandOutput,
  InvokeModelWithBidirectionalStreamCommand,
  InvokeModelWithResponseStreamCommand,
  type InvokeModelWithResponseStreamCommandOutput,
  ListAsyncInvokesCommand,
} from '@aws-sdk/client-bedrock-runtime'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { type Cached, type CachedBedrock, type CacheInfo, type CacheRequestOptions, createCache, withCache } from 'llmemo'

/** Whether each of two types can stand for the other. `any` could for all, and so is none of them. */
type Equal<A, B> = 0 extends 1 & A ? false : [A, B] extends [B, A] ? true : false

/** Compiles only when the value's type is `Expected`. */
declare function is<Expected>(): <Actual>(actual: Actual, ...differs: Equal<Actual, Expected> extends true ? [] : [Actual]) => void

type Informed<Output> = Output & { readonly _cache: CacheInfo }

declare const bare: BedrockRuntimeClient
declare const aggregated: BedrockRuntime

const client = withCache(bare)
const chat = { modelId: 'm', messages: [{ role: 'user' as const, content: [{ text: 'Hello' }] }] }
const converse = new ConverseCommand(chat)
const model = { modelId: 'm', body: '{}' }

export async function options(): Promise<void> {
  const all = { ttl: '10m' as const, operation: 'summarize', context: { project: 'atlas' }, tags: ['doc:42'], scope: 'a', variant: 1 }
  await client.send(converse, { cache: { ...all, mode: 'reload' }, abortSignal: AbortSignal.timeout(1000), requestTimeout: 1000 })
  await client.send(converse, { cache: { ttl: 60 } })
  await client.send(converse, { bypassCache: true })
  await client.send(converse)
  await client.send(new ConverseStreamCommand(chat), { cache: all })
  await client.send(new InvokeModelCommand(model), { cache: all })
  await client.send(new InvokeModelWithResponseStreamCommand(model), { cache: all })
  // @ts-expect-error: fetch has no such mode
  client.send(converse, { cache: { mode: 'sometimes' } })
  // @ts-expect-error: a TTL is seconds or a text
  client.send(converse, { cache: { ttl: true } })
  // @ts-expect-error: G31 a text that is no duration
  client.send(converse, { cache: { ttl: '1 hour' } })
  // @ts-expect-error: misspelt
  client.send(converse, { cache: { tll: 60 } })
  // @ts-expect-error: true or false
  client.send(converse, { bypassCache: 'yes' })
  // @ts-expect-error: misspelt
  client.send(converse, { bypasCache: true })
  // @ts-expect-error: the SDK's own options are checked as before
  client.send(converse, { requestTimeout: '1s' })
  // @ts-expect-error: no command
  client.send({}, { bypassCache: true })
  // @ts-expect-error: a client that is not wrapped knows no cache
  await bare.send(converse, { cache: { ttl: 60 } })
}

export async function optionsInVariables(own: { abortSignal?: AbortSignal }, both: CacheRequestOptions): Promise<void> {
  is<CacheInfo>()((await client.send(converse, own))._cache)
  is<CacheInfo>()((await client.send(converse, both))._cache)
  is<CacheInfo>()((await client.send(converse, { ...own, ...both }))._cache)
}

export async function outputs(): Promise<void> {
  const answer = await client.send(converse)
  is<Informed<ConverseCommandOutput>>()(answer)
  is<CacheInfo>()(answer._cache)
  is<string | undefined>()(answer.output?.message?.content?.[0]?.text)
  is<string | undefined>()(answer.$metadata.requestId)
  // @ts-expect-error: no such fact
  void answer._cache.nope
  // @ts-expect-error: the facts are not the caller's to change
  answer._cache = { ...answer._cache }
  // @ts-expect-error: a client that is not wrapped tells no facts
  void (await bare.send(converse))._cache

  const streamed = await client.send(new ConverseStreamCommand(chat), { cache: { ttl: '1h' } })
  is<Informed<ConverseStreamCommandOutput>>()(streamed)
  for await (const event of streamed.stream ?? []) is<ConverseStreamOutput>()(event)

  const invoked = await client.send(new InvokeModelCommand(model), { bypassCache: true })
  is<Informed<InvokeModelCommandOutput>>()(invoked)
  is<string>()(invoked.body.transformToString())
  const events = await client.send(new InvokeModelWithResponseStreamCommand(model), { bypassCache: true })
  is<Informed<InvokeModelWithResponseStreamCommandOutput>>()(events)

  is<CacheInfo>()((await client.send(Math.random() < 0.5 ? converse : new InvokeModelCommand(model), { bypassCache: true }))._cache)
}

export function callbacks(): void {
  is<void>()(
    client.send(converse, (error, output) => {
      void error
      is<Informed<ConverseCommandOutput> | undefined>()(output)
    }),
  )
  client.send(converse, { cache: { ttl: 60 } }, (error: Error | null, output) => {
    void error
    is<CacheInfo | undefined>()(output?._cache)
  })
  // @ts-expect-error: misspelt
  client.send(converse, { cache: { tll: 60 } }, () => {})
}

export async function aggregate(): Promise<void> {
  const methods = withCache(aggregated)
  is<Informed<ConverseCommandOutput>>()(await methods.converse(chat, { cache: { ttl: '1h' } }))
  is<Informed<ConverseStreamCommandOutput>>()(
    await methods.converseStream(chat, { bypassCache: true, abortSignal: AbortSignal.timeout(1) }),
  )
  is<Informed<InvokeModelCommandOutput>>()(await methods.invokeModel(model, { bypassCache: true }))
  is<Informed<InvokeModelWithResponseStreamCommandOutput>>()(await methods.invokeModelWithResponseStream(model, { bypassCache: true }))
  is<Informed<ConverseCommandOutput>>()(await methods.send(converse, { bypassCache: true }))
  methods.converse(chat, { bypassCache: true }, (_, output) => is<CacheInfo | undefined>()(output?._cache))
  methods.converse(chat, (_, output) => is<CacheInfo | undefined>()(output?._cache))
  methods satisfies BedrockRuntime
  // @ts-expect-error: misspelt
  await methods.converse(chat, { cache: { tll: 60 } })
  // @ts-expect-error: what is not cached takes no options of the cache
  await methods.countTokens({ modelId: 'm', input: { converse: {} } }, { bypassCache: true })
  // @ts-expect-error: a client of commands has no such methods
  client.converse(chat)
}

export async function theRest(): Promise<void> {
  const guard = new ApplyGuardrailCommand({ guardrailIdentifier: 'g', guardrailVersion: '1', source: 'INPUT', content: [] })
  is<ApplyGuardrailCommandOutput>()(await client.send(guard, { requestTimeout: 1000 }))
  // @ts-expect-error: what is not cached takes no options of the cache
  client.send(guard, { cache: { ttl: 60 } })
  // @ts-expect-error: and has no facts of it
  void (await client.send(guard))._cache
  // @ts-expect-error: these neither, although their inputs or outputs look like those of others
  client.send(new CountTokensCommand({ modelId: 'm', input: { converse: {} } }), { bypassCache: true })
  // @ts-expect-error: as above
  client.send(new ListAsyncInvokesCommand({}), { bypassCache: true })
  // @ts-expect-error: as above
  client.send(new InvokeModelWithBidirectionalStreamCommand({ modelId: 'm', body: events() }), { bypassCache: true })
  is<BedrockRuntimeClient['config']>()(client.config)
  client.middlewareStack.use({ applyToStack: () => {} })
  client.destroy()
  client satisfies BedrockRuntimeClient
}

async function* events(): AsyncGenerator<never> {}

export async function clients(): Promise<void> {
  is<Cached<BedrockRuntimeClient>>()(client)
  is<CachedBedrock<BedrockRuntimeClient>>()(client)

  class Own extends BedrockRuntimeClient {
    readonly team = 'support'
  }
  const own = withCache(new Own({}), createCache())
  own.team satisfies 'support'
  is<CacheInfo>()((await own.send(converse, { bypassCache: true }))._cache)

  class Greet extends ConverseCommand {
    readonly greeting = true
  }
  is<Informed<ConverseCommandOutput>>()(await client.send(new Greet(chat), { bypassCache: true }))

  is<CacheInfo>()((await withCache(client, { ttl: '1h' }).send(converse, { bypassCache: true }))._cache)
  is<Cached<BedrockRuntimeClient>>()(generic(bare))
  is<Cached<BedrockRuntime>>()(generic(aggregated))

  // The client of another service is a `TypeError` when it runs; its type is its own.
  is<DynamoDBClient>()(withCache(new DynamoDBClient()))
}

function generic<Client extends BedrockRuntimeClient>(given: Client): Cached<Client> {
  const wrapped = withCache(given)
  void wrapped.send(converse, { bypassCache: true }).then(({ _cache }) => is<CacheInfo>()(_cache))
  return wrapped
}
