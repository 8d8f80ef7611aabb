/**
 * Services that speak OpenAI's protocol with fields, comments and ends of their own: one table, each row through OpenAI's client.
 */
import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCache } from '../../../src/cache/cache.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { isJsonObject, type JsonObject } from '../../../src/json/object.ts'
import { type ProviderReply, type ProviderRequest, type ProviderServer, startProvider } from '../../support/provider-server.ts'
import { describeBehaviours, type Told, versionOf, type Way } from '../behaviours.ts'

const usage = { prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 }
const thought = ['Let me ', 'think.']

interface Service {
  readonly name: string
  /** Members of a message beside its words, and the pieces in which a stream gives them. */
  readonly message?: JsonObject
  readonly pieces?: readonly JsonObject[]
  /** Members of the answer, and of each chunk. */
  readonly body?: JsonObject
  readonly usage?: JsonObject
  /** Members of a choice in both forms. */
  readonly choice?: JsonObject
  /** Stands before the JSON of a whole answer. */
  readonly before?: string
  /** Stands between the events of a stream. */
  readonly between?: string
  readonly finishReason?: string
  /** Changes the chunks of a stream. */
  readonly chunks?: (chunks: JsonObject[]) => JsonObject[]
  /** Fields whose pieces are added up. */
  readonly added?: readonly string[]
}

function reasoned(field: string): Pick<Service, 'message' | 'pieces' | 'added'> {
  return { message: { [field]: thought.join('') }, pieces: thought.map((piece) => ({ [field]: piece })), added: [field] }
}

const details = (text: string): JsonObject[] => [{ type: 'reasoning.text', text, format: 'unknown', index: 0 }]

/** Chunks whose choices name no index. */
function withoutIndex(chunks: JsonObject[]): JsonObject[] {
  return chunks.map((chunk) => ({ ...chunk, choices: choicesIn(chunk).map(unplacedChoice) }))
}

function unplacedChoice(choice: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(choice).filter(([name]) => name !== 'index'))
}

function choicesIn({ choices }: JsonObject): JsonObject[] {
  return Array.isArray(choices) ? choices.filter(isJsonObject) : []
}

const services: readonly Service[] = [
  {
    name: 'OpenRouter',
    message: { reasoning: thought.join(''), reasoning_details: details(thought.join('')) },
    pieces: thought.map((piece) => ({ reasoning: piece, reasoning_details: details(piece) })),
    added: ['reasoning'],
    body: { provider: 'DeepInfra' },
    choice: { native_finish_reason: 'stop' },
    usage: { ...usage, cost: 0.0021, cost_details: { upstream_inference_cost: null } },
    between: ': OPENROUTER PROCESSING\n\n',
  },
  {
    name: 'DeepSeek',
    ...reasoned('reasoning_content'),
    usage: { ...usage, prompt_cache_hit_tokens: 4, prompt_cache_miss_tokens: 5 },
    before: '\n\n\n',
    between: ': keep-alive\n\n',
  },
  { name: 'vLLM', ...reasoned('reasoning_content'), choice: { stop_reason: null, token_ids: null }, body: { prompt_logprobs: null } },
  { name: 'vLLM of later versions', ...reasoned('reasoning'), choice: { stop_reason: null } },
  { name: 'LM Studio', ...reasoned('reasoning'), body: { stats: {}, system_fingerprint: 'model' } },
  { name: 'Ollama /v1', ...reasoned('reasoning'), body: { system_fingerprint: 'fp_ollama' } },
  { name: 'LiteLLM', ...reasoned('reasoning_content'), choice: { provider_specific_fields: {} }, chunks: withoutIndex },
  {
    name: 'Azure',
    choice: { content_filter_results: { hate: { filtered: false, severity: 'safe' } } },
    chunks: (chunks) => [{ id: '', object: '', created: 0, model: '', choices: [], prompt_filter_results: [] }, ...chunks],
  },
  {
    name: 'Groq',
    ...reasoned('reasoning'),
    body: { x_groq: { id: 'req_1' } },
    // Its streams tell the usage in a member of their own.
    chunks: (chunks) => chunks.map(({ usage: told, ...chunk }) => (told ? { ...chunk, x_groq: { id: 'req_1', usage: told } } : chunk)),
  },
  { name: 'Together', ...reasoned('reasoning'), finishReason: 'eos', choice: { seed: 1, text: '' } },
  { name: 'Cerebras', ...reasoned('reasoning'), body: { time_info: { queue_time: 0.1, completion_time: 0.2 } } },
  {
    name: 'Perplexity',
    body: { citations: ['https://example.org'], search_results: [{ title: 'Example', url: 'https://example.org' }] },
    usage: { ...usage, search_context_size: 'low', cost: { total_cost: 0.006 } },
    chunks: (chunks) => chunks.map((chunk) => ({ ...chunk, usage })),
  },
  {
    name: 'Fireworks',
    ...reasoned('reasoning_content'),
    // The last chunk with a choice tells the usage, whether it was asked for or not.
    chunks: (chunks) => {
      const [last, ...others] = chunks.toReversed()
      return [...others.slice(1).toReversed(), { ...others[0], usage: last?.['usage'] ?? usage }]
    },
  },
  { name: 'xAI', ...reasoned('reasoning_content'), usage: { ...usage, num_sources_used: 0 }, body: { citations: [] } },
]

