/**
 * The stand-in provider of a soak: it speaks chat completions, whole and streamed, and its answers name the question they answer.
 * @module
 */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { formatEvents } from '../../src/base/server-sent-events.ts'
import { answer, promptIn } from '../support/chat.ts'
import { machineTime } from './messages.ts'
import { digestOf } from './questions.ts'

/** A provider that listens. */
export interface Origin {
  readonly port: number
  /** How often it was asked. */
  readonly asked: number
  close(): Promise<void>
}

/** What an answer says. */
export interface Content {
  /** Of the question and of its API key. */
  readonly digest: string
  /** How many answers this question has had. */
  readonly version: number
  /** When the origin was asked. */
  readonly made: number
  /** Milliseconds that it takes over the answer. */
  readonly took: number
}

/** Bytes of the few answers that are large, before they are written as text: more than one chunk where Redis has small ones. */
const large = 30_000

/** Starts it on a free port. @param random by which it is quicker or slower */
export async function startOrigin(random: () => number): Promise<Origin> {
  const versions = new Map<string, number>()
  let asked = 0
  // A connection that the server ends while a client begins to use it would fail a call, with or without a cache.
  const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
    const made = machineTime()
    asked++
    const reply = async (): Promise<void> => {
      const body = await textOf(request)
      const apiKey = request.headers.authorization?.replace(/^Bearer /, '') ?? ''
      const digest = digestOf({ apiKey, text: promptIn(body) })
      const version = (versions.get(digest) ?? 0) + 1
      versions.set(digest, version)
      const took = Math.round(5 + random() * 50)
      await wait(took)
      const text = written({ digest, version, made, took }, randomBytes(version % 20 === 0 ? large : 300).toString('base64'))
      if (/"stream":true/.test(body)) stream(response, text)
      else response.setHeader('content-type', 'application/json').end(JSON.stringify(answer(text)))
    }
    // A client that goes away while it sends gets no answer.
    reply().catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new TypeError('the origin has no port')
  return {
    port: address.port,
    get asked() {
      return asked
    },
    async close() {
      server.closeAllConnections()
      const closed = once(server, 'close')
      server.close()
      await closed
    },
  }
}

/**
 * What an answer says.
 * @throws {Error} when it is not as it was written: a part is missing, or is another answer's
 */
export function readContent(text: string): Content {
  const [head = '', filling = '', seal] = text.split('\n')
  if (seal !== sealOf(head, filling)) throw new Error('an answer is not whole')
  const content: Content = JSON.parse(head)
  return content
}

function written(content: Content, filling: string): string {
  const head = JSON.stringify(content)
  return `${head}\n${filling}\n${sealOf(head, filling)}`
}

function sealOf(head: string, filling: string): string {
  return createHash('sha256').update(`${head}\n${filling}`).digest('hex')
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) if (chunk instanceof Buffer) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

/** The answer in pieces, as a model writes it. */
function stream(response: ServerResponse, text: string): void {
  const { id, model, created, usage } = answer()
  const chunk = (choices: readonly unknown[], rest: object = {}) => ({
    data: JSON.stringify({ id, model, created, object: 'chat.completion.chunk', choices, ...rest }),
  })
  const delta = (content: string) => chunk([{ index: 0, delta: { content }, finish_reason: null }])
  const pieces = text.match(/[^]{1,4000}/g) ?? []
  response.setHeader('content-type', 'text/event-stream')
  for (const piece of pieces) response.write(formatEvents([delta(piece)]))
  const last = [chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]), chunk([], { usage }), { data: '[DONE]' }]
  response.end(formatEvents(last))
}
