/**
 * The gateway as a function from requests to responses. It opens no port, so that it can be mounted anywhere.
 * @module
 */
import { Hono } from 'hono'
import { type Cache, type Clock, createCache, type Fetch, type Store, systemClock } from 'llmemo'
import { createMonitor, type Monitor } from 'llmemo/monitor'
import { crossOrigin } from './access/cross-origin.ts'
import { identified } from './access/identify.ts'
import { answerError } from './access/problem.ts'
import { Refusals } from './access/refusals.ts'
import { Refused, refused } from './access/refused.ts'
import { requestId } from './access/request-id.ts'
import { cdnRoutes } from './cdn/routes.ts'
import { type GatewayData, readSettings } from './config/settings.ts'
import type { Connection, FastLane, GatewayContext, GatewayEnv } from './context.ts'
import { dashboardRoutes, pageRoutes } from './dashboard/routes.ts'
import { eventRoutes } from './events/routes.ts'
import { GatewayOptionsError } from './errors.ts'
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
  /**
   * Calls the upstreams, where Node.js' own client is not at hand. Names that lead to private addresses are then not found out.
   * @default Node.js' own client
   */
  readonly fetch?: Fetch
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
  assertParts(options)
  const { cache: givenCache, monitor: givenMonitor, log = silentLog, clock = systemClock, store, fetch, ...data } = options
  const settings = readSettings(data)
  const cache = givenCache ?? createCache({ clock })
  const monitor = givenMonitor ?? createMonitor(cache)
  const closing = new AbortController()
  const context = { cache, monitor, store, fetch, options: settings, log, refusals: new Refusals(), clock, closing: closing.signal }
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

/** What the parts of a gateway must be, beside its data. A cache and a clock are checked by what takes them. */
const parts: Readonly<Record<string, { readonly is: (value: object) => boolean; readonly allowed: string }>> = {
  cache: { is: (value) => hasMethods(value, ['lookup', 'stats']), allowed: 'a cache made by createCache()' },
  monitor: { is: (value) => hasMethods(value, ['report', 'close']), allowed: 'a monitor made by createMonitor()' },
  store: { is: (value) => hasMethods(value, ['get', 'set', 'delete']), allowed: 'a store, such as redisStore(client)' },
  fetch: { is: (value) => typeof value === 'function', allowed: 'a function such as fetch' },
  log: { is: (value) => typeof value === 'function', allowed: 'a function of level, event and details' },
  clock: { is: (value) => hasMethods(value, ['now', 'monotonic', 'after']), allowed: 'a clock with now(), monotonic() and after()' },
}

/** @throws {GatewayOptionsError} with every part that is no such thing, and none of the values */
function assertParts(options: unknown): void {
  if (Object.prototype.toString.call(options) !== '[object Object]') {
    const isPromise = options instanceof Promise
    throw new GatewayOptionsError([isPromise ? 'the options: a promise; await it first' : 'the options: must be a plain object'])
  }
  const mistakes = Object.entries(parts).flatMap(([name, { is, allowed }]) => {
    const value: unknown = Reflect.get(Object(options), name)
    const isPart = value === undefined || ((typeof value === 'object' || typeof value === 'function') && value !== null && is(value))
    return isPart ? [] : [`${name}: must be ${allowed}`]
  })
  if (mistakes.length > 0) throw new GatewayOptionsError(mistakes)
}

function hasMethods(value: object, names: readonly string[]): boolean {
  return names.every((name) => typeof Reflect.get(value, name) === 'function')
}

function routesOf(context: GatewayContext, transparent: TransparentGateway): Hono<GatewayEnv> {
  const app = new Hono<GatewayEnv>()
  app.route('/', healthRoutes(context))
  app.route('/', pageRoutes())
  app.route('/', cdnRoutes(context))
  app.use(crossOrigin(context))
  app.use(identified(context))
  app.route('/', transparentRoutes(transparent))
  for (const routes of [restRoutes, eventRoutes, dashboardRoutes]) app.route('/', routes(context))
  app.notFound((c) => answerError(c, { status: 404, detail: 'There is nothing at this path.' }))
  app.onError((error, c) => {
    if (error instanceof Refused) return refused(context, c, error)
    // A client that goes away in the middle of its request is no failure, and nothing reads this.
    if (c.req.raw.signal.aborted) return new Response(null, { status: 499 })
    // The message may hold what a request held.
    context.log('error', 'request-failed', { method: c.req.method, request: requestId(c), kind: error.name })
    return answerError(c, { status: 500, detail: 'The gateway failed. Its log says more.', headers: { 'x-request-id': requestId(c) } })
  })
  return app
}
