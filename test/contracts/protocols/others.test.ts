import { createCohere } from '@ai-sdk/cohere'
import { embedMany, generateText, rerank, streamText } from 'ai'
import { Ollama } from 'ollama'
import { isJsonObject, type JsonObject } from '../../../src/json/object.ts'
import { defineEndpoint } from '../../../src/providers/define-endpoint.ts'
import { jsonLines } from '../../../src/providers/stream-forms.ts'
import type { ProviderReply, ProviderRequest } from '../../support/provider-server.ts'
import { describeBehaviours, type Told, versionOf, type Way } from '../behaviours.ts'

const model = 'test-1'

function halves(text: string): [string, string] {
  const half = Math.ceil(text.length / 2)
  return [text.slice(0, half), text.slice(half)]
}

function lines(reply: ProviderReply, parts: readonly object[]): void {
  const text = jsonLines.format(parts.map((part) => ({ data: JSON.stringify(part) }))).join('')
  reply.bytes(Buffer.from(text), { headers: { 'content-type': 'application/x-ndjson' } })
}

async function post({ fetch }: Way, url: string, body: object): Promise<unknown> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(await response.text())
  return response.json()
}

/** What a server of Ollama answers: streamed, unless it is asked not to. */
function ollama({ path, body: given }: ProviderRequest, reply: ProviderReply, text: string): unknown {
  // The SDK sends its JSON as text.
  const body: JsonObject = isJsonObject(given) ? given : JSON.parse(String(given))
  const common = { model, created_at: '2026-11-29T00:00:00Z' }
  const end = { done: true, done_reason: 'stop', total_duration: 5, prompt_eval_count: 9, eval_count: 12 }
  if (path === '/api/embed') {
    const inputs: readonly unknown[] = Array.isArray(body['input']) ? body['input'] : [body['input']]
    return reply.json({
      model,
      embeddings: inputs.map((input) => [String(input).length, Number(text.replaceAll(/\D/g, '') || 0)]),
      prompt_eval_count: 9,
    })
  }
  const said = (piece: string): object => (path === '/api/chat' ? { message: { role: 'assistant', content: piece } } : { response: piece })
  if (body['stream'] === false) return reply.json({ ...common, ...said(text), ...end })
  const [first, second] = halves(text)
  return lines(reply, [
    { ...common, ...said(first), done: false },
    { ...common, ...said(second), done: false },
    { ...common, ...said(''), ...end },
  ])
}

const refuseOllama = (reply: ProviderReply): void => reply.json({ error: 'no' }, { status: 400 })
const local = ({ url, fetch }: Way) => new Ollama({ host: url, fetch })

describeBehaviours({
  title: `Ollama's chat through ${versionOf('ollama')}`,
  answer: ollama,
  fail: refuseOllama,
  tokens: 21,
  async ask(way, content) {
    const answer = await local(way).chat({ model, messages: [{ role: 'user', content }] })
    return { text: answer.message.content, all: answer }
  },
  async stream(way, content) {
    const all: unknown[] = []
    let text = ''
    for await (const part of await local(way).chat({ model, messages: [{ role: 'user', content }], stream: true })) {
      all.push(part)
      text += part.message.content
    }
    return { text, all }
  },
})

describeBehaviours({
  title: `Ollama's completions through ${versionOf('ollama')}`,
  answer: ollama,
  fail: refuseOllama,
  tokens: 21,
  async ask(way, prompt) {
    const answer = await local(way).generate({ model, prompt })
    return { text: answer.response ?? '', all: answer }
  },
  async stream(way, prompt) {
    const all: unknown[] = []
    let text = ''
    for await (const part of await local(way).generate({ model, prompt, stream: true })) {
      all.push(part)
      text += part.response ?? ''
    }
    return { text, all }
  },
})

describeBehaviours({
  title: `Ollama's embeddings through ${versionOf('ollama')}`,
  answer: ollama,
  fail: refuseOllama,
  tokens: 9,
  async ask(way, input) {
    const { embeddings } = await local(way).embed({ model, input })
    // The second value says which answer of the server it was.
    return { text: `${String(embeddings[0]?.[1])} of ${input}`, all: embeddings }
  },
})

