/**
 * One route of the REST API: its schemas, the role that it needs, and what it does.
 * @module
 */
import type { Context } from 'hono'
import type { z } from 'zod'
import { authorize } from '../access/authorize.ts'
import { answerError } from '../access/problem.ts'
import type { Caller, Role } from '../caller.ts'
import type { GatewayContext, GatewayEnv } from '../context.ts'
import { readJson } from './request-body.ts'

/** What a handler is given: what the request holds, checked. */
export interface Given<Body, Query> {
  readonly body: Body
  readonly query: Query
  readonly caller: Caller
  readonly c: Context<GatewayEnv>
  readonly context: GatewayContext
}

/** A route as it is written down. */
export interface RouteOptions<Body extends z.ZodType, Query extends z.ZodType> {
  readonly method: 'get' | 'post' | 'delete'
  /** With parameters in braces: `/api/v1/cache/{key}`. */
  readonly path: string
  readonly summary: string
  /** The role that it needs. `undefined` for any caller. */
  readonly role: Role | undefined
  /** Whether a caller that belongs to one tenant is refused, as it tells of all. @default false */
  readonly isForAll?: boolean
  readonly body?: Body
  readonly query?: Query
  /** The schema of its answer by status. A text stands for another type than JSON. */
  readonly answers: Readonly<Record<number, z.ZodType | string>>
  readonly handle: (given: Given<z.output<Body>, z.output<Query>>) => Promise<Response> | Response
}

/** A route, ready to be mounted and described. */
export interface Route extends Pick<
  RouteOptions<z.ZodType, z.ZodType>,
  'method' | 'path' | 'summary' | 'role' | 'isForAll' | 'body' | 'query' | 'answers'
> {
  run(c: Context<GatewayEnv>, context: GatewayContext): Promise<Response>
}

/** Makes a route. */
export function route<Body extends z.ZodType = z.ZodUndefined, Query extends z.ZodType = z.ZodUndefined>(
  options: RouteOptions<Body, Query>,
): Route {
  const { body, query, handle, role, isForAll = false } = options
  return {
    ...options,
    async run(c, context) {
      const caller = c.get('caller')
      authorize(caller, role, isForAll)
      const asked = query === undefined ? undefined : query.safeParse(Object.fromEntries(new URL(c.req.url).searchParams))
      if (asked?.success === false) return invalid(c, asked.error)
      const sent = body === undefined ? undefined : body.safeParse(await readJson(c, context.options.limits))
      if (sent?.success === false) return invalid(c, sent.error)
      // Without a schema, what the handler gets is undefined, as the default types say.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      return handle({ body: sent?.data as z.output<Body>, query: asked?.data as z.output<Query>, caller, c, context })
    },
  }
}

/** 400, with each place that is wrong, and none of what stands there. */
function invalid(c: Context<GatewayEnv>, { issues }: z.ZodError): Response {
  const errors = issues
    .slice(0, 20)
    .map(({ path, message }) => ({ pointer: path.map((step) => `/${String(step)}`).join(''), detail: message }))
  const [first] = errors
  const where = first === undefined || first.pointer === '' ? '' : `${first.pointer}: `
  return answerError(c, { status: 400, detail: `The request cannot be: ${where}${first?.detail ?? ''}`, code: 'invalid', errors })
}
