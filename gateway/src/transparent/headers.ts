/**
 * Which headers go on to the upstream, and which to the client.
 * @module
 */
import type { Caller } from '../caller.ts'

/** For one connection only. Source: https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1 */
const hopByHop = [
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]

/**
 * Of a request: what is about the way to the gateway. Some of these are part of a key, and a `fetch` adds `accept-language` by itself; a
 * request would miss what a wrapped client stored.
 */
const ofWay = new Set([
  ...hopByHop,
  'accept-encoding',
  'accept-language',
  'cdn-loop',
  'content-length',
  'expect',
  'forwarded',
  'host',
  'priority',
  'true-client-ip',
  'via',
  'x-amz-cf-id',
  'x-amzn-trace-id',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-original-url',
  'x-real-ip',
  'x-rewrite-url',
  'x-tenant-id',
])
const ofWayPrefixes = [
  'x-forwarded-',
  'x-envoy-',
  'x-llmemo-',
  'cf-connecting-',
  'cf-ip',
  'cf-visitor',
  'cf-ray',
  'cf-worker',
  'cf-warp-',
  'sec-fetch-',
]

const ofAnswer = new Set([
  ...hopByHop,
  'alt-svc',
  'content-encoding',
  'content-length',
  'set-cookie',
  'set-cookie2',
  'strict-transport-security',
])

/** Headers that hold a credential of a provider. */
const credentials = ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key', 'cookie']

/** The headers for the upstream: not those of the way here, nor the gateway's own. @param owned what the gateway sends in place of the caller's credential */
export function requestHeaders(given: Headers, caller: Caller, owned?: Readonly<Record<string, string>>): Headers {
  const dropped = new Set([...namedIn(given.get('connection')), ...(caller.credentialHeaders ?? []), ...(owned ? credentials : [])])
  const headers = new Headers()
  for (const [name, value] of given) {
    if (!ofWay.has(name) && !dropped.has(name) && !ofWayPrefixes.some((prefix) => name.startsWith(prefix))) headers.append(name, value)
  }
  for (const [name, value] of Object.entries(owned ?? {})) headers.set(name, value)
  return headers
}

/** The headers for the client, as names and values. What the cache says takes the place of what an upstream says in its name. */
export function answerHeaders(given: Headers): readonly (readonly [string, string])[] {
  const dropped = namedIn(given.get('connection'))
  return Array.from(given).filter(([name]) => isForClient(name) && !dropped.includes(name))
}

/** Whether a header of an answer is for the client. @param name in lower case */
export function isForClient(name: string): boolean {
  return !ofAnswer.has(name) && !name.startsWith('x-llmemo-')
}

/** The headers that `connection` names, which are for one connection only too. */
function namedIn(connection: string | null): readonly string[] {
  return connection === null
    ? []
    : connection
        .toLowerCase()
        .split(',')
        .map((name) => name.trim())
}
