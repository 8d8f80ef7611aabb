/**
 * Events of API Gateway and of a function URL (payload 2.0), and their results.
 * @module
 */

/** The part of an event that is read. */
export interface HttpEvent {
  readonly rawPath: string
  readonly body?: string
  readonly isBase64Encoded: boolean
  readonly requestContext: {
    readonly http: { readonly method: string }
    /** What the authorizer found out. Who asks must come from it, never from the request itself. */
    readonly authorizer?: {
      readonly lambda?: { readonly user?: string; readonly role?: string }
      /** Of a function URL with AWS_IAM. */
      readonly iam?: { readonly userId?: string }
    }
  }
}

/** What a function returns. */
export interface HttpResult {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A request as the coach takes it. */
export interface Asked {
  /** `POST /api/ai/chat`. */
  readonly route: string
  readonly user: string
  readonly isAdmin: boolean
  /** The members of the JSON in the body. */
  readonly body: Readonly<Record<string, unknown>>
}

/** An invalid request. Its message is written for the caller. */
export class RequestError extends Error {
  readonly statusCode: number

  constructor(statusCode: number, message: string) {
    super(message)
    this.name = 'RequestError'
    this.statusCode = statusCode
  }
}

/** Reads an event. @throws {RequestError} for a caller that is not known, and for a body that is no JSON object */
export function asked({ rawPath, body, isBase64Encoded, requestContext: { http, authorizer } }: HttpEvent): Asked {
  const { user = authorizer?.iam?.userId, role } = authorizer?.lambda ?? {}
  if (user === undefined) throw new RequestError(401, 'Sign in first.')
  const text = isBase64Encoded ? Buffer.from(body ?? '', 'base64').toString() : (body ?? '')
  return { route: `${http.method} ${rawPath}`, user, isAdmin: role === 'admin', body: membersOf(text === '' ? '{}' : text) }
}

function membersOf(text: string): Record<string, unknown> {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    parsed = undefined
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new RequestError(400, 'The body must be a JSON object.')
  return { ...parsed }
}

/** A text of the body. @throws {RequestError} if there is none */
export function textIn(body: Asked['body'], name: string): string {
  const text = body[name]
  if (typeof text !== 'string' || text.trim() === '') throw new RequestError(400, `${name} must be a text.`)
  return text
}

/** A result in JSON. */
export function json(statusCode: number, body: object): HttpResult {
  return { statusCode, headers: { 'content-type': 'application/json', 'cache-control': 'no-store' }, body: JSON.stringify(body) }
}

/** The result for an error. Its details go to the log only: the caller must not see them. */
export function failed(error: unknown): HttpResult {
  if (error instanceof RequestError) return json(error.statusCode, { success: false, error: error.message })
  console.error(error)
  return json(502, { success: false, error: 'The coach did not answer. Try again.' })
}
