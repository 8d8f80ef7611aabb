import { isJsonObject, type JsonObject } from '../../src/json/object.ts'
import { memoryStore } from '../../src/stores/memory-store.ts'
import OpenAI, { type ClientOptions } from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import type { CallOptions } from '../../src/call.ts'
import { cacheInfo } from '../../src/clients/cache-info.ts'
import type { Fetch } from '../../src/clients/http/caching-fetch.ts'
import type { Cached } from '../../src/clients/cached.ts'
import { cachingFetch, withCache } from '../../src/clients/with-cache.ts'
import type { Cache } from '../../src/cache/cache.ts'
import type { CacheOptions } from '../../src/engine/settings/options.ts'
import type { Store } from '../../src/store.ts'
import { openCache, settle } from '../support/chat.ts'
import { chunksOf, completion } from '../support/openai-answers.ts'
import { formatEvents } from '../../src/base/server-sent-events.ts'
import { neighbours } from '../support/json-values.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

const base = 'https://api.openai.com/v1'
const chatUrl = `${base}/chat/completions`
const question = { model: 'gpt-5-mini', messages: [{ role: 'user', content: 'What is the answer?' }] }

const asking = (content: string) => ({ ...question, messages: [{ role: 'user', content }] })
const withSeed = (text: string) => `{"model":"m","messages":[],"seed":${text}}`
const pixels = Buffer.from('pixels'.repeat(500)).toString('base64')
const image = (url: string, detail?: string) => {
  const part = { type: 'image_url', image_url: { url, ...(detail !== undefined && { detail }) } }
  return { ...question, messages: [{ role: 'user', content: [part] }] }
}

/** A request whose question is this one byte. */
function bodyWith(byte: number): Uint8Array {
  const [before = '', after = ''] = JSON.stringify(asking('|')).split('|')
  return new Uint8Array([...Buffer.from(before), byte, ...Buffer.from(after)])
}

function form(bytes: string, type: string, name: string, language = 'en'): FormData {
  const fields = new FormData()
  fields.append('model', 'whisper-1')
  fields.append('language', language)
  fields.append('file', new File([bytes], name, { type }))
  return fields
}

const clocks: ManualClock[] = []
afterEach(() => {
  for (const { timers } of clocks.splice(0)) if (timers > 0) throw new Error(`${timers} timers are pending`)
})

/** A provider without a socket: numbers its answers, and keeps the addresses and bodies that it was asked. */
class Origin {
  readonly urls: string[] = []

  readonly fetch: Fetch = async (input, init) => {
    this.urls.push(input instanceof Request ? input.url : String(input))
    const text = `answer ${this.urls.length}`
    const body: unknown = typeof init?.body === 'string' ? JSON.parse(init.body) : undefined
    const [url = ''] = this.urls.slice(-1)
    if (url.includes('/audio/')) return Response.json({ text })
    if (!isJsonObject(body) || body['stream'] !== true) return Response.json(completion(text))
    return new Response(formatEvents(chunksOf(text).flat()), { headers: { 'content-type': 'text/event-stream' } })
  }

  get calls(): number {
    return this.urls.length
  }
}

function open(options: CacheOptions = {}) {
  const clock = new ManualClock()
  clocks.push(clock)
  const opened = openCache({ clock, ...options })
  const origin = new Origin()
  const fetch = cachingFetch(opened.cache, origin.fetch)
  /** The text of the answer to a body, given as JSON or as text of the caller's own. */
  const ask = async (body: unknown, { url = chatUrl, headers = {} }: { url?: string; headers?: Record<string, string> } = {}) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' || body instanceof FormData || isBytes(body) ? body : JSON.stringify(body),
    })
    return textIn(await response.text())
  }
  return { ...opened, origin, fetch, ask }
}

function isBytes(body: unknown): body is Uint8Array<ArrayBuffer> {
  return body instanceof Uint8Array && body.buffer instanceof ArrayBuffer
}

function textIn(body: string): string {
  return /answer \d+/.exec(body)?.[0] ?? body
}

