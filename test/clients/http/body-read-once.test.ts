/**
 * What the caller hands to an SDK is read as the SDK reads it: each member once. What was read is both keyed and sent.
 */
import { inspect } from 'node:util'
import Anthropic from '@anthropic-ai/sdk'
import Anthropic0 from 'anthropic0'
import Anthropic060 from 'anthropic060'
import OpenAI from 'openai'
import OpenAI5 from 'openai5'
import OpenAI6 from 'openai6'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../src/json/object.ts'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { message, text } from '../../support/anthropic-answers.ts'
import { completion } from '../../support/openai-answers.ts'
import { type ProviderServer, startProvider } from '../../support/provider-server.ts'

interface Create {
  create(body: object, options?: object): PromiseLike<unknown>
}

/** What a client may be made with. */
interface Given {
  readonly url: string
  readonly logger?: object
  readonly fetchOptions?: object
  readonly fetch?: () => Promise<unknown>
}

/** The errors that doubles of `fetch` give in the tests of programs, none of which is a whole `Response`. */
const refusals: readonly (readonly [name: string, double: () => object])[] = (() => {
  const error = { type: 'error', error: { message: 'no such model', type: 'invalid_request_error', param: null, code: 'no_model' } }
  const said = { json: async () => error, text: async () => JSON.stringify(error) }
  const head = { ok: false, status: 400, headers: new Headers({ 'content-type': 'application/json', 'x-request-id': 'req_1' }) }
  return [
    ['json() and text()', () => ({ ...head, ...said })],
    ['text() alone', () => ({ ...head, text: said.text })],
    ['a body that is null', () => ({ ...head, ...said, body: null })],
    ['a text that is no JSON', () => ({ ...head, text: async () => 'the model is on leave', headers: new Headers() })],
    ['a text that can be read once', () => ({ ...head, text: once(said.text), json: once(said.json) })],
    ['a status text and no body', () => ({ ...head, statusText: 'Bad Request', text: async () => '' })],
    ['a text that cannot be read', () => ({ ...head, text: () => Promise.reject(new Error('the connection is gone')) })],
  ]
})()

/** A function that fails when it is called again. */
function once<Value>(read: () => Value): () => Value {
  let isRead = false
  return () => {
    if (isRead) throw new TypeError('the body was read already')
    isRead = true
    return read()
  }
}

const openaiOptions = ({ url, logger, ...rest }: Given) => ({
  baseURL: url,
  apiKey: 'k',
  maxRetries: 0,
  ...logged(logger),
  ...rest,
})
const anthropicOptions = ({ url, logger, ...rest }: Given) => ({
  baseURL: new URL(url).origin,
  apiKey: 'k',
  authToken: null,
  maxRetries: 0,
  ...logged(logger),
  ...rest,
})
const logged = (logger?: object) => ({ logLevel: logger === undefined ? ('off' as const) : ('debug' as const), ...(logger && { logger }) })

/** Each SDK: how its client is made, wrapped or bare, and what answers it. */
const sdks = [
  ...[
    { name: 'openai 7', make: (given: Given) => new OpenAI(Object(openaiOptions(given))) },
    { name: 'openai 6', make: (given: Given) => new OpenAI6(Object(openaiOptions(given))) },
    { name: 'openai 5', make: (given: Given) => new OpenAI5(Object(openaiOptions(given))) },
  ].map(({ name, make }) => ({
    name,
    make: (given: Given, wrapped = false): Create =>
      Object((wrapped ? withCache(make(given), { logger: false }) : make(given)).chat.completions),
    answer: completion('said'),
  })),
  ...[
    { name: '@anthropic-ai/sdk 1', make: (given: Given) => new Anthropic(Object(anthropicOptions(given))) },
    { name: '@anthropic-ai/sdk 0.137', make: (given: Given) => new Anthropic0(Object(anthropicOptions(given))) },
    { name: '@anthropic-ai/sdk 0.60', make: (given: Given) => new Anthropic060(Object(anthropicOptions(given))) },
  ].map(({ name, make }) => ({
    name,
    make: (given: Given, wrapped = false): Create => Object((wrapped ? withCache(make(given), { logger: false }) : make(given)).messages),
    answer: message([text('said')]),
  })),
]

/** A body that counts how often its members are read, each time with another value. */
function countingBody(): { readonly body: object; readonly reads: Readonly<Record<string, number>> } {
  const reads: Record<string, number> = {}
  const value = (name: string): string => `${name} ${(reads[name] = (reads[name] ?? 0) + 1)}`
  const body = {
    model: 'm',
    max_tokens: 9,
    messages: [
      {
        role: 'user',
        get content() {
          return value('content')
        },
      },
    ],
    tools: [{ name: 'f', description: { toJSON: () => value('description') }, input_schema: { type: 'object' } }],
    get system() {
      return value('system')
    },
  }
  return { body, reads }
}

