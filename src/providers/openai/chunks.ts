/**
 * The chunks of streamed chat and legacy completions: how they are read and merged, and the usage that only some requests ask for.
 * Source: https://platform.openai.com/docs/api-reference/chat-streaming
 * @module
 */
import { isJsonObject, type JsonObject } from '../../json/object.ts'
import type { ServerEvent } from '../../base/server-sent-events.ts'
import { hasError, readEvent } from './body.ts'

/** The event that ends a stream of chunks. */
export const doneEvent: ServerEvent = { data: '[DONE]' }

/** The members that every chunk of a stream repeats. `obfuscation` is padding against an eavesdropper, without meaning. */
const repeated = new Set(['id', 'object', 'created', 'model', 'service_tier', 'system_fingerprint', 'obfuscation', 'choices', 'usage'])

/** A complete stream as an answer, and whether all of its parts could be merged. */
export interface ReadStream {
  readonly answer: JsonObject
  readonly exact: boolean
}

/** Whether a stream could be read; else there is only what is wrong with it. */
export function isRead(read: ReadStream | string | undefined): read is ReadStream {
  return typeof read === 'object'
}

/** The chunks before the end mark; else what is wrong with one of them, or `undefined` if the end mark is missing. */
export function readChunks(events: readonly ServerEvent[]): JsonObject[] | 'error' | 'malformed' | undefined {
  const chunks: JsonObject[] = []
  for (const event of events) {
    if (event.data === doneEvent.data) return chunks
    if (event.event === 'error') return 'error'
    const chunk = readEvent(event)
    // The last event of a stream that was left in the middle may be half of one.
    if (chunk === undefined) return events.some(({ data }) => data === doneEvent.data) ? 'malformed' : undefined
    // Groq puts an error into a member of its own if it had to stop early.
    if (hasError(chunk) || (isJsonObject(chunk['x_groq']) && hasError(chunk['x_groq']))) return 'error'
    chunks.push(chunk)
  }
  return undefined
}

