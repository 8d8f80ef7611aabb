/**
 * Chat completions, streamed and whole, each made of the other.
 * Source: https://platform.openai.com/docs/api-reference/chat-streaming
 * @module
 */
import { isJsonObject, type JsonObject } from '../../json/object.ts'
import type { ServerEvent } from '../../base/server-sent-events.ts'
import { choicesOf, formatChunks, mergeChunks, mergeMember, readChunks, isRead, type ReadStream } from './chunks.ts'

/** A choice while its chunks are merged. */
interface Choice {
  readonly members: JsonObject
  readonly message: JsonObject
  /** Tool calls by their `index`. */
  readonly calls: Map<number, JsonObject>
  finished: boolean
}

/** The whole completion of a complete stream: one with `[DONE]` at its end and a finish reason for every choice. */
export function assembleChat(events: readonly ServerEvent[]): JsonObject | undefined {
  const read = readChat(events)
  return isRead(read) && read.exact ? read.answer : undefined
}

/** A complete stream as a completion, with as much of it as can be merged; else what is wrong with the stream. */
export function outlineChat(events: readonly ServerEvent[]): JsonObject | string | undefined {
  const read = readChat(events)
  return isRead(read) ? read.answer : read
}

function readChat(events: readonly ServerEvent[]): ReadStream | string | undefined {
  const chunks = readChunks(events)
  if (!Array.isArray(chunks)) return chunks
  const choices = new Map<number, Choice>()
  let exact = true
  for (const chunk of chunks) {
    for (const part of choicesOf(chunk) ?? []) if (!isJsonObject(part) || !mergeChoice(choices, part)) exact = false
  }
  const merged = [...choices.values()]
  if (merged.length === 0) return exact ? 'empty' : 'malformed'
  if (merged.some(({ finished }) => !finished)) return 'incomplete'
  const { members, usage } = mergeChunks(chunks)
  const answer = {
    ...members,
    object: 'chat.completion',
    choices: [...choices.keys()].toSorted((a, b) => a - b).map((index) => wholeChoice(index, choices.get(index))),
    ...(usage === undefined ? {} : { usage }),
  }
  return { answer, exact }
}

/** Merges one part of a choice. @returns `false` if some of it cannot be merged; the rest is */
function mergeChoice(choices: Map<number, Choice>, part: JsonObject): boolean {
  const { index: place, delta, finish_reason: finish, logprobs, ...rest } = part
  // Some gateways name no place where there is one choice. A part behind its end would be of another one.
  const index = place ?? 0
  if (typeof index !== 'number') return false
  let choice = choices.get(index)
  if (place === undefined && (choices.size > 1 || choice?.finished === true)) return false
  if (choice === undefined) choices.set(index, (choice = { members: {}, message: {}, calls: new Map(), finished: false }))
  const { members, message, calls } = choice
  for (const [name, value] of Object.entries(rest)) if (value !== null || !Object.hasOwn(members, name)) members[name] = value
  const scored = logprobs === undefined || mergeMember(members, 'logprobs', logprobs)
  if (typeof finish === 'string' && finish !== '') {
    members['finish_reason'] = finish
    choice.finished = true
  }
  if (!isJsonObject(delta)) return scored && (delta === undefined || delta === null)
  const done = Object.entries(delta).map(([name, value]) =>
    name === 'tool_calls' && Array.isArray(value)
      ? value.map((call: unknown) => isJsonObject(call) && mergeCall(calls, call)).every(Boolean)
      : mergeDelta(message, name, value),
  )
  return scored && done.every(Boolean)
}

/** Merges one member of a delta. Only the provider knows how two lists of content belong together, as in Mistral's streams of reasoning. */
function mergeDelta(message: JsonObject, name: string, value: unknown): boolean {
  if (name !== 'content' || !Array.isArray(value)) return mergeMember(message, name, value)
  const { content } = message
  if (content !== undefined && content !== null && content !== '') return value.length === 0
  message['content'] = value
  return true
}

