/**
 * Responses, streamed and whole, each made of the other.
 * Source: https://platform.openai.com/docs/api-reference/responses-streaming
 * @module
 */
import { isJsonObject, type JsonObject } from '../../json/object.ts'
import type { ServerEvent } from '../../base/server-sent-events.ts'
import { readEvent } from './body.ts'

/** The types of event that decide whether a stream is complete, and with which answer. Events are tested by it before they are parsed. */
const decisiveTypes = /"type"\s*:\s*"(?:response\.(?:created|queued|in_progress|completed|incomplete|failed|cancelled)|error)"/

/**
 * The whole response of a stream with its end event: `response.completed`, or `response.incomplete`, whose answer has that status.
 * A stream with events after its end, or with two responses, is made of several streams, and has no answer.
 */
export function assembleResponse(events: readonly ServerEvent[]): JsonObject | undefined {
  let answer: JsonObject | undefined
  let identity: unknown
  for (const event of events) {
    if (event.data === '[DONE]') continue
    if (answer !== undefined || event.event === 'error') return undefined
    if (!decisiveTypes.test(event.data)) continue
    const data = readEvent(event)
    const type = data?.['type']
    if (data === undefined || type === 'error' || type === 'response.failed' || type === 'response.cancelled') return undefined
    const response = data['response']
    if (!isJsonObject(response)) continue
    identity ??= response['id']
    if (response['id'] !== identity) return undefined
    if (type === 'response.completed' || type === 'response.incomplete') answer = response
  }
  if (answer === undefined) return undefined
  const { output } = answer
  if (Array.isArray(output) && output.length > 0) return answer
  const items = finishedItems(events)
  return items.length === 0 ? answer : { ...answer, output: items }
}

/** Why a stream without a whole response is not stored: the provider ended it by an event that says so, or events make no single response. */
export function outlineResponse(events: readonly ServerEvent[]): string | undefined {
  const types: unknown[] = []
  for (const event of events) {
    if (event.event === 'error') return 'error'
    if (!decisiveTypes.test(event.data)) continue
    const type = readEvent(event)?.['type']
    if (type === 'error') return type
    if (type === 'response.failed' || type === 'response.cancelled') return type.slice('response.'.length)
    types.push(type)
  }
  return types.includes('response.completed') || types.includes('response.incomplete') ? 'malformed' : undefined
}

/** The finished output items of a stream, in order. Some servers leave them out of the response that ends it. */
function finishedItems(events: readonly ServerEvent[]): JsonObject[] {
  const items: { at: number; item: JsonObject }[] = []
  for (const event of events) {
    if (!event.data.includes('response.output_item.done')) continue
    const data = readEvent(event)
    if (data?.['type'] !== 'response.output_item.done' || !isJsonObject(data['item'])) continue
    items.push({ at: Number(data['output_index']), item: data['item'] })
  }
  return items.toSorted((a, b) => a.at - b.at).map(({ item }) => item)
}

type Send = (type: string, members: JsonObject) => void

/** The events in which the provider would have streamed a whole response. */
export function disassembleResponse(answer: JsonObject): ServerEvent[] {
  const events: ServerEvent[] = []
  const send: Send = (type, members) => {
    events.push({ event: type, data: JSON.stringify({ type, sequence_number: events.length, ...members }) })
  }
  const { output_text: _, ...response } = answer
  const started = {
    ...response,
    ...emptied(response, { completed_at: null }),
    status: 'in_progress',
    incomplete_details: null,
    output: [],
    usage: null,
  }
  send('response.created', { response: started })
  send('response.in_progress', { response: started })
  const output: unknown = answer['output']
  if (Array.isArray(output)) for (const [index, item] of output.entries()) if (isJsonObject(item)) sendItem(send, item, index)
  const { status } = answer
  send(status === 'incomplete' || status === 'failed' ? `response.${status}` : 'response.completed', { response: answer })
  return events
}

