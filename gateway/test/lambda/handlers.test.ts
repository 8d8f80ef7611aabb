/**
 * The handlers under Lambda's own runtime client, each in a process of its own, over a DynamoDB, in front of a stand-in provider.
 */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { chunksOf, completion } from '../../../test/support/openai-answers.ts'
import { gate } from '../../../test/support/provider-server.ts'
import type { Invoked } from '../support/lambda/runtime.ts'
import { answering, surroundings } from '../support/lambda/surroundings.ts'
import { question } from '../support/provider.ts'
import { isStreamRequest } from '../support/stand-in.ts'
import { tokenIssuer } from '../support/token-issuer.ts'

interface Asked {
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly path?: string
}

const streamQuestion = JSON.stringify({ ...JSON.parse(question()), stream: true })
let traces = 0
const headersOf = (key: string, given: Asked['headers']): Record<string, string> => ({
  host: 'abc.lambda-url.eu-west-1.on.aws',
  'content-type': 'application/json',
  'x-forwarded-for': '203.0.113.9',
  // Another one at each request.
  'x-amzn-trace-id': `Root=1-${++traces}`,
  authorization: 'Bearer sk-test',
  'x-llmemo-api-key': key,
  ...given,
})

/** Payload 2.0: function URLs and HTTP APIs. */
function second(key: string, { body = question(), headers, path = '/openai/v1/chat/completions' }: Asked = {}): object {
  return {
    version: '2.0',
    rawPath: path,
    rawQueryString: '',
    headers: headersOf(key, headers),
    requestContext: { stage: '$default', http: { method: 'POST', path, sourceIp: '203.0.113.9' } },
    body: Buffer.from(body).toString('base64'),
    isBase64Encoded: true,
  }
}

/** Payload 1.0: REST APIs. */
function first(key: string, { body = question(), headers, path = '/openai/v1/chat/completions' }: Asked = {}): object {
  const single = headersOf(key, headers)
  return {
    resource: '/{proxy+}',
    path,
    httpMethod: 'POST',
    headers: single,
    multiValueHeaders: Object.fromEntries(Object.entries(single).map(([name, value]) => [name, [value]])),
    queryStringParameters: null,
    multiValueQueryStringParameters: null,
    requestContext: { stage: 'prod', identity: { sourceIp: '203.0.113.9' } },
    body,
    isBase64Encoded: false,
  }
}

/** A load balancer. */
function balanced(key: string, { body = question(), headers, path = '/openai/v1/chat/completions' }: Asked = {}): object {
  const requestContext = { elb: { targetGroupArn: 'arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/gateway/1' } }
  return {
    requestContext,
    httpMethod: 'POST',
    path,
    queryStringParameters: {},
    headers: headersOf(key, headers),
    body,
    isBase64Encoded: false,
  }
}

interface Response {
  readonly status: number
  readonly source: string | undefined
  readonly cacheStatus: string | undefined
  readonly body: unknown
}

/** A whole result as its client sees it. */
function whole({ bytes, failed }: Invoked): Response {
  if (failed) throw new Error(bytes.toString())
  const { statusCode, headers, multiValueHeaders, body } = JSON.parse(bytes.toString())
  const named = headers ?? Object.fromEntries(Object.entries<string[]>(multiValueHeaders).map(([name, values]) => [name, values[0]]))
  return { status: statusCode, source: named['x-llmemo-source'], cacheStatus: named['cache-status'], body: JSON.parse(body) }
}

/** A streamed result as its client sees it. */
function streamed({ bytes, type }: Invoked): Response & { readonly text: string } {
  expect(type).toBe('application/vnd.awslambda.http-integration-response')
  const end = bytes.indexOf(Buffer.alloc(8))
  const { statusCode, headers } = JSON.parse(bytes.subarray(0, end).toString())
  const text = bytes.subarray(end + 8).toString()
  return { status: statusCode, source: headers['x-llmemo-source'], cacheStatus: headers['cache-status'], body: text, text }
}

