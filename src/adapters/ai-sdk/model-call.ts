/**
 * A call of a model of the AI SDK as the cache sees it: who is asked for what, by which credential, and with which options.
 * @module
 */
import type { CallOptions } from '../../call.ts'
import type { OriginCall } from '../../cache/cache.ts'
import { isContinued } from './containers.ts'
import { type CallParams, comesLater, hasMembers, membersOf, type Members, type NamedModel } from './contract.ts'
import { type MadeWith, madeWith, partsOf, type ShownParts } from './made-with.ts'

/** Headers that hold a credential, in lower case. */
const credentialHeaders = ['authorization', 'api-key', 'x-api-key', 'x-goog-api-key', 'openai-organization', 'openai-project', 'cookie']

/** How the providers of the AI SDK are called elsewhere, and in the price table. Others have the same name. */
const names: Readonly<Record<string, string>> = { 'amazon-bedrock': 'aws-bedrock', bedrock: 'aws-bedrock', vertex: 'google' }

/** A call, but for the rules of its answers. */
export type ModelCall = Pick<
  OriginCall,
  'provider' | 'request' | 'model' | 'origin' | 'headers' | 'credential' | 'signal' | 'defaults' | keyof CallOptions
>

/** The call of `model` with `params`, over the middleware's own options. A promise only if the model's own headers are one. */
export function modelCall(model: NamedModel, params: CallParams, defaults: CallOptions): ModelCall | Promise<ModelCall> {
  const shown = partsOf(model)
  const own = headersOf(shown.config)
  const asked = { params, defaults, shown }
  if (!(own instanceof Promise)) return callWith(model, own, { ...asked, rotated: [] })
  // A function that gives headers later may fetch a token, which changes by itself and is no static credential.
  return own.then(
    (headers: unknown) => callWith(model, namedIn(headers), { ...asked, rotated: ['authorization'] }),
    () => callWith(model, {}, { ...asked, rotated: [] }),
  )
}

interface AskedCall {
  readonly params: CallParams
  readonly defaults: CallOptions
  readonly shown: ShownParts
  /** Headers of the model that change by themselves. */
  readonly rotated: readonly string[]
}

/** @param own the headers of all calls of the model */
function callWith(model: NamedModel, own: Members, { params, defaults, shown, rotated }: AskedCall): ModelCall {
  const { abortSignal, headers: given = {}, includeRawChunks, providerOptions, ...asked } = sentParams(params)
  const [name = ''] = model.provider.split('.')
  const lasting = inLowerCase(own)
  for (const each of rotated) lasting.delete(each)
  const sent = new Map([...lasting, ...inLowerCase(namedIn(given))])
  const { made, secrets, isTooDeep } = madeWith(shown)
  const credential = credentialIn(sent, secrets)
  const origin = originOf(model, shown.config)
  return {
    provider: names[name] ?? name,
    model: model.modelId,
    request: { provider: model.provider, ...asked, ...optionsOfProvider(providerOptions), ...(made !== undefined && { made }) },
    headers: Object.fromEntries([...sent].map(([header, value]) => [header, typeof value === 'string' ? value : undefined])),
    signal: abortSignal,
    defaults,
    ...(credential !== '' && { credential }),
    ...(typeof origin === 'string' && { origin }),
    ...optionsIn(params),
    // The provider's own chunks are not stored, so a stored answer is no answer to this call. Nor is one that was continued from elsewhere, or
    // that may be another server's.
    ...((includeRawChunks === true || isTooDeep || origin === later || isContinued(params)) && { mode: 'no-store' }),
  }
}

/** The options for providers, in a request that is keyed: none of them is the same as no options at all. */
function optionsOfProvider(options: CallParams['providerOptions']): Pick<CallParams, 'providerOptions'> {
  const isGiven = Object.values(options ?? {}).some((each) => each !== undefined)
  return isGiven && options !== undefined ? { providerOptions: options } : {}
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
  // Models of images need an object, though it be empty.
  return { ...params, providerOptions: others }
}

/** An address that is a promise: which it is, is known only when the call is made. */
const later = Symbol('later')

/** The base URL, so that two servers under one name do not answer for each other; `undefined` if the model does not show it. */
function originOf(model: NamedModel, { baseURL, baseUrl = baseURL, url }: Members): string | typeof later | undefined {
  const own = typeof url === 'function' ? addressIn(url, { path: '', modelId: model.modelId }) : undefined
  if (own !== undefined) return own
  const shown = [addressIn(baseUrl), typeof url === 'function' ? undefined : addressIn(url)].filter((each) => each !== undefined)
  if (shown.includes(later)) return later
  return shown.length === 0 ? undefined : shown.join(' ')
}

/** An address, or what a function gives for one. */
function addressIn(value: unknown, ...given: readonly unknown[]): string | typeof later | undefined {
  try {
    const found: unknown = typeof value === 'function' ? Reflect.apply(value, undefined, given) : value
    if (comesLater(found)) {
      // The model asks for it itself, and tells of its failure.
      void Promise.resolve(found).catch(() => undefined)
      return later
    }
    return typeof found === 'string' ? found : found instanceof URL ? found.href : undefined
  } catch {
    return undefined
  }
}

/** The headers of all calls of a model. */
function headersOf({ headers }: Members): Members | Promise<unknown> {
  try {
    const given: unknown = typeof headers === 'function' ? Reflect.apply(headers, undefined, []) : headers
    return comesLater(given) ? Promise.resolve(given) : namedIn(given)
  } catch {
    // Without an API key the SDK throws here. The call itself will say so, if the provider is asked at all.
    return {}
  }
}

/** Headers of any form: an object, a `Headers`, a map, or pairs. */
function namedIn(headers: unknown): Members {
  if (typeof headers !== 'object' || headers === null || !(Symbol.iterator in headers)) return membersOf(headers)
  const pairs: readonly unknown[] = Array.from(Object(headers))
  return Object.fromEntries(pairs.filter(isPair))
}

function isPair(value: unknown): value is readonly [string, unknown] {
  return Array.isArray(value) && typeof value[0] === 'string'
}

function inLowerCase(headers: Members): Map<string, unknown> {
  const given = Object.entries(headers).filter(([, value]) => value !== undefined)
  return new Map(given.map(([name, value]) => [name.toLowerCase(), value]))
}

function credentialIn(headers: ReadonlyMap<string, unknown>, secrets: MadeWith['secrets']): string {
  const found: unknown[] = credentialHeaders.map((name) => headers.get(name) ?? null)
  if (secrets.length > 0) found.push(...secrets)
  return found.every((value) => value === null) ? '' : JSON.stringify(found)
}

/** The answer of a model, with the cache facts in its metadata. */
export function withFacts(answer: Members, facts: Members): Members {
  const { providerMetadata } = answer
  return { ...answer, providerMetadata: { ...(hasMembers(providerMetadata) ? providerMetadata : {}), llmemo: facts } }
}
