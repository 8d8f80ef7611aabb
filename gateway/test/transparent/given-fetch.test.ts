/**
 * A gateway whose upstreams are called by a `fetch` that it was given.
 */
import { gzipSync } from 'node:zlib'
import { createCache } from 'llmemo'
import { describe, expect, it, onTestFinished } from 'vitest'
import { chunksOf, completion } from '../../../test/support/openai-answers.ts'
import { type ProviderHandler, startProvider } from '../../../test/support/provider-server.ts'
import { createGateway } from '../../src/gateway.ts'
import { question } from '../support/provider.ts'
import { isStreamRequest } from '../support/stand-in.ts'

async function open(handler: ProviderHandler, privateHosts = ['127.0.0.1']) {
  const provider = await startProvider(handler)
  const calls: (RequestInit | undefined)[] = []
  const cache = createCache()
  const gateway = createGateway({
    cache,
    upstreams: { openai: provider.url },
    privateHosts,
    fetch: (input, init) => {
      calls.push(init)
      return fetch(input, init)
    },
  })
  onTestFinished(async () => {
    await gateway.close()
    await cache.close()
    await provider.close()
  })
  const ask = async (body: string): Promise<Response> =>
    gateway.fetch(
      new Request('http://gateway/openai/v1/chat/completions', {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', authorization: 'Bearer sk-test' },
      }),
    )
  return { ask, calls, provider }
}

describe('a gateway with a fetch of its own', () => {
  it('misses, hits and streams by it', async () => {
    const { ask, calls } = await open((request, reply) =>
      isStreamRequest(request) ? reply.events(chunksOf('Rayleigh.').flat()) : reply.json(completion('Rayleigh.')),
    )
    for (const source of ['origin', 'memory']) {
      const response = await ask(question())
      expect([response.headers.get('x-llmemo-source'), await response.json()]).toEqual([source, completion('Rayleigh.')])
    }
    expect(await (await ask(JSON.stringify({ ...JSON.parse(question('B?')), stream: true }))).text()).toMatch(/\[DONE\]\s+$/)
    expect(calls).toHaveLength(2)
    expect(calls[0]).toMatchObject({ redirect: 'manual' })
  })

  it('gives what was compressed as what it is, whose encoding it does not tell', async () => {
    const { ask } = await open((_request, reply) =>
      reply.bytes(gzipSync(JSON.stringify(completion('Rayleigh.'))), {
        headers: { 'content-encoding': 'gzip', 'content-type': 'application/json' },
      }),
    )
    const response = await ask(question())
    expect([response.headers.get('content-encoding'), await response.json()]).toEqual([null, completion('Rayleigh.')])
  })

  it('calls no address that is private', async () => {
    const { ask, calls } = await open((_request, reply) => reply.json(completion('Rayleigh.')), [])
    expect((await ask(question())).status).toBeGreaterThanOrEqual(400)
    expect(calls).toEqual([])
  })
})
