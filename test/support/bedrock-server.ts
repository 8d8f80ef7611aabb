/**
 * A real server on the loopback that plays Bedrock Runtime: JSON, and streams in AWS's own framing, over HTTP/1.1 or HTTP/2.
 * Source of the framing: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html
 * @module
 */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { constants, createServer as createServer2, type Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Socket } from 'node:net'
import { EventStreamCodec } from '@smithy/eventstream-codec'
import type { ServerEvent } from '../../src/base/server-sent-events.ts'
import type { ProviderHandler, ProviderReply, ProviderRequest, ProviderServer, ReplyHead } from './provider-server.ts'
import { RequestLog } from './request-log.ts'

/** `http1` is what `NodeHttpHandler` speaks, `h2` (without TLS, by prior knowledge) what the SDK's default handler speaks. */
export type Protocol = 'http1' | 'h2'

type Incoming = IncomingMessage | Http2ServerRequest
type Outgoing = ServerResponse | Http2ServerResponse

/** Headers that are another for each request: the SDK's id of it, its time, and the signature over both. */
const ofOneRequest = new Set(['amz-sdk-invocation-id', 'x-amz-date', 'authorization'])

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(Object(bytes)).toString(),
  (text) => Buffer.from(text),
)

/**
 * Starts a Bedrock Runtime on a free port; its `url` is the `endpoint` for the SDK. Headers that are another for each request are not kept.
 *
 * The `events` of a reply are framed as the service frames them, by their name: one ending in `Exception` is an exception that the SDK
 * models, `error` is one that it does not, any other is an event.
 */
export async function startBedrock(protocol: Protocol, handler: ProviderHandler = notFound): Promise<ProviderServer> {
  const log = new RequestLog<ProviderRequest>()
  const connections = new Set<Socket>()
  let answer = handler
  const take = (incoming: Incoming, outgoing: Outgoing): void => {
    let own = false
    outgoing.sendDate = false
    const gone = (): void => {
      if (own) return
      log.wentAway()
    }
    if (outgoing instanceof Http2ServerResponse) {
      outgoing.stream.on('error', () => undefined)
      outgoing.stream.on('aborted', gone)
    } else outgoing.on('close', () => outgoing.writableFinished || gone())
    const reset = (): void => {
      own = true
      if (outgoing instanceof Http2ServerResponse) outgoing.stream.close(constants.NGHTTP2_INTERNAL_ERROR)
      else outgoing.destroy()
    }
    void readRequest(incoming).then((request) => {
      log.came(request)
      return answer(request, replyOn(outgoing, reset))
    }, ignoreAborted)
  }
  const server = protocol === 'h2' ? createServer2(take) : createServer(take)
  server.on('connection', (connection: Socket) => {
    connections.add(connection)
    connection.on('close', () => connections.delete(connection))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new TypeError('the server has no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests: log.requests,
    get aborted() {
      return log.aborted
    },
    respond: (next) => {
      answer = next
    },
    untilRequests: (number) => log.untilRequests(number),
    untilAborted: (number) => log.untilAborted(number),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const connection of connections) connection.destroy()
      }),
  }
}

/** A `chunk` of InvokeModelWithResponseStream, whose bytes are this text. */
export function chunk(text: string): ServerEvent {
  return { event: 'chunk', data: JSON.stringify({ bytes: Buffer.from(text).toString('base64') }) }
}

async function readRequest(incoming: Incoming): Promise<ProviderRequest> {
  const chunks: Uint8Array[] = []
  for await (const part of incoming) if (part instanceof Uint8Array) chunks.push(part)
  const text = Buffer.concat(chunks).toString()
  const { method = '', url = '' } = incoming
  const headers: IncomingHttpHeaders = Object.fromEntries(Object.entries(incoming.headers).filter(([name]) => !ofOneRequest.has(name)))
  const isJson = headers['content-type']?.startsWith('application/json') === true
  const body: unknown = isJson ? JSON.parse(text) : text
  return { method, path: decodeURIComponent(url), headers, body }
}

function replyOn(outgoing: Outgoing, reset: () => void): ProviderReply {
  const begin = (type: string, { status = 200, headers = {} }: ReplyHead = {}): void => {
    for (const [name, value] of Object.entries({ 'content-type': type, ...headers })) outgoing.setHeader(name, value)
    outgoing.statusCode = status
  }
  const whole = (type: string, body: string | Uint8Array, head?: ReplyHead): void => {
    begin(type, head)
    outgoing.end(body)
  }
  return {
    json: (value, head) => whole('application/json', JSON.stringify(value), head),
    text: (text, head) => whole('text/plain; charset=utf-8', text, head),
    bytes: (bytes, head) => whole('application/octet-stream', bytes, head),
    async events(parts, head = {}) {
      begin('application/vnd.amazon.eventstream', head)
      // Over HTTP/2 the head goes out at once.
      if (outgoing instanceof Http2ServerResponse) outgoing.writeHead(outgoing.statusCode)
      else outgoing.flushHeaders()
      for (const part of parts) {
        if (part instanceof Promise) await part
        else if (isOpen(outgoing)) await written(outgoing, frame(part))
      }
      if (head.end === 'reset') reset()
      else if (head.end !== 'never' && isOpen(outgoing)) outgoing.end()
    },
    reset,
    hold: () => undefined,
  }
}

/** One event in the framing of the service. */
export function frame({ event = '', data }: ServerEvent): Uint8Array {
  if (event === 'error') {
    const headers = { ':message-type': string('error'), ':error-code': string('InternalError'), ':error-message': string(data) }
    return codec.encode({ headers, body: new Uint8Array() })
  }
  const kind = event.endsWith('Exception') ? 'exception' : 'event'
  const headers = { [`:${kind}-type`]: string(event), ':content-type': string('application/json'), ':message-type': string(kind) }
  return codec.encode({ headers, body: Buffer.from(data) })
}

function string(value: string) {
  return { type: 'string' as const, value }
}

function isOpen(outgoing: Outgoing): boolean {
  return outgoing instanceof Http2ServerResponse ? !outgoing.stream.destroyed && !outgoing.stream.closed : !outgoing.destroyed
}

/** Resolves when the socket has taken the bytes, or when it has gone, so that a reset after them cannot overtake them. */
function written(outgoing: Outgoing, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => resolve()
    if (outgoing instanceof Http2ServerResponse) outgoing.stream.write(bytes, done)
    else outgoing.write(bytes, done)
  })
}

function notFound({ path }: ProviderRequest, reply: ProviderReply): void {
  reply.json({ message: `unknown path ${path}` }, { status: 404, headers: { 'x-amzn-errortype': 'ResourceNotFoundException' } })
}

/** A client that goes away while it still sends has no answer to get. */
function ignoreAborted(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ECONNRESET')) throw error
}
