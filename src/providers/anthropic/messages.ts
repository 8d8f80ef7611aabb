/**
 * Anthropic's messages.
 * Source: https://platform.claude.com/docs/en/api/messages
 * @module
 */
import { count, isCounted, isJsonObject, type JsonObject } from '../../json/object.ts'
import type { Usage } from '../../entry.ts'
import { assembleMessage, disassembleMessage, outlineMessage } from './messages-stream.ts'
import { type Endpoint } from '../endpoint.ts'
import { anthropicPlaces } from './places.ts'

/** Messages. */
export const anthropicMessages: Endpoint = {
  provider: 'anthropic',
  name: 'messages',
  path: '/v1/messages',
  operation: 'messages',
  ignored: ['stream', 'metadata', 'service_tier'],
  place: anthropicPlaces,
  streaming: { assemble: assembleMessage, outline: outlineMessage, disassemble: disassembleMessage },
  bypassReason,
  normalise: normaliseMessages,
  skipReason,
  expiresAt,
  usage,
}

/** Milliseconds for which an answer is served whose container has no usable time: none, or one that has passed by this machine's clock. */
const containerLife = 15 * 60_000

/**
 * When the container of an answer is deleted, and its files with it.
 * Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/code-execution-tool#containers
 */
function expiresAt({ container }: JsonObject, now: number): number | undefined {
  if (!isJsonObject(container)) return undefined
  const { expires_at: text } = container
  const time = typeof text === 'string' ? Date.parse(text) : Number.NaN
  return time > now ? time : now + containerLife
}

/** A request that continues or changes state at the provider has another answer each time. */
function bypassReason(request: JsonObject): string | undefined {
  const { thread, container, max_tokens: limit } = request
  if (thread !== undefined && thread !== null) return 'thread'
  // A container with an id may hold files of earlier code. With skills alone, the provider makes a new one.
  const reused = isJsonObject(container) ? container['id'] : container
  if (reused !== undefined && reused !== null) return 'container'
  // Such a request only fills the provider's own cache, and has no answer.
  return limit === 0 ? 'max_tokens' : undefined
}

/** The roles of a message, whose content may be a string or one text block, to the same effect. */
const roles = ['user', 'assistant', 'system']

/** Members of a block or a tool that may hold further blocks or tools. A tool's input and its schema are the user's own, and not among them. */
const holders = ['content', 'source', 'tool_references', 'tool', 'definition']

/** How deep blocks may be nested: a text in a document in a fetched page in a tool's result, with room for more. */
const maxDepth = 16

/**
 * The request without the marks for the provider's own cache, which cannot change an answer. A message's content becomes a string if it is
 * one text block. The provider defines both as the same for messages, but not for the system prompt.
 * Source: https://platform.claude.com/docs/en/api/messages/create
 */
export function normaliseMessages(request: JsonObject): JsonObject {
  const changed: JsonObject = {}
  for (const [name, change] of changes) {
    const value = request[name]
    const normal = Array.isArray(value) ? mapped(value, change) : value
    if (normal !== value) changed[name] = normal
  }
  if (Object.keys(changed).length === 0 && !Object.hasOwn(request, 'cache_control')) return request
  const { cache_control: _, ...rest } = request
  return { ...rest, ...changed }
}

/** The members of a request that are lists, and how each of their values is changed. */
const changes: readonly [name: string, change: (value: unknown) => unknown][] = [
  ['messages', plainMessage],
  ['system', (block) => unmarked(block)],
  ['tools', (tool) => unmarked(tool)],
]

function plainMessage(message: unknown): unknown {
  if (!isJsonObject(message) || !Array.isArray(message['content'])) return message
  const blocks = mapped(message['content'], (block) => unmarked(block))
  const text = roles.some((role) => role === message['role']) ? singleText(blocks) : undefined
  if (text === undefined && blocks === message['content']) return message
  return { ...message, content: text ?? blocks }
}

/** The text of blocks that are one text with no other member. Another member, such as citations, means more than the text. */
function singleText(blocks: readonly unknown[]): string | undefined {
  const [block] = blocks
  if (blocks.length !== 1 || !isJsonObject(block) || block['type'] !== 'text' || typeof block['text'] !== 'string') return undefined
  for (const name of Object.keys(block)) if (name !== 'type' && name !== 'text' && block[name] !== undefined) return undefined
  return block['text']
}

