/**
 * All that is known of each provider, in one table. To add a provider, add a folder with its endpoints and a row here.
 * @module
 */
import { anthropicEndpoints } from './anthropic/endpoints.ts'
import { bedrockEndpoints } from './bedrock/endpoints.ts'
import type { Endpoint } from './endpoint.ts'
import { openaiEndpoints } from './openai/endpoints.ts'
import type { LazyProtocol, Protocol } from './protocol.ts'

/** What is known of one provider. */
export interface Provider {
  /** Its name in keys, entries and statistics: `openai`. */
  readonly name: string
  /** Its name in messages to people: `OpenAI`. */
  readonly title: string
  /** Every endpoint that is cached and known at once. A call to any other endpoint passes through. */
  readonly endpoints: readonly Endpoint[]
  /** Whether the path of a URL names the endpoint, so that calls go through a `fetch`. */
  readonly overFetch: boolean
  /** Its calls over `fetch` that are more than a path and a body. Its code is loaded with the first of them. @default there are none */
  readonly protocol?: LazyProtocol
  /** The base URL that a client uses unless its user sets another; `undefined` if there is no such URL. */
  readonly origin: string | undefined
  /**
   * The hosts of the provider itself, and of clouds that serve its models under its protocol; `*` stands for one name between dots, or a part
   * of it. Only there the ignored fields of its endpoints are ignored, as a gateway under another host may route by them.
   */
  readonly hosts: readonly string[]
  /**
   * Request headers that hold the credential, in lower case. They make the default scope.
   * Their number and order are part of its digest: a new name makes the entries of all default scopes unreachable.
   */
  readonly credentialHeaders: readonly string[]
  /** Headers of an answer over `fetch` that are stored with it, in lower case. */
  readonly keptHeaders: readonly string[]
  /** Its name in the price table of `@pydantic/genai-prices`; `undefined` if that has no prices of it. */
  readonly priceTableName: string | undefined
  /** Whether other companies serve the same protocol on hosts of their own. The price table is then searched by the host first. */
  readonly hasOtherHosts: boolean
  /** How a client of its SDK is recognised; `undefined` if `withCache` knows none. */
  readonly client: ClientShape | undefined
}

/** The shape of an SDK's client. Class names are no help: bundlers rename classes, and two copies of a package may be loaded. */
export interface ClientShape {
  /** Methods that the client has, by their paths: `chat.completions.create`. */
  readonly methods: readonly string[]
  /** Members that it has not, as those of another version. @default not compared */
  readonly lacks?: readonly string[]
  /** The `serviceId` in the client's configuration. @default not compared */
  readonly serviceId?: string
}

const bedrockHosts = ['bedrock-runtime', 'bedrock-runtime-fips', 'bedrock-mantle', '*.bedrock-runtime'].flatMap((service) =>
  ['amazonaws.com', 'amazonaws.com.cn', 'api.aws', 'vpce.amazonaws.com'].map((domain) => `${service}.*.${domain}`),
)

const openai: Provider = {
  name: 'openai',
  title: 'OpenAI',
  endpoints: openaiEndpoints,
  overFetch: true,
  origin: 'https://api.openai.com/v1',
  hosts: ['api.openai.com', '*.api.openai.com', '*.openai.azure.com', '*.cognitiveservices.azure.com', '*.services.ai.azure.com'],
  // With those of other servers of this protocol: Azure's `api-key`, Google's `x-goog-api-key`, the cookie of a proxy with a log-in.
  credentialHeaders: ['authorization', 'api-key', 'x-api-key', 'x-goog-api-key', 'openai-organization', 'openai-project', 'cookie'],
  // `apim-request-id` is Azure's.
  keptHeaders: ['openai-version', 'x-request-id', 'apim-request-id'],
  priceTableName: 'openai',
  hasOtherHosts: true,
  client: { methods: ['chat.completions.create', 'embeddings.create', 'withOptions', 'post', 'fetch'] },
}

