/**
 * Cohere's chat, streamed and whole, each made of the other.
 * Source: https://docs.cohere.com/v2/docs/streaming, https://docs.cohere.com/docs/tool-use-streaming
 * @module
 */
import { isJsonObject, type JsonObject } from '../../json/object.ts'

/** The whole answer of a stream that has its `message-end`. */
export function assembleCohere(events: readonly JsonObject[]): JsonObject | undefined {
  const [start, ...rest] = events
  const end = rest.pop()
  const { delta: last }: JsonObject = end ?? {}
  if (start?.['type'] !== 'message-start' || end?.['type'] !== 'message-end' || !isJsonObject(last)) return undefined
  const content: JsonObject[] = []
  const calls: JsonObject[] = []
  const citations: unknown[] = []
  let plan = ''
  for (const event of rest) {
    const { type, index } = event
    const message = messageOf(event)
    if (type === 'content-start' && isJsonObject(message['content'])) content[Number(index)] = { ...message['content'] }
    else if (type === 'content-delta' && isJsonObject(message['content'])) {
      const block = content[Number(index)]
      if (block === undefined || !continued(block, message['content'])) return undefined
    } else if (type === 'tool-plan-delta') plan += String(message['tool_plan'])
    else if (type === 'tool-call-start' && isJsonObject(message['tool_calls']))
      calls[Number(index)] = structuredClone(message['tool_calls'])
    else if (type === 'tool-call-delta' && isJsonObject(message['tool_calls'])) {
      const call = calls[Number(index)]
      const [own, next] = [call?.['function'], message['tool_calls']['function']]
      if (!isJsonObject(own) || !isJsonObject(next) || !continued(own, next)) return undefined
    } else if (type === 'citation-start') citations.push(message['citations'])
    else if (typeof type !== 'string' || !ends.has(type)) return undefined
  }
  const first = messageOf(start)
  const message = {
    role: first['role'] ?? 'assistant',
    ...(plan !== '' && { tool_plan: plan }),
    ...(content.length > 0 && { content }),
    ...(calls.length > 0 && { tool_calls: calls }),
    ...(citations.length > 0 && { citations }),
  }
  const isWhole = [...content, ...calls].every(isJsonObject)
  return isWhole ? { id: start['id'], message, ...last } : undefined
}

/** Events that say nothing but that a part has ended. */
const ends = new Set(['content-end', 'tool-call-end', 'citation-end'])

function messageOf({ delta }: JsonObject): JsonObject {
  const message = isJsonObject(delta) ? delta['message'] : undefined
  return isJsonObject(message) ? message : {}
}

/** Adds the texts of a delta. @returns `false` for what is no text */
function continued(target: JsonObject, delta: JsonObject): boolean {
  for (const [name, value] of Object.entries(delta)) {
    if (name === 'type') continue
    const before = target[name] ?? ''
    if (typeof before !== 'string' || typeof value !== 'string') return false
    target[name] = before + value
  }
  return true
}

function event(type: string, given: JsonObject, index?: number): JsonObject {
  return {
    type,
    ...(index !== undefined && { index }),
    delta: { message: given },
  }
}

/** The events in which a whole answer would have been streamed. */
export function disassembleCohere({ id, message, ...last }: JsonObject): JsonObject[] {
  const said = isJsonObject(message) ? message : {}
  const { role, tool_plan: plan } = said
  const [content, calls, citations] = ['content', 'tool_calls', 'citations'].map((name): readonly unknown[] => {
    const list: unknown = said[name]
    return Array.isArray(list) ? list : []
  })
  return [
    { id, type: 'message-start', delta: { message: { role, content: [], tool_plan: '', tool_calls: [], citations: [] } } },
    ...(typeof plan === 'string' && plan !== '' ? [event('tool-plan-delta', { tool_plan: plan })] : []),
    ...(content ?? []).filter(isJsonObject).flatMap((block, index) => {
      const name = block['type'] === 'thinking' ? 'thinking' : 'text'
      return [
        event('content-start', { content: { ...block, [name]: '' } }, index),
        event('content-delta', { content: { [name]: block[name] } }, index),
        { type: 'content-end', index },
      ]
    }),
    ...(calls ?? []).filter(isJsonObject).flatMap((call, index) => {
      const own = isJsonObject(call['function']) ? call['function'] : {}
      return [
        event('tool-call-start', { tool_calls: { ...call, function: { ...own, arguments: '' } } }, index),
        event('tool-call-delta', { tool_calls: { function: { arguments: own['arguments'] } } }, index),
        { type: 'tool-call-end', index },
      ]
    }),
    ...(citations ?? []).flatMap((citation, index) => [
      event('citation-start', { citations: citation }, index),
      { type: 'citation-end', index },
    ]),
    { id, type: 'message-end', delta: last },
  ]
}
