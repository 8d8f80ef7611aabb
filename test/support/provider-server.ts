/**
 * A real HTTP server on the loopback that plays a provider: it keeps what it was asked, and answers as the test says.
 * @module
 */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { formatEvents, type ServerEvent } from '../../src/base/server-sent-events.ts'
import { RequestLog } from './request-log.ts'

/** A promise that the test resolves. */
export type Gate = Promise<void> & { readonly open: () => void }

/** One request as it came over the socket. */
export interface ProviderRequest {
  readonly method: string
  /** With the query: `/v1/chat/completions`. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** The JSON, parsed, where it is some; else the text. */
  readonly body: unknown
}

/** Status and headers of an answer. */
export interface ReplyHead {
  /** @default 200 */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
}

/** What a stream is written of: an event, or something to be waited for before the next one. */
export type StreamPart = ServerEvent | Promise<unknown>

/** The ways to answer one request. One of them is to be called. */
export interface ProviderReply {
  json(value: unknown, head?: ReplyHead): void
  text(text: string, head?: ReplyHead): void
  bytes(bytes: Uint8Array, head?: ReplyHead): void
  /**
   * Writes the events one by one; at a promise among them it waits. Then the answer ends as `end` says: cleanly, by a reset of the socket,
   * or never.
   * @default end 'clean'
   */
  events(parts: readonly StreamPart[], head?: ReplyHead & { readonly end?: 'clean' | 'reset' | 'never' }): Promise<void>
  /** Destroys the socket, answered or not. */
  reset(): void
  /** Never answers. */
  hold(): void
}

/** Answers one request. */
export type ProviderHandler = (request: ProviderRequest, reply: ProviderReply) => unknown

/** A server that plays a provider. */
export interface ProviderServer {
  /** The base URL for an SDK: `http://127.0.0.1:PORT/v1`. */
  readonly url: string
  /** Every request, in the order in which they came in whole. */
  readonly requests: readonly ProviderRequest[]
  /** How many requests' clients went away before the answer's end. */
  readonly aborted: number
  /** Sets what answers from now on. */
  respond(handler: ProviderHandler): void
  /** Resolves as soon as that many requests have come, since the server was started. */
  untilRequests(number: number): Promise<void>
  /** Resolves as soon as that many requests' clients have gone away. */
  untilAborted(number: number): Promise<void>
  /** Ends the server and every connection to it. */
  close(): Promise<void>
}

/** A promise that resolves when the test opens it. */
export function gate(): Gate {
  const { promise, resolve } = Promise.withResolvers<void>()
  return Object.assign(promise, { open: resolve })
}

/** Starts a provider on a free port. Without a handler it answers 404, as a provider does to a path that it does not know. */
export async function startProvider(handler: ProviderHandler = notFound): Promise<ProviderServer> {
  const log = new RequestLog<ProviderRequest>()
  let answer = handler
  const server = createServer((incoming, outgoing) => {
    let own = false
    outgoing.on('close', () => {
      if (own || outgoing.writableFinished) return
      log.wentAway()
    })
    const reset = (): void => {
      own = true
      outgoing.destroy()
    }
    void readRequest(incoming).then((request) => {
      log.came(request)
      return answer(request, replyOn(outgoing, reset))
    }, ignoreAborted)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new TypeError('the server has no port')
  return {
    url: `http://127.0.0.1:${address.port}/v1`,
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
        server.closeAllConnections()
      }),
  }
}

async function readRequest(incoming: IncomingMessage): Promise<ProviderRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) if (chunk instanceof Buffer) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString()
  const { method = '', url = '', headers } = incoming
  const isJson = headers['content-type']?.startsWith('application/json') === true
  const body: unknown = isJson ? jsonOrText(text) : text
  return { method, path: url, headers, body }
}

function replyOn(outgoing: ServerResponse, reset: () => void): ProviderReply {
  const begin = (type: string, { status = 200, headers = {} }: ReplyHead = {}): void => {
    outgoing.writeHead(status, { 'content-type': type, ...headers })
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
      begin('text/event-stream; charset=utf-8', head)
      outgoing.flushHeaders()
      for (const part of parts) {
        if (part instanceof Promise) await part
        else if (!outgoing.destroyed) await written(outgoing, formatEvents([part]))
      }
      if (head.end === 'reset') reset()
      else if (head.end !== 'never') outgoing.end()
    },
    reset,
    hold: () => undefined,
  }
}

/** Resolves when the socket has taken the text, so that a reset after it cannot overtake it. */
function written(outgoing: ServerResponse, text: string): Promise<void> {
  return new Promise((resolve) => {
    outgoing.write(text, () => resolve())
  })
}

function notFound(request: ProviderRequest, reply: ProviderReply): void {
  reply.json(
    { error: { message: `unknown path ${request.path}`, type: 'invalid_request_error', code: null, param: null } },
    { status: 404 },
  )
}

/** A request without a body, or with one that was cut, gets an answer as well. */
function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** A client that goes away while it still sends has no answer to get. */
function ignoreAborted(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ECONNRESET')) throw error
}
