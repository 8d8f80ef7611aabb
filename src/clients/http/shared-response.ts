/**
 * One caller's share of a flight as a `Response`.
 * @module
 */
import { joinedBytes } from '../../base/text-bytes.ts'
import type { LaterInfo } from '../../engine/cache-info.ts'
import { leaveWhenCollected } from '../../engine/flight/collected.ts'
import type { FlightReader } from '../../engine/flight/upstream.ts'
import type { FlightHead } from '../../engine/seam.ts'
import { infoLater, noteInfo } from '../cache-info.ts'
import { LazyHeaders } from '../lazy-headers.ts'
import { LazyResponse } from '../lazy-response.ts'
import { headFor, located, type ResponseHead } from './response.ts'

type Reader = Pick<FlightReader<FlightHead<ResponseHead>, Uint8Array>, 'next' | 'leave'>

/**
 * One caller's share of a flight. Its chunks are copies, which the caller may change.
 * @param head with headers that are this caller's own
 * @param ahead how many chunks are read before the caller asks for them. Some SDKs stop at the last line of a stream, before its end, and a
 * flight ends only when it is read to its end. @default 0
 */
export function sharedResponse(head: ResponseHead, reader: Reader, ahead = 0): Response {
  // A `Response` with one of these statuses may not have a body.
  // Source: https://fetch.spec.whatwg.org/#null-body-status
  const empty = [101, 103, 204, 205, 304].includes(head.status)
  // The SDKs do not read a body that has no bytes, and a flight ends only when it is read to its end.
  if (empty || head.headers.get('content-length') === '0') reader.next().catch(() => undefined)
  if (empty) return responseOf(head, null)
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const chunk = await reader.next().catch((error: unknown) => {
          leaving.end()
          throw error
        })
        if (chunk !== undefined) return controller.enqueue(new Uint8Array(chunk))
        leaving.end()
        controller.close()
      },
      cancel() {
        leaving.end()
        reader.leave()
      },
    },
    { highWaterMark: ahead },
  )
  const leaving = leaveWhenCollected(body, reader)
  return responseOf(head, body)
}

/**
 * The same for an SDK that reads a whole answer as text: it needs no stream for that.
 * @param head of all callers of the flight
 */
export function lazySharedResponse(head: ResponseHead, reader: Reader, info: LaterInfo): LazyResponse {
  const { status, statusText, url } = head
  const facts = infoLater(info)
  const ownHead = ownHeadOf(head, info)
  const shared = info.source === 'flight' ? (head.joined ??= ownHead()).headers : head.headers
  // Let go once it is read: the SDK's promise holds its response, and V8 collects that promise late.
  let source: Reader | undefined = reader
  const response = new LazyResponse({
    status,
    statusText,
    headers: new LazyHeaders(shared, () => plainHeaders(ownHead().headers)),
    url,
    info: facts,
    text() {
      const own = source
      source = undefined
      if (own === undefined) return Promise.resolve('')
      leaving.end()
      return textOf(own, head)
    },
    make() {
      // The stream of a real one takes over. One whose text was read has nothing left to read.
      leaving.end()
      const real = source === undefined ? responseOf(ownHead(), '') : sharedResponse(ownHead(), source)
      noteInfo(real, facts)
      return real
    },
  })
  const leaving = leaveWhenCollected(response, reader)
  return response
}

/** Makes the head of one caller. It holds no reader. */
function ownHeadOf(head: ResponseHead, info: Pick<LaterInfo, 'source'>): () => ResponseHead {
  return () => headFor(head, info)
}

/** Whether an SDK reads an answer with this head as text, and gives its caller what it makes of that. */
export function isReadAsText({ status, headers }: ResponseHead): boolean {
  return status === 200 && headers.get('content-length') !== '0' && headers.get('content-type')?.includes('json') === true
}

const decoder = new TextDecoder()

const byteOrderMark = '\uFEFF'

/** The text of an answer, as `Response` makes it of bytes. */
async function textOf(reader: Reader, head: ResponseHead): Promise<string> {
  const first = await reader.next()
  if (first === undefined) return ''
  const second = await reader.next()
  const chunks = second === undefined ? [first] : [first, second]
  for (let chunk = second; chunk !== undefined;) {
    chunk = await reader.next()
    if (chunk !== undefined) chunks.push(chunk)
  }
  return wholeText(chunks, head)
}

/** The text of all chunks of an answer. */
export function wholeText(chunks: readonly Uint8Array[], { text }: ResponseHead): string {
  if (text !== undefined && !text.startsWith(byteOrderMark)) return text
  const [first] = chunks
  return decoder.decode(first !== undefined && chunks.length === 1 ? first : joinedBytes(chunks))
}

function responseOf(head: ResponseHead, body: ReadableStream | string | null): Response {
  const { status, statusText, headers, url } = head
  return located(new Response(body, { status, statusText, headers: plainHeaders(headers) }), url)
}

/** Headers for a body that is decoded already: its length and encoding on the wire are no longer true. */
function plainHeaders(headers: Headers): Headers {
  if (!headers.has('content-encoding')) return headers
  headers.delete('content-length')
  headers.delete('content-encoding')
  return headers
}
