import { getEventListeners } from 'node:events'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Cache, createCache } from '../../../src/cache/cache.ts'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import type { Fetch } from '../../../src/clients/http/caching-fetch.ts'
import { cachingFetch, withCache } from '../../../src/clients/with-cache.ts'
import { message, text, textEvents } from '../../support/anthropic-answers.ts'
import { chunksOf, completion } from '../../support/openai-answers.ts'
import { gate, type ProviderServer, startProvider } from '../../support/provider-server.ts'
import { settle } from '../../support/chat.ts'
import { until } from '../../support/until.ts'
import { ScriptedStore } from '../../support/scripted-store.ts'

const params = { model: 'gpt-test-1', messages: [{ role: 'user' as const, content: 'Hi' }] }
const bodyOf = (content: string): string => JSON.stringify({ model: 'gpt-test-1', messages: [{ role: 'user', content }] })
const json = { 'content-type': 'application/json' }

function bytes(content: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode(bodyOf(content)))
}

function form(content: string): FormData {
  const made = new FormData()
  made.set('file', new File([content], 'a.wav'))
  made.set('model', 'gpt-test-1')
  return made
}

/** What a call of a client comes to, as far as it can be compared. */
function outcomeOf(client: OpenAI): Promise<unknown> {
  return client.chat.completions.create(params).then(
    (value) => JSON.stringify(value),
    (thrown: unknown) => [Object(thrown).constructor.name, Object(thrown).message, Object(thrown).status],
  )
}

function namesOf(response: Response): string[] {
  return [...response.headers.keys()].toSorted()
}

function askPlainly(client: Anthropic) {
  return client.messages.create({ model: 'claude-test-1', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] })
}

function askWorkspace(client: Anthropic) {
  return askPlainly(client).withResponse()
}

function listeners({ signal }: AbortController): number {
  return getEventListeners(signal, 'abort').length
}

/** A `fetch` that gives what a test double would give. */
function doubled(make: () => unknown): Fetch {
  return async (): Promise<Response> => Reflect.apply(Object(make), undefined, [])
}

