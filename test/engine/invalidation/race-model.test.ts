import { describe, expect, it } from 'vitest'
import type { CallOptions } from '../../../src/call.ts'
import type { Cache, Invalidation } from '../../../src/cache/cache.ts'
import { callOptions } from '../../../src/clients/call-options.ts'
import type { Fetch } from '../../../src/clients/http/caching-fetch.ts'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { cachingFetch } from '../../../src/clients/with-cache.ts'
import { ManualClock, seededRandom } from '../../../src/testing/index.ts'
import { answer, openCache, promptIn, question, textIn } from '../../support/chat.ts'
import { type Network, RacingStore } from '../../support/racing-store.ts'

/** A longer run by hand: `LLMEMO_RACE_STEPS=200000`. */
const steps = Number(process.env['LLMEMO_RACE_STEPS'] ?? 20_000)
const delay = 1_000
const processes = 3

/** What has been asked of the provider or the store, and has not been done yet. Each step does one of them. */
class World implements Network {
  readonly #pending: (() => void)[] = []
  readonly #random: () => number

  constructor(random: () => number) {
    this.#random = random
  }

  get pending(): number {
    return this.#pending.length
  }

  below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  travel(): Promise<void> {
    return new Promise((resolve) => this.#pending.push(resolve))
  }

  /** Lets one of them go on, whichever. */
  async go(): Promise<void> {
    const [next] = this.#pending.splice(this.below(this.#pending.length), 1)
    next?.()
    await turn()
  }

  async drain(): Promise<void> {
    for (let idle = 0; idle < 3;) {
      if (this.#pending.length > 0) await this.go()
      else {
        await turn()
        idle++
      }
    }
  }
}

async function turn(): Promise<void> {
  for (let count = 0; count < 2; count++) await new Promise((resolve) => setImmediate(resolve))
}

/** An invalidation that was acknowledged: of this label, no answer before this number may be given to a later call. */
interface Floor {
  readonly label: string
  readonly number: number
  readonly by: number
  /** The step and the time of its acknowledgement. */
  readonly step: number
  readonly at: number
}

const tags = ['a', 'b', 'c']
const operations = ['qa', 'summarize']
const scopes = ['first', 'second']
const models = ['small', 'large']

interface Asked {
  readonly text: string
  readonly model: string
  readonly options: CallOptions & { readonly scope: string; readonly operation: string; readonly tags: readonly string[] }
}

class Race {
  readonly clock = new ManualClock()
  readonly world: World
  readonly store: RacingStore
  readonly caches: Cache[]
  readonly wrong: string[] = []
  readonly floors: Floor[] = []
  /** The keys of the answers that there were, by what was asked. */
  readonly #keys = new Map<string, string>()
  hits = 0
  #answers = 0
  #step = 0
  #lastAdvance = 0

  constructor(seed: number) {
    this.world = new World(seededRandom(seed))
    this.store = new RacingStore(this.world, { passesMessages: seed % 2 === 0 })
    this.caches = Array.from({ length: processes }, () => this.#open())
  }

  #open(): Cache {
    return openCache({ store: this.store, clock: this.clock, ttl: '10m', invalidationDelay: `${delay}ms` }).cache
  }

  #one<Value>(values: readonly Value[]): Value {
    const [first] = values
    if (first === undefined) throw new Error('nothing to choose from')
    return values[this.world.below(values.length)] ?? first
  }

  readonly #origin: Fetch = async (_, init) => {
    await this.world.travel()
    const number = ++this.#answers
    await this.world.travel()
    const scope = new Headers(init?.headers).get('x-scope') ?? ''
    return Response.json(answer(`${promptIn(init?.body)}|${scope}|${number}`))
  }

