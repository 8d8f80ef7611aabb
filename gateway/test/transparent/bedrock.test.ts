import { createHash, createHmac } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand, InvokeModelCommand } from '@aws-sdk/client-bedrock-runtime'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { type Cache, createCache, withCache } from 'llmemo'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { message, text as textBlock } from '../../../test/support/anthropic-answers.ts'
import { converseAnswer, converseEvents } from '../../../test/support/bedrock-sdk.ts'
import { startBedrock } from '../../../test/support/bedrock-server.ts'
import type { ProviderServer } from '../../../test/support/provider-server.ts'
import { listening } from '../support/listening.ts'

const modelId = 'test.model-v1:0'
const messages = [{ role: 'user' as const, content: [{ text: 'Why is the sky blue?' }] }]
const credentials = { accessKeyId: 'AKIDCLIENT', secretAccessKey: 'client-secret' }
const region = 'eu-west-1'
let provider: ProviderServer

beforeEach(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDGATEWAY')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'gateway-secret')
  vi.stubEnv('AWS_SESSION_TOKEN', undefined)
  provider = await startBedrock('http1', ({ path }, reply) => {
    if (path.endsWith('/converse-stream')) return reply.events(converseEvents('Rayleigh.').flat())
    return reply.json(path.endsWith('/invoke') ? message([textBlock('Rayleigh.')]) : converseAnswer('Rayleigh.'))
  })
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await provider.close()
})

async function gatewayUrl(cache: Cache = createCache()): Promise<string> {
  const { url } = await listening({ cache, upstreams: { bedrock: provider.url }, awsRegion: region, privateHosts: ['127.0.0.1'] })
  return `${url}/bedrock`
}

/** The unmodified client, which speaks HTTP/2 unless `isHttp1`. */
function clientAt(endpoint: string, options: object = { credentials }): BedrockRuntimeClient {
  const client = new BedrockRuntimeClient({ region, endpoint, maxAttempts: 1, ...options })
  onTestFinished(() => client.destroy())
  return client
}

async function converse(client: Pick<BedrockRuntimeClient, 'send'>): Promise<string | undefined> {
  const { output } = await client.send(new ConverseCommand({ modelId, messages }))
  return output?.message?.content?.[0]?.text
}

async function converseStream(client: Pick<BedrockRuntimeClient, 'send'>): Promise<string> {
  const { stream } = await client.send(new ConverseStreamCommand({ modelId, messages }))
  let said = ''
  for await (const { contentBlockDelta } of stream ?? []) said += contentBlockDelta?.delta?.text ?? ''
  return said
}

async function invoke(client: Pick<BedrockRuntimeClient, 'send'>): Promise<string> {
  const body = JSON.stringify({ anthropic_version: 'bedrock-2023-05-31', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] })
  const { body: answer } = await client.send(new InvokeModelCommand({ modelId, body, contentType: 'application/json' }))
  return answer.transformToString()
}

const ways = { converse, converseStream, invoke }

describe.each(Object.entries(ways))('%s through the gateway, by the unmodified client over HTTP/2', (_name, ask) => {
  it('asks the provider once', async () => {
    const client = clientAt(await gatewayUrl())
    const first = await ask(client)
    expect(first).toContain('Rayleigh.')
    expect(await ask(client)).toBe(first)
    expect(provider.requests).toHaveLength(1)
  })

  it('shares its answers with a wrapped client, both ways', async () => {
    const cache = createCache()
    const wrapped = withCache(clientAt(provider.url, { credentials, requestHandler: new NodeHttpHandler() }), cache)
    const said = await ask(wrapped)
    expect(await ask(clientAt(await gatewayUrl(cache)))).toBe(said)
    expect(provider.requests).toHaveLength(1)
    await cache.invalidate({ all: true })
    await ask(clientAt(await gatewayUrl(cache)))
    expect(await ask(wrapped)).toBe(said)
    expect(provider.requests).toHaveLength(2)
  })
})

describe('a credential', () => {
  it('of AWS signs for the gateway only: the gateway signs for the provider', async () => {
    const kept: { authorization: string | undefined; right: boolean }[] = []
    const upstream = createServer((request, response) => {
      let body = ''
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
      request.on('end', () => {
        const { authorization } = request.headers
        kept.push({ authorization, right: isSigned(request, body, 'gateway-secret') })
        response.setHeader('content-type', 'application/json').end(JSON.stringify(converseAnswer('Signed.')))
      })
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void upstream.close())
    await new Promise<void>((resolve) => void upstream.once('listening', resolve))
    const address = upstream.address()
    const port = typeof address === 'object' ? address?.port : 0
    const upstreams = { bedrock: `http://127.0.0.1:${port}` }
    const { url } = await listening({ upstreams, awsRegion: region, privateHosts: ['127.0.0.1'] })
    expect(await converse(clientAt(`${url}/bedrock`))).toBe('Signed.')
    expect(kept).toEqual([{ authorization: expect.stringContaining('Credential=AKIDGATEWAY/'), right: true }])
  })

  it('that is a Bedrock API key passes through', async () => {
    const client = clientAt(await gatewayUrl(), { token: { token: 'bedrock-key' }, authSchemePreference: ['httpBearerAuth'] })
    expect(await converse(client)).toBe('Rayleigh.')
    expect(provider.requests).toHaveLength(1)
  })
})

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()

/** Whether a request has a right signature, computed by the published rules. */
function isSigned({ method = '', url = '', headers }: IncomingMessage, body: string, secret: string): boolean {
  const [, day = '', names = '', signature] =
    /Credential=[^/]+\/(\d+)\/.*SignedHeaders=([^,]+), Signature=(\w+)/.exec(headers.authorization ?? '') ?? []
  const [path = ''] = url.split('?')
  const canonicalPath = path
    .split('/')
    .map((segment) => encodeURIComponent(segment))
    .join('/')
  const listed = names
    .split(';')
    .map((name) => `${name}:${String(headers[name])}\n`)
    .join('')
  const canonical = [method, canonicalPath, '', listed, names, sha256(body)].join('\n')
  const scope = `${day}/${region}/bedrock/aws4_request`
  const toSign = ['AWS4-HMAC-SHA256', String(headers['x-amz-date']), scope, sha256(canonical)].join('\n')
  const key = [region, 'bedrock', 'aws4_request'].reduce((made, part) => hmac(made, part), hmac(`AWS4${secret}`, day))
  return hmac(key, toSign).toString('hex') === signature
}
