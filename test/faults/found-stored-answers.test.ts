/**
 * Further cases of answers that must not be stored: refusals, tool calls that cannot be made, errors, and what is gone at the provider soon.
 * By every door: `fetch`, Bedrock's client, the AI SDK and LangChain.
 * @module
 */
import { BedrockRuntimeClient, InvokeModelCommand, InvokeModelWithResponseStreamCommand } from '@aws-sdk/client-bedrock-runtime'
import { AIMessage } from '@langchain/core/messages'
import { MockLanguageModelV4 } from 'ai/test'
import { describe, expect, it } from 'vitest'
import { cacheMiddleware } from '../../src/adapters/ai-sdk/middleware.ts'
import { LlmemoCache } from '../../src/adapters/langchain/langchain.ts'
import { cachingFetch, withCache } from '../../src/clients/with-cache.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { writeMessage } from '../../src/providers/bedrock/event-stream.ts'
import { openCache, settle } from '../support/chat.ts'

/** Asks twice over `fetch`. @returns how often the provider was asked */
async function asked(url: string, answer: object, request: object = { model: 'm' }): Promise<number> {
  let calls = 0
  const caching = cachingFetch(openCache().cache, async () => {
    calls++
    return Response.json(answer)
  })
  for (let call = 0; call < 2; call++) await (await caching(url, { method: 'POST', body: JSON.stringify(request) })).text()
  return calls
}

const functionCall = (args: string) => ({ id: 'c', type: 'function', function: { name: 'f', arguments: args } })
const message = { type: 'message', id: 'm', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'Hi' }] }
const choice = (said: object, more: object = {}) => ({ index: 0, message: { role: 'assistant', ...said }, finish_reason: 'stop', ...more })
const calling = { finish_reason: 'tool_calls' }

describe('G34 over fetch', () => {
  it.each<[string, number, object[]]>([
    ['a good message', 1, [message]],
    ['a message that was cut off', 2, [{ ...message, status: 'incomplete' }]],
    ['a refusal after a message', 2, [message, { ...message, content: [{ type: 'refusal', refusal: 'No.' }] }]],
    ['a call whose arguments are cut', 2, [{ type: 'function_call', name: 'f', arguments: '{"a":' }]],
    ['a call of two objects', 2, [{ type: 'function_call', name: 'f', arguments: '{}{}' }]],
    ['a call that waits for the caller', 1, [{ type: 'function_call', name: 'f', arguments: '{}', status: 'in_progress' }]],
    ['a search that failed', 2, [{ type: 'web_search_call', status: 'failed' }, message]],
    ['a server of tools that failed', 2, [{ type: 'mcp_call', name: 'f', arguments: '{}', error: 'down' }, message]],
    ['an image that was not made', 2, [{ type: 'image_generation_call', status: 'failed', result: null }]],
  ])('Responses: %s is asked %i times', async (_, times, output) => {
    expect(await asked('https://api.openai.com/v1/responses', { id: 'r', object: 'response', status: 'completed', output })).toBe(times)
  })

  it.each<[string, number, object[]]>([
    ['a good message', 1, [choice({ content: 'Hi' })]],
    ['an error in the second choice', 2, [choice({ content: 'Hi' }), choice({ content: 'Hi' }, { error: { code: 502 } })]],
    ['a refusal as a part', 2, [choice({ content: [{ type: 'refusal', refusal: 'No.' }] })]],
    ['a cut second call', 2, [choice({ content: null, tool_calls: [functionCall('{}'), functionCall('{}{}')] }, calling)]],
    [
      'a cut call in the old form',
      2,
      [choice({ content: null, function_call: { name: 'f', arguments: '{' } }, { finish_reason: 'function_call' })],
    ],
    ['a tool that takes any text', 1, [choice({ tool_calls: [{ id: 'c', type: 'custom', custom: { name: 'f', input: '{' } }] }, calling)]],
  ])('chat: %s is asked %i times', async (_, times, choices) => {
    expect(await asked('https://api.openai.com/v1/chat/completions', { choices })).toBe(times)
  })

  it.each<[string, number, object, string]>([
    ['a good message', 1, { content: [{ type: 'text', text: 'Hi' }] }, 'COMPLETE'],
    ['a good call', 1, { tool_calls: [functionCall('{"a":1}')] }, 'TOOL_CALL'],
    ['a cut call', 2, { tool_calls: [functionCall('{"a":')] }, 'TOOL_CALL'],
    ['an error', 2, { content: [{ type: 'text', text: 'Hi' }] }, 'ERROR'],
  ])('Cohere: %s is asked %i times', async (_, times, said, finish) => {
    expect(await asked('https://api.cohere.com/v2/chat', { message: { role: 'assistant', ...said }, finish_reason: finish })).toBe(times)
  })
})

