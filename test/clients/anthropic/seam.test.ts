import Anthropic, { AnthropicError, APIConnectionError, type Middleware } from '@anthropic-ai/sdk'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { cachingFetch, withCache } from '../../../src/clients/with-cache.ts'
import { type Cache, createCache } from '../../../src/cache/cache.ts'
import { gate, type ProviderHandler, type ProviderServer, startProvider } from '../../support/provider-server.ts'
import { isStreamed, message, refuse, text, textEvents } from '../../support/anthropic-answers.ts'
import { outcomeOf } from '../../support/outcome.ts'

type Options = NonNullable<ConstructorParameters<typeof Anthropic>[0]>

const messages: Anthropic.MessageParam[] = [{ role: 'user', content: 'Hi' }]
const params = { model: 'claude-test', max_tokens: 100, messages }

let server: ProviderServer
let cache: Cache
beforeEach(async () => {
  server = await startProvider(numbered)
  cache = createCache({ logger: false })
})
afterEach(() => server.close())

const numbered: ProviderHandler = (request, reply) => {
  const said = `answer ${server.requests.length}`
  return isStreamed(request) ? reply.events(textEvents(said).flat()) : reply.json(message([text(said)]))
}

function make(options: Options = {}): Anthropic {
  const credential = 'credentials' in options ? {} : { apiKey: 'sk-one', authToken: null }
  return new Anthropic({ baseURL: new URL(server.url).origin, maxRetries: 0, logLevel: 'off', ...credential, ...options })
}

function wrap(options: Options = {}): Anthropic {
  return withCache(make(options), cache)
}

async function ask(client: Anthropic, body: object = {}, options: object = {}): Promise<string> {
  const [block] = (await client.messages.create({ ...params, ...body }, options)).content
  return block?.type === 'text' ? block.text : ''
}

/** One call after the other, each by a wrapped client of its own over the same cache. */
async function asked(...options: Options[]): Promise<string[]> {
  const texts: string[] = []
  for (const each of options) texts.push(await ask(wrap(each)))
  return texts
}

/** A middleware that notes each request that passes through it. */
function watching(seen: unknown[], name: string): Middleware {
  return async (request, next, context) => {
    seen.push(`${name} asks`)
    const response = await next(request)
    seen.push([name, response.status, cacheInfo(response)?.hit, await context.parse(response)])
    return response
  }
}

/** A middleware that changes the question. */
const saying =
  (said: string): Middleware =>
  (request, next) =>
    next({ ...request, body: JSON.stringify({ ...params, messages: [{ role: 'user', content: said }] }) })

/** A middleware that passes on only the parts of a request that are sent. */
const rebuilding: Middleware = ({ url, method, headers, body }, next) =>
  next({ url, method: method ?? 'POST', headers: new Headers(headers), ...(body !== undefined && { body }) })

const own: Middleware = async () => Response.json(message([text('mine')]))

const twice: Middleware = async (request, next) => {
  await (await next(request)).text()
  return next(request)
}

