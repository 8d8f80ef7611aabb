import type { JsonObject } from '../../../src/json/object.ts'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { joinEmbeddings, openaiEmbeddings, shareEmbeddings, splitEmbeddings } from '../../../src/providers/openai/embeddings.ts'
import { recordings, recordingsFound } from '../../support/recordings.ts'
import { bodyOf, verdicts } from '../../support/verdicts.ts'

function answer(indexes: readonly unknown[], usage?: JsonObject): JsonObject {
  const data = indexes.map((index) => ({ object: 'embedding', index, embedding: [Number(index)] }))
  return { object: 'list', data, model: 'm', ...(usage === undefined ? {} : { usage }) }
}

describe.skipIf(!recordingsFound)('recorded embeddings', () => {
  const recorded = recordings('openai-embeddings')

  it('B11: each is stored, or not, for its reason', () => {
    // Two inputs, two vectors.
    expect(verdicts(openaiEmbeddings, recorded)).toEqual({ 'openai-embedding.json': 'storable' })
  })

  it('are divided by input and put together again', () => {
    const answer = bodyOf(JSON.parse(recorded[0]?.whole ?? ''))
    const parts = shareEmbeddings(answer, [{ input: 'sunny day at the beach' }, { input: 'rainy' }]) ?? []
    expect(parts).toHaveLength(2)
    for (const part of parts) expect(openaiEmbeddings.skipReason(part)).toBeUndefined()
    expect(joinEmbeddings(parts)).toEqual(answer)
    expect(openaiEmbeddings.usage(answer)).toEqual({ input: 12, output: 0 })
  })
})

describe('splitEmbeddings', () => {
  it.each<[string, unknown, unknown[] | undefined]>([
    ['a text', 'x', ['x']],
    ['texts', ['x', 'y'], ['x', 'y']],
    ['one text in a list, which is the text', ['x'], ['x']],
    ['tokens', [1, 2], [[1, 2]]],
    ['lists of tokens', [[1, 2], [3]], [[1, 2], [3]]],
    ['an empty list', [], undefined],
    ['a mixed list', ['x', [1]], undefined],
    ['an empty list of tokens', [[]], undefined],
    ['nothing', undefined, undefined],
    ['an object', { text: 'x' }, undefined],
  ])('takes apart %s', (_, input, inputs) => {
    const request = { model: 'm', dimensions: 3, input }
    expect(splitEmbeddings(request)).toEqual(inputs?.map((each) => ({ model: 'm', dimensions: 3, input: each })))
  })
})

describe('shareEmbeddings', () => {
  const requests = [{ input: 'aaaa' }, { input: [1, 2, 3, 4] }, { input: 'bbbbbbbb' }]

  it('gives each request its embedding by index, as a whole answer, and its share of the usage by size', () => {
    expect(shareEmbeddings(answer([2, 0, 1], { prompt_tokens: 8, total_tokens: 8 }), requests)).toEqual([
      { ...answer([0]), usage: { prompt_tokens: 2, total_tokens: 2 } },
      {
        object: 'list',
        data: [{ object: 'embedding', index: 0, embedding: [1] }],
        model: 'm',
        usage: { prompt_tokens: 2, total_tokens: 2 },
      },
      {
        object: 'list',
        data: [{ object: 'embedding', index: 0, embedding: [2] }],
        model: 'm',
        usage: { prompt_tokens: 4, total_tokens: 4 },
      },
    ])
  })

  it('gives a single request all of it', () => {
    const single = answer([0], { prompt_tokens: 7, total_tokens: 7 })
    expect(shareEmbeddings(single, [{ input: 'x' }])).toEqual([single])
  })

  it.each([[[0, 1]], [[0, 1, 1]], [[0, 1, 3]], [[0, 1, 2, 3]], [[0, 1, null]], [['0', 1, 2]]])(
    'B11: shares nothing when the indexes are %j',
    (indexes) => {
      expect(shareEmbeddings(answer(indexes), requests)).toBeUndefined()
    },
  )

  it('B11: shares nothing of a body that is no answer', () => {
    expect(shareEmbeddings({ data: 'x' }, requests)).toBeUndefined()
    expect(shareEmbeddings({ error: {} }, requests)).toBeUndefined()
    expect(shareEmbeddings({ data: [null, 1, 'x'] }, requests)).toBeUndefined()
  })

  it('is undone by joinEmbeddings, and loses no token', () => {
    const input = fc.oneof(fc.string(), fc.array(fc.nat(), { minLength: 1 }))
    const row = fc.record({ input, embedding: fc.oneof(fc.base64String({ minLength: 4 }), fc.array(fc.integer(), { minLength: 1 })) })
    const usages = fc.option(fc.record({ prompt_tokens: fc.nat(), total_tokens: fc.nat() }), { nil: undefined })
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 20 }), usages, (rows, usage) => {
        const whole = { ...answer([], usage), data: rows.map(({ embedding }, index) => ({ object: 'embedding', index, embedding })) }
        const parts = shareEmbeddings(whole, rows) ?? []
        expect(parts).toHaveLength(rows.length)
        expect(joinEmbeddings(parts)).toEqual(whole)
      }),
    )
  })
})

describe('joinEmbeddings', () => {
  it('gives no usage if one part has none', () => {
    const part = { object: 'list', data: [{ index: 0, embedding: [1] }], model: 'm' }
    const joined = joinEmbeddings([{ ...part, usage: { prompt_tokens: 1, total_tokens: 1 } }, part])
    expect(joined).toEqual({
      object: 'list',
      model: 'm',
      data: [
        { index: 0, embedding: [1] },
        { index: 1, embedding: [1] },
      ],
    })
  })
})

describe('B11: embeddings', () => {
  it.each<[string | undefined, JsonObject]>([
    [undefined, { data: [{ embedding: [1] }, { embedding: 'AAAA' }] }],
    ['empty', { data: [] }],
    ['empty', { data: [{ embedding: [1] }, { embedding: [] }] }],
    ['empty', { data: [{ embedding: '' }] }],
    ['malformed', { data: [{}] }],
    ['malformed', { data: [null] }],
    ['malformed', { object: 'list' }],
    ['error', { error: { message: 'x' } }],
  ])('are judged %s: %j', (verdict, answer) => {
    expect(openaiEmbeddings.skipReason(answer)).toBe(verdict)
  })
})
