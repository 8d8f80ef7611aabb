/**
 * Further cases of faults of the cache's own, and of code that its user handed in: they fail no call, at whatever place they happen.
 * @module
 */
import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { cachingFetch, withCache } from '../../src/clients/with-cache.ts'
import type { OriginCall } from '../../src/cache/cache.ts'
import { defineEndpoint, type EndpointDefinition } from '../../src/providers/define-endpoint.ts'
import { isJsonObject } from '../../src/json/object.ts'
import { openCache, settle } from '../support/chat.ts'
import { message, text } from '../support/anthropic-answers.ts'
import { geminiAnswer } from '../support/google-answers.ts'
import { completion } from '../support/openai-answers.ts'

const post = (body: string): RequestInit => ({ method: 'POST', body })
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)

/** An answer of each protocol, and what asks for it. */
const protocols: readonly [name: string, url: string, request: object, answer: object][] = [
  ['chat', 'https://api.openai.com/v1/chat/completions', { model: 'm', messages: [] }, completion('Hi')],
  [
    'Responses',
    'https://api.openai.com/v1/responses',
    { model: 'm', input: 'Hi' },
    { id: 'r', status: 'completed', output: [{ type: 'message', content: [{ type: 'output_text', text: 'Hi' }] }] },
  ],
  [
    'embeddings',
    'https://api.openai.com/v1/embeddings',
    { model: 'm', input: ['a', 'b'] },
    { data: [0, 1].map((index) => ({ index, embedding: [1] })) },
  ],
  ['messages', 'https://api.anthropic.com/v1/messages', { model: 'm', messages: [], max_tokens: 5 }, message([text('Hi')])],
  ['Gemini', 'https://generativelanguage.googleapis.com/v1beta/models/m:generateContent', { contents: [] }, geminiAnswer('Hi')],
  [
    'Cohere',
    'https://api.cohere.com/v2/chat',
    { model: 'm', messages: [] },
    { message: { content: [{ type: 'text', text: 'Hi' }] }, finish_reason: 'COMPLETE' },
  ],
  [
    'Ollama',
    'http://127.0.0.1:11434/api/chat',
    { model: 'm', messages: [], stream: false },
    { message: { content: 'Hi' }, done: true, done_reason: 'stop' },
  ],
  [
    'Converse',
    'https://bedrock-runtime.eu-west-1.amazonaws.com/model/m/converse',
    { messages: [] },
    { output: { message: { content: [{ text: 'Hi' }] } }, stopReason: 'end_turn' },
  ],
  [
    'InvokeModel',
    'https://bedrock-runtime.eu-west-1.amazonaws.com/model/m/invoke',
    { prompt: 'Hi' },
    { generation: 'Hi', stop_reason: 'stop' },
  ],
]

describe.each(protocols)('G28 what is nested deeply: %s', (_, url, request, answer) => {
  it.each([600, 5_000, 12_000])('an answer of %i levels', async (depth) => {
    const body = JSON.stringify({ ...answer, deep: 0 }).replace('"deep":0', `"deep":${nested(depth)}`)
    const caching = cachingFetch(openCache().cache, async () => new Response(body, { headers: { 'content-type': 'application/json' } }))
    for (let call = 0; call < 2; call++) {
      const said = await (await caching(url, post(JSON.stringify(request)))).text()
      expect(said.includes(nested(depth))).toBe(true)
      await settle()
    }
  })

  it.each([600, 5_000, 20_000])('a request of %i levels, also beside a number that JavaScript rounds', async (depth) => {
    const caching = cachingFetch(openCache().cache, async (input, init) => new Response(await new Request(input, init).text()))
    for (const more of ['', '"seed":9007199254740993,']) {
      const body = `{${more}"deep":${nested(depth)}}`
      expect(await (await caching(url, post(body))).text()).toBe(body)
    }
  })
})

const fail = (): never => {
  throw new Error('mine')
}
const listIn = (value: object, name: string): unknown[] => {
  const list: unknown = Reflect.get(value, name)
  return Array.isArray(list) ? list : []
}

function splitOf(request: object): object[] {
  return listIn(request, 'in').map((each) => ({ in: [each] }))
}

function uniteOf(_: object, singles: readonly object[]): object {
  return { in: singles.flatMap((single) => listIn(single, 'in')) }
}

