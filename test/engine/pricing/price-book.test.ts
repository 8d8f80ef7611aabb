import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import * as genaiPrices from '@pydantic/genai-prices'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PriceFacts, PriceRule, PriceTableSource } from '../../../src/engine/pricing/price-book.ts'
import type { Usage } from '../../../src/entry.ts'
import { createPriceBook } from '../../../src/engine/pricing/price-book.ts'
import { InvalidOptionError } from '../../../src/errors.ts'

/** All prices of the package are asked for as they were on this day. */
const at = Date.UTC(2026, 10, 1)
const book = createPriceBook()

const priceOf = (model: string, usage: Usage, facts: Partial<PriceFacts> = {}) =>
  book.price(usage, { provider: 'openai', model, at, ...facts })

/** The price book without its types: a store hands back what another program may have written. */
const untyped: { createPriceBook(rules?: unknown): { price(usage: unknown, facts: PriceFacts): number | null } } = { createPriceBook }

/** A source that counts how often it was asked. */
function counting(found: () => unknown): PriceTableSource & { loads: number; loadsNow: number } {
  return {
    loads: 0,
    loadsNow: 0,
    async load() {
      this.loads++
      await Promise.resolve()
      return found()
    },
    loadNow() {
      this.loadsNow++
      return found()
    },
  }
}

const missing = () => {
  throw new Error("Cannot find package '@pydantic/genai-prices'")
}

const thousand: Usage = { input: 1_000, output: 1_000 }

const ruledPrice = (rules: PriceRule[], usage: Usage, model = 'gpt-5-mini', provider = 'openai') =>
  createPriceBook(rules, counting(missing)).price(usage, { provider, model, at })

