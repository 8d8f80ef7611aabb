import { expect, it } from 'vitest'
import { cachingFetch, createCache } from '../../src/index.ts'

interface Asked {
  readonly url: string
  readonly headers?: Record<string, string>
}

/** Asks all of them by `fetch`, and returns those that got an answer which was fetched for another. */
async function shared(body: object, answer: object, all: readonly Asked[]): Promise<Asked[]> {
  let isAsked = false
  const through = cachingFetch(createCache({ logger: false, prices: false }), async () => {
    isAsked = true
    return Response.json(answer)
  })
  const hits: Asked[] = []
  for (const asked of all) {
    isAsked = false
    const headers = { 'content-type': 'application/json', ...asked.headers }
    await (await through(asked.url, { method: 'POST', body: JSON.stringify(body), headers })).text()
    if (!isAsked) hits.push(asked)
  }
  return hits
}

const gemini = { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] }
const geminiAnswer = { candidates: [{ content: { role: 'model', parts: [{ text: 'Hello.' }] }, finishReason: 'STOP' }] }
const path = 'v1beta/models/gemini-2.5-flash:generateContent'

it.each(['https://generativelanguage.googleapis.com', 'https://gateway.invalid/gemini'])(
  'G01 keys in the query of Gemini at %s stay apart',
  async (base) => {
    const url = `${base}/${path}`
    const all = [
      { url },
      { url: `${url}?key=a` },
      { url: `${url}?key=b` },
      { url: `${url}?key=a&key=b` },
      { url: `${url}?key=b&key=a` },
      { url: `${url}?key=a`, headers: { 'x-goog-api-key': 'c' } },
      { url: `${url}?key=b`, headers: { 'x-goog-api-key': 'c' } },
      { url, headers: { 'x-goog-api-key': 'c' } },
    ]
    expect(await shared(gemini, geminiAnswer, all)).toEqual([])
    const [first, second] = [{ url: `${url}?key=a` }, { url, headers: { 'x-goog-api-key': 'a' } }]
    expect(await shared(gemini, geminiAnswer, [first, second])).toEqual([second])
  },
)

it('G01 access tokens stay apart where they are no token of Google', async () => {
  const url = `https://gateway.invalid/${path}`
  const all = ['', '?access_token=a', '?access_token=b', '?access_token=a&key=c', '?access_token=b&key=c'].map((query) => ({
    url: url + query,
  }))
  expect(await shared(gemini, geminiAnswer, all)).toEqual([])
})

const said = { role: 'assistant', content: [{ text: 'Hello.' }] }
const calls: readonly [string, object, object][] = [
  [
    'converse',
    { messages: [{ role: 'user', content: [{ text: 'Hi' }] }] },
    { output: { message: said }, stopReason: 'end_turn', usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 } },
  ],
  [
    'invoke',
    { anthropic_version: 'bedrock-2023-05-31', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] },
    {
      id: 'm',
      type: 'message',
      role: 'assistant',
      content: [{ type: 'text', text: 'Hello.' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 1, output_tokens: 1 },
    },
  ],
]

it.each(calls)('G01 headers of Bedrock for %s over HTTP stay apart, and a signature is none of them', async (action, body, answer) => {
  for (const host of ['bedrock-runtime.us-east-1.amazonaws.com', 'gateway.invalid']) {
    const url = `https://${host}/model/anthropic.claude-v2%3A1/${action}`
    const given: readonly (readonly [string, string])[] = [
      ['authorization', 'Bearer a'],
      ['authorization', 'Bearer b'],
      ['x-api-key', 'a'],
      ['x-api-key', 'b'],
      ['x-amzn-bedrock-guardrailidentifier', 'a'],
      ['x-amzn-bedrock-guardrailidentifier', 'b'],
      ['x-amzn-bedrock-new-option', 'a'],
      ['x-amzn-bedrock-new-option', 'b'],
      ['x-amz-tenant', 'a'],
      ['x-amz-tenant', 'b'],
    ]
    const all: readonly Asked[] = [{ url }, ...given.map((header) => ({ url, headers: Object.fromEntries([header]) }))]
    expect(await shared(body, answer, all)).toEqual([])
    const signed = ['a', 'b'].map((signature) => ({
      url,
      headers: {
        authorization: `AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=${signature}`,
        'x-amz-date': signature,
        'amz-sdk-invocation-id': signature,
      },
    }))
    expect(await shared(body, answer, signed)).toEqual([signed[1]])
  }
})
