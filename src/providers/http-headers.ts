/**
 * Which headers matter: those of a request that take part in the key, those that are its credential, those of an answer that are kept.
 * @module
 */
import { remembering } from '../base/memo.ts'

/** Headers that say who asks. They make the default scope and are no other part of the key. */
const credentials = ['authorization', 'api-key', 'x-api-key', 'x-goog-api-key', 'openai-organization', 'openai-project', 'cookie']

/** Headers that carry the call and cannot change its answer. Any other header is part of the key, as nobody can know what it does. */
const transport = new Set([
  'accept',
  'accept-encoding',
  'baggage',
  'b3',
  'cache-control',
  'connection',
  'content-length',
  'content-type',
  'date',
  'host',
  'idempotency-key',
  'newrelic',
  'origin',
  'pragma',
  'referer',
  'sentry-trace',
  'traceparent',
  'tracestate',
  'uber-trace-id',
  'user-agent',
  'x-amzn-trace-id',
  'x-client-request-id',
  'x-cloud-trace-context',
  'x-correlation-id',
  'x-request-id',
])
const transportPrefixes = ['x-stainless-', 'x-b3-', 'x-datadog-', 'sec-']

/** Headers of an answer that still mean something when it is replayed. Rate limits, cookies and dates do not. */
const kept = ['content-type', 'openai-version', 'request-id', 'x-request-id', 'apim-request-id']

/** The request headers that take part in the key, names in lower case. */
export function keyedHeaders(headers: Iterable<readonly [string, string]>, ignored: ReadonlySet<string>): Record<string, string> {
  const keyed: Record<string, string> = {}
  for (const [given, value] of headers) {
    if (isPlain(given)) continue
    const name = given.toLowerCase()
    // Defined rather than assigned: `__proto__` is a name that a header may have.
    if (!ignored.has(name)) Object.defineProperty(keyed, name, { value, enumerable: true })
  }
  return keyed
}

/** Whether a header is no part of the key, whatever the user's settings. The names in an SDK's requests are always the same few. */
const isPlain = remembering(1_000, (given) => {
  const name = given.toLowerCase()
  return transport.has(name) || credentials.includes(name) || transportPrefixes.some((prefix) => name.startsWith(prefix))
})

/** What the request says of who asks, as one text to be digested; `''` when it says nothing. */
export function credentialText(get: (name: string) => string | null): string {
  const values = credentials.map((name) => get(name))
  return values.every((value) => value === null) ? '' : JSON.stringify(values)
}

/** The headers of an answer that are kept with it, names in lower case. */
export function keptHeaders(get: (name: string) => string | null): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const name of kept) {
    const value = get(name)
    if (value !== null) headers[name] = value
  }
  return headers
}