function client(cache: Cache, origin: Origin, options: ClientOptions = {}): Cached<OpenAI> {
  return withCache(new OpenAI({ apiKey: 'sk-one', maxRetries: 0, logLevel: 'off', fetch: origin.fetch, ...options }), cache)
}

async function create(sdk: Cached<OpenAI>, cache: CallOptions = {}, body: object = {}) {
  // What a caller without types may send as well.
  const request: OpenAI.ChatCompletionCreateParamsNonStreaming = { model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...body }
  const answer = await sdk.chat.completions.create(request, { cache })
  return { text: answer.choices[0]?.message.content, info: cacheInfo(answer) }
}

describe('T01 delimiters in what tells callers apart', () => {
  const names = [
    'acme',
    'acme:bob',
    'bob',
    '',
    ':',
    '::',
    'acme\u0000',
    '\u0000acme',
    'a","b',
    '__proto__',
    'constructor',
    'null',
    '%3A',
    'ACME',
    'acme ',
  ]

  it('T01 no two scopes share an answer, whatever is in their names', async () => {
    const { cache, origin } = open()
    const sdk = client(cache, origin)
    const first = new Map<string, unknown>()
    for (const scope of names) first.set(scope, (await create(sdk, { scope })).text)
    expect(new Set(first.values()).size).toBe(names.length)
    for (const scope of names) expect(await create(sdk, { scope })).toMatchObject({ text: first.get(scope), info: { hit: true, scope } })
    expect(origin.calls).toBe(names.length)
  })

  it('T01 no two pairs of scope and context share an answer', async () => {
    const { cache, origin } = open()
    const sdk = client(cache, origin)
    for (const scope of names)
      for (const context of [...names, null, {}, [], { acme: 'bob' }, ['acme', 'bob']]) await create(sdk, { scope, context })
    expect(origin.calls).toBe(names.length * (names.length + 4) + names.length)
  })

  it('T01 no two namespaces over one store share an answer, or a value of their own', async () => {
    const clock = new ManualClock()
    const store = memoryStore({ clock })
    const caches = names.flatMap((namespace) => ['', 'bob:x', 'x'].map((scope) => open({ clock, store, namespace, scope })))
    for (const [index, { cache, ask }] of caches.entries()) {
      expect(await ask(question)).toBe('answer 1')
      await cache.set('x:y', index)
      await cache.flush()
    }
    for (const [index, { cache, origin }] of caches.entries()) {
      expect(origin.calls).toBe(1)
      expect(await cache.get('x:y')).toBe(index)
    }
  })
})

