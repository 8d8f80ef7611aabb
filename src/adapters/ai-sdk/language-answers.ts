/**
 * Answers of language models of the AI SDK: what they used, which are stored, and how streams and whole answers are made of each other.
 * @module
 */
import type { AnswerRules } from '../../cache/cache.ts'
import type { Usage } from '../../entry.ts'
import { citesContainer, parsed } from './containers.ts'
import { listOf, type Members, membersOf } from './contract.ts'
import { assembled, partsOf } from './language-parts.ts'

/** The rules of whole and streamed answers. */
export const languageRules: AnswerRules = {
  usage: (answer) => usageIn(membersOf(answer)['usage']),
  model: (answer) => modelIn(answer),
  skipReason: (answer) => skipReason(membersOf(answer)),
  parts: {
    assemble: assembled,
    disassemble: (answer) => partsOf(membersOf(answer)),
    // They say something of the connection, or are the provider's own chunks.
    isKept: (part) => !isPassing(part),
  },
}

/** Whether a part is not stored. */
function isPassing(part: unknown): boolean {
  const { type } = membersOf(part)
  return type === 'ping' || type === 'raw'
}

/** The model that an answer names. */
export function modelIn(answer: unknown): string | undefined {
  const { modelId } = membersOf(membersOf(answer)['response'])
  return typeof modelId === 'string' && modelId !== '' ? modelId : undefined
}

/** Usage in the form of version 3 and later, or of version 2. */
function usageIn(given: unknown): Usage | undefined {
  const { inputTokens, outputTokens, cachedInputTokens } = membersOf(given)
  const [input, output] = [totalOf(inputTokens), totalOf(outputTokens)]
  if (input === undefined && output === undefined) return undefined
  const cacheRead = numberOf(cachedInputTokens) ?? numberOf(membersOf(inputTokens)['cacheRead'])
  const cacheWrite = numberOf(membersOf(inputTokens)['cacheWrite'])
  return {
    input: input ?? 0,
    output: output ?? 0,
    ...(cacheRead !== undefined && { cacheRead }),
    ...(cacheWrite !== undefined && { cacheWrite }),
  }
}

function totalOf(tokens: unknown): number | undefined {
  return numberOf(tokens) ?? numberOf(membersOf(tokens)['total'])
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 ? value : undefined
}

/** Reasons to stop with which an answer is complete. */
const complete = new Set<unknown>(['stop', 'tool-calls'])

function skipReason(answer: Members): string | undefined {
  const { content, finishReason } = answer
  const reason: unknown = membersOf(finishReason)['unified'] ?? finishReason
  if (!complete.has(reason)) return reason === 'content-filter' ? 'content_filter' : reason === 'length' ? 'length' : 'incomplete'
  const pieces = listOf(content).map(membersOf)
  if (pieces.some(isCut)) return 'malformed'
  if (citesContainer(answer)) return 'container'
  return pieces.some(says) ? undefined : 'empty'
}

/** Whether a piece is the call of a tool whose input is no JSON, as the tool needs it. Some models write nothing for a tool without parameters. */
function isCut({ type, input }: Members): boolean {
  return type === 'tool-call' && typeof input === 'string' && input !== '' && parsed(input) === undefined
}

/** Whether a piece of content says anything. Reasoning alone is no answer. */
function says({ type, text }: Members): boolean {
  return type !== 'reasoning' && (type !== 'text' || text !== '')
}