describe('G28 code of the user that throws', () => {
  const perInput: NonNullable<EndpointDefinition['perInput']> = {
    split: (request) => listIn(request, 'in').map((each) => Object.assign({}, request, { in: [each] })),
    unite: (request, singles) => ({ ...request, in: singles.flatMap((single) => listIn(single, 'in')) }),
    share: (answer) => listIn(answer, 'out').map((each) => ({ out: [each] })),
    join: (answers) => ({ out: answers.flatMap((each) => listIn(each, 'out')) }),
  }
  const streaming = { assemble: () => ({ out: [] }), disassemble: () => [] }

  it.each<[string, Partial<EndpointDefinition>]>([
    ['match', { match: fail }],
    ['usage', { usage: fail }],
    ['skipReason', { skipReason: fail }],
    ['bypassReason', { bypassReason: fail }],
    ['isAsked', { streaming: { ...streaming, isAsked: fail } }],
    ['assemble', { streaming: { ...streaming, assemble: fail } }],
    ['disassemble', { streaming: { ...streaming, disassemble: fail } }],
    ['split', { perInput: { ...perInput, split: fail } }],
    ['unite', { perInput: { ...perInput, unite: fail } }],
    ['share', { perInput: { ...perInput, share: fail } }],
    ['join', { perInput: { ...perInput, join: fail } }],
  ])('%s of an endpoint', async (_, parts) => {
    const { cache } = openCache({ endpoints: [defineEndpoint({ provider: 'p', name: 'n', match: '/x', ...parts })] })
    const caching = cachingFetch(cache, async (input, init) => {
      const request: unknown = await new Request(input, init).json()
      return Response.json({ out: listIn(Object(request), 'in') })
    })
    for (const inputs of [
      [1, 2],
      [1, 2],
      [2, 3],
      [3, 2],
    ]) {
      const answer = await caching('https://example.com/x', post(JSON.stringify({ in: inputs })))
      expect(await answer.json()).toEqual({ out: inputs })
      await settle()
    }
  })

  it.each<[string, NonNullable<OriginCall<object>['rules']>]>([
    ['usage', { usage: fail }],
    ['model', { model: fail }],
    ['skipReason', { skipReason: fail }],
    ['split', { inputs: { split: fail, unite: fail, share: fail, join: fail } }],
    ['unite', { inputs: { ...perInput, split: splitOf, unite: fail, share: fail } }],
    ['share', { inputs: { split: splitOf, unite: uniteOf, share: fail, join: fail } }],
    [
      'join',
      { inputs: { split: splitOf, unite: uniteOf, share: (answer) => listIn(answer, 'out').map((each) => ({ out: [each] })), join: fail } },
    ],
  ])('%s of the rules of cache.call', async (_, rules) => {
    const { cache } = openCache()
    for (const inputs of [
      [1, 2],
      [1, 2],
      [2, 3],
    ]) {
      const call = { provider: 'p', endpoint: 'e', request: { in: inputs }, rules }
      const { answer } = await cache.call<object>(call, ({ request }) => ({ out: listIn(request, 'in') }))
      expect(answer).toEqual({ out: inputs })
      await settle()
    }
  })
})

it.each([
  'https://example.com/model/%E0%A4%A/converse',
  'https://a-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/anthropic/models/%E0%A4%A:rawPredict',
])('G28 an address that is not well encoded: %s', async (url) => {
  const caching = cachingFetch(openCache().cache, async () => Response.json({ well: true }))
  expect(await (await caching(url, post('{"anthropic_version":"vertex-2023-10-16"}'))).json()).toEqual({ well: true })
})

it('G22 a call that joined another is not failed by the other fetch', async () => {
  const { cache } = openCache({ scope: 'all' })
  const broken = Promise.withResolvers<Response>()
  let asked = 0
  const good = cachingFetch(cache, async () => {
    asked++
    return Response.json(completion('Hi'))
  })
  const ask = (caching: typeof good) => caching('https://api.openai.com/v1/chat/completions', post('{"model":"m","messages":[]}'))
  const first = ask(cachingFetch(cache, () => broken.promise))
  await settle()
  const joined = Promise.all([ask(good), ask(good)])
  await settle()
  broken.reject(new TypeError('the proxy is broken'))
  await expect(first).rejects.toThrow('the proxy is broken')
  expect((await joined).map(({ status }) => status)).toEqual([200, 200])
  expect(asked).toBe(1)
})

describe('G23 answers of test doubles', () => {
  const answer = completion('Hi')
  const json = async () => answer
  const asText = async () => JSON.stringify(answer)
  it.each<[string, () => object]>([
    [
      'with a text as body',
      () => ({ body: JSON.stringify(answer), headers: new Headers({ 'content-type': 'application/json' }), json, text: asText }),
    ],
    [
      'with a body and headers of another form',
      () => ({ body: new Response(JSON.stringify(answer)).body, headers: new Map([['content-type', 'application/json']]) }),
    ],
    ['with headers that have only get()', () => ({ headers: { get: () => 'application/json' }, json, text: asText })],
  ])('%s are answers, and stored', async (_, double) => {
    let asked = 0
    const fetch = async () => {
      asked++
      return Object.assign(Object.create(null), { ok: true, status: 200, ...double() })
    }
    const client = withCache(new OpenAI({ apiKey: 'k', fetch, maxRetries: 0 }), openCache().cache)
    for (let call = 0; call < 2; call++) {
      const said: unknown = await client.chat.completions.create({ model: 'm', messages: [] })
      expect(isJsonObject(said) && said['object']).toBe('chat.completion')
      await settle()
    }
    expect(asked).toBe(1)
  })
})
