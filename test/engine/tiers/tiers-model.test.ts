import { memoryStore } from '../../../src/stores/memory-store.ts'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CacheMode } from '../../../src/call.ts'
import { callOptions } from '../../../src/clients/call-options.ts'
import type { Fetch } from '../../../src/clients/http/caching-fetch.ts'
import { cachingFetch } from '../../../src/clients/with-cache.ts'
import { type Cache, createCache, type Invalidation } from '../../../src/cache/cache.ts'
import { type ChaosKind, type ChaosSchedule, chaosStore, type ChaosStore, ManualClock, seededRandom } from '../../../src/testing/index.ts'
import { answer, promptIn, question, textIn } from '../../support/chat.ts'
import { drive, step } from '../../support/drive.ts'

const second = 1_000
const ttl = 60 * second
const readDeadline = 100
/** For which a failed call is not tried again. */
const pause = 10 * second

/** What is asked: so few that the same is asked again, and so different that each way to invalidate finds some and not others. */
const questions = Array.from({ length: 4 }, (_, index) => ({
  text: `question ${index}`,
  tags: [`tag ${index % 2}`],
  operation: index % 3 === 0 ? 'qa' : 'summarize',
  scope: `scope ${index < 2 ? 'a' : 'b'}`,
}))
type Question = (typeof questions)[number]

interface Rules {
  readonly staleWhileRevalidate: number
  readonly staleIfError: number
  readonly stale: number
  readonly refreshAhead: number
  readonly jitter: number
  readonly maxMemoryBytes: number
}

/** The cache in its world. */
interface Real {
  cache: Cache
  readonly open: () => Cache
  readonly clock: ManualClock
  readonly store: ChaosStore
  condition: 'well' | 503 | 'unreachable'
  readonly origin: Fetch
}

/** What was made: by the origin, or as a value. Each has a number of its own, which its text tells. */
interface Made {
  readonly of: string
  readonly at: number
}

/** Everything of this label up to this number is outdated. */
interface Floor {
  readonly label: string
  readonly number: number
  /** Whether every tier knows of it, so that it outlives the process. */
  readonly told: boolean
}

/** What may be answered: a list of what was made, and what was declared outdated since. */
interface Model {
  readonly rules: Rules
  readonly made: Made[]
  floors: Floor[]
  failedAt: number
}

class Step implements fc.AsyncCommand<Model, Real> {
  readonly #name: string
  readonly #run: (model: Model, real: Real) => Promise<void>

  constructor(name: string, run: (model: Model, real: Real) => Promise<void>) {
    this.#name = name
    this.#run = run
  }

  check(): boolean {
    return true
  }

  run(model: Model, real: Real): Promise<void> {
    return this.#run(model, real)
  }

  toString(): string {
    return this.#name
  }
}

function labelsOf({ tags, operation, scope }: Question): string[] {
  return ['all', ...tags.map((tag) => `tags ${tag}`), `operation ${operation}`, `scope ${scope}`]
}

/** What was made under this number, if it may be answered to a call for `of`. */
function checked(model: Model, number: number, of: string, labels: readonly string[]): Made {
  const made = model.made[number]
  expect(made?.of).toBe(of)
  const outdated = model.floors.filter((floor) => labels.includes(floor.label) && number < floor.number)
  expect(outdated).toEqual([])
  return made ?? { of, at: 0 }
}

