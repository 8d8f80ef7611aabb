import { isJsonObject } from '../../../src/json/object.ts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { withCache } from '../../../src/clients/with-cache.ts'
import { createCache } from '../../../src/cache/cache.ts'
import { describeClient } from '../../contracts/client/index.ts'
import type { ClientUnderTest } from '../../contracts/client/under-test.ts'
import {
  type ProviderReply,
  type ProviderRequest,
  type ProviderServer,
  startProvider,
  type StreamPart,
} from '../../support/provider-server.ts'
import { completion, chunksOf } from '../../support/openai-answers.ts'
import { azureSdks, offLane, type Sdk, type SdkClient, sdks } from '../../support/openai-sdks.ts'

function chat({ make }: Sdk): ClientUnderTest<SdkClient> {
  return {
    make,
    params: (prompt, streamed) => ({
      model: 'gpt-test',
      messages: [{ role: 'user', content: prompt }],
      ...(streamed && { stream: true, stream_options: { include_usage: true } }),
    }),
    ask: (client, params, options) => client.chat.completions.create(params, options),
    answer(request, reply, text, { pause, end = 'complete', stop } = {}) {
      const finish = stop === 'cut short' ? 'length' : 'stop'
      const headers = { 'x-request-id': 'req_1' }
      if (!isStreamed(request)) return reply.json(completion(text, undefined, finish), { headers })
      const [start, middle, rest] = chunksOf(text, finish)
      const parts: StreamPart[] = [
        ...start,
        ...(pause === undefined ? [] : [pause]),
        ...middle,
        ...(end.startsWith('complete') ? rest : []),
      ]
      return reply.events(parts, { headers, end: end.endsWith('reset') ? 'reset' : 'clean' })
    },
    refuse,
    textOf: (result) => textAt(result, 'message'),
    textOfEvent: (event) => textAt(event, 'delta'),
    operation: 'chat',
    tokens: 21,
  }
}

function isStreamed({ body }: ProviderRequest): boolean {
  return isJsonObject(body) && body['stream'] === true
}

function refuse(reply: ProviderReply, status: number): void {
  const error = { message: `refused with ${status}`, type: 'some_error', param: 'model', code: `code_${status}` }
  reply.json({ error }, { status, headers: { 'retry-after-ms': '1', 'x-request-id': `req_${status}` } })
}

function textAt(answer: unknown, member: 'message' | 'delta'): string {
  const choices: unknown = isJsonObject(answer) ? answer['choices'] : undefined
  const choice: unknown = Array.isArray(choices) ? choices[0] : undefined
  const message: unknown = isJsonObject(choice) ? choice[member] : undefined
  const content: unknown = isJsonObject(message) ? message['content'] : undefined
  return typeof content === 'string' ? content : ''
}

for (const sdk of [...sdks, ...sdks.map(offLane), ...azureSdks]) describeClient(sdk.name, chat(sdk))

describe.each(azureSdks)('$name', ({ make }) => {
  let server: ProviderServer
  beforeEach(async () => {
    const setup = chat({ name: '', make })
    server = await startProvider((request, reply) => setup.answer(request, reply, `answer ${server.requests.length}`))
  })
  afterEach(() => server.close())

  it('finds the endpoint behind the path of a deployment, which is part of the key', async () => {
    const messages = [{ role: 'user', content: 'Hi' }]
    const cache = createCache({ logger: false })
    const clients = ['one', 'two', 'one'].map((deployment) => withCache(make({ url: server.url, deployment }), cache))
    const texts: string[] = []
    for (const client of clients) texts.push(textAt(await client.chat.completions.create({ model: 'm', messages }), 'message'))
    expect(texts).toEqual(['answer 1', 'answer 2', 'answer 1'])
    expect(server.requests.map(({ path }) => path)).toEqual([
      '/openai/deployments/one/chat/completions?api-version=2024-10-21',
      '/openai/deployments/two/chat/completions?api-version=2024-10-21',
    ])
    expect(server.requests[0]?.headers).toMatchObject({ 'api-key': 'test-key' })
  })

  it('takes its token from a provider, which is not part of the key', async () => {
    let made = 0
    const client = withCache(make({ url: server.url, tokenProvider: async () => `token-${++made}` }), createCache({ logger: false }))
    const params = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] }
    const texts = [textAt(await client.chat.completions.create(params), 'message')]
    texts.push(textAt(await client.chat.completions.create(params), 'message'))
    await client.chat.completions.create(params, { cache: { mode: 'reload' } })
    expect(texts).toEqual(['answer 1', 'answer 1'])
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer token-1', 'Bearer token-3'])
  })

  it('takes the deployment from the model if it has none of its own', async () => {
    const client = withCache(make({ url: server.url }), createCache({ logger: false }))
    await client.embeddings.create({ model: 'text-embedding-3-small', input: 'Hi' }).then(undefined, () => undefined)
    await client.chat.completions.create({ model: 'gpt-x', messages: [{ role: 'user', content: 'Hi' }] })
    await client.responses.create({ model: 'gpt-x', input: 'Hi' })
    expect(server.requests.map(({ path }) => path.split('?')[0])).toEqual([
      '/openai/deployments/text-embedding-3-small/embeddings',
      '/openai/deployments/gpt-x/chat/completions',
      '/openai/responses',
    ])
  })
})
