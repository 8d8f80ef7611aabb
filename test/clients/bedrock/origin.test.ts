import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import {
  BedrockRuntime,
  type BedrockRuntimeClientConfig,
  ConverseCommand,
  type ConverseCommandInput,
} from '@aws-sdk/client-bedrock-runtime'
import { HttpResponse } from '@smithy/protocol-http'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Cache, createCache } from '../../../src/cache/cache.ts'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { at, converseAnswer, send } from '../../support/bedrock-sdk.ts'

const input: ConverseCommandInput = { modelId: 'test.model-v1:0', messages: [{ role: 'user', content: [{ text: 'Where are you?' }] }] }
const command = (): ConverseCommand => new ConverseCommand(input)

/** The hosts that were called, in order. */
let called: string[]

/** Answers each call with the host that it was sent to. */
const requestHandler = {
  async handle(request: { readonly hostname: string; readonly path: string }) {
    called.push(request.hostname)
    const body = Readable.from([JSON.stringify(converseAnswer(request.hostname))])
    return { response: new HttpResponse({ statusCode: 200, headers: { 'content-type': 'application/json' }, body }) }
  },
}

function make(config: BedrockRuntimeClientConfig): BedrockRuntime {
  return new BedrockRuntime({
    credentials: { accessKeyId: 'AKIDTEST', secretAccessKey: 'secret' },
    requestHandler,
    maxAttempts: 1,
    ...config,
  })
}

async function hostOf(client: object): Promise<unknown> {
  return at(await send(client, command()), 'output', 'message', 'content', 0, 'text')
}

const host = (region: string): string => `bedrock-runtime.${region}.amazonaws.com`

