import { ConverseCommand, type ConverseCommandInput } from '@aws-sdk/client-bedrock-runtime'
import { NodeHttp2Handler, NodeHttpHandler } from '@smithy/node-http-handler'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Cache, createCache } from '../../../src/cache/cache.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { startBedrock } from '../../support/bedrock-server.ts'
import { type BedrockOptions, converseAnswer, headers, makeBedrock, outcomeOfSend } from '../../support/bedrock-sdk.ts'
import { gate, type ProviderReply, type ProviderServer } from '../../support/provider-server.ts'

const input: ConverseCommandInput = { modelId: 'test.model-v1:0', messages: [{ role: 'user', content: [{ text: 'Hi' }] }] }
const command = (): ConverseCommand => new ConverseCommand(input)
const answered = { output: { output: { message: { role: 'assistant' } } } }

function refuse(reply: ProviderReply, status: number, type: string): void {
  reply.json({ message: type }, { status, headers: { ...headers, 'x-amzn-errortype': type } })
}

describe.each(['http1', 'h2'] as const)('G22 calls that share a flight keep their own limits, over %s', (protocol) => {
  let server: ProviderServer
  let cache: Cache

  const make = (options: Partial<BedrockOptions> = {}): object => withCache(makeBedrock(protocol, { url: server.url, ...options }), cache)
  const handler = (requestTimeout: number) =>
    protocol === 'h2' ? new NodeHttp2Handler({ requestTimeout }) : new NodeHttpHandler({ requestTimeout, throwOnRequestTimeout: true })

  beforeEach(async () => {
    server = await startBedrock(protocol)
    cache = createCache({ logger: false })
  })
  afterEach(() => server.close())

  it('the time limit of the first client’s handler is not that of a second client', async () => {
    server.respond((_, reply) => (server.requests.length === 1 ? reply.hold() : reply.json(converseAnswer('Hello.'), { headers })))
    const first = outcomeOfSend(make({ requestHandler: handler(100) }), command())
    await server.untilRequests(1)
    const second = outcomeOfSend(make(), command())
    expect(await first).toMatchObject({ error: { name: 'TimeoutError' } })
    expect(await second).toMatchObject(answered)
  })

  it('a call with a shorter time limit than the first one asks for itself when its time is up', async () => {
    const open = gate()
    server.respond(async (_, reply) => {
      if (server.requests.length === 1) await open
      reply.json(converseAnswer('Hello.'), { headers })
    })
    const first = outcomeOfSend(make(), command())
    await server.untilRequests(1)
    // Long enough for the second request to be answered on a busy machine.
    expect(await outcomeOfSend(make({ requestHandler: handler(2_000) }), command())).toMatchObject(answered)
    open.open()
    expect(await first).toMatchObject(answered)
    expect(server.requests).toHaveLength(2)
  })

  it('a call with a shorter time limit fails by it, if the service does not answer it either', async () => {
    const open = gate()
    server.respond(async (_, reply) => {
      await open
      reply.json(converseAnswer('Hello.'), { headers })
    })
    const first = outcomeOfSend(make(), command())
    await server.untilRequests(1)
    expect(await outcomeOfSend(make({ requestHandler: handler(100) }), command())).toMatchObject({ error: { name: 'TimeoutError' } })
    open.open()
    expect(await first).toMatchObject(answered)
  })

  it('a client that tries more often than the first one is not failed by the first one’s last try', async () => {
    const open = gate()
    server.respond(async (_, reply) => {
      if (server.requests.length > 2) return reply.json(converseAnswer('Hello.'), { headers })
      await open
      return refuse(reply, 429, 'ThrottlingException')
    })
    const first = outcomeOfSend(make(), command())
    await server.untilRequests(1)
    const second = outcomeOfSend(make({ maxRetries: 2 }), command())
    open.open()
    expect(await first).toMatchObject({ error: { name: 'ThrottlingException' } })
    expect(await second).toMatchObject(answered)
    expect(server.requests).toHaveLength(3)
  })

  it.each<[string, boolean, NonNullable<BedrockOptions['credentials']>]>([
    ['refuses', true, async () => ({ accessKeyId: 'AKIDBAD', secretAccessKey: 'bad' })],
    ['does not get', false, () => Promise.reject(new Error('no credentials here'))],
  ])('credentials that the service %s for the first client do not fail a second one', async (_, isSent, credentials) => {
    const open = gate()
    server.respond(async (_request, reply) => {
      if (!isSent || server.requests.length > 1) return reply.json(converseAnswer('Hello.'), { headers })
      await open
      return refuse(reply, 403, 'ExpiredTokenException')
    })
    const [bad, good] = [make({ credentials }), make()]
    const first = outcomeOfSend(bad, command())
    const calls = [good, good].map((client) => outcomeOfSend(client, command()))
    open.open()
    const outcomes = await Promise.all([first, ...calls])
    expect(outcomes[0]).toHaveProperty('error')
    expect(outcomes.slice(1)).toMatchObject([answered, answered])
  })

  it('calls of one client that come at once fail together, by one request', async () => {
    server.respond((_, reply) => refuse(reply, 503, 'ServiceUnavailableException'))
    const client = make()
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => outcomeOfSend(client, command())))
    expect(new Set(outcomes.map(({ error }) => error?.name))).toEqual(new Set(['ServiceUnavailableException']))
    expect(server.requests).toHaveLength(1)
  })

  it('a call that is wrong is wrong for all', async () => {
    const open = gate()
    server.respond(async (_, reply) => {
      await open
      refuse(reply, 400, 'ValidationException')
    })
    const calls = [make(), make(), make()].map((client) => outcomeOfSend(client, command()))
    await server.untilRequests(1)
    open.open()
    expect((await Promise.all(calls)).map(({ error }) => error?.name)).toEqual(Array.from({ length: 3 }, () => 'ValidationException'))
    expect(server.requests).toHaveLength(1)
  })
})