const anthropic: Provider = {
  name: 'anthropic',
  title: 'Anthropic',
  endpoints: anthropicEndpoints,
  overFetch: true,
  origin: 'https://api.anthropic.com',
  hosts: ['api.anthropic.com', '*.services.ai.azure.com', '*-aiplatform.googleapis.com', 'aiplatform.googleapis.com', ...bedrockHosts],
  credentialHeaders: ['x-api-key', 'authorization'],
  keptHeaders: ['request-id', 'anthropic-workspace-id'],
  priceTableName: 'anthropic',
  hasOtherHosts: false,
  client: { methods: ['messages.create', 'messages.stream', 'withOptions', 'post', 'fetch'] },
}

const bedrock: Provider = {
  name: 'aws-bedrock',
  title: 'AWS Bedrock',
  endpoints: bedrockEndpoints,
  overFetch: false,
  protocol: {
    path: /\/model\/[^/]+\/(?:converse(?:-stream)?|invoke(?:-with-response-stream)?)$/,
    operations: [],
    load: async () => (await import('./bedrock/protocol.ts')).bedrockProtocol,
  },
  origin: undefined,
  hosts: bedrockHosts,
  // With the SDK, the cache answers before a request is signed. Its credentials change by themselves.
  credentialHeaders: [],
  keptHeaders: ['x-amzn-requestid'],
  priceTableName: 'aws',
  hasOtherHosts: false,
  client: { methods: ['send', 'middlewareStack.clone'], serviceId: 'Bedrock Runtime' },
}

const gemini: Provider = {
  name: 'gemini',
  title: 'Gemini',
  endpoints: [],
  overFetch: true,
  protocol: {
    path: /:(?:generateContent|streamGenerateContent|embedContent|batchEmbedContents|countTokens|rawPredict|streamRawPredict)$/,
    operations: ['chat', 'embeddings', 'count_tokens'],
    load: async () => (await import('./gemini/protocol.ts')).geminiProtocol,
  },
  origin: 'https://generativelanguage.googleapis.com/v1beta',
  hosts: [
    'generativelanguage.googleapis.com',
    'aiplatform.googleapis.com',
    '*-aiplatform.googleapis.com',
    'aiplatform.*.rep.googleapis.com',
  ],
  credentialHeaders: ['x-goog-api-key', 'authorization'],
  keptHeaders: [],
  priceTableName: 'google',
  hasOtherHosts: false,
  client: { methods: ['models.generateContent', 'models.generateContentStream', 'models.embedContent', 'chats.create'] },
}

/** A provider whose calls all go through a `fetch`, with a bearer token, and whose SDK has no client of its own here. */
const plain = {
  endpoints: [],
  overFetch: true,
  credentialHeaders: ['authorization'],
  keptHeaders: [],
  hasOtherHosts: true,
  client: undefined,
} as const

const ollama: Provider = {
  ...plain,
  name: 'ollama',
  title: 'Ollama',
  protocol: {
    path: /\/api\/(?:chat|generate|embed)$/,
    operations: ['chat', 'completions', 'embeddings'],
    load: async () => (await import('./ollama/protocol.ts')).ollamaProtocol,
  },
  origin: 'http://127.0.0.1:11434',
  hosts: ['ollama.com'],
  priceTableName: undefined,
}

const voyage: Provider = {
  ...plain,
  name: 'voyage',
  title: 'Voyage',
  protocol: {
    path: /\/rerank$/,
    operations: ['rerank'],
    load: async () => (await import('./voyage/protocol.ts')).voyageProtocol,
  },
  origin: 'https://api.voyageai.com',
  hosts: ['api.voyageai.com'],
  priceTableName: 'voyageai',
}

const jina: Provider = {
  ...plain,
  name: 'jina',
  title: 'Jina',
  protocol: {
    path: /\/rerank$/,
    operations: ['rerank'],
    load: async () => (await import('./jina/protocol.ts')).jinaProtocol,
  },
  origin: 'https://api.jina.ai',
  hosts: ['api.jina.ai'],
  priceTableName: undefined,
}

