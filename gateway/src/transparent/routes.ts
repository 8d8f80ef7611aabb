/**
 * The providers' own protocols: what a client sends to a provider, it sends here, and gets the provider's answer.
 * @module
 */
import { Hono } from 'hono'
import type { GatewayContext, GatewayEnv } from '../context.ts'
import { transparentGateway } from './gateway.ts'

/** The providers' own protocols, as routes from the root. */
export function transparentRoutes(context: GatewayContext): Hono<GatewayEnv> {
  const routes = new Hono<GatewayEnv>()
  const answer = transparentGateway(context)
  routes.use(async (c, next) => {
    const response = await answer(c.req.raw, c.get('caller'))
    if (response === undefined) return next()
    return response
  })
  return routes
}
