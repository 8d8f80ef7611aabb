/**
 * Cases of wrapped clients: real SDKs with a key, tokens and credentials, over a provider that answers, refuses and breaks off.
 * @module
 */
import { GoogleGenAI } from '@google/genai'
import Anthropic from '@anthropic-ai/sdk'
import { ConverseCommand } from '@aws-sdk/client-bedrock-runtime'
import OpenAI from 'openai'
import { type Cache, createCache } from '../../../src/cache/cache.ts'
import { UnknownClientError } from '../../../src/errors.ts'
import { cachingFetch, storedAnswers, withCache } from '../../../src/clients/with-cache.ts'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { isNotCached, NotCachedError } from '../../../src/not-cached.ts'
import { withInformedParse } from '../../../src/clients/anthropic/structured-output.ts'
import { blankOf } from '../../../src/clients/http/sdk-class.ts'
import { Origins } from '../../../src/clients/bedrock/origin.ts'
import { breakOff } from '../../../src/clients/bedrock/signals.ts'
import { message, text } from '../anthropic-answers.ts'
import { converseAnswer, makeBedrock } from '../bedrock-sdk.ts'
import { chunksOf, completion } from '../openai-answers.ts'
import { type ProviderHandler, startProvider } from '../provider-server.ts'
import type { Cases, Issuer, SecretCase } from './issuer.ts'
import { secret } from './marker.ts'
import { mistaken } from './mistaken.ts'

const prompt = secret('prompt')
const apiKey = `sk-${secret('key')}`
const answer = secret('answer')
const messages = [{ role: 'user' as const, content: prompt }]
const refusedBy = (name: string, action: () => unknown): SecretCase => ({ name, run: (issuer) => issuer.refused(action) })

/** How a provider answers each call of a case. */
const manners: Readonly<Record<string, ProviderHandler>> = {
  answers: ({ path, body }, reply) => {
    if (path.includes('converse')) return reply.json(converseAnswer(answer))
    if (path.includes('messages')) return reply.json(message([text(answer)]))
    return Reflect.get(Object(body), 'stream') === true ? reply.events(chunksOf(answer).flat()) : reply.json(completion(answer))
  },
  'is cut off': ({ path, body }, reply) =>
    Reflect.get(Object(body), 'stream') === true && !path.includes('messages')
      ? reply.events(chunksOf(answer)[0], { end: 'reset' })
      : reply.json(completion(answer, undefined, 'length')),
  'resets the connection': (_, reply) => reply.reset(),
  fails: (_, reply) => reply.json({ error: { message: 'not possible', type: 'some_error' } }, { status: 500 }),
  'gives something else': (_, reply) => reply.text('no JSON'),
}

/** Runs `use` with a provider that answers so, and a cache that keeps each event. */
function cased(use: (issuer: Issuer, cache: Cache, url: string) => Promise<void>): SecretCase[] {
  return Object.entries(manners).map(([manner, handler]) => ({
    name: `the provider ${manner}`,
    async run(issuer) {
      const provider = await startProvider(handler)
      try {
        await use(issuer, issuer.cache(), provider.url)
      } finally {
        await provider.close()
      }
    },
  }))
}

/** What a call threw, or the facts of what it returned: the answer itself is its caller's own. */
async function called(issuer: Issuer, call: () => unknown): Promise<void> {
  await issuer.outcome(async () => {
    const returned = await withoutResponse(call)
    const isStream = Symbol.asyncIterator in Object(returned)
    if (isStream) await Array.fromAsync(mistaken(returned))
    return cacheInfo(mistaken(returned))
  })
}

/** The error of AWS without the response in it, which the bare client puts there too, and which holds the request. */
async function withoutResponse(call: () => unknown): Promise<unknown> {
  try {
    return await call()
  } catch (error) {
    if (!(error instanceof Error) || !Object.hasOwn(error, '$response')) throw error
    const { $response: _, ...rest } = Object.getOwnPropertyDescriptors<object & { $response?: unknown }>(error)
    // The rest of it, hidden members and all.
    // oxlint-disable-next-line typescript/only-throw-error
    throw Object.create(Object.getPrototypeOf(error), mistaken(rest))
  }
}

/** All modes of a call, and an option that is mistaken. */
const callOptions: readonly object[] = [
  {},
  {},
  { cache: { mode: 'only-if-cached', context: { [secret('context')]: secret('context') } } },
  { cache: { mode: 'no-store' } },
  { cache: { mode: secret('token') } },
  { cache: { ttl: secret('token') } },
  { cache: { [secret('token')]: 1 } },
  { cache: { context: new Map([[prompt, prompt]]) } },
  { cache: secret('token') },
  { bypassCache: secret('token') },
]