/** Answers as the service does. */
function answering(service: Service) {
  return ({ body: given }: ProviderRequest, reply: ProviderReply, text: string): unknown => {
    const {
      message = {},
      pieces = [],
      body = {},
      usage: used = usage,
      choice = {},
      before = '',
      between = '',
      finishReason = 'stop',
    } = service
    const common = { id: 'chatcmpl-1', created: 1_750_000_000, model: 'test-1', ...body }
    if (!isJsonObject(given) || given['stream'] !== true) {
      const said = { role: 'assistant', content: text, ...message }
      const choices = [{ index: 0, message: said, finish_reason: finishReason, ...choice }]
      const whole = JSON.stringify({ ...common, object: 'chat.completion', choices, usage: used })
      return reply.bytes(Buffer.from(before + whole), { headers: { 'content-type': 'application/json' } })
    }
    const half = Math.ceil(text.length / 2)
    const deltas = [{ role: 'assistant', content: '' }, ...pieces, { content: text.slice(0, half) }, { content: text.slice(half) }]
    const chunk = (delta: JsonObject, reason: string | null): JsonObject => ({
      ...common,
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta, finish_reason: reason, ...choice }],
    })
    const chunks = [...deltas.map((delta) => chunk(delta, null)), chunk({}, finishReason), { ...chunk({}, null), choices: [], usage: used }]
    const events = (service.chunks?.(chunks) ?? chunks).map((each) => `data: ${JSON.stringify(each)}\n\n`)
    const stream = `${between}${events.join(between)}data: [DONE]\n\n`
    return reply.bytes(Buffer.from(stream), { headers: { 'content-type': 'text/event-stream; charset=utf-8' } })
  }
}

const model = 'test-1'
const asking = (content: string) => ({ model, messages: [{ role: 'user' as const, content }] })
const streaming = (content: string) => ({ ...asking(content), stream: true as const, stream_options: { include_usage: true } })

const clientBy = ({ url, fetch }: Pick<Way, 'url'> & Partial<Pick<Way, 'fetch'>>): OpenAI =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey: 'key', maxRetries: 0, ...(fetch && { fetch }) })

async function ask(client: OpenAI, prompt: string): Promise<Told> {
  const answer = await client.chat.completions.create(asking(prompt))
  return { text: answer.choices[0]?.message.content ?? '', all: answer }
}

async function stream(client: OpenAI, prompt: string): Promise<Told & { readonly deltas: readonly object[] }> {
  const all: unknown[] = []
  const deltas: object[] = []
  for await (const chunk of await client.chat.completions.create(streaming(prompt))) {
    all.push(chunk)
    for (const { delta } of chunk.choices) deltas.push(delta)
  }
  return { text: joined(deltas, 'content'), all, deltas }
}

