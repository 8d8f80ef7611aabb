/**
 * Faults that were found in 0.1.0 and that make two different requests one, through the doors that a user has.
 * @module
 */
import { BedrockRuntimeClient, ConverseCommand, InvokeModelCommand } from '@aws-sdk/client-bedrock-runtime'
import { describe, expect, it } from 'vitest'
import { cachingFetch, withCache } from '../../src/clients/with-cache.ts'
import type { CacheRequest } from '../../src/cache/cache.ts'
import type { CacheOptions } from '../../src/engine/settings/options.ts'
import { memoryStore } from '../../src/stores/memory-store.ts'
import type { Store } from '../../src/store.ts'
import { openCache } from '../support/chat.ts'
import { changedAt, type Place } from '../support/json-values.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { completion } from '../support/openai-answers.ts'

const own = 'https://api.openai.com/v1'

/** A cache over a provider without a socket, which numbers its answers. */
function open(options: CacheOptions = {}) {
  const clock = new ManualClock()
  const { cache } = openCache({ clock, ...options })
  let calls = 0
  const fetch = cachingFetch(cache, async (input) => {
    const text = `answer ${++calls}`
    const url = input instanceof Request ? input.url : String(input)
    return Response.json(url.includes('/audio/') ? { text } : completion(text))
  })
  const ask = async (body: string | FormData | object, url = `${own}/chat/completions`, headers: Record<string, string> = {}) => {
    const given = typeof body === 'string' || body instanceof FormData ? body : JSON.stringify(body)
    const answer = await (await fetch(url, { method: 'POST', headers, body: given })).text()
    return /answer \d+/.exec(answer)?.[0]
  }
  const keyOf = (request: CacheRequest): string => cache.explain(request).key
  return { cache, clock, ask, keyOf }
}

/** A client of Bedrock whose service is a function. */
function bedrock(answer: (body: string) => Promise<object>): BedrockRuntimeClient {
  return new BedrockRuntimeClient({
    region: 'eu-west-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    requestHandler: {
      async handle(request: { body?: unknown }) {
        const body = new TextEncoder().encode(JSON.stringify(await answer(String(request.body))))
        return { response: { statusCode: 200, headers: { 'content-type': 'application/json' }, body } }
      },
    },
  })
}

/** A value with the members of each object in the opposite order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, member]) => [name, reversed(member)]),
  )
}

const schema = {
  type: 'object',
  properties: { verdict: { type: 'string' }, reasoning: { type: 'array', items: { $ref: '#/$defs/step', title: 'Step' } } },
  $defs: { step: { type: 'object', properties: { b: { type: 'string' }, a: { type: 'string' } } } },
}
const chat = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] }
const text = { role: 'user', content: [{ type: 'text', text: 'Hi' }] }
const converse = { provider: 'aws-bedrock', endpoint: 'converse', origin: 'bedrock-runtime.eu-west-1' }
const invoke = { ...converse, endpoint: 'invoke' }
const messages = { provider: 'anthropic', endpoint: 'messages' }

const withSchema = (given: unknown) => ({ ...chat, response_format: { type: 'json_schema', json_schema: { name: 's', schema: given } } })
const guidedBy = (members: string) => `{"model":"m","messages":[],"guided_json":{${members}}}`
const imageOf = (bytes: unknown) => [{ image: { format: 'png', source: { bytes } } }]
const withImage = (given: unknown): CacheRequest => ({
  ...converse,
  body: { model: 'm', messages: [{ role: 'user', content: imageOf(given) }] },
})
const atGateway = (body: object): CacheRequest => ({ endpoint: 'chat.completions', origin: 'http://localhost:4000', body })

/** A store whose client puts a prefix before each key, as the `keyPrefix` of ioredis. */
function prefixed(store: Store, prefix: string): Store {
  return {
    name: 'prefixed',
    get: (key, options) => store.get(prefix + key, options),
    set: (key, value, options) => store.set(prefix + key, value, options),
    delete: (key) => store.delete(prefix + key),
  }
}