describe.each([
  ['payload 2.0', second],
  ['payload 1.0', first],
  ['a load balancer', balanced],
])('httpHandler with %s', (_name, event) => {
  it('misses, hits, and lets a request go past the cache', async () => {
    const { provider, key, start } = await surroundings()
    const instance = await start()
    expect(whole(await instance.invoke(event(key)))).toMatchObject({ status: 200, source: 'origin', body: completion('Rayleigh.') })
    expect(whole(await instance.invoke(event(key)))).toMatchObject({ status: 200, source: 'memory', body: completion('Rayleigh.') })
    const past = await instance.invoke(event(key, { headers: { 'cache-control': 'no-store' } }))
    expect(whole(past)).toMatchObject({ status: 200, source: 'origin' })
    expect(provider.requests).toHaveLength(2)
    expect(whole(await instance.invoke(event('llm_wrong')))).toMatchObject({ status: 401 })
    expect(whole(await instance.invoke(event(key, { headers: { host: 'a b' } })))).toMatchObject({ status: 400 })
    expect(whole(await instance.invoke(event(key, { path: '/none' })))).toMatchObject({ status: 404 })
    expect(whole(await instance.invoke(event(key, { path: '/cache/query', body: '{' })))).toMatchObject({ status: 400 })
  })

  it('gives a streamed call whole: a miss, a hit, one past the cache, and one while the store is down', async () => {
    const { provider, key, start, stopStore } = await surroundings()
    const instance = await start()
    const ask = async (headers: Asked['headers'] = {}): Promise<string> => {
      const { bytes, failed } = await instance.invoke(event(key, { body: streamQuestion, headers }))
      expect(failed).toBe(false)
      const { statusCode, body, headers: single, multiValueHeaders: many } = JSON.parse(bytes.toString())
      expect([statusCode, body]).toEqual([200, expect.stringMatching(/\[DONE\]\s+$/)])
      return single?.['x-llmemo-source'] ?? many['x-llmemo-source'][0]
    }
    expect([await ask(), await ask(), await ask({ 'cache-control': 'no-store' })]).toEqual(['origin', 'memory', 'origin'])
    await stopStore()
    expect(await ask()).toBe('memory')
    expect(provider.requests).toHaveLength(2)
  })
})

