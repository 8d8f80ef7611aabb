import OpenAI from 'openai'
import Anthropic from '@anthropic-ai/sdk'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cacheInfo, createCache, withCache } from '../../../src/index.ts'
import { isJsonObject, type JsonObject } from '../../../src/json/object.ts'
import { anthropicMessages } from '../../../src/providers/anthropic/messages.ts'
import { openaiResponses } from '../../../src/providers/openai/responses.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { type ProviderServer, startProvider } from '../../support/provider-server.ts'

const minute = 60_000
const hour = 60 * minute

let server: ProviderServer
let clock: ManualClock
beforeEach(async () => {
  server = await startProvider()
  clock = new ManualClock()
})
afterEach(() => server.close())

const cacheOf = () => createCache({ logger: false, clock, ttl: '1d', staleIfError: '1d', staleWhileRevalidate: '1d', stale: '1d' })

function chatWithAudio(expiresAt: number): JsonObject {
  const audio = { id: 'audio_1', data: 'AAAA', transcript: 'Hi', expires_at: Math.floor(expiresAt / 1_000) }
  return { model: 'gpt-audio', choices: [{ index: 0, message: { role: 'assistant', content: null, audio }, finish_reason: 'stop' }] }
}

function codeResponse(): JsonObject {
  const citation = { type: 'container_file_citation', container_id: 'cntr_1', file_id: 'cfile_1', filename: 'plot.png' }
  return {
    id: 'resp_1',
    object: 'response',
    status: 'completed',
    model: 'gpt-5',
    output: [
      { type: 'code_interpreter_call', id: 'ci_1', status: 'completed', code: 'plot()', container_id: 'cntr_1', outputs: [] },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Here', annotations: [citation] }] },
    ],
  }
}

const openai = () => withCache(new OpenAI({ apiKey: 'k', baseURL: server.url, maxRetries: 0 }), cacheOf())

describe('answers that name what the provider deletes', () => {
  it('G33 chat audio is served until it expires, not even stale after that', async () => {
    server.respond((_, reply) => reply.json(chatWithAudio(clock.now() + hour)))
    const client = openai()
    const ask = () => client.chat.completions.create({ model: 'gpt-audio', messages: [{ role: 'user', content: 'Hi' }] })
    expect(cacheInfo(await ask())).toMatchObject({ stored: true })
    clock.advance(hour - 2 * minute)
    expect(cacheInfo(await ask())).toMatchObject({ hit: true, stale: false })
    clock.advance(3 * minute)
    expect(cacheInfo(await ask())).toMatchObject({ hit: false })
    expect(server.requests).toHaveLength(2)
  })

  it('G33 chat audio that has expired is not stored', async () => {
    server.respond((_, reply) => reply.json(chatWithAudio(clock.now() - minute)))
    const answer = await openai().chat.completions.create({ model: 'gpt-audio', messages: [{ role: 'user', content: 'Hi' }] })
    expect(cacheInfo(answer)).toMatchObject({ stored: false, reason: 'expires', ttl: 0 })
  })

  it('G33 files in an automatic container are cited for a short while only', async () => {
    server.respond((_, reply) => reply.json(codeResponse()))
    const client = openai()
    const tools = [{ type: 'code_interpreter' as const, container: { type: 'auto' as const } }]
    const ask = () => client.responses.create({ model: 'gpt-5', input: 'Plot', tools })
    const first = cacheInfo(await ask())
    expect(first).toMatchObject({ stored: true })
    expect(first?.ttl).toBeLessThanOrEqual(20 * 60)
    clock.advance(10 * minute)
    expect(cacheInfo(await ask())).toMatchObject({ hit: true })
    clock.advance(15 * minute)
    expect(cacheInfo(await ask())).toMatchObject({ hit: false })
  })

  it('G33 an answer of Anthropic that names a container is served no longer than that', async () => {
    const container = { id: 'container_1', expires_at: new Date(clock.now() + hour).toISOString() }
    const content = [{ type: 'text', text: 'Done' }]
    const message = {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude-test',
      content,
      stop_reason: 'end_turn',
      container,
    }
    server.respond((_, reply) => reply.json(message))
    const client = withCache(new Anthropic({ apiKey: 'k', baseURL: server.url.replace('/v1', ''), maxRetries: 0 }), cacheOf())
    const ask = () => client.messages.create({ model: 'claude-test', max_tokens: 10, messages: [{ role: 'user', content: 'Hi' }] })
    expect(cacheInfo(await ask())).toMatchObject({ stored: true, ttl: 3_600 })
    clock.advance(59 * minute)
    expect(cacheInfo(await ask())).toMatchObject({ hit: true })
    clock.advance(2 * minute)
    expect(cacheInfo(await ask())).toMatchObject({ hit: false })
  })

  it.each<[string | undefined, JsonObject]>([
    ['container', { tools: [{ type: 'code_interpreter', container: 'cntr_1' }] }],
    ['container', { tools: [{ type: 'shell', environment: { type: 'container_reference', container_id: 'cntr_1' } }] }],
    ['container', { tools: [{ type: 'web_search' }, { type: 'some_tool', container_id: 'cntr_1' }] }],
    [undefined, { tools: [{ type: 'code_interpreter', container: { type: 'auto', file_ids: ['file_1'] } }] }],
    [undefined, { tools: [{ type: 'shell', environment: { type: 'container_auto' } }] }],
    [
      undefined,
      { tools: [{ type: 'function', name: 'f', parameters: { properties: { container_id: { type: 'string' } }, container: 'x' } }] },
    ],
  ])('G33 a request is refused by %s: %j', (reason, request) => {
    expect(openaiResponses.bypassReason({ model: 'm', input: 'x', ...request })).toBe(reason)
  })

  it.each<[string | undefined, unknown]>([
    ['container', 'container_1'],
    ['container', { id: 'container_1', skills: [] }],
    [undefined, { skills: [{ type: 'anthropic', skill_id: 'xlsx' }] }],
    [undefined, { id: null }],
    [undefined, null],
  ])('G33 a message of Anthropic is refused by %s: in the container %j', (reason, container) => {
    expect(anthropicMessages.bypassReason({ model: 'm', messages: [], max_tokens: 9, container })).toBe(reason)
  })

  it.each(['tool_use', 'pause_turn'])('G33 an answer of Anthropic whose container waits for the caller is not stored: %s', (stop) => {
    const answer = { content: [{ type: 'tool_use', id: 't', name: 'f', input: {} }], stop_reason: stop }
    expect(anthropicMessages.skipReason({ ...answer, container: { id: 'container_1' } })).toBe('container')
    expect(anthropicMessages.skipReason({ ...answer, container: null })).toBeUndefined()
  })

  it('G33 a request in a container with an id is asked each time', async () => {
    server.respond((_, reply) => reply.json(codeResponse()))
    const client = openai()
    const tools = [{ type: 'code_interpreter' as const, container: 'cntr_1' }]
    for (let time = 0; time < 2; time++) await client.responses.create({ model: 'gpt-5', input: 'Plot', tools })
    expect(server.requests.map(({ body }) => isJsonObject(body) && body['input'])).toEqual(['Plot', 'Plot'])
  })
})
