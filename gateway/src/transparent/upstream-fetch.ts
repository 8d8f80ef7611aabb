/**
 * Calls an upstream, as a `fetch` that adds no header of its own, follows no redirect, and opens no connection to a private address.
 * @module
 */
import { lookup, type LookupAddress } from 'node:dns'
import { Agent as HttpAgent, type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import type { LookupFunction } from 'node:net'
import { Readable } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import type { Fetch } from 'llmemo'
import { GatewayError } from '../errors.ts'
import { isPrivateAddress } from './private-address.ts'

/** How upstreams are called. */
export interface UpstreamFetchOptions {
  /** Hosts that may have a private address, in lower case. */
  readonly privateHosts: ReadonlySet<string>
}

/** A `fetch` for upstreams, and what ends its connections. */
export interface UpstreamFetch {
  readonly fetch: Fetch
  /** Closes the connections that are not in use. Those in use keep no process alive once they are not. */
  close(): void
}

/** What `fetch` was called with. */
interface Sent {
  readonly url: URL
  readonly method: string
  readonly headers: Headers
  readonly body: RequestInit['body'] | undefined
  readonly signal: AbortSignal | undefined
}

const decoders = { gzip: createGunzip, 'x-gzip': createGunzip, deflate: createInflate, br: createBrotliDecompress } as const

/** Makes the `fetch`, with connections of its own that are kept for later calls. */
export function upstreamFetch({ privateHosts }: UpstreamFetchOptions): UpstreamFetch {
  const options = { keepAlive: true, lookup: guardedLookup(privateHosts) }
  const http = new HttpAgent(options)
  const https = new HttpsAgent(options)
  async function send(sent: Sent): Promise<Response> {
    assertAllowed(sent.url, privateHosts)
    const settings = { method: sent.method, headers: Object.fromEntries(sent.headers), ...(sent.signal && { signal: sent.signal }) }
    const request =
      sent.url.protocol === 'https:'
        ? requestHttps(sent.url, { ...settings, agent: https })
        : requestHttp(sent.url, { ...settings, agent: http })
    try {
      return responseOf(await answerTo(request, sent), sent)
    } catch (error) {
      // An answer that cannot be passed on, as one with status 999, is not read: its connection is of no more use.
      request.destroy()
      // The upstream may have closed a kept connection just as it was used again, or may have read the request: nothing tells the two apart.
      // Only what may be asked twice is asked again. Source: https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2
      if (!isStale(request, error) || !['GET', 'HEAD'].includes(sent.method) || typeof sent.body === 'object') throw error
      return send(sent)
    }
  }
  return {
    fetch: async (input, init) => send(await withForm(read(input, init))),
    close() {
      for (const agent of [http, https]) for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy()
    },
  }
}

function read(input: string | URL | Request, init: RequestInit | undefined): Sent {
  const given = input instanceof Request ? input : undefined
  const url = new URL(input instanceof Request ? input.url : input)
  const headers = new Headers(init?.headers ?? given?.headers)
  headers.set('accept-encoding', 'identity')
  return {
    url,
    headers,
    method: init?.method ?? given?.method ?? 'GET',
    body: init?.body ?? given?.body ?? undefined,
    signal: init?.signal ?? given?.signal ?? undefined,
  }
}

/** A form as bytes, with the type that says how they are divided. What the cache has read of it is what is sent. */
async function withForm(sent: Sent): Promise<Sent> {
  if (!(sent.body instanceof FormData)) return sent
  const encoded = new Response(sent.body)
  const headers = new Headers(sent.headers)
  headers.set('content-type', encoded.headers.get('content-type') ?? '')
  return { ...sent, headers, body: new Uint8Array(await encoded.arrayBuffer()) }
}

/** Sends the request. @returns the head of the answer, whose body is still to be read */
async function answerTo(request: ClientRequest, { body }: Sent): Promise<IncomingMessage> {
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve)
    // Stays: after the answer's head, an error of the connection comes here and at the body, which tells it.
    request.on('error', reject)
  })
  if (body === undefined || body === null) request.end()
  else if (typeof body === 'string' || body instanceof Uint8Array) request.end(body)
  // The types of the platform's streams and those of Node.js differ in name only.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  else if (body instanceof ReadableStream) pour(Readable.fromWeb(body as NodeReadableStream<Uint8Array>), request)
  else throw new TypeError('llmemo-gateway: the body of a call to an upstream must be a text, bytes or a stream.')
  return answer
}

function pour(body: Readable, request: ClientRequest): void {
  body.once('error', (error) => request.destroy(error))
  // An upstream may answer and close before it has read everything.
  request.once('close', () => body.destroy())
  body.pipe(request)
}

function responseOf(incoming: IncomingMessage, { url }: Sent): Response {
  const { statusCode: status = 502, statusMessage: statusText = '', rawHeaders } = incoming
  const headers = new Headers()
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) headers.append(rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '')
  const decoded = decode(incoming, headers)
  const isEmpty = [204, 205, 304].includes(status)
  if (isEmpty) incoming.resume()
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  const body = isEmpty ? null : (Readable.toWeb(decoded) as ReadableStream<Uint8Array<ArrayBuffer>>)
  return Object.defineProperty(new Response(body, { status, statusText, headers }), 'url', { value: url.href })
}

/** The body without its compression, for an upstream that compresses though it is asked not to. */
function decode(incoming: IncomingMessage, headers: Headers): Readable {
  const coding = headers.get('content-encoding')?.trim().toLowerCase()
  if (coding === undefined || !isDecodable(coding)) return incoming
  headers.delete('content-encoding')
  headers.delete('content-length')
  const decoder = decoders[coding]()
  incoming.once('error', (error) => decoder.destroy(error))
  decoder.once('close', () => incoming.destroy())
  return incoming.pipe(decoder)
}

function isDecodable(coding: string): coding is keyof typeof decoders {
  return Object.hasOwn(decoders, coding)
}

function isStale(request: ClientRequest, error: unknown): boolean {
  return request.reusedSocket && error instanceof Error && 'code' in error && error.code === 'ECONNRESET'
}

/** @throws {GatewayError} for a host that is a private address which is not named */
export function assertAllowed({ hostname }: URL, privateHosts: ReadonlySet<string>): void {
  const host = hostname.replaceAll(/^\[|\]$/g, '')
  if (!privateHosts.has(host) && isPrivateAddress(host)) throw refused()
}

/** A lookup that gives no private address, but of a host that is named. What was looked up is what is connected to. */
function guardedLookup(privateHosts: ReadonlySet<string>): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, [])
      if (!privateHosts.has(hostname) && found.some(({ address }) => isPrivateAddress(address))) return callback(refused(), [])
      return options.all === true ? callback(null, found) : give(found, callback)
    })
  }
}

function give(found: readonly LookupAddress[], callback: Parameters<LookupFunction>[2]): void {
  const [first] = found
  callback(null, first?.address ?? '', first?.family)
}

function refused(): GatewayError {
  return new GatewayError(
    'PRIVATE_ADDRESS',
    'the upstream has a private address. If that is meant, name its host in privateHosts or LLMEMO_PRIVATE_HOSTS.',
  )
}
