/**
 * A request that is refused, and how its answer looks.
 * @module
 */
import type { Context } from 'hono'
import type { GatewayContext, GatewayEnv } from '../context.ts'
import { GatewayError } from '../errors.ts'
import { answerError } from './problem.ts'
import { addressOf } from './address.ts'
import { requestId } from './request-id.ts'

/** Why a request was refused: a name for the log and for counting. */
export type RefusalReason =
  | 'no-credential'
  | 'wrong-credential'
  | 'too-many-wrong-credentials'
  | 'key-server-away'
  | 'not-this-machine'
  | 'foreign-page'
  | 'role'
  | 'tenant'
  | 'rate'
  | 'body'
  | 'too-large'

/** What a refusal says. */
export interface RefusalOptions {
  readonly status: 400 | 401 | 403 | 413 | 415 | 429 | 503
  readonly reason: RefusalReason
  /** A sentence for people: what to do. Nothing of the request. */
  readonly detail: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Thrown where a request must not go on. */
export class Refused extends GatewayError {
  readonly status: RefusalOptions['status']
  readonly reason: RefusalReason
  readonly detail: string
  readonly headers: Readonly<Record<string, string>>

  /** @param options what the answer says */
  constructor({ status, reason, detail, headers = {} }: RefusalOptions) {
    super('REFUSED', detail)
    this.status = status
    this.reason = reason
    this.detail = detail
    this.headers = headers
  }
}

/** Counts and logs a refusal. @returns its answer */
export function refused(context: GatewayContext, c: Context<GatewayEnv>, { status, reason, detail, headers }: Refused): Response {
  context.refusals.count(reason)
  context.log('warn', 'refused', {
    reason,
    status,
    method: c.req.method,
    request: requestId(c),
    address: addressOf({ headers: c.req.raw.headers, connection: c.env.connection }, context.options.access.proxies),
    caller: c.get('caller')?.id,
  })
  return answerError(c, { status, detail, code: reason, headers: { ...headers, 'x-request-id': requestId(c) } })
}
