/**
 * Answers of Converse, streamed and whole, each made of the other.
 *
 * ConverseStream gives objects with one member each. An event has that member's name, and as its data that member as tagged JSON.
 * Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
 * @module
 */
import { isJsonObject, parseJsonObject, type JsonObject } from '../../json/object.ts'
import { fromTagged, isTaggedBytes, joinTaggedBytes, toTagged } from '../../json/tagged.ts'
import type { ServerEvent } from '../../base/server-sent-events.ts'
import { parseExactJson } from '../../json/exact.ts'

/** A content block while its deltas are merged. */
interface Block {
  /** The members that it began with, and what was merged into them. */
  readonly members: JsonObject
  /** The parts of a tool's input, which is streamed as text. */
  readonly input: string[]
  readonly citations: unknown[]
  ended: boolean
}

/** A message while its events are read. */
interface PartialMessage {
  start?: JsonObject
  stop?: JsonObject
  metadata?: JsonObject
  /** By their `contentBlockIndex`. */
  readonly blocks: Map<number, Block>
}

/** The whole answer of a complete stream: one with `messageStop` and `metadata`, in either order, and no unknown event. */
export function assembleConverse(events: readonly ServerEvent[]): JsonObject | undefined {
  const partial: PartialMessage = { blocks: new Map() }
  if (!events.every((event) => readEvent(partial, event))) return undefined
  const { start, stop, metadata, blocks } = partial
  if (stop === undefined || metadata === undefined) return undefined
  const content: JsonObject[] = []
  for (const [, block] of [...blocks].toSorted(([a], [b]) => a - b)) {
    const whole = wholeBlock(block)
    if (whole === undefined) return undefined
    if (Object.keys(whole).length > 0) content.push(whole)
  }
  return { output: { message: { role: 'assistant', ...start, content } }, ...stop, ...metadata }
}

/** Why a stream without a whole answer is not stored: an exception in it, or events before both of its end marks that make no answer. */
export function outlineConverse(events: readonly ServerEvent[]): string | undefined {
  const kinds = events.map(({ event = '' }) => event)
  if (kinds.some((kind) => kind.endsWith('Exception'))) return 'error'
  return kinds.includes('messageStop') && kinds.includes('metadata') ? 'malformed' : undefined
}

/** Reads one event. @returns `false` for an error, an event of an unknown kind, or one that begins the answer twice */
function readEvent(partial: PartialMessage, { event, data }: ServerEvent): boolean {
  const body = parseJsonObject(data)
  if (body === undefined) return false
  if (event === 'messageStart') {
    if (partial.start !== undefined || partial.blocks.size > 0) return false
    partial.start = body
    return true
  }
  if (event === 'messageStop' || event === 'metadata') {
    const name = event === 'metadata' ? 'metadata' : 'stop'
    if (partial[name] !== undefined) return false
    partial[name] = body
    return true
  }
  const ofBlock = event === 'contentBlockStart' || event === 'contentBlockDelta' || event === 'contentBlockStop'
  return ofBlock && partial.stop === undefined && readBlockEvent(partial.blocks, event, body)
}

function readBlockEvent(blocks: Map<number, Block>, event: string, body: JsonObject): boolean {
  const { contentBlockIndex: index, start, delta } = body
  if (typeof index !== 'number') return false
  let block = blocks.get(index)
  if (event === 'contentBlockStart' && block !== undefined) return false
  const members = event === 'contentBlockStart' && isJsonObject(start) ? start : {}
  if (block === undefined) blocks.set(index, (block = { members, input: [], citations: [], ended: false }))
  if (block.ended) return false
  block.ended = event === 'contentBlockStop'
  return event !== 'contentBlockDelta' || (isJsonObject(delta) && mergeDelta(block, delta))
}

