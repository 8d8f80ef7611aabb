/**
 * The listener: HTTP/1.1 and HTTP/2 without TLS at one port. The client of Bedrock for JavaScript speaks only the latter.
 * @module
 */
import type { EventEmitter } from 'node:events'
import { createServer as createHttpServer, IncomingMessage, type ServerResponse } from 'node:http'
import { constants, createServer as createHttp2Server, type Http2ServerRequest, type ServerHttp2Session } from 'node:http2'
import { createServer as createNetServer, type AddressInfo, type Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Clock } from 'llmemo'
import type { GatewaySettings } from '../config/settings.ts'
import type { Connection, FastLane } from '../context.ts'
import { ClosingPort } from './closing-port.ts'
import { isWebSocket, takeWebSockets } from './websocket.ts'

/** What a listener needs. */
export interface ListenOptions {
  /** Answers a request. */
  readonly fetch: (request: Request, connection: Connection) => Promise<Response>
  /** Takes requests before `fetch` does. @default none */
  readonly lane?: FastLane
  readonly settings: Pick<GatewaySettings, 'server' | 'limits'>
  readonly clock: Clock
  /** Whether further processes listen at the same port, each by itself. @default false */
  readonly shared?: boolean
}

/** A listener at work. */
export interface Listening {
  readonly host: string
  /** The port, also when 0 was asked for. */
  readonly port: number
  /** Takes no more connections, waits for the requests in flight, and cuts off those that take longer than `drain`. */
  drain(): Promise<void>
}

/** The first bytes of HTTP/2. Source: https://www.rfc-editor.org/rfc/rfc9113#section-3.4 */
const preface = 'PRI'

/** Milliseconds between two looks for connections that have become idle, while draining. */
const idleCheck = 20

/** Milliseconds in which a client that is about to send its next request still finds its connection, and is told that it closes. */
const grace = 100

/** Milliseconds for which a session of HTTP/2 is kept that asks for nothing. */
export const idleSession = 60_000

/** Milliseconds between two looks for requests that are too slow. */
const slowCheck = 500

/** Opens the port. */
export async function listen({ fetch, lane, settings, clock, shared = false }: ListenOptions): Promise<Listening> {
  const { server: place, limits } = settings
  const answer = getRequestListener(
    async (request, { incoming }) =>
      fetch(request, {
        ...(incoming.socket.remoteAddress && { remoteAddress: incoming.socket.remoteAddress }),
        ...(lane && incoming instanceof IncomingMessage && { learn: (caller) => lane.learn(incoming, caller) }),
      }),
    { overrideGlobalObjects: false },
  )
  let draining = false
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    if (draining) response.setHeader('connection', 'close')
    if (lane?.take(request, response) !== true) void answer(request, response)
  }
  const http1 = createHttpServer(
    {
      headersTimeout: limits.head * 1_000,
      requestTimeout: limits.request * 1_000,
      connectionsCheckingInterval: slowCheck,
      shouldUpgradeCallback: isWebSocket,
    },
    handle,
  )
  takeWebSockets(http1, { fetch, clock })
  const http2 = createHttp2Server((request, response) => {
    const { stream } = request
    // HTTP/2 of Node.js has no bound of time of its own.
    const cancel = stream.endAfterHeaders
      ? (): void => undefined
      : clock.after(limits.request * 1_000, () => stream.close(constants.NGHTTP2_CANCEL))
    stream.once('close', cancel)
    failIfReset(request, cancel)
    void answer(request, response)
  })
  // It has no port of its own, and without this event does not look for slow and idle connections.
  http1.emit('listening')
  const sessions = new Set<ServerHttp2Session>()
  http2.on('session', (session) => {
    sessions.add(session)
    endIdle(session, clock, limits.head * 1_000)
    session.once('close', () => sessions.delete(session))
  })
  const sockets = new Set<Socket>()
  /** Connections that have sent nothing yet. Clients open some in advance. */
  const silent = new Set<Socket>()
  const take = (socket: Socket): void =>
    handOver(socket, limits.head * 1_000, (isHttp2) => {
      silent.delete(socket)
      return isHttp2 ? http2 : http1
    })
  const port = new ClosingPort(clock, take)
  // As the servers of HTTP set it, had they the port: else the second piece of an answer waits for the client to confirm the first.
  const net = createNetServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    silent.add(socket)
    socket.once('close', () => sockets.delete(socket) && silent.delete(socket))
    // One that is reset before it is handed over.
    socket.on('error', () => undefined)
    port.accept(socket)
  })
  await new Promise<void>((resolve, reject) => {
    net.once('error', reject)
    net.listen({ port: place.port, host: place.host, exclusive: shared, reusePort: shared }, resolve)
  })
  return {
    host: place.host,
    port: addressOf(net.address()).port,
    async drain() {
      const cancelDeadline = clock.after(place.drain * 1_000, () => sockets.forEach((socket) => socket.destroy()), true)
      draining = true
      for (const session of sessions) session.close()
      const closed = Promise.withResolvers<void>()
      await port.end(() => net.close(() => closed.resolve()))
      let isClosed = false
      const closeIdle = (): void => {
        // What has come meanwhile is read first.
        setImmediate(() => {
          for (const socket of silent) socket.destroy()
          http1.closeIdleConnections()
        })
        if (!isClosed) clock.after(idleCheck, closeIdle)
      }
      clock.after(grace, closeIdle, true)
      await closed.promise
      isClosed = true
      // It does not run by itself, and says so.
      http1.close(() => undefined)
      cancelDeadline()
    },
  }
}