/** A request, and the place of free-form JSON in it. */
type FreeForm = readonly [name: string, request: CacheRequest, place: Place]
const freeForms: readonly FreeForm[] = [
  [
    'response_format of chat',
    { endpoint: 'chat.completions', body: { ...chat, response_format: { type: 'json_schema', json_schema: { name: 's', schema } } } },
    ['response_format', 'json_schema', 'schema'],
  ],
  [
    'response_format of a server of the same protocol',
    { endpoint: 'chat.completions', body: { ...chat, response_format: { type: 'json_object', schema } } },
    ['response_format', 'schema'],
  ],
  [
    'parameters of a tool',
    { endpoint: 'chat.completions', body: { ...chat, tools: [{ type: 'function', function: { name: 'f', parameters: schema } }] } },
    ['tools', 0, 'function', 'parameters'],
  ],
  [
    'parameters of a function',
    { endpoint: 'chat.completions', body: { ...chat, functions: [{ name: 'f', parameters: schema }] } },
    ['functions', 0, 'parameters'],
  ],
  ['guided_json of vLLM', { endpoint: 'chat.completions', body: { ...chat, guided_json: schema } }, ['guided_json']],
  [
    'an unknown field',
    { endpoint: 'chat.completions', body: { ...chat, a_field_of_tomorrow: [{ x: 1, y: { b: 1, a: 2 } }] } },
    ['a_field_of_tomorrow'],
  ],
  [
    'an unknown member of a message',
    { endpoint: 'chat.completions', body: { model: 'm', messages: [{ role: 'user', content: 'Hi', notes: { b: 1, a: 2 } }] } },
    ['messages', 0, 'notes'],
  ],
  [
    'text.format of responses',
    { endpoint: 'responses', body: { model: 'm', input: 'Hi', text: { format: { type: 'json_schema', name: 's', schema } } } },
    ['text', 'format', 'schema'],
  ],
  [
    'parameters of a tool of responses',
    { endpoint: 'responses', body: { model: 'm', input: 'Hi', tools: [{ type: 'function', name: 'f', parameters: schema }] } },
    ['tools', 0, 'parameters'],
  ],
  [
    'variables of a prompt',
    { endpoint: 'responses', body: { model: 'm', input: 'Hi', prompt: { id: 'p', variables: { b: '1', a: '2' } } } },
    ['prompt', 'variables'],
  ],
  ['input_schema', { ...messages, body: { ...chat, tools: [{ name: 'f', input_schema: schema }] } }, ['tools', 0, 'input_schema']],
  [
    'input_examples',
    { ...messages, body: { ...chat, tools: [{ name: 'f', input_schema: {}, input_examples: [{ b: 1, a: 2 }] }] } },
    ['tools', 0, 'input_examples'],
  ],
  [
    'output_config',
    { ...messages, body: { ...chat, output_config: { format: { type: 'json_schema', schema } } } },
    ['output_config', 'format', 'schema'],
  ],
  ['output_format', { ...messages, body: { ...chat, output_format: { type: 'json_schema', schema } } }, ['output_format', 'schema']],
  [
    'the input of a tool',
    {
      ...messages,
      body: {
        model: 'm',
        messages: [{ role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'f', input: { b: 1, a: { d: 1, c: 2 } } }] }],
      },
    },
    ['messages', 0, 'content', 0, 'input'],
  ],
  [
    'a schema whose names are those of the protocol',
    {
      ...messages,
      body: {
        ...chat,
        tools: [{ name: 'f', input_schema: { type: 'object', properties: { source: { b: 1, a: 2 }, content: { b: 1, a: 2 } } } }],
      },
    },
    ['tools', 0, 'input_schema'],
  ],
  [
    'inputSchema of Converse',
    {
      ...converse,
      body: { model: 'm', messages: [], toolConfig: { tools: [{ toolSpec: { name: 'f', inputSchema: { json: schema } } }] } },
    },
    ['toolConfig', 'tools', 0, 'toolSpec', 'inputSchema', 'json'],
  ],
  [
    'the input of a tool of Converse',
    {
      ...converse,
      body: { model: 'm', messages: [{ role: 'assistant', content: [{ toolUse: { toolUseId: 't', name: 'f', input: { b: 1, a: 2 } } }] }] },
    },
    ['messages', 0, 'content', 0, 'toolUse', 'input'],
  ],
  [
    'the JSON result of a tool of Converse',
    {
      ...converse,
      body: {
        model: 'm',
        messages: [{ role: 'user', content: [{ toolResult: { toolUseId: 't', content: [{ json: { b: 1, a: 2 } }] } }] }],
      },
    },
    ['messages', 0, 'content', 0, 'toolResult', 'content', 0, 'json'],
  ],
  [
    'additionalModelRequestFields',
    { ...converse, body: { model: 'm', messages: [], additionalModelRequestFields: { tools: [{ b: 1, a: 2 }], k: 1 } } },
    ['additionalModelRequestFields'],
  ],
  [
    'a schema in a body of InvokeModel',
    { ...invoke, body: { model: 'm', body: { ...chat, tools: [{ type: 'function', function: { name: 'f', parameters: schema } }] } } },
    ['body', 'tools', 0, 'function', 'parameters'],
  ],
  [
    'a schema in a body of Nova',
    {
      ...invoke,
      body: { model: 'm', body: { messages: [], toolConfig: { tools: [{ toolSpec: { name: 'f', inputSchema: { json: schema } } }] } } },
    },
    ['body', 'toolConfig', 'tools', 0, 'toolSpec', 'inputSchema', 'json'],
  ],
  [
    'a schema in a body of Anthropic',
    { ...invoke, endpoint: 'invoke.messages', body: { model: 'm', body: { ...chat, tools: [{ name: 'f', input_schema: schema }] } } },
    ['body', 'tools', 0, 'input_schema'],
  ],
  ['an unknown part of a body of InvokeModel', { ...invoke, body: { model: 'm', body: { prompt: 'Hi', schema } } }, ['body', 'schema']],
]

