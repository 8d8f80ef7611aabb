/**
 * A stream whose usage the cache asks for, though its caller does not. The provider gets another request than the key is made of; the caller
 * gets the chunks of its own request.
 * @module
 */
import { abandon } from './chunks.ts'
import { joinedBytes, lastPositionOf } from '../../base/text-bytes.ts'
import { shortName } from '../../base/short-name.ts'
import type { CachedCall } from '../../engine/cached-call.ts'
import type { Engine } from '../../engine/engine.ts'
import type { FlightReader } from '../../engine/flight/upstream.ts'
import type { UsageOnRequest } from '../../providers/endpoint.ts'

/** A call on its way to the provider. */
export interface UsageCall {
  readonly cachedCall: CachedCall
  readonly url: string
  /** The body as text, if it is one. */
  readonly text: string | undefined
  /** The headers that are sent. */
  readonly headers: Headers
}

/** Sends the caller's own request, or another body. */
type Send = (body?: string) => Promise<Response>

/** A response, and whether the cache asked for its usage. */
interface AskedResponse {
  readonly response: Response
  readonly asksUsage: boolean
}

/** How many servers and models are remembered for one cache. */
const maxServers = 1_000

/** Whether a server and a model take a request for usage, by their names. */
const serversOf = new WeakMap<Engine, Map<string, boolean>>()

/**
 * Sends a request that asks for the usage as well, if the cache is to ask for it. A server that refuses such a request gets the caller's own,
 * and is not asked again.
 */
export async function sendForUsage(engine: Engine, call: UsageCall, send: Send): Promise<AskedResponse> {
  const { cachedCall, url, text } = call
  const usage = usageToAsk(engine, call)
  if (usage === undefined) return { response: await send(), asksUsage: false }
  const servers = serversOf.get(engine) ?? new Map<string, boolean>()
  const server = shortName(JSON.stringify([cachedCall.origin, cachedCall.model]))
  if (servers.get(server) === false) return { response: await send(), asksUsage: false }
  const response = await send(bodyWith(usage.ask(cachedCall.request), cachedCall, text))
  serversOf.set(engine, servers)
  const isKnown = servers.get(server) === true || usage.isKnownHost(hostOf(url))
  if (!(await isRefused(response, isKnown))) {
    if (response.ok) note(servers, server, true)
    return { response, asksUsage: true }
  }
  await abandon(response.body)
  const own = await send()
  if (own.ok) note(servers, server, false)
  return { response: own, asksUsage: false }
}

/** A reader of the same stream for a caller that did not ask for its usage. */
export function withoutUsage<Head>(reader: FlightReader<Head, Uint8Array>, usage: UsageOnRequest): FlightReader<Head, Uint8Array> {
  const events = new WholeEvents()
  let ended = false
  return {
    get failed() {
      return reader.failed
    },
    head: () => reader.head(),
    leave: () => reader.leave(),
    async next() {
      while (!ended) {
        const chunk = await reader.next()
        ended = chunk === undefined
        const bytes = removed(chunk === undefined ? events.rest() : events.next(chunk), usage)
        if (bytes.byteLength > 0) return bytes
      }
      return undefined
    },
  }
}

/** How the cache is to ask for the call's usage, or `undefined` if it is not to. */
function usageToAsk({ settings }: Engine, { cachedCall, url, headers }: UsageCall): UsageOnRequest | undefined {
  const usage = cachedCall.endpoint.streaming?.usageOnRequest
  const isLeftOut = cachedCall.streamed && cachedCall.missingParts.includes('usage')
  if (usage === undefined || !isLeftOut || settings.streamUsage === false || isSigned(headers)) return undefined
  return settings.streamUsage === true || usage.isKnownHost(hostOf(url)) ? usage : undefined
}

/** Headers that hold a digest or a signature of the body. Such a request must be sent as it is. */
const bodyDigests = ['x-amz-content-sha256', 'content-digest', 'digest', 'content-md5', 'signature']

/** Whether a request is signed with its body, so that it must be sent as it is. */
export function isSigned(headers: Headers): boolean {
  return bodyDigests.some((name) => headers.has(name)) || headers.get('authorization')?.startsWith('AWS4-') === true
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : ''
}

/** The body with these members. If it does not have them yet, the rest stays as the caller wrote it. */
function bodyWith(members: object, { request }: CachedCall, text: string | undefined): string {
  const isNew = Object.keys(members).every((name) => !Object.hasOwn(request, name))
  const start = text?.trimStart()
  if (start?.startsWith('{') !== true || !isNew) return JSON.stringify({ ...request, ...members })
  return `${JSON.stringify(members).slice(0, -1)},${start.slice(1)}`
}

/** Whether the server may have refused the request for the usage alone. A server that is known to take it must say so. */
async function isRefused(response: Response, isKnown: boolean): Promise<boolean> {
  if (response.status !== 400 && response.status !== 422) return false
  if (!isKnown) return true
  try {
    return /stream_options|include_usage/.test(await response.clone().text())
  } catch {
    return false
  }
}

function note(servers: Map<string, boolean>, server: string, takesUsage: boolean): void {
  if (servers.size >= maxServers) servers.clear()
  servers.set(server, takesUsage)
}

const decoder = new TextDecoder()
const encoder = new TextEncoder()
const usageMember = encoder.encode('"usage"')

/** Whole events without their usage. What holds none stays as it is, byte for byte. */
function removed(bytes: Uint8Array, usage: UsageOnRequest): Uint8Array {
  if (lastPositionOf(bytes, usageMember) === -1) return bytes
  const events = decoder.decode(bytes).split(/(?<=\n\n|\n\r\n|\r\r)/)
  return encoder.encode(events.map((event) => usage.remove(event)).join(''))
}

/** The ends of an event: an empty line after a line end of any kind. */
const eventEnds = ['\n\n', '\n\r\n', '\r\r'].map((mark) => encoder.encode(mark))

/** Puts the chunks of a stream together again to whole events. */
class WholeEvents {
  #rest: Uint8Array = new Uint8Array()

  /** The events that are whole with this chunk. */
  next(chunk: Uint8Array): Uint8Array {
    const bytes = joinedBytes([this.#rest, chunk])
    // The chunk may complete an end that began before it.
    const from = Math.max(0, this.#rest.byteLength - 2)
    const end = Math.max(...eventEnds.map((mark) => endOf(bytes, mark, from)))
    this.#rest = bytes.subarray(end)
    return bytes.subarray(0, end)
  }

  /** What is left after the last whole event. */
  rest(): Uint8Array {
    return this.#rest
  }
}

/** The position after the last `mark` in `bytes`; 0 if there is none. */
function endOf(bytes: Uint8Array, mark: Uint8Array, from: number): number {
  const at = lastPositionOf(bytes, mark)
  return at < from ? 0 : at + mark.length
}
