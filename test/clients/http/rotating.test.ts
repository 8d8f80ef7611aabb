import Anthropic from '@anthropic-ai/sdk'
import OpenAI, { AzureOpenAI } from 'openai'
import OpenAI5 from 'openai5'
import OpenAI6 from 'openai6'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCache } from '../../../src/cache/cache.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { message, text } from '../../support/anthropic-answers.ts'
import { completion } from '../../support/openai-answers.ts'
import { type ProviderServer, startProvider } from '../../support/provider-server.ts'

interface Asked {
  readonly client: (origin: string) => object
  readonly options?: object
}

let calls = 0
const rotating = async (): Promise<string> => `token-${(calls += 1)}`
const more = { maxRetries: 0, logLevel: 'off' as const, apiKey: rotating }
const azure = { maxRetries: 0, apiVersion: '2024-10-21', azureADTokenProvider: rotating }

class Hooked extends Anthropic {
  private readonly token: string
  constructor(token: string, origin: string) {
    super({ maxRetries: 0, baseURL: origin, credentials: async () => ({ token: await rotating(), expiresAt: 1 }) })
    this.token = token
  }
  protected override async prepareRequest(request: { headers: Headers }): Promise<void> {
    request.headers.set('authorization', this.token)
  }
}

interface Options {
  readonly apiKey: () => Promise<string>
  readonly maxRetries: number
  readonly logLevel: 'off'
  readonly baseURL: string
  readonly organization?: string
  readonly project?: string
  readonly defaultHeaders?: Record<string, string>
}

const versions: readonly (readonly [string, (options: Options) => object])[] = [
  ['openai 7', (options) => new OpenAI(options)],
  ['openai 6', (options) => new OpenAI6(options)],
  ['openai 5', (options) => new OpenAI5(options)],
]

/** Exchanges the token of an identity for one of the provider. */
const exchanging: typeof fetch = async (input, init) => {
  if (!new Request(input).url.startsWith('https://auth.openai.com/')) return fetch(input, init)
  return Response.json({ access_token: await rotating(), issued_token_type: 'access_token', token_type: 'Bearer', expires_in: 3600 })
}

const identity = {
  maxRetries: 0,
  fetch: exchanging,
  workloadIdentity: {
    identityProviderId: 'i',
    serviceAccountId: 's',
    provider: { tokenType: 'jwt' as const, getToken: async () => 'subject' },
  },
}

/** Clients whose key an identity gives. */
const identities: readonly (readonly [string, (baseURL: string, defaultHeaders?: Record<string, string>) => object])[] = [
  ['openai 7', (baseURL, defaultHeaders = {}) => new OpenAI({ ...identity, baseURL, defaultHeaders })],
  ['openai 6', (baseURL, defaultHeaders = {}) => new OpenAI6({ ...identity, baseURL, defaultHeaders })],
]

function pair(title: string, make: (value: string) => Asked): [string, Asked, Asked] {
  return [title, make('a'), make('b')]
}

/** A client with a hook that sets its own token. */
function hooked(client: object, token: string): object {
  Reflect.set(client, 'prepareRequest', async ({ headers }: { headers: Headers | Record<string, string> }) => {
    if (headers instanceof Headers) headers.set('authorization', token)
    else headers['authorization'] = token
  })
  return client
}

