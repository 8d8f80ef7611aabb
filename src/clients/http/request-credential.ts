/**
 * What the headers of a request say of who asks, and what else of them is part of the key.
 * @module
 */
import type { Engine } from '../../engine/engine.ts'
import { sha256 } from '../../base/digest.ts'
import { remembering } from '../../base/memo.ts'
import { credentialText, keyedHeaders } from '../../providers/http-headers.ts'
import type { AddressedCall } from '../../providers/protocol.ts'
import type { FetchDefaults } from './fetch-options.ts'
import type { CallContext } from './repeated-requests.ts'

/** What the seam must know of its client. */
export interface HttpSeam {
  /**
   * Whether the SDK made the value of a credential's header of something that changes by itself. Such a value cannot make a scope.
   * `headers` are those that the caller gave to the call. @default never
   */
  readonly isRotated?: (name: string, value: string, headers: unknown) => boolean
  /** What decides where the answer comes from and is not in the URL, as the fragment of a URL. @default nothing */
  readonly place?: string
  /** What asks the provider, if the `fetch` of the seam is another function for each call. @default that `fetch` */
  readonly asks?: unknown
  /** Whether the SDK decides by the status alone whether to ask again. @default only if the call comes from no wrapped client */
  readonly retriesByStatus?: boolean
  /** The options of calls that have none of their own. @default none */
  readonly defaults?: FetchDefaults
}

/** The headers of a request, and those that the caller gave to the call. */
export interface RequestHeaders {
  readonly headers: Headers
  readonly given: unknown
  /** What the address says of the call. @default nothing */
  readonly addressed?: AddressedCall | undefined
}

/** What the headers of a request add to its key. */
export function headerParts(engine: Engine, seam: HttpSeam, given: RequestHeaders): Pick<CallContext, 'headers' | 'credential'> {
  const keyed = keyedHeaders(given.headers, engine.settings.ignoredHeaders)
  return { headers: given.addressed?.keyed?.(keyed) ?? keyed, credential: credentialOf(seam, given) }
}

/** The digest of the credential in the headers and the address of a request; `''` if it has none, or one that changes by itself. */
export function credentialOf({ isRotated }: HttpSeam, { headers, given, addressed }: RequestHeaders): string {
  const credential = credentialText((name) => {
    const [header, inAddress = null] = addressed?.credential ?? []
    const inHeader = headers.get(name)
    const other = header === name ? inAddress : null
    // Which of two is heeded is for the provider to say.
    const value = inHeader === null || other === null ? (inHeader ?? other) : JSON.stringify([inHeader, other])
    if (value === null) return null
    // A client knows which values are its SDK's own.
    const changes = isRotated === undefined ? addressed?.isRotated?.(name, value) : isRotated(name, value, given)
    return changes === true ? null : value
  })
  return credential === '' ? '' : digestOf(credential)
}

/** The numbers of functions that ask the provider. */
const numbers = new WeakMap<object, number>()
let functions = 0

/** What names a function that asks the provider, with the credential of a call. */
export function sourceOf({ asks }: HttpSeam, fetch: object, credential: string): string {
  const upstream = typeof asks === 'function' ? asks : fetch
  const number = numbers.get(upstream) ?? ++functions
  numbers.set(upstream, number)
  return `${number} ${credential}`
}

/** Digests of credentials. A process has few of them, so they are remembered. */
const digestOf = remembering(100, sha256)
