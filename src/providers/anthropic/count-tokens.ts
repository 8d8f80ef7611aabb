/**
 * Anthropic's count of the tokens that a message would have.
 * Source: https://platform.claude.com/docs/en/api/messages/count_tokens
 * @module
 */
import { normaliseMessages } from './messages.ts'
import type { Endpoint } from '../endpoint.ts'

/** Token counts. They are free of charge and use no tokens, so a hit saves none: a known nothing. */
export const anthropicCountTokens: Endpoint = {
  provider: 'anthropic',
  name: 'messages.count_tokens',
  path: '/v1/messages/count_tokens',
  operation: 'count_tokens',
  ignored: [],
  // What a thread holds at the provider is counted with it, and grows.
  bypassReason: ({ thread }) => (thread === undefined || thread === null ? undefined : 'thread'),
  normalise: normaliseMessages,
  skipReason({ type, error, input_tokens: tokens }) {
    if (type === 'error' || (error !== undefined && error !== null)) return 'error'
    return typeof tokens === 'number' ? undefined : 'malformed'
  },
  usage: () => ({ input: 0, output: 0 }),
}