/** A client of Bedrock whose service always gives these bytes. */
function bedrock(clock: ManualClock, body: Uint8Array, type: string) {
  const { cache } = openCache({ clock, ttl: '1d' })
  let calls = 0
  const given = new BedrockRuntimeClient({
    region: 'eu-west-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    requestHandler: {
      async handle() {
        calls++
        const stream = new Blob([Uint8Array.from(body)]).stream()
        return { response: { statusCode: 200, headers: { 'content-type': type }, body: type.includes('eventstream') ? stream : body } }
      },
    },
  })
  return { client: withCache(given, cache), calls: () => calls }
}

const invoked = (answer: object): [Uint8Array, string] => [new TextEncoder().encode(JSON.stringify(answer)), 'application/json']

describe('of InvokeModel', () => {
  it.each<[string, number, object]>([
    ['a good message', 1, choice({ content: 'Hi' })],
    ['an error', 2, choice({ content: 'Hi' }, { error: { code: 502 } })],
    ['a refusal', 2, choice({ content: null, refusal: 'No.', tool_calls: [functionCall('{}')] }, calling)],
    ['a cut call', 2, choice({ content: null, tool_calls: [functionCall('{')] }, calling)],
  ])('G34 %s is asked %i times', async (_, times, given) => {
    const { client, calls } = bedrock(new ManualClock(), ...invoked({ choices: [given] }))
    const command = { modelId: 'openai.gpt-oss', body: JSON.stringify({ messages: [] }) }
    for (let call = 0; call < 2; call++) await client.send(new InvokeModelCommand(command))
    expect(calls()).toBe(times)
  })

  it.each<[string, number, readonly object[]]>([
    [
      'a good call',
      1,
      [{ tool_calls: [{ index: 0, ...functionCall('{"a"') }] }, { tool_calls: [{ index: 0, function: { arguments: ':1}' } }] }],
    ],
    [
      'a cut call',
      2,
      [{ tool_calls: [{ index: 0, ...functionCall('{"a"') }] }, { tool_calls: [{ index: 0, function: { arguments: ':' } }] }],
    ],
    ['a refusal', 2, [{ refusal: 'N' }, { refusal: 'o.' }]],
  ])('G34 a stream of %s is asked %i times', async (_, times, deltas) => {
    const metrics = { 'amazon-bedrock-invocationMetrics': { inputTokenCount: 1, outputTokenCount: 2 } }
    const chunks = [
      ...deltas.map((delta) => ({ choices: [{ index: 0, delta, finish_reason: null }] })),
      { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }], ...metrics },
    ]
    const frames = chunks.map((chunk) =>
      writeMessage({
        headers: { ':event-type': 'chunk', ':content-type': 'application/json', ':message-type': 'event' },
        payload: new TextEncoder().encode(JSON.stringify({ bytes: Buffer.from(JSON.stringify(chunk)).toString('base64') })),
      }),
    )
    const { client, calls } = bedrock(new ManualClock(), Buffer.concat(frames), 'application/vnd.amazon.eventstream')
    const command = { modelId: 'openai.gpt-oss', body: JSON.stringify({ messages: [] }) }
    for (let call = 0; call < 2; call++) {
      const { body = [] } = await client.send(new InvokeModelWithResponseStreamCommand(command))
      expect(await Array.fromAsync(body)).toHaveLength(chunks.length)
    }
    expect(calls()).toBe(times)
  })

  it('G33 an answer of Anthropic that names a container is served for a short while only', async () => {
    const clock = new ManualClock()
    const container = { id: 'c', expires_at: '2000-01-01T00:00:00Z' }
    const answer = {
      type: 'message',
      role: 'assistant',
      id: 'm',
      content: [{ type: 'text', text: 'a' }],
      stop_reason: 'end_turn',
      container,
    }
    const { client, calls } = bedrock(clock, ...invoked(answer))
    const body = JSON.stringify({ anthropic_version: 'bedrock-2023-05-31', messages: [], max_tokens: 5 })
    const ask = async () => (await client.send(new InvokeModelCommand({ modelId: 'anthropic.claude', body })))._cache.ttl
    expect([await ask(), await ask(), calls()]).toEqual([900, 900, 1])
    clock.advance(16 * 60_000)
    await ask()
    expect(calls()).toBe(2)
  })
})

