/**
 * The handlers that Lambda calls for HTTP requests.
 * @module
 */
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { LambdaTimeoutError } from '../errors.ts'
import { headersIn, httpEvent, type HttpResult } from './http-event.ts'
import { deadline, type LambdaContext, opened, type OpenServed, type Served, settled, unlessAborted } from './served.ts'

/** A handler that answers with the whole response. */
export type HttpHandler = (event: unknown, context: LambdaContext) => Promise<HttpResult>

/** The stream that Lambda hands to a handler that streams. */
export interface ResponseStream extends Writable {
  setContentType(type: string): void
}

/** A handler that streams. */
export type StreamHandler = (event: unknown, stream: ResponseStream, context: LambdaContext) => Promise<void>

/** By it, Lambda knows a handler that streams; `awslambda.streamifyResponse` sets the same. */
const streaming = Symbol.for('aws.lambda.runtime.handler.streaming')

/** Head and body of a streamed response are apart by so many zero bytes. */
const separator = new Uint8Array(8)
const withHead = 'application/vnd.awslambda.http-integration-response'

/**
 * A handler for API Gateway (payload 1.0 and 2.0), function URLs and load balancers. Before it returns, everything that was to be kept is in
 * the store.
 */
export function createHttpHandler(open: OpenServed): HttpHandler {
  const served = opened(open)
  return async (event, context) => {
    const { connection, request, result, maxBytes } = httpEvent(event)
    const time = deadline(context)
    let from: Served | undefined
    try {
      from = await unlessAborted(served(), time.signal)
      const answered = from && answer(from, () => request(time.signal), connection).then(result)
      const whole = (answered && (await unlessAborted(answered, time.signal))) ?? (await result(tooLate()))
      return isTooLarge(whole, maxBytes) ? await result(tooLarge(maxBytes)) : whole
    } finally {
      time.cancel()
      if (from !== undefined) await settled(from, context)
    }
  }
}

/**
 * A handler for function URLs and API Gateway whose response goes out as it comes in.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html
 */
export function createStreamHandler(open: OpenServed): StreamHandler {
  const served = opened(open)
  const handler: StreamHandler = async (event, stream, context) => {
    const { connection, request } = httpEvent(event)
    const time = deadline(context)
    let from: Served | undefined
    try {
      from = await unlessAborted(served(), time.signal)
      const answered = from && answer(from, () => request(time.signal), connection)
      const response = (answered && (await unlessAborted(answered, time.signal))) ?? tooLate()
      await write(response, stream, time.signal)
    } finally {
      time.cancel()
      // Before the end of the stream, as the invocation may end with it.
      if (from !== undefined) await settled(from, context)
    }
    stream.end()
  }
  return Object.assign(handler, { [streaming]: 'response' })
}

async function answer({ gateway }: Served, request: () => Request, connection: { readonly remoteAddress?: string }): Promise<Response> {
  let made: Request
  try {
    made = request()
  } catch {
    return told(400, 'The URL, the method or a header cannot be read.')
  }
  return gateway.fetch(made, connection)
}

async function write(response: Response, stream: ResponseStream, signal: AbortSignal): Promise<void> {
  const { cookies, single } = headersIn(response)
  stream.setContentType(withHead)
  stream.write(JSON.stringify({ statusCode: response.status, headers: single, cookies }))
  stream.write(separator)
  if (response.body === null) return
  try {
    await pipeline(response.body, stream, { end: false, signal })
  } catch (cause) {
    throw signal.aborted ? new LambdaTimeoutError({ cause }) : cause
  }
}

function tooLate(): Response {
  return told(504, 'The function had no time left. Give it more, or ask again: what the provider answers faster is kept.')
}

/** Lambda itself would answer with an error that says nothing. An SDK that asked again would get the same. */
function tooLarge(maxBytes: number): Response {
  const detail = `The answer is larger than the ${Math.floor(maxBytes / 2 ** 20)} MB that may be given whole here. Ask a function with streamHandler.`
  return told(502, detail, { 'x-should-retry': 'false' })
}

/** Characters of JSON that one of a body may become. */
const mostEscaped = 6

function isTooLarge(result: HttpResult, maxBytes: number): boolean {
  if ((result.body.length + 2 ** 16) * mostEscaped <= maxBytes) return false
  return Buffer.byteLength(JSON.stringify(result)) > maxBytes
}

function told(status: number, detail: string, headers: Readonly<Record<string, string>> = {}): Response {
  return Response.json({ error: detail }, { status, headers: { 'cache-control': 'no-store', ...headers } })
}