describe('G07 the order of members', () => {
  it.each(freeForms)('G07 counts in free-form JSON: %s', (_, request, place) => {
    const { cache, keyOf } = open()
    const other = { ...request, body: Object(changedAt(request.body, place, reversed)) }
    expect(keyOf(other)).not.toBe(keyOf(request))
    // The first difference is within the free-form JSON.
    const path = place.reduce<string>((before, step) => (typeof step === 'number' ? `${before}[${step}]` : `${before}.${step}`), 'request')
    const found: unknown = Reflect.get(cache.explain(request, other), 'path')
    expect(String(found).startsWith(path)).toBe(true)
  })

  it.each(freeForms)('G07 makes no difference in the protocol’s own objects around it: %s', (_, request, place) => {
    const { keyOf } = open()
    const names = place.map(String)
    const free = names.reduce<unknown>((value, name) => Reflect.get(Object(value), name), request.body)
    // Everything is reversed, except the free-form part.
    const around = Object(changedAt(reversed(request.body), place, () => free))
    expect(keyOf({ ...request, body: around })).toBe(keyOf(request))
  })

  it.each<readonly [string, CacheRequest]>([
    [
      'chat',
      {
        endpoint: 'chat.completions',
        body: {
          ...chat,
          messages: [text, { role: 'user', content: [{ type: 'image_url', image_url: { url: 'u', detail: 'low' } }] }],
          logit_bias: { 1: 1, x: 2 },
          stop: ['a'],
        },
      },
    ],
    [
      'responses',
      {
        endpoint: 'responses',
        body: {
          model: 'm',
          input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'u', detail: 'low' }] }],
          reasoning: { effort: 'low', summary: 'auto' },
        },
      },
    ],
    [
      'messages',
      {
        ...messages,
        body: {
          ...chat,
          messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } }] }],
          thinking: { type: 'enabled', budget_tokens: 1 },
        },
      },
    ],
    [
      'Converse',
      {
        ...converse,
        body: { model: 'm', messages: [{ role: 'user', content: [{ text: 'Hi' }] }], inferenceConfig: { topP: 1, maxTokens: 9 } },
      },
    ],
    ['InvokeModel', { ...invoke, body: { model: 'm', body: { inputText: 'Hi', textGenerationConfig: { topP: 1, temperature: 0 } } } }],
  ])('G07 T04 makes no difference in the objects of %s', (_, request) => {
    const { keyOf } = open()
    expect(keyOf({ ...request, body: Object(reversed(request.body)) })).toBe(keyOf(request))
  })

  it('G07 two schemas in different orders are two answers, through a client as well', async () => {
    const { ask } = open()
    expect([await ask(withSchema(schema)), await ask(withSchema(reversed(schema))), await ask(withSchema(schema))]).toEqual([
      'answer 1',
      'answer 2',
      'answer 1',
    ])
  })

  it('G07 a name that JavaScript moves makes a raw text not keyable', async () => {
    const { cache, ask } = open()
    await ask(guidedBy('"b":1,"2":2'))
    await ask(guidedBy('"2":2,"b":1'))
    expect(await ask(guidedBy('"2":2,"b":1'))).toBe('answer 2')
    expect(cache.stats()).toMatchObject({ bypassReasons: { 'not keyable': 1 } })
  })
})