type GenerateResult = Awaited<ReturnType<MockLanguageModelV4['doGenerate']>>
type GenerateParams = Parameters<MockLanguageModelV4['doGenerate']>[0]

/** A model of the AI SDK under the middleware. */
function aiModel(result: Partial<GenerateResult>) {
  const middleware = cacheMiddleware(openCache().cache)
  const usage: GenerateResult['usage'] = {
    inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
    outputTokens: { total: 1, text: 1, reasoning: 0 },
  }
  let calls = 0
  const model = new MockLanguageModelV4({
    doGenerate: async () => {
      const text = `answer ${++calls}`
      return { content: [{ type: 'text', text }], finishReason: { unified: 'stop', raw: 'stop' }, usage, warnings: [], ...result }
    },
  })
  const ask = async (params: Partial<GenerateParams> = {}) => middleware.wrapGenerate({ model, params: { prompt: [], ...params } })
  return { ask, calls: () => calls }
}

const text = { type: 'text', text: 'Hi' } as const
const toolCalls = { unified: 'tool-calls', raw: 'tool_calls' } as const
const toolCall = (input: string, more: object = {}) => ({ type: 'tool-call', toolCallId: 'c', toolName: 'f', input, ...more }) as const

describe('under the AI SDK', () => {
  it.each<[string, number, Partial<GenerateResult>]>([
    ['G34 a good call', 1, { content: [toolCall('{"a":1}')], finishReason: toolCalls }],
    ['G34 a call without input', 1, { content: [toolCall('')], finishReason: toolCalls }],
    ['G34 a cut call', 2, { content: [toolCall('{"a":')], finishReason: toolCalls }],
    ['G34 reasoning alone', 2, { content: [{ type: 'reasoning', text: 'Hm.' }] }],
    ['G33 a call for a container of the user', 1, { content: [toolCall('{"container":"nginx"}')], finishReason: toolCalls }],
    ['G33 code that ran in a container', 2, { content: [toolCall('{"containerId":"c"}', { providerExecuted: true }), text] }],
    ['G33 a file in a container', 2, { content: [{ ...text, providerMetadata: { openai: { annotations: [{ container_id: 'c' }] } } }] }],
    ['G33 a container in the metadata', 2, { providerMetadata: { anthropic: { container: { id: 'c', expiresAt: '2026-01-01' } } } }],
    ['G33 no container in the metadata', 1, { providerMetadata: { anthropic: { container: null } } }],
  ])('%s is asked %i times', async (_, times, result) => {
    const { ask, calls } = aiModel(result)
    await ask()
    await ask()
    expect(calls()).toBe(times)
  })

  it.each<[string, number, Partial<GenerateParams>]>([
    ['an earlier response', 2, { providerOptions: { openai: { previousResponseId: 'resp_1' } } }],
    ['a conversation', 2, { providerOptions: { azure: { conversation: 'conv_1' } } }],
    ['a container of Anthropic', 2, { providerOptions: { anthropic: { container: { id: 'c' } } } }],
    [
      'a container with an id',
      2,
      { tools: [{ type: 'provider', id: 'openai.code_interpreter', name: 'c', args: { container: 'cntr_1' } }] },
    ],
    [
      'a new container',
      1,
      { tools: [{ type: 'provider', id: 'openai.code_interpreter', name: 'c', args: { container: { fileIds: ['f'] } } }] },
    ],
    [
      'a function of the user',
      1,
      { tools: [{ type: 'function', name: 'c', inputSchema: { properties: { container: { type: 'string' } } } }] },
    ],
  ])('G33 a call with %s is asked %i times', async (_, times, params) => {
    const { ask, calls } = aiModel({})
    await ask(params)
    await ask(params)
    expect(calls()).toBe(times)
  })

  it.each(['cookie', 'Cookie', 'authorization', 'api-key', 'x-api-key', 'x-goog-api-key', 'openai-organization', 'openai-project'])(
    'G01 another value of the header %s is another caller',
    async (name) => {
      const { ask, calls } = aiModel({})
      for (const value of ['a', 'b', 'a']) await ask({ headers: { [name]: value, 'x-other': 'c' } })
      expect(calls()).toBe(2)
      for (const value of ['a', 'b']) await ask({ headers: { authorization: 'Bearer a', [name]: value } })
      expect(calls()).toBe(4)
    },
  )
})

