import AnthropicBedrock, { AnthropicBedrockMantle } from '@anthropic-ai/bedrock-sdk'
import AnthropicAws from '@anthropic-ai/aws-sdk'
import AnthropicFoundry from '@anthropic-ai/foundry-sdk'
import Anthropic from '@anthropic-ai/sdk'
import { AnthropicVertex } from '@anthropic-ai/vertex-sdk'
import Anthropic0 from 'anthropic0'
import Anthropic060 from 'anthropic060'
import AnthropicAws0 from 'aws0'
import { AnthropicBedrock as AnthropicBedrock0 } from 'bedrock0'
import { AnthropicBedrock as AnthropicBedrock036, AnthropicBedrockMantle as AnthropicBedrockMantle036 } from 'bedrock036'
import { AnthropicBedrock as AnthropicBedrock060 } from 'bedrock060'
import AnthropicFoundry0 from 'foundry0'
import AnthropicFoundry060 from 'foundry060'
import Groq from 'groq-sdk'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI, { AzureOpenAI, BedrockOpenAI } from 'openai'
import OpenAI5, { AzureOpenAI as AzureOpenAI5 } from 'openai5'
import OpenAI6, { AzureOpenAI as AzureOpenAI6 } from 'openai6'
import { BedrockOpenAI as BedrockOpenAI6 } from 'openai6/bedrock'
import { bedrock as bedrock6 } from 'openai6/providers/bedrock/aws'
import { createX509Transport } from 'openai/auth/x509-transport'
import { bedrock } from 'openai/providers/bedrock'
import { bedrock as bedrockAws } from 'openai/providers/bedrock/aws'
import { vertex } from 'openai/providers/vertex'
import Together from 'together-ai'
import { Agent } from 'undici'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AnthropicVertex as AnthropicVertex0 } from 'vertex0'
import { AnthropicVertex as AnthropicVertex060 } from 'vertex060'
import { createCache } from '../../../src/cache/cache.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { message, text } from '../../support/anthropic-answers.ts'
import { completion } from '../../support/openai-answers.ts'
import { failureOf } from '../../support/outcome.ts'
import { type ProviderRequest, type ProviderServer, startProvider } from '../../support/provider-server.ts'

const settings = { apiKey: 'test-key', maxRetries: 0, logLevel: 'off' as const }
const aws = { awsRegion: 'eu-west-3', awsAccessKey: 'AKIDMINE', maxRetries: 0, logLevel: 'off' as const, apiKey: null }
const google = { getRequestHeaders: async () => new Headers({ authorization: 'Bearer ya29' }), projectId: 'p' }

interface Case {
  readonly name: string
  readonly make: (origin: string) => object
  /** Sets something on a client. @default the time-out, which the SDKs send in a header */
  readonly change?: (client: object) => void
}

const set = (name: string, value: unknown) => (client: object) => void Reflect.set(client, name, value)

class Tenant extends OpenAI {
  tenant: string
  constructor({ tenant, ...options }: ConstructorParameters<typeof OpenAI>[0] & { tenant: string }) {
    super(options)
    this.tenant = tenant
  }
  protected override async prepareRequest(request: RequestInit): Promise<void> {
    new Headers(request.headers).set('x', 'y')
    Reflect.get(Object(request.headers), 'set').call(request.headers, 'x-tenant', this.tenant)
  }
}

