/**
 * The short way of a request whose head is that of one which came a moment ago: who asks, where it goes and what it asks of the cache are
 * known. It makes no `Request` and reads no header again. What memory has is written at once. All other calls are those of any other request.
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { StoredAnswers } from 'llmemo'
import type { Caller } from '../caller.ts'
import type { FastLane, GatewayContext } from '../context.ts'
import type { Prepared, TransparentGateway } from './gateway.ts'
import { type Body, textOf } from './body.ts'
import { writeResponse } from './write-response.ts'
import { writeStored } from './write-stored.ts'

/** Milliseconds for which a head is known. So much longer a key may work that is revoked. */
const goodFor = 1_000

/** Heads that are known at a time, and the characters of one. */
const maxHeads = 256
const maxHeadLength = 8_192

/** Bytes of a body. Longer ones take longer to send than the rest of their way. */
const maxBodyBytes = 1_048_576

interface KnownHead {
  readonly prepared: Prepared
  /** What finds its answers in memory. @default there are none */
  answers?: StoredAnswers | undefined
  /** By the monotonic clock. */
  readonly at: number
}

/** Makes the lane of a gateway. */
export function fastLane({ clock, closing, options }: GatewayContext, gateway: TransparentGateway): FastLane {
  const heads = new Map<string, KnownHead>()
  const limit = Math.min(maxBodyBytes, options.limits.bodyBytes)
  return {
    take(incoming, outgoing) {
      if (closing.aborted || heads.size === 0 || !isUsual(incoming, limit)) return false
      const head = headOf(incoming)
      const known = heads.get(head)
      if (known === undefined) return false
      if (clock.monotonic() - known.at > goodFor) {
        heads.delete(head)
        return false
      }
      answer(gateway, known, { incoming, outgoing })
      return true
    },
    learn(incoming, caller) {
      if (!isUsual(incoming, limit) || hasTwice(incoming)) return
      const head = headOf(incoming)
      const prepared = head.length > maxHeadLength ? undefined : preparedOf(gateway, incoming, caller)
      if (prepared === undefined) return
      const [oldest] = heads.keys()
      if (heads.size >= maxHeads && oldest !== undefined) heads.delete(oldest)
      const known: KnownHead = { prepared, at: clock.monotonic() }
      heads.set(head, known)
      void gateway.stored(prepared).then((answers) => (known.answers = answers))
    },
  }
}

/** Whether a request is one that providers are asked: JSON of a known length. */
function isUsual({ method, headers }: IncomingMessage, limit: number): boolean {
  const length = Number(headers['content-length'])
  return (
    method === 'POST' &&
    length > 0 &&
    length <= limit &&
    headers['content-type']?.startsWith('application/json') === true &&
    headers['upgrade'] === undefined &&
    headers['expect'] === undefined &&
    headers['origin'] === undefined
  )
}

/** All that a head says, but how long its body is, and where it came from. */
function headOf({ url = '', rawHeaders, socket }: IncomingMessage): string {
  let head = `${socket.remoteAddress} ${url}`
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    head += name.length === 14 && name.toLowerCase() === 'content-length' ? '' : `\n${name}:${rawHeaders[index + 1]}`
  }
  return head
}

/** Whether a header stands there twice. Node.js and the web do not read all of these alike. */
function hasTwice({ headers, rawHeaders }: IncomingMessage): boolean {
  return rawHeaders.length !== 2 * Object.keys(headers).length
}

/** The call that a head comes to, if nothing but the body is needed for it. */
function preparedOf(gateway: TransparentGateway, { url = '', headers: given }: IncomingMessage, caller: Caller): Prepared | undefined {
  const headers = new Headers()
  for (const [name, value] of Object.entries(given)) if (typeof value === 'string') headers.set(name, value)
  const target = URL.parse(url, `http://${given.host ?? ''}`)
  const prepared = target === null ? undefined : gateway.prepare({ url: target.href, method: 'POST', headers }, caller)
  if (prepared === undefined || prepared instanceof Response) return undefined
  const { options, maxAge, staleIfError } = prepared.steering
  const isSteered = Object.keys(options).length > 0 || maxAge !== Infinity || staleIfError
  return isSteered || !prepared.mayAsk ? undefined : prepared
}

interface Exchange {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
}

function answer(gateway: TransparentGateway, { prepared, answers }: KnownHead, { incoming, outgoing }: Exchange): void {
  const chunks: Buffer<ArrayBuffer>[] = []
  incoming.on('data', (chunk: Buffer<ArrayBuffer>) => chunks.push(chunk))
  incoming.on('error', () => outgoing.destroy())
  incoming.on('end', () => {
    const [first, ...others] = chunks
    const body = textOf(first === undefined || others.length > 0 ? Buffer.concat(chunks) : first)
    const stored = typeof body === 'string' ? answers?.(body) : undefined
    if (stored === undefined || !writeStored(stored, outgoing)) void run(gateway, prepared, { body, outgoing })
  })
}

/** A call whose body is there. */
interface Received {
  readonly body: Body
  readonly outgoing: ServerResponse
}

async function run(gateway: TransparentGateway, prepared: Prepared, { body, outgoing }: Received): Promise<void> {
  if (outgoing.destroyed) return
  const gone = new AbortController()
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) gone.abort()
  })
  try {
    await writeResponse(await gateway.run(prepared, body, gone.signal), outgoing)
  } catch {
    // The client is gone, or the upstream broke off in the middle of its answer: the client is to see that it did.
    outgoing.destroy()
  }
}