describe('under LangChain', () => {
  it.each<[string, boolean, ConstructorParameters<typeof AIMessage>[0]]>([
    ['G34 a good message', true, { content: 'Hi', response_metadata: { finish_reason: 'stop', status: 'completed' } }],
    ['G34 a call that LangChain could not read', false, { content: '', invalid_tool_calls: [{ name: 'f', args: '{', error: 'no JSON' }] }],
    ['G34 a refusal', false, { content: 'Hi', additional_kwargs: { refusal: 'No.' } }],
    ['G34 a refusal as a part', false, { content: [{ type: 'refusal', refusal: 'No.' }] }],
    ['G34 a call that Gemini could not write', false, { content: 'Hi', response_metadata: { finishReason: 'MALFORMED_FUNCTION_CALL' } }],
    ['G34 an incomplete response', false, { content: 'Hi', response_metadata: { status: 'incomplete' } }],
    ['G33 a file in a container', false, { content: [{ type: 'text', text: 'Hi', annotations: [{ container_id: 'cntr_1' }] }] }],
    ['G33 a call for a container of the user', true, { content: '', tool_calls: [{ id: 'c', name: 'f', args: { container: 'nginx' } }] }],
  ])('%s is stored: %s', async (_, isStored, given) => {
    const { cache } = openCache()
    const models = new LlmemoCache(cache, { clock: new ManualClock() })
    const said = new AIMessage(given)
    expect(await models.lookup('why?', '_type:"openai",model:"m"')).toBeNull()
    await models.update('why?', '_type:"openai",model:"m"', [Object.assign({ text: said.text, generationInfo: {} }, { message: said })])
    await settle()
    expect(cache.stats().stored).toBe(isStored ? 1 : 0)
  })

  it.each(['previous_response_id:"resp_1"', 'conversation:"conv_1"', 'tools:[{"type":"code_interpreter","container":"cntr_1"}]'])(
    'G33 a call with %s is not cached',
    async (part) => {
      const { cache } = openCache()
      const models = new LlmemoCache(cache, { clock: new ManualClock() })
      expect(await models.lookup('why?', `_type:"openai",${part}`)).toBeNull()
      expect(cache.stats().misses).toBe(0)
    },
  )
})