/** A block or a tool without its `cache_control` and those within it; the same object if there are none. */
function unmarked(value: unknown, depth = 0): unknown {
  if (!isJsonObject(value) || depth > maxDepth) return value
  let changed: JsonObject | undefined
  for (const name of holders) {
    const held = value[name]
    if (typeof held !== 'object' || held === null) continue
    const bare = Array.isArray(held) ? mapped(held, (each) => unmarked(each, depth + 1)) : unmarked(held, depth + 1)
    if (bare !== held) changed = { ...(changed ?? value), [name]: bare }
  }
  if (!Object.hasOwn(value, 'cache_control')) return changed ?? value
  const { cache_control: _, ...rest } = changed ?? value
  return rest
}

/** `list` with each of its values changed; the same list if no value changes. */
function mapped(list: readonly unknown[], change: (value: unknown) => unknown): readonly unknown[] {
  let changed: unknown[] | undefined
  for (const [index, value] of list.entries()) {
    const next = change(value)
    if (next === value) continue
    changed ??= [...list]
    changed[index] = next
  }
  return changed ?? list
}

/**
 * The stop reasons of a complete answer. After `tool_use`, `pause_turn` and `compaction` the caller continues the conversation by sending the
 * answer back; until then the provider keeps no state of it.
 * Source: https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons
 */
const complete = ['end_turn', 'stop_sequence', 'tool_use', 'pause_turn', 'compaction']

function skipReason(answer: JsonObject): string | undefined {
  const { type, error, content, container, stop_reason: stop } = answer
  if (type === 'error' || (error !== undefined && error !== null)) return 'error'
  if (!Array.isArray(content)) return 'malformed'
  if (stop === 'max_tokens' || stop === 'model_context_window_exceeded') return 'length'
  if (stop === 'refusal') return stop
  if (!complete.some((reason) => reason === stop)) return 'stop_reason'
  // Code waits in a container for the tool's result. It takes one result, and soon, so no other caller can continue this answer.
  if ((stop === 'tool_use' || stop === 'pause_turn') && container !== undefined && container !== null) return 'container'
  return content.some(saysSomething) ? undefined : 'empty'
}

/** Whether a block answers. Thinking does not, nor an empty text, a failed compaction, or the note that another model took over. */
function saysSomething(block: unknown): boolean {
  if (!isJsonObject(block)) return false
  const { type, text, content } = block
  if (type === 'text') return typeof text === 'string' && text !== ''
  if (type === 'compaction') return typeof content === 'string' && content !== ''
  return type !== 'thinking' && type !== 'redacted_thinking' && type !== 'fallback'
}

/**
 * The tokens of a message. A compaction before it is billed with it, but is not in its own counts. An advisor is another model with other
 * prices, and is left out.
 * Source: https://platform.claude.com/docs/en/build-with-claude/compaction
 */
function usage(answer: JsonObject): Usage | undefined {
  const { usage: own } = answer
  if (!isJsonObject(own) || !isCounted(own, ['input_tokens', 'output_tokens'])) return undefined
  const iterations: readonly unknown[] = Array.isArray(own['iterations']) ? own['iterations'] : []
  const compactions = iterations.filter(isJsonObject).filter(({ type }) => type === 'compaction')
  return compactions.map(tokens).reduce(sum, tokens(own))
}

/** The counts of one iteration or of the whole message. Its `input_tokens` exclude what was read from or written to the provider's cache. */
function tokens(counts: JsonObject): Usage {
  const { cache_read_input_tokens: read, cache_creation_input_tokens: written, cache_creation: details } = counts
  const hour = isJsonObject(details) ? details['ephemeral_1h_input_tokens'] : undefined
  const minutes = isJsonObject(details) ? count(details['ephemeral_5m_input_tokens']) : 0
  // A stream gives the details at its start and the total at its end. What was written in between has the usual five minutes.
  const allWritten = typeof written === 'number' ? count(written) : minutes + count(hour)
  const hourWritten = Math.min(count(hour), allWritten)
  return {
    input: count(counts['input_tokens']) + count(read) + allWritten,
    output: count(counts['output_tokens']),
    ...(typeof read === 'number' ? { cacheRead: count(read) } : {}),
    ...(typeof written === 'number' || isJsonObject(details) ? { cacheWrite: allWritten - hourWritten } : {}),
    ...(typeof hour === 'number' ? { cacheWriteHour: hourWritten } : {}),
  }
}

function sum(first: Usage, second: Usage): Usage {
  const total = { ...first }
  for (const name of ['input', 'output', 'cacheRead', 'cacheWrite', 'cacheWriteHour'] as const) {
    if (second[name] !== undefined) total[name] = (total[name] ?? 0) + second[name]
  }
  return total
}
