/**
 * The body of a request: a text or a form that can be read as a question, or a stream that only passes through.
 * @module
 */

/** What is sent on: a text, a form, bytes that are neither, a stream, or nothing. */
export type Body = string | FormData | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | undefined

/** A body has more bytes than it may. */
export const tooLarge = Symbol('too large')

/** How a body is read. */
interface BodyOptions {
  /** Bytes. */
  readonly limit: number
  /** Whether a form asks for an answer that is kept. */
  readonly isFormKept: boolean
}

/** The body of a request, a text if it is JSON. */
export async function readBody(request: Request, { limit, isFormKept }: BodyOptions): Promise<Body | typeof tooLarge> {
  const { method, headers } = request
  if (method === 'GET' || method === 'HEAD') return undefined
  const length = headers.get('content-length')
  if (length !== null && Number(length) > limit) return tooLarge
  const type = headers.get('content-type')
  if (isFormKept && type !== null && /^multipart\/form-data\b/i.test(type)) return formOf(await bytesOf(request.body, limit), type)
  if (type !== null && !/^application\/(?:[\w.-]+\+)?json\b/i.test(type)) return length === '0' ? undefined : bounded(request.body, limit)
  // A declared length is kept by the HTTP parser.
  if (length !== null) return textOf(new Uint8Array(await request.arrayBuffer())) || undefined
  const bytes = await bytesOf(request.body, limit)
  return bytes === tooLarge ? tooLarge : textOf(bytes) || undefined
}

const decoder = new TextDecoder('utf-8', { fatal: true })

/** The text of a body; what is not UTF-8, as it is. A lenient decoder would make one text of different bytes, and send that on. */
export function textOf(bytes: Uint8Array<ArrayBuffer>): string | Uint8Array<ArrayBuffer> {
  try {
    return decoder.decode(bytes)
  } catch {
    return bytes
  }
}

/** The form in these bytes; bytes that are none, as they are. */
async function formOf(bytes: Uint8Array<ArrayBuffer> | typeof tooLarge, type: string): Promise<Body | typeof tooLarge> {
  if (bytes === tooLarge) return tooLarge
  try {
    return await new Response(bytes, { headers: { 'content-type': type } }).formData()
  } catch {
    return bytes
  }
}

async function bytesOf(body: ReadableStream<Uint8Array> | null, limit: number): Promise<Uint8Array<ArrayBuffer> | typeof tooLarge> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.byteLength
    if (size > limit) return tooLarge
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
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
