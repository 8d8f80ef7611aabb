/**
 * Events of each form as a gateway gets them, and its responses as each form takes them.
 */
import { createCache } from 'llmemo'
import { createHttpHandler, createStreamHandler, type HttpResult, type ResponseStream } from 'llmemo-gateway/lambda'
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'

const context = { getRemainingTimeInMillis: (): number => 60_000 }

/** A request as the gateway got it. */
interface Got {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A handler over a gateway that remembers what it got. */
function over(respond: () => Response = () => new Response('fine')) {
  const got: Got[] = []
  const served = {
    cache: createCache(),
    gateway: {
      async fetch(request: Request): Promise<Response> {
        const { method, url } = request
        got.push({
          method,
          url,
          headers: Object.fromEntries(request.headers),
          body: Buffer.from(await request.arrayBuffer()).toString('hex'),
        })
        return respond()
      },
    },
  }
  const open = async (): Promise<typeof served> => served
  const ask = async (event: object): Promise<HttpResult> => createHttpHandler(open)(event, context)
  return { ask, got, open }
}

const second = (more: object = {}, http: object = {}): object => ({
  version: '2.0',
  rawPath: '/openai/v1/models',
  rawQueryString: '',
  headers: { host: 'a.example' },
  requestContext: { stage: '$default', http: { method: 'GET', sourceIp: '203.0.113.9', ...http } },
  isBase64Encoded: false,
  ...more,
})
const first = (more: object = {}): object => ({
  httpMethod: 'GET',
  path: '/openai/v1/models',
  headers: { host: 'a.example' },
  multiValueHeaders: { host: ['a.example'] },
  queryStringParameters: null,
  multiValueQueryStringParameters: null,
  requestContext: { stage: 'prod', identity: { sourceIp: '203.0.113.9' } },
  body: null,
  isBase64Encoded: false,
  ...more,
})
const balanced = (more: object = {}): object => ({
  httpMethod: 'GET',
  path: '/openai/v1/models',
  headers: { host: 'a.example', 'x-forwarded-for': '203.0.113.9' },
  queryStringParameters: {},
  requestContext: { elb: { targetGroupArn: 'arn' } },
  body: '',
  isBase64Encoded: false,
  ...more,
})
/** A balancer whose target group has headers with several values. */
const balancedMany = (more: object = {}): object => {
  const { headers: _, queryStringParameters: __, ...others }: Record<string, unknown> = { ...balanced() }
  return { ...others, multiValueHeaders: { host: ['a.example'] }, multiValueQueryStringParameters: {}, ...more }
}
const forms = [
  ['payload 2.0', second, (body: string): object => second({ body, isBase64Encoded: true }, { method: 'POST' })],
  ['payload 1.0', first, (body: string): object => first({ body, isBase64Encoded: true, httpMethod: 'POST' })],
  ['a balancer', balanced, (body: string): object => balanced({ body, isBase64Encoded: true, httpMethod: 'POST' })],
  [
    'a balancer with several values',
    balancedMany,
    (body: string): object => balancedMany({ body, isBase64Encoded: true, httpMethod: 'POST' }),
  ],
] as const

describe.each(forms)('%s', (_name, event, post) => {
  it('has its body in base64 as the bytes that were sent', async () => {
    const { ask, got } = over()
    await ask(post(Buffer.from([0, 255, 0xc3, 0x28]).toString('base64')))
    expect(got).toMatchObject([{ method: 'POST', body: '00ffc328', url: 'https://a.example/openai/v1/models' }])
  })

  it('gets bytes in base64, text as text, and an empty body', async () => {
    const bodies = [Uint8Array.of(0, 255), '{"ü":1}', null]
    for (const [body, isBase64Encoded, text] of [
      [bodies[0], true, 'AP8='],
      [bodies[1], false, '{"ü":1}'],
      [bodies[2], false, ''],
    ] as const) {
      const { ask } = over(() => new Response(body, { status: body === null ? 204 : 200 }))
      expect(await ask(event())).toMatchObject({ statusCode: body === null ? 204 : 200, isBase64Encoded, body: text })
    }
  })

  it('is refused with 400 for a path that would be another host, or a host that is none', async () => {
    const { ask, got } = over()
    for (const path of ['@evil.example/', ':8443/', '.evil.example/']) {
      expect(await ask(event({ rawPath: path, path }))).toMatchObject({ statusCode: 400 })
    }
    const host = { headers: { host: 'a b' }, multiValueHeaders: { host: ['a b'] } }
    expect(await ask(event(host))).toMatchObject({ statusCode: 400 })
    expect(got).toEqual([])
    await ask(event({ rawPath: '//evil.example/v1', path: '//evil.example/v1' }))
    expect(got.map(({ url }) => new URL(url).host)).toEqual(['a.example'])
  })
})

describe('headers and cookies of a request', () => {
  it('of payload 2.0 come together, cookies from a list of their own', async () => {
    const { ask, got } = over()
    await ask(second({ headers: { host: 'a.example', accept: 'a/b,c/d' }, cookies: ['a=1', 'b=2'] }))
    expect(got[0]?.headers).toMatchObject({ accept: 'a/b,c/d', cookie: 'a=1; b=2' })
  })

  it('of payload 1.0 and a balancer come from the list of values, where there is one', async () => {
    const many = { headers: { host: 'a.example', accept: 'c/d' }, multiValueHeaders: { host: ['a.example'], accept: ['a/b', 'c/d'] } }
    for (const event of [first(many), balancedMany({ multiValueHeaders: many.multiValueHeaders })]) {
      const { ask, got } = over()
      await ask(event)
      expect(got[0]?.headers).toMatchObject({ accept: 'a/b, c/d' })
    }
  })
})

describe('the query of a request', () => {
  it.each([
    ['payload 2.0, as it was sent', second({ rawQueryString: 'a=1&a=2&b=x%20y%26' }), '?a=1&a=2&b=x%20y%26'],
    ['payload 1.0, which is decoded', first({ multiValueQueryStringParameters: { a: ['1', '2'], b: ['x y&'] } }), '?a=1&a=2&b=x+y%26'],
    ['payload 1.0 with single values', first({ queryStringParameters: { b: 'x y&' } }), '?b=x+y%26'],
    ['a balancer, as it was sent', balanced({ queryStringParameters: { b: 'x%20y%26' } }), '?b=x%20y%26'],
    ['a balancer with several values', balancedMany({ multiValueQueryStringParameters: { a: ['1', '2'] } }), '?a=1&a=2'],
  ])('of %s', async (_name, event, query) => {
    const { ask, got } = over()
    await ask(event)
    expect(new URL(got[0]?.url ?? '').search).toBe(query)
  })

  it('is below the stage, which is no part of the path', async () => {
    const { ask, got } = over()
    await ask(second({ rawPath: '/prod/openai/v1/models', requestContext: { stage: 'prod', http: { method: 'GET' } } }))
    expect(got[0]?.url).toBe('https://a.example/openai/v1/models')
  })
})

function withCookies(): Response {
  const headers = new Headers([
    ['set-cookie', 'a=1; Path=/'],
    ['set-cookie', 'b=2'],
    ['x-many', '1'],
    ['x-many', '2'],
  ])
  return new Response('fine', { headers })
}

describe('cookies of a response', () => {
  it('are each told in the way of the form', async () => {
    const { ask } = over(withCookies)
    const both = ['a=1; Path=/', 'b=2']
    const { cookies, headers } = await ask(second())
    expect([cookies, headers?.['x-many'], headers?.['set-cookie']]).toEqual([both, '1, 2', undefined])
    for (const event of [first(), balancedMany()]) {
      expect((await ask(event)).multiValueHeaders).toMatchObject({ 'set-cookie': both, 'x-many': ['1, 2'] })
    }
    // Where a header has one value, there is room for one cookie.
    expect(await ask(balanced())).toMatchObject({ headers: { 'set-cookie': 'a=1; Path=/', 'x-many': '1, 2' } })
  })

  it('are told in the head of a stream', async () => {
    const { open } = over(withCookies)
    const through = new PassThrough()
    const stream: ResponseStream = Object.assign(through, { setContentType: () => undefined })
    await createStreamHandler(open)(second(), stream, context)
    const chunks: Buffer[] = []
    for await (const chunk of through) chunks.push(Buffer.from(chunk))
    const bytes = Buffer.concat(chunks)
    expect(JSON.parse(bytes.subarray(0, bytes.indexOf(Buffer.alloc(8))).toString())).toMatchObject({
      cookies: ['a=1; Path=/', 'b=2'],
      headers: { 'x-many': '1, 2' },
    })
  })
})

describe('a response that is too large to be given whole', () => {
  const mebibyte = 2 ** 20
  it.each([
    ['payload 2.0', second(), 6 * mebibyte],
    ['payload 1.0', first(), 6 * mebibyte],
    ['a balancer', balanced(), mebibyte],
  ])('is told to the client of %s, rather than an error of Lambda', async (_name, event, most) => {
    let text = 'x'.repeat(most - 500)
    const { ask } = over(() => new Response(text))
    expect(await ask(event)).toMatchObject({ statusCode: 200 })
    // In JSON, this is twice as large.
    for (const each of ['x'.repeat(most), '"'.repeat(most / 2), 'ü'.repeat(most / 2)]) {
      text = each
      const result = await ask(event)
      expect(result.statusCode).toBe(502)
      expect(result.body).toContain('streamHandler')
      expect(JSON.stringify(result)).toContain('x-should-retry')
    }
  })
})

describe('a gateway that cannot be opened', () => {
  it('leaves the time for an answer that says so, and is opened by a later invocation', async () => {
    const held = Promise.withResolvers<void>()
    const { open } = over()
    const handler = createHttpHandler(async () => {
      await held.promise
      return open()
    })
    expect(await handler(second(), { getRemainingTimeInMillis: () => 501 })).toMatchObject({ statusCode: 504 })
    held.resolve()
    expect(await handler(second(), context)).toMatchObject({ statusCode: 200 })
  })

  it('fails the invocation, and is opened anew by the next one', async () => {
    const { open } = over()
    let isUp = false
    const handler = createHttpHandler(async () => (isUp ? open() : Promise.reject(new Error('no secret'))))
    await expect(handler(second(), context)).rejects.toThrow('no secret')
    isUp = true
    expect(await handler(second(), context)).toMatchObject({ statusCode: 200 })
  })
})
