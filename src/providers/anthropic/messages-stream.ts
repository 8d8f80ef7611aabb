/**
 * Messages, streamed and whole, each made of the other.
 * Source: https://platform.claude.com/docs/en/build-with-claude/streaming
 * @module
 */
import { isJsonObject, parseJsonObject, type JsonObject } from '../../json/object.ts'
import type { ServerEvent } from '../../base/server-sent-events.ts'

/** A content block while its deltas are merged. */
interface Block {
  readonly members: JsonObject
  /** The JSON text of a tool's input; `undefined` before its first part. */
  json: string | undefined
  open: boolean
}

/**
 * The whole message of a stream that has its `message_stop`, as the SDK accumulates it.
 * A stream with a second `message_start` is damaged or made of several: the SDK fails on it, and would fail on every replay.
 */
export function assembleMessage(events: readonly ServerEvent[]): JsonObject | undefined {
  const blocks: Block[] = []
  let message: JsonObject | undefined
  let ended = false
  for (const event of events) {
    if (event.event === 'ping' || event.data === '[DONE]') continue
    const data = event.event === 'error' ? undefined : parseJsonObject(event.data)
    if (data === undefined || data['type'] === 'error') return undefined
    if (!isOfMessage(data)) continue
    if (ended) return undefined
    if (message === undefined) message = data['type'] === 'message_start' ? startedMessage(data['message']) : undefined
    else if (data['type'] === 'message_delta') message = withDelta(message, data)
    else if (data['type'] === 'message_stop') ended = true
    else if (!takeBlock(blocks, data)) return undefined
    if (message === undefined) return undefined
  }
  const content = blocks.map(wholeBlock)
  return ended && content.every(isJsonObject) ? { ...message, ...servingModel(content), content } : undefined
}

/** Why a stream without a whole message is not stored: an error in it, or events before its end mark that make no message. */
export function outlineMessage(events: readonly ServerEvent[]): string | undefined {
  const types = new Set(events.map(({ event, data }) => (event === 'error' ? event : parseJsonObject(data)?.['type'])))
  if (types.has('error')) return 'error'
  return types.has('message_stop') ? 'malformed' : undefined
}

/** Whether an event is about the message. Future types may not be, as `ping` is not. An event without a type counts as one. */
function isOfMessage(data: JsonObject): boolean {
  const { type } = data
  if (typeof type !== 'string' || /^(?:message|content)/.test(type)) return true
  return ['message', 'content_block', 'index', 'delta'].some((name) => Object.hasOwn(data, name))
}

function startedMessage(message: unknown): JsonObject | undefined {
  return isJsonObject(message) && Array.isArray(message['content']) && message['content'].length === 0 ? message : undefined
}

/** The message with what is known at its end only. Counts are totals of the whole message, and `null` changes nothing. */
function withDelta(message: JsonObject, data: JsonObject): JsonObject | undefined {
  const { type: _, delta, usage, ...rest } = data
  if (!isJsonObject(delta)) return undefined
  const merged = updated(updated(message, delta), rest)
  if (!isJsonObject(usage) || Object.keys(usage).length === 0) return merged
  return { ...merged, usage: updated(isJsonObject(message['usage']) ? message['usage'] : {}, usage) }
}

function updated(before: JsonObject, update: JsonObject): JsonObject {
  const said = Object.entries(update).filter(([name, value]) => value !== null || !Object.hasOwn(before, name))
  return { ...before, ...Object.fromEntries(said) }
}

/** Adds an event of a content block. @returns `false` if its meaning is in doubt */
function takeBlock(blocks: Block[], data: JsonObject): boolean {
  const { type, index, content_block: members, delta } = data
  if (type === 'content_block_start') {
    if (index !== blocks.length || !isJsonObject(members) || typeof members['type'] !== 'string') return false
    blocks.push({ members, json: undefined, open: true })
    return true
  }
  const block = typeof index === 'number' ? blocks[index] : undefined
  if (block?.open !== true) return false
  if (type === 'content_block_delta') return isJsonObject(delta) && takeDelta(block, delta)
  block.open = false
  return type === 'content_block_stop'
}

/** The type of block that a delta belongs to. A block of another type has no place for it. */
const owners = new Map<unknown, string>([
  ['text_delta', 'text'],
  ['citations_delta', 'text'],
  ['thinking_delta', 'thinking'],
  ['signature_delta', 'thinking'],
  ['compaction_delta', 'compaction'],
])

function takeDelta(block: Block, delta: JsonObject): boolean {
  const { members } = block
  const { type, ...said } = delta
  if (type === 'input_json_delta') {
    if (typeof said['partial_json'] !== 'string' || !Object.hasOwn(members, 'input')) return false
    block.json = (block.json ?? '') + said['partial_json']
    return true
  }
  if (members['type'] !== owners.get(type)) return false
  if (type === 'text_delta') return append(members, 'text', said['text'])
  if (type === 'thinking_delta') return append(members, 'thinking', said['thinking'])
  if (type === 'citations_delta') {
    members['citations'] = [...(Array.isArray(members['citations']) ? members['citations'] : []), said['citation']]
    return said['citation'] !== undefined
  }
  if (type === 'signature_delta') {
    members['signature'] = said['signature']
    return typeof said['signature'] === 'string'
  }
  // A compaction comes in one delta, with the final value of each member that it names.
  for (const [name, value] of Object.entries(said)) Object.defineProperty(members, name, { ...own, value })
  return Object.hasOwn(said, 'content')
}