const ask = (asked: Question, mode: CacheMode, condition: Real['condition']): Step =>
  new Step(`ask(${asked.text}, ${mode}, ${condition})`, async (model, real) => {
    const before = model.made.length
    const begun = real.clock.now()
    real.condition = condition
    const { result, took } = await drive(real.clock, send(real, asked, mode))
    // The store is asked once; once more, where the origin fails, before an old answer stands in. A call that must not go to the provider
    // gains nothing from a short wait.
    const reads = condition === 'well' ? 1 : 2
    expect(took).toBeLessThanOrEqual(mode === 'only-if-cached' ? 11_000 : reads * (readDeadline + step))
    if (typeof result !== 'string' || !result.includes('|')) {
      expect(mode === 'only-if-cached' || condition !== 'well').toBe(true)
      return
    }
    const [text = '', number = ''] = result.split('|')
    expect(text).toBe(asked.text)
    const { at } = checked(model, Number(number), asked.text, labelsOf(asked))
    const { staleWhileRevalidate, staleIfError, stale } = model.rules
    const inOutage = condition !== 'well' || begun - model.failedAt < pause + took
    const late = mode === 'force-cache' ? Math.max(stale, staleWhileRevalidate, staleIfError) : staleWhileRevalidate
    expect(begun - at).toBeLessThan(ttl + Math.max(late, inOutage ? staleIfError : 0))
    if (mode === 'reload') expect(Number(number)).toBeGreaterThanOrEqual(before)
    if (mode === 'only-if-cached') expect(Number(number)).toBeLessThan(before)
  })

async function send(real: Real, { text, ...options }: Question, mode: CacheMode): Promise<unknown> {
  const init: RequestInit & { readonly [callOptions]: object } = {
    method: 'POST',
    headers: { authorization: 'Bearer sk-test', 'content-type': 'application/json' },
    body: JSON.stringify(question(text).body),
    [callOptions]: { options: { ...options, mode } },
  }
  try {
    const response = await cachingFetch(real.cache, real.origin)('https://api.openai.com/v1/chat/completions', init)
    const body: unknown = await response.json()
    return response.status === 200 ? textIn({ answer: { ...Object(body) } }) : `status ${response.status}`
  } catch (error) {
    // Nothing but what the origin threw may come out.
    expect(error).toEqual(new TypeError('fetch failed'))
    return 'unreachable'
  }
}

const invalidate = (what: Invalidation, label: string): Step =>
  new Step(`invalidate(${label})`, async (model, real) => {
    const { result: told } = await drive(real.clock, real.cache.invalidate(what))
    model.floors.push({ label, number: model.made.length, told })
  })

const values = ['a', 'b'] as const

const set = (key: string): Step =>
  new Step(`set(${key})`, async (model, real) => {
    const number = model.made.push({ of: key, at: real.clock.now() }) - 1
    await drive(real.clock, real.cache.set(key, number, ttl / second))
  })

const get = (key: string): Step =>
  new Step(`get(${key})`, async (model, real) => {
    const begun = real.clock.now()
    const { result } = await drive(real.clock, real.cache.get(key))
    if (result === undefined) return
    const { at } = checked(model, Number(result), key, ['all', `value ${key}`])
    // A value that was set while the store did not answer is stored when it did.
    expect(begun - at).toBeLessThan(ttl + readDeadline + step)
  })

const remove = (key: string): Step =>
  new Step(`del(${key})`, async (model, real) => {
    const { result: told } = await drive(real.clock, real.cache.del(key))
    if (told) model.floors.push({ label: `value ${key}`, number: model.made.length, told })
  })

const advance = (milliseconds: number): Step => new Step(`advance(${milliseconds})`, async (_, { clock }) => clock.advance(milliseconds))

const restart = new Step('restart()', async (model, real) => {
  await drive(real.clock, real.cache.close())
  real.cache = real.open()
  model.floors = model.floors.filter(({ told }) => told)
})

const goWrong = (kind: ChaosKind, schedule: ChaosSchedule): Step =>
  new Step(`will(${kind}, ${JSON.stringify(schedule)})`, async (_, { store }) => store.will(kind, schedule))

const calm = new Step('calm()', async (_, { store }) => store.calm())

const kinds = fc.constantFrom<ChaosKind>(
  'throws',
  'rejects',
  'delays',
  'tells late',
  'never settles',
  'settles twice',
  'random bytes',
  'truncates',
  'swaps',
  'mistypes',
)

const asks = fc
  .record({
    asked: fc.constantFrom(...questions),
    mode: fc.constantFrom<CacheMode>('default', 'default', 'default', 'force-cache', 'reload', 'only-if-cached'),
    condition: fc.constantFrom<Real['condition']>('well', 'well', 503, 'unreachable'),
  })
  .map(({ asked, mode, condition }) => ask(asked, mode, condition))