/** Merges a delta into its block. @returns `false` for a delta of an unknown form */
function mergeDelta(block: Block, delta: JsonObject): boolean {
  const { members, input, citations } = block
  // An older SDK gives a delta of a kind that it does not know as an object without members.
  return (
    isFilled(delta) &&
    Object.entries(delta).every(([kind, value]) => {
      switch (kind) {
        case 'text':
          return appendText(members, 'text', value)
        case 'toolUse':
          return isJsonObject(value) && typeof value['input'] === 'string' && input.push(value['input']) > 0
        case 'toolResult':
          return Array.isArray(value) && appendContent(objectIn(members, 'toolResult'), value)
        case 'reasoningContent':
          return isFilled(value) && mergeReasoning(objectIn(members, 'reasoningContent'), value)
        case 'citation':
          return isJsonObject(value) && citations.push(value) > 0
        case 'image':
          return isFilled(value) && mergeImage(objectIn(members, 'image'), value)
        default:
          return false
      }
    })
  )
}

/** Whether a member of the protocol is an object that has content. */
function isFilled(value: unknown): value is JsonObject {
  return isJsonObject(value) && Object.keys(value).length > 0
}

function appendText(target: JsonObject, name: string, text: unknown): boolean {
  const before = target[name] ?? ''
  if (typeof text !== 'string' || typeof before !== 'string') return false
  target[name] = before + text
  return true
}

/** The object that is the member `name` of `target`. It is made if there is none. */
function objectIn(target: JsonObject, name: string): JsonObject {
  const before = target[name]
  if (isJsonObject(before)) return before
  const made: JsonObject = {}
  target[name] = made
  return made
}

/** Appends to a tool's result. A text after a text of an earlier delta continues it. */
function appendContent(result: JsonObject, parts: readonly unknown[]): boolean {
  const content: unknown[] = Array.isArray(result['content']) ? result['content'] : []
  const last = content.at(-1)
  const [first, ...rest] = parts
  if (isJsonObject(last) && typeof last['text'] === 'string' && isJsonObject(first) && typeof first['text'] === 'string') {
    last['text'] += first['text']
    content.push(...rest)
  } else {
    content.push(...parts)
  }
  result['content'] = content
  return parts.every(isJsonObject)
}

function mergeReasoning(reasoning: JsonObject, delta: JsonObject): boolean {
  const merged = Object.entries(delta).every(([name, value]) => {
    if (name === 'text' || name === 'signature') return appendText(objectIn(reasoning, 'reasoningText'), name, value)
    return name === 'redactedContent' && appendBytes(reasoning, name, value)
  })
  // A block is either readable or not.
  return merged && Object.keys(reasoning).length <= 1
}

function appendBytes(target: JsonObject, name: string, bytes: unknown): boolean {
  const before = target[name]
  if (!isTaggedBytes(bytes) || (before !== undefined && !isTaggedBytes(before))) return false
  target[name] = before === undefined ? bytes : joinTaggedBytes(before, bytes)
  return true
}

function mergeImage(image: JsonObject, delta: JsonObject): boolean {
  return Object.entries(delta).every(([name, value]) => {
    const before = image[name]
    if (name === 'source' && isJsonObject(before) && isJsonObject(value)) return appendBytes(before, 'bytes', value['bytes'])
    if (before !== undefined || (name !== 'source' && name !== 'error')) return false
    image[name] = value
    return true
  })
}

/** The block that its start and its deltas add up to; `undefined` if the input of its tool cannot be read. */
function wholeBlock({ members, input, citations }: Block): JsonObject | undefined {
  const { text, toolUse, ...rest } = members
  if (isJsonObject(toolUse) || input.length > 0) {
    const parsed = toolInput(input.join(''))
    return isJsonObject(toolUse) && parsed !== undefined ? { ...members, toolUse: { ...toolUse, input: parsed.value } } : undefined
  }
  if (citations.length === 0) return members
  return { ...rest, citationsContent: { ...(text === undefined ? {} : { content: [{ text }] }), citations } }
}

/** A tool's input as tagged JSON. For a tool without parameters, the text is empty. */
function toolInput(text: string): { readonly value: unknown } | undefined {
  const parsed = text === '' ? { value: {} } : parseExactJson(text)
  try {
    return parsed && { value: toTagged(parsed.value) }
  } catch {
    // Nested too deeply to be stored.
    return undefined
  }
}

