/**
 * What a URL names: a cached endpoint, or something else.
 * @module
 */
import type { Endpoint } from '../../providers/endpoint.ts'
import { endpointOfPath } from '../../providers/catalogue.ts'

/** An endpoint, and the rest of the URL that its answers come from. */
export interface Target {
  readonly endpoint: Endpoint
  readonly origin: string
}

/** How long a path may be in an event. */
const maxPathLength = 200

/** The host and the path of a URL. Its query and its user may hold secrets. */
export function placeOf(url: string): { readonly host: string; readonly path: string } {
  const { host, pathname } = URL.canParse(url) ? new URL(url) : { host: '', pathname: '' }
  return { host, path: pathname.slice(0, maxPathLength) }
}

/** The endpoint that `url` names, and the URL without the endpoint's path, with the place; `undefined` if no cached endpoint has such a path. */
export function endpointOf(url: string, place = ''): Target | undefined {
  const query = url.indexOf('?')
  const path = query === -1 ? url : url.slice(0, query)
  const endpoint = endpointOfPath(path)
  if (endpoint === undefined) return undefined
  return { endpoint, origin: path.slice(0, -endpoint.path.length) + (query === -1 ? '' : url.slice(query)) + place }
}