describe('the caller’s own middleware', () => {
  it('of the client and of the call sees every call, in its order, hits included', async () => {
    const seen: unknown[] = []
    const client = wrap({ middleware: [watching(seen, 'client')] })
    const options = { middleware: [watching(seen, 'call')] }
    const answer = expect.objectContaining({ content: [text('answer 1')] })
    for (const hit of [false, true]) {
      seen.length = 0
      expect(await ask(client, {}, options)).toBe('answer 1')
      expect(seen).toEqual(['client asks', 'call asks', ['call', 200, hit, answer], ['client', 200, hit, answer]])
    }
    expect(await ask(client)).toBe('answer 1')
    expect(server.requests).toHaveLength(1)
    expect(cache.stats()).toMatchObject({ hits: 2, misses: 1, errors: 0 })
  })

  it('I3: of the client or of the call may change the request: the key is that of the request that is sent', async () => {
    const client = wrap()
    const texts = [await ask(client), await ask(client, {}, { middleware: [saying('one')] })]
    texts.push(await ask(client, {}, { middleware: [saying('two')] }), await ask(wrap({ middleware: [saying('two')] })))
    texts.push(await ask(client, {}, { middleware: [saying('one')] }), await ask(client))
    expect(texts).toEqual(['answer 1', 'answer 2', 'answer 3', 'answer 3', 'answer 2', 'answer 1'])
    expect(server.requests.map(({ body }) => Reflect.get(Object(body), 'messages')[0].content)).toEqual(['Hi', 'one', 'two'])
  })

  it('I3: that makes a new request keeps the call’s own scope', async () => {
    const client = wrap({ middleware: [rebuilding] })
    const scoped = (scope: string): Promise<string> => ask(client, {}, { cache: { scope } })
    expect([await scoped('a'), await scoped('b'), await scoped('a')]).toEqual(['answer 1', 'answer 2', 'answer 1'])
  })

  it.each(['client', 'call'])('of the %s may throw: its error is not changed', async (where) => {
    const error = new RangeError('mine')
    const throwing: Middleware = () => Promise.reject(error)
    const failing = (each: Anthropic): Promise<unknown> => ask(each, {}, where === 'call' ? { middleware: [throwing] } : {})
    const options = where === 'client' ? { middleware: [throwing] } : {}
    await expect(failing(make(options))).rejects.toBe(error)
    await expect(failing(wrap(options))).rejects.toBe(error)
    expect(server.requests).toHaveLength(0)
  })

  it('may answer by itself, or call twice', async () => {
    expect(await ask(wrap({ middleware: [own] }))).toBe('mine')
    expect(await ask(wrap({ middleware: [twice] }))).toBe('answer 1')
    expect(server.requests).toHaveLength(1)
    expect(cache.stats()).toMatchObject({ hits: 1, misses: 1 })
  })

  it('that is copied from a wrapped client to another includes ours only once', async () => {
    const seen: unknown[] = []
    const client = wrap()
    const more = client.withOptions({ middleware: [...client.middleware, watching(seen, 'more')] })
    expect([await ask(more), await ask(more), await ask(client)]).toEqual(['answer 1', 'answer 1', 'answer 1'])
    expect(seen).toHaveLength(4)
    expect(cache.stats()).toMatchObject({ hits: 2, misses: 1 })
  })
})

describe('T07: the credential', () => {
  it.each<[string, Options, Options]>([
    ['key', { apiKey: 'sk-one' }, { apiKey: 'sk-two' }],
    ['token', { apiKey: null, authToken: 'token-one' }, { apiKey: null, authToken: 'token-two' }],
    [
      'key in a header',
      { apiKey: null, defaultHeaders: { 'X-Api-Key': 'sk-one', authorization: null } },
      { apiKey: null, defaultHeaders: { 'X-Api-Key': 'sk-two', authorization: null } },
    ],
  ])('another %s shares nothing, the same one all', async (_, first, second) => {
    expect(await asked(first, second, first, second)).toEqual(['answer 1', 'answer 2', 'answer 1', 'answer 2'])
  })

  it('in the headers of one call shares no answer with another', async () => {
    const client = wrap({ apiKey: null })
    const as = (headers: object): Promise<string> => ask(client, {}, { headers })
    const texts = [await as({ 'x-api-key': 'sk-one' }), await as({ 'X-Api-Key': 'sk-two' })]
    texts.push(await as(new Headers({ 'x-api-key': 'sk-two' })), await as([['x-api-key', 'sk-one']]))
    expect(texts).toEqual(['answer 1', 'answer 2', 'answer 2', 'answer 1'])
    expect(new Set(server.requests.map(({ headers }) => headers['x-api-key']))).toEqual(new Set(['sk-one', 'sk-two']))
  })

  it('of a function or a provider changes each time, and is not part of the scope', async () => {
    let given = 0
    const byFunction = { apiKey: () => Promise.resolve(`key-${++given}`), authToken: null }
    const byProvider: Options = { credentials: () => Promise.resolve({ token: `token-${++given}`, expiresAt: 0 }) }
    expect(await asked(byFunction, byFunction, byProvider)).toEqual(['answer 1', 'answer 1', 'answer 1'])
    await ask(wrap(byFunction), {}, { cache: { mode: 'reload' } })
    await ask(wrap(byProvider), {}, { cache: { mode: 'reload' } })
    const sent = server.requests.map(({ headers }) => headers.authorization)
    expect(sent).toHaveLength(3)
    expect(new Set(sent).size).toBe(3)
    expect(cacheInfo(await wrap(byFunction).messages.create(params))?.scope).toBe('')
  })

  it('is in no event, fact or statistic', async () => {
    const told: unknown[] = []
    for (const name of ['hit', 'miss', 'store', 'skip', 'bypass', 'error'] as const) cache.on(name, (event) => told.push(event))
    const client = wrap({ apiKey: 'sk-secret' })
    for (let time = 0; time < 2; time++) told.push(cacheInfo(await client.messages.create(params)))
    expect(told.length).toBeGreaterThan(4)
    expect(JSON.stringify([told, cache.stats()])).not.toMatch(/sk-secret|"Hi"|answer 1/)
  })

  it('that is refused once is renewed by the SDK, and the answer after that is stored', async () => {
    let given = 0
    server.respond((request, reply) => (request.headers.authorization === 'Bearer token-1' ? refuse(reply, 401) : numbered(request, reply)))
    const credentials = () => Promise.resolve({ token: `token-${++given}`, expiresAt: null })
    const client = wrap({ credentials, maxRetries: 1 })
    expect([await ask(client), await ask(client)]).toEqual(['answer 2', 'answer 2'])
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer token-1', 'Bearer token-2'])
  })
})

