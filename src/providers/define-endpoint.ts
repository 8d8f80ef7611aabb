/**
 * An endpoint of a protocol of the user's own, or of one that needs no more than this.
 * @module
 */
import { assertKnown, callable, texts, withMethods } from '../base/option-checks.ts'
import type { ServerEvent } from '../base/server-sent-events.ts'
import { countedUsage, type Usage } from '../entry.ts'
import { InvalidOptionError } from '../errors.ts'
import { isJsonObject, isPlainObject, parseJsonObject, type JsonObject } from '../json/object.ts'
import type { Endpoint, PerInput } from './endpoint.ts'
import { hasError } from './openai/body.ts'
import type { AddressedCall } from './protocol.ts'
import { jsonLines } from './stream-forms.ts'

/** How the streams of an endpoint relate to its whole answers. */
export interface StreamDefinition {
  /** How a stream is written: as server-sent events, or as one JSON value a line. @default 'sse' */
  readonly form?: 'sse' | 'ndjson'
  /** Whether a request asks for a stream. @default if its member `stream` is `true` */
  readonly isAsked?: (request: JsonObject) => boolean
  /** The whole answer that the JSON of all events adds up to; `undefined` unless the protocol's own end mark is among them. */
  readonly assemble: (events: readonly JsonObject[]) => JsonObject | undefined
  /** The JSON of the events in which a whole answer would have been streamed. `assemble` makes the answer of them again. */
  readonly disassemble: (answer: JsonObject) => readonly JsonObject[]
  /** The name of a server-sent event. @default none has a name */
  readonly eventName?: (event: JsonObject) => string | undefined
}

/** What {@link defineEndpoint} takes. */
export interface EndpointDefinition {
  /** Who answers: `acme`. Part of the key, and of the statistics. */
  readonly provider: string
  /** What is asked for: `chat`. Part of the key. */
  readonly name: string
  /**
   * Which addresses of a `POST` are of this endpoint: those whose path ends so (`/v1/chat`), or those for which a function gives `true`, or
   * members of the request that the address says: `{ model: 'm' }`.
   */
  readonly match: string | ((address: URL) => boolean | JsonObject)
  /** The operation of a call whose caller names none. @default the name */
  readonly operation?: string
  /** Members of a request that cannot change an answer. They are no part of the key. @default none but `stream`, if there is `streaming` */
  readonly ignore?: readonly string[]
  /** Its streams. @default a stream is not stored */
  readonly streaming?: StreamDefinition
  /** The tokens that a whole answer used. @default they are not known */
  readonly usage?: (answer: JsonObject) => Usage | undefined
  /** Why a request must not be cached: it continues or changes something at the provider. @default every request may be */
  readonly bypassReason?: (request: JsonObject) => string | undefined
  /** Why a whole answer must not be stored: it is cut off, or empty. @default every answer without a member `error` is */
  readonly skipReason?: (answer: JsonObject) => string | undefined
  /** How a request for many inputs is taken apart, so that each is cached by itself. @default it has one entry */
  readonly perInput?: PerInput
}

/** An endpoint, for the option `endpoints` of `createCache`. Only `defineEndpoint` makes one. */
export interface DefinedEndpoint {
  readonly provider: string
  readonly name: string
}

/** What the cache knows of an endpoint that was defined. */
export interface EndpointParts extends DefinedEndpoint {
  readonly endpoint: Endpoint
  /** What an address says; `undefined` if it is of another endpoint. */
  readonly call: (address: URL) => AddressedCall | undefined
}

/** The member of a defined endpoint that holds its parts. All copies of llmemo share the symbol. */
const ownParts = Symbol.for('llmemo.endpoint@1')

const members = ['provider', 'name', 'match', 'operation', 'ignore', 'streaming', 'usage', 'bypassReason', 'skipReason', 'perInput']

/**
 * An endpoint that the cache does not know, for calls through `cachingFetch`: give it to `createCache({ endpoints: [endpoint] })`.
 * @throws {InvalidOptionError} for a definition that cannot be
 */
export function defineEndpoint(definition: EndpointDefinition): DefinedEndpoint {
  const parts = partsIn(definition)
  const { provider, name } = parts
  return Object.defineProperty({ provider, name }, ownParts, { value: parts })
}

/** The parts of an endpoint that was defined; `undefined` for any other value. */
export function partsOf(defined: unknown): EndpointParts | undefined {
  const parts: unknown = typeof defined === 'object' && defined !== null ? Reflect.get(defined, ownParts) : undefined
  return typeof parts === 'object' && parts !== null && isParts(parts) ? parts : undefined
}

function isParts(parts: object): parts is EndpointParts {
  return 'endpoint' in parts && 'call' in parts && typeof parts.call === 'function'
}

/**
 * The parts of an endpoint by its definition.
 * @throws {InvalidOptionError} for a definition that cannot be
 */
