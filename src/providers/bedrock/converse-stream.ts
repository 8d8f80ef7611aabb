/**
 * Answers of Converse, streamed and whole: one made from the other.
 *
 * An event is named by the one member that ConverseStream gives at a time, its data is that member as tagged JSON.
 * Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
 * @module
 */
import { isJsonObject, parseJsonObject, type JsonObject } from '../../json/object.ts'
import { fromTagged, isTaggedBytes, joinTaggedBytes, toTagged } from '../../json/tagged.ts'
import type { ServerEvent } from '../../base/server-sent-events.ts'
import { parseExactJson } from '../../json/exact.ts'

/** A content block while its deltas are merged. */
interface Block {
  /** What it began with, and what was merged into it. */
  readonly members: JsonObject
  /** The pieces of a tool's input, which is streamed as text. */
  readonly input: string[]
  readonly citations: unknown[]
  ended: boolean
}

/** What is known of a message while its events are read. */
interface Draft {
  start?: JsonObject
  stop?: JsonObject
  metadata?: JsonObject
  /** By their `contentBlockIndex`. */
  readonly blocks: Map<number, Block>
}

/** The whole answer of a complete stream: one with `messageStop` and `metadata`, in either order, and no event that is not understood. */
export function assembleConverse(events: readonly ServerEvent[]): JsonObject | undefined {
  const draft: Draft = { blocks: new Map() }
  if (!events.every((event) => readEvent(draft, event))) return undefined
  const { start, stop, metadata, blocks } = draft
  if (stop === undefined || metadata === undefined) return undefined
  const content: JsonObject[] = []
  for (const [, block] of [...blocks].toSorted(([a], [b]) => a - b)) {
    const whole = wholeBlock(block)
    if (whole === undefined) return undefined
    if (Object.keys(whole).length > 0) content.push(whole)
  }
  return { output: { message: { role: 'assistant', ...start, content } }, ...stop, ...metadata }
}

/** Reads one event. `false` when it is an error, or when it leaves a doubt about the answer: one begun twice, or of a kind not known. */
function readEvent(draft: Draft, { event, data }: ServerEvent): boolean {
  const body = parseJsonObject(data)
  if (body === undefined) return false
  if (event === 'messageStart') {
    if (draft.start !== undefined || draft.blocks.size > 0) return false
    draft.start = body
    return true
  }
  if (event === 'messageStop' || event === 'metadata') {
    const name = event === 'metadata' ? 'metadata' : 'stop'
    if (draft[name] !== undefined) return false
    draft[name] = body
    return true
  }
  const ofBlock = event === 'contentBlockStart' || event === 'contentBlockDelta' || event === 'contentBlockStop'
  return ofBlock && draft.stop === undefined && readBlockEvent(draft.blocks, event, body)
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

/** Merges a delta into its block. `false` for one that is not understood. */
function mergeDelta(block: Block, delta: JsonObject): boolean {
  const { members, input, citations } = block
  return Object.entries(delta).every(([kind, value]) => {
    switch (kind) {
      case 'text':
        return appendText(members, 'text', value)
      case 'toolUse':
        return isJsonObject(value) && typeof value['input'] === 'string' && input.push(value['input']) > 0
      case 'toolResult':
        return Array.isArray(value) && appendContent(objectIn(members, 'toolResult'), value)
      case 'reasoningContent':
        return isJsonObject(value) && mergeReasoning(objectIn(members, 'reasoningContent'), value)
      case 'citation':
        return isJsonObject(value) && citations.push(value) > 0
      case 'image':
        return isJsonObject(value) && mergeImage(objectIn(members, 'image'), value)
      default:
        return false
    }
  })
}

function appendText(target: JsonObject, name: string, text: unknown): boolean {
  const before = target[name] ?? ''
  if (typeof text !== 'string' || typeof before !== 'string') return false
  target[name] = before + text
  return true
}

/** The object that is the member `name` of `target`, made where there is none. */
function objectIn(target: JsonObject, name: string): JsonObject {
  const before = target[name]
  if (isJsonObject(before)) return before
  const made: JsonObject = {}
  target[name] = made
  return made
}

/** Appends to a tool's result. A text that follows a text of an earlier delta is its continuation. */
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

/** The block that its start and its deltas amount to; `undefined` when the input of its tool cannot be read. */
function wholeBlock({ members, input, citations }: Block): JsonObject | undefined {
  const { text, toolUse, ...rest } = members
  if (isJsonObject(toolUse) || input.length > 0) {
    const parsed = toolInput(input.join(''))
    return isJsonObject(toolUse) && parsed !== undefined ? { ...members, toolUse: { ...toolUse, input: parsed.value } } : undefined
  }
  if (citations.length === 0) return members
  return { ...rest, citationsContent: { ...(text === undefined ? {} : { content: [{ text }] }), citations } }
}

/** A tool's input as tagged JSON. A tool without parameters is called with no text at all. */
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
    // What the protocol has no delta for stands whole in the start, so that nothing is lost.
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

/** What a member of a block begins with and goes on with; `undefined` when it cannot be streamed. */
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

/** A cited text goes on as a text does, followed by its citations. The stream knows one text to a block, so several become one. */
function citedParts({ content, citations }: JsonObject): { deltas: JsonObject[] } {
  const texts = (Array.isArray(content) ? content : []).filter(isJsonObject).map(({ text }) => ({ text }))
  return { deltas: [...texts, ...(Array.isArray(citations) ? citations : []).map((citation: unknown) => ({ citation }))] }
}