describe('G08 folding', () => {
  const fold = { key: { fold: ['letter-case', 'white-space', 'unicode-form'] } } as const
  it.each<readonly [string, CacheRequest, CacheRequest]>([
    [
      'base64 of an image',
      { ...messages, body: { model: 'm', messages: [{ role: 'user', content: [{ type: 'image', source: { data: 'AAAA' } }] }] } },
      { ...messages, body: { model: 'm', messages: [{ role: 'user', content: [{ type: 'image', source: { data: 'aaaa' } }] }] } },
    ],
    [
      'a data URL',
      {
        endpoint: 'chat.completions',
        body: {
          model: 'm',
          messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }] }],
        },
      },
      {
        endpoint: 'chat.completions',
        body: {
          model: 'm',
          messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,aaaa' } }] }],
        },
      },
    ],
    [
      'an image of responses',
      { endpoint: 'responses', body: { model: 'm', input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'AAAA' }] }] } },
      { endpoint: 'responses', body: { model: 'm', input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'aaaa' }] }] } },
    ],
    [
      'a data URL in a text',
      { endpoint: 'chat.completions', body: { model: 'm', messages: [{ role: 'user', content: '![](data:image/png;base64,AAAA)' }] } },
      { endpoint: 'chat.completions', body: { model: 'm', messages: [{ role: 'user', content: '![](data:image/png;base64,aaaa)' }] } },
    ],
    ['a model id', { endpoint: 'chat.completions', body: { ...chat, model: 'M' } }, { endpoint: 'chat.completions', body: chat }],
    [
      'stop',
      { endpoint: 'chat.completions', body: { ...chat, stop: ['END'] } },
      { endpoint: 'chat.completions', body: { ...chat, stop: ['end'] } },
    ],
    [
      'an enum',
      { endpoint: 'chat.completions', body: { ...chat, response_format: { json_schema: { schema: { enum: ['A'] } } } } },
      { endpoint: 'chat.completions', body: { ...chat, response_format: { json_schema: { schema: { enum: ['a'] } } } } },
    ],
    [
      'the input of a tool',
      { ...converse, body: { model: 'm', messages: [{ role: 'assistant', content: [{ toolUse: { input: { id: 'A' } } }] }] } },
      { ...converse, body: { model: 'm', messages: [{ role: 'assistant', content: [{ toolUse: { input: { id: 'a' } } }] }] } },
    ],
    [
      'a name',
      { endpoint: 'chat.completions', body: { model: 'm', messages: [{ role: 'user', name: 'Bob', content: 'Hi' }] } },
      { endpoint: 'chat.completions', body: { model: 'm', messages: [{ role: 'user', name: 'bob', content: 'Hi' }] } },
    ],
  ])('G08 leaves alone what is no prose: %s', (_, first, second) => {
    const { keyOf } = open(fold)
    expect(keyOf(first)).not.toBe(keyOf(second))
  })

  it.each<readonly [string, (said: string) => CacheRequest]>([
    ['chat', (said) => ({ endpoint: 'chat.completions', body: { model: 'm', messages: [{ role: 'system', content: said }] } })],
    [
      'parts of chat',
      (said) => ({
        endpoint: 'chat.completions',
        body: {
          model: 'm',
          messages: [
            {
              role: 'user',
              content: [
                { type: 'text', text: said },
                { type: 'text', text: 'x' },
              ],
            },
          ],
        },
      }),
    ],
    ['responses', (said) => ({ endpoint: 'responses', body: { model: 'm', input: said } })],
    ['instructions', (said) => ({ endpoint: 'responses', body: { model: 'm', input: 'Hi', instructions: said } })],
    ['messages', (said) => ({ ...messages, body: { model: 'm', messages: [{ role: 'user', content: said }] } })],
    ['system', (said) => ({ ...messages, body: { model: 'm', system: [{ type: 'text', text: said }], messages: [] } })],
    ['Converse', (said) => ({ ...converse, body: { model: 'm', messages: [{ role: 'user', content: [{ text: said }] }] } })],
    ['completions', (said) => ({ endpoint: 'completions', body: { model: 'm', prompt: said } })],
  ])('G08 applies to the text of messages: %s', (_, asking) => {
    const { keyOf } = open(fold)
    expect(keyOf(asking('WHY  caf\u00e9?'))).toBe(keyOf(asking('why cafe\u0301?')))
    expect(open().keyOf(asking('WHY?'))).not.toBe(open().keyOf(asking('why?')))
  })
})

