/**
 * Gemini's count of the tokens of a request before it is sent.
 * Source: https://ai.google.dev/api/tokens
 * @module
 */
import type { Endpoint } from '../endpoint.ts'
import { hasError } from '../openai/body.ts'
import { described } from './generate-content.ts'
import { geminiCountPlaces } from './places.ts'

/** Token counts. They are free and use no tokens, so a hit saves none: the usage is known to be zero. */
export const geminiCountTokens: Endpoint = {
  provider: 'gemini',
  name: 'countTokens',
  path: ':countTokens',
  operation: 'count_tokens',
  ignored: [],
  place: geminiCountPlaces,
  described,
  bypassReason: () => undefined,
  skipReason(answer) {
    if (hasError(answer)) return 'error'
    return typeof answer['totalTokens'] === 'number' ? undefined : 'malformed'
  },
  usage: () => ({ input: 0, output: 0 }),
}