/** Merges one part of a tool call. A second id at one index is another call, wrongly numbered by the provider: the two are mixed. */
function mergeCall(calls: Map<number, JsonObject>, part: JsonObject): boolean {
  const { index, ...rest } = part
  if (typeof index !== 'number') {
    // Without its place it may be a call or a part of one. It is kept, so that the answer counts as one with calls.
    calls.set(-1 - calls.size, rest)
    return false
  }
  let call = calls.get(index)
  if (call === undefined) calls.set(index, (call = {}))
  const earlierId = call['id']
  const { id } = rest
  if (typeof earlierId === 'string' && earlierId !== '' && typeof id === 'string' && id !== '' && id !== earlierId) {
    calls.set(-1 - calls.size, rest)
    return false
  }
  const target = call
  return Object.entries(rest).every(([name, value]) => mergeMember(target, name, value))
}

function wholeChoice(index: number, choice: Choice | undefined): JsonObject {
  const { members, message, calls } = choice ?? { members: {}, message: {}, calls: new Map<number, JsonObject>() }
  const ordered = [...calls.entries()].toSorted(([a], [b]) => a - b).map(([, call]) => call)
  return {
    index,
    message: {
      role: 'assistant',
      content: null,
      // Every whole message of OpenAI and xAI has this member, even if the deltas had none.
      refusal: null,
      ...message,
      ...(ordered.length === 0 ? {} : { tool_calls: ordered }),
    },
    ...members,
  }
}

/** The chunks in which the provider would have streamed a whole completion to this request. */
export function disassembleChat(answer: JsonObject, request: JsonObject): ServerEvent[] {
  const choices = (choicesOf(answer) ?? []).filter(isJsonObject).flatMap(choiceParts)
  return formatChunks(answer, { object: 'chat.completion.chunk', choices, request })
}

/** The parts in which a choice is streamed: role, reasoning, text and other members, tool calls, end. */
function choiceParts(choice: JsonObject): JsonObject[] {
  const { index, message: whole, logprobs, finish_reason: finish, ...rest } = choice
  const message = isJsonObject(whole) ? whole : {}
  const start: JsonObject = {}
  const reasoning: JsonObject = {}
  const text: JsonObject = {}
  for (const [name, value] of Object.entries(message)) {
    if (name === 'role' || value === null || value === '') start[name] = value
    else if (name.startsWith('reasoning')) reasoning[name] = value
    else if (name !== 'tool_calls' || !Array.isArray(value)) text[name] = value
  }
  // OpenAI's first delta has an empty text before the text itself.
  if (typeof text['content'] === 'string') start['content'] = ''
  const calls: unknown = message['tool_calls']
  const scored = isJsonObject(logprobs)
  const silent = logprobs === undefined ? {} : { logprobs: null }
  const part = (delta: JsonObject): JsonObject => ({ index, delta, ...silent, finish_reason: null })
  return [
    part(start),
    ...(Object.keys(reasoning).length === 0 ? [] : [part(reasoning)]),
    ...(Object.keys(text).length === 0 && !scored ? [] : [{ ...part(text), ...(scored ? { logprobs } : {}) }]),
    ...(Array.isArray(calls) ? calls.flatMap(callParts).map((call) => part({ tool_calls: [call] })) : []),
    { index, delta: {}, ...silent, ...rest, finish_reason: finish },
  ]
}

/** The two parts in which OpenAI streams a tool call: the name of the tool, and its arguments. */
function callParts(call: unknown, index: number): JsonObject[] {
  if (!isJsonObject(call)) return []
  const start: JsonObject = { index, ...call }
  const input: JsonObject = { index }
  for (const [kind, member] of [
    ['function', 'arguments'],
    ['custom', 'input'],
  ] as const) {
    const called = call[kind]
    if (!isJsonObject(called) || typeof called[member] !== 'string' || called[member] === '') continue
    start[kind] = { ...called, [member]: '' }
    input[kind] = { [member]: called[member] }
  }
  return Object.keys(input).length === 1 ? [start] : [start, input]
}
