/**
 * A call of a model of the AI SDK as the cache sees it: who is asked for what, by which credential, and with which options.
 * @module
 */
import type { CallOptions } from '../../call.ts'
import type { OriginCall } from '../../cache/cache.ts'
import { type CallParams, hasMembers, membersOf, type Members, type NamedModel } from './contract.ts'

/** Headers that hold a credential, in lower case. */
const credentialHeaders = ['authorization', 'api-key', 'x-api-key', 'x-goog-api-key', 'openai-organization', 'openai-project']

/** How the providers of the AI SDK are called elsewhere, and in the price table. Others have the same name. */
const names: Readonly<Record<string, string>> = { 'amazon-bedrock': 'aws-bedrock', bedrock: 'aws-bedrock', vertex: 'google' }

/** A call, but for the rules of its answers. */
export type ModelCall = Pick<
  OriginCall,
  'provider' | 'request' | 'model' | 'origin' | 'headers' | 'credential' | 'signal' | 'defaults' | keyof CallOptions
>

/** The call of `model` with `params`, over the middleware's own options. */
export function modelCall(model: NamedModel, params: CallParams, defaults: CallOptions): ModelCall {
  const { abortSignal, headers = {}, includeRawChunks, ...asked } = sentParams(params)
  const [name = ''] = model.provider.split('.')
  const own = ownHeaders(model)
  const credential = credentialIn({ ...own, ...headers })
  const origin = originOf(model)
  return {
    provider: names[name] ?? name,
    model: model.modelId,
    request: { provider: model.provider, ...asked },
    headers,
    signal: abortSignal,
    defaults,
    ...(credential !== '' && { credential }),
    ...(origin !== undefined && { origin }),
    ...optionsIn(params),
    // The provider's own chunks are not stored, so a stored answer is no answer to this call.
    ...(includeRawChunks === true && { mode: 'no-store' }),
  }
}

/** The cache options of a call. */
function optionsIn({ providerOptions }: CallParams): CallOptions {
  return { ...providerOptions?.['llmemo'] }
}

/** What is sent: the cache options are not for the provider. */
export function sentParams<Params extends CallParams>(params: Params): Params {
  const { providerOptions } = params
  if (providerOptions?.['llmemo'] === undefined) return params
  const { llmemo: _, ...others } = providerOptions
  return { ...params, providerOptions: Object.keys(others).length === 0 ? undefined : others }
}

/** The configuration that the SDK's own models have. Models of others may have none. */
function configOf(model: NamedModel): Members {
  return membersOf(Reflect.get(model, 'config'))
}

/** The base URL, so that two servers under one name do not answer for each other; `undefined` if the model does not show it. */
function originOf(model: NamedModel): string | undefined {
  const { baseURL, url } = configOf(model)
  try {
    const found: unknown = typeof url === 'function' ? url({ path: '', modelId: model.modelId }) : baseURL
    return typeof found === 'string' ? found : undefined
  } catch {
    return undefined
  }
}

/** The headers of all calls of a model. What a function gives only later may change by itself, and is no static credential. */
function ownHeaders(model: NamedModel): Members {
  const { headers } = configOf(model)
  try {
    const given: unknown = typeof headers === 'function' ? headers() : headers
    if (!(given instanceof Promise)) return membersOf(given)
    given.catch(() => undefined)
  } catch {
    // Without an API key the SDK throws here. The call itself will say so, if the provider is asked at all.
  }
  return {}
}

function credentialIn(headers: Members): string {
  const values = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  const found = credentialHeaders.map((name) => values.get(name) ?? null)
  return found.every((value) => value === null) ? '' : JSON.stringify(found)
}

/** The answer of a model, with the cache facts in its metadata. */
export function withFacts(answer: Members, facts: Members): Members {
  const { providerMetadata } = answer
  return { ...answer, providerMetadata: { ...(hasMembers(providerMetadata) ? providerMetadata : {}), llmemo: facts } }
}