/** The events in which a whole answer would have been streamed. */
export function disassembleConverse(answer: JsonObject): ServerEvent[] {
  const { output, stopReason, additionalModelResponseFields: fields, ...metadata } = answer
  const message = isJsonObject(output) && isJsonObject(output['message']) ? output['message'] : {}
  const { content, ...start } = message
  const blocks = Array.isArray(content) ? content.filter(isJsonObject) : []
  return [
    eventOf('messageStart', start),
    ...blocks.flatMap(blockEvents),
    eventOf('messageStop', { stopReason, ...(fields === undefined ? {} : { additionalModelResponseFields: fields }) }),
    eventOf('metadata', metadata),
  ]
}

function eventOf(event: string, data: JsonObject): ServerEvent {
  return { event, data: JSON.stringify(data) }
}

function blockEvents(block: JsonObject, contentBlockIndex: number): ServerEvent[] {
  const starts: [string, unknown][] = []
  const deltas: JsonObject[] = []
  for (const [kind, value] of Object.entries(block)) {
    const parts = partsOf(kind, value)
    // A member without a delta in the protocol goes whole into the start, so that nothing is lost.
    if (parts === undefined) starts.push([kind, value])
    else if (parts.start !== undefined) starts.push([kind, parts.start])
    deltas.push(...(parts?.deltas ?? []))
  }
  return [
    ...(starts.length === 0 ? [] : [eventOf('contentBlockStart', { start: Object.fromEntries(starts), contentBlockIndex })]),
    ...deltas.map((delta) => eventOf('contentBlockDelta', { delta, contentBlockIndex })),
    eventOf('contentBlockStop', { contentBlockIndex }),
  ]
}

/** The start and the deltas of a member of a block; `undefined` if it cannot be streamed. */
function partsOf(kind: string, value: unknown): { start?: JsonObject; deltas: JsonObject[] } | undefined {
  if (kind === 'text' && typeof value === 'string') return { deltas: [{ text: value }] }
  if (!isJsonObject(value)) return undefined
  if (kind === 'toolUse') {
    const { input = {}, ...start } = value
    return { start, deltas: [{ toolUse: { input: JSON.stringify(fromTagged(input)) } }] }
  }
  if (kind === 'toolResult') {
    const { content, ...start } = value
    return Array.isArray(content) && content.every(isStreamedResult) ? { start, deltas: [{ toolResult: content }] } : undefined
  }
  if (kind === 'image') {
    const { source, error, ...start } = value
    const image = { ...(source === undefined ? {} : { source }), ...(error === undefined ? {} : { error }) }
    return { start, deltas: Object.keys(image).length === 0 ? [] : [{ image }] }
  }
  if (kind === 'reasoningContent') return reasoningParts(value)
  return kind === 'citationsContent' ? citedParts(value) : undefined
}

function isStreamedResult(part: unknown): boolean {
  return isJsonObject(part) && Object.keys(part).every((name) => name === 'text' || name === 'json')
}

function reasoningParts({ reasoningText, redactedContent, ...rest }: JsonObject): { deltas: JsonObject[] } | undefined {
  if (Object.keys(rest).length > 0) return undefined
  const { text, signature } = isJsonObject(reasoningText) ? reasoningText : {}
  const parts = [
    typeof text === 'string' ? { text } : undefined,
    typeof signature === 'string' ? { signature } : undefined,
    isTaggedBytes(redactedContent) ? { redactedContent } : undefined,
  ]
  const deltas = parts.filter((part) => part !== undefined).map((reasoningContent) => ({ reasoningContent }))
  return deltas.length === 0 ? undefined : { deltas }
}

/** A cited text is streamed as a text, followed by its citations. A streamed block has one text, so several become one. */
function citedParts({ content, citations }: JsonObject): { deltas: JsonObject[] } {
  const texts = (Array.isArray(content) ? content : []).filter(isJsonObject).map(({ text }) => ({ text }))
  return { deltas: [...texts, ...(Array.isArray(citations) ? citations : []).map((citation: unknown) => ({ citation }))] }
}
