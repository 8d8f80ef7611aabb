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
  /** Its name in the price table of `@pydantic/genai-prices`. */
  readonly priceTableName: string
  /** Whether other companies serve the same protocol on hosts of their own. The price table is then searched by the host first. */
  readonly hasOtherHosts: boolean
  /** How a client of its SDK is recognised. */
  readonly client: ClientShape
}

/** The shape of an SDK's client. Class names are no help: bundlers rename classes, and two copies of a package may be loaded. */
export interface ClientShape {
  /** Methods that the client has, by their paths: `chat.completions.create`. */
  readonly methods: readonly string[]
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

/** Every provider that is known. */
export const providers: readonly Provider[] = [openai, anthropic, bedrock, gemini]

/** The provider of that name, or `undefined`. */
export function providerNamed(name: string): Provider | undefined {
  return providers.find((each) => each.name === name)
}

/** Whether `client` has the shape of a client of that provider's SDK. */
export function isClientOf(name: string, client: object): boolean {
  const shape = providerNamed(name)?.client
  if (shape === undefined || !shape.methods.every((path) => typeof memberAt(client, path) === 'function')) return false
  return shape.serviceId === undefined || memberAt(client, 'config.serviceId') === shape.serviceId
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

/** The provider whose protocol an address may be of, by the path in it. */
export function protocolProvider(path: string): Provider | undefined {
  return withProtocol.find(({ protocol }) => protocol?.path.test(path) === true)
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
