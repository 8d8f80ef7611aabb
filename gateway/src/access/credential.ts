/**
 * Where a request has the gateway's own credential. Everything else there is a provider's, and none of our business.
 * @module
 */
import { claimsToBeApiKey } from './api-key.ts'
import type { Tokens } from './tokens.ts'

/** A credential of the gateway, as the request has it. */
export interface Credential {
  readonly kind: 'key' | 'token'
  readonly text: string
  /** The headers that hold a credential of the gateway, in lower case. */
  readonly headers: readonly string[]
}

/** The header that can hold nothing else. */
const ownHeader = 'x-llmemo-api-key'

/**
 * The credential of a request; `undefined` if it has none. A key or token may stand in `x-llmemo-api-key` or after `Bearer`, and a key also where
 * the SDKs of providers put theirs. One in `x-llmemo-api-key` counts before the others.
 */
export function credentialIn(headers: Headers, tokens: Tokens | undefined): Credential | undefined {
  const found: Credential[] = []
  const take = (header: string, text: string | null | undefined): void => {
    if (text === null || text === undefined || text === '') return
    if (claimsToBeApiKey(text)) found.push({ kind: 'key', text, headers: [header] })
    else if (header === ownHeader) found.push({ kind: tokens === undefined ? 'key' : 'token', text, headers: [header] })
    else if (tokens?.claims(text) === true) found.push({ kind: 'token', text, headers: [header] })
  }
  take(ownHeader, headers.get(ownHeader))
  take('authorization', /^Bearer +(\S+)$/i.exec(headers.get('authorization') ?? '')?.[1])
  for (const header of ['x-api-key', 'api-key', 'x-goog-api-key']) take(header, headers.get(header))
  const [first] = found
  return first && { ...first, headers: found.flatMap((each) => each.headers) }
}
