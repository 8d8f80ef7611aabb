import OpenAI, { toFile } from 'openai'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import type { Cached } from '../../../src/clients/cached.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { type Cache, createCache } from '../../../src/cache/cache.ts'
import { type ProviderServer, startProvider } from '../../support/provider-server.ts'
import { completion } from '../../support/openai-answers.ts'
import { read } from '../../support/outcome.ts'

describe('the other endpoints of openai 7', () => {
  let server: ProviderServer
  let cache: Cache
  let bare: OpenAI
  let client: Cached<OpenAI>
  beforeEach(async () => {
    server = await startProvider()
    bare = new OpenAI({ baseURL: server.url, apiKey: 'test-key', maxRetries: 0, logLevel: 'off' })
    cache = createCache({ logger: false })
    client = withCache(bare, cache)
  })
  afterEach(() => server.close())

  const transcribe = async (given: Promise<File>, more: object = {}) =>
    client.audio.transcriptions.create({ model: 'whisper-1', file: await given, ...more })

  it('moderations are stored', async () => {
    const results = [{ flagged: false, categories: {}, category_scores: {} }]
    server.respond((_request, reply) => reply.json({ id: 'modr-1', model: 'm', results }))
    const params = { model: 'omni-moderation-latest', input: ['one', 'two'] }
    const [first, second] = [await client.moderations.create(params), await client.moderations.create(params)]
    expect(second).toStrictEqual(first)
    expect(second.results).toEqual(results)
    expect(cacheInfo(second)).toMatchObject({ hit: true, operation: 'moderations' })
    expect(server.requests).toHaveLength(1)
  })

  describe('images', () => {
    const params = { model: 'gpt-image-1', prompt: 'a house' }

    it('are stored if they are bytes', async () => {
      const usage = { input_tokens: 3, output_tokens: 1000, total_tokens: 1003, input_tokens_details: { image_tokens: 0, text_tokens: 3 } }
      server.respond((_request, reply) => reply.json({ created: 1, data: [{ b64_json: 'AAAA' }], usage }))
      const [first, second] = [await client.images.generate(params), await client.images.generate(params)]
      expect(second).toStrictEqual(first)
      expect(cacheInfo(second)).toMatchObject({ hit: true, operation: 'images', savedTokens: 1003 })
      expect(server.requests).toHaveLength(1)
    })

    it('are not stored if they are an address, which expires', async () => {
      server.respond((_request, reply) => reply.json({ created: 1, data: [{ url: 'https://images.example/1' }] }))
      for (const image of [await client.images.generate(params), await client.images.generate(params)]) {
        expect(cacheInfo(image)).toMatchObject({ hit: false, stored: false, reason: 'expires' })
      }
      expect(server.requests).toHaveLength(2)
    })

    it('are replayed as they were streamed', async () => {
      const events = [
        { type: 'image_generation.partial_image', b64_json: 'AAAA', partial_image_index: 0 },
        { type: 'image_generation.completed', b64_json: 'BBBB' },
      ]
      server.respond((_request, reply) => reply.events(events.map((event) => ({ event: event.type, data: JSON.stringify(event) }))))
      const streamed = { ...params, stream: true as const, partial_images: 1 }
      for (let time = 0; time < 3; time++) expect(await read(await client.images.generate(streamed))).toEqual(events)
      expect(server.requests).toHaveLength(1)
    })
  })

  describe('speech', () => {
    const sound = Uint8Array.from({ length: 5_000 }, (_, index) => (index * 7 + (index >> 8)) % 256)
    const params = { model: 'tts-1', voice: 'alloy', input: 'Hello' } as const

    const speak = async () => (await client.audio.speech.create(params)).arrayBuffer()

    it('is the same bytes each time', async () => {
      server.respond((_request, reply) => reply.bytes(sound, { headers: { 'content-type': 'audio/mpeg' } }))
      for (const hit of [false, true, true]) {
        const speech = await client.audio.speech.create(params)
        expect(cacheInfo(speech)).toMatchObject({ hit, operation: 'speech' })
        expect(speech.headers.get('content-type')).toBe('audio/mpeg')
        expect(new Uint8Array(await speech.arrayBuffer())).toEqual(sound)
      }
      expect(server.requests).toHaveLength(1)
    })

    it('of another voice or format is another answer', async () => {
      server.respond((_request, reply) => reply.bytes(sound, { headers: { 'content-type': 'audio/mpeg' } }))
      for (const more of [{}, { voice: 'echo' as const }, { response_format: 'opus' as const }, { speed: 1.5 }]) {
        await (await client.audio.speech.create({ ...params, ...more })).arrayBuffer()
      }
      expect(server.requests).toHaveLength(4)
    })

    it.each(['reset', 'empty'])('S03 B11: that is %s is not stored', async (how) => {
      const audio = { 'content-type': 'audio/mpeg' }
      server.respond((_request, reply) =>
        how === 'empty'
          ? reply.bytes(new Uint8Array(), { headers: audio })
          : reply.events([{ data: 'half' }], { headers: audio, end: 'reset' }),
      )
      await speak().catch(() => undefined)
      server.respond((_request, reply) => reply.bytes(sound, { headers: audio }))
      expect((await speak()).byteLength).toBe(5_000)
      expect(cache.stats()).toMatchObject({ hits: 0, stored: 1, skipped: { [how === 'reset' ? 'failed' : 'empty']: 1 } })
    })

    it('is not stored if its body is never read', async () => {
      server.respond((_request, reply) => reply.bytes(sound, { headers: { 'content-type': 'audio/mpeg' } }))
      await (await client.audio.speech.create(params)).body?.cancel()
      await (await client.audio.speech.create(params)).arrayBuffer()
      expect(server.requests).toHaveLength(2)
    })
  })

  describe('transcriptions', () => {
    const bytes = Uint8Array.from({ length: 3_000 }, (_, index) => index % 251)
    const other = bytes.map((byte, index) => (index === 2_999 ? byte + 1 : byte))
    const file = (content = bytes, name = 'speech.mp3') => toFile(content, name, { type: 'audio/mpeg' })
    it('T05: are keyed by the bytes of the file, not by the object or its name', async () => {
      server.respond((_request, reply) => reply.json({ text: `transcript ${server.requests.length}` }))
      expect(await transcribe(file())).toMatchObject({ text: 'transcript 1' })
      const again = await transcribe(file(bytes, 'another.mp3'))
      expect(again).toMatchObject({ text: 'transcript 1' })
      expect(cacheInfo(again)).toMatchObject({ hit: true, operation: 'transcriptions' })
      expect(await transcribe(file(other))).toMatchObject({ text: 'transcript 2' })
      // The provider reads the format from the ending of the name.
      expect(await transcribe(file(bytes, 'speech.wav'))).toMatchObject({ text: 'transcript 3' })
      expect(await transcribe(file(), { language: 'de' })).toMatchObject({ text: 'transcript 4' })
      expect(await transcribe(file(), { language: 'de' })).toMatchObject({ text: 'transcript 4' })
      expect(server.requests).toHaveLength(4)
      expect(server.requests[0]?.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/)
    })

    it('are plain text if the request asks for it', async () => {
      server.respond((_request, reply) => reply.text('Good morning – Grüße.\n'))
      const params = { response_format: 'text' }
      expect([await transcribe(file(), params), await transcribe(file(), params)]).toEqual([
        'Good morning – Grüße.\n',
        'Good morning – Grüße.\n',
      ])
      expect(server.requests).toHaveLength(1)
    })

    it('of the same bytes at once are one call', async () => {
      server.respond((_request, reply) => reply.json({ text: 'once' }))
      const texts = await Promise.all(Array.from({ length: 5 }, () => transcribe(file())))
      expect(texts).toEqual(Array.from({ length: 5 }, () => ({ text: 'once' })))
      expect(server.requests).toHaveLength(1)
    })
  })

  it('calls that are not cached pass through', async () => {
    server.respond(({ method, path }, reply) => {
      if (method === 'GET') return reply.json({ object: 'list', data: [{ id: `m${server.requests.length}`, object: 'model' }] })
      return reply.json({ id: `file-${server.requests.length}`, object: 'file', path })
    })
    const models = [await read(await client.models.list()), await read(await client.models.list())]
    expect(models).toMatchObject([[{ id: 'm1' }], [{ id: 'm2' }]])
    const upload = async () => client.files.create({ purpose: 'assistants', file: await toFile(Buffer.from('text'), 'a.txt') })
    expect([await upload(), await upload()]).toMatchObject([{ id: 'file-3' }, { id: 'file-4' }])
    const batch = { completion_window: '24h', endpoint: '/v1/chat/completions', input_file_id: 'file-3' } as const
    const created = await client.batches.create(batch)
    expect(created).toMatchObject({ id: 'file-5', path: '/v1/batches' })
    expect(cacheInfo(created)).toBeUndefined()
    expect(cache.stats()).toMatchObject({ hits: 0, misses: 0, bypasses: 0, errors: 0 })
  })

  describe('T05: a value without canonical JSON', () => {
    it.each([
      ['a Map', { metadata: new Map([['a', 'b']]) }],
      ['NaN', { temperature: Number.NaN }],
      ['a function', { metadata: { call: () => 'x' } }],
      ['a Set', { stop: new Set(['x']) }],
      ['a lone surrogate', { user: '\uD800' }],
    ])('is sent as the bare client sends it, past the cache: %s in the request', async (_, more: object) => {
      server.respond((_request, reply) => reply.json(completion(`answer ${server.requests.length}`)))
      const params = Object.assign({ model: 'm', messages: [{ role: 'user' as const, content: 'Hi' }] }, more)
      await bare.chat.completions.create(params)
      for (const answer of [await client.chat.completions.create(params), await client.chat.completions.create(params)]) {
        expect(cacheInfo(answer)).toMatchObject({ hit: false, stored: false, source: 'origin', reason: 'not keyable' })
      }
      expect(server.requests).toHaveLength(3)
      expect(server.requests[1]?.body).toEqual(server.requests[0]?.body)
      expect(cache.stats()).toMatchObject({ bypassReasons: { 'not keyable': 2 }, errors: 0 })
    })

    it('bypasses the cache as a context, too', async () => {
      server.respond((_request, reply) => reply.json(completion('answer')))
      const params = { model: 'm', messages: [{ role: 'user' as const, content: 'Hi' }] }
      const options = { cache: { context: { at: new Map() } } }
      expect(cacheInfo(await client.chat.completions.create(params, options))).toMatchObject({ reason: 'not keyable', key: '' })
      expect(server.requests).toHaveLength(1)
    })
  })
})