/** An ordinary member, even under the name `__proto__`. */
const own = { configurable: true, enumerable: true, writable: true }

function append(members: JsonObject, name: string, piece: unknown): boolean {
  const before = members[name] ?? ''
  if (typeof before !== 'string' || typeof piece !== 'string') return false
  members[name] = before + piece
  return true
}

/** A finished block; `undefined` if it has no end, or a tool's input is cut off. */
function wholeBlock({ members, json, open }: Block): JsonObject | undefined {
  if (open || json === undefined) return open ? undefined : members
  const input = parseJsonObject(json === '' ? '{}' : json)
  return input === undefined ? undefined : { ...members, input }
}

/** The model that took over, under the name that a whole message has for it. */
function servingModel(content: readonly unknown[]): JsonObject {
  const fallback = content.filter(isJsonObject).findLast(({ type }) => type === 'fallback')
  const to = fallback?.['to']
  return isJsonObject(to) && typeof to['model'] === 'string' ? { model: to['model'] } : {}
}

/** Counts that a stream gives at its start and again at its end. */
const growing = ['input_tokens', 'cache_creation_input_tokens', 'cache_read_input_tokens', 'output_tokens']

/** Members of the usage that a stream gives at its end only. */
const late = ['server_tool_use', 'iterations', 'output_tokens_details', 'fallback_credit']

/** The types of block with an input that the model writes as text. */
const calls = ['tool_use', 'server_tool_use', 'mcp_tool_use']

/** Members of a message that its last delta holds. */
const final = ['stop_reason', 'stop_sequence', 'stop_details', 'container']

/** The events in which a whole message would have been streamed. */
export function disassembleMessage(answer: JsonObject): ServerEvent[] {
  const { content } = answer
  const blocks = Array.isArray(content) ? content.filter(isJsonObject) : []
  const usage = isJsonObject(answer['usage']) ? answer['usage'] : {}
  const start: JsonObject = { ...answer, content: [], ...nulled(answer, final) }
  if (isJsonObject(answer['usage'])) start['usage'] = startUsage(usage)
  if (isSet(answer['context_management'])) delete start['context_management']
  return [
    event('message_start', { message: start }),
    ...blocks.flatMap(blockEvents),
    event('message_delta', {
      delta: picked(answer, final),
      usage: picked(usage, [...growing, ...late]),
      ...(isSet(answer['context_management']) ? { context_management: answer['context_management'] } : {}),
    }),
    event('message_stop', {}),
  ]
}

/** The usage at the start of an answer. */
function startUsage(usage: JsonObject): JsonObject {
  const entries = Object.entries(usage).filter(([name, value]) => !late.includes(name) || !isSet(value))
  const { output_tokens: output } = usage
  return { ...Object.fromEntries(entries), ...(typeof output === 'number' ? { output_tokens: Math.min(output, 1) } : {}) }
}

function blockEvents(block: JsonObject, index: number): ServerEvent[] {
  const [start, ...deltas] = blockParts(block)
  return [
    event('content_block_start', { index, content_block: start }),
    ...deltas.map((delta) => event('content_block_delta', { index, delta })),
    event('content_block_stop', { index }),
  ]
}

/** The start of a block, and its deltas. All that the model does not write as text is sent whole. */
function blockParts(block: JsonObject): [start: JsonObject, ...deltas: JsonObject[]] {
  const { type, text, citations, thinking, signature, input, content } = block
  if (type === 'text' && typeof text === 'string') {
    const cited: readonly unknown[] = Array.isArray(citations) ? citations : []
    return [
      { ...block, text: '', ...(Array.isArray(citations) ? { citations: [] } : {}) },
      ...(text === '' ? [] : [{ type: 'text_delta', text }]),
      ...cited.map((citation) => ({ type: 'citations_delta', citation })),
    ]
  }
  if (type === 'thinking' && typeof thinking === 'string') {
    const signed = typeof signature === 'string'
    return [
      { ...block, thinking: '', ...(signed ? { signature: '' } : {}) },
      ...(thinking === '' ? [] : [{ type: 'thinking_delta', thinking }]),
      ...(signed && signature !== '' ? [{ type: 'signature_delta', signature }] : []),
    ]
  }
  if (calls.some((call) => call === type) && isJsonObject(input)) {
    const json = Object.keys(input).length === 0 ? [''] : ['', JSON.stringify(input)]
    return [{ ...block, input: {} }, ...json.map((part) => ({ type: 'input_json_delta', partial_json: part }))]
  }
  if (type === 'compaction' && content !== undefined) {
    const streamed = ['content', 'encrypted_content']
    return [
      { ...block, ...nulled(block, streamed) },
      { type: 'compaction_delta', ...picked(block, streamed) },
    ]
  }
  return [block]
}

function event(type: string, members: JsonObject): ServerEvent {
  return { event: type, data: JSON.stringify({ type, ...members }) }
}

/** Those of the members `names` that `value` has. */
function picked(value: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.filter((name) => value[name] !== undefined).map((name) => [name, value[name]]))
}

/** Those of the members `names` that `value` has, as `null`. */
function nulled(value: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.filter((name) => value[name] !== undefined).map((name) => [name, null]))
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null
}
