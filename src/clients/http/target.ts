/**
 * What a URL names: a cached endpoint, or something else.
 * @module
 */
import type { Endpoint } from '../../providers/endpoint.ts'
import type { EndpointParts } from '../../providers/define-endpoint.ts'
import { endpointOfPath, protocolOf, type Provider, protocolProviders } from '../../providers/catalogue.ts'
import type { JsonObject } from '../../json/object.ts'
import type { AddressedCall, ReadRequest } from '../../providers/protocol.ts'

/** An endpoint, and the rest of the URL that its answers come from. */
export interface Target {
  readonly endpoint: Endpoint
  readonly origin: string
  /** What else the URL says of the call. @default nothing */
  readonly addressed?: AddressedCall
}

/** What else decides which endpoint a URL names. */
interface TargetOptions {
  readonly place?: string
  /** Endpoints of the user's own. */
  readonly endpoints?: readonly EndpointParts[]
  /** Told what the code of an endpoint threw, which then is not the one that is named. */
  readonly failed?: (error: unknown) => void
}

/** How long a path may be in an event. */
const maxPathLength = 200

/** The host and the path of a URL. Its query and its user may hold secrets. */
export function placeOf(url: string): { readonly host: string; readonly path: string } {
  const { host, pathname } = URL.canParse(url) ? new URL(url) : { host: '', pathname: '' }
  return { host, path: pathname.slice(0, maxPathLength) }
}

/**
 * The endpoint that `url` names, and the URL without the endpoint's path, with the place; `undefined` if no cached endpoint has such a path.
 * A promise while the code of the endpoint's provider is loaded.
 */
export function endpointOf(
  url: string,
  { place = '', endpoints = [], failed = () => undefined }: TargetOptions = {},
): Target | undefined | Promise<Target | undefined> {
  const query = url.indexOf('?')
  const path = query === -1 ? url : url.slice(0, query)
  const own = endpoints.length === 0 ? undefined : definedBy(endpoints, url, { place, failed })
  if (own !== undefined) return own
  const providers = protocolProviders(path)
  if (providers.length > 0) return addressedBy(providers, url, { place, failed })
  const endpoint = endpointOfPath(path)
  if (endpoint === undefined) return undefined
  return { endpoint, origin: path.slice(0, -endpoint.path.length) + (query === -1 ? '' : url.slice(query)) + place }
}

type Naming = Required<Pick<TargetOptions, 'place' | 'failed'>>

async function addressedBy(providers: readonly Provider[], url: string, { place, failed }: Naming): Promise<Target | undefined> {
  const address = URL.canParse(url) ? new URL(url) : undefined
  for (const provider of providers) {
    const protocol = await protocolOf(provider)
    const addressed = address && protocol && callOf(protocol, address, failed)
    if (addressed !== undefined) return targetOf(addressed, place)
  }
  return undefined
}

/** The target of an endpoint of the user's own. */
function definedBy(endpoints: readonly EndpointParts[], url: string, { place, failed }: Naming): Target | undefined {
  const address = URL.canParse(url) ? new URL(url) : undefined
  for (const endpoint of address === undefined ? [] : endpoints) {
    const addressed = address && callOf(endpoint, address, failed)
    if (addressed !== undefined) return targetOf(addressed, place)
  }
  return undefined
}

/** What an address says; nothing if the code fails that reads it, as it may for a path that is not well encoded. */
function callOf({ call }: Pick<EndpointParts, 'call'>, address: URL, failed: (error: unknown) => void): AddressedCall | undefined {
  try {
    return call(address)
  } catch (error) {
    failed(error)
    return undefined
  }
}

function targetOf(addressed: AddressedCall, place: string): Target {
  return { endpoint: addressed.endpoint, origin: addressed.origin + place, addressed }
}

/** What is sent with a call to a target. */
interface SentBody {
  readonly headers: Headers
  /** The body as text, if it is one. */
  readonly text: string | undefined
}

/** The request that is keyed, of the body and of what the URL says; `undefined` if no key can be made. */
export function readRequest(
  { endpoint, addressed }: Omit<Target, 'addressed'> & { readonly addressed: AddressedCall | undefined },
  body: JsonObject | undefined,
  { headers, text }: SentBody,
): ReadRequest | undefined {
  if (body === undefined || addressed?.read === undefined) return body && { endpoint, request: body }
  try {
    return addressed.read(body, headers, text)
  } catch {
    // It is nested too deeply, or the code of an endpoint of the user failed.
    return undefined
  }
}

/** The text by which a repeated request is known: that of its body, after all that its address says. */
export function textFor(addressed: AddressedCall | undefined, body: string): string {
  return addressed === undefined ? body : `${addressed.named}\n${body}`
}