const mistral: Provider = {
  ...plain,
  name: 'mistral',
  title: 'Mistral',
  protocol: {
    path: /\/fim\/completions$/,
    operations: ['completions'],
    load: async () => (await import('./mistral/protocol.ts')).mistralProtocol,
  },
  origin: 'https://api.mistral.ai/v1',
  hosts: ['api.mistral.ai', 'codestral.mistral.ai'],
  priceTableName: 'mistral',
}

const cohere: Provider = {
  ...plain,
  name: 'cohere',
  title: 'Cohere',
  protocol: {
    path: /\/(?:v2\/(?:chat|embed)|rerank)$/,
    operations: ['chat', 'embeddings', 'rerank'],
    load: async () => (await import('./cohere/protocol.ts')).cohereProtocol,
  },
  origin: 'https://api.cohere.com',
  hosts: ['api.cohere.com', 'api.cohere.ai'],
  priceTableName: 'cohere',
}

/** Every provider that is known. */
export const providers: readonly Provider[] = [openai, anthropic, bedrock, gemini, ollama, voyage, jina, mistral, cohere]

/** The provider of that name, or `undefined`. */
export function providerNamed(name: string): Provider | undefined {
  return providers.find((each) => each.name === name)
}

/** Whether `client` has the shape of a client of that provider's SDK. */
export function isClientOf(name: string, client: object): boolean {
  const shape = providerNamed(name)?.client
  return shape !== undefined && hasShape(client, shape)
}

/** Whether `client` has this shape. */
export function hasShape(client: object, { methods, lacks = [], serviceId }: ClientShape): boolean {
  if (!methods.every((path) => typeof memberAt(client, path) === 'function') || lacks.some((name) => name in client)) return false
  return serviceId === undefined || memberAt(client, 'config.serviceId') === serviceId
}

/** The member of `object` at a path such as `chat.completions.create`. */
function memberAt(object: object, path: string): unknown {
  let value: unknown = object
  for (const name of path.split('.')) value = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
  return value
}

const loadedProtocols = new Map<string, Protocol>()

/** The protocol of a provider, loaded; `undefined` if it has none. */
export async function protocolOf({ name, protocol }: Provider): Promise<Protocol | undefined> {
  const known = loadedProtocols.get(name)
  if (known !== undefined || protocol === undefined) return known
  const loaded = await protocol.load()
  loadedProtocols.set(name, loaded)
  return loaded
}

/** The endpoints of a provider: all of them once its protocol is loaded. */
export function endpointsOf({ name, endpoints }: Provider): readonly Endpoint[] {
  const protocol = loadedProtocols.get(name)
  return protocol === undefined ? endpoints : [...endpoints, ...protocol.endpoints]
}

/** The operations of a provider's endpoints, loaded or not. */
export function operationsOf({ endpoints, protocol }: Provider): readonly string[] {
  return [...endpoints.map(({ operation }) => operation), ...(protocol?.operations ?? [])]
}

/** The providers whose protocols an address may be of, by the path in it. They are to be asked in their order. */
export function protocolProviders(path: string): readonly Provider[] {
  return withProtocol.filter(({ protocol }) => protocol?.path.test(path) === true)
}

const withProtocol = providers.filter(({ protocol }) => protocol !== undefined)

/** The longest path first, as the path of one endpoint may end like another's. */
const endpointsOverFetch = providers
  .filter((provider) => provider.overFetch)
  .flatMap(({ endpoints }) => endpoints)
  .toSorted((first, second) => second.path.length - first.path.length)

/** The endpoint that a URL's path ends with, or `undefined` if no provider has one over `fetch`. */
export function endpointOfPath(path: string): Endpoint | undefined {
  return endpointsOverFetch.find((each) => path.endsWith(each.path))
}
