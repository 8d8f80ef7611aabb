/**
 * The endpoints of Anthropic that are cached. Calls to other endpoints pass through.
 * @module
 */
import { anthropicCountTokens } from './count-tokens.ts'
import { anthropicMessages } from './messages.ts'
import type { Endpoint } from '../endpoint.ts'

/** Every endpoint of Anthropic that is cached. */
export const anthropicEndpoints: readonly Endpoint[] = [anthropicMessages, anthropicCountTokens]
