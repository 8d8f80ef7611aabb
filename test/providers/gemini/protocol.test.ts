import { describe, expect, it } from 'vitest'
import { geminiProtocol } from '../../../src/providers/gemini/protocol.ts'

const studio = 'https://generativelanguage.googleapis.com/v1beta'
const vertex = 'https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1'

function call(url: string) {
  return geminiProtocol.call(new URL(url))
}

function read(url: string, body: Record<string, unknown> = { contents: [] }) {
  return call(url)?.read?.(body, new Headers(), undefined)?.request
}

describe('an address of Gemini', () => {
  it.each([
    [`${studio}/models/gemini-test-1:generateContent`, studio, { model: 'gemini-test-1', stream: false }],
    [`${studio}/models/gemini-test-1:streamGenerateContent?alt=sse`, studio, { model: 'gemini-test-1', stream: true }],
    [`${studio}/tunedModels/mine:generateContent`, studio, { model: 'tunedModels/mine', stream: false }],
    [
      `${vertex}/publishers/google/models/gemini-test-1:generateContent`,
      `${vertex}/publishers/google`,
      { model: 'gemini-test-1', stream: false },
    ],
    [`${vertex}/endpoints/12:generateContent`, vertex, { model: 'endpoints/12', stream: false }],
    [`${studio}/models/e:embedContent`, studio, { model: 'e' }],
  ])('%s says model and method', (url, origin, said) => {
    expect(call(url)?.origin).toBe(origin)
    expect(read(url)).toEqual({ contents: [], ...said })
  })

  it('has its key in the query in no part but the credential', () => {
    const found = call(`${studio}/models/m:generateContent?key=secret&alt=json&region=eu`)
    expect(found?.credential).toEqual(['x-goog-api-key', 'secret'])
    expect(found?.origin).toBe(`${studio}?region=eu`)
    expect(JSON.stringify([found?.named, found?.read?.({}, new Headers(), undefined)])).not.toContain('secret')
  })

  it.each([
    `${studio}/models/m:predict`,
    `${studio}/models/m:generateContent?alt=proto`,
    `${vertex}/publishers/meta/models/llama:rawPredict`,
    `${vertex}/publishers/mistralai/models/m:generateContent`,
    `${studio}/cachedContents`,
  ])('%s is of no endpoint that is cached', (url) => {
    expect(call(url)).toBeUndefined()
  })

  it.each([
    ['the same model', { model: 'models/m' }, { model: 'm', stream: false }],
    ['another model', { model: 'models/other' }, undefined],
    ['a stream', { stream: true }, undefined],
  ])('a body that names %s has a key, or none', (_, body, request) => {
    expect(read(`${studio}/models/m:generateContent`, body)).toEqual(request)
  })
})

describe("an address of Anthropic's models under Vertex AI", () => {
  const version = { anthropic_version: 'vertex-2023-10-16' }
  const url = `${vertex}/publishers/anthropic/models/claude-test-1`

  it.each([
    ['rawPredict', { max_tokens: 9 }, { max_tokens: 9, model: 'claude-test-1' }],
    ['streamRawPredict', { stream: true }, { stream: true, model: 'claude-test-1' }],
  ])(':%s says the model', (method, body, request) => {
    expect(read(`${url}:${method}`, { ...version, ...body })).toEqual(request)
    expect(call(`${url}:${method}`)?.origin).toBe('https://us-central1-aiplatform.googleapis.com/v1#projects/p/locations/us-central1')
  })

  it.each([
    ['rawPredict', { ...version, stream: true }],
    ['streamRawPredict', version],
    ['rawPredict', { anthropic_version: 'vertex-2030-01-01' }],
    ['rawPredict', {}],
    ['rawPredict', { ...version, model: 'claude-test-2' }],
  ])(':%s with %j has no key', (method, body) => {
    expect(read(`${url}:${method}`, body)).toBeUndefined()
  })

  it.each([
    ['vertex-2023-10-16', {}, '2023-06-01'],
    ['2023-06-01', {}, '2023-06-01'],
    ['2026-10-21', {}, '2026-10-21'],
    ['vertex-2023-10-16', { 'anthropic-version': '2023-06-01' }, '2023-06-01'],
    ['2026-10-21', { 'anthropic-version': '2023-06-01' }, undefined],
  ])('of the version %s with the headers %j has the version %s in its key', (anthropic_version, headers, expected) => {
    const found = call(`${url}:rawPredict`)?.read?.({ anthropic_version, max_tokens: 9 }, new Headers(headers), undefined)
    expect(found?.headers?.['anthropic-version']).toBe(expected)
  })
})
