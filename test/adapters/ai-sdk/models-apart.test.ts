import { createAmazonBedrock } from '@ai-sdk/amazon-bedrock'
import { createAnthropic } from '@ai-sdk/anthropic'
import { createCohere } from '@ai-sdk/cohere'
import { createGoogle } from '@ai-sdk/google'
import { createMistral } from '@ai-sdk/mistral'
import { createOpenAI } from '@ai-sdk/openai'
import type { LanguageModelV4 } from '@ai-sdk/provider'
import { generateText, wrapLanguageModel } from 'ai'
import { MockLanguageModelV4 } from 'ai/test'
import { expect, it } from 'vitest'
import { cacheMiddleware } from '../../../src/adapters/ai-sdk/middleware.ts'
import { createCache } from '../../../src/cache/cache.ts'
import { message, text } from '../../support/anthropic-answers.ts'
import { geminiAnswer } from '../../support/google-answers.ts'
import { completion } from '../../support/openai-answers.ts'

interface Given {
  readonly headers?: Record<string, string>
  readonly baseURL?: string
}

/** A `fetch` whose provider says where it was asked, and for which tenant. */
const answering =
  (answer: (said: string) => object): typeof fetch =>
  async (input, init) =>
    Response.json(answer(`${new Request(input).url} ${new Headers(init?.headers).get('x-tenant')}`))

const cohereAnswer = (said: string) => ({
  generation_id: 'g',
  message: { role: 'assistant', content: [{ type: 'text', text: said }] },
  finish_reason: 'COMPLETE',
  usage: { tokens: { input_tokens: 1, output_tokens: 1 } },
})
const converseAnswer = (said: string) => ({
  output: { message: { role: 'assistant', content: [{ text: said }] } },
  stopReason: 'end_turn',
  usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 },
  metrics: { latencyMs: 1 },
})
const apiKey = 'sk-test'
const models: readonly [string, (given: Given) => LanguageModelV4][] = [
  ['OpenAI', (given) => createOpenAI({ apiKey, fetch: answering(completion), ...given }).chat('m')],
  ['Anthropic', (given) => createAnthropic({ apiKey, fetch: answering((said) => message([text(said)])), ...given })('m')],
  ['Google', (given) => createGoogle({ apiKey, fetch: answering(geminiAnswer), ...given })('m')],
  ['Mistral', (given) => createMistral({ apiKey, fetch: answering(completion), ...given })('m')],
  ['Cohere', (given) => createCohere({ apiKey, fetch: answering(cohereAnswer), ...given })('m')],
  ['Bedrock', (given) => createAmazonBedrock({ region: 'us-east-1', apiKey, fetch: answering(converseAnswer), ...given })('m')],
]

const asker = () => {
  const middleware = cacheMiddleware(createCache({ logger: false }))
  return async (model: LanguageModelV4): Promise<string> =>
    (await generateText({ model: wrapLanguageModel({ model, middleware }), prompt: 'Hi', maxRetries: 0 })).text
}

it.each(models)('G02 models of %s with other headers or servers do not answer for each other', async (_, make) => {
  const ask = asker()
  const given: readonly Given[] = [
    {},
    { headers: { 'x-tenant': 'a' } },
    { headers: { 'X-Tenant': 'b' } },
    { baseURL: 'https://a.invalid' },
    { baseURL: 'https://b.invalid' },
  ]
  const first: string[] = []
  for (const each of given) first.push(await ask(make(each)))
  expect(new Set(first).size).toBe(given.length)
  for (const [index, each] of given.entries()) expect(await ask(make(each))).toBe(first[index])
})

const inRegion = (region: string) => createAmazonBedrock({ region, apiKey, fetch: answering(converseAnswer) })('m')

it('G05 models of Bedrock in other regions do not answer for each other', async () => {
  const ask = asker()
  expect(await ask(inRegion('eu-west-1'))).not.toBe(await ask(inRegion('us-east-1')))
})

/** A model of another's making, which shows what it was made with. */
function ownModel(said: string, shown: object): LanguageModelV4 {
  const model = new MockLanguageModelV4({
    doGenerate: async () => ({
      content: [{ type: 'text', text: said }],
      finishReason: { unified: 'stop', raw: 'stop' },
      usage: {
        inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
        outputTokens: { total: 1, text: 1, reasoning: 0 },
      },
      warnings: [],
    }),
  })
  return Object.assign(model, shown)
}

it('G02 models with other settings of their own do not answer for each other', async () => {
  const ask = asker()
  const shown = [{}, { settings: { user: 'a' } }, { settings: { user: 'b' } }, { config: { extraBody: { user: 'a' } } }]
  for (const [index, each] of shown.entries()) expect(await ask(ownModel(`answer ${index}`, each))).toBe(`answer ${index}`)
  for (const [index, each] of shown.entries()) expect(await ask(ownModel('another', each))).toBe(`answer ${index}`)
})

/** A promise that is none of the platform's, as some libraries make them. */
function promiseOf(value: object): object {
  // oxlint-disable-next-line unicorn/no-thenable -- it is one
  return { then: (give: (value: object) => void) => give(value) }
}

