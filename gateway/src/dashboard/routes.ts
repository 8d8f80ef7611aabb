/**
 * The dashboard.
 * @module
 */
import { Hono } from 'hono'
import type { GatewayContext, GatewayEnv } from '../context.ts'

/** The dashboard, as routes from the root. */
export function dashboardRoutes(_context: GatewayContext): Hono<GatewayEnv> {
  return new Hono<GatewayEnv>()
}
