/**
 * Where the answer to a call comes from: the endpoint and the region that the SDK resolves for this very call. Both are part of the key.
 * They may change from call to call, as the caller may give functions for them and may change the configuration.
 *
 * The SDK's own middleware is asked the first time. Its answer shows whether the faster way, which reads the same members of the
 * configuration, is right for this version of the SDK. The faster way then holds while the configuration has the same members.
 * Source: `getEndpointFromInstructions` of https://github.com/smithy-lang/smithy-typescript/tree/main/packages/middleware-endpoint
 * @module
 */
import { isJsonObject, type JsonObject } from '../../json/object.ts'
import type { ExecutionContext, Middleware, MiddlewareStack } from './sdk-client.ts'

/** The SDK's name for its middleware that resolves the endpoint of a call. */
const endpointMiddleware = 'endpointV2Middleware'

/** The members of the configuration that decide about the endpoint. */
const members = [
  'region',
  'endpoint',
  'isCustomEndpoint',
  'ignoreConfiguredEndpointUrls',
  'serviceConfiguredEndpoint',
  'endpointProvider',
  'useFipsEndpoint',
  'useDualstackEndpoint',
] as const

type Member = (typeof members)[number]
type Config = Readonly<Record<Member, unknown>>

/** The origin of one call. */
export interface Origin {
  /** The endpoint and the region as one text, for the key. */
  readonly text: string
  /** The endpoint's address. */
  readonly href: string
  readonly region: string
  /** Whether the endpoint adds no header to a request. */
  readonly isBare: boolean
}

/** The origins of one client's calls. */
export class Origins {
  /** The members of the configuration for which the faster way was right. */
  #known: Config | undefined
  /** What was found last: most calls of a client go to one place. */
  #last: Origin | undefined

  /** The origin of a call by the faster way; `undefined` if that way is not known to be right. The promise rejects if there is no region. */
  quick(config: object): Promise<Origin> | undefined {
    return this.#known !== undefined && isSame(this.#known, config) ? this.#quickOrigin(config) : undefined
  }

  async #quickOrigin(config: object): Promise<Origin> {
    const own = isOwnEndpoint(config)
    const isAsked = !own && Reflect.get(config, 'ignoreConfiguredEndpointUrls') !== true
    // One after the other, as the SDK asks them. To wait for all together takes three times as long, and each hit does it.
    const region = await valueOf(config, 'region')
    const endpoint = await (own ? valueOf(config, 'endpoint') : isAsked ? valueOf(config, 'serviceConfiguredEndpoint') : undefined)
    const fips = await valueOf(config, 'useFipsEndpoint')
    const dualstack = await valueOf(config, 'useDualstackEndpoint')
    const provider: unknown = Reflect.get(config, 'endpointProvider')
    if (typeof provider !== 'function') throw new TypeError('the configuration has no endpointProvider')
    const address = typeof endpoint === 'string' ? endpoint : addressOf(endpoint)
    const given = { Endpoint: address, Region: region, UseFIPS: fips, UseDualStack: dualstack }
    const resolved: unknown = Reflect.apply(provider, config, [given, {}])
    const headers = isJsonObject(endpoint) ? endpoint['headers'] : undefined
    this.#last = originOf(resolved, { region, headers, last: this.#last })
    return this.#last
  }

  /**
   * The origin of a call. It is `undefined` if the SDK cannot resolve one: the call then goes on to the SDK, whose error says what to do.
   * @param stack the command's own stack, to which the SDK has added its middleware
   */
  async find(config: object, stack: MiddlewareStack, input: JsonObject): Promise<Origin | undefined> {
    try {
      const quick = this.quick(config)
      if (quick !== undefined) return await quick
      const before = membersOf(config)
      const endpoint = await endpointBySdk(stack, input)
      if (endpoint === undefined) return await this.#quickOrigin(config)
      const origin = originOf(endpoint, { region: await valueOf(config, 'region') })
      // Without this member, only the SDK's own middleware knows an endpoint that the environment sets.
      const isComplete = typeof before.serviceConfiguredEndpoint === 'function' || isOwnEndpoint(config)
      const isRight = isComplete && isSame(before, config) && (await this.#quickOrigin(config)).text === origin.text
      this.#known = isRight ? before : undefined
      return origin
    } catch {
      return undefined
    }
  }
}

