import type { JsonObject } from '../../../src/json/object.ts'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openaiCompletions } from '../../../src/providers/openai/completions.ts'
import type { ServerEvent } from '../../../src/base/server-sent-events.ts'
import { recordings, recordingsFound } from '../../support/recordings.ts'
import { bodyOf, verdicts } from '../../support/verdicts.ts'

const streaming = openaiCompletions.streaming ?? expect.fail('completions are streamed')
const withUsage: JsonObject = { stream: true, stream_options: { include_usage: true } }
const done: ServerEvent = { data: '[DONE]' }

function chunks(...choices: JsonObject[]): ServerEvent[] {
  return choices.map((choice) => ({
    data: JSON.stringify({ id: 'c', object: 'text_completion', created: 1, model: 'm', choices: [choice] }),
  }))
}

function scores(token: string, offset: number): JsonObject {
  return { tokens: [token], token_logprobs: [-1], top_logprobs: null, text_offset: [offset] }
}

describe.skipIf(!recordingsFound)('recorded completions', () => {
  const recorded = recordings('openai-completions')

  it('B11 S06: each is stored, or not, for its reason', () => {
    expect(verdicts(openaiCompletions, recorded)).toEqual({
      // Both were cut off at their sixteenth token.
      'openai-completion-text.json': 'length',
      'openai-completion-text.stream.jsonl': 'length',
    })
  })

  it.each(recorded)('assembles the stream $name', ({ events = [] }) => {
    const parts = events.slice(0, -1).map(({ data }) => bodyOf(JSON.parse(data)))
    const text = parts.map((part) => (Array.isArray(part['choices']) ? String(part['choices'][0]?.text ?? '') : '')).join('')
    expect(text).toMatch(/^The holiday is called/)
    const { id, created, model, usage } = parts.at(-1) ?? {}
    expect(streaming.assemble(events)).toEqual({
      id,
      object: 'text_completion',
      created,
      model,
      choices: [{ text, index: 0, logprobs: null, finish_reason: 'length' }],
      usage,
    })
  })

  it.each(recorded)('S09: streams the whole answer $name so that it can be read back', ({ whole = '' }) => {
    const answer = bodyOf(JSON.parse(whole))
    expect(streaming.assemble(streaming.disassemble(answer, withUsage))).toEqual(answer)
  })

  it.each(recorded)('S04: no part of the stream $name is complete', ({ events = [] }) => {
    for (let end = 0; end < events.length; end += 1) expect(streaming.assemble(events.slice(0, end))).toBeUndefined()
  })

  it.each(recorded)('gives a caller that did not ask for usage the stream $name without it', ({ events = [] }) => {
    const adapted = streaming.adapt?.(events, { stream: true }) ?? []
    expect(adapted).toHaveLength(events.length - 1)
    expect(adapted.some(({ data }) => data.includes('usage'))).toBe(false)
  })
})

describe('a completion stream', () => {
  it('S04: is complete with a finish reason for every choice, and its end mark', () => {
    const [begun, ended] = [
      { text: 'a', index: 0, finish_reason: null },
      { text: 'b', index: 0, finish_reason: 'stop' },
    ]
    expect(streaming.assemble([...chunks(begun, ended), done])).toHaveProperty('choices', [{ text: 'ab', index: 0, finish_reason: 'stop' }])
    expect(streaming.assemble(chunks(begun, ended))).toBeUndefined()
    expect(streaming.assemble([...chunks(begun), done])).toBeUndefined()
    expect(streaming.assemble([...chunks(begun, ended, { text: 'c', index: 1, finish_reason: null }), done])).toBeUndefined()
    expect(streaming.assemble([...chunks(begun, ended), { data: '{"error":{}}' }, done])).toBeUndefined()
    expect(streaming.assemble([done])).toBeUndefined()
  })

  it('joins the log probabilities, list by list', () => {
    const events = chunks(
      { text: 'a', index: 0, logprobs: scores('a', 0), finish_reason: null },
      { text: 'b', index: 0, logprobs: scores('b', 1), finish_reason: 'stop' },
    )
    expect(streaming.assemble([...events, done])).toHaveProperty('choices.0.logprobs', {
      tokens: ['a', 'b'],
      token_logprobs: [-1, -1],
      top_logprobs: null,
      text_offset: [0, 1],
    })
  })

  it('S09: is made of a whole completion, and undone by assembling it', () => {
    const choice = fc.record({
      text: fc.string(),
      logprobs: fc.option(fc.record({ tokens: fc.array(fc.string()), token_logprobs: fc.array(fc.integer()) }), { nil: null }),
      finish_reason: fc.constantFrom('stop', 'length', 'content_filter'),
    })
    const answer = fc.record({
      id: fc.string({ minLength: 1 }),
      object: fc.constant('text_completion'),
      model: fc.string({ minLength: 1 }),
      usage: fc.record({ prompt_tokens: fc.nat() }),
      choices: fc.array(choice, { minLength: 1 }).map((choices) => choices.map((each, index) => Object.assign({ index }, each))),
    })
    fc.assert(
      fc.property(answer, (generated) => {
        const whole = bodyOf(generated)
        expect(streaming.assemble(streaming.disassemble(whole, withUsage))).toEqual(whole)
      }),
    )
  })
})

describe('B11: a completion', () => {
  it.each<[string | undefined, JsonObject]>([
    [undefined, { choices: [{ text: 'x', finish_reason: 'stop' }] }],
    ['empty', { choices: [{ text: '', finish_reason: 'stop' }] }],
    ['empty', { choices: [] }],
    ['length', { choices: [{ text: 'x', finish_reason: 'length' }] }],
    ['content_filter', { choices: [{ text: 'x', finish_reason: 'content_filter' }] }],
    ['finish_reason', { choices: [{ text: 'x', finish_reason: 'other' }] }],
    ['malformed', { choices: [{ message: {} }] }],
    ['malformed', {}],
    ['error', { error: { message: 'x' } }],
  ])('S06 is judged %s: %j', (verdict, answer) => {
    expect(openaiCompletions.skipReason(answer)).toBe(verdict)
  })
})
