import type { JsonObject } from '../../../src/json/object.ts'
import { describe, expect, it } from 'vitest'
import { openaiImages } from '../../../src/providers/openai/images.ts'
import { openaiModerations } from '../../../src/providers/openai/moderations.ts'
import { openaiSpeech } from '../../../src/providers/openai/speech.ts'
import { openaiTranscriptions } from '../../../src/providers/openai/transcriptions.ts'
import { openaiEndpoints } from '../../../src/providers/openai/endpoints.ts'

function event(type: string, rest: JsonObject = {}): { data: string } {
  return { data: JSON.stringify({ type, ...rest }) }
}

describe('the endpoints of OpenAI', () => {
  it('are these, under these names, which are part of the published key', () => {
    expect(openaiEndpoints.map(({ provider, name, path, operation }) => [provider, name, path, operation])).toEqual([
      ['openai', 'chat.completions', '/chat/completions', 'chat'],
      ['openai', 'completions', '/completions', 'completions'],
      ['openai', 'responses', '/responses', 'responses'],
      ['openai', 'embeddings', '/embeddings', 'embeddings'],
      ['openai', 'moderations', '/moderations', 'moderations'],
      ['openai', 'images.generate', '/images/generations', 'images'],
      ['openai', 'audio.speech', '/audio/speech', 'speech'],
      ['openai', 'audio.transcriptions', '/audio/transcriptions', 'transcriptions'],
    ])
  })

  it.each(openaiEndpoints)('$name ignores `stream` only if one stored answer serves streamed and whole calls', ({ streaming, ignored }) => {
    expect(ignored.includes('stream')).toBe(streaming !== undefined)
  })

  it.each(openaiEndpoints)('$name ignores nothing that can change an answer', ({ ignored }) => {
    const harmless = [
      'stream',
      'stream_options',
      'user',
      'safety_identifier',
      'prompt_cache_key',
      'prompt_cache_retention',
      'metadata',
      'service_tier',
    ]
    expect(harmless).toEqual(expect.arrayContaining([...ignored]))
  })

  it.each(openaiEndpoints)('B11: $name never stores an error', (endpoint) => {
    expect(endpoint.skipReason({ error: { message: 'x' } })).toBeDefined()
    expect(endpoint.skipReason({})).toBeDefined()
  })
})

describe('B11: moderations', () => {
  it.each<[string | undefined, JsonObject]>([
    [undefined, { results: [{ flagged: false }] }],
    ['empty', { results: [] }],
    ['malformed', {}],
    ['error', { error: {} }],
  ])('are judged %s: %j', (verdict, answer) => {
    expect(openaiModerations.skipReason(answer)).toBe(verdict)
    expect(openaiModerations.usage(answer)).toBeUndefined()
  })
})

describe('B11: images', () => {
  it.each<[string | undefined, JsonObject]>([
    [undefined, { data: [{ b64_json: 'AAAA' }] }],
    ['expires', { data: [{ b64_json: 'AAAA' }, { url: 'https://images.example/1' }] }],
    ['empty', { data: [{}] }],
    ['empty', { data: [] }],
    ['malformed', { data: ['x'] }],
    ['malformed', {}],
    ['error', { error: {} }],
  ])('are judged %s: %j', (verdict, answer) => {
    expect(openaiImages.skipReason(answer)).toBe(verdict)
  })

  it('have their usage read', () => {
    const usage = { input_tokens: 10, output_tokens: 1000, total_tokens: 1010, input_tokens_details: { image_tokens: 0, text_tokens: 10 } }
    expect(openaiImages.usage({ usage })).toEqual({ input: 10, output: 1000 })
  })
})

describe('B11: transcriptions', () => {
  it.each<[string | undefined, JsonObject]>([
    [undefined, { text: 'Hello' }],
    ['empty', { text: '' }],
    ['malformed', {}],
    ['error', { error: {} }],
  ])('are judged %s: %j', (verdict, answer) => {
    expect(openaiTranscriptions.skipReason(answer)).toBe(verdict)
  })

  it('have their usage read if it is in tokens', () => {
    const tokens = {
      type: 'tokens',
      input_tokens: 14,
      output_tokens: 45,
      total_tokens: 59,
      input_token_details: { text_tokens: 0, audio_tokens: 14 },
    }
    expect(openaiTranscriptions.usage({ usage: tokens })).toEqual({ input: 14, output: 45, audioInput: 14 })
    expect(openaiTranscriptions.usage({ usage: { type: 'duration', seconds: 3 } })).toBeUndefined()
  })
})

describe.each([
  [openaiImages, 'image_generation.completed', 'image_generation.partial_image'],
  [openaiTranscriptions, 'transcript.text.done', 'transcript.text.delta'],
  [openaiSpeech, 'speech.audio.done', 'speech.audio.delta'],
])('S04: a stream of $name', ({ complete }, end, part) => {
  it('is complete with its end mark', () => {
    expect(complete?.([event(part), event(end), { data: '[DONE]' }])).toBe(true)
    expect(complete?.([{ event: end, ...event(end) }])).toBe(true)
  })

  it('is not complete without it, with half of it, or with an error', () => {
    expect(complete?.([])).toBe(false)
    expect(complete?.([event(part, { text: end })])).toBe(false)
    expect(complete?.([{ event: end, data: event(end).data.slice(0, -1) }])).toBe(false)
    expect(complete?.([event('error', { message: 'x' }), event(end)])).toBe(false)
    expect(complete?.([event(end), { event: 'error', data: '' }])).toBe(false)
    expect(complete?.([{ data: '{"error":{"message":"x"}}' }, event(end)])).toBe(false)
  })
})
