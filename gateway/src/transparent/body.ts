/**
 * The body of a request: a text that can be read as a question, or a stream that only passes through.
 * @module
 */

/** What is sent on: a text, a stream, or nothing. */
export type Body = string | ReadableStream<Uint8Array> | undefined

/** A body has more bytes than it may. */
export const tooLarge = Symbol('too large')

/** The body of a request, a text if it is JSON. @param limit bytes */
export async function readBody(request: Request, limit: number): Promise<Body | typeof tooLarge> {
  const { method, headers } = request
  if (method === 'GET' || method === 'HEAD') return undefined
  const length = headers.get('content-length')
  if (length !== null && Number(length) > limit) return tooLarge
  const type = headers.get('content-type')
  if (type !== null && !/^application\/(?:[\w.-]+\+)?json\b/i.test(type)) return length === '0' ? undefined : bounded(request.body, limit)
  // A declared length is kept by the HTTP parser.
  if (length !== null) return (await request.text()) || undefined
  return (await textOf(request.body, limit)) || undefined
}

async function textOf(body: ReadableStream<Uint8Array> | null, limit: number): Promise<string | typeof tooLarge> {
  if (body === null) return ''
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  for await (const chunk of body) {
    size += chunk.byteLength
    if (size > limit) return tooLarge
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

/** The same stream, which fails when it becomes too long. */
function bounded(body: ReadableStream<Uint8Array> | null, limit: number): ReadableStream<Uint8Array> | undefined {
  let size = 0
  const bound = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      size += chunk.byteLength
      if (size > limit) controller.error(new BodyTooLarge())
      else controller.enqueue(chunk)
    },
  })
  return body?.pipeThrough(bound)
}

/** A stream that passes through has more bytes than it may. */
export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge'
}