function sendItem(send: Send, item: JsonObject, index: number): void {
  const { id, type } = item
  const place = { item_id: id, output_index: index }
  const started = { ...item, ...(item['status'] === 'completed' ? { status: 'in_progress' } : {}) }
  const add = (empty: JsonObject): void =>
    send('response.output_item.added', { output_index: index, item: { ...started, ...emptied(item, empty) } })
  // All events within an item name its id. An item without one is sent whole.
  if (typeof id !== 'string') add({})
  else if (type === 'message') {
    add({ content: [] })
    for (const [at, part] of partsOf(item['content'])) sendPart(send, part, { ...place, content_index: at })
  } else if (type === 'reasoning') {
    add({ summary: [], content: [] })
    for (const [at, part] of partsOf(item['summary'])) {
      const where = { ...place, summary_index: at }
      send('response.reasoning_summary_part.added', { ...where, part: { ...part, text: '' } })
      sendText(send, 'response.reasoning_summary_text', { member: 'text', text: part['text'], place: where })
      send('response.reasoning_summary_part.done', { ...where, part })
    }
    for (const [at, part] of partsOf(item['content'])) sendPart(send, part, { ...place, content_index: at })
  } else if (type === 'function_call') {
    add({ arguments: '' })
    sendText(send, 'response.function_call_arguments', { member: 'arguments', text: item['arguments'], place })
  } else if (type === 'custom_tool_call') {
    add({ input: '' })
    sendText(send, 'response.custom_tool_call_input', { member: 'input', text: item['input'], place })
  } else if (type === 'mcp_call') {
    add({ arguments: '', output: null, error: null })
    send('response.mcp_call.in_progress', place)
    sendText(send, 'response.mcp_call_arguments', { member: 'arguments', text: item['arguments'], place })
    send(isSet(item['error']) ? 'response.mcp_call.failed' : 'response.mcp_call.completed', place)
  } else if (type === 'code_interpreter_call') {
    add({ code: '', outputs: [] })
    send('response.code_interpreter_call.in_progress', place)
    sendText(send, 'response.code_interpreter_call_code', { member: 'code', text: item['code'], place })
    send('response.code_interpreter_call.interpreting', place)
    send('response.code_interpreter_call.completed', place)
  } else add(type === 'image_generation_call' ? { result: null } : {})
  send('response.output_item.done', { output_index: index, item })
}

/** The events of one part of a message or of reasoning. */
function sendPart(send: Send, part: JsonObject, place: JsonObject): void {
  const { type, logprobs, annotations } = part
  const empty = emptied(part, { text: '', refusal: '', annotations: [], logprobs: [] })
  const texts = type === 'output_text' || type === 'reasoning_text' || type === 'refusal'
  send('response.content_part.added', { ...place, part: texts ? { ...part, ...empty } : part })
  if (type === 'output_text') {
    const scores = { logprobs: Array.isArray(logprobs) ? logprobs : [] }
    if (part['text'] !== '' || scores.logprobs.length > 0) send('response.output_text.delta', { ...place, delta: part['text'], ...scores })
    for (const [at, annotation] of Array.isArray(annotations) ? annotations.entries() : []) {
      send('response.output_text.annotation.added', { ...place, annotation_index: at, annotation })
    }
    send('response.output_text.done', { ...place, text: part['text'], ...scores })
  } else if (type === 'reasoning_text') sendText(send, 'response.reasoning_text', { member: 'text', text: part['text'], place })
  else if (type === 'refusal') sendText(send, 'response.refusal', { member: 'refusal', text: part['refusal'], place })
  send('response.content_part.done', { ...place, part })
}

/** A text, and where it belongs. */
interface TextToSend {
  /** The member of the end event that holds the whole text. */
  readonly member: string
  readonly text: unknown
  readonly place: JsonObject
}

/** The delta and the end of a text. An empty text has no delta. */
function sendText(send: Send, name: string, { member, text, place }: TextToSend): void {
  if (typeof text !== 'string') return
  if (text !== '') send(`${name}.delta`, { ...place, delta: text })
  send(`${name}.done`, { ...place, [member]: text })
}

/** Those of the `empty` members that `value` has and that are not null. */
function emptied(value: JsonObject, empty: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(empty).filter(([name]) => isSet(value[name])))
}

function partsOf(content: unknown): [number, JsonObject][] {
  return Array.isArray(content)
    ? content.flatMap((part: unknown, at) => (isJsonObject(part) ? [[at, part] satisfies [number, JsonObject]] : []))
    : []
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null
}