describe('prices of the table', () => {
  // Expected amounts are worked out by hand from the providers' price pages, in US dollars per million tokens:
  // gpt-5-mini 0.25, cached 0.025, out 2; claude-sonnet-4-5 3, read 0.30, write 3.75, write for an hour 6, out 15; gpt-audio 2.5/10, audio 32/64.
  it.each<[title: string, provider: string, model: string, usage: Usage, dollars: number]>([
    ['gpt-5-mini', 'openai', 'gpt-5-mini', thousand, 0.00225],
    ['a dated id', 'openai', 'gpt-5-mini-2025-08-07', thousand, 0.00225],
    ['a dated id', 'openai', 'gpt-4o-2024-08-06', thousand, 0.0125],
    ['an old snapshot with a price of its own', 'openai', 'gpt-4o-2024-05-13', thousand, 0.02],
    ['a snapshot that the table does not know yet', 'openai', 'gpt-4o-2031-01-02', thousand, 0.0125],
    ['cached input', 'openai', 'gpt-5-mini', { input: 10_000, output: 500, cacheRead: 8_000 }, 0.0017],
    ['Azure', 'azure', 'gpt-5-mini', thousand, 0.00225],
    ['claude-sonnet-4-5', 'anthropic', 'claude-sonnet-4-5', thousand, 0.018],
    ['its dated id', 'anthropic', 'claude-sonnet-4-5-20250929', thousand, 0.018],
    [
      'cache read and write',
      'anthropic',
      'claude-sonnet-4-5',
      { input: 10_000, output: 500, cacheRead: 8_000, cacheWrite: 1_000 },
      0.01665,
    ],
    [
      'a write for an hour',
      'anthropic',
      'claude-sonnet-4-5',
      { input: 10_000, output: 500, cacheRead: 8_000, cacheWriteHour: 1_000 },
      0.0189,
    ],
    [
      'writes of both kinds',
      'anthropic',
      'claude-sonnet-4-5',
      { input: 10_000, output: 500, cacheRead: 8_000, cacheWrite: 500, cacheWriteHour: 500 },
      0.017775,
    ],
    ['long context', 'anthropic', 'claude-sonnet-4-5', { input: 300_000, output: 0 }, 1.8],
    ['Bedrock, regional', 'aws-bedrock', 'us.anthropic.claude-sonnet-4-5-20250929-v1:0', thousand, 0.0198],
    ['Bedrock, global', 'aws-bedrock', 'global.anthropic.claude-sonnet-4-5-20250929-v1:0', thousand, 0.018],
    ['embeddings, small', 'openai', 'text-embedding-3-small', { input: 1_000_000, output: 0 }, 0.02],
    ['embeddings, large', 'openai', 'text-embedding-3-large', { input: 1_000_000, output: 0 }, 0.13],
    ['audio', 'openai', 'gpt-audio', { input: 1_000, output: 1_000, audioInput: 500, audioOutput: 500 }, 0.05425],
    ['no tokens', 'openai', 'gpt-5-mini', { input: 0, output: 0 }, 0],
  ])('%s: %s %s', (_title, provider, model, usage, dollars) => {
    expect(priceOf(model, usage, { provider })).toBeCloseTo(dollars, 10)
  })

  it('corrects Titan V2, which the table takes for V1', () => {
    for (const model of ['amazon.titan-embed-text-v2:0', 'arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-embed-text-v2:0']) {
      expect(priceOf(model, { input: 1_000_000, output: 0 }, { provider: 'aws-bedrock' })).toBeCloseTo(0.02, 10)
    }
    expect(priceOf('amazon.titan-embed-text-v1', { input: 1_000_000, output: 0 }, { provider: 'aws-bedrock' })).toBeCloseTo(0.1, 10)
  })

  it.each([
    ['https://api.openai.com/v1', 'gpt-5-mini', 0.00225],
    ['http://127.0.0.1:8080/v1', 'gpt-5-mini', 0.00225],
    ['https://gateway.example/openai', 'gpt-5-mini', 0.00225],
    ['not a URL', 'gpt-5-mini', 0.00225],
    ['https://api.groq.com/openai/v1', 'llama-3.3-70b-versatile', 0.00138],
  ])('takes the provider from the host: %s', (origin, model, dollars) => {
    expect(priceOf(model, thousand, { origin })).toBeCloseTo(dollars, 10)
  })

  it('does not give one host the models of another', () => {
    expect(priceOf('gpt-5-mini', thousand, { origin: 'https://api.groq.com/openai/v1' })).toBeNull()
    expect(priceOf('llama-3.3-70b-versatile', thousand, { origin: 'http://127.0.0.1:8080/v1' })).toBeNull()
  })

  it('takes the prices of the time that is asked for', () => {
    const asked: unknown[] = []
    const source = counting(() => ({
      findProvider: genaiPrices.findProvider,
      calcPrice(usage: genaiPrices.Usage, model: string, options: genaiPrices.PriceOptions) {
        if (options.timestamp !== undefined) asked.push(options.timestamp.getTime())
        return genaiPrices.calcPrice(usage, model, options)
      },
    }))
    const own = createPriceBook([], source)
    const facts = { provider: 'openai', model: 'gpt-5-mini' }
    const start = Math.floor(at / 60_000) * 60_000
    for (const time of [start, start + 59_999, start + 60_000, start]) own.price(thousand, { ...facts, at: time })
    // What was asked in the same minute is remembered.
    expect(asked).toEqual([start, start + 60_000, start])
  })

  it('keeps apart what differs only in its provider, its host, its model or one of its counts', () => {
    const own = createPriceBook()
    const questions: [Usage, PriceFacts][] = [
      thousand,
      { input: 1_000, output: 1_001 },
      { ...thousand, cacheRead: 5 },
      { ...thousand, cacheWrite: 5 },
    ].flatMap((usage) =>
      ['openai', 'anthropic'].flatMap((provider) =>
        ['gpt-5-mini', 'claude-sonnet-4-5', 'gpt-4o'].flatMap((model) =>
          ['https://api.openai.com/v1', 'https://openrouter.ai/api/v1'].map((origin): [Usage, PriceFacts] => [
            usage,
            { provider, model, origin, at },
          ]),
        ),
      ),
    )
    const fresh = questions.map(([usage, facts]) => createPriceBook().price(usage, facts))
    expect(questions.map(([usage, facts]) => own.price(usage, facts))).toEqual(fresh)
    expect(questions.map(([usage, facts]) => own.price(usage, facts))).toEqual(fresh)
    expect(new Set(fresh).size).toBeGreaterThan(8)
  })
})

