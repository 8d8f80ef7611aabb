/**
 * Writes an answer out of memory to a client of Node.js' own server: head and body at once.
 * @module
 */
import type { ServerResponse } from 'node:http'
import type { StoredAnswer } from 'llmemo'
import { isForClient } from './headers.ts'

/** Writes an answer with what the cache says of it. @returns false for one with a header that cannot be sent; nothing is written then */
export function writeStored({ status, headers, body, key, source, savedUsd }: StoredAnswer, outgoing: ServerResponse): boolean {
  const head: string[] = []
  for (const name in headers) if (isForClient(name)) head.push(name, headers[name] ?? '')
  head.push('x-llmemo-source', source, 'x-llmemo-key', key)
  if (savedUsd !== null) head.push('x-llmemo-saved-usd', String(savedUsd))
  const length = Buffer.byteLength(body)
  head.push('content-length', String(length))
  try {
    outgoing.writeHead(status, head)
  } catch {
    return false
  }
  // Characters of one byte are the same in both; the socket takes these as they are.
  if (length === body.length) outgoing.end(body, 'latin1')
  else outgoing.end(body)
  return true
}
