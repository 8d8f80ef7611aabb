/**
 * The stream of events: `GET /events`.
 * @module
 */
import { Hono } from 'hono'
import { authorize } from '../access/authorize.ts'
import { Refused } from '../access/refused.ts'
import { spaceOf } from '../access/tenant-space.ts'
import type { Caller } from '../caller.ts'
import type { GatewayContext, GatewayEnv } from '../context.ts'
import { EventLog } from './event-log.ts'
import { eventStream } from './event-stream.ts'

/** Streams that one caller may have open at a time. */
const mostOfOne = 32

/** The stream of events, as routes from the root. */
export function eventRoutes(context: GatewayContext): Hono<GatewayEnv> {
  const { cache, clock, closing } = context
  const log = new EventLog(cache, clock)
  closing.addEventListener('abort', () => log.stop(), { once: true })
  const open = new Map<string, number>()
  const routes = new Hono<GatewayEnv>()
  routes.get('/events', (c) => {
    const caller = c.get('caller')
    authorize(caller, 'read', false)
    const isFull = (): boolean => (open.get(caller.id) ?? 0) >= mostOfOne
    if (isFull()) {
      throw new Refused({
        status: 429,
        reason: 'rate',
        detail: 'Too many streams of events are open with this key. Close one.',
        headers: { 'retry-after': '5' },
      })
    }
    // What asks only for the head reads no stream, so nothing would end it.
    if (c.req.method === 'HEAD') return c.body(null, 200, headers)
    const stream = eventStream({
      log,
      clock,
      closing,
      space: spaceOf(caller),
      lastId: c.req.header('last-event-id'),
      savings: () => savingsOf(context, caller),
      began() {
        // Of those that were asked for at once, as over HTTP/2, none had begun when the others were let in.
        if (isFull()) return false
        open.set(caller.id, (open.get(caller.id) ?? 0) + 1)
        return true
      },
      ended() {
        const left = (open.get(caller.id) ?? 1) - 1
        if (left === 0) open.delete(caller.id)
        else open.set(caller.id, left)
      },
    })
    // No header of the connection's own: HTTP/2 has none, and would end the process over one.
    return c.body(stream, 200, headers)
  })
  return routes
}

const headers = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
  'x-content-type-options': 'nosniff',
}

function savingsOf({ cache }: GatewayContext, { tenant }: Caller): string {
  const stats = cache.stats()
  const row = tenant === undefined ? stats : Object.hasOwn(stats.byScope, tenant) ? stats.byScope[tenant] : undefined
  const { hits = 0, misses = 0, savedUsd = 0, savedTokens = 0, savedMs = 0 } = row ?? {}
  return JSON.stringify({ hits, misses, saved_usd: savedUsd, saved_tokens: savedTokens, saved_ms: savedMs })
}