  async #ask(by: number): Promise<void> {
    const [scope, operation, text, model] = [this.#one(scopes), this.#one(operations), this.#one(['x', 'y', 'z']), this.#one(models)]
    const isTagged = this.world.below(2) === 0
    const asked: Asked = { text, model, options: { scope, operation, tags: isTagged ? [this.#one(tags)] : [] } }
    const begun = { step: this.#step, at: this.clock.monotonic(), answers: this.#answers }
    const cache = this.caches[by]
    if (cache === undefined) return
    const init: RequestInit & { readonly [callOptions]: object } = {
      method: 'POST',
      // Not part of the key: the scope is, and the answer tells of which one it is.
      headers: { 'x-scope': scope },
      body: JSON.stringify({ ...Object(question(text).body), model }),
      [callOptions]: { options: asked.options },
    }
    const response = await cachingFetch(cache, this.#origin)('https://api.openai.com/v1/chat/completions', init)
    this.#keys.set(nameOf(asked), cacheInfo(response)?.key ?? '')
    const [gotText, gotScope, number] = String(textIn({ answer: { ...Object(await response.json()) } })).split('|')
    const made = Number(number)
    if (made <= begun.answers) this.hits++
    if (gotText !== text || gotScope !== scope) this.wrong.push(`step ${begun.step}: an answer to ${gotText} of ${gotScope}`)
    const labels = labelsOf(asked)
    const broken = this.floors.find(
      (floor) =>
        labels.includes(floor.label) && floor.step < begun.step && made <= floor.number && (floor.by === by || begun.at > floor.at + delay),
    )
    if (broken !== undefined) this.wrong.push(`step ${begun.step}: answer ${made}, after ${JSON.stringify(broken)}`)
  }

  async #invalidate(by: number): Promise<void> {
    const { what, label } = this.world.below(4) > 0 ? this.#one(selectors) : this.#byKey()
    const number = this.#answers
    const cache = this.caches[by]
    if (cache === undefined || !(await cache.invalidate(what))) return
    this.floors.push({ label, number, by, step: this.#step, at: this.clock.monotonic() })
  }

  #byKey(): Selector {
    if (this.#keys.size === 0) return this.#one(selectors)
    const [label, key] = this.#one([...this.#keys])
    return { what: { key }, label }
  }

  async #restart(by: number): Promise<void> {
    await this.world.drain()
    const closing = this.caches[by]?.close()
    await this.world.drain()
    await closing
    this.caches[by] = this.#open()
  }

  async #advance(): Promise<void> {
    await this.world.drain()
    const kind = this.world.below(20)
    if (kind === 0) this.clock.jump((this.world.below(2) === 0 ? -1 : 1) * this.world.below(3_600_000))
    else this.clock.advance(kind < 4 ? this.world.below(700_000) : this.world.below(2 * delay))
    await turn()
    this.#lastAdvance = this.#step
  }

  async run(): Promise<void> {
    const asking = new Set<Promise<void>>()
    const watch = (work: Promise<void>): void => {
      const done = work.finally(() => asking.delete(done))
      asking.add(done)
    }
    for (this.#step = 1; this.#step <= steps; this.#step++) {
      const by = this.world.below(processes)
      const kind = this.world.below(100)
      if (asking.size < 12 && kind < 22) watch(this.#ask(by))
      else if (asking.size < 12 && kind < 25) watch(this.#invalidate(by))
      else if (kind < 28) this.store.evict()
      else if (kind === 28 && this.world.below(10) === 0) this.store.loseAll()
      else if (kind === 29 && this.world.below(10) === 0) await this.#restart(by)
      else if (kind < 33 && this.#step > this.#lastAdvance + 40) await this.#advance()
      else if (this.world.pending > 0) await this.world.go()
      else await turn()
    }
    await this.world.drain()
    await Promise.all(asking)
    for (const cache of this.caches) {
      const closing = cache.close()
      await this.world.drain()
      await closing
    }
  }
}

function labelsOf({ text, model, options }: Asked): string[] {
  return [
    'all',
    nameOf({ text, model, options }),
    `model ${model}`,
    `scope ${options.scope}`,
    `operation ${options.operation}`,
    ...options.tags.map((tag) => `tag ${tag}`),
  ]
}

/** What makes the key. */
function nameOf({ text, model, options }: Asked): string {
  return `key ${text} ${model} ${options.scope}`
}

interface Selector {
  readonly what: Invalidation
  readonly label: string
}

const selectors: readonly Selector[] = [
  { what: { all: true }, label: 'all' },
  ...tags.map((tag) => ({ what: { tags: [tag] }, label: `tag ${tag}` })),
  ...operations.map((operation) => ({ what: { operation }, label: `operation ${operation}` })),
  ...scopes.map((scope) => ({ what: { scope }, label: `scope ${scope}` })),
  ...models.map((model) => ({ what: { model }, label: `model ${model}` })),
]

describe('three processes over a store that loses what it likes', () => {
  it.each(Array.from({ length: 10 }, (_, index) => index + 1))(
    'G13 G14 I3 give no answer older than an invalidation, and none of another scope: seed %i',
    async (seed) => {
      const race = new Race(seed)
      await race.run()
      expect(race.wrong).toEqual([])
      expect(race.floors.length).toBeGreaterThan(200)
      expect(race.hits).toBeGreaterThan(200)
    },
  )
})