const invalidations = fc.oneof(
  fc.constantFrom(0, 1).map((index) => invalidate({ tags: [`tag ${index}`] }, `tags tag ${index}`)),
  fc.constantFrom('qa', 'summarize').map((operation) => invalidate({ operation }, `operation ${operation}`)),
  fc.constantFrom('a', 'b').map((name) => invalidate({ scope: `scope ${name}` }, `scope scope ${name}`)),
  fc.constant(invalidate({ all: true }, 'all')),
)
const valueSteps = fc.oneof(...[set, get, get, remove].map((make) => fc.constantFrom(...values).map(make)))
/** To the edges of the windows more often than anywhere else. */
const advances = fc.constantFrom(1, 900, 5_000, 7_000, 25_000, 45_000, 60_000, 75_000, 85_000, 105_000).map(advance)
const chaos = fc.tuple(kinds, fc.constantFrom<ChaosSchedule>('always', { probability: 0.4 }, { next: 2 }))

/** Several times, so that they come as much more often. */
const commands: fc.Arbitrary<Step>[] = [
  ...Array.from({ length: 6 }, () => asks),
  ...Array.from({ length: 3 }, () => advances),
  ...Array.from({ length: 2 }, () => valueSteps),
  invalidations,
  chaos.map(([kind, schedule]) => goWrong(kind, schedule)),
  fc.constant(calm),
  fc.constant(restart),
]

const window = fc.constantFrom(0, 20 * second, 50 * second)
const rulesOf = fc.record<Rules>({
  staleWhileRevalidate: window,
  staleIfError: window,
  stale: window,
  refreshAhead: fc.constantFrom(0, 0.3),
  jitter: fc.constantFrom(0, 0.2),
  maxMemoryBytes: fc.constantFrom(0, 5_000, 1_000_000),
})

function begin(rules: Rules): { model: Model; real: Real } {
  const clock = new ManualClock()
  const store = chaosStore(memoryStore({ clock }), { clock, random: seededRandom(3) })
  const model: Model = { rules, made: [], floors: [], failedAt: -Infinity }
  const { staleWhileRevalidate, staleIfError, stale, ...rest } = rules
  const windows = { staleWhileRevalidate: staleWhileRevalidate / second, staleIfError: staleIfError / second, stale: stale / second }
  const open = (): Cache =>
    createCache({
      ...rest,
      ...windows,
      store,
      clock,
      ttl: ttl / second,
      maxMemoryTtl: '7s',
      firstReadDeadline: '100ms',
      prices: false,
      logger: false,
      random: seededRandom(4),
    })
  const real: Real = {
    cache: open(),
    open,
    clock,
    store,
    condition: 'well',
    async origin(_, init) {
      const text = promptIn(init?.body)
      if (real.condition !== 'well') model.failedAt = clock.now()
      if (real.condition === 'unreachable') throw new TypeError('fetch failed')
      if (real.condition === 503) return Response.json({ error: {} }, { status: 503 })
      const number = model.made.push({ of: text, at: clock.now() }) - 1
      return Response.json(answer(`${text}|${number}`))
    },
  }
  return { model, real }
}

describe('a cache over tiers, whatever is done with it and whatever its store does', () => {
  it('I1 I2 I3 K09 K10 answers the question that was asked, in time, and never with what is too old or was invalidated', async () => {
    await fc.assert(
      fc.asyncProperty(rulesOf, fc.commands(commands, { maxCommands: 60, size: 'max' }), async (rules, steps) => {
        const { model, real } = begin(rules)
        await fc.asyncModelRun(() => ({ model, real }), steps)
        real.store.calm()
        await drive(real.clock, real.cache.close())
        // A write that the store never answered has its own deadline, for which no call waits.
        real.clock.advance(10 * second)
        expect(real.clock.timers).toBe(0)
      }),
      { numRuns: 500, endOnFailure: false },
    )
  })
})
