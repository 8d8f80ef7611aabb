/**
 * The REST API.
 * @module
 */
import { Hono } from 'hono'
import type { GatewayContext, GatewayEnv } from '../context.ts'

/** The REST API, as routes from the root. */
export function restRoutes(_context: GatewayContext): Hono<GatewayEnv> {
  return new Hono<GatewayEnv>()
}
