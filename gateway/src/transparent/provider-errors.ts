/**
 * Errors of the gateway in the form of the provider's, so that its SDK reads them.
 * @module
 */
import type { Protocol } from './upstreams.ts'

/** What went wrong. */
export interface Refusal {
  readonly status: number
  /** What a program can tell it by: `body_too_large`. */
  readonly code: string
  /** What a person reads: what is wrong and what to do. */
  readonly message: string
}

/** What Anthropic calls an error of this status. Source: https://docs.claude.com/en/api/errors */
const anthropicTypes: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  502: 'api_error',
  504: 'timeout_error',
}

/** What Google calls it. Source: https://cloud.google.com/apis/design/errors */
const googleStatuses: Readonly<Record<number, string>> = {
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  501: 'UNIMPLEMENTED',
  502: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}

/** The error as an answer. A refusal would be the same again, so it tells the SDK not to try again. */
export function errorResponse(protocol: Protocol, { status, code, message }: Refusal): Response {
  const headers: Record<string, string> = { 'content-type': 'application/json' }
  if (status < 500 || status === 501) headers['x-should-retry'] = 'false'
  if (protocol === 'bedrock') headers['x-amzn-errortype'] = status >= 500 ? 'ServiceUnavailableException' : 'ValidationException'
  const response = new Response(JSON.stringify(bodyOf(protocol, { status, code, message })), { status, headers })
  own.add(response)
  return response
}

const own = new WeakSet<Response>()

/** Whether an answer is an error of the gateway's own, rather than what a provider or the cache said. */
export function isOwnError(response: Response): boolean {
  return own.has(response)
}

function bodyOf(protocol: Protocol, { status, code, message }: Refusal): unknown {
  if (protocol === 'anthropic') return { type: 'error', error: { type: anthropicTypes[status] ?? 'invalid_request_error', message } }
  if (protocol === 'bedrock') return { message }
  if (protocol === 'gemini') return { error: { code: status, message, status: googleStatuses[status] ?? 'INVALID_ARGUMENT' } }
  return { error: { message, type: status >= 500 ? 'server_error' : 'invalid_request_error', param: null, code } }
}
