/**
 * Writes an answer to a client of Node.js' own server.
 * @module
 */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { cacheInfo } from 'llmemo'
import { isOwnError } from './provider-errors.ts'
import { toldHeaders } from './told-headers.ts'

/** Writes an answer with what the cache says of it. A whole one at once, a stream piece by piece, as fast as the client reads. */
export async function writeResponse(response: Response, outgoing: ServerResponse): Promise<void> {
  const head = (isOwnError(response) ? Array.from(response.headers) : toldHeaders(response)).flat()
  const { status, statusText, body } = response
  if (isWhole(response)) {
    const text = await response.text()
    outgoing.writeHead(status, statusText || undefined, [...head, 'content-length', String(Buffer.byteLength(text))]).end(text)
    return
  }
  // What is there already, often all of an answer, goes to the socket with the head: each write of its own takes a client as long as the rest.
  const { socket } = outgoing
  socket?.cork()
  outgoing.writeHead(status, statusText || undefined, head)
  outgoing.flushHeaders()
  setImmediate(() => socket?.uncork())
  const reader = body?.getReader()
  outgoing.once('close', () => void reader?.cancel().catch(() => undefined))
  for (let read = await reader?.read(); read?.done === false; read = await reader?.read()) {
    if (!outgoing.write(read.value) && !outgoing.destroyed) await Promise.race([once(outgoing, 'drain'), once(outgoing, 'close')])
  }
  outgoing.end()
}

/** Whether all of an answer is here: it is out of the cache, and no stream of events. */
function isWhole(response: Response): boolean {
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
  return isJson && (isOwnError(response) || cacheInfo(response)?.hit === true)
}
