import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../src/json/object.ts'
import { geminiContent } from '../../../src/providers/gemini/generate-content.ts'
import { content, contentTokens, wordEvents, words } from '../../support/gemini-answers.ts'

const streaming = geminiContent.streaming ?? expect.fail('content is streamed')

function events(...chunks: JsonObject[]) {
  return chunks.map((chunk) => ({ data: JSON.stringify(chunk) }))
}

function chunk(parts: readonly JsonObject[], more: JsonObject = {}): JsonObject {
  return { candidates: [{ content: { parts, role: 'model' }, index: 0, ...more }] }
}

const end = { finishReason: 'STOP' }

const scores = (token: string): JsonObject => ({ logprobsResult: { chosenCandidates: [{ token, logProbability: -1 }] } })

const candidate = (index: number): JsonObject => ({
  index,
  content: { parts: [{ text: `t${index}` }, { text: 'u', thought: true }], role: 'model' },
  ...end,
})

describe('a stream of content', () => {
  it('S09: is put together to the whole answer', () => {
    expect(streaming.assemble(wordEvents('Hello there'))).toEqual(words('Hello there'))
  })

  it('S04: is not whole before the finish reason of each candidate', () => {
    const all = wordEvents('Hello there')
    expect(streaming.assemble(all.slice(0, 1))).toBeUndefined()
    expect(streaming.outline?.(all.slice(0, 1))).toBeUndefined()
    const two = events({
      candidates: [
        { index: 0, content: { parts: [{ text: 'a' }] }, ...end },
        { index: 1, content: { parts: [{ text: 'b' }] } },
      ],
    })
    expect(streaming.assemble(two)).toBeUndefined()
  })

  it.each([
    ['an error', { error: { code: 503, message: 'overloaded', status: 'UNAVAILABLE' } }],
    ['no JSON object', []],
  ])('S03: with %s in it is none', (_, broken) => {
    expect(streaming.assemble([...wordEvents('Hi'), { data: JSON.stringify(broken) }])).toBeUndefined()
  })

  it('S09: keeps thoughts apart from the answer, and signatures at their own parts', () => {
    const thought = { text: 'Hm, ', thought: true }
    const signed = { functionCall: { name: 'f', args: { b: 1, a: 2 } }, thoughtSignature: 'c2ln' }
    const last = { text: '', thoughtSignature: 'ZW5k' }
    const whole = streaming.assemble(
      events(
        chunk([thought]),
        chunk([{ text: 'so', thought: true }]),
        chunk([{ text: 'A' }]),
        chunk([{ text: 'B' }, signed]),
        chunk([{ text: 'C' }]),
        chunk([last], end),
      ),
    )
    const parts = [{ text: 'Hm, so', thought: true }, { text: 'AB' }, signed, { text: 'C' }, last]
    expect(whole).toEqual({ candidates: [{ content: { parts, role: 'model' }, index: 0, ...end }] })
  })

  it('S09: has the grounding, the scores of all tokens and the last count', () => {
    const grounding = { webSearchQueries: ['sky'], groundingChunks: [{ web: { uri: 'https://example.com', title: 'Sky' } }] }
    const whole = streaming.assemble(
      events(
        { ...chunk([{ text: 'a' }], scores('a')), usageMetadata: { promptTokenCount: 5 } },
        { ...chunk([{ text: 'b' }], { ...scores('b'), groundingMetadata: grounding, ...end }), usageMetadata: contentTokens },
      ),
    )
    expect(whole).toMatchObject({
      candidates: [{ groundingMetadata: grounding, logprobsResult: { chosenCandidates: [{ token: 'a' }, { token: 'b' }] } }],
      usageMetadata: contentTokens,
    })
  })

  it('whose calls come in pieces serves streams only', () => {
    const pieces = events(
      chunk([{ functionCall: { name: 'f', willContinue: true } }]),
      chunk([{ functionCall: { partialArgs: [{ jsonPath: '$.a', stringValue: 'x' }] } }], end),
    )
    expect(streaming.assemble(pieces)).toBeUndefined()
    expect(streaming.outline?.(pieces)).toMatchObject({ candidates: [end] })
  })

  it.each([
    ['a text', words('Hello')],
    ['nothing', { promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: { promptTokenCount: 1 } }],
    [
      'thoughts, a call and a picture',
      content([
        { text: 'Hm', thought: true },
        { text: 'See:' },
        { functionCall: { name: 'f', args: {} } },
        { inlineData: { mimeType: 'image/png', data: 'AA==' } },
      ]),
    ],
    [
      'two candidates',
      {
        candidates: [candidate(0), candidate(1)],
        usageMetadata: contentTokens,
      },
    ],
  ])('S10: of a whole answer with %s is that answer again', (_, answer) => {
    expect(streaming.assemble(streaming.disassemble(answer, {}))).toEqual(answer)
  })
})

describe('an answer of content', () => {
  it.each([
    [undefined, words('Hi')],
    [undefined, content([{ functionCall: { name: 'f', args: {} } }])],
    ['empty', content([{ text: 'Hm', thought: true }])],
    ['empty', content([{ text: '' }])],
    ['empty', { candidates: [] }],
    ['length', content([{ text: 'Hi' }], { finishReason: 'MAX_TOKENS' })],
    ['content_filter', content([{ text: 'Hi' }], { finishReason: 'SAFETY' })],
    ['content_filter', content([{ text: 'Hi' }], { finishReason: 'IMAGE_PROHIBITED_CONTENT' })],
    ['content_filter', { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' } }],
    ['finish_reason', content([{ text: 'Hi' }], { finishReason: 'MALFORMED_FUNCTION_CALL' })],
    ['finish_reason', content([{ text: 'Hi' }], { finishReason: undefined })],
    ['malformed', { modelVersion: 'm' }],
    ['error', { error: { code: 400, message: 'no' } }],
  ])('B11: is judged %s: %j', (reason, answer) => {
    expect(geminiContent.skipReason(answer)).toBe(reason)
  })

  it('counts thoughts as output, and what the provider read from its own cache', () => {
    const usageMetadata = {
      ...contentTokens,
      cachedContentTokenCount: 4,
      toolUsePromptTokenCount: 1,
      promptTokensDetails: [{ modality: 'AUDIO', tokenCount: 2 }],
    }
    expect(geminiContent.usage({ usageMetadata })).toEqual({ input: 6, output: 5, cacheRead: 4, audioInput: 2 })
    expect(geminiContent.usage({})).toBeUndefined()
  })
})
