import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { withCache } from '../../../src/clients/with-cache.ts'
import { createCache } from '../../../src/cache/cache.ts'
import { describeClient } from '../../contracts/client/index.ts'
import { openaiChat, textAt } from '../../contracts/client/openai-chat.ts'
import type { ClientUnderTest } from '../../contracts/client/under-test.ts'
import { type ProviderServer, startProvider } from '../../support/provider-server.ts'
import { azureSdks, offLane, type Sdk, type SdkClient, sdks } from '../../support/openai-sdks.ts'

function chat({ make }: Sdk): ClientUnderTest<SdkClient> {
  return { ...openaiChat, make, ask: (client, params, options) => client.chat.completions.create(params, options) }
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