/** Whether a call went to `origin`, by what the SDK noted of it. A function of the caller may have given another region meanwhile. */
export function wentTo({ href }: Origin, { endpointV2 }: ExecutionContext): boolean {
  const sent = hrefOf(endpointV2)
  return sent === undefined || sent === href
}

/** The endpoint that the SDK's own middleware resolves; `undefined` if the SDK has no such middleware. */
async function endpointBySdk(stack: MiddlewareStack, input: JsonObject): Promise<unknown> {
  let found: Middleware | undefined
  const collect = (middleware: Middleware, { name }: { readonly name?: string }): void => {
    if (name === endpointMiddleware) found = middleware
  }
  stack.applyToStack({ add: collect, addRelativeTo: collect })
  if (found === undefined) return undefined
  const context: ExecutionContext = {}
  await found(async () => ({ output: {} }), context)({ input })
  return context.endpointV2
}

/** Whether the caller has set an endpoint. */
function isOwnEndpoint(config: object): boolean {
  return Reflect.get(config, 'isCustomEndpoint') === true && Reflect.get(config, 'endpoint') !== undefined
}

/** The value of a member that may be a function, as the SDK reads it. */
function valueOf(config: object, name: Member): unknown {
  const value: unknown = Reflect.get(config, name)
  return typeof value === 'function' ? Reflect.apply(value, config, []) : value
}

/** The address of an endpoint in the older form of the SDK. */
function addressOf(endpoint: unknown): string | undefined {
  if (!isJsonObject(endpoint)) return undefined
  const { url, protocol, hostname, port, path } = endpoint
  if (url instanceof URL) return url.href
  return `${String(protocol)}//${String(hostname)}${typeof port === 'number' ? `:${port}` : ''}${String(path)}`
}

/** What an origin is made of besides the endpoint. */
interface OriginParts {
  readonly region: unknown
  /** Headers besides those of the endpoint. */
  readonly headers?: unknown
  /** An origin that may be the same. */
  readonly last?: Origin | undefined
}

/** An endpoint with its region. The service's public address in a region has the text that requests described by hand have. */
function originOf(endpoint: unknown, { region, headers: more, last }: OriginParts): Origin {
  const href = hrefOf(endpoint)
  if (href === undefined || typeof region !== 'string') throw new TypeError('the endpoint has no address')
  const own = isJsonObject(endpoint) ? endpoint['headers'] : undefined
  const isBare = hasNone(own) && hasNone(more)
  if (isBare && last?.isBare === true && last.href === href && last.region === region) return last
  const headers = headersOf(own, more)
  const standard = `bedrock-runtime.${region}`
  const isStandard = href === `https://${standard}.amazonaws.com/` || href === `https://${standard}.amazonaws.com.cn/`
  return { href, region, isBare, text: isStandard && isBare ? standard : JSON.stringify([href, region, ...headers]) }
}

function hasNone(headers: unknown): boolean {
  return !isJsonObject(headers) || Object.keys(headers).length === 0
}

/** The headers that an endpoint adds to each request, as pairs of a name and its values. */
function headersOf(...given: readonly unknown[]): readonly (readonly [string, unknown])[] {
  const headers = new Map<string, unknown>()
  for (const each of given) {
    for (const [name, value] of Object.entries(isJsonObject(each) ? each : {})) headers.set(name, Array.isArray(value) ? value : [value])
  }
  return [...headers].toSorted(([a], [b]) => (a < b ? -1 : 1))
}

function hrefOf(endpoint: unknown): string | undefined {
  const url: unknown = isJsonObject(endpoint) ? endpoint['url'] : undefined
  return url instanceof URL ? url.href : undefined
}

function membersOf(config: object): Config {
  const [region, endpoint, isCustomEndpoint, ignoreConfiguredEndpointUrls, serviceConfiguredEndpoint, ...rest] = members.map(
    (name): unknown => Reflect.get(config, name),
  )
  const [endpointProvider, useFipsEndpoint, useDualstackEndpoint] = rest
  return {
    region,
    endpoint,
    isCustomEndpoint,
    ignoreConfiguredEndpointUrls,
    serviceConfiguredEndpoint,
    endpointProvider,
    useFipsEndpoint,
    useDualstackEndpoint,
  }
}

function isSame(before: Config, config: object): boolean {
  for (const name of members) if (before[name] !== Reflect.get(config, name)) return false
  return true
}
