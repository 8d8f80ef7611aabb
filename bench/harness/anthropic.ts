/**
 * Questions as Anthropic's messages take them.
 * @module
 */
import type { Question } from './payload.ts'

/** The question as `messages.create` takes it, in objects of its own. */
export function messagesInput({ messages, temperature }: Question) {
  return {
    model: 'claude-haiku-4-5',
    max_tokens: 1_024,
    temperature,
    system: messages.filter(({ role }) => role === 'system').map(({ content }) => ({ type: 'text' as const, text: content })),
    messages: messages.flatMap(({ role, content }) => (role === 'system' ? [] : [{ role, content }])),
  }
}
