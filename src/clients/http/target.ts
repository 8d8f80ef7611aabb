/**
 * What a URL names: a cached endpoint, or something else.
 * @module
 */
import type { Endpoint } from '../../providers/endpoint.ts'
import { endpointOfPath, protocolOf, protocolProvider, type Provider } from '../../providers/catalogue.ts'
import type { JsonObject } from '../../json/object.ts'
import type { AddressedCall, ReadRequest } from '../../providers/protocol.ts'

/** An endpoint, and the rest of the URL that its answers come from. */
export interface Target {
  readonly endpoint: Endpoint
  readonly origin: string
  /** What else the URL says of the call. @default nothing */
  readonly addressed?: AddressedCall
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
export function endpointOf(url: string, place = ''): Target | undefined | Promise<Target | undefined> {
  const query = url.indexOf('?')
  const path = query === -1 ? url : url.slice(0, query)
  const provider = protocolProvider(path)
  if (provider !== undefined) return addressedBy(provider, url, place)
  const endpoint = endpointOfPath(path)
  if (endpoint === undefined) return undefined
  return { endpoint, origin: path.slice(0, -endpoint.path.length) + (query === -1 ? '' : url.slice(query)) + place }
}

async function addressedBy(provider: Provider, url: string, place: string): Promise<Target | undefined> {
  const address = URL.canParse(url) ? new URL(url) : undefined
  const addressed = address && (await protocolOf(provider))?.call(address)
  return addressed && { endpoint: addressed.endpoint, origin: addressed.origin + place, addressed }
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
  return addressed.read(body, headers, text)
}

/** The text by which a repeated request is known: that of its body, after all that its address says. */
export function textFor(addressed: AddressedCall | undefined, body: string): string {
  return addressed === undefined ? body : `${addressed.named}\n${body}`
}
