/**
 * What AWS hands a function for an HTTP request, as a request, and a response as the result that it takes. There are three forms: payload
 * 1.0 (API Gateway), 2.0 (API Gateway and function URLs), and that of a load balancer.
 * Sources: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html,
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
 * @module
 */
import { isUtf8 } from 'node:buffer'
import { z } from 'zod'
import { outside } from '../access/address.ts'
import type { Connection } from '../context.ts'
import { LambdaEventError } from '../errors.ts'

const texts = z.record(z.string(), z.string().nullish()).nullish()
const lists = z.record(z.string(), z.array(z.string()).nullish()).nullish()
const content = { headers: texts, body: z.string().nullish(), isBase64Encoded: z.boolean().nullish() }

const second = z.object({
  ...content,
  rawPath: z.string(),
  rawQueryString: z.string().default(''),
  cookies: z.array(z.string()).nullish(),
  requestContext: z.object({
    http: z.object({ method: z.string(), sourceIp: z.string().optional() }),
    stage: z.string().default('$default'),
    domainName: z.string().optional(),
  }),
})

const first = z.object({
  ...content,
  httpMethod: z.string(),
  path: z.string(),
  multiValueHeaders: lists,
  queryStringParameters: texts,
  multiValueQueryStringParameters: lists,
  requestContext: z.object({
    elb: z.unknown().optional(),
    domainName: z.string().optional(),
    identity: z.object({ sourceIp: z.string().nullish() }).optional(),
  }),
})

type First = z.output<typeof first>
type Second = z.output<typeof second>

/** What a function returns for an HTTP request. */
export interface HttpResult {
  readonly statusCode: number
  readonly headers?: Readonly<Record<string, string>>
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[]>>
  /** Of payload 2.0 only. */
  readonly cookies?: readonly string[]
  readonly body: string
  readonly isBase64Encoded: boolean
}

/**
 * Bytes that a result in JSON may have: of Lambda, and of a load balancer.
 * Sources: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html,
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
 */
const maxResultBytes = { lambda: 6 * 2 ** 20, balancer: 2 ** 20 }

/** An event, understood. */
export interface HttpEvent {
  /** @throws {TypeError} for a URL, a method or a header that no request can have */
  readonly request: (signal: AbortSignal) => Request
  readonly connection: Connection
  /** The response in the form of this event. */
  readonly result: (response: Response) => Promise<HttpResult>
  /** Bytes that the result in JSON may have. */
  readonly maxBytes: number
}

/**
 * Reads an event.
 * @throws {LambdaEventError} if it is that of no HTTP request
 */
export function httpEvent(event: unknown): HttpEvent {
  const asSecond = second.safeParse(event)
  if (asSecond.success) return secondEvent(asSecond.data)
  const asFirst = first.safeParse(event)
  if (asFirst.success) return firstEvent(asFirst.data)
  throw new LambdaEventError('an HTTP request of API Gateway, a function URL or a load balancer')
}

function secondEvent(event: Second): HttpEvent {
  const { http, stage, domainName } = event.requestContext
  const headers = (): Headers => {
    const made = headersOf(event.headers)
    if (event.cookies?.length) made.set('cookie', event.cookies.join('; '))
    return made
  }
  const path = event.rawPath.startsWith(`/${stage}/`) ? event.rawPath.slice(stage.length + 1) : event.rawPath
  return {
    request: (signal) =>
      requestOf({ method: http.method, path, query: event.rawQueryString, headers: headers(), domainName, content: event, signal }),
    connection: { remoteAddress: outside(http.sourceIp) },
    maxBytes: maxResultBytes.lambda,
    async result(response) {
      const { cookies, single } = headersIn(response)
      return { statusCode: response.status, headers: single, cookies, ...(await bodyOf(response)) }
    },
  }
}

