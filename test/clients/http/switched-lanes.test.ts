import { ConverseCommand } from '@aws-sdk/client-bedrock-runtime'
import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { createCache } from '../../../src/cache/cache.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { makeBedrock, converseAnswer } from '../../support/bedrock-sdk.ts'
import { startBedrock } from '../../support/bedrock-server.ts'
import { completion } from '../../support/openai-answers.ts'
import { startProvider } from '../../support/provider-server.ts'

describe('a switch that is put over after a call is known by its text', () => {
  it('OpenAI: the next call goes to the provider', async () => {
    const provider = await startProvider((_, reply) => reply.json(completion('42')))
    let enabled = true
    const openai = withCache(new OpenAI({ apiKey: 'k', baseURL: provider.url }), createCache({ enabled: () => enabled }))
    const ask = async () => openai.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] })
    for (let time = 0; time < 5; time++) await ask()
    enabled = false
    const { _cache } = await ask()
    expect([provider.requests.length, _cache.hit, _cache.reason]).toEqual([2, false, 'disabled'])
    await provider.close()
  })

  it('Bedrock: the next call goes to the provider', async () => {
    const provider = await startBedrock('http1', (_, reply) => reply.json(converseAnswer('42')))
    let enabled = true
    const bedrock = withCache(makeBedrock('http1', { url: provider.url }), createCache({ enabled: () => enabled }))
    const ask = async () => bedrock.send(new ConverseCommand({ modelId: 'm', messages: [{ role: 'user', content: [{ text: 'Hi' }] }] }))
    for (let time = 0; time < 5; time++) await ask()
    enabled = false
    const { _cache } = await ask()
    expect([provider.requests.length, _cache.hit, _cache.reason]).toEqual([2, false, 'disabled'])
    await provider.close()
  })
})
