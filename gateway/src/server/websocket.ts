/**
 * The streams of events over a WebSocket. It asks as a `GET` would, so a key, a rate and a limit count for both alike, and tells each event of
 * the stream as a message.
 * @module
 */
import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock } from 'llmemo'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Connection } from '../context.ts'

/** What WebSockets need. */
export interface WebSocketOptions {
  /** Answers a request, here with a stream of events. */
  readonly fetch: (request: Request, connection: Connection) => Promise<Response>
  readonly clock: Clock
}

/** The path that can be asked over a WebSocket. */
const path = /^\/events(?:\?|$)/

/** The protocol that a page names beside the one that holds its key, as it can send no header. */
const protocol = 'llmemo.events'
const keyProtocol = 'llmemo.key.'

/** Bytes of a message by a client. The gateway reads none. */
const maxMessageBytes = 1_024

/** Messages and pings of a client, after which it is cut off. One ping a second is far below, as a stream lasts ten minutes. */
const maxMessages = 1_000

/** Milliseconds after which a client that does not read is cut off. A stream ends before. */
const longest = 11 * 60_000

/** Milliseconds that a client has to answer a close. */
const closeTimeout = 1_000

/** Whether this request asks for a WebSocket. Any other upgrade (`h2c`, which some clients offer) is answered as if it asked for none. */
export function isWebSocket({ method, url = '', headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket' && path.test(url)
}

/** Lets a server take WebSockets. A Node.js that cannot tell the kinds of upgrades apart takes none: it would break the others. */
export function takeWebSockets(http: Server, { fetch, clock }: WebSocketOptions): void {
  if (!('shouldUpgradeCallback' in http)) return
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: maxMessageBytes,
    handleProtocols: (offered) => (offered.has(protocol) ? protocol : false),
  })
  http.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    // One that goes away is no error of the gateway's.
    socket.on('error', () => socket.destroy())
    upgrade(incoming, socket, head).catch(() => socket.destroy())
  })

  async function upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const request = requestOf(incoming)
    if (request === undefined) return refuse(socket, new Response(null, { status: 400 }))
    const { remoteAddress } = incoming.socket
    const response = await fetch(request, { ...(remoteAddress !== undefined && { remoteAddress }) })
    const { body } = response
    if (body === null || response.status !== 200) return refuse(socket, response)
    const reader = body.getReader()
    if (socket.destroyed) return reader.cancel()
    server.handleUpgrade(incoming, socket, head, (webSocket) => {
      void tell(webSocket, reader, clock).catch(() => webSocket.terminate())
    })
  }
}

/** What a client without a WebSocket would ask; `undefined` if the request is none that can be upgraded. */
function requestOf({ url = '', headers: given }: IncomingMessage): Request | undefined {
  const { host = '', 'sec-websocket-key': key = '', 'sec-websocket-version': version = '' } = given
  const target = URL.parse(url, `http://${host}`)
  if (target === null || !/^[+/\dA-Za-z]{22}==$/.test(key) || version !== '13') return undefined
  const headers = new Headers()
  for (const [name, value] of Object.entries(given)) {
    if (typeof value === 'string' && !/^(?:connection|upgrade|sec-websocket-.*)$/.test(name)) headers.set(name, value)
  }
  const offered = (given['sec-websocket-protocol'] ?? '').split(',').map((each) => each.trim())
  const own = offered.find((each) => each.startsWith(keyProtocol))
  if (own !== undefined && !headers.has('x-llmemo-api-key')) headers.set('x-llmemo-api-key', own.slice(keyProtocol.length))
  const lastId = target.searchParams.get('lastEventId')
  if (lastId !== null && /^[\w-]{1,64}$/.test(lastId)) headers.set('last-event-id', lastId)
  return new Request(target, { headers })
}

/** Answers with what a client without a WebSocket would get. */
async function refuse(socket: Duplex, response: Response): Promise<void> {
  const body = Buffer.from(await response.arrayBuffer())
  const headers = Array.from(response.headers, ([name, value]) => `${name}: ${value}\r\n`).join('')
  const head = `HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ''}\r\n${headers}`
  socket.end(Buffer.concat([Buffer.from(`${head}connection: close\r\ncontent-length: ${body.byteLength}\r\n\r\n`), body]))
}

/** Tells each event as a message. The next one is read when the client has taken the last, so a slow client takes no memory. */
async function tell(socket: WebSocket, reader: ReadableStreamDefaultReader<Uint8Array>, clock: Clock): Promise<void> {
  let isAlive = true
  let received = 0
  const count = (): void => {
    if (++received > maxMessages) socket.terminate()
  }
  socket
    .on('message', count)
    .on('ping', count)
    .on('error', () => undefined)
  socket.on('pong', () => {
    isAlive = true
    count()
  })
  const cancelLongest = clock.after(longest, () => socket.terminate())
  socket.once('close', () => {
    cancelLongest()
    void reader.cancel()
  })
  const decoder = new TextDecoder()
  let text = ''
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    text += decoder.decode(read.value, { stream: true })
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const message = messageOf(block)
      if (message !== undefined) await sent(socket, message)
      else if (block.startsWith(':')) {
        // No answer since the last heartbeat.
        if (!isAlive) return socket.terminate()
        isAlive = false
        socket.ping()
      }
    }
  }
  // Going away: the client is to come back. Source: https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1
  socket.close(1001)
  const cancelClose = clock.after(closeTimeout, () => socket.terminate())
  socket.once('close', cancelClose)
}

/** The event of a block as JSON; `undefined` if it is none. */
function messageOf(block: string): string | undefined {
  const fields = new Map(block.split('\n').map((line) => [line.split(':', 1)[0] ?? '', line.slice(line.indexOf(':') + 2)]))
  const [event, data] = [fields.get('event'), fields.get('data')]
  return event === undefined || data === undefined
    ? undefined
    : `{"event":${JSON.stringify(event)},"id":${JSON.stringify(fields.get('id') ?? '')},"data":${data}}`
}

async function sent(socket: WebSocket, message: string): Promise<void> {
  await new Promise<void>((resolve) => {
    socket.send(message, () => resolve())
  })
}
