/**
 * What the bodies of OpenAI's endpoints have in common: errors, token counts, the JSON in a stream's events.
 * @module
 */
import { count, isCounted, isJsonObject, type JsonObject } from '../../json/object.ts'
import type { Usage } from '../../entry.ts'
import type { ServerEvent } from '../../base/server-sent-events.ts'

/** Whether a body is, or holds, an error. */
export function hasError(body: JsonObject): boolean {
  return body['error'] !== undefined && body['error'] !== null
}

/** Whether a text that a model wrote for a tool is JSON. Some models write nothing for a tool without parameters. */
export function isJsonText(text: unknown): boolean {
  if (typeof text !== 'string' || text === '') return true
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** The JSON object in an event, or `undefined` if it holds none. */
export function readEvent(event: ServerEvent): JsonObject | undefined {
  try {
    const data: unknown = JSON.parse(event.data)
    return isJsonObject(data) ? data : undefined
  } catch {
    return undefined
  }
}

/** Whether a stream of typed events has a readable event of this `type`, and no error. */
export function endsWith(events: readonly ServerEvent[], type: string): boolean {
  let ended = false
  for (const event of events) {
    // The events of an image hold megabytes, so only those that can matter are parsed.
    const mayEnd = event.data.includes(type)
    if (!mayEnd && event.event !== 'error' && !event.data.includes('"error"')) continue
    const data = readEvent(event)
    if (event.event === 'error' || data?.['type'] === 'error' || (data !== undefined && hasError(data))) return false
    if (mayEnd && data?.['type'] === type) ended = true
  }
  return ended
}

/**
 * The usage of a body that counts `prompt_tokens` and `completion_tokens`: chat, completions, embeddings.
 * Source: https://platform.openai.com/docs/api-reference/chat/object
 */
export function promptUsage(body: JsonObject): Usage | undefined {
  const { usage } = body
  if (!isJsonObject(usage) || !isCounted(usage, ['prompt_tokens', 'completion_tokens'])) return undefined
  const input = count(usage['prompt_tokens'])
  const completion = count(usage['completion_tokens'])
  const details = usage['prompt_tokens_details']
  const completionDetails = usage['completion_tokens_details']
  const reasoning = isJsonObject(completionDetails) ? count(completionDetails['reasoning_tokens']) : 0
  // OpenAI counts reasoning within the completion, xAI in addition to it. Only the total shows which of the two it is.
  const isAdded = reasoning > 0 && usage['total_tokens'] === input + completion + reasoning
  return {
    input,
    output: isAdded ? completion + reasoning : completion,
    ...given('cacheRead', details, 'cached_tokens'),
    ...given('cacheWrite', details, 'cache_write_tokens'),
    ...given('audioInput', details, 'audio_tokens'),
    ...given('audioOutput', completionDetails, 'audio_tokens'),
    ...costOf(usage),
  }
}

/**
 * What the provider itself says that the answer cost: OpenRouter does, in US dollars. With a key of the user's own at the model's maker, that
 * is only OpenRouter's fee, and what the maker takes stands beside it.
 * Source: https://openrouter.ai/docs/use-cases/usage-accounting
 */
function costOf({ cost, is_byok: isOwnKey, cost_details: details }: JsonObject): Pick<Usage, 'cost'> {
  // JSON can spell a number that is too large for any sum.
  if (typeof cost !== 'number' || !(cost >= 0 && cost < Infinity)) return {}
  if (isOwnKey !== true) return { cost }
  const upstream = isJsonObject(details) ? details['upstream_inference_cost'] : undefined
  return typeof upstream === 'number' && upstream >= 0 && upstream < Infinity ? { cost: cost + upstream } : {}
}

/**
 * The usage of a body that counts `input_tokens` and `output_tokens`: responses, images, transcriptions.
 * Source: https://platform.openai.com/docs/api-reference/responses/object
 */
export function inputUsage(body: JsonObject): Usage | undefined {
  const { usage } = body
  // Transcriptions may be billed by duration, which is not in tokens.
  if (!isJsonObject(usage) || usage['type'] === 'duration' || !isCounted(usage, ['input_tokens', 'output_tokens'])) return undefined
  const details = usage['input_tokens_details'] ?? usage['input_token_details']
  return {
    input: count(usage['input_tokens']),
    output: count(usage['output_tokens']),
    ...given('cacheRead', details, 'cached_tokens'),
    ...given('cacheWrite', details, 'cache_write_tokens'),
    ...given('audioInput', details, 'audio_tokens'),
    ...costOf(usage),
  }
}

/** The count `member` of `details` under its name in {@link Usage}, or nothing if the provider did not give it. */
function given(name: keyof Usage, details: unknown, member: string): Partial<Usage> {
  return isJsonObject(details) && typeof details[member] === 'number' ? { [name]: count(details[member]) } : {}
}
