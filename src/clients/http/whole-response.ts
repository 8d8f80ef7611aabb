/**
 * Answers of a caller's own `fetch` that are no full `Response`, such as the doubles of a test: an object with a status, headers and
 * `json()` or `text()`.
 * @module
 */
import { keptHeaders } from '../../providers/http-headers.ts'

/** The answer as a real `Response`, if it lacks what is read of one; else the answer itself. */
export function wholeResponse(given: Response): Response | Promise<Response> {
  const { body, headers }: { readonly body?: unknown; readonly headers?: unknown } = given
  // A double may have a body of `null` beside its `text()`. A real answer without a body has no text either.
  const isWhole =
    (given instanceof Response || isStream(body)) &&
    ['get', Symbol.iterator].every((name) => typeof Reflect.get(Object(headers), name) === 'function')
  return isWhole ? given : rebuilt(given)
}

/** Whether a body can be read chunk by chunk, as those of `fetch` and of Node can. */
function isStream(body: unknown): boolean {
  return typeof body === 'object' && body !== null && (body instanceof ReadableStream || Symbol.asyncIterator in body)
}

async function rebuilt(given: Response): Promise<Response> {
  const headers = headersOf(Reflect.get(given, 'headers'))
  const [status, statusText]: unknown[] = [Reflect.get(given, 'status'), Reflect.get(given, 'statusText')]
  const response = new Response(await bodyOf(given).catch(brokenBody), {
    status: typeof status === 'number' ? status : statusOf(given),
    statusText: typeof statusText === 'string' ? statusText : '',
    headers,
  })
  return Object.defineProperty(response, 'url', { value: Reflect.get(given, 'url') ?? '', configurable: true })
}

/** The status of an answer that says no more than whether it is good. */
function statusOf(given: object): number {
  const ok: unknown = Reflect.get(given, 'ok')
  return ok === false ? 500 : 200
}

/** The body as the SDKs read it: as text, or as JSON if there is no text. */
async function bodyOf(given: Response): Promise<BodyInit | null> {
  const { body }: { readonly body?: BodyInit | null } = given
  if (isStream(body)) return new Response(body).body
  // An answer of the status 204 may have no body, not even an empty one.
  if (typeof given.text === 'function') return (await given.text()) || null
  if (typeof given.json === 'function') return JSON.stringify(await given.json())
  return typeof given.arrayBuffer === 'function' ? given.arrayBuffer() : (body ?? null)
}

/** A body that fails with this error when it is read: its reader must meet what the caller's own answer would say. */
function brokenBody(error: unknown): ReadableStream {
  return new ReadableStream({ start: (controller) => controller.error(error) })
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

/** Headers of any form: those of another implementation, a `Map`, pairs, an object, or no more than their `get`. */
function headersOf(given: unknown): Headers {
  const headers = new Headers()
  if (typeof given !== 'object' || given === null) return headers
  const get: unknown = Reflect.get(given, 'get')
  if (typeof get === 'function' && !(Symbol.iterator in given)) {
    return new Headers(keptHeaders((name) => textOrNull(Reflect.apply(get, given, [name]))))
  }
  const entries: Iterable<unknown> = Symbol.iterator in given ? Array.from(Object(given)) : Object.entries(given)
  for (const entry of entries) {
    if (Array.isArray(entry) && typeof entry[1] !== 'function') headers.append(String(entry[0]), String(entry[1]))
  }
  return headers
}
