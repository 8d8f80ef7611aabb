/**
 * The REST API.
 * @module
 */
import { type Context, Hono } from 'hono'
import { type ErrorCode, LlmemoError } from 'llmemo'
import { answerError, type ToldError } from '../access/problem.ts'
import { Refused } from '../access/refused.ts'
import { requestId } from '../access/request-id.ts'
import type { GatewayContext, GatewayEnv } from '../context.ts'
import { promptRoutes } from './answers-by-prompt.ts'
import { docsPage, docsPolicy } from './docs-page.ts'
import { entryRoutes } from './entries.ts'
import { figureRoutes } from './figures.ts'
import { invalidateRoutes } from './invalidate.ts'
import { openApi } from './openapi.ts'
import { type Route, route } from './route.ts'
import { valueRoutes } from './values.ts'

const described: readonly Route[] = [...promptRoutes, ...valueRoutes, ...invalidateRoutes, ...entryRoutes, ...figureRoutes]

const openapi = route({
  method: 'get',
  path: '/openapi.json',
  summary: 'This API as OpenAPI 3.1.',
  role: undefined,
  answers: { 200: 'application/json' },
  handle: ({ c }) => c.json(openApi(table)),
})

const docs = route({
  method: 'get',
  path: '/docs',
  summary: 'This API for people.',
  role: undefined,
  answers: { 200: 'text/html' },
  handle: ({ c }) => c.html(docsPage(table), 200, { 'content-security-policy': docsPolicy }),
})

/** All routes. */
const table: readonly Route[] = [...described, openapi, docs]

/** The REST API, as routes from the root. */
export function restRoutes(context: GatewayContext): Hono<GatewayEnv> {
  const routes = new Hono<GatewayEnv>()
  for (const each of table) {
    routes.on(each.method.toUpperCase(), each.path.replaceAll(/\{(\w+)\}/g, ':$1'), async (c) => {
      const started = context.clock.monotonic()
      const response = await answered(each, c, context)
      response.headers.set('x-request-id', requestId(c))
      for (const [name, value] of secureHeaders) if (!response.headers.has(name)) response.headers.set(name, value)
      if (context.options.access.logRequests) {
        context.log('info', 'request', {
          route: `${each.method.toUpperCase()} ${each.path}`,
          status: response.status,
          request: requestId(c),
          caller: c.get('caller').id,
          milliseconds: Math.round(context.clock.monotonic() - started),
        })
      }
      return response
    })
  }
  return routes
}

/** What browsers are told about answers that are data. */
const secureHeaders: readonly (readonly [name: string, value: string])[] = [
  ['cache-control', 'no-store'],
  ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
  ['referrer-policy', 'no-referrer'],
  ['x-content-type-options', 'nosniff'],
  ['x-frame-options', 'DENY'],
]

async function answered(route: Route, c: Context<GatewayEnv>, context: GatewayContext): Promise<Response> {
  try {
    return await route.run(c, context)
  } catch (error) {
    if (error instanceof Refused || !LlmemoError.isInstance(error)) throw error
    // Their messages name options, and show no content.
    const told = toldErrors[error.code]
    if (told === undefined) throw error
    return answerError(c, told)
  }
}

const toldErrors: Readonly<Partial<Record<ErrorCode, ToldError>>> = {
  INVALID_OPTION: { status: 400, detail: 'The request has a value that cannot be.', code: 'invalid' },
  NOT_KEYABLE: { status: 400, detail: 'No key can be made of this request.', code: 'invalid' },
  STORE_FAILED: { status: 503, detail: 'The store cannot do this now, or cannot list its keys.', code: 'store' },
}