describe('T02 texts that are hard to tell apart', () => {
  it('T02 a lone surrogate makes a call go past the cache, and the caller gets its answer', async () => {
    const { cache, origin, ask } = open()
    for (const body of [
      '{"model":"m","messages":[],"x":"\\ud800"}',
      '{"model":"m","messages":[],"\\udfff":1}',
      JSON.stringify({ ...question, user_text: '\uD800' }),
    ]) {
      expect(await ask(body)).not.toBe(await ask(body))
    }
    const sdk = client(cache, origin)
    for (const options of [{ scope: '\uD800' }, { context: '\uDC00' }, { context: { '\uD800': 1 } }]) {
      expect((await create(sdk, options)).info).toMatchObject({ hit: false, stored: false, reason: 'not keyable' })
      expect((await create(sdk, options)).info).toMatchObject({ hit: false, key: '' })
    }
    expect(origin.calls).toBe(12)
    expect(cache.memory().entries).toBe(0)
  })

  it('T02 bytes that are no UTF-8 are not merged with others that are none', async () => {
    const { ask } = open()
    expect(await ask(bodyWith(0xff))).toBe('answer 1')
    expect(await ask(bodyWith(0xfe))).toBe('answer 2')
    expect(await ask(bodyWith(0x41))).toBe('answer 3')
    expect(await ask(bodyWith(0x41))).toBe('answer 3')
  })

  const spellings: readonly (readonly [fold: 'unicode-form' | 'white-space' | 'letter-case', one: string, other: string])[] = [
    ['unicode-form', 'caf\u00e9', 'cafe\u0301'],
    ['white-space', 'a b', ' a  b\n'],
    ['letter-case', 'Why?', 'WHY?'],
  ]
  it.each(spellings)('T02 %s makes a difference, unless it is folded', async (fold, one, other) => {
    const plain = open()
    expect(await plain.ask(asking(one))).not.toBe(await plain.ask(asking(other)))
    const folding = open({ key: { fold: [fold] } })
    expect(await folding.ask(asking(one))).toBe(await folding.ask(asking(other)))
  })

  it('T02 folding never makes one tenant of two', async () => {
    const { cache, origin } = open({ key: { fold: ['unicode-form', 'white-space', 'letter-case'] } })
    const sdk = client(cache, origin)
    const scopes = ['acme', 'Acme', ' acme', 'caf\u00e9', 'cafe\u0301']
    for (const scope of scopes) expect((await create(sdk, { scope })).info?.hit).toBe(false)
    for (const context of ['x', 'X']) expect((await create(sdk, { scope: 'acme', context })).info?.hit).toBe(false)
    expect(origin.calls).toBe(scopes.length + 2)
  })

  it('T02 a byte order mark makes a difference', async () => {
    const { ask } = open()
    expect(await ask(asking('\uFEFFHi'))).not.toBe(await ask(asking('Hi')))
  })

  it('T02 a megabyte in every part is no trouble, and its last character counts', async () => {
    const { cache, origin } = open()
    const sdk = client(cache, origin)
    const long = 'é'.repeat(1_000_000)
    const parts = (end: string) => ({ scope: `${long}${end}`, context: { [`${long}${end}`]: `${long}${end}` } })
    expect((await create(sdk, parts('a'))).info?.hit).toBe(false)
    expect((await create(sdk, parts('b'))).info?.hit).toBe(false)
    expect((await create(sdk, parts('a'))).info).toMatchObject({ hit: true, key: expect.stringMatching(/^[0-9a-f]{64}$/) })
    expect(origin.calls).toBe(2)
  })
})