describe('unknown prices', () => {
  it('says null for what it does not know, never 0', () => {
    expect(priceOf('an-unknown-model', thousand)).toBeNull()
    expect(priceOf('an-unknown-model', { input: 0, output: 0 })).toBeNull()
    expect(priceOf('gpt-5-mini', thousand, { provider: 'unknown' })).toBeNull()
    expect(priceOf('', thousand)).toBeNull()
  })

  it('says null for a model that is priced by the hour and not by tokens', () => {
    expect(priceOf('whisper-1', thousand)).toBeNull()
    expect(priceOf('whisper-1', { input: 0, output: 0 })).toBeNull()
  })

  it('says null where the table cannot divide the usage up', () => {
    expect(priceOf('gpt-realtime', { input: 1_000, output: 0, cacheRead: 500, audioInput: 900 })).toBeNull()
  })

  it.each<[string, unknown]>([
    ['NaN', { input: Number.NaN, output: 1 }],
    ['negative', { input: -1, output: 1 }],
    ['infinite', { input: 1, output: Number.POSITIVE_INFINITY }],
    ['texts', { input: '1', output: '2' }],
    ['nothing', {}],
    ['null', null],
    ['more read from the cache than sent', { input: 10, output: 1, cacheRead: 11 }],
    ['more written and read than sent', { input: 10, output: 1, cacheRead: 4, cacheWrite: 4, cacheWriteHour: 4 }],
    ['more audio than output', { input: 10, output: 1, audioOutput: 2 }],
    ['more audio than input', { input: 10, output: 1, audioInput: 11 }],
  ])('says null for usage that contradicts itself: %s', (_title, usage) => {
    for (const rules of [[], [{ model: '*', input: 1, output: 1 }]]) {
      expect(untyped.createPriceBook(rules).price(usage, { provider: 'openai', model: 'gpt-5-mini', at })).toBeNull()
    }
  })

  it('never throws, and never says a negative amount', () => {
    const number = fc.oneof(fc.integer({ min: -5, max: 2_000 }), fc.double())
    const part = fc.option(number, { nil: undefined })
    const usage = fc.record({
      input: number,
      output: number,
      cacheRead: part,
      cacheWrite: part,
      cacheWriteHour: part,
      audioInput: part,
      audioOutput: part,
    })
    const model = fc.constantFrom('gpt-5-mini', 'claude-sonnet-4-5', 'gpt-audio', 'gpt-realtime', 'gpt-5.4', 'unknown')
    const provider = fc.constantFrom('openai', 'anthropic', 'azure', 'aws-bedrock')
    const lax = untyped.createPriceBook()
    fc.assert(
      fc.property(usage, model, provider, fc.option(fc.double(), { nil: Number.NaN }), (usage, model, provider, at) => {
        const price = lax.price(usage, { provider, model, at })
        expect(price === null || price >= 0).toBe(true)
      }),
    )
  })
})

