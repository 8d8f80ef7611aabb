/**
 * The Anthropic SDKs that are supported, as the tests use them: each by the same narrow type, as their own types do not mix.
 * @module
 */
import Anthropic from '@anthropic-ai/sdk'
import Anthropic0 from 'anthropic0'
import Anthropic060 from 'anthropic060'

/** What a client of any version can do, as far as the tests that run over all of them need it. */
export interface SdkClient {
  readonly messages: SdkMessages
  readonly beta: { readonly messages: SdkMessages }
}

/** The promise of an answer, and the response that it is in. */
export interface SdkPromise extends PromiseLike<unknown> {
  asResponse(): Promise<Response>
  withResponse(): Promise<{ readonly data: unknown; readonly response: Response; readonly request_id?: string | null | undefined }>
}

/** Messages of either kind. */
export interface SdkMessages {
  create(body: object, options?: object): SdkPromise
  stream(body: object, options?: object): { finalMessage(): Promise<object> }
}

/** How a client is made. */
export interface SdkOptions {
  /** The base URL of the provider, with its version as the test server names it. */
  readonly url: string
  /** @default 0 */
  readonly maxRetries?: number
  /** Options for every `fetch`. With some, a wrapped client takes the documented way only. @default none */
  readonly fetchOptions?: { readonly redirect: 'follow' }
  /** What asks the provider. @default the global fetch */
  readonly fetch?: typeof fetch
}

/** One SDK. */
export interface Sdk {
  readonly name: string
  readonly make: (options: SdkOptions) => SdkClient
}

/** Anthropic's base URL ends before the version. No environment and no profile of the machine may take part. */
const settings = ({ url, maxRetries = 0, fetchOptions, fetch }: SdkOptions) => ({
  ...(fetch !== undefined && { fetch }),
  ...(fetchOptions !== undefined && { fetchOptions }),
  baseURL: new URL(url).origin,
  apiKey: 'test-key',
  authToken: null,
  maxRetries,
  logLevel: 'off' as const,
})

/** The client of each version that differs at the seam: with a middleware, before 1.0 too, and without. */
export const sdks: readonly Sdk[] = [
  { name: '@anthropic-ai/sdk 1', make: (options) => new Anthropic(settings(options)) },
  { name: '@anthropic-ai/sdk 0.137', make: (options) => new Anthropic0(settings(options)) },
  { name: '@anthropic-ai/sdk 0.60', make: (options) => new Anthropic060(settings(options)) },
]

/** The same SDK, off the fast lane. */
export function offLane({ name, make }: Sdk): Sdk {
  return { name: `${name}, off the fast lane`, make: (options) => make({ ...options, fetchOptions: { redirect: 'follow' } }) }
}
