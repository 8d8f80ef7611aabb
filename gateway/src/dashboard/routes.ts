/**
 * The data of the dashboard that no other room has. All else it asks of the REST API.
 * @module
 */
import { Hono } from 'hono'
import { authorize } from '../access/authorize.ts'
import type { GatewayContext, GatewayEnv } from '../context.ts'
import { RecentMinutes } from './recent-minutes.ts'

export { pageRoutes } from './page-files.ts'

/** `GET /dashboard/recent`: the one that asks, and what the cache did for it in the last minutes of this process. */
export function dashboardRoutes({ cache, clock, closing }: GatewayContext): Hono<GatewayEnv> {
  const minutes = new RecentMinutes(cache, clock)
  closing.addEventListener('abort', () => minutes.stop(), { once: true })
  const routes = new Hono<GatewayEnv>()
  routes.get('/dashboard/recent', (c) => {
    const caller = c.get('caller')
    authorize(caller, 'read', false)
    const { tenant, roles } = caller
    return c.json({ ...(tenant !== undefined && { tenant }), roles: [...roles], minutes: minutes.of(tenant) }, 200, {
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
  })
  return routes
}
