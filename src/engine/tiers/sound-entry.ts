/**
 * Is what came out of a store still an answer? A program that can write to the store can put a valid entry there without one.
 * @module
 */
import { type Entry, wholePart } from '../../entry.ts'
import { type Endpoint } from '../../providers/endpoint.ts'
import { wholeAnswer } from '../../providers/stored-answer.ts'
import { parseEvents } from '../../base/server-sent-events.ts'

/**
 * Whether the entry holds an answer of this endpoint that would be stored today.
 * @param allows called if the endpoint has a reason against the answer: whether it is to be stored all the same
 */
export function isAnswer(entry: Entry, endpoint: Endpoint, allows: (reason: string) => boolean): boolean {
  const { head, body } = entry
  if (head.provider !== endpoint.provider || head.endpoint !== endpoint.name || head.status !== 200) return false
  if (!areHeaders(head.headers)) return false
  if (typeof body !== 'string') return (endpoint.binary === true || endpoint.plain === true) && body.byteLength > 0
  const streamed = head.kind === 'sse'
  if (streamed && endpoint.streaming === undefined) return endpoint.complete?.(parseEvents(body)) === true
  const isOutline = streamed && head.omits.includes(wholePart)
  const answer = isOutline ? endpoint.streaming?.outline?.(parseEvents(body)) : wholeAnswer(entry, endpoint)
  if (answer === undefined || typeof answer === 'string') return false
  const reason = endpoint.skipReason(answer)
  return reason === undefined || allows(reason)
}

// What names and values of headers may be: https://fetch.spec.whatwg.org/#headers-class
const headerName = /^[\w!#$%&'*+.^`|~-]+$/
// oxlint-disable-next-line no-control-regex
const noHeaderValue = /[\0\n\r\u{100}-\u{10ffff}]/u

/** Whether a `Response` can have these headers. */
function areHeaders(headers: Readonly<Record<string, string>>): boolean {
  return Object.entries(headers).every(([name, value]) => headerName.test(name) && !noHeaderValue.test(value))
}

/** Whether the entry holds a value of the caller's own. */
export function isValue({ head, body }: Entry): boolean {
  if (head.endpoint !== '' || head.kind !== 'json' || typeof body !== 'string') return false
  try {
    JSON.parse(body)
    return true
  } catch {
    return false
  }
}