describe('T03 what can change an answer', () => {
  const everything = {
    model: 'gpt-5-mini',
    messages: [
      { role: 'system', content: 'Be brief.' },
      {
        role: 'user',
        name: 'bob',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', detail: 'low' } },
        ],
      },
      {
        role: 'assistant',
        content: null,
        refusal: null,
        tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'call_1', content: '42' },
    ],
    tools: [
      {
        type: 'function',
        function: {
          name: 'f',
          description: 'd',
          strict: true,
          parameters: { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
        },
      },
    ],
    tool_choice: 'auto',
    parallel_tool_calls: true,
    response_format: { type: 'json_schema', json_schema: { name: 's', strict: true, schema: { type: 'object' } } },
    temperature: 0.2,
    top_p: 1,
    n: 1,
    seed: 7,
    stop: ['END'],
    max_tokens: 100,
    max_completion_tokens: 100,
    presence_penalty: 0,
    frequency_penalty: 0,
    logit_bias: { '50256': -100 },
    logprobs: true,
    top_logprobs: 2,
    reasoning_effort: 'low',
    verbosity: 'low',
    modalities: ['text'],
    audio: { voice: 'alloy', format: 'wav' },
    prediction: { type: 'content', content: 'x' },
    web_search_options: { search_context_size: 'low' },
    functions: [],
    function_call: 'none',
    a_field_of_tomorrow: { deep: [{ inside: true }] },
  }

  it('T03 every change of any field at any depth makes another key', async () => {
    const { ask, origin } = open({ maxMemoryBytes: 64 * 2 ** 20 })
    const first = await ask(everything)
    const sent = neighbours(everything).filter(isJsonObject)
    expect(sent.length).toBeGreaterThan(300)
    for (const other of sent) expect(await ask(other)).not.toBe(first)
    // Nor are two of them one.
    expect(origin.calls).toBe(new Set([everything, ...sent].map((body) => JSON.stringify(body))).size)
    expect(await ask(everything)).toBe(first)
  })

  it('T03 every field that is taken away makes another key', async () => {
    const { ask } = open()
    const first = await ask(everything)
    for (const name of Object.keys(everything)) {
      expect(await ask(Object.fromEntries(Object.entries(everything).filter(([each]) => each !== name)))).not.toBe(first)
    }
  })

  it.each<[string, { url?: string; headers?: Record<string, string> }]>([
    ['another host', { url: 'https://eu.api.openai.com/v1/chat/completions' }],
    ['another path before the endpoint', { url: 'https://api.openai.com/v2/chat/completions' }],
    ['another deployment', { url: 'https://x.openai.azure.com/openai/deployments/a/chat/completions' }],
    ['an API version', { url: `${chatUrl}?api-version=2025-01-01` }],
    ['another port', { url: 'https://api.openai.com:8443/v1/chat/completions' }],
    ['OpenAI-Beta', { headers: { 'OpenAI-Beta': 'x' } }],
    ['an unknown header', { headers: { 'x-guardrails': 'off' } }],
    ['a header with an ill name', { headers: { constructor: 'x' } }],
    ['a language', { headers: { 'accept-language': 'de' } }],
  ])('T03 %s makes another key', async (_, where) => {
    const { ask } = open()
    expect(await ask(question)).toBe('answer 1')
    expect(await ask(question, where)).toBe('answer 2')
    expect(await ask(question, where)).toBe('answer 2')
    expect(await ask(question)).toBe('answer 1')
  })

  it('T03 another endpoint makes another key, and so does another provider of the same words', async () => {
    const { ask, origin } = open()
    const body = { ...question, max_tokens: 10, prompt: 'Hi', input: 'Hi' }
    const paths = ['/chat/completions', '/completions', '/responses', '/messages']
    for (const path of paths) await ask(body, { url: `${base}${path}` })
    expect(origin.calls).toBe(paths.length)
  })

  it('T03 context and variant make another key', async () => {
    const { cache, origin } = open()
    const sdk = client(cache, origin)
    const options = [
      {},
      { context: 1 },
      { context: '1' },
      { context: { a: 1 } },
      { context: false },
      { variant: 1 },
      { variant: 2 },
      { context: 1, variant: 1 },
    ]
    for (const each of options) expect((await create(sdk, each)).info?.hit).toBe(false)
    for (const each of options) expect((await create(sdk, each)).info?.hit).toBe(true)
    expect(origin.calls).toBe(options.length)
  })

  it('T03 a field that is ignored by default counts when the user keeps it', async () => {
    const { ask } = open({ key: { keep: ['user', 'service_tier'] } })
    expect(await ask({ ...question, user: 'a' })).not.toBe(await ask({ ...question, user: 'b' }))
    expect(await ask({ ...question, service_tier: 'flex' })).not.toBe(await ask({ ...question, service_tier: 'default' }))
    expect(await ask({ ...question, user: 'a', metadata: { a: '1' } })).toBe(await ask({ ...question, user: 'a' }))
  })
})

