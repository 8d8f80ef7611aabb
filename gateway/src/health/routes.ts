/**
 * Whether the gateway is up, and whether it can do its work.
 * @module
 */
import { Hono } from 'hono'
import type { GatewayContext, GatewayEnv } from '../context.ts'

/** `GET /health`: the process answers. `GET /ready`: the state of each tier; 503 while the gateway is closing. */
export function healthRoutes({ cache, monitor, clock, closing }: GatewayContext): Hono<GatewayEnv> {
  const routes = new Hono<GatewayEnv>()
  routes.get('/health', (c) => c.json({ status: 'ok', timestamp: new Date(clock.now()).toISOString(), service: 'llmemo-gateway' }))
  routes.get('/ready', (c) => {
    const { bytes, maxBytes, entries } = cache.memory()
    const { stores } = monitor.report()
    const status = closing.aborted ? 'closing' : 'ready'
    return c.json({ status, tiers: { memory: { state: 'closed', bytes, maxBytes, entries }, stores } }, closing.aborted ? 503 : 200)
  })
  return routes
}
