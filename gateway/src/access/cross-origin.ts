/**
 * Which web pages may ask (CORS): none, unless their origins are configured.
 * @module
 */
import type { MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import type { GatewayContext, GatewayEnv } from '../context.ts'

/** Lets pages of the configured origins ask. A browser asks for leave without a credential, so this comes before the caller is known. */
export function crossOrigin({ options }: GatewayContext): MiddlewareHandler<GatewayEnv> {
  const { origins } = options.access
  if (origins.length === 0) return (_c, next) => next()
  return cors({
    origin: origins.map((each) => new URL(each).origin),
    exposeHeaders: [
      'age',
      'cache-status',
      'ratelimit',
      'ratelimit-policy',
      'retry-after',
      'x-llmemo-key',
      'x-llmemo-saved-usd',
      'x-llmemo-source',
      'x-request-id',
    ],
    maxAge: 600,
  })
}