describe('T04 what cannot change an answer', () => {
  it.each<[string, JsonObject]>([
    ['user', { user: 'bob' }],
    ['safety_identifier', { safety_identifier: 'bob' }],
    ['metadata', { metadata: { run: '17' } }],
    ['service_tier', { service_tier: 'priority' }],
    ['prompt_cache_key', { prompt_cache_key: 'k' }],
    ['stream', { stream: true }],
    ['stream_options', { stream: true, stream_options: { include_usage: true } }],
  ])('T04 %s shares the answer', async (_, more) => {
    const { ask, fetch, origin } = open()
    expect(await ask(question)).toBe('answer 1')
    const response = await fetch(chatUrl, { method: 'POST', body: JSON.stringify({ ...question, ...more }) })
    expect(await response.text()).toContain('answer 1')
    expect(response.headers.get('content-type')).toContain(more['stream'] === true ? 'text/event-stream' : 'application/json')
    expect(origin.calls).toBe(1)
  })

  it.each(['Idempotency-Key', 'X-Stainless-Retry-Count', 'traceparent', 'baggage', 'X-Request-Id', 'User-Agent', 'Content-Length'])(
    'T04 the header %s shares the answer',
    async (name) => {
      const { ask } = open()
      expect(await ask(question, { headers: { [name]: '1' } })).toBe(await ask(question, { headers: { [name]: '2' } }))
    },
  )

  it('T04 the order of members, white space between them, and members that are undefined share the answer', async () => {
    const { cache, origin, ask } = open()
    const first = await ask(question)
    expect(await ask(`{ "messages": [ {\n"content": "What is the answer?", "role": "user" } ],\t"model": "gpt-5-mini" }`)).toBe(first)
    expect(await ask('{"messages":[{"content":"\\u0057hat is the answer?","role":"user"}],"model":"gpt-5-mini"}')).toBe(first)
    const sdk = client(cache, origin)
    const { text } = await create(sdk)
    expect(await create(sdk, {}, { temperature: undefined, tools: undefined })).toMatchObject({ text, info: { hit: true } })
    expect(await create(sdk, { ttl: '5m' })).toMatchObject({ text, info: { hit: true } })
  })

  it('T04 bytes, text and a Request of one body share the answer', async () => {
    const { ask, fetch } = open()
    const first = await ask(question)
    expect(await ask(new TextEncoder().encode(JSON.stringify(question)))).toBe(first)
    const request = new Request(chatUrl, { method: 'POST', body: JSON.stringify(question) })
    expect(textIn(await (await fetch(request)).text())).toBe(first)
  })

  it('G44 a prefix of headers that the user ignores shares the answer', async () => {
    const { ask } = open({ key: { ignoreHeaders: ['X-Run-*', 'x-step'] } })
    const first = await ask(question, { headers: { 'x-run-id': 'a', 'X-Run-Name': 'b', 'X-Step': '1' } })
    expect(await ask(question, { headers: { 'x-run-id': 'c', 'x-step': '2' } })).toBe(first)
    expect(await ask(question, { headers: { 'x-runner': 'c' } })).not.toBe(first)
    for (const wrong of ['*', 'x-*-id', '']) expect(() => open({ key: { ignoreHeaders: [wrong] } })).toThrow('key.ignoreHeaders')
  })

  it('T04 what the user ignores shares the answer', async () => {
    const { ask } = open({ key: { ignore: ['seed'], ignoreHeaders: ['X-Tenant'] } })
    expect(await ask({ ...question, seed: 1 }, { headers: { 'x-tenant': 'a' } })).toBe(
      await ask({ ...question, seed: 2 }, { headers: { 'x-tenant': 'b' } }),
    )
  })
})

