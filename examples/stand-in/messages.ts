/**
 * The stand-in's messages in Anthropic's form, whole, streamed and counted.
 * Source: https://platform.claude.com/docs/en/api/messages
 * @module
 */
import type Anthropic from '@anthropic-ai/sdk'
import { answerTo, countTokens, fittingTool, pieces, type Prompt, readPrompt } from './answers.ts'
import { fill } from './schema.ts'

type Request = Pick<Anthropic.MessageCreateParams, 'messages' | 'system' | 'tools'>
type Content = Anthropic.MessageParam['content'] | Anthropic.MessageCreateParams['system']

/** A message without the members that are always `null` here. */
export interface MessageAnswer {
  readonly id: string
  readonly type: 'message'
  readonly role: 'assistant'
  readonly model: string
  readonly content: readonly Block[]
  readonly stop_reason: 'end_turn' | 'tool_use'
  readonly stop_sequence: null
  readonly usage: { readonly input_tokens: number; readonly output_tokens: number }
}

type Block =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'tool_use'; readonly id: string; readonly name: string; readonly input: unknown }

/** The message that answers a request. */
export function answerMessage(request: Request, id: string, model: string): MessageAnswer {
  const block = reply(request, id)
  return {
    id: `msg_${id.slice(0, 24)}`,
    type: 'message',
    role: 'assistant',
    model,
    content: [block],
    stop_reason: block.type === 'text' ? 'end_turn' : 'tool_use',
    stop_sequence: null,
    usage: { input_tokens: countMessage(request), output_tokens: countTokens(JSON.stringify(block)) },
  }
}

/** The tokens of a request. */
export function countMessage({ messages, system, tools }: Request): number {
  return countTokens(JSON.stringify([messages, system, tools]))
}

/** The events in which a message is streamed. */
export function messageEvents(message: MessageAnswer): { readonly type: string; readonly [member: string]: unknown }[] {
  const { content, stop_reason, stop_sequence, usage } = message
  const begun = { ...message, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } }
  return [
    { type: 'message_start', message: begun },
    ...content.flatMap(blockEvents),
    { type: 'message_delta', delta: { stop_reason, stop_sequence }, usage: { output_tokens: usage.output_tokens } },
    { type: 'message_stop' },
  ]
}

function blockEvents(block: Block, index: number): { type: string; index: number; [member: string]: unknown }[] {
  const empty = block.type === 'text' ? { ...block, text: '' } : { ...block, input: {} }
  return [
    { type: 'content_block_start', index, content_block: empty },
    ...deltasOf(block).map((delta) => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ]
}

function deltasOf(block: Block): object[] {
  if (block.type === 'text') return pieces(block.text).map((text) => ({ type: 'text_delta', text }))
  const parts = JSON.stringify(block.input).match(/[^]{1,12}/g) ?? []
  return parts.map((part) => ({ type: 'input_json_delta', partial_json: part }))
}

function reply({ messages, system, tools = [] }: Request, id: string): Block {
  const asked = messages.find(({ role }) => role === 'user')
  const prompt = readPrompt(textOf(asked?.content), textOf(system))
  const result = toolResult(messages.at(-1)?.content)
  if (result !== undefined) return textBlock({ ...prompt, text: result })
  const own = tools.flatMap((tool) => ('input_schema' in tool ? [tool] : []))
  const tool = fittingTool(own, prompt.question)
  if (tool === undefined) return textBlock(prompt)
  return { type: 'tool_use', id: `toolu_${id.slice(0, 24)}`, name: tool.name, input: fill(tool.input_schema, prompt) }
}

function textBlock(prompt: Prompt): Block {
  return { type: 'text', text: answerTo(prompt) }
}

/** The result of a tool, if the message holds one. */
function toolResult(content: Content): string | undefined {
  if (typeof content !== 'object') return undefined
  const results = content.flatMap((block) => (block.type === 'tool_result' ? [block.content] : []))
  return results.length === 0 ? undefined : results.map((each) => (typeof each === 'string' ? each : JSON.stringify(each))).join('\n\n')
}

function textOf(content: Content): string {
  if (content === undefined || typeof content === 'string') return content ?? ''
  return content.map((block) => (block.type === 'text' ? block.text : '')).join('\n\n')
}