class Hidden extends OpenAI6 {
  readonly #tenant = 'hidden'
  protected override async prepareRequest(request: { headers: Headers }): Promise<void> {
    request.headers.set('x-tenant', this.#tenant)
  }
  get tenant(): string {
    return this.#tenant
  }
}

const tenants = new WeakMap<object, string>()

class Mapped extends OpenAI5 {
  constructor(origin: string) {
    super({ ...settings, baseURL: origin })
    tenants.set(this, 'mapped')
  }
  protected override async prepareRequest(request: { headers: Headers }): Promise<void> {
    request.headers.set('x-tenant', tenants.get(this) ?? 'none')
  }
}

class AnthropicTenant extends Anthropic {
  private readonly tenant: string
  constructor(tenant: string, origin: string) {
    super({ ...settings, baseURL: origin })
    this.tenant = tenant
  }
  protected override async prepareRequest(request: { headers: Headers }): Promise<void> {
    request.headers.set('x-tenant', this.tenant)
  }
}

let origin = ''

class TakesNothing extends OpenAI {
  constructor() {
    super({ ...settings, baseURL: origin, defaultHeaders: { 'x-tenant': 'nothing' } })
  }
}

class WrapsItself extends OpenAI {
  constructor(options: ConstructorParameters<typeof OpenAI>[0]) {
    super(options)
    return withCache(this, createCache({ logger: false }))
  }
}

class Own7 extends OpenAI {
  readonly kind: string
  constructor(kind: 'plain' | 'wrapped') {
    super({ ...settings, baseURL: origin })
    this.kind = kind
    return kind === 'wrapped' ? withCache(this, createCache({ logger: false })) : this
  }
}

class Own6 extends OpenAI6 {
  readonly kind: string
  constructor(kind: 'plain' | 'wrapped') {
    super({ ...settings, baseURL: origin })
    this.kind = kind
    return kind === 'wrapped' ? withCache(this, createCache({ logger: false })) : this
  }
}

class Own5 extends OpenAI5 {
  readonly kind: string
  constructor(kind: 'plain' | 'wrapped') {
    super({ ...settings, baseURL: origin })
    this.kind = kind
    return kind === 'wrapped' ? withCache(this, createCache({ logger: false })) : this
  }
}

class OwnAnthropic1 extends Anthropic {
  readonly kind: string
  constructor(kind: 'plain' | 'wrapped') {
    super({ ...settings, baseURL: origin })
    this.kind = kind
    return kind === 'wrapped' ? withCache(this, createCache({ logger: false })) : this
  }
}

class OwnAnthropic0 extends Anthropic0 {
  readonly kind: string
  constructor(kind: 'plain' | 'wrapped') {
    super({ ...settings, baseURL: origin })
    this.kind = kind
    return kind === 'wrapped' ? withCache(this, createCache({ logger: false })) : this
  }
}

class OwnAnthropic060 extends Anthropic060 {
  readonly kind: string
  constructor(kind: 'plain' | 'wrapped') {
    super({ ...settings, baseURL: origin })
    this.kind = kind
    return kind === 'wrapped' ? withCache(this, createCache({ logger: false })) : this
  }
}

class Completions extends OpenAI.Chat.Completions {
  readonly tracked: string
  constructor(client: OpenAI, tracked: string) {
    super(client)
    this.tracked = tracked
  }
  // @ts-expect-error the SDK has an overload for each kind of answer
  override create(body: OpenAI.Chat.ChatCompletionCreateParams, options?: OpenAI.RequestOptions): unknown {
    return super.create({ ...body, user: this.tracked }, options)
  }
}

class WithResources extends OpenAI {
  constructor(options: ConstructorParameters<typeof OpenAI>[0]) {
    super(options)
    Reflect.set(this.chat, 'completions', new Completions(this, 'posthog'))
  }
}

function patched(client: object): object {
  const chat = Reflect.get(client, 'chat')
  const create: unknown = Reflect.get(Reflect.get(chat, 'completions'), 'create')
  Reflect.set(Reflect.get(chat, 'completions'), 'create', function (this: unknown, body: object, options: object) {
    return typeof create === 'function' ? Reflect.apply(create, this, [{ ...body, user: 'patch' }, options]) : undefined
  })
  return client
}

function hooked(client: object): object {
  Reflect.set(client, 'prepareRequest', async (request: { headers: Headers | Record<string, string> }) => {
    if (request.headers instanceof Headers) request.headers.set('x-tenant', 'hook')
    else request.headers['x-tenant'] = 'hook'
  })
  return client
}

let signatures = 0

async function sign({ headers }: { headers: Headers }): Promise<void> {
  signatures += 1
  headers.set('x-amz-date', `${signatures}`)
  headers.set('authorization', `AWS4-HMAC-SHA256 Signature=${signatures}`)
}

/** A provider that signs each request, as that for AWS does. Its table of providers is the SDK's own. */
function signing(baseURL: string): ReturnType<typeof bedrock> {
  const provider = bedrock({ baseURL, region: 'eu-west-3', apiKey: 'k' })
  const table: unknown = Reflect.get(globalThis, Symbol.for('openai.node.providerDefinitions.v1'))
  if (!(table instanceof WeakMap)) throw new TypeError('the SDK keeps its providers elsewhere')
  table.set(provider, { configure: () => ({ name: 'signing', baseURL, prepareRequest: sign }) })
  return provider
}

/** Exchanges the token of an identity. */
const exchanging: typeof fetch = async (input, init) => {
  if (!new Request(input).url.startsWith('https://auth.openai.com/')) return fetch(input, init)
  return Response.json({ access_token: 'exchanged', issued_token_type: 'access_token', token_type: 'Bearer', expires_in: 3600 })
}

const identity = {
  identityProviderId: 'i',
  serviceAccountId: 's',
  provider: { tokenType: 'jwt' as const, getToken: async () => 'subject' },
}

/** A folder in which Anthropic's SDKs find the profile `p` and its token. */
const folder = mkdtempSync(join(tmpdir(), 'llmemo-profile-'))
const tokenFile = join(folder, 'credentials', 'p.json')
const userConfig = { version: '1.0', authentication: { type: 'user_oauth' as const, credentials_path: tokenFile, client_id: 'c' } }
for (const name of ['configs', 'credentials']) mkdirSync(join(folder, name), { mode: 0o700 })
writeFileSync(join(folder, 'configs', 'p.json'), JSON.stringify(userConfig), { mode: 0o600 })
writeFileSync(
  tokenFile,
  JSON.stringify({ version: '1.0', type: 'oauth_token', access_token: 'of-profile', expires_at: Math.floor(Date.now() / 1000) + 86_400 }),
  { mode: 0o600 },
)
process.env['ANTHROPIC_CONFIG_DIR'] = folder
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
  delete process.env['ANTHROPIC_CONFIG_DIR']
})

