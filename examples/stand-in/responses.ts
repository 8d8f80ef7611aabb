/**
 * The stand-in's responses, whole and streamed.
 * Source: https://platform.openai.com/docs/api-reference/responses
 * @module
 */
import type OpenAI from 'openai'
import { answerTo, countTokens, pieces, readPrompt } from './answers.ts'

type Request = OpenAI.Responses.ResponseCreateParams
type Response = Omit<OpenAI.Responses.Response, 'output_text'>
type Message = OpenAI.Responses.ResponseOutputMessage
type Event = OpenAI.Responses.ResponseStreamEvent

/** The response to a request. */
export function respond(request: Request, id: string, model: string): Response {
  const text = answerTo(readPrompt(textOf(request.input), request.instructions ?? ''))
  const input = countTokens(`${request.instructions ?? ''}${textOf(request.input)}`)
  const output = countTokens(text)
  return {
    id: `resp_${id}`,
    object: 'response',
    access_programs: null,
    created_at: Math.floor(Date.now() / 1_000),
    status: 'completed',
    error: null,
    incomplete_details: null,
    instructions: request.instructions ?? null,
    metadata: request.metadata ?? {},
    model,
    output: [messageOf(id, text, 'completed')],
    parallel_tool_calls: true,
    temperature: 1,
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    usage: {
      input_tokens: input,
      input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
      output_tokens: output,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: input + output,
    },
  }
}

/** The events in which the response is streamed. */
export function responseEvents(whole: Response): object[] {
  const begun = { ...whole, status: 'in_progress', output: [], usage: null }
  const [message] = whole.output
  const id = message?.id ?? ''
  const part = message?.type === 'message' ? message.content[0] : undefined
  const text = part?.type === 'output_text' ? part.text : ''
  const place = { item_id: id, output_index: 0, content_index: 0 }
  const empty = { type: 'output_text', text: '', annotations: [], logprobs: [] }
  const events: { readonly type: Event['type']; readonly [member: string]: unknown }[] = [
    { type: 'response.created', response: begun },
    { type: 'response.in_progress', response: begun },
    { type: 'response.output_item.added', output_index: 0, item: { ...message, status: 'in_progress', content: [] } },
    { type: 'response.content_part.added', ...place, part: empty },
    ...pieces(text).map((delta) => deltaOf(place, delta)),
    { type: 'response.output_text.done', ...place, text, logprobs: [] },
    { type: 'response.content_part.done', ...place, part },
    { type: 'response.output_item.done', output_index: 0, item: message },
    { type: 'response.completed', response: whole },
  ]
  return events.map((event, index) => Object.assign({}, event, { sequence_number: index }))
}

function deltaOf(place: object, delta: string) {
  return { type: 'response.output_text.delta', ...place, delta, logprobs: [] } as const
}

function messageOf(id: string, text: string, status: Message['status']): Message {
  return {
    id: `msg_${id}`,
    type: 'message',
    role: 'assistant',
    status,
    content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
  }
}

function textOf(input: Request['input']): string {
  if (typeof input === 'string') return input
  const texts = (input ?? []).map((item) => {
    if (!('content' in item)) return ''
    if (typeof item.content === 'string') return item.content
    return Array.isArray(item.content) ? item.content.map((part) => ('text' in part ? part.text : '')).join('\n\n') : ''
  })
  return texts.join('\n\n')
}