describe('G09 what JSON can spell', () => {
  it.each([
    '{"model":"m","messages":[1],"messages":[]}',
    '{"model":"m","messages":[],"mess\\u0061ges":[]}',
    '{ "model": "m", "messages": [{ "role": "user", "content": "a", "content": "b" }] }',
    '{"model":"m","messages":[],"a":"\\\\","a":"\\""}',
    '{"model":"m","messages":[],"x":[{"y":{"1":1,"1":2}}]}',
  ])('G09 a body with a member twice has no key: %s', async (body) => {
    const { cache, ask } = open()
    expect([await ask(body), await ask(body)]).toEqual(['answer 1', 'answer 2'])
    expect(cache.stats()).toMatchObject({ bypassReasons: { 'not keyable': 2 }, stored: 0 })
  })

  it.each([
    '{ "model": "m", "messages": [ {"role": "user", "content": "a\\"b\\\\"}, {"role": "user", "content": "{\\"a\\":1,\\"a\\":2}"} ] }',
    '{"model":"m", "messages":[{"a":1},{"a":1}], "a":{"a":{"a":[]}}}',
  ])('G09 a body with a name in several objects has one: %s', async (body) => {
    const { ask } = open()
    expect([await ask(body), await ask(body)]).toEqual(['answer 1', 'answer 1'])
  })

  it('G09 a body of InvokeModel with a member twice has no key', async () => {
    const { cache } = open()
    const bodies: string[] = []
    const client = withCache(
      bedrock(async (body) => {
        bodies.push(body)
        return { generation: `answer ${bodies.length}`, stop_reason: 'stop' }
      }),
      cache,
    )
    const ask = async (body: string) => new TextDecoder().decode((await client.send(new InvokeModelCommand({ modelId: 'm', body }))).body)
    for (const body of ['{"prompt":"b"}', '{"prompt":"a","prompt":"b"}', '{"prompt":"a","prompt":"b"}']) await ask(body)
    expect(bodies).toHaveLength(3)
    expect(cache.stats()).toMatchObject({ bypassReasons: { 'not keyable': 2 }, stored: 1 })
  })

  it('G09 no JSON body gets the answer to a file', async () => {
    const { ask } = open()
    const url = `${own}/audio/transcriptions`
    const form = new FormData()
    form.append('model', 'whisper-1')
    form.append('file', new File(['sound'], 'a.wav', { type: 'audio/wav' }))
    expect(await ask(form, url)).toBe('answer 1')
    const digest = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from('sound'))).toString('hex')
    const spelled = { model: 'whisper-1', file: { ending: '.wav', file: digest, length: 5, type: 'audio/wav' } }
    expect(await ask(spelled, url)).toBe('answer 2')
    expect(await ask(spelled, url, { 'content-type': 'multipart/form-data' })).toBe('answer 2')
    expect(await ask(form, url)).toBe('answer 1')
  })

  it('G09 only bytes stand for the bytes of Converse', async () => {
    const { cache } = open()
    let calls = 0
    const client = withCache(
      bedrock(async () => ({
        output: { message: { role: 'assistant', content: [{ text: `answer ${++calls}` }] } },
        stopReason: 'end_turn',
      })),
      cache,
    )
    const bytes = new Uint8Array([1, 2])
    const command = {
      modelId: 'm',
      messages: [{ role: 'user' as const, content: [{ image: { format: 'png' as const, source: { bytes } } }] }],
    }
    await client.send(new ConverseCommand(command))
    expect(await cache.lookup(withImage({ $bytes: 'AQI=' }))).toBeUndefined()
    expect(await cache.lookup(withImage({ $$bytes: 'AQI=' }))).toBeUndefined()
    expect(await cache.lookup(withImage(bytes))).toMatchObject({ info: { hit: true } })
    expect(await cache.lookup({ ...withImage(bytes), body: { model: 'm', messages: [() => 1] } })).toBeUndefined()
  })
})