const vertexSettings = (baseURL: string) => ({ region: 'europe-west4', projectId: 'p', maxRetries: 0, baseURL, authClient: vertexClient() })
const amazon = { region: 'eu-west-3', accessKeyId: 'AKIDMINE', secretAccessKey: 's' }

const azure = (origin: string) => ({ ...settings, endpoint: origin, apiVersion: '2024-10-21', deployment: 'mine' })
const token = async (): Promise<string> => 'token-1'

const cases: readonly Case[] = [
  {
    name: 'openai 7',
    make: (url) => new OpenAI({ ...settings, baseURL: `${url}/v1`, organization: 'o' }),
    change: set('apiKey', 'second'),
  },
  { name: 'openai 6', make: (url) => new OpenAI6({ ...settings, baseURL: `${url}/v1` }), change: set('organization', 'second') },
  { name: 'openai 5', make: (url) => new OpenAI5({ ...settings, baseURL: `${url}/v1` }), change: set('apiKey', 'second') },
  { name: 'groq-sdk', make: (url) => new Groq({ ...settings, baseURL: url }), change: set('apiKey', 'second') },
  { name: 'AzureOpenAI 7', make: (url) => new AzureOpenAI(azure(url)), change: set('deploymentName', 'other') },
  { name: 'AzureOpenAI 6', make: (url) => new AzureOpenAI6(azure(url)), change: set('apiKey', 'second') },
  { name: 'AzureOpenAI 5', make: (url) => new AzureOpenAI5(azure(url)), change: set('deploymentName', 'other') },
  { name: 'AzureOpenAI 7, token', make: (url) => new AzureOpenAI({ ...azure(url), apiKey: undefined, azureADTokenProvider: token }) },
  { name: 'AzureOpenAI 5, token', make: (url) => new AzureOpenAI5({ ...azure(url), apiKey: undefined, azureADTokenProvider: token }) },
  { name: 'openai 7, key function', make: (url) => new OpenAI({ ...settings, apiKey: token, baseURL: url }) },
  { name: 'openai 5, key function', make: (url) => new OpenAI5({ ...settings, apiKey: token, baseURL: url }) },
  { name: 'BedrockOpenAI 7', make: (url) => new BedrockOpenAI({ ...settings, baseURL: url }), change: set('apiKey', 'second') },
  { name: 'G60 BedrockOpenAI 7, token', make: (url) => new BedrockOpenAI({ maxRetries: 0, baseURL: url, bedrockTokenProvider: token }) },
  { name: 'G60 BedrockOpenAI 6, token', make: (url) => new BedrockOpenAI6({ maxRetries: 0, baseURL: url, bedrockTokenProvider: token }) },
  {
    name: 'G60 provider of openai 7, tokens',
    make: (url) => new OpenAI({ maxRetries: 0, provider: bedrock({ baseURL: url, region: 'eu-west-3', tokenProvider: token }) }),
  },
  {
    name: 'G60 provider of openai 7, signed',
    make: (url) =>
      new OpenAI({
        maxRetries: 0,
        provider: signing(url),
      }),
  },
  {
    name: 'G60 provider of openai 7 for AWS',
    make: (url) => new OpenAI({ maxRetries: 0, provider: bedrockAws({ ...amazon, endpoint: 'runtime', baseURL: url }) }),
  },
  {
    name: 'G60 provider of openai 6 for AWS',
    make: (url) => new OpenAI6({ maxRetries: 0, provider: bedrock6({ ...amazon, baseURL: url }) }),
  },
  {
    name: 'G60 provider of openai 7 for Vertex',
    make: (url) => new OpenAI({ maxRetries: 0, provider: vertex({ baseURL: url, tokenProvider: token }) }),
  },
  {
    name: 'openai 7, workload identity',
    make: (url) => new OpenAI({ maxRetries: 0, baseURL: url, workloadIdentity: identity, fetch: exchanging }),
    change: set('organization', 'second'),
  },
  {
    name: 'openai 6, workload identity',
    make: (url) => new OpenAI6({ maxRetries: 0, baseURL: url, workloadIdentity: identity, fetch: exchanging }),
    change: set('organization', 'second'),
  },
  {
    name: 'BedrockOpenAI 6, key',
    make: (url) => new BedrockOpenAI6({ ...settings, baseURL: url }),
    change: set('apiKey', 'second'),
  },
  { name: 'AzureOpenAI 6, token', make: (url) => new AzureOpenAI6({ ...azure(url), apiKey: undefined, azureADTokenProvider: token }) },
  { name: 'openai 6, key function', make: (url) => new OpenAI6({ ...settings, apiKey: token, baseURL: url }) },
  { name: 'together-ai', make: (url) => new Together({ ...settings, baseURL: url }), change: set('apiKey', 'second') },
  {
    name: 'a subclass with a public field',
    make: (url) => new Tenant({ ...settings, baseURL: url, tenant: 'a' }),
    change: set('tenant', 'b'),
  },
  { name: 'a subclass with #private', make: (url) => new Hidden({ ...settings, baseURL: url }), change: set('apiKey', 'second') },
  { name: 'a subclass with a WeakMap', make: (url) => new Mapped(url), change: set('apiKey', 'second') },
  { name: 'an Anthropic subclass', make: (url) => new AnthropicTenant('a', url), change: set('tenant', 'b') },
  { name: 'G61 a constructor that takes nothing', make: () => new TakesNothing(), change: set('apiKey', 'second') },
  { name: 'resources of a subclass', make: (url) => new WithResources({ ...settings, baseURL: url }), change: set('apiKey', 'second') },
  { name: 'a patched method', make: (url) => patched(new OpenAI({ ...settings, baseURL: url })), change: set('apiKey', 'second') },
  { name: 'a hook of openai 7', make: (url) => hooked(new OpenAI({ ...settings, baseURL: url })), change: hooked },
  { name: 'a hook of openai 5', make: (url) => new OpenAI5({ ...settings, baseURL: url }), change: hooked },
  { name: 'a hook of Anthropic', make: (url) => hooked(new Anthropic({ ...settings, baseURL: url })), change: set('apiKey', 'second') },
  { name: 'Anthropic 1', make: (url) => new Anthropic({ ...settings, baseURL: url }), change: set('apiKey', 'second') },
  {
    name: 'Anthropic 1, token',
    make: (url) => new Anthropic({ maxRetries: 0, authToken: 't', baseURL: url }),
    change: set('authToken', 'u'),
  },
  { name: 'Anthropic 1, key function', make: (url) => new Anthropic({ maxRetries: 0, apiKey: token, baseURL: url }) },
  {
    name: 'Anthropic 1, credentials',
    make: (url) => new Anthropic({ maxRetries: 0, credentials: async () => ({ token: 'rotating', expiresAt: null }), baseURL: url }),
  },
  {
    name: 'Anthropic 1, config',
    make: (url) => new Anthropic({ maxRetries: 0, config: userConfig, baseURL: url }),
    change: set('apiKey', 'second'),
  },
  { name: 'Anthropic 1, profile', make: (url) => new Anthropic({ maxRetries: 0, profile: 'p', baseURL: url }) },
  {
    name: 'Anthropic 0.137, credentials',
    make: (url) => new Anthropic0({ maxRetries: 0, credentials: async () => ({ token: 'rotating', expiresAt: null }), baseURL: url }),
  },
  {
    name: 'Anthropic 0.137, config',
    make: (url) => new Anthropic0({ maxRetries: 0, config: userConfig, baseURL: url }),
    change: set('apiKey', 'second'),
  },
  { name: 'Anthropic 0.137, profile', make: (url) => new Anthropic0({ maxRetries: 0, profile: 'p', baseURL: url }) },
  {
    name: 'Anthropic 0.60, token',
    make: (url) => new Anthropic060({ maxRetries: 0, authToken: 't', baseURL: url }),
    change: set('authToken', 'u'),
  },
  { name: 'Anthropic 0.137', make: (url) => new Anthropic0({ ...settings, baseURL: url }), change: set('apiKey', 'second') },
  { name: 'Anthropic 0.60', make: (url) => new Anthropic060({ ...settings, baseURL: url }), change: set('apiKey', 'second') },
  {
    name: 'G03 AnthropicBedrock 1',
    make: (url) => new AnthropicBedrock({ ...aws, awsSecretKey: 's', baseURL: url }),
    change: set('awsRegion', 'eu-central-1'),
  },
  {
    name: 'G03 AnthropicBedrock 1, key',
    make: (url) => new AnthropicBedrock({ ...aws, apiKey: 'k', baseURL: url }),
    change: set('apiKey', 'l'),
  },
  {
    name: 'G03 AnthropicBedrockMantle 1',
    make: (url) => new AnthropicBedrockMantle({ ...aws, apiKey: undefined, awsSecretAccessKey: 's', baseURL: url }),
    change: set('awsAccessKey', 'AKIDOTHER'),
  },
  {
    name: 'G03 AnthropicVertex 1',
    make: (url) => new AnthropicVertex(vertexSettings(url)),
    change: set('region', 'us-east5'),
  },
  {
    name: 'G03 AnthropicFoundry 1',
    make: (url) => new AnthropicFoundry({ ...settings, baseURL: url }),
    change: set('apiKey', 'second'),
  },
  {
    name: 'G03 AnthropicFoundry 1, token',
    make: (url) => new AnthropicFoundry({ maxRetries: 0, azureADTokenProvider: token, baseURL: url }),
  },
  {
    name: 'G03 AnthropicAws 1',
    make: (url) => new AnthropicAws({ ...aws, apiKey: undefined, awsSecretAccessKey: 's', workspaceId: 'w', baseURL: url }),
    change: set('awsRegion', 'eu-central-1'),
  },
  {
    name: 'G03 AnthropicBedrock 0.36',
    make: (url) => new AnthropicBedrock036({ ...aws, apiKey: undefined, awsSecretKey: 's', baseURL: url }),
    change: set('awsRegion', 'eu-central-1'),
  },
  {
    name: 'G03 AnthropicBedrockMantle 0.36',
    make: (url) => new AnthropicBedrockMantle036({ ...aws, apiKey: undefined, awsSecretAccessKey: 's', baseURL: url }),
    change: set('awsAccessKey', 'AKIDOTHER'),
  },
  { name: 'G03 AnthropicVertex 0.22', make: (url) => new AnthropicVertex0(vertexSettings(url)), change: set('region', 'us-east5') },
  {
    name: 'G03 AnthropicFoundry 0.6',
    make: (url) => new AnthropicFoundry0({ ...settings, baseURL: url }),
    change: set('apiKey', 'second'),
  },
  {
    name: 'G03 AnthropicFoundry 0.2 with SDK 0.60',
    make: (url) => new AnthropicFoundry060({ ...settings, baseURL: url }),
    change: set('apiKey', 'second'),
  },
  {
    name: 'G03 AnthropicFoundry 0.2 with SDK 0.60, token',
    make: (url) => new AnthropicFoundry060({ maxRetries: 0, azureADTokenProvider: token, baseURL: url }),
  },
  {
    name: 'G03 AnthropicAws 0.9',
    make: (url) => new AnthropicAws0({ ...aws, apiKey: undefined, awsSecretAccessKey: 's', workspaceId: 'w', baseURL: url }),
    change: set('awsRegion', 'eu-central-1'),
  },
]

