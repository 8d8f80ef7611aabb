/**
 * What the tests of the providers' endpoints share: verdicts over recordings, and streams as the SDKs' accumulators read them.
 * @module
 */
import { isJsonObject, type JsonObject } from '../../src/json/object.ts'
import { type Endpoint } from '../../src/providers/endpoint.ts'
import type { ServerEvent } from '../../src/base/server-sent-events.ts'
import type { Recording } from './recordings.ts'

/** By file name: `storable`, or why a recorded answer is not. A stream that is not complete is `incomplete stream`. */
export function verdicts(endpoint: Endpoint, recorded: readonly Recording[]): Record<string, string> {
  const found: Record<string, string> = {}
  for (const { name, whole, events } of recorded) {
    if (whole !== undefined) found[`${name}.json`] = endpoint.skipReason(bodyOf(JSON.parse(whole))) ?? 'storable'
    if (events === undefined) continue
    const assembled = endpoint.streaming?.assemble(events)
    found[`${name}.stream.jsonl`] = assembled === undefined ? 'incomplete stream' : (endpoint.skipReason(assembled) ?? 'storable')
  }
  return found
}

/** `value` as plain JSON, which it must be an object of. */
export function bodyOf(value: unknown): JsonObject {
  const body: unknown = JSON.parse(JSON.stringify(value))
  if (!isJsonObject(body)) throw new TypeError('no JSON object')
  return body
}

/** Events as the `fromReadableStream` of the SDK's stream helpers reads them: the JSON of each, a line each. */
export function streamOf(events: readonly ServerEvent[]): ReadableStream<Uint8Array> {
  const lines = events.filter(({ data }) => data !== '[DONE]').map(({ data }) => `${data}\n`)
  return new Blob(lines).stream()
}
