import OpenAI, { toFile } from 'openai'
import { cacheInfo, createCache, withCache } from 'llmemo'
import { describe, expect, it } from 'vitest'
import { gatewayOver } from '../support/provider.ts'

const bytes = Uint8Array.from({ length: 3_000 }, (_, index) => index % 251)

async function overBoth(): Promise<{
  readonly ways: Readonly<Record<string, OpenAI>>
  readonly url: string
  readonly bodies: () => readonly string[]
}> {
  const cache = createCache({ scope: 'all' })
  const { provider, url } = await gatewayOver((_request, reply) => reply.json({ text: `transcript ${provider.requests.length}` }), {
    cache,
  })
  const options = { apiKey: 'sk-test', maxRetries: 0 }
  return {
    ways: {
      gateway: new OpenAI({ ...options, baseURL: `${url}/openai/v1` }),
      library: withCache(new OpenAI({ ...options, baseURL: provider.url }), cache),
    },
    url,
    bodies: () => provider.requests.map(({ body }) => String(body)),
  }
}

describe('a form that asks for a transcription', () => {
  it.each([
    ['gateway', 'library'],
    ['library', 'gateway'],
  ])('T05 has the same key by the %s and by the %s', async (first, second) => {
    const { ways, bodies } = await overBoth()
    const asks = [
      async () => ({ file: await toFile(bytes, 'speech.mp3', { type: 'audio/mpeg' }) }),
      // Without a type, with lines, and with a list.
      async () => ({
        file: await toFile(bytes, 'speech.wav'),
        prompt: 'Names:\nGrüße, Rayleigh\r\n',
        timestamp_granularities: ['word', 'segment'] as const,
      }),
    ]
    for (const [index, parts] of asks.entries()) {
      const create = async (way: string): Promise<unknown> => {
        const { timestamp_granularities: given, ...others } = Object(await parts())
        return ways[way]?.audio.transcriptions.create({
          model: 'whisper-1',
          ...others,
          ...(given && { timestamp_granularities: [...given] }),
        })
      }
      expect(await create(first)).toMatchObject({ text: `transcript ${index + 1}` })
      const again = await create(second)
      expect(again).toMatchObject({ text: `transcript ${index + 1}` })
      expect(second === 'gateway' || cacheInfo(again)?.hit).toBe(true)
    }
    const [, sent = ''] = bodies()
    expect(bodies()).toHaveLength(2)
    for (const part of ['filename="speech.wav"', 'name="prompt"\r\n\r\nNames:\r\nGr', 'name="model"\r\n\r\nwhisper-1']) {
      expect(sent).toContain(part)
    }
  })

  it('is another for other bytes, another field and another ending', async () => {
    const { ways, bodies } = await overBoth()
    const create = async (content: Uint8Array, name: string, more: object): Promise<unknown> =>
      ways['gateway']?.audio.transcriptions.create({ model: 'whisper-1', file: await toFile(content, name), ...more })
    await create(bytes, 'a.mp3', {})
    await create(bytes.with(0, 9), 'a.mp3', {})
    await create(bytes, 'a.wav', {})
    await create(bytes, 'a.mp3', { language: 'de' })
    await create(bytes, 'b.mp3', {})
    expect(bodies()).toHaveLength(4)
  })

  it('says how it was answered, and is refused above the limit', async () => {
    const { url, provider } = await gatewayOver((_request, reply) => reply.json({ text: 'Hello.' }), { limits: { bodyBytes: 2_000 } })
    const post = async (length: number, path = 'audio/transcriptions'): Promise<Response> => {
      const body = new FormData()
      body.set('model', 'whisper-1')
      body.set('file', new File([bytes.slice(0, length)], 'a.mp3'))
      return fetch(`${url}/openai/v1/${path}`, { method: 'POST', body, headers: { authorization: 'Bearer sk-test' } })
    }
    const statuses = [await post(1_000), await post(1_000)].map(({ headers }) => headers.get('cache-status'))
    expect(statuses).toEqual(['llmemo; fwd=miss; stored', expect.stringContaining('llmemo; hit')])
    expect((await post(3_000)).status).toBe(413)
    // Translations are not kept, by the gateway and by the library alike.
    for (let call = 0; call < 2; call++) {
      expect((await post(1_000, 'audio/translations')).headers.get('cache-status')).toBe('llmemo; fwd=bypass')
    }
    expect(provider.requests).toHaveLength(3)
  })

  it('goes on as it came if it is none', async () => {
    const { url, provider } = await gatewayOver((_request, reply) => reply.json({ text: 'Hello.' }))
    const headers = { 'content-type': 'multipart/form-data; boundary=x', authorization: 'Bearer sk-test' }
    const response = await fetch(`${url}/openai/v1/audio/transcriptions`, { method: 'POST', body: '--y\r\nnone', headers })
    expect(response.headers.get('cache-status')).toBe('llmemo; fwd=bypass')
    expect(provider.requests[0]).toMatchObject({ body: '--y\r\nnone', headers: { 'content-type': 'multipart/form-data; boundary=x' } })
  })
})
