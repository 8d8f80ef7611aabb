import AnthropicBedrock from '@anthropic-ai/bedrock-sdk'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { type Cache, createCache } from '../../../src/cache/cache.ts'
import { chunk, startBedrock } from '../../support/bedrock-server.ts'
import type { ProviderServer } from '../../support/provider-server.ts'
import { message, text, textEvents } from '../../support/anthropic-answers.ts'
import { outcomeOf } from '../../support/outcome.ts'

const params = { model: 'anthropic.claude-test-v1:0', max_tokens: 100, messages: [{ role: 'user' as const, content: 'Hi' }] }
const streamed = { ...params, stream: true as const }
const invoke = '/model/anthropic.claude-test-v1:0/invoke'

interface BedrockOptions {
  readonly baseURL?: string
  readonly apiKey?: string | null
  readonly accessKey?: string
}

describe('AnthropicBedrock', () => {
  let server: ProviderServer
  let cache: Cache
  let bare: AnthropicBedrock
  let client: AnthropicBedrock

  /** A client with fixed AWS credentials or with the given key of Bedrock's own. It reads no token of this machine. */
  const make = ({ baseURL = server.url, apiKey = null, accessKey = 'AKIDTEST' }: BedrockOptions = {}): AnthropicBedrock =>
    new AnthropicBedrock({
      baseURL,
      apiKey,
      awsRegion: 'us-east-1',
      awsAccessKey: accessKey,
      awsSecretKey: 'secret',
      maxRetries: 0,
      logLevel: 'off',
    })

  beforeEach(async () => {
    server = await startBedrock('http1', ({ path }, reply) => {
      const events = textEvents('In Germany.').flat()
      if (path.endsWith('-with-response-stream')) return reply.events(events.map(({ data }) => chunk(data)))
      return reply.json(message([text('In Germany.')]), { headers: { 'x-amzn-requestid': 'aws-1' } })
    })
    cache = createCache({ logger: false })
    bare = make()
    client = withCache(bare, cache)
  })
  afterEach(() => server.close())

  it.each([
    ['whole', invoke, false],
    ['streamed', `${invoke}-with-response-stream`, true],
  ])('is cached before the request is rewritten and signed: %s', async (_, path, isStream) => {
    const ask = (each: AnthropicBedrock) => outcomeOf(() => each.messages.create(isStream ? streamed : params))
    const expected = await ask(bare)
    expect(expected.error).toBeUndefined()
    expect(JSON.stringify(expected)).toContain('ermany.')
    expect(await ask(client)).toStrictEqual(expected)
    expect(await ask(client)).toStrictEqual(expected)
    expect(server.requests.map((request) => request.path)).toEqual([path, path])
    expect(server.requests[1]?.body).toEqual(server.requests[0]?.body)
    expect(server.requests[1]?.body).toMatchObject({ anthropic_version: expect.any(String) })
    expect(cache.stats()).toMatchObject({ hits: 1, misses: 1, stored: 1, errors: 0 })
  })

  it('answers a hit without an upstream call, in both modes', async () => {
    const first = await client.messages.create(params)
    await server.close()
    const again = await client.messages.create(params)
    expect(again).toStrictEqual(first)
    expect(cacheInfo(again)).toMatchObject({ hit: true, source: 'memory', operation: 'messages', savedTokens: 21 })
    expect(await client.messages.stream(params).finalText()).toBe('In Germany.')
  })

  it('I3: shares between credentials, not between regions or models', async () => {
    await client.messages.create(params)
    const hitOf = async (each: AnthropicBedrock, body: typeof params = params) => cacheInfo(await each.messages.create(body))?.hit
    expect(await hitOf(withCache(make({ accessKey: 'AKIDOTHER' }), cache))).toBe(true)
    expect(await hitOf(client, { ...params, model: 'anthropic.claude-test-v2:0' })).toBe(false)
    expect(await hitOf(withCache(make({ baseURL: `${server.url}/other` }), cache))).toBe(false)
    // A key of Bedrock's own is a fixed credential.
    expect(await hitOf(withCache(make({ apiKey: 'bedrock-one' }), cache))).toBe(false)
    expect(await hitOf(withCache(make({ apiKey: 'bedrock-one' }), cache))).toBe(true)
    expect(await hitOf(withCache(make({ apiKey: 'bedrock-two' }), cache))).toBe(false)
  })

  it('S03 S04: a stream that ends early, or by an exception, is as on the bare client and is not stored', async () => {
    const [start] = textEvents('In Germany.')
    const frames = start.map(({ data }) => chunk(data))
    const exception = { event: 'modelStreamErrorException', data: JSON.stringify({ message: 'broken' }) }
    for (const parts of [frames, [...frames, exception]]) {
      server.respond((_request, reply) => reply.events(parts))
      const expected = await outcomeOf(() => bare.messages.create(streamed))
      expect(expected.events).toHaveLength(3)
      expect(await outcomeOf(() => client.messages.create(streamed))).toStrictEqual(expected)
    }
    expect(server.requests).toHaveLength(4)
    expect(cache.stats()).toMatchObject({ hits: 0, stored: 0, misses: 2 })
  })

  it('middleware of a call and of a clone runs before ours too', async () => {
    const seen: string[] = []
    const options = {
      middleware: [
        async (request: { url: string }, next: (given: never) => Promise<Response>) => {
          seen.push(new URL(request.url).pathname)
          // The request is passed on as it is; its type is the SDK's own.
          return Reflect.apply(next, undefined, [request])
        },
      ],
    }
    await client.messages.create(params, options)
    await client.withOptions({ timeout: 5_000 }).messages.create(params, options)
    expect(seen).toEqual(['/v1/messages', '/v1/messages'])
    expect(server.requests).toHaveLength(1)
  })
})