function cohere({ path, body }: ProviderRequest, reply: ProviderReply, text: string): unknown {
  const request: JsonObject = isJsonObject(body) ? body : {}
  const usage = { billed_units: { input_tokens: 2, output_tokens: 12 }, tokens: { input_tokens: 9, output_tokens: 12 } }
  if (path.endsWith('/embed')) {
    const texts: readonly unknown[] = Array.isArray(request['texts']) ? request['texts'] : []
    const embeddings = { float: texts.map((each) => [String(each).length, Number(text.replaceAll(/\D/g, '') || 0)]) }
    return reply.json({ id: 'e', embeddings, texts, meta: { billed_units: { input_tokens: 9 } } })
  }
  if (path.endsWith('/rerank'))
    return reply.json({ id: text, results: [{ index: 1, relevance_score: Number(text.replaceAll(/\D/g, '') || 0) }] })
  if (request['stream'] !== true) {
    return reply.json({ id: 'c', message: { role: 'assistant', content: [{ type: 'text', text }] }, finish_reason: 'COMPLETE', usage })
  }
  const events = [
    {
      id: 'c',
      type: 'message-start',
      delta: { message: { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] } },
    },
    { type: 'content-start', index: 0, delta: { message: { content: { type: 'text', text: '' } } } },
    ...halves(text).map((piece) => ({ type: 'content-delta', index: 0, delta: { message: { content: { text: piece } } } })),
    { type: 'content-end', index: 0 },
    { id: 'c', type: 'message-end', delta: { finish_reason: 'COMPLETE', usage } },
  ]
  return reply.events(events.map((event) => ({ event: event.type, data: JSON.stringify(event) })))
}

const refuseCohere = (reply: ProviderReply): void => reply.json({ message: 'no' }, { status: 400 })
const coherent = ({ url, fetch }: Way) => createCohere({ apiKey: 'key', baseURL: `${url}/v2`, fetch })
const cohereTitle = `through ${versionOf('ai')}, ${versionOf('@ai-sdk/cohere')}`

describeBehaviours({
  title: `Cohere's chat ${cohereTitle}`,
  answer: cohere,
  fail: refuseCohere,
  tokens: 21,
  async ask(way, prompt) {
    const { text, usage } = await generateText({ model: coherent(way)(model), prompt, maxRetries: 0 })
    return { text, all: usage }
  },
  async stream(way, prompt) {
    const failures: unknown[] = []
    const { textStream, usage } = streamText({
      model: coherent(way)(model),
      prompt,
      maxRetries: 0,
      onError: ({ error }) => void failures.push(error),
    })
    const parts: string[] = []
    for await (const part of textStream) parts.push(part)
    if (failures.length > 0) throw failures[0]
    return { text: parts.join(''), all: { parts, usage: await usage } }
  },
})

describeBehaviours({
  title: `Cohere's embeddings ${cohereTitle}`,
  answer: cohere,
  fail: refuseCohere,
  tokens: 9,
  async ask(way, value) {
    const { embeddings } = await embedMany({ model: coherent(way).embedding(model), values: [value], maxRetries: 0 })
    return { text: `${String(embeddings[0]?.[1])} of ${value}`, all: embeddings }
  },
})

describeBehaviours({
  title: `Cohere's reranking ${cohereTitle}`,
  answer: cohere,
  fail: refuseCohere,
  tokens: undefined,
  async ask(way, query) {
    const { ranking } = await rerank({ model: coherent(way).reranking(model), query, documents: ['a', 'b'], maxRetries: 0 })
    return { text: String(ranking[0]?.score), all: ranking }
  },
})

for (const [title, host, list] of [
  ['Voyage', 'https://api.voyageai.com/v1/rerank', 'data'],
  ['Jina', 'https://api.jina.ai/v1/rerank', 'results'],
] as const) {
  describeBehaviours({
    title: `${title}'s reranking over plain HTTP`,
    // The lines of the call name the provider's own host.
    host,
    answer: (_, reply, text) => reply.json({ [list]: [{ index: 0, relevance_score: 0.5, document: text }], usage: { total_tokens: 21 } }),
    tokens: 21,
    async ask(way, query) {
      const all = await post(way, host, { model, query, documents: ['a', 'b'] })
      return { text: JSON.stringify(all), all }
    },
  })
}

