/**
 * Anthropic's count of the tokens of a message before it is sent.
 * Source: https://platform.claude.com/docs/en/api/messages/count_tokens
 * @module
 */
import { normaliseMessages } from './messages.ts'
import type { Endpoint } from '../endpoint.ts'
import { anthropicPlaces } from './places.ts'

/** Token counts. They are free and use no tokens, so a hit saves none: the usage is known to be zero. */
export const anthropicCountTokens: Endpoint = {
  provider: 'anthropic',
  name: 'messages.count_tokens',
  path: '/v1/messages/count_tokens',
  operation: 'count_tokens',
  ignored: [],
  place: anthropicPlaces,
  // The count includes what a thread holds at the provider, which grows.
  bypassReason: ({ thread }) => (thread === undefined || thread === null ? undefined : 'thread'),
  normalise: normaliseMessages,
  skipReason({ type, error, input_tokens: tokens }) {
    if (type === 'error' || (error !== undefined && error !== null)) return 'error'
    return typeof tokens === 'number' ? undefined : 'malformed'
  },
  usage: () => ({ input: 0, output: 0 }),
}