export const clientCases: Cases = {
  'src/clients/with-cache.ts': [
    ...[
      apiKey,
      { apiKey },
      () => apiKey,
      Symbol(apiKey),
      [apiKey],
      new (class Client {
        readonly apiKey = apiKey
      })(),
      { constructor: { name: apiKey } },
    ].map((given, index): SecretCase => ({
      name: `an unknown client ${index}`,
      run: (issuer) => issuer.keep('made', new UnknownClientError(given)),
    })),
    refusedBy('no client', () => withCache(mistaken(apiKey))),
    refusedBy('an unknown client', () => withCache(mistaken({ apiKey }))),
    refusedBy('no cache', () => withCache(new OpenAI({ apiKey }), mistaken(apiKey))),
    refusedBy('no fetch', () => cachingFetch(mistaken({ apiKey }))),
    refusedBy('stored answers of no cache', () =>
      storedAnswers(mistaken({ apiKey }), { url: 'https://api.openai.com/v1', headers: new Headers() }),
    ),
    refusedBy('no function', () => cachingFetch(createCache(), mistaken(apiKey))),
    refusedBy('a cache of another', () => withCache(new OpenAI({ apiKey }), mistaken({ stats() {}, on() {}, [apiKey]: apiKey }))),
    refusedBy('a cache whose engine goes away', () => withCache(new OpenAI({ apiKey }), mistaken(vanishing()))),
  ],
  'src/clients/gemini/client.ts': [
    refusedBy('a client of an older SDK', () => {
      const { models, chats } = new GoogleGenAI({ apiKey })
      withCache(mistaken({ apiKey, models, chats, apiClient: { apiKey } }))
    }),
    refusedBy('a client that loses a method', async () => {
      const bare = new GoogleGenAI({ apiKey })
      const wrapped = withCache(bare)
      Reflect.set(bare.models, 'generateContent', apiKey)
      await wrapped.models.generateContent({ model: 'm', contents: prompt })
    }),
  ],
  'src/clients/call-options.ts': cased(async (issuer, cache, url) => {
    const client = withCache(new OpenAI({ apiKey, baseURL: url, maxRetries: 0, defaultHeaders: { 'x-token': secret('token') } }), cache)
    for (const options of callOptions) {
      await called(issuer, () => client.chat.completions.create({ model: 'm', messages }, mistaken(options)))
      await called(issuer, () => client.chat.completions.create({ model: 'm', messages, stream: true }, mistaken(options)))
    }
  }),
  'src/engine/exchange.ts': [
    ...cased(async (issuer, cache, url) => {
      const client = withCache(new Anthropic({ apiKey, baseURL: url.replace('/v1', ''), maxRetries: 0 }), cache)
      for (const options of callOptions) {
        await called(issuer, () => client.messages.create({ model: 'm', max_tokens: 9, messages }, mistaken(options)))
      }
    }),
    ...cased(async (issuer, cache, url) => {
      const credentials = { accessKeyId: `AKIA${secret('key')}`, secretAccessKey: secret('password'), sessionToken: secret('token') }
      const client = withCache(makeBedrock('http1', { url: url.replace('/v1', ''), credentials }), cache)
      for (const options of callOptions) {
        const command = new ConverseCommand({ modelId: 'm', messages: [{ role: 'user', content: [{ text: prompt }] }] })
        await called(issuer, () => client.send(command, mistaken(options)))
      }
    }),
    ...cased(async (issuer, cache, url) => {
      const fetch = cachingFetch(cache)
      const body = JSON.stringify({ model: 'm', messages })
      const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', cookie: secret('token') }
      for (const query of ['', `?key=${secret('key')}&token=${secret('token')}#${secret('token')}`]) {
        for (const mode of [undefined, 'only-if-cached'] as const) {
          const init = { method: 'POST', headers, body, ...(mode && { cache: mode }) }
          await called(issuer, () => fetch(`${url}/chat/completions${query}`, init))
          await called(issuer, () => fetch(`${url}/unknown${query}`, init))
        }
      }
      await issuer.outcome(() => new NotCachedError({ reason: 'not stored', key: 'a', scope: 'b' }))
      issuer.keep('told', isNotCached(new Error(prompt)))
    }),
  ],
  'src/clients/wrap-warnings.ts': [
    {
      name: 'a cache for each request, and two caches on one client',
      run(issuer) {
        for (let time = 0; time < 6; time++) {
          withCache(new OpenAI({ apiKey, baseURL: `https://user:${secret('password')}@host/${secret('url')}` }), { logger: issuer.logger })
        }
        const client = new OpenAI({ apiKey })
        withCache(client, issuer.cache())
        withCache(client, issuer.cache())
      },
    },
    {
      name: 'a method that calls the given client',
      run(issuer) {
        const client = new OpenAI({ apiKey, baseURL: `https://user:${secret('password')}@host/${secret('url')}` })
        client.chat.completions.create = client.chat.completions.create.bind(client.chat.completions)
        withCache(client, issuer.cache())
      },
    },
  ],
  'src/clients/http/own-resources.ts': [
    refusedBy('a Proxy of a client', () =>
      withCache(new Proxy(new OpenAI({ apiKey, baseURL: `https://user:${secret('password')}@host/${secret('url')}` }), {})),
    ),
  ],
  'src/clients/http/bound-methods.ts': [
    refusedBy('a class that sends by private members', () => {
      class Sends extends OpenAI {
        readonly #model = secret('token')
        ask() {
          return this.chat.completions.create({ model: this.#model, messages })
        }
      }
      return withCache(new Sends({ apiKey }))
    }),
    refusedBy('a member that private ones need', () => {
      class Hidden extends OpenAI {
        name = secret('name')
        readonly #secret = secret('password')
        protected override async prepareRequest(request: RequestInit): Promise<void> {
          Object.assign(request.headers ?? {}, { 'x-tenant': this.name + this.#secret })
        }
      }
      withCache(new Hidden({ apiKey })).name = secret('token')
    }),
  ],
  'src/clients/http/sdk-class.ts': [
    refusedBy('a class without a constructor', () =>
      blankOf({ apiKey }, mistaken({ root: {}, made: { constructor: apiKey }, others: [], hooks: [], constructed: new Map() })),
    ),
  ],
  'src/clients/openai/client.ts': [
    refusedBy('a client with a certificate', () => {
      const client = new OpenAI({ apiKey })
      Reflect.set(Reflect.get(client, '_options'), 'x509Transport', { key: secret('password') })
      return withCache(client)
    }),
  ],
  'src/clients/http/method-lane.ts': [
    {
      name: 'a method of the SDK that is gone',
      async run(issuer) {
        const bare = new OpenAI({ apiKey, fetch: async () => Response.json(completion(answer)) })
        const client = withCache(bare, issuer.cache())
        const prototype: object = Object.getPrototypeOf(bare.chat.completions)
        const create = Object.getOwnPropertyDescriptor(prototype, 'create') ?? {}
        Reflect.deleteProperty(prototype, 'create')
        try {
          await issuer.refused(() => client.chat.completions.create({ model: 'm', messages }))
        } finally {
          Object.defineProperty(prototype, 'create', create)
        }
      },
    },
  ],
  'src/clients/anthropic/client.ts': [
    refusedBy('an older client for Vertex', () => {
      class Vertex extends Anthropic {
        readonly projectId = 'p'
        readonly region = 'r'
        readonly token = secret('token')
        protected override async prepareRequest(): Promise<void> {}
      }
      return withCache(new Vertex({ apiKey }))
    }),
    refusedBy('a method below the cache', () => {
      class Vertex extends Anthropic {
        readonly projectId = 'p'
        readonly region = 'r'
        readonly token = secret('token')
        override backendMiddleware(): never {
          return mistaken([])
        }
        protected override async prepareRequest(): Promise<void> {}
      }
      return withCache(new Vertex({ apiKey }))
    }),
  ],
  'src/clients/anthropic/structured-output.ts': [
    {
      name: 'an SDK without create()',
      run(issuer) {
        const resource: { apiKey: string; create?: () => void; parse(body: unknown): unknown } = {
          apiKey,
          create() {},
          parse(this: { create(body: unknown): unknown }, body: unknown) {
            return this.create(body)
          },
        }
        withInformedParse(mistaken({ apiKey, messages: resource, beta: { messages: resource } }))
        delete resource.create
        return issuer.refused(() => resource.parse(prompt))
      },
    },
  ],
  'src/clients/bedrock/signals.ts': [
    refusedBy('HTTP/1.1', () => breakOff('http/1.1', aborted())),
    refusedBy('another protocol', () => breakOff('other', aborted())),
  ],
  'src/clients/bedrock/origin.ts': [
    {
      name: 'a configuration without an endpoint',
      async run(issuer) {
        for (const endpointProvider of [undefined, () => ({ url: {} }), () => ({})]) {
          const bare = makeBedrock('http1', { url: `http://127.0.0.1:1/${secret('url')}`, maxRetries: 0 })
          Reflect.set(bare.config, 'endpointProvider', endpointProvider)
          await issuer.outcome(() => new Origins().find(bare.config, mistaken(bare.middlewareStack.clone()), { modelId: 'm' }))
          const client = withCache(bare, issuer.cache())
          const command = new ConverseCommand({ modelId: 'm', messages: [{ role: 'user', content: [{ text: prompt }] }] })
          await issuer.outcome(() => client.send(command))
        }
      },
    },
  ],
}

/** Something that is a cache only when it is first looked at. */
function vanishing(): object {
  let looks = 0
  return Object.defineProperty({ apiKey }, Symbol.for('llmemo.engine@1'), { get: () => (looks++ === 0 ? {} : undefined) })
}

/** A signal that fired without a reason of its caller's own. */
function aborted(): AbortSignal {
  return AbortSignal.abort()
}