describe("the user's own prices", () => {
  const million: Usage = { input: 1_000_000, output: 1_000_000 }

  it('come before the table and before the corrections', () => {
    expect(
      createPriceBook([{ model: 'gpt-5-mini', input: 1, output: 2 }]).price(million, { provider: 'openai', model: 'gpt-5-mini', at }),
    ).toBe(3)
    expect(ruledPrice([{ model: 'amazon.titan-embed-text-v2:0', input: 7, output: 0 }], million, 'amazon.titan-embed-text-v2:0')).toBe(7)
  })

  it('are tried in their order; the first that matches wins', () => {
    const rules: PriceRule[] = [
      { provider: 'anthropic', model: '*', input: 1, output: 0 },
      { model: 'gpt-5*', input: 2, output: 0 },
      { model: 'gpt-5-mini', input: 3, output: 0 },
      { model: /^llama/gi, input: 4, output: 0 },
    ]
    expect(ruledPrice(rules, million)).toBe(2)
    expect(ruledPrice(rules, million, 'gpt-5-mini', 'anthropic')).toBe(1)
    const own = createPriceBook(rules, counting(missing))
    for (let time = 0; time < 3; time++) expect(own.price(million, { provider: 'openai', model: 'Llama-4', at })).toBe(4)
    expect(ruledPrice(rules, million, 'o3')).toBeNull()
  })

  it('hold for a dated id as well, unless a rule names it', () => {
    const rules: PriceRule[] = [
      { model: 'gpt-5-mini', input: 1, output: 0 },
      { model: 'gpt-5-mini-2025-08-07', input: 2, output: 0 },
    ]
    expect(ruledPrice(rules, million, 'gpt-5-mini-2025-08-07')).toBe(2)
    expect(ruledPrice(rules, million, 'gpt-5-mini-2026-01-31')).toBe(1)
    expect(ruledPrice(rules, million, 'gpt-5-mini-20260131')).toBe(1)
    for (const other of ['gpt-5-mini-high', 'gpt-5-mini-2026-13-31', 'gpt-5', 'my-gpt-5-mini'])
      expect(ruledPrice(rules, million, other)).toBeNull()
  })

  it('price every part at its own rate, and a part without a rate as plain tokens', () => {
    const usage: Usage = {
      input: 1_000_000,
      output: 500_000,
      cacheRead: 100_000,
      cacheWrite: 200_000,
      cacheWriteHour: 300_000,
      audioInput: 50_000,
      audioOutput: 100_000,
    }
    const plain = { model: '*', input: 10, output: 20 }
    expect(ruledPrice([plain], usage)).toBeCloseTo(10 + 10)
    // 350,000 text at 10, 50,000 audio at 40, 100,000 at 1, 200,000 at 12, 300,000 at 20; 400,000 at 20 and 100,000 at 80.
    const full = { ...plain, cacheRead: 1, cacheWrite: 12, cacheWriteHour: 20, audioInput: 40, audioOutput: 80 }
    expect(ruledPrice([full], usage)).toBeCloseTo(3.5 + 2 + 0.1 + 2.4 + 6 + 8 + 8)
    expect(ruledPrice([{ ...plain, cacheWrite: 12 }], usage)).toBeCloseTo(5 + 0.2 * 12 + 0.3 * 12 + 10)
    expect(ruledPrice([{ ...full, multiplier: 0.5 }], usage)).toBeCloseTo(15)
    expect(ruledPrice([{ ...plain, multiplier: 0 }], usage)).toBe(0)
    // All is audio, and 900,000 of it were cached: 900,000 at 1 and 100,000 at 40.
    expect(ruledPrice([full], { input: 1_000_000, output: 0, cacheRead: 900_000, audioInput: 1_000_000 })).toBeCloseTo(0.9 + 4)
  })

  it('come to the same for every division of the tokens when all rates are one', () => {
    const count = fc.nat({ max: 1_000_000 })
    const usage = fc.record({
      cacheRead: count,
      cacheWrite: count,
      cacheWriteHour: count,
      rest: count,
      audioInput: count,
      audioOutput: count,
      text: count,
    })
    fc.assert(
      fc.property(usage, ({ rest, text, ...parts }) => {
        const input = Math.max(parts.cacheRead + parts.cacheWrite + parts.cacheWriteHour + rest, parts.audioInput)
        const output = parts.audioOutput + text
        const rates = { input: 3, output: 3, cacheRead: 3, cacheWrite: 3, cacheWriteHour: 3, audioInput: 3, audioOutput: 3 }
        expect(ruledPrice([{ model: '*', ...rates }], { input, output, ...parts })).toBeCloseTo((3 * (input + output)) / 1_000_000, 9)
      }),
    )
  })

  it('cannot be changed afterwards', () => {
    const rules = [{ model: 'gpt-5-mini', input: 1, output: 0 }]
    const own = createPriceBook(rules)
    Object.assign(rules[0] ?? {}, { input: 100 })
    expect(own.price(million, { provider: 'openai', model: 'gpt-5-mini', at })).toBe(1)
  })

  it.each<[option: string, rules: unknown]>([
    ['prices', 'cheap'],
    ['prices[0]', ['cheap']],
    ['prices[0].model', [{ input: 1, output: 1 }]],
    ['prices[0].model', [{ model: '', input: 1, output: 1 }]],
    ['prices[0].model', [{ model: 'gpt-*-mini', input: 1, output: 1 }]],
    ['prices[0].provider', [{ model: '*', provider: 1, input: 1, output: 1 }]],
    ['prices[0].output', [{ model: '*', input: 1 }]],
    [
      'prices[2].input',
      [
        { model: 'a', input: 1, output: 1 },
        { model: 'b', input: 1, output: 1 },
        { model: 'c', input: '1', output: 1 },
      ],
    ],
    ['prices[0].cacheRead', [{ model: '*', input: 1, output: 1, cacheRead: -1 }]],
    ['prices[0].multiplier', [{ model: '*', input: 1, output: 1, multiplier: Number.NaN }]],
    ['prices[0].cachedInput', [{ model: '*', input: 1, output: 1, cachedInput: 1 }]],
  ])('bypassReason a slip at once, by name: %s', (option, rules) => {
    const wrong = () => untyped.createPriceBook(rules)
    expect(wrong).toThrow(InvalidOptionError)
    expect(wrong).toThrow(`option "${option}" is`)
  })
})