const plainBody = { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] }

describe.each(sdks)('a body for $name', ({ make, answer }) => {
  let server: ProviderServer
  beforeEach(async () => {
    server = await startProvider((_request, reply) => reply.json(answer))
  })
  afterEach(() => server.close())

  it.each([{}, { fetchOptions: { redirect: 'follow' } }])(
    'G62 is read as by the bare SDK, and what was read is keyed and sent (%o)',
    async (off) => {
      const bare = countingBody()
      await make({ url: server.url, ...off }).create(bare.body)
      const client = make({ url: server.url, ...off }, true)
      const made = [countingBody(), countingBody(), countingBody()]
      for (const { body } of made) await client.create(body)
      for (const { reads } of made) expect(reads).toEqual(bare.reads)
      expect(server.requests.map(({ body }) => body)).toEqual([server.requests[0]?.body, server.requests[0]?.body])
      // What the SDK writes is its last reading. Some versions look at a member before they write it.
      const last = (name: string): string => `${name} ${bare.reads[name]}`
      const plain = {
        model: 'm',
        max_tokens: 9,
        messages: [{ role: 'user', content: last('content') }],
        tools: [{ name: 'f', description: last('description'), input_schema: { type: 'object' } }],
        system: last('system'),
      }
      expect(server.requests[1]?.body).toMatchObject(plain)
      expect(cacheInfo(await client.create(plain))).toMatchObject({ hit: true })
      await client.create({ ...plain, system: 'another' })
      expect(server.requests).toHaveLength(3)
    },
  )

  it('G62 that throws while it is read fails with that error, as with the bare SDK', async () => {
    const error = new Error('no content')
    const body = {
      model: 'm',
      max_tokens: 9,
      get messages(): object[] {
        throw error
      },
    }
    for (const wrapped of [false, true]) {
      const client = make({ url: server.url }, wrapped)
      await expect(Promise.resolve().then(() => client.create(body))).rejects.toBe(error)
    }
    expect(server.requests).toHaveLength(0)
  })

  it('G62 that is a circle, or holds a Map or a number without JSON, does what it does with the bare SDK', async () => {
    const circle: JsonObject = { model: 'm', max_tokens: 9, messages: [] }
    circle['metadata'] = { circle, again: circle }
    for (const wrapped of [false, true]) await expect(make({ url: server.url }, wrapped).create(circle)).rejects.toThrow(/circular/i)
    const odd = { model: 'm', max_tokens: 9, messages: [], metadata: new Map([['a', 1]]), temperature: Number.NaN }
    const client = make({ url: server.url }, true)
    for (const each of [make({ url: server.url }), client, client]) await each.create(odd)
    expect(server.requests).toHaveLength(3)
    expect(server.requests[1]?.body).toEqual(server.requests[0]?.body)
  })

  it('G62 I7 shows nothing of ours in the debug log of the SDK', async () => {
    const logs = [false, true].map((wrapped) => {
      const lines: string[] = []
      const log = (...given: unknown[]): void => void lines.push(inspect(given, { depth: 20, showHidden: false }))
      const client = make({ url: server.url, logger: { error: log, warn: log, info: log, debug: log } }, wrapped)
      return { lines, client }
    })
    const prompt = 'a secret prompt'
    for (const { client } of logs) {
      await client.create({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content: prompt }] })
    }
    const [bare = [], wrapped = []] = logs.map(({ lines }) => lines)
    expect(bare.length).toBeGreaterThan(0)
    expect(wrapped.join('\n')).not.toMatch(/llmemo\./)
    const prompts = (lines: readonly string[]): number => lines.join('\n').split(prompt).length - 1
    expect(prompts(wrapped)).toBe(prompts(bare))
  })

  it.each(refusals)('G62 that a double of fetch refuses has the error of the bare SDK: %s', async (_, double) => {
    const failed = async (wrapped: boolean): Promise<unknown> => {
      const client = make({ url: server.url, fetch: async () => double() }, wrapped)
      const error: unknown = await Promise.resolve(client.create(plainBody)).catch((thrown: unknown) => thrown)
      const { message: said, status, code, type, error: body }: Record<string, unknown> = Object(error)
      return { name: Object(error).constructor.name, said, status, code, type, body }
    }
    const bare = await failed(false)
    expect(bare).toMatchObject({ said: expect.stringContaining('400') })
    expect(await failed(true)).toEqual(bare)
  })

  it('G62 comes back with the provider’s own `_cache`, beside the facts', async () => {
    const client = make({ url: server.url }, true)
    server.respond((_request, reply) => reply.json({ ...answer, _cache: { shard: 7 } }))
    for (const hit of [false, true, true]) {
      const result = await client.create(plainBody)
      expect(JSON.parse(JSON.stringify(result))).toMatchObject({ _cache: { shard: 7 } })
      expect(cacheInfo(result)).toMatchObject({ hit })
    }
  })
})