// oxlint-disable-next-line typescript/no-explicit-any -- the tests need nothing else of Google's client
function vertexClient(): any {
  return google
}

/** What reaches the wire, without what differs between two equal calls. */
function wire({ method, path, headers, body }: ProviderRequest): object {
  const { 'x-amz-date': _, date: __, ...others } = headers
  const authorization = headers.authorization?.replace(/\d{8}\/|Signature=.*/g, '')
  return { method, path, body, headers: { ...others, authorization } }
}

async function ask(client: object, options?: object, limit = 9): Promise<unknown> {
  const resource: unknown = Reflect.get(client, 'messages') ?? Reflect.get(Object(Reflect.get(client, 'chat')), 'completions')
  const params = { model: 'm', max_tokens: limit, messages: [{ role: 'user', content: 'Hi' }] }
  const create: unknown = Reflect.get(Object(resource), 'create')
  return typeof create === 'function' ? Reflect.apply(create, resource, [params, options]) : undefined
}

function wrap(client: object): object {
  return withCache(client, createCache({ logger: false }))
}

/** A copy by the client's own method, or the text of its error. */
function copyOf(client: object, options: object): object | string {
  const method: unknown = Reflect.get(client, 'withOptions')
  try {
    return typeof method === 'function' ? Object(Reflect.apply(method, client, [options])) : client
  } catch (error) {
    return String(error)
  }
}

