/**
 * The providers' own protocols: what a client sends to a provider, it sends here, and gets the provider's answer.
 * @module
 */
import { Hono } from 'hono'
import type { GatewayEnv } from '../context.ts'
import type { TransparentGateway } from './gateway.ts'

/** The providers' own protocols, as routes from the root. */
export function transparentRoutes(gateway: TransparentGateway): Hono<GatewayEnv> {
  const routes = new Hono<GatewayEnv>()
  routes.use(async (c, next) => {
    const caller = c.get('caller')
    const response = await gateway.answer(c.req.raw, caller)
    if (response === undefined) return next()
    // A request that counts for a rate is to be counted each time.
    if (c.get('isUncounted') === true) c.env.connection.learn?.(caller)
    return response
  })
  return routes
}