describe('the key', () => {
  it('T04: does not depend on marks for the provider’s cache, or on how a text is spelled', async () => {
    const client = wrap()
    const marked = { type: 'text' as const, text: 'Hi', cache_control: { type: 'ephemeral' as const, ttl: '1h' as const } }
    await ask(client)
    for (const body of [{ messages: [{ role: 'user', content: [marked] }] }, { cache_control: { type: 'ephemeral' } }]) {
      expect(await ask(client, body)).toBe('answer 1')
    }
    expect(server.requests).toHaveLength(1)
    await ask(client, { messages: [{ role: 'user', content: [marked] }] }, { cache: { mode: 'reload' } })
    // The marks still reach the provider.
    expect(server.requests[1]?.body).toMatchObject({ messages: [{ content: [marked] }] })
  })

  it('T03: depends on each requested beta, and on all that may change an answer', async () => {
    const client = wrap()
    const beta = async (...betas: string[]): Promise<unknown> => (await client.beta.messages.create({ ...params, betas })).content
    const first = [await beta('context-1m-2025-08-07'), await beta('files-api-2025-04-14'), await beta('context-1m-2025-08-07')]
    expect(first[2]).toEqual(first[0])
    expect(first[1]).not.toEqual(first[0])
    expect(server.requests.map(({ headers }) => headers['anthropic-beta'])).toEqual(['context-1m-2025-08-07', 'files-api-2025-04-14'])
    const others: object[] = [{}, { max_tokens: 101 }, { system: 'Be brief.' }, { temperature: 0.5 }, { stop_sequences: ['###'] }]
    for (const body of others) await ask(client, body)
    expect(server.requests).toHaveLength(2 + others.length)
  })

  it('T01: depends on the address, but not on the number of the retry', async () => {
    const other = await startProvider((_request, reply) => reply.json(message([text('other')])))
    try {
      expect(await ask(wrap())).toBe('answer 1')
      expect(await ask(wrap({ baseURL: new URL(other.url).origin }))).toBe('other')
      expect(await ask(wrap({ timeout: 9_000, maxRetries: 1 }), {}, { idempotencyKey: 'k' })).toBe('answer 1')
    } finally {
      await other.close()
    }
  })
})