/** What comes of a call that may take longer than the SDK waits for by default: `given`, or the error, thrown at once or later. */
async function longAnswer(client: object, options?: object): Promise<unknown> {
  try {
    await ask(client, options, 200_000)
    return 'given'
  } catch (error) {
    return String(error)
  }
}

/** What comes of long answers of a client and of its copies, with a time-out of their own and without. */
async function outcomes(client: object): Promise<unknown[]> {
  const all: unknown[] = []
  for (const options of [undefined, {}, { timeout: 9000 }]) {
    // Some old versions cannot copy some of their clients.
    const copy = options === undefined ? client : copyOf(client, options)
    if (typeof copy !== 'object') all.push(copy)
    else {
      all.push(await longAnswer(copy), await longAnswer(copy, { timeout: 9000 }))
      Reflect.set(copy, 'timeout', 9000)
      all.push(await longAnswer(copy))
    }
  }
  return all
}

function isResource(value: unknown): boolean {
  return typeof value === 'object' && value !== null && '_client' in value
}

describe('a wrapped client', () => {
  let server: ProviderServer

  beforeEach(async () => {
    server = await startProvider(({ path }, reply) =>
      reply.json(/messages|model|project/.test(path) ? message([text('Hello.')]) : completion('Hello.')),
    )
    origin = new URL(server.url).origin
  })
  afterEach(() => server.close())

  const last = (): object => wire(server.requests.at(-1) ?? { method: '', path: '', headers: {}, body: undefined })

  describe.each(cases)('G02 $name', ({ make, change = set('timeout', 9000) }) => {
    it('sends what the bare one sends, and is cached', async () => {
      const bare = make(origin)
      const before = Object.getOwnPropertyDescriptors(bare)
      const client = wrap(bare)
      await ask(bare)
      const expected = last()
      await ask(client)
      expect(last()).toStrictEqual(expected)
      expect(server.requests).toHaveLength(2)
      expect(await ask(client)).toMatchObject({ _cache: { hit: true } })
      expect(server.requests).toHaveLength(2)
      expect(Object.keys(Object.getOwnPropertyDescriptors(bare))).toEqual(Object.keys(before))
    })

    it('G20 no default of it becomes explicit: it refuses a long answer as the bare one does', async () => {
      const expected = await outcomes(make(origin))
      expect(await outcomes(wrap(make(origin)))).toEqual(expected)
      expect(String(expected[0])).toMatch(Reflect.has(make(origin), 'messages') ? /^\w*Error: Streaming is/ : /^given$/)
    })

    it('has every field of the bare one', () => {
      const bare = make(origin)
      const client = wrap(bare)
      expect(Object.keys(client).toSorted()).toEqual(Object.keys(bare).toSorted())
      const names = Object.keys(bare).filter((name) => !['fetch', 'middleware', 'beta'].includes(name))
      const resources = names.filter((name) => isResource(Reflect.get(bare, name)))
      const fields = names.filter((name) => !resources.includes(name))
      const read = (from: object): unknown[] => fields.map((name) => [name, Reflect.get(from, name)])
      expect(read(client)).toEqual(read(bare))
      for (const name of resources) {
        expect(Object.getPrototypeOf(Reflect.get(client, name))).toBe(Reflect.get(bare, name))
        expect(Reflect.get(Reflect.get(client, name), '_client')).toBe(client)
      }
      expect(Object.getPrototypeOf(client)).toBe(Object.getPrototypeOf(bare))
    })

    it('G21 a field that is set on it counts for it and for its copies, and for no other', async () => {
      const [bare, other] = [make(origin), make(origin)]
      const client = wrap(bare)
      await ask(bare)
      const first = last()
      change(other)
      change(client)
      await ask(other)
      const expected = last()
      await ask(client)
      expect(last()).toStrictEqual(expected)
      await ask(bare)
      expect(last()).toStrictEqual(first)
      const copied = async (each: object): Promise<unknown> => {
        const requests = server.requests.length
        try {
          await ask(Reflect.get(each, 'withOptions').call(each, {}), { headers: { 'x-copy': '1' } })
        } catch (error) {
          // As on the bare client: some classes cannot be copied by options.
          return failureOf(error)
        }
        return [server.requests.length - requests, last()]
      }
      expect(await copied(client)).toStrictEqual(await copied(other))
    })
  })

  it('G61 a constructor may return the wrapped client', async () => {
    const client = new WrapsItself({ ...settings, baseURL: origin })
    await ask(client)
    expect(await ask(client)).toMatchObject({ _cache: { hit: true } })
    expect(await ask(client.withOptions({ timeout: 900_000 }))).toMatchObject({ choices: [{ message: { content: 'Hello.' } }] })
  })

  it.each<[string, (given: () => Promise<string>) => object]>([
    ['openai 7', (given) => new OpenAI({ ...settings, apiKey: given, baseURL: origin })],
    ['openai 5', (given) => new OpenAI5({ ...settings, apiKey: given, baseURL: origin })],
    ['BedrockOpenAI 7', (given) => new BedrockOpenAI({ maxRetries: 0, baseURL: origin, bedrockTokenProvider: given })],
    ['BedrockOpenAI 6', (given) => new BedrockOpenAI6({ maxRetries: 0, baseURL: origin, bedrockTokenProvider: given })],
    [
      'a provider of openai 7',
      (given) =>
        new OpenAI({ maxRetries: 0, provider: bedrock({ baseURL: origin, region: 'eu-west-3', tokenProvider: async () => given() }) }),
    ],
  ])('G60 a token that is another one for each call makes no call a miss, whenever the client was wrapped: %s', async (_, make) => {
    let tokens = 0
    const bare = make(async () => `token-${++tokens}`)
    await ask(bare)
    const client = wrap(bare)
    const before = server.requests.length
    await ask(client)
    expect(await ask(client)).toMatchObject({ _cache: { hit: true } })
    expect(server.requests).toHaveLength(before + 1)
    expect(last()).toMatchObject({ headers: { authorization: 'Bearer token-2' } })
  })

  it('G60 another provider may take the place of a key that a function gives', async () => {
    const bare = new OpenAI({ ...settings, apiKey: token, baseURL: origin })
    const client = withCache(bare, createCache({ logger: false })).withOptions({ provider: signing(origin) })
    await ask(client)
    expect(await ask(client)).toMatchObject({ _cache: { hit: true } })
    expect(last()).toMatchObject({ headers: { authorization: 'AWS4-HMAC-SHA256 ' } })
  })

  it('what is private can be read, and not be set where it would not count', () => {
    const client = wrap(new Hidden({ ...settings, baseURL: origin }))
    expect(Reflect.get(client, 'tenant')).toBe('hidden')
    class Named extends OpenAI {
      name = 'a'
      readonly #secret = 's'
      protected override async prepareRequest(request: { headers: Headers }): Promise<void> {
        request.headers.set('x-tenant', this.name + this.#secret)
      }
    }
    const named = wrap(new Named({ ...settings, baseURL: origin }))
    expect(() => Reflect.set(named, 'name', 'b')).toThrow(/"name".*"prepareRequest".*#private/)
    expect(Reflect.get(named, 'name')).toBe('a')
  })

  it('a class with private members that sends requests by itself is refused', () => {
    class Sends extends OpenAI {
      readonly #model = 'm'
      ask(): unknown {
        return this.chat.completions.create({ model: this.#model, messages: [] })
      }
    }
    expect(() => wrap(new Sends({ ...settings, baseURL: origin }))).toThrow(/"ask".*#private|#private.*"ask"/)
  })

  it.each([
    [
      'AnthropicBedrock 0.26',
      () => new AnthropicBedrock0({ ...settings, awsRegion: 'eu-west-3', baseURL: origin }),
      /bedrock-sdk from 0\.33/,
    ],
    [
      'AnthropicBedrock 0.22 with SDK 0.60',
      () => new AnthropicBedrock060({ awsRegion: 'eu-west-3', baseURL: origin }),
      /bedrock-sdk from 0\.33/,
    ],
    ['AnthropicVertex 0.12 with SDK 0.60', () => new AnthropicVertex060(vertexSettings(origin)), /vertex-sdk from 0\.20/],
  ])('G03 %s rewrites its calls before the cache sees them, and is refused', (_, make, needed) => {
    expect(() => wrap(make())).toThrow(needed)
  })

  it('a client whose SDK calls a transport of its own, with a certificate, is refused', async () => {
    const dispatcher = new Agent()
    const x509Transport = createX509Transport({ runtime: 'node', dispatcher, certificateIdentity: 'static', proxy: 'direct' })
    const workloadIdentity = { type: 'x509' as const, identityProviderId: 'i', serviceAccountId: 's' }
    expect(() => wrap(new OpenAI({ workloadIdentity, x509Transport }))).toThrow(/certificate.*`fetch`/s)
    const client = withCache(new OpenAI({ ...settings, baseURL: origin }), createCache({ logger: false }))
    expect(() => client.withOptions({ workloadIdentity, x509Transport, apiKey: null, baseURL: null })).toThrow(/certificate.*`fetch`/s)
    await dispatcher.close()
  })

  it('G03 a hook below the signature of a client for another cloud is refused', () => {
    const client = hooked(new AnthropicBedrock({ ...aws, awsSecretKey: 's', baseURL: origin }))
    expect(() => wrap(client)).toThrow(/"prepareRequest".*middleware/s)
  })

  it.each([
    ['openai 7', (fetch: typeof globalThis.fetch) => new OpenAI({ ...settings, fetch, baseURL: origin })],
    ['openai 6', (fetch: typeof globalThis.fetch) => new OpenAI6({ ...settings, fetch, baseURL: origin })],
    ['openai 5', (fetch: typeof globalThis.fetch) => new OpenAI5({ ...settings, fetch, baseURL: origin })],
    ['Anthropic 1', (fetch: typeof globalThis.fetch) => new Anthropic({ ...settings, fetch, baseURL: origin })],
    ['Anthropic 0.137', (fetch: typeof globalThis.fetch) => new Anthropic0({ ...settings, fetch, baseURL: origin })],
    ['Anthropic 0.60', (fetch: typeof globalThis.fetch) => new Anthropic060({ ...settings, fetch, baseURL: origin })],
  ])('G59 the fetch of %s has the members of the given one', (_, make) => {
    const given = Object.assign(async (...request: Parameters<typeof fetch>) => fetch(...request), { Response, mine: 1 })
    expect(Object.entries(Object(Reflect.get(wrap(make(given)), 'fetch')))).toEqual([
      ['Response', Response],
      ['mine', 1],
    ])
  })

  it.each([
    ['openai 7', Own7],
    ['openai 6', Own6],
    ['openai 5', Own5],
    ['Anthropic 1', OwnAnthropic1],
    ['Anthropic 0.137', OwnAnthropic0],
    ['Anthropic 0.60', OwnAnthropic060],
  ])('G61 a class of %s may have parameters of its own, and may return the wrapped client', async (_, Own) => {
    for (const client of [wrap(new Own('plain')), new Own('wrapped'), wrap(new Own('wrapped'))]) {
      const before = server.requests.length
      await ask(client)
      expect(await ask(client)).toMatchObject({ _cache: { hit: true } })
      expect(server.requests).toHaveLength(before + 1)
      expect(client).toBeInstanceOf(Own)
      expect(Reflect.get(client, 'kind')).toMatch(/plain|wrapped/)
    }
  })
})
