/**
 * Bedrock's InvokeModel and InvokeModelWithResponseStream. Their bodies have each model's own form.
 *
 * A request is the command's input, with `model` in place of `modelId`, the JSON of its bytes as `body`, and `stream: true` if it asks for a
 * stream. An answer is the command's output less `$metadata`, with the JSON of its bytes as `body`. An event of a stream is a `chunk`, with
 * the JSON text of its bytes as its data. Requests and answers that are not JSON are not for this endpoint.
 *
 * A stream and a whole answer are two answers, as it depends on the model's family how one is made of the other.
 * Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html
 * @module
 */
import { isJsonObject, parseJsonObject, type JsonObject } from '../../json/object.ts'
import type { ServerEvent } from '../../base/server-sent-events.ts'
import { tagged } from './converse.ts'
import { cohereEmbeddings } from './cohere-embeddings.ts'
import { choicesOf, doneEvent } from '../openai/chunks.ts'
import { judgeChoice } from '../openai/chat.ts'
import { outlineChat } from '../openai/chat-stream.ts'
import { bodyUsage, judgeBody, judgeStop, reasonsIn, wasGuarded } from './families.ts'
import { type Endpoint } from '../endpoint.ts'
import { invokePlace } from './places.ts'

/** The member that the service adds to the last chunk of every model's stream. */
export const metricsMember = 'amazon-bedrock-invocationMetrics'

/** InvokeModel, whole and streamed. */
export const bedrockInvoke: Endpoint = {
  provider: 'aws-bedrock',
  name: 'invoke',
  path: '/invoke',
  operation: 'invoke',
  // `performanceConfigLatency` stays in the key: an optimised latency may be served by another deployment of the model.
  ignored: ['requestMetadata', 'serviceTier'],
  place: invokePlace,
  perInput: cohereEmbeddings,
  complete,
  bypassReason: () => undefined,
  normalise: withoutDefaults,
  described,
  skipReason: ({ body }) => (isJsonObject(body) ? judgeBody(body) : 'malformed'),
  usage: ({ body }) => (isJsonObject(body) ? bodyUsage(body) : undefined),
}

/**
 * The request without `accept` and `contentType` where they name JSON, which is the same as to leave them out: the service takes no other
 * `contentType`, and answers with JSON by default.
 */
export function withoutDefaults(request: JsonObject): JsonObject {
  const { accept, contentType, ...rest } = request
  const json = [accept, contentType].map((type) => type === 'application/json')
  if (!json.includes(true)) return request
  return { ...rest, ...(json[0] ? {} : { accept }), ...(json[1] ? {} : { contentType }) }
}

/** A client's request always says whether it asks for a stream. */
export function described({ body, ...rest }: JsonObject): JsonObject {
  return { stream: false, ...tagged(rest), body }
}

/**
 * Whether the events are a complete and successful stream: all are chunks, the last has the service's metrics, and there are stop reasons,
 * each of which is that of a complete answer. There is no other check of such a stream. Of an ended stream it says what is wrong with it.
 */
function complete(events: readonly ServerEvent[]): boolean | string {
  const chunks = events.map(readChunk)
  const metrics = chunks.at(-1)?.[metricsMember]
  if (!isJsonObject(metrics)) return false
  if (metrics['outputTokenCount'] === 0) return 'empty'
  // Any other event is an exception of the service.
  if (events.some(({ event, data }) => event !== 'chunk' || parseJsonObject(data)?.['type'] === 'error')) return 'error'
  let stopped = false
  for (const chunk of chunks) {
    if (chunk === undefined) return 'malformed'
    if (wasGuarded(chunk)) return 'content_filter'
    for (const stop of reasonsIn(chunk)) {
      const reason = judgeStop(stop)
      if (reason !== undefined) return reason
      stopped = true
    }
  }
  const flaw = stopped ? flawOfChat(events) : undefined
  return flaw ?? stopped
}

/** What is wrong with a complete stream of a model with OpenAI's protocol: a refusal, or the call of a tool that cannot be made. */
function flawOfChat(events: readonly ServerEvent[]): string | undefined {
  const answer = outlineChat([...events.map(({ data }) => ({ data })), doneEvent])
  const choices = typeof answer === 'object' ? (choicesOf(answer) ?? []) : []
  return choices
    .filter(isJsonObject)
    .map(judgeChoice)
    .find((flaw) => flaw !== undefined)
}

/** The JSON of a chunk, or `undefined` for any other event and for an error. */
export function readChunk({ event, data }: ServerEvent): JsonObject | undefined {
  const chunk = event === 'chunk' ? parseJsonObject(data) : undefined
  return chunk?.['type'] === 'error' ? undefined : chunk
}