export function partsIn(definition: EndpointDefinition): EndpointParts {
  assertDefinition(definition)
  const { provider, name, match, streaming } = definition
  const endpoint = endpointOf(definition)
  const call = (address: URL): AddressedCall | undefined => {
    const said = typeof match === 'string' ? address.pathname.endsWith(match) : match(address)
    // A function in JavaScript may give what a search finds: nothing.
    if (said !== true && !isJsonObject(said)) return undefined
    const stated: JsonObject = said === true ? {} : said
    const path = typeof match === 'string' ? address.pathname.slice(0, -match.length) : address.pathname
    return {
      endpoint,
      origin: `${address.origin}${path}${address.search}`,
      named: JSON.stringify([provider, name, stated]),
      read(body) {
        // Which of two is heeded is for the provider to say, and the key could hold one only.
        if (Object.entries(stated).some(([member, value]) => Object.hasOwn(body, member) && body[member] !== value)) return undefined
        const request = { ...body, ...stated }
        const said: unknown = streaming?.isAsked?.(body) ?? body['stream'] === true
        const stream = Boolean(said)
        return { endpoint, request: streaming === undefined ? request : { ...request, stream } }
      },
      write: (request) => Object.fromEntries(Object.entries(request).filter(([member]) => !Object.hasOwn(stated, member))),
      ...(streaming?.form === 'ndjson' && { stream: jsonLines }),
    }
  }
  return { provider, name, endpoint, call }
}

/** @throws {InvalidOptionError} */
function assertDefinition(definition: EndpointDefinition): void {
  assertKnown('defineEndpoint.', definition, members)
  const { operation = definition.name, match, ignore, streaming, perInput }: Partial<EndpointDefinition> = definition
  for (const [member, value] of Object.entries({ provider: definition.provider, name: definition.name, operation })) {
    if (typeof value !== 'string' || value === '') throw new InvalidOptionError(`defineEndpoint.${member}`, value, 'a text')
  }
  if (typeof match !== 'function' && !(typeof match === 'string' && match.startsWith('/')))
    throw new InvalidOptionError('defineEndpoint.match', match, "the end of a path such as '/v1/chat', or a function of a URL")
  if (ignore !== undefined) texts('defineEndpoint.ignore', ignore)
  assertFunctions('defineEndpoint', definition, ['usage', 'bypassReason', 'skipReason'])
  if (streaming !== undefined) assertStreaming(streaming)
  const methods = ['split', 'unite', 'share', 'join']
  if (perInput !== undefined) withMethods('defineEndpoint.perInput', perInput, { methods, allowed: `an object with ${methods.join(', ')}` })
}

/** @throws {InvalidOptionError} */
function assertStreaming(streaming: StreamDefinition): void {
  const path = 'defineEndpoint.streaming'
  assertKnown(`${path}.`, streaming, ['form', 'isAsked', 'assemble', 'disassemble', 'eventName'])
  const { form = 'sse' } = streaming
  if (!['sse', 'ndjson'].includes(form)) throw new InvalidOptionError(`${path}.form`, form, "'sse' or 'ndjson'")
  callable(`${path}.assemble`, streaming.assemble)
  callable(`${path}.disassemble`, streaming.disassemble)
  assertFunctions(path, streaming, ['isAsked', 'eventName'])
}

/** @throws {InvalidOptionError} if one of these members is there and no function */
function assertFunctions(path: string, given: object, names: readonly string[]): void {
  for (const name of names) {
    const value: unknown = Reflect.get(given, name)
    if (value !== undefined) callable(`${path}.${name}`, value)
  }
}

function endpointOf(definition: EndpointDefinition): Endpoint {
  const { provider, name, match, operation = name, ignore = [], streaming, perInput } = definition
  return {
    provider,
    name,
    path: typeof match === 'string' ? match : '',
    operation,
    ignored: streaming === undefined ? [] : ['stream'],
    ...(ignore.length > 0 && { normalise: (request: JsonObject) => without(request, ignore) }),
    ...(perInput && { perInput }),
    ...(streaming && { streaming: streamingOf(streaming) }),
    // In JavaScript, a function may say by a false value that there is none.
    bypassReason: (request) => definition.bypassReason?.(request) || undefined,
    skipReason: (answer) => (hasError(answer) ? 'error' : definition.skipReason?.(answer) || undefined),
    usage: (answer) => countedUsage(definition.usage?.(answer)),
  }
}

function without(request: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(request).filter(([name]) => !names.includes(name)))
}

function streamingOf({ assemble, disassemble, eventName }: StreamDefinition): NonNullable<Endpoint['streaming']> {
  return {
    assemble(events) {
      const parts = events.filter(({ data }) => data !== '[DONE]').map(({ data }) => parseJsonObject(data))
      return parts.every(isJsonObject) && !parts.some(hasError) ? plainAnswer(assemble(parts)) : undefined
    },
    disassemble(answer) {
      const parts = disassemble(answer)
      // A caller must not get a stream without an end in place of an answer. The call asks the provider.
      if (parts.length === 0) throw new TypeError('llmemo: disassemble() gave no events')
      return parts.map((part): ServerEvent => {
        const event = eventName?.(part)
        const data = JSON.stringify(part)
        return event === undefined ? { data } : { event, data }
      })
    },
  }
}

/** An answer as JSON has it. A promise or an instance of a class would be stored as something else. */
function plainAnswer(answer: unknown): JsonObject | undefined {
  return isJsonObject(answer) && isPlainObject(answer) ? answer : undefined
}

/** The protocol of a provider whose endpoints are defined so. */
export function protocolOfEndpoints(endpoints: readonly EndpointParts[]): {
  readonly endpoints: readonly Endpoint[]
  call(address: URL): AddressedCall | undefined
} {
  return {
    endpoints: endpoints.map(({ endpoint }) => endpoint),
    call(address) {
      for (const each of endpoints) {
        const call = each.call(address)
        if (call !== undefined) return call
      }
      return undefined
    },
  }
}
