/**
 * The providers' own protocols: what a client sends to a provider, it sends here, and gets the provider's answer.
 * @module
 */
import { Hono } from 'hono'
import type { GatewayContext, GatewayEnv } from '../context.ts'

/** The providers' own protocols, as routes from the root. */
export function transparentRoutes(_context: GatewayContext): Hono<GatewayEnv> {
  return new Hono<GatewayEnv>()
}
