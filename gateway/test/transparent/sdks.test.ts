import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Anthropic from '@anthropic-ai/sdk'
import { type Cache, createCache, withCache } from 'llmemo'
import { sqliteStore } from 'llmemo/sqlite'
import { GoogleGenAI } from '@google/genai'
import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { message, text, textEvents } from '../../../test/support/anthropic-answers.ts'
import { chunksOf, completion } from '../../../test/support/openai-answers.ts'
import { wordEvents, words } from '../../../test/support/gemini-answers.ts'
import { type ProviderServer, startProvider } from '../../../test/support/provider-server.ts'
import { isStreamRequest } from '../support/stand-in.ts'
import { listening } from '../support/listening.ts'

const messages = [{ role: 'user' as const, content: 'Why is the sky blue?' }]
let provider: ProviderServer
let folder = ''

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'llmemo-gateway-'))
  provider = await startProvider((request, reply) => {
    if (request.path.includes(':generateContent')) return reply.json(words('Rayleigh.'))
    if (request.path.includes(':streamGenerateContent')) return reply.events(wordEvents('Rayleigh.'))
    const isOpenAi = request.path.startsWith('/v1/chat')
    if (!isStreamRequest(request)) return reply.json(isOpenAi ? completion('Rayleigh.') : message([text('Rayleigh.')]))
    return reply.events(isOpenAi ? chunksOf('Rayleigh.').flat() : textEvents('Rayleigh.').flat())
  })
})
afterEach(async () => {
  await provider.close()
  rmSync(folder, { recursive: true })
})

/** A cache over the file that all processes of the test share. */
function sharedCache(): Cache {
  const cache = createCache({ store: sqliteStore(join(folder, 'answers.db')) })
  onTestFinished(() => cache.close())
  return cache
}

async function gatewayUrl(cache: Cache = createCache()): Promise<string> {
  const upstreams = { openai: provider.url, anthropic: new URL(provider.url).origin, gemini: new URL(provider.url).origin }
  return (await listening({ cache, upstreams, privateHosts: ['127.0.0.1'] })).url
}

interface Answered {
  readonly text: string
  readonly headers: Headers
}

/** Asks the same question by an unmodified SDK. @param wrap makes a wrapped client of the plain one */
type Ask = (url: string, cache?: Cache) => Promise<Answered>

const openai = (url: string, cache?: Cache): OpenAI => {
  const client = new OpenAI({ baseURL: url, apiKey: 'sk-test', maxRetries: 0 })
  return cache === undefined ? client : withCache(client, cache)
}
const anthropic = (url: string, cache?: Cache): Anthropic => {
  const client = new Anthropic({ baseURL: url, apiKey: 'sk-test', authToken: null, maxRetries: 0 })
  return cache === undefined ? client : withCache(client, cache)
}

const gemini = (url: string, cache?: Cache): GoogleGenAI => {
  const client = new GoogleGenAI({ apiKey: 'key-test', httpOptions: { baseUrl: url } })
  return cache === undefined ? client : withCache(client, cache)
}

