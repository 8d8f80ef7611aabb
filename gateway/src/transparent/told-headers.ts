/**
 * The headers of an answer for the client, with what the cache says of it.
 * @module
 */
import { cacheInfo } from 'llmemo'
import { answerHeaders } from './headers.ts'

/** The headers for the client, as names and values. */
export function toldHeaders(response: Response): [string, string][] {
  const info = cacheInfo(response)
  const headers = answerHeaders(response.headers).map(([name, value]): [string, string] => [name, value])
  if (info === undefined) headers.push(['cache-status', 'llmemo; fwd=bypass'])
  else {
    headers.push(['x-llmemo-source', info.source])
    if (info.key !== '') headers.push(['x-llmemo-key', info.key])
    if (info.savedUsd !== null) headers.push(['x-llmemo-saved-usd', String(info.savedUsd)])
  }
  return headers
}
