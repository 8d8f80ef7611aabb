/**
 * What the cache must know of a provider whose calls over HTTP are more than a JSON body to a path: the path names the model, the query holds
 * the credential, or a stream is no stream of server-sent events. Pure: no SDK, no I/O.
 * @module
 */
import type { ServerEvent } from '../base/server-sent-events.ts'
import type { JsonObject } from '../json/object.ts'
import type { Endpoint } from './endpoint.ts'

/** How a stream is written on the wire, if not as server-sent events. */
export interface StreamForm {
  /** Its media type: `application/x-ndjson`. */
  readonly type: string
  /** The events of all bytes of a stream. What is cut off at its end is left out; `undefined` if the bytes are no such stream. */
  parse(bytes: Uint8Array): readonly ServerEvent[] | undefined
  /** The bytes of a whole stream of these events, one chunk for each event. */
  format(events: readonly ServerEvent[]): readonly (string | Uint8Array)[]
}

/** How whole answers on the wire are stored in another form, which another client of the same provider reads. */
export interface AnswerForm {
  /** The text that is stored; `undefined` if the body is no answer. */
  keep(body: string, headers: Headers): string | undefined
  /** The body of a stored text. */
  give(text: string): string
  /** Headers that are stored with an answer, beside those of its provider. */
  headers?(headers: Headers, isStream: boolean): Readonly<Record<string, string>>
  /** Those of the stored headers that are given, as another client may have stored more. */
  shown?(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>>
}

/** A request as it is keyed, and the endpoint that it is for. */
export interface ReadRequest {
  readonly endpoint: Endpoint
  readonly request: JsonObject
  /** Headers for which members of the body stand. They are part of the key. @default none */
  readonly headers?: Readonly<Record<string, string>>
}

/** What the address of a call says. */
export interface AddressedCall {
  /** The endpoint, as far as the address alone says it. */
  readonly endpoint: Endpoint
  /** Where the answers come from: the address without what its other members say, and without its credential. */
  readonly origin: string
  /** All of a request that its address says, as a text. Calls with equal bodies and headers and another text are other calls. */
  readonly named: string
  /** The credential in the address, as the header that stands for the same. @default none */
  readonly credential?: readonly [header: string, value: string]
  /** Whether the value of a credential's header changes by itself, so that it makes no scope. @default never */
  readonly isRotated?: (header: string, value: string) => boolean
  /**
   * The request that is keyed, of the body and of headers that stand for members of it; `undefined` if no key can be made.
   * @default the body itself
   */
  read?(body: JsonObject, headers: Headers, text: string | undefined): ReadRequest | undefined
  /** The body for another request than the caller's own. @default the request itself */
  write?(request: JsonObject): JsonObject
  /** What else decides where the answer comes from and stands in the headers, as part of the origin. @default {@link origin} alone */
  originOf?(headers: Headers): string
  /** The request's headers that are part of the key, of those that would be. @default all of them */
  keyed?(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>>
  /** How a stream is written. @default as server-sent events */
  readonly stream?: StreamForm
  /** How whole answers are stored. @default as they come */
  readonly answers?: AnswerForm
}

/** A provider's protocol. */
export interface Protocol {
  /** Every endpoint that is cached. */
  readonly endpoints: readonly Endpoint[]
  /** What an address says; `undefined` if it is of no endpoint that is cached. */
  call(address: URL): AddressedCall | undefined
}

/** The code of a protocol, which is loaded when it is first needed. */
export interface LazyProtocol {
  /** Whether an address may be the protocol's: a quick look at the path, in which no other provider's address may be taken for it. */
  readonly path: RegExp
  /** The operations of its endpoints, for checks of options before it is loaded. */
  readonly operations: readonly string[]
  readonly load: () => Promise<Protocol>
}
