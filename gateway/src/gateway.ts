/**
 * The gateway as a function from requests to responses. It opens no port, so that it can be mounted anywhere.
 * @module
 */
import { Hono } from 'hono'
import { type Cache, type Clock, createCache, type Store, systemClock } from 'llmemo'
import { createMonitor, type Monitor } from 'llmemo/monitor'
import { crossOrigin } from './access/cross-origin.ts'
import { identified } from './access/identify.ts'
import { answerError } from './access/problem.ts'
import { Refusals } from './access/refusals.ts'
import { Refused, refused } from './access/refused.ts'
import { requestId } from './access/request-id.ts'
import { type GatewayData, readSettings } from './config/settings.ts'
import type { Connection, FastLane, GatewayContext, GatewayEnv } from './context.ts'
import { dashboardRoutes, pageRoutes } from './dashboard/routes.ts'
import { eventRoutes } from './events/routes.ts'
import { healthRoutes } from './health/routes.ts'
import { type Log, silentLog } from './log.ts'
import { restRoutes } from './rest/routes.ts'
import { fastLane } from './transparent/fast-lane.ts'
import { transparentGateway, type TransparentGateway } from './transparent/gateway.ts'
import { transparentRoutes } from './transparent/routes.ts'

/** What a gateway is made of. */
export interface GatewayOptions extends GatewayData {
  /** The cache that it serves from. It stays open when the gateway closes. @default a new one in memory, which the gateway closes */
  readonly cache?: Cache
  /** Watches the cache. @default a new one, which the gateway closes */
  readonly monitor?: Monitor
  /** The shared tier, where keys and rates lie. It stays open when the gateway closes. @default none: no key is valid */
  readonly store?: Store | undefined
  /** Where lines of the log go. @default nowhere */
  readonly log?: Log
  /** Time, in one place. @default that of the machine */
  readonly clock?: Clock
}

/** A gateway. Made by {@link createGateway}. */
export interface Gateway {
  /**
   * Answers one request.
   * @param connection where it came in, if the listener knows. Without it and without a key, the program that calls this may do everything
   */
  fetch(request: Request, connection?: Connection): Promise<Response>
  /** A shorter way for {@link listen}, for requests whose like came a moment ago. */
  readonly lane: FastLane
  /** Ends streams of events, and closes what the gateway made. Answers that are on their way are still given. */
  close(): Promise<void>
}

/**
 * Makes a gateway over a cache.
 * @throws {GatewayOptionsError} that has every mistake in the options
 */
export function createGateway(options: GatewayOptions = {}): Gateway {
  const { cache: givenCache, monitor: givenMonitor, log = silentLog, clock = systemClock, store, ...data } = options
  const settings = readSettings(data)
  const cache = givenCache ?? createCache({ clock })
  const monitor = givenMonitor ?? createMonitor(cache)
  const closing = new AbortController()
  const context = { cache, monitor, store, options: settings, log, refusals: new Refusals(), clock, closing: closing.signal }
  const transparent = transparentGateway(context)
  const app = routesOf(context, transparent)
  return {
    lane: fastLane(context, transparent),
    fetch: async (request, connection = {}) => app.fetch(request, { connection }),
    async close() {
      closing.abort()
      if (givenMonitor === undefined) monitor.close()
      if (givenCache === undefined) await cache.close()
      else await cache.flush()
    },
  }
}

function routesOf(context: GatewayContext, transparent: TransparentGateway): Hono<GatewayEnv> {
  const app = new Hono<GatewayEnv>()
  app.route('/', healthRoutes(context))
  app.route('/', pageRoutes())
  app.use(crossOrigin(context))
  app.use(identified(context))
  app.route('/', transparentRoutes(transparent))
  for (const routes of [restRoutes, eventRoutes, dashboardRoutes]) app.route('/', routes(context))
  app.notFound((c) => answerError(c, { status: 404, detail: 'There is nothing at this path.' }))
  app.onError((error, c) => {
    if (error instanceof Refused) return refused(context, c, error)
    // The message may hold what a request held.
    context.log('error', 'request-failed', { method: c.req.method, request: requestId(c), kind: error.name })
    return answerError(c, { status: 500, detail: 'The gateway failed. Its log says more.', headers: { 'x-request-id': requestId(c) } })
  })
  return app
}
