/**
 * The chunks in which chat and legacy completions are streamed: reading them, merging them, and the usage that only some callers ask for.
 * Source: https://platform.openai.com/docs/api-reference/chat-streaming
 * @module
 */
import { isJsonObject, type JsonObject } from '../../json/object.ts'
import type { ServerEvent } from '../../base/server-sent-events.ts'
import { hasError, readEvent } from './body.ts'

/** The event that ends a stream of chunks. */
export const doneEvent: ServerEvent = { data: '[DONE]' }

/** What every chunk of a stream repeats. `obfuscation` is padding against an eavesdropper and says nothing. */
const repeated = new Set(['id', 'object', 'created', 'model', 'service_tier', 'system_fingerprint', 'obfuscation', 'choices', 'usage'])

/** The chunks before the end mark; `undefined` when it is missing, or when one of them is an error or no JSON object. */
export function readChunks(events: readonly ServerEvent[]): JsonObject[] | undefined {
  const chunks: JsonObject[] = []
  for (const event of events) {
    if (event.data === doneEvent.data) return chunks
    const chunk = event.event === 'error' ? undefined : readEvent(event)
    if (chunk === undefined || hasError(chunk)) return undefined
    // Groq says so here when it had to stop early.
    if (isJsonObject(chunk['x_groq']) && hasError(chunk['x_groq'])) return undefined
    chunks.push(chunk)
  }
  return undefined
}

/** The members of a whole answer that stand beside its choices, by the last chunk that says something of each. */
export function mergeChunks(chunks: readonly JsonObject[]): { members: JsonObject; usage: JsonObject | undefined } {
  const members: JsonObject = {}
  let usage: JsonObject | undefined
  for (const chunk of chunks) {
    for (const [name, value] of Object.entries(chunk)) {
      if (name === 'choices' || name === 'usage' || name === 'obfuscation' || name === 'x_groq') continue
      // Azure's first chunk has an empty id and model, and no chunk says more by an empty member than by none.
      if ((value === '' || value === 0 || value === null) && Object.hasOwn(members, name)) continue
      put(members, name, value)
    }
    if (isJsonObject(chunk['usage'])) usage = chunk['usage']
    if (isJsonObject(chunk['x_groq'])) {
      const { usage: counted, ...rest } = chunk['x_groq']
      if (isJsonObject(counted)) usage ??= counted
      const before = members['x_groq']
      if (Object.keys(rest).length > 0) members['x_groq'] = isJsonObject(before) ? { ...before, ...rest } : rest
    }
  }
  return { members, usage }
}

/**
 * Merges one member of a delta into what came before it: text is appended, arrays are joined, objects are merged member by member,
 * and of anything else the last one stands.
 * @returns whether it could be done without a doubt: what was text cannot go on as a list
 */
export function mergeMember(target: JsonObject, name: string, value: unknown): boolean {
  const before = Object.hasOwn(target, name) ? target[name] : undefined
  if (value === null || value === undefined) {
    if (before === undefined) put(target, name, null)
    return true
  }
  if (before === undefined || before === null) {
    put(target, name, value)
    return true
  }
  if (typeof value === 'string') {
    if (typeof before !== 'string') return false
    if (!isLabel(name)) target[name] = before + value
    else if (value !== '') target[name] = value
    return true
  }
  if (Array.isArray(value)) {
    if (!Array.isArray(before)) return false
    for (const element of value) before.push(element)
    return true
  }
  if (isJsonObject(value)) return isJsonObject(before) && Object.entries(value).every(([member, part]) => mergeMember(before, member, part))
  target[name] = value
  return true
}

/** Whether a request asks for its usage to be streamed. */
export function asksForUsage(request: JsonObject): boolean {
  const options = request['stream_options']
  return isJsonObject(options) && options['include_usage'] === true
}

/** What a request for a completion does not ask for: a stream has its usage only on demand. */
export function omitsUsage(request: JsonObject): readonly string[] {
  return request['stream'] === true && !asksForUsage(request) ? ['usage'] : []
}

/** The recorded events as this request would have got them: without the usage that it did not ask for. */
export function adaptUsage(events: readonly ServerEvent[], request: JsonObject): ServerEvent[] {
  return asksForUsage(request) ? [...events] : events.flatMap(withoutUsage)
}

function withoutUsage(event: ServerEvent): ServerEvent[] {
  if (!event.data.includes('"usage"')) return [event]
  // In JSON this text can only be a member, as a quote within a string is escaped. Cutting it out spares parsing every chunk of a hit.
  const data = event.data.replace(',"usage":null', '')
  if (!data.includes('"usage"')) return [{ ...event, data }]
  const chunk = readEvent(event)
  if (chunk === undefined || !Object.hasOwn(chunk, 'usage')) return [event]
  const { usage, ...rest } = chunk
  const choices = rest['choices']
  // A chunk that came for the usage's sake goes whole. One that says something else, as some providers' last one does, keeps that.
  const forUsage = isJsonObject(usage) && Array.isArray(choices) && choices.length === 0
  return forUsage && Object.keys(rest).every((name) => repeated.has(name)) ? [] : [{ ...event, data: JSON.stringify(rest) }]
}

/** The events of chunks that are to be sent for `answer`, with its usage at the end where the request asks for it. */
export function formatChunks(answer: JsonObject, object: string, choices: readonly JsonObject[], request: JsonObject): ServerEvent[] {
  const shared: JsonObject = {}
  const rest: JsonObject = {}
  for (const [name, value] of Object.entries(answer)) put(repeated.has(name) ? shared : rest, name, value)
  const { usage } = answer
  const counted = asksForUsage(request) && isJsonObject(usage)
  delete shared['choices']
  delete shared['usage']
  const chunk = (members: JsonObject): ServerEvent => ({ data: JSON.stringify({ ...shared, object, ...members }) })
  const silent = counted ? { usage: null } : {}
  return [
    ...choices.map((choice, index) => chunk({ ...(index === 0 ? rest : {}), choices: [choice], ...silent })),
    ...(counted ? [chunk({ choices: [], usage })] : []),
    doneEvent,
  ]
}

/** The choices of a whole answer, or `undefined` when it has no list of them. */
export function choicesOf(body: JsonObject): readonly unknown[] | undefined {
  const { choices } = body
  return Array.isArray(choices) ? choices : undefined
}

/** Why a finish reason forbids storing, or `undefined`. A reason that OpenAI does not define may mean anything. */
export function judgeFinish(reason: unknown): string | undefined {
  if (reason === 'stop' || reason === 'tool_calls' || reason === 'function_call') return undefined
  return reason === 'length' || reason === 'content_filter' ? reason : 'finish_reason'
}

/** Sets an own member, also one named as the prototype is, which a plain assignment would change. */
function put(target: JsonObject, name: string, value: unknown): void {
  if (name === '__proto__') Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true })
  else target[name] = value
}

/** Whether a text names something and so is repeated whole rather than continued. */
function isLabel(name: string): boolean {
  return /^(?:role|id|type|name|status|format)$|_(?:id|type|name)$/.test(name)
}
