/**
 * Which upstream a path leads to. Upstreams come from the configuration alone: nothing in a request names a host.
 * @module
 */
import type { GatewaySettings } from '../config/settings.ts'

/** How an upstream's errors look, and where its credential stands. */
export type Protocol = 'openai' | 'anthropic' | 'bedrock' | 'gemini'

/** One upstream. */
export interface Upstream {
  readonly name: string
  readonly protocol: Protocol
  /** Where clients find it: `/openai/v1`. */
  readonly prefix: string
  /** The base URL without a slash at its end: `https://api.openai.com/v1`. */
  readonly base: string
}

/** Where a request goes. */
export interface Route {
  readonly upstream: Upstream
  /** The URL at the upstream; `undefined` if the path would lead out of the upstream's base. */
  readonly url: string | undefined
}

const own: readonly { readonly name: Protocol; readonly prefix: string; readonly base?: string }[] = [
  { name: 'openai', prefix: '/openai/v1', base: 'https://api.openai.com/v1' },
  { name: 'anthropic', prefix: '/anthropic', base: 'https://api.anthropic.com' },
  { name: 'gemini', prefix: '/gemini', base: 'https://generativelanguage.googleapis.com' },
  // Without a region there is no address.
  { name: 'bedrock', prefix: '/bedrock' },
]

/** All upstreams: those with a path of their own, and the further ones by name below `/up`. */
export function upstreamsOf({ upstreams, awsRegion }: Pick<GatewaySettings, 'upstreams' | 'awsRegion'>): readonly Upstream[] {
  const named = own.flatMap(({ name, prefix, base }) => {
    const regional = name === 'bedrock' && awsRegion !== undefined ? `https://bedrock-runtime.${awsRegion}.amazonaws.com` : undefined
    const url = upstreams[name] ?? base ?? regional
    return url === undefined ? [] : [{ name, protocol: name, prefix, base: withoutSlash(url) }]
  })
  const further = Object.entries(upstreams).filter(([name]) => own.every((each) => each.name !== name))
  return [
    ...named,
    ...further.map(([name, url]) => ({ name, protocol: 'openai', prefix: `/up/${name}`, base: withoutSlash(url) }) as const),
  ]
}

/** Where the request with this URL goes; `undefined` if to no upstream. @param url absolute, as a `Request` has it */
export function routeOf(upstreams: readonly Upstream[], url: string): Route | undefined {
  const start = url.indexOf('/', url.indexOf('://') + 3)
  const path = url.slice(start)
  const upstream = upstreams.find(({ prefix }) => path.startsWith(prefix) && /^[/?]|^$/.test(path.charAt(prefix.length)))
  if (upstream === undefined) return undefined
  const rest = path.slice(upstream.prefix.length)
  return { upstream, url: leadsOut(rest) ? undefined : upstream.base + rest }
}

/** Whether a path holds `..`, also with encoded characters, which an upstream may decode. */
function leadsOut(rest: string): boolean {
  const [path = ''] = rest.split('?')
  if (!/\.|%2e/i.test(path)) return false
  const decoded = path
    .replaceAll(/%25/gi, '%')
    .replaceAll(/%2e/gi, '.')
    .replaceAll(/%2f|%5c|\\/gi, '/')
  return decoded.split('/').some((segment) => segment === '..' || segment === '.')
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '')
}