describe('the origin of a Bedrock call', () => {
  let cache: Cache
  let folder: string

  beforeEach(async () => {
    called = []
    cache = createCache({ logger: false })
    folder = await mkdtemp(join(tmpdir(), 'llmemo-aws-'))
    for (const name of ['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE']) vi.stubEnv(name, join(folder, 'none'))
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await rm(folder, { recursive: true })
  })

  /** The answers to a question twice here, then twice there, bare and then wrapped. Each must be of the place where the caller is. */
  async function askedHereAndThere(client: BedrockRuntime, move: (there: boolean) => void): Promise<unknown[][]> {
    const rows: unknown[][] = []
    for (const asked of [client, withCache(client, cache)]) {
      move(false)
      const here = [await hostOf(asked), await hostOf(asked)]
      move(true)
      const there = [await hostOf(asked), await hostOf(asked)]
      move(false)
      rows.push([...here, ...there, await hostOf(asked)])
    }
    return rows
  }

  let current: string
  it.each<[string, () => BedrockRuntimeClientConfig, ((client: BedrockRuntime, there: boolean) => void)?]>([
    ['a region that is a function', () => ({ region: async () => current })],
    ['an endpoint that is a function', () => ({ region: 'us-east-1', endpoint: async () => ({ ...place, hostname: host(current) }) })],
    [
      'a region that is set on the configuration',
      () => ({ region: 'us-east-1' }),
      ({ config }, there) => void Reflect.set(config, 'region', async () => (there ? 'eu-west-1' : 'us-east-1')),
    ],
    [
      'an endpoint that is set on the configuration',
      () => ({ region: 'us-east-1', endpoint: `https://${host('us-east-1')}` }),
      ({ config }, there) => {
        Reflect.set(config, 'endpoint', async () => ({ ...place, hostname: host(there ? 'eu-west-1' : 'us-east-1') }))
      },
    ],
    [
      'an endpoint provider that is set on the configuration',
      () => ({ region: 'us-east-1' }),
      ({ config }, there) => {
        const url = new URL(`https://${host(there ? 'eu-west-1' : 'us-east-1')}`)
        Reflect.set(config, 'endpointProvider', () => ({ url, properties: {}, headers: {} }))
      },
    ],
  ])('G05 is that of the call, not of the first one: %s', async (_, config, change) => {
    current = 'us-east-1'
    const client = make(config())
    const rows = await askedHereAndThere(client, (there) => {
      current = there ? 'eu-west-1' : 'us-east-1'
      change?.(client, there)
    })
    const [us, eu] = [host('us-east-1'), host('eu-west-1')]
    expect(rows).toEqual([1, 2].map(() => [us, us, eu, eu, us]))
    // Each place is called once for the wrapped client.
    expect(called.slice(5)).toEqual([us, eu])
  })

  it('G05 FIPS and dual-stack endpoints have entries of their own', async () => {
    const modes = [{}, { useFipsEndpoint: true }, { useDualstackEndpoint: true }]
    const asked = modes.map((mode) => withCache(make({ region: 'us-east-1', ...mode }), cache))
    const hosts: unknown[] = []
    for (const client of asked) hosts.push(await hostOf(client), await hostOf(client))
    expect(hosts).toEqual(called.flatMap((each) => [each, each]))
    expect(new Set(called).size).toBe(3)
  })

  it('G05 a region beside an endpoint is part of the key, as gateways route by the region of the signature', async () => {
    const clients = ['us-east-1', 'eu-west-1'].map((region) => withCache(make({ region, endpoint: 'https://gateway.example' }), cache))
    for (const client of clients) expect(cacheInfo(await send(client, command()))).toMatchObject({ hit: false })
    for (const client of clients) expect(cacheInfo(await send(client, command()))).toMatchObject({ hit: true })
  })

  it.each(['AWS_ENDPOINT_URL_BEDROCK_RUNTIME', 'AWS_ENDPOINT_URL'])('G05 %s is part of the key', async (name) => {
    const plain = withCache(make({ region: 'us-east-1' }), cache)
    expect(await hostOf(plain)).toBe(host('us-east-1'))
    vi.stubEnv(name, 'https://proxy.example/bedrock')
    const bare = make({ region: 'us-east-1' })
    const proxied = withCache(make({ region: 'us-east-1' }), cache)
    const ignoring = withCache(make({ region: 'us-east-1', ignoreConfiguredEndpointUrls: true }), cache)
    expect([await hostOf(bare), await hostOf(proxied), await hostOf(proxied)]).toEqual([1, 2, 3].map(() => 'proxy.example'))
    expect([await hostOf(ignoring), await hostOf(plain)]).toEqual([1, 2].map(() => host('us-east-1')))
    expect(called).toEqual([host('us-east-1'), 'proxy.example', 'proxy.example'])
  })

  it('G05 endpoint_url of the configuration file is part of the key', async () => {
    const file = join(folder, 'config')
    await writeFile(file, '[default]\nservices = here\n\n[services here]\nbedrock_runtime =\n  endpoint_url = https://filed.example\n')
    const plain = withCache(make({ region: 'us-east-1' }), cache)
    expect(await hostOf(plain)).toBe(host('us-east-1'))
    vi.stubEnv('AWS_CONFIG_FILE', file)
    // The SDK reads a file once in a process.
    vi.resetModules()
    const sdk = await import('@aws-sdk/client-bedrock-runtime')
    const filed = new sdk.BedrockRuntime({
      region: 'us-east-1',
      credentials: { accessKeyId: 'AKIDTEST', secretAccessKey: 'secret' },
      requestHandler,
      maxAttempts: 1,
    })
    const asked = withCache(filed, cache)
    expect([await hostOf(filed), await hostOf(asked), await hostOf(asked)]).toEqual([1, 2, 3].map(() => 'filed.example'))
  })

  it('G05 an answer from another region than that of the key is given to its caller and not stored', async () => {
    current = 'us-east-1'
    const client = withCache(make({ region: async () => current }), cache)
    // The region changes after the key was made, before the SDK sends the call.
    cache.on('miss', () => {
      current = 'eu-west-1'
    })
    const output = await send(client, command())
    expect(at(output, 'output', 'message', 'content', 0, 'text')).toBe(host('eu-west-1'))
    expect(cacheInfo(output)).toMatchObject({ hit: false, stored: false, reason: 'other origin' })
    for (const region of ['us-east-1', 'eu-west-1']) expect(await hostOf(withCache(make({ region }), cache))).toBe(host(region))
  })

  it('G05 each caller of a region by context gets the answer of its own region, at once and from the cache', async () => {
    const { AsyncLocalStorage } = await import('node:async_hooks')
    const region = new AsyncLocalStorage<string>()
    const client = withCache(make({ region: async () => region.getStore() ?? 'us-east-1' }), cache)
    const regions = Array.from({ length: 30 }, (_, index) => ['us-east-1', 'eu-west-1', 'ap-south-1'][index % 3] ?? '')
    for (let round = 0; round < 2; round++) {
      const hosts = await Promise.all(regions.map((each) => region.run(each, () => hostOf(client))))
      expect(hosts).toEqual(regions.map(host))
    }
    expect(called.toSorted()).toEqual(['ap-south-1', 'eu-west-1', 'us-east-1'].map(host))
  })
})

const place = { protocol: 'https:', path: '/' }
