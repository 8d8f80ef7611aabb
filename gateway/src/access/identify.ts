/**
 * Which caller a request comes from.
 * @module
 */
import type { MiddlewareHandler } from 'hono'
import type { Connection, GatewayContext, GatewayEnv } from '../context.ts'
import { type Caller, localAdmin } from '../caller.ts'

/** What of a request tells its caller. */
export interface Credentials {
  readonly headers: Headers
  readonly connection: Connection
}

/** The caller of a request. Without a configured key, everybody is the local admin. */
export async function identify(_context: GatewayContext, _credentials: Credentials): Promise<Caller> {
  return localAdmin
}

/** Puts the caller into hono's context, as `caller`. */
export function identified(context: GatewayContext): MiddlewareHandler<GatewayEnv> {
  return async (c, next) => {
    c.set('caller', await identify(context, { headers: c.req.raw.headers, connection: c.env.connection }))
    await next()
  }
}