describe('loading the table', () => {
  const facts: PriceFacts = { provider: 'openai', model: 'gpt-5-mini', at }

  it('loads nothing until a price needs it, and then once', () => {
    const source = counting(() => genaiPrices)
    const own = createPriceBook([{ model: 'mine', input: 1, output: 1 }], source)
    expect(own.price(thousand, { ...facts, model: 'mine' })).toBeCloseTo(0.002)
    expect(own.price({ input: -1, output: 0 }, facts)).toBeNull()
    expect([source.loads, source.loadsNow]).toEqual([0, 0])
    expect(own.price(thousand, facts)).toBeCloseTo(0.00225)
    expect(own.price(thousand, { ...facts, model: 'gpt-4o' })).toBeCloseTo(0.0125)
    expect([source.loads, source.loadsNow]).toEqual([0, 1])
  })

  it('loads in the background once, and then has no need to load at once', async () => {
    const source = counting(() => genaiPrices)
    const own = createPriceBook([], source)
    await Promise.all([own.load(), own.load()])
    await own.load()
    expect(own.price(thousand, facts)).toBeCloseTo(0.00225)
    expect([source.loads, source.loadsNow]).toEqual([1, 0])
  })

  it.each<[string, () => unknown]>([
    ['is missing', missing],
    ['is something else', () => ({ calcPrice: 'soon' })],
    ['is nothing', () => undefined],
  ])('says null, throws nothing and does not try again when the package %s', async (_title, found) => {
    const source = counting(found)
    const own = createPriceBook([], source)
    expect(own.price(thousand, facts)).toBeNull()
    expect(own.price(thousand, facts)).toBeNull()
    await expect(own.load()).resolves.toBeUndefined()
    await own.load()
    expect(own.price(thousand, facts)).toBeNull()
    expect([source.loads, source.loadsNow]).toEqual([1, 1])
  })

  it('knows prices once the background has brought the table that could not be loaded at once', async () => {
    const own = createPriceBook([], { load: () => Promise.resolve(genaiPrices), loadNow: missing })
    expect(own.price(thousand, facts)).toBeNull()
    await own.load()
    expect(own.price(thousand, facts)).toBeCloseTo(0.00225)
  })

  it('brings the table at once while the background is still at it', async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>()
    const own = createPriceBook([], { load: () => promise, loadNow: () => genaiPrices })
    const loading = own.load()
    expect(own.price(thousand, facts)).toBeCloseTo(0.00225)
    resolve(undefined)
    await loading
    expect(own.price(thousand, facts)).toBeCloseTo(0.00225)
  })

  it('is not part of importing the module', async () => {
    const program = `
      import { registerHooks } from 'node:module'
      const loaded = []
      registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) })
      const count = () => loaded.filter((url) => url.includes('genai-prices')).length
      const { createPriceBook } = await import(${JSON.stringify(new URL('../../../src/engine/pricing/price-book.ts', import.meta.url).href)})
      const atImport = count()
      const book = createPriceBook([])
      const atCreation = count()
      const price = book.price({ input: 1000, output: 1000 }, { provider: 'openai', model: 'gpt-5-mini', at: ${at} })
      console.log(JSON.stringify({ atImport, atCreation, atPrice: count(), price }))`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program])
    const seen: unknown = JSON.parse(stdout)
    expect(seen).toEqual({ atImport: 0, atCreation: 0, atPrice: 1, price: expect.closeTo(0.00225, 10) })
  })
})