describe('T05 numbers, and what is no JSON', () => {
  it.each([
    ['1', '1.0'],
    ['1', '10e-1'],
    ['0', '-0'],
    ['1e21', '1000000000000000000000'],
    ['0.1', '0.10'],
  ])('T05 %s and %s are one number', async (one, other) => {
    const { ask } = open()
    expect(await ask(withSeed(one))).toBe(await ask(withSeed(other)))
  })

  it.each([
    ['1', '"1"'],
    ['0', 'null'],
    ['0', 'false'],
    ['0.1', '0.10000000000000002'],
    ['9007199254740991', '9007199254740990'],
    ['9007199254740993', '9007199254740992'],
    ['18446744073709551615', '18446744073709551614'],
    ['1e400', '1e500'],
  ])('T05 %s and %s are two', async (one, other) => {
    const { ask } = open()
    expect(await ask(withSeed(one))).not.toBe(await ask(withSeed(other)))
  })

  it.each<[string, unknown]>([
    ['NaN', Number.NaN],
    ['-Infinity', -Infinity],
    ['a Map', new Map([['a', 1]])],
    ['a Set', new Set([1])],
    ['a RegExp', /a/],
    ['a Promise', Promise.resolve(1)],
    ['a function', () => 1],
    ['a symbol', Symbol('a')],
    ['a Float32Array', new Float32Array([1])],
    ['undefined in an array', [undefined]],
  ])('T05 %s in a request goes past the cache, and the caller gets its answer', async (_, value) => {
    const { cache, origin } = open()
    const sdk = client(cache, origin)
    expect(await create(sdk, {}, { extra: value })).toMatchObject({
      text: 'answer 1',
      info: { hit: false, reason: 'not keyable', stored: false },
    })
    expect(await create(sdk, {}, { extra: value })).toMatchObject({ text: 'answer 2' })
    expect(await create(sdk, { context: { extra: value } })).toMatchObject({ text: 'answer 3', info: { reason: 'not keyable' } })
    expect(cache.stats()).toMatchObject({ bypasses: 3, bypassReasons: { 'not keyable': 3 }, errors: 0 })
    expect(cache.memory().entries).toBe(0)
  })

  it('T05 a Date in a request is what is sent of it', async () => {
    const { cache, origin } = open()
    const sdk = client(cache, origin)
    await create(sdk, {}, { extra: new Date(0) })
    expect((await create(sdk, {}, { extra: '1970-01-01T00:00:00.000Z' })).info?.hit).toBe(true)
    expect((await create(sdk, {}, { extra: new Date(1) })).info?.hit).toBe(false)
  })

  it('T05 an object whose own code throws goes past the cache, and fails as it would without us', async () => {
    const { cache, origin } = open()
    const sdk = client(cache, origin)
    const broken = new RangeError('mine')
    const value = {
      toJSON() {
        throw broken
      },
    }
    await expect(create(sdk, {}, { extra: value })).rejects.toBe(broken)
    expect(await create(sdk, { context: value })).toMatchObject({ text: 'answer 1', info: { reason: 'not keyable' } })
  })

  it('B10 a request of a hundred thousand levels goes past the cache', async () => {
    const { cache, ask } = open()
    const deep = `{"model":"m","messages":[],"deep":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    expect(await ask(deep)).not.toBe(await ask(deep))
    expect(cache.stats()).toMatchObject({ bypasses: 2, misses: 0 })
  })

  it('B09 __proto__ and its like in a request are data', async () => {
    const { ask } = open()
    const texts = ['{}', '{"__proto__":{"a":1}}', '{"__proto__":{"a":2}}', '{"constructor":{"prototype":{"a":1}}}', '{"toString":1}']
    const answers: string[] = []
    for (const text of texts) answers.push(await ask(`{"model":"m","messages":[],${text.slice(1)}`.replace(',}', '}')))
    expect(new Set(answers).size).toBe(texts.length)
    expect(Reflect.get({}, 'a')).toBeUndefined()
  })
})

describe('T06 images and files', () => {
  it('T06 the same bytes under another type, with another detail, or with another last byte are other images', async () => {
    const { ask, origin } = open()
    const images = [
      image(`data:image/png;base64,${pixels}`),
      image(`data:image/jpeg;base64,${pixels}`),
      image(`data:image/png;base64,${pixels}`, 'low'),
      image(`data:image/png;base64,${pixels}`, 'high'),
      image(`data:image/png;base64,${pixels.slice(0, -1)}A`),
    ]
    for (const each of images) await ask(each)
    expect(origin.calls).toBe(images.length)
    for (const each of images) await ask(each)
    expect(origin.calls).toBe(images.length)
  })

  it('T06 images by URL are told apart by it, and never fetched', async () => {
    const { ask, origin } = open()
    const urls = [
      'https://example.org/cat.png',
      'https://example.org/cat.png?v=2',
      'https://example.org/cat.png#x',
      'HTTPS://example.org/cat.png',
      'https://example.org/dog.png',
    ]
    for (const url of [...urls, ...urls]) await ask(image(url))
    expect(origin.urls).toEqual(urls.map(() => chatUrl))
  })

  it('T06 a file is told apart by its bytes, its type, its format and the fields beside it', async () => {
    const { ask, origin } = open()
    const url = `${base}/audio/transcriptions`
    const forms: readonly Parameters<typeof form>[] = [
      ['sound', 'audio/wav', 'a.wav'],
      ['Sound', 'audio/wav', 'a.wav'],
      ['sound', 'audio/mpeg', 'a.wav'],
      ['sound', 'audio/wav', 'a.mp3'],
      ['sound', 'audio/wav', 'a.wav', 'de'],
    ]
    for (const each of forms) await ask(form(...each), { url })
    expect(origin.calls).toBe(forms.length)
    expect(await ask(form('sound', 'audio/wav', 'a.wav'), { url })).toBe('answer 1')
    // The name itself changes no answer.
    expect(await ask(form('sound', 'audio/wav', 'b.wav'), { url })).toBe('answer 1')
  })
})

describe('T07 credentials', () => {
  it.each<[string, Record<string, string>, Record<string, string>]>([
    ['keys', { authorization: 'Bearer a' }, { authorization: 'Bearer b' }],
    ['Azure keys', { 'api-key': 'a' }, { 'api-key': 'b' }],
    ['organisations', { authorization: 'Bearer a', 'openai-organization': 'a' }, { authorization: 'Bearer a', 'openai-organization': 'b' }],
    ['projects', { authorization: 'Bearer a', 'openai-project': 'a' }, { authorization: 'Bearer a', 'openai-project': 'b' }],
    ['sessions', { cookie: 'session=a' }, { cookie: 'session=b' }],
    ['kinds of key', { authorization: 'a' }, { 'x-api-key': 'a' }],
  ])('T07 two %s share nothing, and each finds its own again', async (_, one, other) => {
    const { ask, origin } = open()
    for (const headers of [one, other, {}]) await ask(question, { headers })
    expect(origin.calls).toBe(3)
    for (const headers of [one, other, {}]) await ask(question, { headers })
    expect(origin.calls).toBe(3)
  })

  it('T07 a scope, of the cache or of the call, takes the place of the credential', async () => {
    const { cache, origin, ask } = open({ scope: 'acme' })
    expect(await ask(question, { headers: { authorization: 'Bearer a' } })).toBe(
      await ask(question, { headers: { authorization: 'Bearer b' } }),
    )
    const [first, second] = [client(cache, origin, { apiKey: 'sk-1' }), client(cache, origin, { apiKey: 'sk-2' })]
    const { text } = await create(first)
    expect(await create(second)).toMatchObject({ text, info: { hit: true, scope: 'acme' } })
    expect((await create(second, { scope: 'bob' })).info).toMatchObject({ hit: false, scope: 'bob' })
    expect((await create(first, { scope: 'bob' })).info).toMatchObject({ hit: true, scope: 'bob' })
  })

  it('T07 a scope is no credential in clear', async () => {
    const { cache, origin } = open()
    const { info } = await create(client(cache, origin, { apiKey: 'sk-secret' }))
    expect(info?.scope).toMatch(/^[0-9a-f]{64}$/)
    expect(JSON.stringify(info)).not.toContain('sk-secret')
  })
})

describe('T08 the whole key', () => {
  it('T08 is 64 hex digits', async () => {
    const { cache, origin } = open()
    const infos = [await create(client(cache, origin)), await create(client(cache, origin), { variant: 1 })].map(({ info }) => info?.key)
    for (const key of infos) expect(key).toMatch(/^[0-9a-f]{64}$/)
    expect(new Set(infos).size).toBe(2)
  })

  it('T08 B04 a store that answers with the entry of another key or scope is not believed', async () => {
    const [entries, others] = [new Map<string, Uint8Array>(), new Map<string, Uint8Array>()]
    // Gives any entry for any other, as a store that compares but a part of a key would.
    const mixing: Store = {
      name: 'mixing',
      get: (key) => (/:v1:[0-9a-f]{64}$/.test(key) ? entries.values().next().value : others.get(key)),
      set: (key, value) => void (/:v1:[0-9a-f]{64}$/.test(key) ? entries : others).set(key, value),
      delete: (key) => void entries.delete(key),
    }
    const first = open({ store: mixing })
    expect(await first.ask(question)).toBe('answer 1')
    await first.cache.flush()
    expect(entries.size).toBe(1)
    const second = open({ store: mixing })
    second.origin.urls.push('so that its answers have other numbers')
    expect(await second.ask({ ...question, seed: 1 })).toBe('answer 2')
    expect(await second.ask(question, { headers: { authorization: 'Bearer other' } })).toBe('answer 3')
    expect(second.errors()).toEqual(['foreign', 'foreign'])
    // The right one is found still.
    expect(await second.ask(question)).toBe('answer 1')
  })
})

describe('T09 what one tenant can see of another', () => {
  it('T09 of what another tenant asked there is nothing to be seen', async () => {
    const { cache, origin } = open()
    const [first, second] = [client(cache, origin, { apiKey: 'sk-1' }), client(cache, origin, { apiKey: 'sk-2' })]
    const { info: asked } = await create(first)
    const { data, response } = await second.chat.completions
      .create({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] })
      .withResponse()
    expect(cacheInfo(data)).toMatchObject({ hit: false, source: 'origin', age: 0, stale: false, savedUsd: 0, savedTokens: 0, savedMs: 0 })
    expect(cacheInfo(data)?.key).not.toBe(asked?.key)
    // As in a cache that was never asked anything.
    expect([response.headers.get('age'), response.headers.get('cache-status')]).toEqual([null, 'llmemo; fwd=miss; stored'])
    expect((await create(first)).info?.hit).toBe(true)
  })

  it('T09 not even to a caller that only reads the cache', async () => {
    const { cache, origin } = open()
    await create(client(cache, origin, { apiKey: 'sk-1' }))
    const other = client(cache, origin, { apiKey: 'sk-2' })
    await expect(create(other, { mode: 'only-if-cached' })).rejects.toMatchObject({ status: 504 })
    await expect(create(other, { mode: 'only-if-cached', scope: 'never heard of' })).rejects.toMatchObject({ status: 504 })
    expect(origin.calls).toBe(1)
  })

  it('T09 nor to a caller at the same time: flights are not shared either', async () => {
    const { cache, origin } = open()
    const answers = await Promise.all(['sk-1', 'sk-2', 'sk-1', 'sk-2'].map((apiKey) => create(client(cache, origin, { apiKey }))))
    expect(new Set(answers.map(({ text }) => text)).size).toBe(2)
    expect(answers[0]?.text).toBe(answers[2]?.text)
    expect(origin.calls).toBe(2)
  })
})

describe('T10 a flood by one tenant', () => {
  it('T10 takes nothing from another, and pays for itself', async () => {
    const { cache, ask, origin, told } = open({ maxMemoryBytes: 200_000 })
    const quiet = { headers: { authorization: 'Bearer quiet' } }
    const loud = { headers: { authorization: 'Bearer loud' } }
    const hot = Array.from({ length: 10 }, (_, index) => asking(`hot ${index}`))
    const answers: string[] = []
    for (const each of hot) answers.push(await ask(each, quiet))
    for (let number = 0; number < 1_000; number++) {
      await ask(asking(`flood ${number}`), loud)
      expect(cache.memory().bytes).toBeLessThanOrEqual(200_000)
    }
    expect(told.events.filter(({ name }) => name === 'evict').length).toBeGreaterThan(800)
    const before = origin.calls
    for (const [index, each] of hot.entries()) expect(await ask(each, quiet)).toBe(answers[index])
    expect(origin.calls).toBe(before)
    // The last answer of the loud tenant is still there for it.
    await ask(asking('flood 999'), loud)
    expect(origin.calls).toBe(before)
  })

  it('T10 I4 leaves nothing behind: no open flight, no timer, no unhandled rejection', async () => {
    const unhandled: unknown[] = []
    const note = (reason: unknown) => void unhandled.push(reason)
    process.on('unhandledRejection', note)
    const { ask, clock } = open({ maxMemoryBytes: 20_000 })
    await Promise.all(
      Array.from({ length: 200 }, (_, number) =>
        ask({ ...question, seed: number }, { headers: { authorization: `Bearer ${number % 3}` } }),
      ),
    )
    await settle()
    process.off('unhandledRejection', note)
    expect(unhandled).toEqual([])
    expect(clock.timers).toBe(0)
  })
})
