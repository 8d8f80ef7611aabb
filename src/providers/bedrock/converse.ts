/**
 * Bedrock's Converse and ConverseStream, whose answers have one form for all models.
 *
 * A request is the command's input as tagged JSON, with `model` where it has `modelId`, and `stream: true` for ConverseStream.
 * An answer is the command's output as tagged JSON, less `$metadata`.
 * Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
 * @module
 */
import { count, isCounted, isJsonObject, type JsonObject } from '../../json/object.ts'
import { toTagged } from '../../json/tagged.ts'
import type { Usage } from '../../entry.ts'
import { assembleConverse, disassembleConverse, outlineConverse } from './converse-stream.ts'
import { type Endpoint } from '../endpoint.ts'
import { conversePlace } from './places.ts'

/** Converse, whole and streamed. */
export const bedrockConverse: Endpoint = {
  provider: 'aws-bedrock',
  name: 'converse',
  path: '/converse',
  operation: 'converse',
  // `performanceConfig` stays in the key: an optimised latency may be served by another deployment of the model.
  ignored: ['stream', 'requestMetadata', 'serviceTier'],
  place: conversePlace,
  streaming: { assemble: assembleConverse, outline: outlineConverse, disassemble: disassembleConverse },
  bypassReason: () => undefined,
  normalise,
  described: tagged,
  skipReason: judgeConverse,
  usage: converseUsage,
}

/** The members of a command's input as tagged JSON, so that no JSON stands for bytes. */
export function tagged(input: JsonObject): JsonObject {
  const request = toTagged(input)
  return isJsonObject(request) ? request : input
}

function normalise(request: JsonObject): JsonObject {
  const { system, messages, toolConfig, additionalModelResponseFieldPaths: paths } = request
  const changed: JsonObject = {}
  if (hasCachePoint(system)) changed['system'] = withoutCachePoints(system)
  if (Array.isArray(messages) && messages.some((message) => isJsonObject(message) && hasCachePoint(message['content']))) {
    changed['messages'] = messages.map(withoutMessageCachePoints)
  }
  if (isJsonObject(toolConfig) && hasCachePoint(toolConfig['tools'])) {
    changed['toolConfig'] = { ...toolConfig, tools: withoutCachePoints(toolConfig['tools']) }
  }
  // The paths point into the model's own answer, which is another object in a stream. So the two answers differ, and so do their keys.
  if (request['stream'] === true && Array.isArray(paths) && paths.length > 0) {
    changed['additionalModelResponseFieldPaths'] = { stream: paths }
  }
  return Object.keys(changed).length === 0 ? request : { ...request, ...changed }
}

/** A cache point marks what the provider keeps for the next request. It cannot change the answer to this one. */
function isCachePoint(block: unknown): boolean {
  return isJsonObject(block) && isJsonObject(block['cachePoint'])
}

function hasCachePoint(blocks: unknown): blocks is unknown[] {
  return Array.isArray(blocks) && blocks.some(isCachePoint)
}

function withoutCachePoints(blocks: unknown): unknown {
  return Array.isArray(blocks) ? blocks.filter((block) => !isCachePoint(block)) : blocks
}

function withoutMessageCachePoints(message: unknown): unknown {
  return isJsonObject(message) ? { ...message, content: withoutCachePoints(message['content']) } : message
}

/**
 * Why each stop reason forbids storing; `undefined` if it does not. A reason that is not listed may mean anything.
 * Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_ResponseSyntax
 */
const stopReasons: ReadonlyMap<unknown, string | undefined> = new Map([
  ['end_turn', undefined],
  ['tool_use', undefined],
  ['stop_sequence', undefined],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['guardrail_intervened', 'content_filter'],
  ['content_filtered', 'content_filter'],
  ['malformed_model_output', 'malformed_model_output'],
  ['malformed_tool_use', 'malformed_tool_use'],
])

/** Why an answer of Converse must not be stored by default, or `undefined`. Nova's own answers have the same form. */
export function judgeConverse(answer: JsonObject): string | undefined {
  const { output, stopReason } = answer
  const message = isJsonObject(output) ? output['message'] : undefined
  if (!isJsonObject(message) || !Array.isArray(message['content'])) return 'malformed'
  const reason = stopReasons.has(stopReason) ? stopReasons.get(stopReason) : 'stop_reason'
  if (reason !== undefined) return reason
  const blocks = message['content'].filter(isJsonObject)
  if (blocks.some(holdsError)) return 'error'
  return blocks.some(saysSomething) ? undefined : 'empty'
}

/** Whether a block holds an error in place of an image or a sound. */
function holdsError({ image, audio }: JsonObject): boolean {
  return [image, audio].some((made) => isJsonObject(made) && isJsonObject(made['error']))
}

/** Whether a block answers. Reasoning alone is no answer. */
function saysSomething(block: JsonObject): boolean {
  const { text, citationsContent: cited } = block
  if (typeof text === 'string') return text !== ''
  if (isJsonObject(cited))
    return Array.isArray(cited['content']) && cited['content'].some((part) => isJsonObject(part) && part['text'] !== '')
  return Object.keys(block).some((kind) => kind !== 'reasoningContent')
}

/**
 * The usage of an answer of Converse. Its `inputTokens` exclude those read from or written to the prompt cache.
 * Source: https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
 */
export function converseUsage(answer: JsonObject): Usage | undefined {
  const { usage } = answer
  if (!isJsonObject(usage) || !isCounted(usage, ['inputTokens', 'outputTokens'])) return undefined
  // Nova's own answers have the longer names.
  const read = usage['cacheReadInputTokens'] ?? usage['cacheReadInputTokenCount']
  const written = usage['cacheWriteInputTokens'] ?? usage['cacheWriteInputTokenCount']
  const forHour = Math.min(count(written), hourTokens(usage['cacheDetails']))
  return {
    input: count(usage['inputTokens']) + count(read) + count(written),
    output: count(usage['outputTokens']),
    ...(typeof read === 'number' ? { cacheRead: count(read) } : {}),
    ...(typeof written === 'number' ? { cacheWrite: count(written) - forHour } : {}),
    ...(forHour > 0 ? { cacheWriteHour: forHour } : {}),
  }
}

/** The tokens that were written to the prompt cache for one hour. */
function hourTokens(details: unknown): number {
  if (!Array.isArray(details)) return 0
  return details.reduce(
    (sum: number, detail: unknown) => (isJsonObject(detail) && detail['ttl'] === '1h' ? sum + count(detail['inputTokens']) : sum),
    0,
  )
}