describe('httpHandler', () => {
  it('has written everything when it returns, and reads it in a cold instance', async () => {
    const { provider, key, start } = await surroundings()
    const before = await start()
    expect(whole(await before.invoke(second(key)))).toMatchObject({ source: 'origin' })
    before.stop()
    const after = await start()
    expect(whole(await after.invoke(second(key)))).toMatchObject({ source: 'dynamodb', body: completion('Rayleigh.') })
    expect(provider.requests).toHaveLength(1)
  })

  it('gives a stream whole, and bytes that are no text in base64', async () => {
    const { key, start } = await surroundings((request, reply) =>
      isStreamRequest(request) ? answering(request, reply) : reply.bytes(Uint8Array.of(255, 0, 1)),
    )
    const instance = await start()
    const events = JSON.parse((await instance.invoke(second(key, { body: streamQuestion }))).bytes.toString())
    expect(events).toMatchObject({ isBase64Encoded: false, headers: { 'content-type': expect.stringMatching(/^text\/event-stream/) } })
    expect(events.body).toMatch(/\[DONE\]\s+$/)
    const speech = await instance.invoke(second(key, { path: '/openai/v1/audio/speech' }))
    expect(JSON.parse(speech.bytes.toString())).toMatchObject({ isBase64Encoded: true, body: '/wAB' })
  })

  it('answers while the store is down, to callers it knows', async () => {
    const { provider, key, start, stopStore } = await surroundings()
    const instance = await start()
    expect(whole(await instance.invoke(second(key)))).toMatchObject({ status: 200 })
    await stopStore()
    expect(whole(await instance.invoke(second(key)))).toMatchObject({ status: 200, source: 'memory' })
    expect(whole(await instance.invoke(second(key, { body: question('Another?') })))).toMatchObject({ status: 200, source: 'origin' })
    expect(provider.requests).toHaveLength(2)
    // A cold instance cannot tell who asks, and lets in none.
    const cold = await start()
    expect(whole(await cold.invoke(second(key)))).toMatchObject({ status: 503 })
  })

  it('says so before its time is over, and is well afterwards', async () => {
    const { provider, key, start } = await surroundings((_request, reply) => reply.hold())
    const instance = await start()
    expect(whole(await instance.invoke(second(key), { time: 2_500 }))).toMatchObject({ status: 504 })
    await provider.untilAborted(1)
    provider.respond(answering)
    expect(whole(await instance.invoke(second(key)))).toMatchObject({ status: 200, source: 'origin' })
  })

  it.each(['dynamodb', 'redis'])(
    'starts cold over a %s that takes connections and never answers, and serves holders of tokens',
    async (kind) => {
      const { provider, key, start } = await surroundings()
      const issuer = await tokenIssuer()
      const silent = createServer(() => undefined)
      silent.listen(0, '127.0.0.1')
      await once(silent, 'listening')
      onTestFinished(() => void silent.close())
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens at a port
      const { port } = silent.address() as AddressInfo
      const { jwks, issuer: name, audience } = issuer.settings
      const endpoint = encodeURIComponent(`http://127.0.0.1:${port}`)
      const instance = await start(undefined, {
        CACHE_STORE: kind === 'redis' ? `redis://127.0.0.1:${port}` : `dynamodb://answers?region=eu-west-1&endpoint=${endpoint}`,
        LLMEMO_JWT_JWKS: jwks,
        LLMEMO_JWT_ISSUER: name,
        LLMEMO_JWT_AUDIENCE: audience,
      })
      const token = await issuer.token()
      const headers = { authorization: `Bearer ${token}`, 'x-api-key': 'sk-test' }
      // It ends by itself, well before its time is over.
      expect(whole(await instance.invoke(second('', { headers }), { time: 20_000 }))).toMatchObject({ status: 200, source: 'origin' })
      expect(whole(await instance.invoke(second('', { headers }), { time: 20_000 }))).toMatchObject({ status: 200, source: 'memory' })
      // Whose key this is, only the store knows.
      expect(whole(await instance.invoke(second(key), { time: 20_000 }))).toMatchObject({ status: 503 })
      expect(provider.requests).toHaveLength(1)
    },
  )

  it('refuses an event that is no HTTP request, and says why', async () => {
    const { start } = await surroundings()
    const { failed, bytes } = await (await start()).invoke({ Records: [] })
    expect(failed).toBe(true)
    expect(JSON.parse(bytes.toString())).toMatchObject({ errorType: 'LambdaEventError' })
  })

  it('takes no event for one of this machine', async () => {
    const { start } = await surroundings()
    const instance = await start(undefined, { CACHE_STORE: 'memory:' })
    const spoofed = balanced('none', { headers: { host: 'localhost', 'x-forwarded-for': '127.0.0.1' } })
    expect(whole(await instance.invoke(spoofed))).toMatchObject({ status: 403 })
  })
})

/** The lines of JSON alone that have metrics. */
function metricsIn(printed: string): object[] {
  return printed
    .split('\n')
    .filter((line) => line.startsWith('{"_aws"'))
    .map((line) => JSON.parse(line))
}

describe.each(['httpHandler', 'streamHandler'])('the metrics of %s', (name) => {
  it('are lines for CloudWatch before each invocation ends, with hits and misses since the one before', async () => {
    const { key, start } = await surroundings()
    const instance = await start(`dist/lambda.${name}`, { LLMEMO_CLOUDWATCH: 'answers' })
    for (const count of [1, 2]) {
      expect((await instance.invoke(second(key))).failed).toBe(false)
      await vi.waitUntil(() => metricsIn(instance.printed()).length === 2 * count)
    }
    const named = { service: 'answers', _aws: { CloudWatchMetrics: [{ Namespace: 'llmemo', Dimensions: [['service']] }] } }
    expect(metricsIn(instance.printed()).filter((line) => !('operation' in line))).toMatchObject([
      { ...named, CacheHits: 0, CacheMisses: 1 },
      { ...named, CacheHits: 1, CacheMisses: 0 },
    ])
    expect(instance.printed()).not.toMatch(/sky|Rayleigh|sk-test/)
  })

  it('are none without the variable', async () => {
    const { key, start } = await surroundings()
    const instance = await start(`dist/lambda.${name}`)
    await instance.invoke(second(key))
    await instance.invoke(second(key))
    expect(metricsIn(instance.printed())).toEqual([])
  })
})

