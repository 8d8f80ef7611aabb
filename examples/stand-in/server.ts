/**
 * A stand-in for a provider, so that the examples run without a key and without a network. It speaks OpenAI's chat completions, responses
 * and embeddings, Anthropic's messages, and Bedrock's Converse and InvokeModel over real HTTP on the loopback address, whole and streamed,
 * and takes the time that a model would take: 300 to 900 ms for a whole answer, and for a stream 300 ms to its first event and 25 ms
 * between two events.
 *
 * `STAND_IN_SPEED` in the environment says how many times as fast it is. @default 1
 * @module
 */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import type { InvokeBody } from './bedrock.ts'
import { chatChunks, completeChat } from './chat.ts'
import { embed } from './embeddings.ts'
import { answerMessage, countMessage, messageEvents } from './messages.ts'
import { respond, responseEvents } from './responses.ts'

/** A stand-in that is running. */
export interface StandIn {
  /**
   * The address to give to an SDK. It is the same in every run, although the port is not: the address is part of the key of each answer.
   * No host can have this name: https://www.rfc-editor.org/rfc/rfc2606
   */
  readonly baseURL: string
  /** The port of the loopback address on which it listens. */
  readonly port: number
  /** A `fetch` that sends requests for that address to the port. */
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>
  /** How many requests came in. */
  calls(): number
  close(): Promise<void>
}

/** An answer: one body, or the events of a stream. */
type Answer =
  | { readonly status: number; readonly body: object }
  | { readonly events: readonly (string | Uint8Array)[]; readonly type: string }

const host = 'http://stand-in.invalid'
const sse = 'text/event-stream; charset=utf-8'

/** Models whose id has a date in a provider's answer, though the caller's request has none. */
const dated: ReadonlyMap<string, string> = new Map([
  ['gpt-5-mini', 'gpt-5-mini-2025-08-07'],
  ['claude-haiku-4-5', 'claude-haiku-4-5-20251001'],
])

/** Starts a stand-in on a free port of the loopback address. */
export async function startStandIn(): Promise<StandIn> {
  const speed = Number(process.env['STAND_IN_SPEED'] ?? 1)
  if (!(speed > 0)) throw new TypeError('STAND_IN_SPEED must be a number above 0')
  let requests = 0
  const server = createServer((request, response) => {
    serve(request, response, (requests += 1), speed).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const local = (url: string): string => url.replace(host, `http://127.0.0.1:${port}`)
  return {
    baseURL: host,
    port,
    calls: () => requests,
    fetch: (input, init) =>
      input instanceof Request ? fetch(new Request(local(input.url), input), init) : fetch(local(String(input)), init),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  }
}

async function serve(request: IncomingMessage, response: ServerResponse, number: number, speed: number): Promise<void> {
  const chunks: Uint8Array[] = []
  for await (const chunk of request) if (chunk instanceof Uint8Array) chunks.push(chunk)
  const body = Buffer.concat(chunks).toString()
  // Each answer has an id of its own, as a provider's has. If an id occurs twice, the second answer came from a cache.
  const id = createHash('sha256').update(`${number} ${body}`).digest('hex').slice(0, 48)
  const answer = await answerFor(request.method ?? '', request.url ?? '', body, id)
  for (const name of ['x-request-id', 'request-id', 'x-amzn-requestid']) response.setHeader(name, `req_${id.slice(0, 32)}`)
  response.setHeader('openai-version', '2020-10-01')
  if ('events' in answer) return stream(response, answer.events, answer.type, speed)
  const text = JSON.stringify(answer.body)
  const pause = answer.status === 200 ? Math.min(900, 300 + body.length / 40 + text.length / 10) : 0
  response.setHeader('openai-processing-ms', Math.round(pause))
  await wait(pause / speed)
  response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text)
}

async function stream(response: ServerResponse, events: readonly (string | Uint8Array)[], type: string, speed: number): Promise<void> {
  await wait(300 / speed)
  response.writeHead(200, { 'content-type': type })
  for (const event of events) {
    if (response.destroyed) return
    response.write(event)
    await wait(25 / speed)
  }
  response.end()
}

async function answerFor(method: string, url: string, body: string, id: string): Promise<Answer> {
  const [path = ''] = url.split('?')
  const parsed: unknown = method === 'POST' ? parse(body) : undefined
  if (typeof parsed !== 'object' || parsed === null) return failure(400, 'The body must be a JSON object.')
  // Bedrock's requests have the model in the path.
  const [, bedrockModel, action = ''] = /^\/model\/([^/]+)\/([\w-]+)$/.exec(path) ?? []
  if (bedrockModel !== undefined) return bedrockAnswer(action, body, id, decodeURIComponent(bedrockModel))
  const model = String(Reflect.get(parsed, 'model') ?? '')
  if (model === '') return failure(400, 'The body must have a model.')
  const answering = dated.get(model) ?? model
  // Only the SDKs of the examples send requests here, and an SDK checks what it sends. So the type is not checked again.
  if (path.endsWith('/chat/completions')) {
    const request: Parameters<typeof completeChat>[0] = JSON.parse(body)
    const completion = completeChat(request, id, answering)
    if (request.stream !== true) return { status: 200, body: completion }
    const chunks = chatChunks(request, completion).map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`)
    return { events: [...chunks, 'data: [DONE]\n\n'], type: sse }
  }
  if (path.endsWith('/responses')) {
    const request: Parameters<typeof respond>[0] = JSON.parse(body)
    const response = respond(request, id, answering)
    return request.stream === true ? named(responseEvents(response)) : { status: 200, body: response }
  }
  if (path.endsWith('/embeddings')) {
    const request: Parameters<typeof embed>[0] = JSON.parse(body)
    return { status: 200, body: embed(request, answering) }
  }
  if (path.endsWith('/messages/count_tokens')) {
    const request: Parameters<typeof countMessage>[0] = JSON.parse(body)
    return { status: 200, body: { input_tokens: countMessage(request) } }
  }
  if (path.endsWith('/messages')) {
    const request: Parameters<typeof answerMessage>[0] = JSON.parse(body)
    const message = answerMessage(request, id, answering)
    return Reflect.get(parsed, 'stream') === true ? named(messageEvents(message)) : { status: 200, body: message }
  }
  return failure(404, `Unknown request URL: ${method} ${path}.`)
}

async function bedrockAnswer(action: string, body: string, id: string, model: string): Promise<Answer> {
  // Loaded when it is needed, as it imports a package of the AWS SDK that users of other providers do not have.
  const { converse, converseFrames, invoke } = await import('./bedrock.ts')
  if (action === 'invoke') {
    const request: InvokeBody = JSON.parse(body)
    return { status: 200, body: invoke(request, id, model) }
  }
  const request: Parameters<typeof converse>[0] = JSON.parse(body)
  if (action === 'converse') return { status: 200, body: converse(request) }
  if (action === 'converse-stream') return { events: converseFrames(converse(request)), type: 'application/vnd.amazon.eventstream' }
  return failure(404, `Unknown operation: ${action}.`)
}

/** Server-sent events with names. */
function named(events: readonly object[]): Answer {
  return { events: events.map((event) => `event: ${String(Reflect.get(event, 'type'))}\ndata: ${JSON.stringify(event)}\n\n`), type: sse }
}

function failure(status: number, message: string): Answer {
  return { status, body: { error: { message, type: 'invalid_request_error', param: null, code: null } } }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
