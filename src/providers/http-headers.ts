/**
 * Which headers matter: request headers that take part in the key, request headers that hold the credential, answer headers that are stored.
 * @module
 */
import { remembering } from '../base/memo.ts'
import { providers } from './catalogue.ts'
import { type HeaderNames, headerNames, passingHeaders } from './passing-headers.ts'

/** Headers that hold the caller's credential. They make the default scope and are no other part of the key. */
const credentials = [...new Set(providers.flatMap(({ credentialHeaders }) => credentialHeaders))]

/** Headers that cannot change an answer. Any other header may change it, and so is part of the key. */
const passing = headerNames(passingHeaders)

/** Answer headers that still mean something in a replay. Rate limits, cookies and dates do not. */
const kept = ['content-type', ...providers.flatMap((provider) => provider.keptHeaders)]

/** The request headers that take part in the key, names in lower case. */
export function keyedHeaders(headers: Iterable<readonly [string, string]>, ignored: HeaderNames): Record<string, string> {
  const keyed: Record<string, string> = {}
  for (const [given, value] of headers) {
    if (isNeverKeyed(given)) continue
    const name = given.toLowerCase()
    // A plain assignment would fail for a header that is named `__proto__`.
    if (!ignored.has(name)) Object.defineProperty(keyed, name, { value, enumerable: true })
  }
  return keyed
}

/** Whether a header is no part of the key under any settings. An SDK's requests always have the same few names, so the result is remembered. */
const isNeverKeyed = remembering(1_000, (given) => {
  const name = given.toLowerCase()
  return passing.has(name) || credentials.includes(name)
})

/** The credential of a request as one text, to be digested; `''` if the request has none. */
export function credentialText(get: (name: string) => string | null): string {
  const values = credentials.map((name) => get(name))
  return values.every((value) => value === null) ? '' : JSON.stringify(values)
}

/** The headers of an answer that are stored with it, names in lower case. */
export function keptHeaders(get: (name: string) => string | null): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const name of kept) {
    const value = get(name)
    if (value !== null) headers[name] = value
  }
  return headers
}
