/**
 * OpenAI's moderations.
 * Source: https://platform.openai.com/docs/api-reference/moderations
 * @module
 */
import type { Endpoint } from '../endpoint.ts'
import { hasError } from './body.ts'
import { openaiModerationsPlaces } from './places.ts'

/** Moderations. They are free of charge, and have no token counts. */
export const openaiModerations: Endpoint = {
  provider: 'openai',
  name: 'moderations',
  path: '/moderations',
  operation: 'moderations',
  ignored: [],
  place: openaiModerationsPlaces,
  bypassReason: () => undefined,
  skipReason(answer) {
    if (hasError(answer)) return 'error'
    const { results } = answer
    if (!Array.isArray(results)) return 'malformed'
    return results.length === 0 ? 'empty' : undefined
  },
  usage: () => undefined,
}
