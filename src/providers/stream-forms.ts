/**
 * Streams of JSON that are no server-sent events: one value a line, and one array whose elements come one by one.
 * @module
 */
import type { ServerEvent } from '../base/server-sent-events.ts'
import type { StreamForm } from './protocol.ts'

/**
 * One JSON value a line.
 * Source: https://github.com/ollama/ollama/blob/main/docs/api.md#streaming-responses
 */
export const jsonLines: StreamForm = {
  type: 'application/x-ndjson',
  parse(bytes) {
    const text = textOf(bytes)
    return text
      ?.split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .map((data) => ({ data }))
  },
  format: (events) => events.map(({ data }) => `${data}\n`),
}

/**
 * One JSON array, an element an event: Google's APIs without `alt=sse`.
 * Source: https://github.com/googleapis/googleapis/blob/master/google/api/http.proto, "stream of JSON"
 */
export const jsonArray: StreamForm = {
  type: 'application/json',
  parse(bytes) {
    const elements = parsed(textOf(bytes))
    return Array.isArray(elements) ? elements.map((element: unknown): ServerEvent => ({ data: JSON.stringify(element) })) : undefined
  },
  format: (events) =>
    events.length === 0
      ? ['[]']
      : events.map(({ data }, at) => `${at === 0 ? '[' : ',\r\n'}${data}${at === events.length - 1 ? '\n]\n' : '\n'}`),
}

/** The text of bytes; `undefined` if they are no UTF-8. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}