describe('a caching fetch', () => {
  let server: ProviderServer
  let cache: Cache
  let caching: Fetch
  let url: string

  beforeEach(async () => {
    server = await startProvider(({ body, headers }, reply) => reply.json({ ...completion('Hello.'), of: [body, headers.authorization] }))
    cache = createCache({ logger: false })
    caching = cachingFetch(cache)
    url = `${server.url}/chat/completions`
  })
  afterEach(() => server.close())

  describe('G06 sends what it has keyed', () => {
    it.each<[string, () => { init: RequestInit; change: () => void }]>([
      [
        'a buffer that is used again',
        () => {
          const body = bytes('mine')
          return { init: { body, headers: { ...json, authorization: 'Bearer a' } }, change: () => body.set(bytes('your')) }
        },
      ],
      [
        'headers that are changed',
        () => {
          const headers = new Headers({ ...json, authorization: 'Bearer a' })
          return { init: { body: bodyOf('mine'), headers }, change: () => headers.set('authorization', 'Bearer b') }
        },
      ],
      [
        'an object of headers that is changed',
        () => {
          const headers: Record<string, string> = { ...json, authorization: 'Bearer a' }
          return { init: { body: bodyOf('mine'), headers }, change: () => void (headers['authorization'] = 'Bearer b') }
        },
      ],
      [
        'an init that is changed',
        () => {
          const init: RequestInit = { body: bodyOf('mine'), headers: { ...json, authorization: 'Bearer a' } }
          return { init, change: () => void (init.body = bodyOf('your')) }
        },
      ],
    ])('%s while the store is read', async (_, make) => {
      const store = new ScriptedStore()
      store.reads = 'held'
      const over = cachingFetch(createCache({ logger: false, store, readDeadline: 60 }))
      const { init, change } = make()
      init.method = 'POST'
      const answer = over(url, init)
      await until(() => store.calls.length > 0)
      change()
      store.reads = 'works'
      store.release()
      expect(await (await answer).json()).toMatchObject({ of: [JSON.parse(bodyOf('mine')), 'Bearer a'] })
      expect(server.requests).toHaveLength(1)
    })

    it('a form that is changed while its files are read, and an address', async () => {
      server.respond(({ path, body }, reply) => reply.json({ text: `${path} ${String(body)}` }))
      const body = form('mine')
      const address = new URL(`${server.url}/audio/transcriptions`)
      const answer = caching(address, { method: 'POST', body })
      body.set('model', 'other')
      body.append('file', new File(['your'], 'b.wav'))
      address.pathname = '/v1/other'
      const said = JSON.stringify(await (await answer).json())
      expect(said).toContain('/v1/audio/transcriptions')
      expect(said).toContain('gpt-test-1')
      expect(said).not.toContain('your')
    })
  })

  describe('G32 takes what fetch takes', () => {
    it.each<[string, (address: string) => unknown]>([
      ['a String object', (address) => Object(address)],
      ['an object with toString', (address) => ({ toString: () => address })],
      ['a URL', (address) => new URL(address)],
      ['a URL of another library', (address) => ({ href: address, toString: () => address })],
    ])('%s as the address', async (_, make) => {
      const init = { method: 'POST', body: bodyOf('Hi'), headers: json }
      for (const hit of [false, true]) {
        const answer: Response = await Reflect.apply(caching, undefined, [make(url), init])
        expect(await answer.json()).toMatchObject({ object: 'chat.completion' })
        expect(cacheInfo(answer)).toMatchObject({ hit })
      }
      expect(server.requests).toHaveLength(1)
    })

    it.each([[null], [undefined]])('%s as the init', async (init) => {
      server.respond(({ method }, reply) => reply.text(method))
      for (const address of [url, `${server.url}/models`, new Request(`${server.url}/models`)]) {
        const answer: Response = await Reflect.apply(caching, undefined, [address, init])
        expect(await answer.text()).toBe('GET')
      }
    })

    it('a Request whose signal the init takes away', async () => {
      const request = new Request(url, { method: 'POST', body: bodyOf('Hi'), headers: json, signal: AbortSignal.abort() })
      expect((await caching(request, { signal: null })).status).toBe(200)
    })
  })

  describe('G23 takes answers without a body, as test doubles give them', () => {
    const answer = completion('Hello.')
    const error = { error: { message: 'no such model', type: 'invalid_request_error', param: null, code: null } }
    it.each<[string, () => unknown]>([
      [
        'all members',
        () => ({ ok: true, status: 200, headers: new Headers(json), json: async () => answer, text: async () => JSON.stringify(answer) }),
      ],
      ['text alone', () => ({ ok: true, status: 200, headers: new Headers(json), text: async () => JSON.stringify(answer) })],
      [
        'headers in a Map',
        () => ({
          ok: true,
          status: 200,
          headers: new Map(Object.entries(json)),
          json: async () => answer,
          text: async () => JSON.stringify(answer),
        }),
      ],
      [
        'an error',
        () => ({ ok: false, status: 404, headers: new Headers(json), json: async () => error, text: async () => JSON.stringify(error) }),
      ],
      [
        'a body that is null',
        () => ({
          ok: true,
          status: 200,
          headers: new Headers(json),
          body: null,
          text: async () => JSON.stringify(answer),
          json: async () => answer,
        }),
      ],
      ['a real Response', () => new Response(JSON.stringify(answer), { headers: json })],
      ['a real Response without a body', () => new Response(null, { status: 204 })],
      ['no content', () => ({ ok: true, status: 204, headers: new Headers(), text: async () => '', json: async () => undefined })],
    ])('%s', async (_, make) => {
      const fetch = doubled(make)
      const bare = new OpenAI({ apiKey: 'k', fetch, maxRetries: 0 })
      const expected = await outcomeOf(bare)
      const wrapped = withCache(bare, cache)
      const through = new OpenAI({ apiKey: 'k', fetch: cachingFetch(createCache({ logger: false }), fetch), maxRetries: 0 })
      for (const client of [wrapped, wrapped, through, through]) expect(await outcomeOf(client)).toEqual(expected)
    })
  })

  it('G23 takes an answer that has json() alone', async () => {
    const answer = { ok: true, status: 200, headers: new Headers(json), json: async () => completion('Hello.') }
    const over = cachingFetch(
      cache,
      doubled(() => answer),
    )
    for (const hit of [false, true]) {
      const given = await over(url, { method: 'POST', body: bodyOf('Hi'), headers: json })
      expect([await given.json(), cacheInfo(given)]).toMatchObject([completion('Hello.'), { hit }])
    }
  })

  describe('G27 a call that joins a flight gets the headers of a stored answer', () => {
    const answered = {
      'set-cookie': 'session=of-the-first',
      'openai-organization': 'org-of-the-first',
      'x-ratelimit-remaining-tokens': '17',
      'x-request-id': 'req_1',
      'openai-version': '2020-10-01',
    }

    it.each([false, true])('streamed: %s', async (stream) => {
      const open = gate()
      server.respond(async (_, reply) => {
        await open
        await (stream
          ? reply.events(chunksOf('Hello.').flat(), { headers: answered })
          : reply.json(completion('Hello.'), { headers: answered }))
      })
      const init = {
        method: 'POST',
        body: JSON.stringify({ ...params, stream, ...(stream && { stream_options: { include_usage: true } }) }),
      }
      const ask = (): Promise<Response> => caching(url, { ...init, headers: json })
      const [first, second] = [ask(), ask()]
      await server.untilRequests(1)
      open.open()
      const [leader, joiner] = [await first, await second]
      expect(await joiner.text()).toBe(await leader.text())
      const hit = await ask()
      expect(await hit.text()).toContain('Hello.'.slice(0, 3))
      expect([cacheInfo(joiner), cacheInfo(hit)]).toMatchObject([{ source: 'flight' }, { source: 'memory' }])
      expect(namesOf(joiner)).toEqual(namesOf(hit))
      expect(joiner.headers.get('x-request-id')).toBe('req_1')
      expect(leader.headers.get('set-cookie')).toBe(answered['set-cookie'])
    })

    it.each(['withResponse', 'asResponse'] as const)('of a wrapped client, by %s()', async (way) => {
      const open = gate()
      server.respond(async (_, reply) => {
        await open
        reply.json(completion('Hello.'), { headers: answered })
      })
      const client = withCache(new OpenAI({ apiKey: 'k', baseURL: server.url, maxRetries: 0 }), cache)
      const ask = async (): Promise<Response> => {
        const call = client.chat.completions.create(params)
        if (way === 'withResponse') return (await call.withResponse()).response
        const response = await call.asResponse()
        await response.clone().text()
        return response
      }
      const [first, second] = [ask(), ask()]
      await server.untilRequests(1)
      open.open()
      const [leader, joiner] = [await first, await second]
      const hit = await ask()
      expect([cacheInfo(joiner), cacheInfo(hit)]).toMatchObject([{ source: 'flight' }, { source: 'memory' }])
      expect(namesOf(joiner)).toEqual(namesOf(hit))
      expect(leader.headers.get('set-cookie')).toBe(answered['set-cookie'])
    })

    it('of an error it gets what a retry needs', async () => {
      const open = gate()
      server.respond(async (_, reply) => {
        await open
        reply.json(
          { error: { message: 'slow down' } },
          { status: 503, headers: { ...answered, 'retry-after': '7', 'x-should-retry': 'true' } },
        )
      })
      const init = { method: 'POST', body: bodyOf('Hi'), headers: json }
      const [first, second] = [caching(url, init), caching(url, init)]
      await server.untilRequests(1)
      open.open()
      const joiner = await second
      expect([(await first).status, joiner.status]).toEqual([503, 503])
      expect(await joiner.json()).toEqual({ error: { message: 'slow down' } })
      expect(['retry-after', 'x-should-retry', 'x-request-id', 'set-cookie'].map((name) => joiner.headers.get(name))).toEqual([
        '7',
        'true',
        'req_1',
        null,
      ])
    })
  })

  it('G26 the workspace of an Anthropic answer is on hits and for calls that join', async () => {
    server.respond((_, reply) =>
      reply.json(message([text('Hello.')]), { headers: { 'anthropic-workspace-id': 'wrkspc_1', 'request-id': 'req_1' } }),
    )
    const bare = new Anthropic({ apiKey: 'k', baseURL: server.url.replace(/\/v1$/, ''), maxRetries: 0 })
    const client = withCache(bare, cache)
    const expected = await askWorkspace(bare)
    const [first, joined] = await Promise.all([askWorkspace(client), askWorkspace(client)])
    for (const { data, response } of [first, joined, await askWorkspace(client), await askWorkspace(client)]) {
      expect(response.headers.get('anthropic-workspace-id')).toBe('wrkspc_1')
      expect(Reflect.get(data, '_workspace_id')).toBe(Reflect.get(expected.data, '_workspace_id'))
    }
    for (let call = 0; call < 3; call++) expect(Reflect.get(await askPlainly(client), '_workspace_id')).toBe('wrkspc_1')
    expect(Reflect.get(expected.data, '_workspace_id')).toBe('wrkspc_1')
  })

  describe('G22 a call that joins a flight is not refused for the credential of another', () => {
    it.each([401, 403, 429])('status %i', async (status) => {
      const open = gate()
      server.respond(async ({ headers }, reply) => {
        if (headers.authorization === 'Bearer good') return reply.json(completion('Hello.'))
        await open
        return reply.json({ error: { message: 'refused' } }, { status })
      })
      const shared = cachingFetch(createCache({ logger: false, scope: 'all' }))
      const ask = (key: string): Promise<Response> =>
        shared(url, { method: 'POST', body: bodyOf('Hi'), headers: { ...json, authorization: `Bearer ${key}` } })
      const refused = ask('bad')
      await server.untilRequests(1)
      const calls = [ask('good'), ask('bad'), ask('good')]
      open.open()
      const answers = await Promise.all([refused, ...calls])
      expect(answers.map((each) => each.status)).toEqual([status, 200, status, 200])
      // The good calls share one request, as do the bad ones.
      expect(server.requests).toHaveLength(2)
    })
  })

  describe('G28 a fault of the cache never fails a call', () => {
    it('a text of 9 MiB beside a number that JavaScript rounds passes the cache by', async () => {
      const chat = `"messages":[{"role":"user","content":"${'x'.repeat(9 * 2 ** 20)}"}]`
      const seed = '"seed":9007199254740993'
      const bodies = [`{"model":"gpt-test-1",${seed},${chat}}`, `{"model":"gpt-test-1",${chat},${seed}}`]
      for (const given of bodies.flatMap((body) => [body, new TextEncoder().encode(body)])) {
        const answer = await caching(url, { method: 'POST', body: given, headers: json })
        expect([answer.status, cacheInfo(answer)?.reason]).toEqual([200, 'not keyable'])
      }
    })

    it('a text of 9 MiB is cached', async () => {
      server.respond((_, reply) => reply.json(completion('Hello.')))
      for (const hit of [false, true]) {
        const answer = await caching(url, { method: 'POST', body: bodyOf(`"${'\\"'.repeat(4 * 2 ** 20)}`), headers: json })
        expect(cacheInfo(answer)).toMatchObject({ hit })
        expect(await answer.json()).toMatchObject({ object: 'chat.completion' })
      }
    })

    it.each<[string, Omit<ReturnType<typeof completion>, never>]>([
      ['in a member of the answer', { ...completion('Hello.'), extra: 'DEEP' }],
      [
        'in a member of the message',
        {
          ...completion('Hello.'),
          choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'Hello.', extra: 'DEEP' } }],
        },
      ],
    ])('a stored answer that is nested deeply %s is a miss for a call of the other kind', async (_, answer) => {
      const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
      server.respond(({ body }, reply) =>
        Reflect.get(Object(body), 'stream') === true
          ? reply.events(chunksOf('Hello.').flat())
          : reply.bytes(Buffer.from(JSON.stringify(answer).replace('"DEEP"', deep)), { headers: json }),
      )
      for (const client of [
        new OpenAI({ apiKey: 'k', baseURL: server.url, fetch: caching, maxRetries: 0 }),
        withCache(new OpenAI({ apiKey: 'k', baseURL: server.url, maxRetries: 0 }), createCache({ logger: false })),
      ]) {
        for (let call = 0; call < 3; call++) {
          expect((await client.chat.completions.create(params)).object).toBe('chat.completion')
          let said = ''
          const stream = await client.chat.completions.create({ ...params, stream: true, stream_options: { include_usage: true } })
          for await (const chunk of stream) said += chunk.choices[0]?.delta.content ?? ''
          expect(said).toBe('Hello.')
        }
      }
    })

    it.each<[string, () => Promise<void>]>([
      [
        'throws',
        () => {
          throw new Error('mine')
        },
      ],
      ['rejects', () => Promise.reject(new Error('mine'))],
    ])('a replay.delay that %s does not delay', async (_, delay) => {
      server.respond((_request, reply) => reply.events(chunksOf('Hello.').flat()))
      const own = createCache({ logger: false, replay: { delay } })
      const over = cachingFetch(own)
      const ask = async (): Promise<string> =>
        (await over(url, { method: 'POST', body: JSON.stringify({ ...params, stream: true }), headers: json })).text()
      const first = await ask()
      expect(await ask()).toBe(first)
      expect(server.requests).toHaveLength(1)
    })
  })

  describe('G29 a replayed stream leaves no listener on a signal that lives longer', () => {
    const messages = { model: 'claude-test-1', max_tokens: 9, messages: [{ role: 'user' as const, content: 'Hi' }], stream: true as const }
    it.each(['unread', 'read', 'left'])('that is %s, over a caching fetch', async (manner) => {
      server.respond((_, reply) => reply.events(textEvents('Hello.').flat()))
      const controller = new AbortController()
      const init = { method: 'POST', body: JSON.stringify(messages), headers: json, signal: controller.signal }
      await (await caching(`${server.url}/messages`, init)).text()
      const kept: Response[] = []
      for (let call = 0; call < 20; call++) {
        const answer = await caching(`${server.url}/messages`, init)
        expect(cacheInfo(answer)).toMatchObject({ hit: true })
        if (manner === 'read') await answer.text()
        if (manner === 'left') {
          const reader = answer.body?.getReader()
          await reader?.read()
          await reader?.cancel()
        }
        kept.push(answer)
      }
      expect(listeners(controller)).toBe(0)
    })

    it('that is read as its signal fires ends with the reason', async () => {
      server.respond((_, reply) => reply.events(textEvents('Hello.').flat()))
      const init = { method: 'POST', body: JSON.stringify(messages), headers: json }
      await (await caching(`${server.url}/messages`, init)).text()
      for (const reads of [0, 1]) {
        const controller = new AbortController()
        const reader = (await caching(`${server.url}/messages`, { ...init, signal: controller.signal })).body?.getReader()
        for (let read = 0; read < reads; read++) await reader?.read()
        controller.abort(new Error('enough'))
        await expect(reader?.read()).rejects.toThrow('enough')
      }
    })

    it('that waits for its next event ends at once when its signal fires', async () => {
      server.respond((_, reply) => reply.events(textEvents('Hello.').flat()))
      const over = cachingFetch(createCache({ logger: false, replay: { delay: () => new Promise(() => {}) } }))
      const init = { method: 'POST', body: JSON.stringify(messages), headers: json }
      await (await over(`${server.url}/messages`, init)).text()
      const controller = new AbortController()
      const answer = await over(`${server.url}/messages`, { ...init, signal: controller.signal })
      let failure: unknown
      const reading = answer.text().catch((error: unknown) => (failure = error))
      await settle()
      controller.abort(new Error('enough'))
      await settle()
      expect([cacheInfo(answer)?.hit, String(failure)]).toEqual([true, 'Error: enough'])
      await reading
    })
  })
})
