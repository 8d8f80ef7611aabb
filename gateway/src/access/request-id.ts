/**
 * The id of a request: the caller's own, or a new one.
 * @module
 */
import type { Context } from 'hono'
import type { GatewayEnv } from '../context.ts'

/** The id of this request, for the log and for the answer. One that is not short and plain is replaced, as it stands in the log. */
export function requestId(c: Context<GatewayEnv>): string {
  const known = c.get('requestId')
  if (known !== undefined) return known
  const given = c.req.header('x-request-id')
  const id =
    given !== undefined && /^[\w-]{1,64}$/.test(given) && !given.startsWith('llm_') && !given.startsWith('sk-')
      ? given
      : crypto.randomUUID()
  c.set('requestId', id)
  return id
}
