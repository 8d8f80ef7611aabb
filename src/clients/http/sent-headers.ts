/**
 * Headers that a request has otherwise than its caller gave them.
 * @module
 */
import type { Endpoint } from '../../providers/endpoint.ts'

/** The headers for an answer that may be sound or plain text: whether such an answer is whole can be told only if it is not compressed. */
export function uncompressed({ binary, plain }: Endpoint, given: Headers): { headers?: Headers } {
  if ((binary !== true && plain !== true) || given.has('accept-encoding')) return {}
  const headers = new Headers(given)
  headers.set('accept-encoding', 'identity')
  return { headers }
}

/** The headers for another body, if they say the length of the caller's own. */
export function withoutLength(given: Headers): { headers?: Headers } {
  if (!given.has('content-length')) return {}
  const headers = new Headers(given)
  headers.delete('content-length')
  return { headers }
}