describe('a clone by withOptions()', () => {
  it('is wrapped as well, over the same cache', async () => {
    const client = wrap()
    await ask(client)
    const clone = client.withOptions({ timeout: 5_000, maxRetries: 4 })
    expect(await ask(clone)).toBe('answer 1')
    expect([clone.timeout, clone.maxRetries]).toEqual([5_000, 4])
    const again = clone.withOptions({ maxRetries: 5 })
    expect(await ask(again, {}, { cache: { ttl: '10m' } })).toBe('answer 1')
    expect([again.timeout, again.maxRetries]).toEqual([5_000, 5])
    expect(await ask(client.withOptions({ apiKey: 'sk-two' }))).toBe('answer 2')
    expect(await ask(client, {}, { bypassCache: true })).toBe('answer 3')
  })

  it('calls the fetch that it is given', async () => {
    const urls: unknown[] = []
    const own = wrap().withOptions({
      fetch: (input, init) => {
        urls.push(input)
        return fetch(input, init)
      },
    })
    expect([await ask(own), await ask(own)]).toEqual(['answer 1', 'answer 1'])
    expect(urls).toEqual([`${server.url}/messages`])
  })
})

describe('other ways to the same cache', () => {
  it('a caching fetch under a wrapped client does not wait for itself, or for ever', async () => {
    const client = wrap({ fetch: cachingFetch(cache) })
    expect([await ask(client), await ask(client)]).toEqual(['answer 1', 'answer 1'])
    expect(server.requests).toHaveLength(1)
  })

  it('other calls pass through: models, batches, files', async () => {
    server.respond(({ path }, reply) => reply.json({ id: path, data: [], has_more: false, first_id: null, last_id: null }))
    const client = wrap()
    for (let time = 0; time < 2; time++) await client.models.list()
    for (let time = 0; time < 2; time++) await client.messages.batches.create({ requests: [] })
    expect(server.requests.map(({ path }) => path)).toEqual(['/v1/models', '/v1/models', '/v1/messages/batches', '/v1/messages/batches'])
    expect(cache.stats()).toMatchObject({ hits: 0, misses: 0, bypasses: 0 })
  })

  it('a request with state at the provider is not cached: a container by its id', async () => {
    const client = wrap()
    const texts = [await ask(client, { container: 'container_1' }), await ask(client, { container: 'container_1' })]
    expect(texts).toEqual(['answer 1', 'answer 2'])
    expect(cache.stats()).toMatchObject({ bypassReasons: { container: 2 } })
  })
})

describe('errors', () => {
  it('K02: of a store, a hook or an option of ours never look like the provider’s', async () => {
    const client = wrap()
    await expect(ask(client, {}, { cache: { ttl: 'soon' } })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    const { error } = await outcomeOf(() => ask(client, {}, { cache: { mode: 'only-if-cached' } }))
    expect(error).toMatchObject({ members: { status: 504 } })
    expect(server.requests).toHaveLength(0)
  })

  it('K02: of a broken connection are the SDK’s, even if a middleware sees them', async () => {
    server.respond((_request, reply) => reply.reset())
    const seen: unknown[] = []
    const watched: Middleware = async (request, next) => {
      try {
        return await next(request)
      } catch (error) {
        seen.push(Object(error).name)
        throw error
      }
    }
    const expected = await outcomeOf(() => ask(make({ middleware: [watched] })))
    expect(expected.error?.class).toBe(APIConnectionError)
    const released = gate()
    server.respond(async (_request, reply) => {
      await released
      reply.reset()
    })
    const client = wrap({ middleware: [watched] })
    const all = Array.from({ length: 50 }, () => outcomeOf(() => ask(client)))
    await server.untilRequests(2)
    released.open()
    for (const each of await Promise.all(all)) expect(each).toStrictEqual(expected)
    expect(server.requests).toHaveLength(2)
    expect(new Set(seen)).toEqual(new Set(['TypeError']))
    expect(seen).toHaveLength(51)
  })

  it('of a missing credential are the SDK’s', async () => {
    const failing = { apiKey: () => Promise.reject(new Error('no vault')), authToken: null }
    const expected = await outcomeOf(() => ask(make(failing)))
    expect(expected.error?.class).toBe(AnthropicError)
    expect(await outcomeOf(() => ask(wrap(failing)))).toStrictEqual(expected)
  })
})
