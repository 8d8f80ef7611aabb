/**
 * The stream of events.
 * @module
 */
import { Hono } from 'hono'
import type { GatewayContext, GatewayEnv } from '../context.ts'

/** The stream of events, as routes from the root. */
export function eventRoutes(_context: GatewayContext): Hono<GatewayEnv> {
  return new Hono<GatewayEnv>()
}
