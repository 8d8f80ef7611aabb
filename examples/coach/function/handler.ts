/**
 * The functions: `handler` answers each request whole, `streamHandler` streams the answers of `POST /api/ai/chat`.
 * @module
 */
import type { Writable } from 'node:stream'
import { answer, changeProfile, invalidate, settled, stats, streamed } from './coach.ts'
import { type Asked, asked, failed, type HttpEvent, type HttpResult, json, RequestError } from './http.ts'

/** What Lambda puts there for handlers that stream. */
declare const awslambda: {
  streamifyResponse<Handler>(handler: Handler): Handler
  readonly HttpResponseStream: { from(stream: Writable, head: Omit<HttpResult, 'body'>): Writable }
}

const routes: ReadonlyMap<string, (given: Asked) => Promise<object>> = new Map([
  ['POST /api/ai/chat', (given) => answer(given, 'chat')],
  ['POST /api/ai/plan', (given) => answer(given, 'plan')],
  ['PUT /api/profile', changeProfile],
  ['GET /api/ai/cache/stats', stats],
  ['POST /api/ai/cache/invalidate', invalidate],
])

/** Answers one request. */
export async function handler(event: HttpEvent): Promise<HttpResult> {
  try {
    const given = asked(event)
    const route = routes.get(given.route)
    if (route === undefined) throw new RequestError(404, `There are ${[...routes.keys()].join(', ')}.`)
    return json(200, await route(given))
  } catch (error) {
    return failed(error)
  } finally {
    await settled()
  }
}

/** Answers one request of a function URL with response streaming: each piece is an event, and the last one has the facts. */
export const streamHandler = awslambda.streamifyResponse(async (event: HttpEvent, stream: Writable) => {
  let out: Writable | undefined
  try {
    for await (const piece of streamed(asked(event))) {
      // Only now, as an error before has a status of its own.
      out ??= awslambda.HttpResponseStream.from(stream, { statusCode: 200, headers: { 'content-type': 'text/event-stream' } })
      out.write(`data: ${JSON.stringify(piece)}\n\n`)
    }
  } catch (error) {
    const { body, ...head } = failed(error)
    if (out === undefined) {
      out = awslambda.HttpResponseStream.from(stream, head)
      out.write(body)
    } else out.write(`event: error\ndata: ${body}\n\n`)
  } finally {
    await settled()
    out?.end()
  }
})