/** The members of a whole answer besides its choices, each from the last chunk that gives it a value. */
export function mergeChunks(chunks: readonly JsonObject[]): { members: JsonObject; usage: JsonObject | undefined } {
  const members: JsonObject = {}
  let usage: JsonObject | undefined
  for (const chunk of chunks) {
    for (const [name, value] of Object.entries(chunk)) {
      if (name === 'choices' || name === 'usage' || name === 'obfuscation' || name === 'x_groq') continue
      // Azure's first chunk has an empty id and model. An empty member never replaces a value.
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
 * and of anything else the last value counts.
 * @returns `false` if the value cannot continue the one before it, as a list cannot continue a text
 */
export function mergeMember(target: JsonObject, name: string, value: unknown): boolean {
  const before = Object.hasOwn(target, name) ? target[name] : undefined
  if (value === null || value === undefined) {
    if (before === undefined) put(target, name, null)
    return true
  }
  if (before === undefined || before === null) {
    // The pieces of one delta may belong together as well.
    const isList = Array.isArray(value)
    const list: unknown[] = []
    put(target, name, isList ? list : value)
    return !isList || mergeList(list, value, name)
  }
  if (typeof value === 'string') {
    // An empty text continues anything.
    if (typeof before !== 'string') return value === ''
    if (!isLabel(name)) target[name] = before + value
    else if (value !== '') target[name] = value
    return true
  }
  if (Array.isArray(value)) return Array.isArray(before) && mergeList(before, value, name)
  if (isJsonObject(value)) return isJsonObject(before) && Object.entries(value).every(([member, part]) => mergeMember(before, member, part))
  target[name] = value
  return true
}

/** Lists of objects whose pieces are whole in each delta. Of another list, only the server knows how a piece goes on with the one before. */
const wholePieces = new Set([
  'annotations',
  'citations',
  'content',
  'images',
  'reasoning_details',
  'refusal',
  'search_results',
  'top_logprobs',
])

/**
 * Appends a list to the one before it. A piece at the place of an earlier one would be another item; in OpenRouter's reasoning it continues
 * the earlier one. There, a place is an `index` and a `type`.
 * Source: https://openrouter.ai/docs/use-cases/reasoning-tokens#reasoning_details-array-structure
 */
function mergeList(before: unknown[], pieces: readonly unknown[], name: string): boolean {
  const isReasoning = name === 'reasoning_details'
  const isFirst = before.length === 0
  if (!isFirst && !wholePieces.has(name) && pieces.some(isJsonObject)) return false
  for (const piece of pieces) {
    const isOther = isFirst && !isReasoning
    const earlier = isJsonObject(piece) && !isOther ? before.filter(isJsonObject).find((item) => isSamePlace(item, piece)) : undefined
    if (earlier === undefined && isReasoning && !isFirst && !hasPlace(piece)) return false
    if (earlier === undefined || !isJsonObject(piece)) before.push(piece)
    else if (!isReasoning || !continueReasoning(earlier, piece)) return false
  }
  return true
}

function isSamePlace(item: JsonObject, piece: JsonObject): boolean {
  return hasPlace(piece) && item['index'] === piece['index'] && item['type'] === piece['type']
}

function hasPlace(piece: unknown): boolean {
  return isJsonObject(piece) && typeof piece['index'] === 'number'
}

/** A text is continued; a signature, an encrypted block and an id come once. */
function continueReasoning(earlier: JsonObject, piece: JsonObject): boolean {
  return Object.entries(piece).every(([name, value]) => {
    const before = earlier[name]
    const isOnce = name === 'signature' || name === 'data' || name === 'id'
    if (isOnce && isFilled(before) && isFilled(value)) return before === value
    return mergeMember(earlier, name, value)
  })
}

function isFilled(value: unknown): boolean {
  return value !== undefined && value !== null && value !== ''
}

/** Whether a request asks for the usage in its stream. */
export function asksForUsage(request: JsonObject): boolean {
  const options = request['stream_options']
  return isJsonObject(options) && options['include_usage'] === true
}

/** The parts that a request for a completion does not ask for: a stream has its usage only on request. */
export function omitsUsage(request: JsonObject): readonly string[] {
  return request['stream'] === true && !asksForUsage(request) ? ['usage'] : []
}

/** The recorded events as this request would have got them: without the usage if it does not ask for it. */
export function adaptUsage(events: readonly ServerEvent[], request: JsonObject): ServerEvent[] {
  return asksForUsage(request) ? [...events] : events.flatMap(withoutUsage)
}

/** The event without its usage; none at all if it holds nothing else. */
export function withoutUsage(event: ServerEvent): ServerEvent[] {
  if (!event.data.includes('"usage"')) return [event]
  // In JSON this text can only be a member, as quotes within a string are escaped. Cutting it out is cheaper than parsing every chunk.
  const data = event.data.replace(',"usage":null', '')
  if (!data.includes('"usage"')) return [{ ...event, data }]
  const chunk = readEvent(event)
  if (chunk === undefined || !Object.hasOwn(chunk, 'usage')) return [event]
  const { usage, ...rest } = chunk
  const choices = rest['choices']
  // A chunk that holds only the usage is dropped. A chunk with other members, such as the last one of some providers, keeps those.
  const isUsageOnly = isJsonObject(usage) && Array.isArray(choices) && choices.length === 0
  return isUsageOnly && Object.keys(rest).every((name) => repeated.has(name)) ? [] : [{ ...event, data: JSON.stringify(rest) }]
}

/** How a whole answer is written as chunks. */
interface ChunkFormat {
  /** The `object` member of each chunk. */
  readonly object: string
  /** The `choices` of the chunks, one each. */
  readonly choices: readonly JsonObject[]
  readonly request: JsonObject
}

/** The events of chunks for `answer`, with its usage at the end if the request asks for it. */
export function formatChunks(answer: JsonObject, { object, choices, request }: ChunkFormat): ServerEvent[] {
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

/** The choices of a whole answer, or `undefined` if it has no list of them. */
export function choicesOf(body: JsonObject): readonly unknown[] | undefined {
  const { choices } = body
  return Array.isArray(choices) ? choices : undefined
}

/** Sets an own member, even `__proto__`: a plain assignment to that name would change the prototype. */
function put(target: JsonObject, name: string, value: unknown): void {
  if (name === '__proto__') Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true })
  else target[name] = value
}

/** Whether a text member is a label, which deltas repeat whole and do not continue. */
function isLabel(name: string): boolean {
  return /^(?:role|id|type|name|status|format)$|_(?:id|type|name)$/.test(name)
}