const asks: Readonly<Record<string, { readonly prefix: string; readonly own: () => string; readonly ask: Ask }>> = {
  'OpenAI, whole': {
    prefix: '/openai/v1',
    own: () => provider.url,
    async ask(url, cache) {
      const { data, response } = await openai(url, cache).chat.completions.create({ model: 'gpt-test', messages }).withResponse()
      return { text: data.choices[0]?.message.content ?? '', headers: response.headers }
    },
  },
  'OpenAI, streamed': {
    prefix: '/openai/v1',
    own: () => provider.url,
    async ask(url, cache) {
      const params = { model: 'gpt-test', messages, stream: true } as const
      const { data, response } = await openai(url, cache).chat.completions.create(params).withResponse()
      let said = ''
      for await (const chunk of data) said += chunk.choices[0]?.delta.content ?? ''
      return { text: said, headers: response.headers }
    },
  },
  'Gemini, whole': {
    prefix: '/gemini',
    own: () => new URL(provider.url).origin,
    async ask(url, cache) {
      const answer = await gemini(url, cache).models.generateContent({ model: 'gemini-test', contents: 'Why is the sky blue?' })
      return { text: answer.text ?? '', headers: new Headers(answer.sdkHttpResponse?.headers) }
    },
  },
  'Gemini, streamed': {
    prefix: '/gemini',
    own: () => new URL(provider.url).origin,
    async ask(url, cache) {
      const stream = await gemini(url, cache).models.generateContentStream({ model: 'gemini-test', contents: 'Why is the sky blue?' })
      let said = ''
      let headers = new Headers()
      for await (const chunk of stream) {
        said += chunk.text ?? ''
        headers = new Headers(chunk.sdkHttpResponse?.headers)
      }
      return { text: said, headers }
    },
  },
  'Anthropic, whole': {
    prefix: '/anthropic',
    own: () => new URL(provider.url).origin,
    async ask(url, cache) {
      const { data, response } = await anthropic(url, cache)
        .messages.create({ model: 'claude-test', max_tokens: 100, messages })
        .withResponse()
      return { text: data.content.map((block) => (block.type === 'text' ? block.text : '')).join(''), headers: response.headers }
    },
  },
  'Anthropic, streamed': {
    prefix: '/anthropic',
    own: () => new URL(provider.url).origin,
    async ask(url, cache) {
      const params = { model: 'claude-test', max_tokens: 100, messages, stream: true } as const
      const { data, response } = await anthropic(url, cache).messages.create(params).withResponse()
      let said = ''
      for await (const each of data) said += each.type === 'content_block_delta' && each.delta.type === 'text_delta' ? each.delta.text : ''
      return { text: said, headers: response.headers }
    },
  },
}

describe.each(Object.entries(asks))('%s', (_name, { prefix, own, ask }) => {
  it('asks the provider once through the gateway', async () => {
    const url = (await gatewayUrl()) + prefix
    const first = await ask(url)
    expect(first.text).toBe('Rayleigh.')
    expect(first.headers.get('cache-status')).toBe('llmemo; fwd=miss; stored')
    expect(first.headers.get('x-llmemo-source')).toBe('origin')
    const second = await ask(url)
    expect(second.text).toBe('Rayleigh.')
    expect(second.headers.get('cache-status')).toMatch(/^llmemo; hit; ttl=\d+; detail=memory$/)
    expect(second.headers.get('age')).toBe('0')
    expect(second.headers.get('x-llmemo-source')).toBe('memory')
    expect(second.headers.get('x-llmemo-key')).toMatch(/^[0-9a-f]{64}$/)
    expect(provider.requests).toHaveLength(1)
  })

  it('is a hit in the gateway if a wrapped client stored it', async () => {
    const cache = sharedCache()
    await ask(own(), cache)
    await cache.flush()
    const { headers, text: said } = await ask((await gatewayUrl(sharedCache())) + prefix)
    expect(said).toBe('Rayleigh.')
    expect(headers.get('cache-status')).toContain('detail=sqlite')
    expect(provider.requests).toHaveLength(1)
  })

  it('is a hit in a wrapped client if the gateway stored it', async () => {
    const cache = sharedCache()
    await ask((await gatewayUrl(cache)) + prefix)
    await cache.flush()
    const { headers, text: said } = await ask(own(), sharedCache())
    expect(said).toBe('Rayleigh.')
    expect(headers.get('cache-status')).toContain('detail=sqlite')
    expect(provider.requests).toHaveLength(1)
  })

  it('gives the provider the request as the SDK would have sent it', async () => {
    await ask(own())
    await ask((await gatewayUrl()) + prefix)
    const [direct, through] = provider.requests
    expect(through?.path).toBe(direct?.path)
    expect(through?.body).toEqual(direct?.body)
    const {
      host: _host,
      connection: _connection,
      'accept-encoding': _coding,
      'accept-language': _language,
      ...sent
    } = direct?.headers ?? {}
    delete sent['sec-fetch-mode']
    const { host: _host2, connection: _connection2, 'accept-encoding': coding, ...got } = through?.headers ?? {}
    expect(got).toEqual(sent)
    expect(coding).toBe('identity')
  })
})
