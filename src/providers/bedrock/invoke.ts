/**
 * Bedrock's InvokeModel and InvokeModelWithResponseStream, whose bodies are each model's own.
 *
 * A request is the command's input, with `model` where it has `modelId`, the JSON of its bytes as `body`, and `stream: true` where it asks
 * for a stream. An answer is the command's output less `$metadata`, with the JSON of its bytes as `body`. An event of a stream is a
 * `chunk` whose data is the JSON text of its bytes. What is no JSON is not for this endpoint.
 *
 * A stream and a whole answer are two answers, as only the model's family could make one of the other.
 * Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html
 * @module
 */
import { isJsonObject, parseJsonObject, type JsonObject } from '../../json/object.ts'
import type { ServerEvent } from '../../base/server-sent-events.ts'
import { cohereEmbeddings } from './cohere-embeddings.ts'
import { bodyUsage, judgeBody, judgeStop, reasonsIn, wasGuarded } from './families.ts'
import { type Endpoint } from '../endpoint.ts'

/** What the service adds to the last chunk of every model's stream. */
export const metricsMember = 'amazon-bedrock-invocationMetrics'

/** InvokeModel, whole and streamed. */
export const bedrockInvoke: Endpoint = {
  provider: 'aws-bedrock',
  name: 'invoke',
  path: '/invoke',
  operation: 'invoke',
  // `performanceConfigLatency` stays in the key: an optimised latency may be served by another deployment of the model.
  ignored: ['requestMetadata', 'serviceTier'],
  perInput: cohereEmbeddings,
  complete,
  bypassReason: () => undefined,
  normalise: withoutDefaults,
  skipReason: ({ body }) => (isJsonObject(body) ? judgeBody(body) : 'malformed'),
  usage: ({ body }) => (isJsonObject(body) ? bodyUsage(body) : undefined),
}

/** The request without the two types that mean the same as none: the service knows no other of `contentType`, and answers with the other. */
export function withoutDefaults(request: JsonObject): JsonObject {
  const { accept, contentType, ...rest } = request
  const json = [accept, contentType].map((type) => type === 'application/json')
  if (!json.includes(true)) return request
  return { ...rest, ...(json[0] ? {} : { accept }), ...(json[1] ? {} : { contentType }) }
}

/**
 * Whether the events are a whole and successful stream: chunks alone, the last of them with the service's metrics, and every reason to
 * stop, of which there is at least one, that of an answer which is complete. Nothing else judges such a stream.
 */
function complete(events: readonly ServerEvent[]): boolean {
  const chunks = events.map(readChunk)
  const metrics = chunks.at(-1)?.[metricsMember]
  if (!isJsonObject(metrics) || metrics['outputTokenCount'] === 0) return false
  let stopped = false
  for (const chunk of chunks) {
    if (chunk === undefined || wasGuarded(chunk)) return false
    for (const reason of reasonsIn(chunk)) {
      if (judgeStop(reason) !== undefined) return false
      stopped = true
    }
  }
  return stopped
}

/** The JSON of a chunk, or `undefined` for any other event and for an error. */
export function readChunk({ event, data }: ServerEvent): JsonObject | undefined {
  const chunk = event === 'chunk' ? parseJsonObject(data) : undefined
  return chunk?.['type'] === 'error' ? undefined : chunk
}