/** The pieces of a field, added up. */
function joined(deltas: readonly object[], field: string): string {
  return deltas.map((delta) => String(Reflect.get(delta, field) ?? '')).join('')
}

for (const service of services) {
  describeBehaviours({
    title: `${service.name} through ${versionOf('openai')}`,
    answer: answering(service),
    tokens: 21,
    ask: (way, prompt) => ask(clientBy(way), prompt),
    stream: async (way, prompt) => {
      const { text, all } = await stream(clientBy(way), prompt)
      return { text, all }
    },
  })
}

describe.each(services)('$name', (service) => {
  let server: ProviderServer
  beforeEach(async () => {
    server = await startProvider((request, reply) => answering(service)(request, reply, `answer ${server.requests.length}`))
  })
  afterEach(() => server.close())

  it('by a wrapped client: streams and whole answers serve each other with all fields of the message', async () => {
    const cache = createCache({ logger: false, prices: false })
    const bare = clientBy({ url: server.url.replace(/\/v1$/, '') })
    const client = withCache(bare, cache)
    const plain = await ask(bare, 'Hi')
    const streamed = await stream(client, 'Ho')
    await cache.flush()
    const whole = await client.chat.completions.create(asking('Ho'))
    expect(whole._cache.hit).toBe(true)
    for (const field of service.added ?? []) {
      expect(Reflect.get(whole.choices[0]?.message ?? {}, field)).toBe(thought.join(''))
      expect(joined(streamed.deltas, field)).toBe(thought.join(''))
    }
    expect(whole.choices[0]?.message.content).toBe(streamed.text)
    expect(whole.choices[0]?.finish_reason).toBe(service.finishReason ?? 'stop')
    // All members that the service itself gives to a message and to its answer.
    expect(Object.keys(whole.choices[0]?.message ?? {})).toEqual(expect.arrayContaining(Object.keys(messageOf(plain))))
    expect(Object.keys(whole)).toEqual(expect.arrayContaining(Object.keys(service.body ?? {})))
    expect(whole.usage).toMatchObject(service.name === 'Perplexity' || service.name === 'Fireworks' ? usage : (service.usage ?? usage))

    await ask(client, 'He')
    await cache.flush()
    const again = await stream(client, 'He')
    expect(server.requests.length).toBe(3)
    for (const field of service.added ?? []) expect(joined(again.deltas, field)).toBe(thought.join(''))
  })
})

function messageOf({ all }: Told): object {
  const [choice] = isJsonObject(all) ? choicesIn(all) : []
  const message = choice?.['message']
  return isJsonObject(message) ? message : {}
}

function unplaced(delta: object, reason: string | null = null): { data: string } {
  return {
    data: JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model, choices: [{ delta, finish_reason: reason }] }),
  }
}

it('a choice without its index that goes on behind its end is another one: the stream serves streams alone', async () => {
  const parts = [unplaced({ content: 'one' }), unplaced({}, 'stop'), unplaced({ content: 'two' }), unplaced({}, 'stop'), { data: '[DONE]' }]
  const server = await startProvider((request, reply) =>
    isJsonObject(request.body) && request.body['stream'] === true
      ? reply.events(parts)
      : reply.json({
          id: 'c',
          object: 'chat.completion',
          model,
          choices: [{ index: 0, message: { content: 'whole' }, finish_reason: 'stop' }],
        }),
  )
  const cache = createCache({ logger: false, prices: false })
  const client = withCache(clientBy({ url: server.url.replace(/\/v1$/, '') }), cache)
  expect((await stream(client, 'Hi')).text).toBe('onetwo')
  await cache.flush()
  const whole = await client.chat.completions.create(asking('Hi'))
  expect([whole._cache.hit, whole.choices[0]?.message.content]).toEqual([false, 'whole'])
  await server.close()
})
