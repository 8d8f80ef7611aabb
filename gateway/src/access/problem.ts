/**
 * How an error is told: as a problem (RFC 9457) to a client that accepts it, else as `{ error }`. Where providers' clients ask, in a form that
 * all of their SDKs can read.
 * @module
 */
import type { Context } from 'hono'
import type { GatewayEnv } from '../context.ts'

/** An error as an answer tells it. */
export interface ToldError {
  readonly status: number
  /** A sentence for people. */
  readonly detail: string
  /** A name for programs: `wrong-credential`. */
  readonly code?: string
  /** What is wrong, place by place. */
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[]
  readonly headers?: Readonly<Record<string, string>>
}

/** The first segments of the paths that are the gateway's own. Others are those of providers. */
const ownPaths: ReadonlySet<string> = new Set([
  '',
  'api',
  'cache',
  'docs',
  'events',
  'health',
  'metrics',
  'openapi.json',
  'ready',
  'dashboard',
  'favicon.ico',
])

/** Whether the path is the gateway's own, rather than a provider's. */
export function isOwnPath(path: string): boolean {
  return ownPaths.has(path.split('/', 2)[1] ?? '')
}

/** The answer that tells an error. */
export function answerError(c: Context<GatewayEnv>, { status, detail, code, errors, headers = {} }: ToldError): Response {
  const answer = (body: object, type = 'application/json'): Response =>
    new Response(JSON.stringify(body), { status, headers: { ...headers, 'content-type': type, 'cache-control': 'no-store' } })
  if (!isOwnPath(c.req.path)) return answer(providerForm(status, detail, code))
  if ((c.req.header('accept') ?? '').includes('application/problem+json')) {
    const title = titles[status] ?? 'Error'
    const problem = { type: 'about:blank', title, status, detail, ...(code !== undefined && { code }), ...(errors && { errors }) }
    return answer(problem, 'application/problem+json')
  }
  return answer({ error: detail, ...(errors && { errors }) })
}

/** What the SDKs of OpenAI (`error.message`), Anthropic (`type`, `error.type`), Bedrock (`message`) and Gemini (`error.status`) read. */
function providerForm(status: number, message: string, code: string | undefined): object {
  return { type: 'error', error: { type: errorTypes[status] ?? 'api_error', message, code: code ?? null, param: null }, message }
}

const errorTypes: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}