/** Two callers that must not share an answer. */
const pairs: readonly [string, Asked, Asked][] = [
  ...versions.flatMap(([version, make]) => [
    pair(`organization of ${version}`, (organization) => ({ client: (baseURL) => make({ ...more, baseURL, organization }) })),
    pair(`project of ${version}`, (project) => ({ client: (baseURL) => make({ ...more, baseURL, project }) })),
    pair(`Authorization of all calls of ${version}`, (Authorization) => ({
      client: (baseURL) => make({ ...more, baseURL, defaultHeaders: { Authorization } }),
    })),
  ]),
  ...versions.flatMap(([version, make]) =>
    ['Authorization', 'x-api-key', 'api-key', 'cookie'].map((name) =>
      pair(`${name} of a call of ${version}`, (value) => ({
        client: (baseURL) => make({ ...more, baseURL }),
        options: { headers: { [name]: value } },
      })),
    ),
  ),
  ...['Authorization', 'api-key', 'cookie'].map((name) =>
    pair(`${name} of a call of AzureOpenAI`, (value) => ({
      client: (endpoint) => new AzureOpenAI({ ...azure, endpoint }),
      options: { headers: { [name]: value } },
    })),
  ),
  ...['Authorization', 'X-Api-Key', 'cookie'].map((name) =>
    pair(`${name} of a call of Anthropic`, (value) => ({
      client: (baseURL) => new Anthropic({ ...more, baseURL }),
      options: { headers: { [name]: value } },
    })),
  ),
  ...identities.flatMap(([version, make]) => [
    pair(`Authorization of a call of ${version} with an identity`, (Authorization) => ({
      client: (baseURL) => make(baseURL),
      options: { headers: { Authorization } },
    })),
    pair(`Authorization of all calls of ${version} with an identity`, (Authorization) => ({
      client: (baseURL) => make(baseURL, { Authorization }),
    })),
    pair(`a hook of ${version} with an identity`, (value) => ({ client: (baseURL) => hooked(make(baseURL), value) })),
  ]),
  ...versions.map(([version, make]) =>
    pair(`a hook of ${version}`, (value) => ({ client: (baseURL) => hooked(make({ ...more, baseURL }), value) })),
  ),
  pair('a hook of Anthropic', (value) => ({ client: (origin) => new Hooked(`Bearer ${value}`, origin) })),
]

describe('G01 a rotating credential', () => {
  let server: ProviderServer
  let origin: string

  beforeEach(async () => {
    server = await startProvider(({ path }, reply) =>
      reply.json(path.includes('messages') ? message([text(`${server.requests.length}`)]) : completion(`${server.requests.length}`)),
    )
    origin = new URL(server.url).origin
  })
  afterEach(() => server.close())

  it.each(pairs)('shares no answer with another caller: %s', async (_, first, second) => {
    const cache = createCache({ logger: false })
    const [one, other] = [withCache(first.client(origin), cache), withCache(second.client(origin), cache)]
    const [ofOne, ofOther] = await Promise.all([ask(one, first.options), ask(other, second.options)])
    expect(server.requests).toHaveLength(2)
    expect(ofOne).not.toEqual(ofOther)
    expect(await ask(other, second.options)).toEqual(ofOther)
    expect(await ask(one, first.options)).toEqual(ofOne)
    expect(server.requests).toHaveLength(2)
  })

  it.each<[string, (url: string) => object]>([
    ['openai 7', (baseURL) => new OpenAI({ ...more, baseURL, organization: 'o' })],
    ['openai 6', (baseURL) => new OpenAI6({ ...more, baseURL })],
    ['openai 5', (baseURL) => new OpenAI5({ ...more, baseURL })],
    ['AzureOpenAI', (endpoint) => new AzureOpenAI({ ...azure, endpoint })],
    ...identities.map(([version, make]): [string, (url: string) => object] => [`an identity of ${version}`, (url) => make(url)]),
    ['Anthropic', (baseURL) => new Anthropic({ ...more, baseURL })],
  ])('does not matter where it alone changes: %s', async (_, make) => {
    const cache = createCache({ logger: false })
    const [one, other] = [withCache(make(origin), cache), withCache(make(origin), cache)]
    await Promise.all([ask(one), ask(other), ask(one)])
    await ask(other)
    expect(server.requests).toHaveLength(1)
  })
})

async function ask(client: object, options?: object): Promise<unknown> {
  const resource: unknown = Reflect.get(client, 'messages') ?? Reflect.get(Object(Reflect.get(client, 'chat')), 'completions')
  const params = { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] }
  const create: unknown = Reflect.get(Object(resource), 'create')
  return typeof create === 'function' ? Reflect.apply(create, resource, [params, options]) : undefined
}
