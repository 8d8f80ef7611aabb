/**
 * Ollama's own API. It streams unless it is asked not to, one JSON value a line.
 * Source: https://github.com/ollama/ollama/blob/main/docs/api.md
 * @module
 */
import type { Usage } from '../../entry.ts'
import { count, isCounted, isJsonObject, type JsonObject } from '../../json/object.ts'
import { partsIn, protocolOfEndpoints, type StreamDefinition } from '../define-endpoint.ts'
import { inputsIn } from '../inputs.ts'
import type { Protocol } from '../protocol.ts'

/** How long the server keeps the model in memory. It cannot change an answer. */
const ignore = ['keep_alive']

const chat = partsIn({
  provider: 'ollama',
  name: 'chat',
  match: '/api/chat',
  ignore,
  streaming: streamOf(
    (part) => (isJsonObject(part['message']) ? part['message'] : undefined),
    (text) => ({ message: text }),
  ),
  skipReason: (answer) => judge(answer, answer['message']),
  usage,
})

const generate = partsIn({
  provider: 'ollama',
  name: 'generate',
  match: '/api/generate',
  operation: 'completions',
  ignore,
  streaming: streamOf(
    (part) => texts(part),
    (text) => text,
  ),
  // A context continues an earlier answer by itself, and is part of the request.
  skipReason: (answer) => judge(answer, answer),
  usage,
})

const embed = partsIn({
  provider: 'ollama',
  name: 'embed',
  match: '/api/embed',
  operation: 'embeddings',
  ignore,
  perInput: inputsIn({ input: 'input', output: 'embeddings', counts: ['prompt_eval_count'] }),
  skipReason: ({ embeddings }) => (Array.isArray(embeddings) ? (embeddings.length > 0 ? undefined : 'empty') : 'malformed'),
  usage: (answer) => (isCounted(answer, ['prompt_eval_count']) ? { input: count(answer['prompt_eval_count']), output: 0 } : undefined),
})

/** The protocol of Ollama. */
export const ollamaProtocol: Protocol = protocolOfEndpoints([chat, generate, embed])

/** The members that a stream gives in pieces. */
const pieces = ['content', 'thinking', 'response'] as const

function texts(part: JsonObject): JsonObject {
  return Object.fromEntries(pieces.filter((name) => part[name] !== undefined).map((name) => [name, part[name]]))
}

/** A stream whose lines say a part of the answer each, and at the end, with `done`, all that is known of it. */
function streamOf(said: (line: JsonObject) => JsonObject | undefined, placed: (text: JsonObject) => JsonObject): StreamDefinition {
  return {
    form: 'ndjson',
    isAsked: ({ stream }) => stream !== false,
    assemble(lines) {
      const last = lines.at(-1)
      if (last?.['done'] !== true) return undefined
      const merged = lines.map(said).reduce<JsonObject>((whole, part) => mergedWith(whole, part ?? {}), {})
      return { ...last, ...placed(merged) }
    },
    disassemble(answer) {
      const whole = said(answer) ?? {}
      const { model, created_at } = answer
      const empty = Object.fromEntries(pieces.filter((name) => whole[name] !== undefined).map((name) => [name, '']))
      const { role } = whole
      const last = { ...answer, ...placed({ ...(role !== undefined && { role }), ...empty }) }
      return [{ model, created_at, ...placed(whole), done: false }, last]
    },
  }
}

/** A message with the next part of it: texts go on, tool calls are added, all else is as it was said last. */
function mergedWith(whole: JsonObject, part: JsonObject): JsonObject {
  const merged = { ...whole }
  for (const [name, value] of Object.entries(part)) {
    const before = merged[name]
    if (typeof before === 'string' && typeof value === 'string' && name !== 'role') merged[name] = before + value
    else if (Array.isArray(before) && Array.isArray(value)) merged[name] = [...before, ...value]
    else merged[name] = value
  }
  return merged
}

/** Why an answer is not stored. It may have been loaded, unloaded or cut off. */
function judge({ done, done_reason: reason }: JsonObject, said: unknown): string | undefined {
  if (done !== true || !isJsonObject(said)) return 'malformed'
  if (reason === 'length') return reason
  if (reason !== undefined && reason !== 'stop') return 'done_reason'
  const { content, response, tool_calls: calls } = said
  return [content, response, calls].some((value) => (typeof value === 'string' || Array.isArray(value)) && value.length > 0)
    ? undefined
    : 'empty'
}

function usage(answer: JsonObject): Usage | undefined {
  if (!isCounted(answer, ['prompt_eval_count', 'eval_count'])) return undefined
  return { input: count(answer['prompt_eval_count']), output: count(answer['eval_count']) }
}
