/**
 * The OpenAI SDKs that are supported, as the tests use them: each by the same narrow type, as their own types do not mix.
 * @module
 */
import OpenAI, { AzureOpenAI } from 'openai'
import OpenAI5, { AzureOpenAI as AzureOpenAI5 } from 'openai5'
import OpenAI6, { AzureOpenAI as AzureOpenAI6 } from 'openai6'

/** What a client of any major version can do, as far as the tests that run over all of them need it. */
export interface SdkClient {
  readonly chat: { readonly completions: SdkResource & { stream(body: object, options?: object): SdkHelper } }
  readonly completions: SdkResource
  readonly embeddings: SdkResource
  readonly responses: SdkResource & { stream(body: object, options?: object): SdkHelper }
}

interface SdkResource {
  create(body: object, options?: object): SdkPromise
}

/** The promise of an answer, and the response that it is in. */
export interface SdkPromise extends PromiseLike<unknown> {
  asResponse(): Promise<Response>
  withResponse(): Promise<{ readonly data: unknown; readonly response: Response; readonly request_id: string | null }>
}

/** A stream helper of either kind. */
interface SdkHelper {
  finalChatCompletion?(): Promise<object>
  finalResponse?(): Promise<object>
}

/** How a client is made. */
export interface SdkOptions {
  /** The base URL of the provider. */
  readonly url: string
  /** @default 'test-key' */
  readonly apiKey?: string | (() => Promise<string>)
  /** @default 0 */
  readonly maxRetries?: number
  /** The deployment of an Azure client. @default the model of each call */
  readonly deployment?: string
  /** What gives an Azure client its token, in place of a key. */
  readonly tokenProvider?: () => Promise<string>
  /** Options for every `fetch`. With some, a wrapped client takes the documented way only. @default none */
  readonly fetchOptions?: { readonly redirect: 'follow' }
  /** What asks the provider. @default the global fetch */
  readonly fetch?: typeof fetch
}

/** One SDK, or one kind of client of it. */
export interface Sdk {
  readonly name: string
  readonly make: (options: SdkOptions) => SdkClient
}

const settings = ({ url, apiKey = 'test-key', maxRetries = 0, fetchOptions, fetch }: SdkOptions) => ({
  ...(fetch !== undefined && { fetch }),
  ...(fetchOptions !== undefined && { fetchOptions }),
  baseURL: url,
  apiKey,
  maxRetries,
  logLevel: 'off' as const,
})

/** An Azure client builds its own path of a deployment upon the endpoint. */
const azureSettings = ({ url, apiKey = 'test-key', maxRetries = 0, deployment, tokenProvider, fetch }: SdkOptions) => ({
  ...(fetch !== undefined && { fetch }),
  ...(deployment !== undefined && { deployment }),
  ...(tokenProvider !== undefined ? { azureADTokenProvider: tokenProvider } : typeof apiKey === 'string' && { apiKey }),
  endpoint: new URL(url).origin,
  apiVersion: '2024-10-21',
  maxRetries,
  logLevel: 'off' as const,
})

/** The OpenAI client of each major version. */
export const sdks: readonly Sdk[] = [
  { name: 'openai 7', make: (options) => new OpenAI(settings(options)) },
  { name: 'openai 6', make: (options) => new OpenAI6(settings(options)) },
  { name: 'openai 5', make: (options) => new OpenAI5(settings(options)) },
]

/** The Azure client of each major version. */
export const azureSdks: readonly Sdk[] = [
  { name: 'AzureOpenAI of openai 7', make: (options) => new AzureOpenAI(azureSettings(options)) },
  { name: 'AzureOpenAI of openai 6', make: (options) => new AzureOpenAI6(azureSettings(options)) },
  { name: 'AzureOpenAI of openai 5', make: (options) => new AzureOpenAI5(azureSettings(options)) },
]

/** The same SDK, off the fast lane. */
export function offLane({ name, make }: Sdk): Sdk {
  return { name: `${name}, off the fast lane`, make: (options) => make({ ...options, fetchOptions: { redirect: 'follow' } }) }
}