function firstEvent(event: First): HttpEvent {
  const { elb, domainName, identity } = event.requestContext
  const isBalancer = elb !== undefined
  const headers = (): Headers => headersOf(event.headers, event.multiValueHeaders)
  const isMany = event.multiValueHeaders !== undefined && event.multiValueHeaders !== null
  return {
    request: (signal) =>
      requestOf({
        method: event.httpMethod,
        path: event.path,
        query: queryOf(event, isBalancer),
        headers: headers(),
        domainName,
        content: event,
        signal,
      }),
    // A balancer adds the address that it sees to the header; what stands before that is what it was told.
    connection: { remoteAddress: outside(isBalancer ? forwarded(event) : identity?.sourceIp) },
    maxBytes: isBalancer ? maxResultBytes.balancer : maxResultBytes.lambda,
    async result(response) {
      const { cookies, single } = headersIn(response)
      const body = await bodyOf(response)
      if (!isMany) return { statusCode: response.status, headers: { ...single, ...firstCookie(cookies) }, ...body }
      const many = Object.fromEntries(Object.entries(single).map(([name, value]) => [name, [value]]))
      const set = cookies.length === 0 ? {} : { 'set-cookie': cookies }
      return { statusCode: response.status, multiValueHeaders: { ...many, ...set }, ...body }
    },
  }
}

interface RequestParts {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: Headers
  readonly domainName: string | undefined
  readonly content: { readonly body?: string | null | undefined; readonly isBase64Encoded?: boolean | null | undefined }
  readonly signal: AbortSignal
}

function requestOf({ method, path, query, headers, domainName, content: { body, isBase64Encoded }, signal }: RequestParts): Request {
  const host = headers.get('host') ?? domainName ?? 'localhost'
  const url = new URL(`https://${host}${path}${query === '' ? '' : `?${query}`}`)
  // A path such as `@other/` would otherwise be another host, and with it another request.
  if (url.host !== new URL(`https://${host}`).host) throw new TypeError('the path is none')
  const bytes = body && method !== 'GET' && method !== 'HEAD' ? Buffer.from(body, isBase64Encoded === true ? 'base64' : 'utf8') : null
  return new Request(url, { method, headers, body: bytes, signal })
}

function headersOf(single: z.output<typeof texts>, many?: z.output<typeof lists>): Headers {
  const made = new Headers()
  for (const [name, values] of Object.entries(many ?? {})) for (const value of values ?? []) made.append(name, value)
  for (const [name, value] of Object.entries(single ?? {})) if (typeof value === 'string' && !made.has(name)) made.set(name, value)
  return made
}

/** A load balancer leaves the parameters as they came; API Gateway decodes them. */
function queryOf({ queryStringParameters: single, multiValueQueryStringParameters: many }: First, isBalancer: boolean): string {
  const given = many ?? Object.fromEntries(Object.entries(single ?? {}).map(([name, value]) => [name, [value ?? '']]))
  const pairs = Object.entries(given).flatMap(([name, values]) => (values ?? []).map((value): [string, string] => [name, value]))
  return isBalancer ? pairs.map((pair) => pair.join('=')).join('&') : new URLSearchParams(pairs).toString()
}

function forwarded({ headers, multiValueHeaders }: First): string | undefined {
  return headersOf(headers, multiValueHeaders).get('x-forwarded-for')?.split(',').at(-1)?.trim()
}

/** The headers of a response, and apart from them its cookies, of which there may be several. */
export function headersIn(response: Response): { readonly cookies: string[]; readonly single: Record<string, string> } {
  const single = Object.fromEntries([...response.headers].filter(([name]) => name !== 'set-cookie'))
  return { cookies: response.headers.getSetCookie(), single }
}

function firstCookie([cookie]: readonly string[]): Record<string, string> {
  return cookie === undefined ? {} : { 'set-cookie': cookie }
}

async function bodyOf(response: Response): Promise<Pick<HttpResult, 'body' | 'isBase64Encoded'>> {
  const bytes = Buffer.from(await response.arrayBuffer())
  return isUtf8(bytes) ? { body: bytes.toString(), isBase64Encoded: false } : { body: bytes.toString('base64'), isBase64Encoded: true }
}
