import AnthropicAws from '@anthropic-ai/aws-sdk'
import AnthropicBedrock from '@anthropic-ai/bedrock-sdk'
import { AnthropicVertex } from '@anthropic-ai/vertex-sdk'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCache } from '../../../src/cache/cache.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { message, text } from '../../support/anthropic-answers.ts'
import { type ProviderServer, startProvider } from '../../support/provider-server.ts'

let server: ProviderServer
let baseURL: string
beforeEach(async () => {
  server = await startProvider((_, reply) => reply.json(message([text(`answer ${server.requests.length}`)])))
  baseURL = new URL(server.url).origin
})
afterEach(() => server.close())

/** Google's client, of a project of its own or of the project that pays. */
// oxlint-disable-next-line typescript/no-explicit-any -- the SDK needs nothing else of it
function google(project: { projectId?: string; quotaProjectId?: string } = {}): any {
  const { quotaProjectId } = project
  const headers = { authorization: 'Bearer ya29', ...(quotaProjectId !== undefined && { 'x-goog-user-project': quotaProjectId }) }
  return { getRequestHeaders: async () => new Headers(headers), ...project }
}

const quiet = { maxRetries: 0, logLevel: 'off' as const }
const keys = { ...quiet, apiKey: null, skipAuth: true }
const body = { model: 'claude-test', max_tokens: 100, messages: [{ role: 'user' as const, content: 'Hi' }] }

const vertex = (projectId: string, region: string) => () =>
  new AnthropicVertex({ ...quiet, baseURL, projectId, region, authClient: google() })
const found = (project: { projectId?: string; quotaProjectId?: string }) => () =>
  new AnthropicVertex({ ...quiet, baseURL, projectId: null, region: 'eu', authClient: google(project) })
const bedrock = (awsRegion: string) => () => new AnthropicBedrock({ ...keys, baseURL, awsRegion })
const aws = (awsRegion: string, workspaceId: string) => () =>
  new AnthropicAws({ ...keys, apiKey: undefined, baseURL, awsRegion, workspaceId })

interface Place {
  readonly name: string
  readonly one: () => AnthropicVertex | AnthropicBedrock | AnthropicAws
  readonly other: Place['one']
}

const places: readonly Place[] = [
  { name: 'AnthropicVertex’s projectId', one: vertex('p', 'eu'), other: vertex('q', 'eu') },
  { name: 'AnthropicVertex’s region', one: vertex('p', 'eu'), other: vertex('p', 'us') },
  { name: 'the project of Google’s credentials', one: found({ projectId: 'p' }), other: found({ projectId: 'q' }) },
  { name: 'the project that pays', one: found({ quotaProjectId: 'p' }), other: found({ quotaProjectId: 'q' }) },
  { name: 'AnthropicBedrock’s awsRegion', one: bedrock('eu-west-1'), other: bedrock('us-east-1') },
  { name: 'AnthropicAws’s awsRegion', one: aws('eu-west-1', 'w'), other: aws('us-east-1', 'w') },
  { name: 'AnthropicAws’s workspaceId', one: aws('eu-west-1', 'w'), other: aws('eu-west-1', 'v') },
]

async function ask(client: ReturnType<Place['one']>): Promise<string> {
  const [block] = (await client.messages.create(body)).content
  return block?.type === 'text' ? block.text : ''
}

describe('a client for another cloud under a base URL of the caller’s own', () => {
  it.each(places)('G05 $name is part of the key', async ({ one, other }) => {
    const cache = createCache({ logger: false })
    const said: string[] = []
    for (const make of [one, other, one, other]) said.push(await ask(withCache(make(), cache)))
    expect(said).toEqual(['answer 1', 'answer 2', 'answer 1', 'answer 2'])
  })

  it.each([
    ['AnthropicVertex', 'region', vertex('p', 'eu'), 'us'],
    ['AnthropicVertex', 'projectId', vertex('p', 'eu'), 'q'],
    ['AnthropicBedrock', 'awsRegion', bedrock('eu-west-1'), 'us-east-1'],
  ] as const)('G05 a wrapped %s whose %s is changed gets the answer of its new place', async (_, name, make, changed) => {
    const client = withCache<ReturnType<Place['one']>>(make(), createCache({ logger: false }))
    const before = [await ask(client), await ask(client), await ask(client)]
    Reflect.set(client, name, changed)
    expect([...before, await ask(client), await ask(client)]).toEqual(['answer 1', 'answer 1', 'answer 1', 'answer 2', 'answer 2'])
  })

  it('G05 two clients whose projects are not known share nothing', async () => {
    const cache = createCache({ logger: false })
    const hidden = (project: string) => {
      const authClient = { ...google(), getRequestHeaders: async () => new Headers({ 'x-goog-user-project': project }) }
      return withCache(new AnthropicVertex({ ...quiet, baseURL, projectId: null, region: 'eu', authClient }), cache)
    }
    expect([await ask(hidden('p')), await ask(hidden('q'))]).toEqual(['answer 1', 'answer 2'])
  })
})

const once = async (): Promise<Response> => Response.json(message([text('once')]))

describe('a described request for a client for another cloud', () => {
  // What the SDK sends with each call.
  const version = { 'anthropic-version': '2026-10-21' }
  const own = { ...quiet, fetch: once }
  const cases: readonly (readonly [
    name: string,
    make: () => ReturnType<Place['one']>,
    origin: string,
    more: Readonly<Record<string, string>>,
  ])[] = [
    [
      'AnthropicVertex',
      () => new AnthropicVertex({ ...own, projectId: 'p', region: 'eu', authClient: google() }),
      'https://aiplatform.eu.rep.googleapis.com/v1#projects/p/locations/eu',
      {},
    ],
    [
      'AnthropicVertex, of a project with a colon',
      () =>
        new AnthropicVertex({
          ...own,
          baseURL: 'https://gateway.example',
          projectId: 'example.com:p',
          region: 'us-east5',
          authClient: google(),
        }),
      'https://gateway.example#projects/example.com%3Ap/locations/us-east5',
      {},
    ],
    [
      'AnthropicBedrock',
      () => new AnthropicBedrock({ ...own, apiKey: null, skipAuth: true, awsRegion: 'eu-west-1' }),
      'https://bedrock-runtime.eu-west-1.amazonaws.com#regions/eu-west-1',
      {},
    ],
    [
      'AnthropicAws',
      () => new AnthropicAws({ ...own, skipAuth: true, baseURL: 'https://gateway.example', awsRegion: 'eu-west-1', workspaceId: 'w' }),
      'https://gateway.example#regions/eu-west-1',
      { 'anthropic-workspace-id': 'w' },
    ],
  ]

  it.each(cases)('G05 names its place in the fragment of its origin, and meets its calls: %s', async (_, make, origin, more) => {
    const cache = createCache({ logger: false, scope: 'acme' })
    const client = withCache(make(), cache)
    const { _cache: info } = await client.messages.create(body)
    const request = { provider: 'anthropic', endpoint: 'messages', body, origin, headers: { ...version, ...more } }
    expect(cache.explain(request).key).toBe(info.key)
    expect(await cache.lookup(request)).toMatchObject({ answer: message([text('once')]), info: { hit: true } })
    expect(await cache.lookup({ ...request, origin: origin.replace(/#.*/, '') })).toBeUndefined()
  })
})
