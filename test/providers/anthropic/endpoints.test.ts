import type { JsonObject } from '../../../src/json/object.ts'
import { describe, expect, it } from 'vitest'
import { anthropicCountTokens } from '../../../src/providers/anthropic/count-tokens.ts'
import { anthropicEndpoints } from '../../../src/providers/anthropic/endpoints.ts'

describe('the endpoints of Anthropic', () => {
  it('are these, under these names, which are part of the published key', () => {
    expect(anthropicEndpoints.map(({ provider, name, path, operation }) => [provider, name, path, operation])).toEqual([
      ['anthropic', 'messages', '/v1/messages', 'messages'],
      ['anthropic', 'messages.count_tokens', '/v1/messages/count_tokens', 'count_tokens'],
    ])
  })

  it('do not include batches, whose answers come later', () => {
    const paths = ['/v1/messages/batches', '/v1/messages/batches/b/results']
    expect(anthropicEndpoints.some(({ path }) => paths.some((each) => each.endsWith(path)))).toBe(false)
  })

  it.each(anthropicEndpoints)(
    '$name ignores `stream` only where one stored answer serves both kinds of caller',
    ({ streaming, ignored }) => {
      expect(ignored.includes('stream')).toBe(streaming !== undefined)
    },
  )

  it.each(anthropicEndpoints)('T03: $name ignores nothing that can change an answer', ({ ignored }) => {
    expect(['stream', 'metadata', 'service_tier']).toEqual(expect.arrayContaining([...ignored]))
  })

  it.each(anthropicEndpoints)('B11: $name never stores an error', (endpoint) => {
    expect(endpoint.skipReason({ type: 'error', error: { type: 'overloaded_error', message: 'x' } })).toBe('error')
    expect(endpoint.skipReason({ error: { message: 'x' } })).toBe('error')
    expect(endpoint.skipReason({})).toBe('malformed')
  })
})

describe('a count of tokens', () => {
  it.each<[string | undefined, JsonObject]>([
    [undefined, { input_tokens: 14 }],
    [undefined, { input_tokens: 0, context_management: { original_input_tokens: 9 } }],
    ['malformed', { input_tokens: '14' }],
    ['malformed', { input_tokens: null }],
  ])('B11: is judged %s: %j', (verdict, answer) => {
    expect(anthropicCountTokens.skipReason(answer)).toBe(verdict)
  })

  it('costs nothing', () => {
    expect(anthropicCountTokens.usage({ input_tokens: 14 })).toEqual({ input: 0, output: 0 })
  })

  it('bypasses the cache for state at the provider', () => {
    expect(anthropicCountTokens.bypassReason({ thread: { type: 'continue', previous_message_id: 'm' } })).toBe('thread')
    expect(anthropicCountTokens.bypassReason({ thread: null })).toBeUndefined()
  })

  it('T04: is the same for both spellings of a text', () => {
    const content = [{ type: 'text', text: 'x', cache_control: { type: 'ephemeral' } }]
    expect(anthropicCountTokens.normalise?.({ messages: [{ role: 'user', content }] })).toEqual({
      messages: [{ role: 'user', content: 'x' }],
    })
  })
})
