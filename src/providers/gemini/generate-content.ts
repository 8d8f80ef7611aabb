/**
 * Gemini's content: text, thoughts, function calls, code, pictures and sound.
 * Source: https://ai.google.dev/api/generate-content
 * @module
 */
import type { Usage } from '../../entry.ts'
import { count, isCounted, isJsonObject, type JsonObject } from '../../json/object.ts'
import { deliveryFields, type Endpoint } from '../endpoint.ts'
import { hasError } from '../openai/body.ts'
import { judgeFinish } from '../openai/finish-reasons.ts'
import { assembleContent, candidatesOf, disassembleContent, outlineContent } from './generate-content-stream.ts'
import { modelName } from './models.ts'
import { geminiContentPlaces } from './places.ts'

/** Content, whole and streamed. */
export const geminiContent: Endpoint = {
  provider: 'gemini',
  name: 'generateContent',
  path: ':generateContent',
  operation: 'chat',
  // Labels are for the bill.
  ignored: [...deliveryFields, 'labels', 'serviceTier'],
  place: geminiContentPlaces,
  streaming: { assemble: assembleContent, outline: outlineContent, disassemble: disassembleContent },
  described,
  normalise,
  bypassReason: () => undefined,
  skipReason,
  usage: contentUsage,
}

/** A described request names its model in either way, and is for a whole answer. */
export function described(body: JsonObject): JsonObject {
  return { ...body, model: modelName(body['model']) }
}

/** A configuration without members is none: the SDK sends one wherever its caller gives any other option. */
function normalise(request: JsonObject): JsonObject {
  const { generationConfig: config, ...rest } = request
  return isJsonObject(config) && Object.keys(config).length === 0 ? rest : request
}

function skipReason(answer: JsonObject): string | undefined {
  if (hasError(answer)) return 'error'
  const candidates = candidatesOf(answer)
  const { promptFeedback: feedback } = answer
  if (isJsonObject(feedback) && typeof feedback['blockReason'] === 'string') return 'content_filter'
  if (candidates === undefined) return 'malformed'
  if (candidates.length === 0) return 'empty'
  for (const candidate of candidates) {
    if (!isJsonObject(candidate)) return 'malformed'
    const { finishReason: finish, content } = candidate
    const reason = filtered.has(finish) ? 'content_filter' : judgeFinish(finish)
    if (reason !== undefined) return reason
    const parts = isJsonObject(content) && Array.isArray(content['parts']) ? content['parts'] : []
    if (!parts.some(saysSomething)) return 'empty'
  }
  return undefined
}

/**
 * Reasons of an answer that a filter held back, beside those that other providers have as well.
 * Source: https://ai.google.dev/api/generate-content#FinishReason
 */
const filtered = new Set<unknown>(['LANGUAGE', 'IMAGE_PROHIBITED_CONTENT', 'IMAGE_RECITATION', 'MODEL_ARMOR'])

/** Whether a part answers. A thought does not, nor an empty text. */
function saysSomething(part: unknown): boolean {
  if (!isJsonObject(part) || part['thought'] === true) return false
  const kinds = Object.keys(part).filter((name) => name !== 'thoughtSignature' && name !== 'thought')
  return kinds.some((kind) => (kind === 'text' ? part['text'] !== '' : part[kind] !== null))
}

/**
 * The tokens of an answer. Thoughts are billed as output, and are not among the tokens of the candidates.
 * Source: https://ai.google.dev/api/generate-content#UsageMetadata
 */
function contentUsage({ usageMetadata: usage }: JsonObject): Usage | undefined {
  if (!isJsonObject(usage) || !isCounted(usage, ['promptTokenCount', 'candidatesTokenCount'])) return undefined
  const cached = usage['cachedContentTokenCount']
  return {
    input: count(usage['promptTokenCount']) + count(usage['toolUsePromptTokenCount']),
    output: count(usage['candidatesTokenCount']) + count(usage['thoughtsTokenCount']),
    ...(typeof cached === 'number' ? { cacheRead: count(cached) } : {}),
    ...audioTokens('audioInput', usage['promptTokensDetails']),
    ...audioTokens('audioOutput', usage['candidatesTokensDetails']),
  }
}

function audioTokens(name: 'audioInput' | 'audioOutput', details: unknown): Partial<Usage> {
  const audio = Array.isArray(details) ? details.filter(isJsonObject).filter(({ modality }) => modality === 'AUDIO') : []
  return audio.length === 0 ? {} : { [name]: audio.reduce((sum, { tokenCount }) => sum + count(tokenCount), 0) }
}
