/**
 * OpenAI's legacy completions, which continue a text.
 * Source: https://platform.openai.com/docs/api-reference/completions
 * @module
 */
import { isJsonObject, type JsonObject } from '../../json/object.ts'
import type { ServerEvent } from '../../base/server-sent-events.ts'
import { type Endpoint } from '../endpoint.ts'
import { hasError, promptUsage } from './body.ts'
import { adaptUsage, choicesOf, formatChunks, mergeChunks, mergeMember, omitsUsage, readChunks, isRead, type ReadStream } from './chunks.ts'
import { judgeFinish } from './finish-reasons.ts'
import { openaiIgnored } from './ignored.ts'
import { openaiCompletionsPlaces } from './places.ts'
import { chunkUsage } from './stream-usage.ts'

/** Legacy completions. */
export const openaiCompletions: Endpoint = {
  provider: 'openai',
  name: 'completions',
  path: '/completions',
  operation: 'completions',
  ignored: openaiIgnored.completions,
  place: openaiCompletionsPlaces,
  streaming: { assemble, outline, disassemble, adapt: adaptUsage, usageOnRequest: chunkUsage },
  bypassReason: () => undefined,
  missingParts: omitsUsage,
  skipReason,
  usage: promptUsage,
}

function assemble(events: readonly ServerEvent[]): JsonObject | undefined {
  const read = readCompletion(events)
  return isRead(read) && read.exact ? read.answer : undefined
}

function outline(events: readonly ServerEvent[]): JsonObject | string | undefined {
  const read = readCompletion(events)
  return isRead(read) ? read.answer : read
}

function readCompletion(events: readonly ServerEvent[]): ReadStream | string | undefined {
  const chunks = readChunks(events)
  if (!Array.isArray(chunks)) return chunks
  const choices = new Map<number, JsonObject>()
  let exact = true
  for (const chunk of chunks) {
    for (const part of choicesOf(chunk) ?? []) if (!isJsonObject(part) || !mergeChoice(choices, part)) exact = false
  }
  const whole = [...choices.entries()].toSorted(([a], [b]) => a - b).map(([, choice]) => choice)
  if (whole.length === 0) return exact ? 'empty' : 'malformed'
  if (whole.some((choice) => typeof choice['finish_reason'] !== 'string')) return 'incomplete'
  const { members, usage } = mergeChunks(chunks)
  return { answer: { ...members, object: 'text_completion', choices: whole, ...(usage === undefined ? {} : { usage }) }, exact }
}

function mergeChoice(choices: Map<number, JsonObject>, part: JsonObject): boolean {
  const { index, text, logprobs, finish_reason: finish, ...rest } = part
  if (typeof index !== 'number') return false
  let choice = choices.get(index)
  if (choice === undefined) choices.set(index, (choice = { text: '', index, finish_reason: null }))
  for (const [name, value] of Object.entries(rest)) if (value !== null || !Object.hasOwn(choice, name)) choice[name] = value
  if (typeof finish === 'string' && finish !== '') choice['finish_reason'] = finish
  return mergeMember(choice, 'text', text) && (logprobs === undefined || mergeMember(choice, 'logprobs', logprobs))
}

function disassemble(answer: JsonObject, request: JsonObject): ServerEvent[] {
  const choices = (choicesOf(answer) ?? []).filter(isJsonObject)
  return formatChunks(answer, { object: 'text_completion', choices, request })
}

function skipReason(answer: JsonObject): string | undefined {
  if (hasError(answer)) return 'error'
  const choices = choicesOf(answer)
  if (choices === undefined) return 'malformed'
  if (choices.length === 0) return 'empty'
  for (const choice of choices) {
    if (!isJsonObject(choice) || typeof choice['text'] !== 'string') return 'malformed'
    if (hasError(choice)) return 'error'
    const reason = judgeFinish(choice['finish_reason'])
    if (reason !== undefined) return reason
    if (choice['text'] === '') return 'empty'
  }
  return undefined
}
