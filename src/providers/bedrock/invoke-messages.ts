/**
 * Anthropic's messages by Bedrock's InvokeModel, the one family with a known form of stream, which is Anthropic's own. A stream and a whole
 * answer are made of each other as there, and the service's own members are kept.
 * Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html
 * @module
 */
import { count, isJsonObject, parseJsonObject, type JsonObject } from '../../json/object.ts'
import type { ServerEvent } from '../../base/server-sent-events.ts'
import { assembleMessage, disassembleMessage, outlineMessage } from '../anthropic/messages-stream.ts'
import { anthropicMessages, normaliseMessages } from '../anthropic/messages.ts'
import { bodyUsage } from './families.ts'
import { bedrockInvoke, described, metricsMember, readChunk, withoutDefaults } from './invoke.ts'
import { type Endpoint } from '../endpoint.ts'
import { invokeMessagesPlace } from './places.ts'

/** InvokeModel of Anthropic's messages, whole and streamed. Its requests are those of {@link bedrockInvoke} for which {@link isMessages} is true. */
export const bedrockInvokeMessages: Endpoint = {
  provider: bedrockInvoke.provider,
  name: 'invoke.messages',
  path: bedrockInvoke.path,
  operation: bedrockInvoke.operation,
  ignored: ['stream', ...bedrockInvoke.ignored],
  place: invokeMessagesPlace,
  streaming: { assemble, outline, disassemble },
  described,
  bypassReason: ({ body }) => (isJsonObject(body) ? anthropicMessages.bypassReason(body) : undefined),
  normalise(request) {
    const { body } = request
    const bare = withoutDefaults(request)
    return isJsonObject(body) ? { ...bare, body: normaliseMessages(body) } : bare
  },
  skipReason: (answer) => bedrockInvoke.skipReason(answer),
  expiresAt: ({ body }, now) => (isJsonObject(body) ? anthropicMessages.expiresAt?.(body, now) : undefined),
  usage: (answer) => bedrockInvoke.usage(answer),
}

/** Whether a request of InvokeModel is for Anthropic's messages. One for its completions has the version too, but a prompt. */
export function isMessages({ body }: JsonObject): boolean {
  return isJsonObject(body) && typeof body['anthropic_version'] === 'string' && Array.isArray(body['messages'])
}

function assemble(events: readonly ServerEvent[]): JsonObject | undefined {
  const chunks = events.map(readChunk)
  const added: JsonObject = {}
  for (const chunk of chunks) {
    // Any other event is an exception of the service.
    if (chunk === undefined) return undefined
    for (const [name, value] of Object.entries(chunk)) if (isService(name)) added[name] = value
  }
  const message = assembleMessage(events.map(({ data }) => ({ data })))
  if (message === undefined || !isJsonObject(chunks.at(-1)?.[metricsMember])) return undefined
  return { body: { ...message, ...added }, contentType: 'application/json' }
}

/** Why a stream without a whole message is not stored. Any event but a chunk is an exception of the service. */
function outline(events: readonly ServerEvent[]): string | undefined {
  if (events.some(({ event }) => event !== 'chunk')) return 'error'
  return outlineMessage(events.map(({ data }) => ({ data })))
}

/** Whether a member is added by the service: what its guardrail did. Its metrics do not count, as only a stream has them. */
function isService(name: string): boolean {
  return name.startsWith('amazon-bedrock-') && name !== metricsMember
}

function disassemble({ body }: JsonObject): ServerEvent[] {
  const entries = Object.entries(isJsonObject(body) ? body : {})
  const message = Object.fromEntries(entries.filter(([name]) => !isService(name)))
  const added = Object.fromEntries(entries.filter(([name]) => isService(name)))
  const events = disassembleMessage(message).map(({ data }) => data)
  const last = parseJsonObject(events.pop() ?? '') ?? {}
  return [...events, JSON.stringify({ ...last, ...added, [metricsMember]: metricsOf(message) })].map((data) => ({ event: 'chunk', data }))
}

/** The metrics as the service counts them. The latency is not known for an answer that was not streamed. */
function metricsOf(message: JsonObject): JsonObject {
  const { input = 0, output = 0, cacheRead = 0, cacheWrite = 0, cacheWriteHour = 0 } = bodyUsage(message) ?? {}
  const written = count(cacheWrite + cacheWriteHour)
  return {
    inputTokenCount: count(input - cacheRead - written),
    outputTokenCount: output,
    invocationLatency: 0,
    firstByteLatency: 0,
    cacheReadInputTokenCount: cacheRead,
    cacheWriteInputTokenCount: written,
  }
}