/** Headers and servers of a model of another's making, in forms that the SDK's own models do not have. */
const forms: readonly (readonly [name: string, config: (tenant: string) => object])[] = [
  ['Headers', (tenant) => ({ headers: new Headers({ 'x-tenant': tenant }) })],
  ['headers in a map', (tenant) => ({ headers: () => new Map([['x-tenant', tenant]]) })],
  ['headers in pairs', (tenant) => ({ headers: [['x-tenant', tenant]] })],
  ['Headers that come later', (tenant) => ({ headers: async () => new Headers({ 'x-tenant': tenant }) })],
  ['headers of a promise of another kind', (tenant) => ({ headers: promiseOf({ 'x-tenant': tenant }) })],
  ['an address as a URL', (tenant) => ({ baseURL: new URL(`https://${tenant}.test`) })],
  ['a function that gives a URL', (tenant) => ({ url: () => new URL(`https://${tenant}.test`) })],
  ['an address under another name', (tenant) => ({ url: `https://${tenant}.test` })],
  [
    'an address beside a function that fails',
    (tenant) => ({ baseURL: `https://${tenant}.test`, url: ({ path }: { path: [string] }) => path[0].trim() }),
  ],
]

it.each(forms)('G02 models that differ in %s do not answer for each other', async (_, config) => {
  const ask = asker()
  for (const tenant of ['a', 'b']) expect(await ask(ownModel(tenant, { config: config(tenant) }))).toBe(tenant)
  for (const tenant of ['a', 'b']) expect(await ask(ownModel('another', { config: config(tenant) }))).toBe(tenant)
})

it.each([
  ['an address', { baseURL: Promise.resolve('https://a.test') }],
  ['an address of a function', { url: async () => 'https://a.test' }],
  ['an address that fails', { baseUrl: () => Promise.reject(new Error('no address')) }],
])('G02 a model with %s that comes later is not cached', async (_, config) => {
  const ask = asker()
  for (const answer of ['first', 'second']) expect(await ask(ownModel(answer, { config }))).toBe(answer)
})

/** What a model may be made with, as one value and another. */
const others: readonly (readonly [name: string, one: object, other: object])[] = [
  ['numbers of tokens', { maxTokens: 5 }, { maxTokens: 500 }],
  ['lists of tokens', { stopTokens: ['a'] }, { stopTokens: ['b'] }],
  ['names that hold "token"', { tokenizer: 'a' }, { tokenizer: 'b' }],
  ['credentials in an object', { credentials: { id: 'a' } }, { credentials: { id: 'b' } }],
  ['dates', { since: new Date(0) }, { since: new Date(1) }],
  ['addresses', { at: new URL('https://a.test') }, { at: new URL('https://b.test') }],
  ['maps', { of: new Map([['a', 1]]) }, { of: new Map([['a', 2]]) }],
  ['bytes', { of: Uint8Array.of(1) }, { of: Uint8Array.of(2) }],
  ['large numbers', { seed: 1n }, { seed: 2n }],
  ['numbers without a value', { top: NaN }, { top: null }],
  ['a mode beside a function', { one: { run: () => 1, mode: 'a' } }, { one: { run: () => 1, mode: 'b' } }],
  ['30 levels', nested(30, 1), nested(30, 2)],
  ['1,000 levels', nested(1_000, 1), nested(1_000, 2)],
]

function nested(levels: number, value: number): object {
  return { deep: JSON.parse(`${'{"a":'.repeat(levels)}${value}${'}'.repeat(levels)}`) }
}

it.each(others)('G02 models made with other %s do not answer for each other', async (name, one, other) => {
  for (const place of ['settings', 'config']) {
    const ask = asker()
    expect(await ask(ownModel('one', { [place]: one }))).toBe('one')
    expect(await ask(ownModel('other', { [place]: other }))).toBe('other')
    // What is nested too deeply has no key.
    expect(await ask(ownModel('again', { [place]: one }))).toBe(name.startsWith('1,000') ? 'again' : 'one')
  }
})

it('G02 settings of a class count, and the objects of a provider, which change by themselves, do not', async () => {
  class Choice {
    readonly mode: string
    constructor(mode: string) {
      this.mode = mode
    }
  }
  const ask = asker()
  expect(await ask(ownModel('a', { settings: { choice: new Choice('a') } }))).toBe('a')
  expect(await ask(ownModel('b', { settings: { choice: new Choice('b') } }))).toBe('b')
  expect(await ask(ownModel('c', { config: { choice: new Choice('a') } }))).toBe('c')
  expect(await ask(ownModel('d', { config: { choice: new Choice('b') } }))).toBe('c')
})

it('G02 a setting that holds itself does not break the call', async () => {
  const settings: { mode: string; self?: object } = { mode: 'a' }
  settings.self = settings
  const ask = asker()
  expect(await ask(ownModel('a', { settings }))).toBe('a')
  expect(await ask(ownModel('b', { settings }))).toBe('a')
})

it('G01 of headers that a model fetches, a token that changes is left out and the rest counts', async () => {
  const ask = asker()
  let tokens = 0
  const fetched = (tenant: string) => ({
    config: { headers: async () => ({ Authorization: `Bearer ${++tokens}`, 'openai-organization': tenant, 'x-tenant': tenant }) },
  })
  expect(await ask(ownModel('for a', fetched('a')))).toBe('for a')
  expect(await ask(ownModel('for b', fetched('b')))).toBe('for b')
  expect(await ask(ownModel('another', fetched('a')))).toBe('for a')
  expect(await ask(ownModel('no token', { config: { headers: () => Promise.reject(new Error('no token')) } }))).toBe('no token')
})