/**
 * Lets the body of a request fail whose stream the client resets. Node.js first ends it like a whole one, and half an upload would be taken
 * for all of it; that the stream was reset is known in the next turn.
 * @param ended called when there is no more of the body
 */
function failIfReset(request: Http2ServerRequest, ended: () => void): void {
  const push = request.push.bind(request)
  request.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (chunk !== null) return push(chunk, encoding)
    ended()
    setImmediate(() => push(null))
    return false
  }
  request.on('error', () => undefined)
  request.stream.once('aborted', () => request.destroy(new Error('llmemo-gateway: the client reset its stream.')))
}

/** Ends a session that asks for nothing at first, and closes one that asks for nothing any more. Node.js would keep both for ever. */
function endIdle(session: ServerHttp2Session, clock: Clock, first: number): void {
  let open = 0
  let cancel = clock.after(first, () => session.destroy())
  session.on('stream', (stream) => {
    cancel()
    open++
    stream.once('close', () => {
      if (--open === 0 && !session.closed && !session.destroyed) cancel = clock.after(idleSession, () => session.close())
    })
  })
  session.once('close', () => cancel())
}

/** Gives a connection to the server whose protocol its first bytes are of. */
function handOver(socket: Socket, timeout: number, serverOf: (isHttp2: boolean) => EventEmitter): void {
  let begun = Buffer.alloc(0)
  const end = (): unknown => socket.destroy()
  const look = (): void => {
    for (let chunk: unknown = socket.read(); Buffer.isBuffer(chunk); chunk = socket.read()) begun = Buffer.concat([begun, chunk])
    const text = begun.toString('latin1', 0, preface.length)
    // A `P` may begin a POST as well.
    if (text.length < preface.length && preface.startsWith(text)) return
    socket.off('readable', look).off('end', end).off('error', end).off('timeout', end).setTimeout(0)
    socket.unshift(begun)
    serverOf(text === preface).emit('connection', socket)
  }
  // A peer that says nothing, or goes away before its first bytes.
  socket.on('readable', look).on('end', end).on('error', end).on('timeout', end).setTimeout(timeout)
}

function addressOf(address: AddressInfo | string | null): AddressInfo {
  if (typeof address === 'object' && address !== null) return address
  throw new TypeError('the listener has no port')
}