for (const [title, host] of [
  ['Voyage', 'https://api.voyageai.com/v1/embeddings'],
  ['Jina', 'https://api.jina.ai/v1/embeddings'],
] as const) {
  describeBehaviours({
    title: `${title}'s embeddings over plain HTTP`,
    host,
    answer({ body }, reply, text) {
      const { input } = isJsonObject(body) ? body : {}
      const inputs: readonly unknown[] = Array.isArray(input) ? input : [input]
      const said = Number(text.replaceAll(/\D/g, '') || 0)
      const data = inputs.map((each, index) => ({ object: 'embedding', index, embedding: [String(each).length, said] }))
      return reply.json({ object: 'list', data, model, usage: { total_tokens: 21 } })
    },
    tokens: 21,
    async ask(way, input) {
      const all = await post(way, host, { model, input: [input] })
      return { text: `${JSON.stringify(all)} of ${input}`, all }
    },
  })
}

/** Completion of code: a request of its own form, the answers of chat. */
async function fim(way: Way, prompt: string, stream: boolean): Promise<Told> {
  const body = JSON.stringify({ model, prompt, suffix: '}', stream })
  const response = await way.fetch(`${way.url}/v1/fim/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  if (!response.ok) throw new Error(await response.text())
  const all = await response.text()
  return { text: [...all.matchAll(/"content":"([^"]*)"/g)].map(([, piece]) => piece).join(''), all }
}

describeBehaviours({
  title: 'Mistral’s completion of code over plain HTTP',
  answer({ body }, reply, text) {
    const usage = { prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 }
    const common = { id: 'f', model, created: 1 }
    if (!isJsonObject(body) || body['stream'] !== true) {
      const message = { role: 'assistant', content: text, tool_calls: null }
      return reply.json({ ...common, object: 'chat.completion', choices: [{ index: 0, message, finish_reason: 'stop' }], usage })
    }
    const [first, second] = halves(text)
    const chunk = (delta: JsonObject, more: JsonObject = {}): object => ({
      data: JSON.stringify({
        ...common,
        object: 'chat.completion.chunk',
        choices: [{ index: 0, delta, finish_reason: null, ...more }],
        ...(more['finish_reason'] !== undefined && { usage }),
      }),
    })
    const events = [chunk({ role: 'assistant', content: first }), chunk({ content: second }, { finish_reason: 'stop' }), { data: '[DONE]' }]
    return reply.events(events.map((event) => ({ data: String(Reflect.get(event, 'data')) })))
  },
  tokens: 21,
  ask: (way, prompt) => fim(way, prompt, false),
  stream: (way, prompt) => fim(way, prompt, true),
})

/** A protocol that only its user knows: the path says the model, and a stream is a line for each word. */
const acme = defineEndpoint({
  provider: 'acme',
  name: 'answer',
  match({ pathname }) {
    const [, named] = /^\/acme\/([^/]+)\/answer$/.exec(pathname) ?? []
    return named === undefined ? false : { model: named }
  },
  operation: 'qa',
  ignore: ['caller', 'as'],
  streaming: {
    form: 'ndjson',
    isAsked: ({ as }) => as === 'stream',
    assemble: (parts) =>
      parts.at(-1)?.['end'] === true
        ? {
            said: parts
              .slice(0, -1)
              .map(({ piece }) => piece)
              .join(''),
            cost: 21,
          }
        : undefined,
    disassemble: ({ said }) => [{ piece: said }, { end: true }],
  },
  skipReason: ({ said }) => (said === '' ? 'empty' : undefined),
  usage: ({ cost }) => ({ input: Number(cost), output: 0 }),
})

async function acmeSays({ url, fetch }: Way, question: string, as?: string): Promise<Told> {
  const body = JSON.stringify({ question, caller: crypto.randomUUID(), ...(as && { as }) })
  const response = await fetch(`${url}/acme/${model}/answer`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  if (!response.ok) throw new Error(await response.text())
  const all = await response.text()
  const parts = all
    .trim()
    .split('\n')
    .map((line): JsonObject => JSON.parse(line))
  return { text: parts.map(({ said, piece }) => said ?? piece).join(''), all }
}

describeBehaviours({
  title: 'A protocol of the user’s own, by defineEndpoint',
  options: { endpoints: [acme] },
  answer({ body }, reply, text) {
    if (!isJsonObject(body) || body['as'] !== 'stream') return reply.json({ said: text, cost: 21 })
    return lines(reply, [...halves(text).map((piece) => ({ piece })), { end: true }])
  },
  tokens: 21,
  ask: (way, question) => acmeSays(way, question),
  stream: (way, question) => acmeSays(way, question, 'stream'),
})
