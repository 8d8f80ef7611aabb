/**
 * What a wrapped client of openai 6 and later can besides: tools with a context.
 */
import { withCache } from 'llmemo'
import type { OpenAI } from 'openai'
import type { ChatCompletionRunner } from 'openai/lib/ChatCompletionRunner'
import type { ChatCompletionStreamingRunner } from 'openai/lib/ChatCompletionStreamingRunner'

declare const bare: OpenAI
declare function runner(of: ChatCompletionRunner): void
declare function streamingRunner(of: ChatCompletionStreamingRunner): void

const { completions } = withCache(bare).chat
const chat = { model: 'gpt-5-mini', messages: [{ role: 'user' as const, content: 'Hello' }] }
const options = { cache: { ttl: '1h' }, maxChatCompletions: 3 }

const weather = (_: unknown, __: unknown, context: { city: string }): string => context.city

export function toolsWithContext(): void {
  const tools = [{ type: 'function' as const, function: { name: 'weather', description: '', parameters: {}, function: weather } }]
  const toolContext = { city: 'Rome' }
  runner(completions.runTools({ ...chat, tools, toolContext }, options))
  streamingRunner(completions.runTools({ ...chat, tools, toolContext, stream: true }, options))
  // @ts-expect-error: the tools need another context
  completions.runTools({ ...chat, tools, toolContext: { town: 'Rome' } }, options)
  // @ts-expect-error: misspelt
  completions.runTools({ ...chat, tools, toolContext }, { bypasCache: true })
}
