/**
 * The stand-in's chat completions, whole and streamed.
 * Source: https://platform.openai.com/docs/api-reference/chat
 * @module
 */
import type OpenAI from 'openai'
import { answerTo, countTokens, fittingTool, pieces, readPrompt } from './answers.ts'
import { fill } from './schema.ts'

type Request = OpenAI.ChatCompletionCreateParams
type Message = OpenAI.ChatCompletionMessageParam
type Chunk = OpenAI.ChatCompletionChunk
type Choice = OpenAI.ChatCompletionChunk.Choice

/** The completion of a request. */
export function completeChat(request: Request, id: string, model: string): OpenAI.ChatCompletion {
  const message = reply(request, id)
  const input = countTokens(JSON.stringify(request.messages))
  const output = countTokens(message.content ?? JSON.stringify(message.tool_calls))
  return {
    id: `chatcmpl-${id}`,
    object: 'chat.completion',
    created: Math.floor(Date.now() / 1_000),
    model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: message.tool_calls === undefined ? 'stop' : 'tool_calls' }],
    usage: {
      prompt_tokens: input,
      completion_tokens: output,
      total_tokens: input + output,
      prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
    },
    service_tier: 'default',
  }
}

/** The chunks in which the completion is streamed. They include the usage only if `stream_options` asks for it. */
export function chatChunks(request: Request, completion: OpenAI.ChatCompletion): Chunk[] {
  const { id, created, model, usage } = completion
  const withUsage = request.stream_options?.include_usage === true
  const chunk = (choices: Chunk['choices'], counted: Chunk['usage'] = null): Chunk => ({
    id,
    object: 'chat.completion.chunk',
    created,
    model,
    service_tier: 'default',
    choices,
    ...(withUsage && { usage: counted }),
  })
  const [choice] = completion.choices
  const part = (delta: Choice['delta'], finish: Choice['finish_reason'] = null): Chunk =>
    chunk([{ index: 0, delta, logprobs: null, finish_reason: finish }])
  return [
    part({ role: 'assistant', content: '' }),
    ...pieces(choice?.message.content ?? '').map((content) => part({ content })),
    ...toolDeltas(choice?.message.tool_calls ?? []).map((call) => part({ tool_calls: [call] })),
    part({}, choice?.finish_reason ?? 'stop'),
    ...(withUsage ? [chunk([], usage)] : []),
  ]
}

function reply(request: Request, id: string): OpenAI.ChatCompletionMessage {
  const { messages, tools = [], response_format: format } = request
  const last = messages.at(-1)
  const asked = messages.findLast(({ role }) => role === 'user')
  const background = messages.filter((message) => message !== asked).map(textOf)
  const prompt = readPrompt(textOf(asked), background.join('\n\n'))
  const message = { role: 'assistant', content: null, refusal: null } as const
  if (last?.role === 'tool') return { ...message, content: answerTo({ ...prompt, text: textOf(last) }) }
  const functions = tools.flatMap((tool) => (tool.type === 'function' ? [tool.function] : []))
  const tool = request.tool_choice === 'none' ? undefined : fittingTool(functions, prompt.question)
  if (tool !== undefined) {
    const call = { name: tool.name, arguments: JSON.stringify(fill(tool.parameters, prompt)) }
    return { ...message, tool_calls: [{ id: `call_${id.slice(0, 24)}`, type: 'function', function: call }] }
  }
  if (format?.type === 'json_schema') return { ...message, content: JSON.stringify(fill(format.json_schema.schema, prompt)) }
  return { ...message, content: answerTo(prompt) }
}

function toolDeltas(calls: readonly OpenAI.ChatCompletionMessageToolCall[]): OpenAI.ChatCompletionChunk.Choice.Delta.ToolCall[] {
  return calls.flatMap((call, index) => {
    if (call.type !== 'function') return []
    const { id, type } = call
    const { name, arguments: whole } = call.function
    const parts = whole.match(/[^]{1,12}/g) ?? []
    return [{ index, id, type, function: { name, arguments: '' } }, ...parts.map((part) => ({ index, function: { arguments: part } }))]
  })
}

function textOf(message: Message | undefined): string {
  const content = message?.content ?? ''
  if (typeof content === 'string') return content
  return content.map((part) => (part.type === 'text' ? part.text : '')).join('\n\n')
}