describe('G10 names in one store', () => {
  it('G10 a prefix of the client and a namespace never make the name of another namespace', async () => {
    const clock = new ManualClock()
    const store = memoryStore({ clock })
    const texts = ['', 'x', 'xy', 'y', 'x:', 'x:y', 'llmemo/', 'llmemo/x:', 'kv', 'v1', '/']
    const caches = texts.flatMap((prefix) =>
      texts.map((namespace) => openCache({ clock, namespace, maxMemoryBytes: 0, store: prefixed(store, prefix) }).cache),
    )
    for (const [index, cache] of caches.entries()) {
      await cache.set('key', index)
      await cache.flush()
    }
    for (const [index, cache] of caches.entries()) expect(await cache.get('key')).toBe(index)
  })
})

describe('G11 fields that a gateway may route by', () => {
  const fields = { user: 'b', metadata: { tags: ['b'] }, safety_identifier: 'b', prompt_cache_key: 'b', service_tier: 'flex' }
  const gateways = [
    'http://localhost:4000',
    'https://gateway.ai.cloudflare.com/v1/a/b/openai',
    'https://api.openai.com.example.org/v1',
    'https://example.org/api.openai.com/v1',
    'https://api.openai.com@example.org/v1',
    'https://xapi.openai.com/v1',
  ]

  it.each(Object.entries(fields))('G11 %s counts under the host of a gateway, and not under the provider’s own', async (name, value) => {
    for (const origin of gateways) {
      const { ask } = open()
      const url = `${origin}/chat/completions`
      expect([await ask(chat, url), await ask({ ...chat, [name]: value }, url)]).toEqual(['answer 1', 'answer 2'])
    }
    for (const origin of [own, 'https://eu.api.openai.com/v1', 'https://x.openai.azure.com/openai/deployments/d']) {
      const { ask } = open()
      const url = `${origin}/chat/completions`
      expect([await ask(chat, url), await ask({ ...chat, [name]: value }, url)]).toEqual(['answer 1', 'answer 1'])
    }
  })

  it('G11 the form of delivery counts under no host', () => {
    const { keyOf } = open()
    expect(keyOf(atGateway({ ...chat, stream: true, stream_options: { include_usage: true } }))).toBe(keyOf(atGateway(chat)))
  })

  it('G11 what the user ignores is ignored under every host', () => {
    const { keyOf } = open({ key: { ignore: ['user'] } })
    expect(keyOf(atGateway({ ...chat, user: 'b' }))).toBe(keyOf(atGateway(chat)))
  })

  it.each<readonly [string, CacheRequest, object, boolean]>([
    ['metadata of Anthropic', { ...messages, body: chat }, { metadata: { user_id: 'u' } }, true],
    ['metadata of Anthropic', { ...messages, origin: 'http://localhost:4000', body: chat }, { metadata: { user_id: 'u' } }, false],
    ['requestMetadata of Bedrock', { ...converse, body: chat }, { requestMetadata: { a: 'b' } }, true],
    [
      'requestMetadata of Bedrock',
      { ...converse, origin: '["https://bedrock-runtime.eu-west-1.amazonaws.com/","eu-west-1"]', body: chat },
      { requestMetadata: { a: 'b' } },
      true,
    ],
    [
      'requestMetadata of Bedrock',
      { ...converse, origin: '["http://localhost:4566/","eu-west-1"]', body: chat },
      { requestMetadata: { a: 'b' } },
      false,
    ],
    [
      'requestMetadata of Bedrock',
      { ...converse, origin: 'https://abc.execute-api.eu-west-1.amazonaws.com', body: chat },
      { requestMetadata: { a: 'b' } },
      false,
    ],
  ])('G11 %s: %j with %j is the same question: %s', (_, request, more, isSame) => {
    const { keyOf } = open()
    expect(keyOf({ ...request, body: { ...request.body, ...more } }) === keyOf(request)).toBe(isSame)
  })
})

describe('G12 answers that the provider keeps', () => {
  it.each(['responses', 'chat.completions'])('G12 store is part of the key of %s', (endpoint) => {
    const { keyOf } = open()
    const keys = [{}, { store: true }, { store: false }].map((more) =>
      keyOf({ endpoint, body: { model: 'm', input: 'Hi', messages: [], ...more } }),
    )
    expect(new Set(keys).size).toBe(3)
  })
})