describe('streamHandler', () => {
  it('streams a miss as it comes, and a hit', async () => {
    const open = gate()
    const [begin, middle, end] = chunksOf('Rayleigh.')
    const { provider, key, start } = await surroundings((_request, reply) => reply.events([...begin, open, ...middle, ...end]))
    const instance = await start('dist/lambda.streamHandler')
    let seen = ''
    const invoked = await instance.invoke(second(key, { body: streamQuestion }), {
      onPiece(piece) {
        seen += piece.toString()
        // The provider says the rest only when the first words are there.
        if (seen.includes('Ray')) open.open()
      },
    })
    expect(streamed(invoked)).toMatchObject({ status: 200, source: 'origin', text: expect.stringMatching(/\[DONE\]\s+$/) })
    const hit = streamed(await instance.invoke(second(key, { body: streamQuestion })))
    expect(hit).toMatchObject({ status: 200, source: 'memory', text: streamed(invoked).text })
    expect(provider.requests).toHaveLength(1)
    const cold = await start('dist/lambda.streamHandler')
    expect(streamed(await cold.invoke(second(key, { body: streamQuestion })))).toMatchObject({ source: 'dynamodb' })
  })

  it('streams to API Gateway with payload 1.0 as well: a miss, a hit, and one past the cache', async () => {
    const { key, start } = await surroundings()
    const instance = await start('dist/lambda.streamHandler')
    const ask = async (headers = {}): Promise<unknown> =>
      streamed(await instance.invoke(first(key, { body: streamQuestion, headers }))).source
    expect([await ask(), await ask(), await ask({ 'cache-control': 'no-store' })]).toEqual(['origin', 'memory', 'origin'])
  })

  it('answers while the store is down, to callers it knows', async () => {
    const { provider, key, start, stopStore } = await surroundings()
    const instance = await start('dist/lambda.streamHandler')
    expect(streamed(await instance.invoke(second(key, { body: streamQuestion })))).toMatchObject({ source: 'origin' })
    await stopStore()
    expect(streamed(await instance.invoke(second(key, { body: streamQuestion })))).toMatchObject({ status: 200, source: 'memory' })
    expect(streamed(await instance.invoke(second(key, { body: question('Another?') })))).toMatchObject({ status: 200, source: 'origin' })
    expect(provider.requests).toHaveLength(2)
    const cold = await start('dist/lambda.streamHandler')
    expect(streamed(await cold.invoke(second(key, { body: streamQuestion })))).toMatchObject({ status: 503 })
  })

  it('gives whole answers, refusals and bad requests as well', async () => {
    const { key, start } = await surroundings()
    const instance = await start('dist/lambda.streamHandler')
    expect(streamed(await instance.invoke(second(key)))).toMatchObject({ status: 200, source: 'origin' })
    const past = await instance.invoke(second(key, { headers: { 'cache-control': 'no-store' } }))
    expect(streamed(past)).toMatchObject({ status: 200, source: 'origin' })
    expect(streamed(await instance.invoke(second('llm_wrong')))).toMatchObject({ status: 401 })
    expect(streamed(await instance.invoke(second(key, { headers: { host: 'a b' } })))).toMatchObject({ status: 400 })
    expect(streamed(await instance.invoke(second(key, { path: '/cache/query', body: '{' })))).toMatchObject({ status: 400 })
  })

  it('fails a stream that its time cuts off, and keeps none of it', async () => {
    const [begin] = chunksOf('Rayleigh.')
    const { provider, key, start } = await surroundings((_request, reply) => reply.events([...begin], { end: 'never' }))
    const instance = await start('dist/lambda.streamHandler')
    const cut = await instance.invoke(second(key, { body: streamQuestion }), { time: 2_500 })
    expect(cut.failed).toBe(true)
    expect(cut.bytes.toString()).not.toContain('[DONE]')
    provider.respond(answering)
    expect(streamed(await instance.invoke(second(key, { body: streamQuestion })))).toMatchObject({ status: 200, source: 'origin' })
  })
})
