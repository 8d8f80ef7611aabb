/**
 * Thousands of calls through one cache, and what must have come of them: counted by the provider, by the clock and by the caller alone.
 * @module
 */
import { callOptions } from '../../src/clients/call-options.ts'
import type { CallOptions } from '../../src/call.ts'
import type { Fetch } from '../../src/clients/http/caching-fetch.ts'
import { cachingFetch } from '../../src/clients/with-cache.ts'
import type { Cache } from '../../src/cache/cache.ts'
import { seededRandom } from '../../src/testing/seeded-random.ts'
import { answer, question } from './chat.ts'
import type { ManualClock } from '../../src/testing/manual-clock.ts'
import type { ScriptedStore } from './scripted-store.ts'

/** The TTLs that the workload expects of its cache, in seconds. */
export const workloadTtl = { default: 3_600, chat: 600, qa: 60, embeddings: 3_600 } as const

/** The price of the answers, for {@link workloadUsd}. US dollars for a million tokens. */
export const workloadPrices = [{ model: '*', input: 1_000, output: 2_000 }]

/** What one chat answer costs: 9 tokens of input and 12 of output. */
export const workloadUsd = (9 * 1_000 + 12 * 2_000) / 1e6

/** Milliseconds that the provider takes. */
export const workloadLatency = 200

/** Counts of one kind of call. */
export interface Counted {
  hits: number
  misses: number
  stale: number
}

/** What must have come of the calls. */
export interface Expected {
  readonly all: Counted
  readonly byOperation: Record<string, Counted>
  readonly byScope: Record<string, Counted>
  readonly bySize: Record<string, Counted>
  /** Chat hits, of which it is known what they saved. */
  chatHits: number
  chatMisses: number
  bypasses: number
  /** By what is selected. */
  readonly invalidations: Record<string, number>
  /** Requests that reached the provider. */
  requests: number
}

/** What a workload needs. */
export interface WorkloadOptions {
  readonly cache: Cache
  readonly clock: ManualClock
  readonly calls: number
  /** Fails for a part of the time, if there is one. */
  readonly store?: ScriptedStore
}

/** The sizes of texts, within the default limits of a monitor. */
const lengths = { small: 100, medium: 2_000, large: 20_000, xlarge: 60_000 }

const nothing = (): Counted => ({ hits: 0, misses: 0, stale: 0 })

/** Makes the calls one after the other. */
export async function runWorkload({ cache, clock, calls, store }: WorkloadOptions): Promise<Expected> {
  const random = seededRandom(7)
  const upTo = (limit: number): number => Math.floor(random() * limit)
  const expected: Expected = {
    all: nothing(),
    byOperation: { chat: nothing(), qa: nothing(), embeddings: nothing() },
    byScope: { 'tenant-1': nothing(), 'tenant-2': nothing() },
    bySize: { small: nothing(), medium: nothing(), large: nothing(), xlarge: nothing() },
    chatHits: 0,
    chatMisses: 0,
    bypasses: 0,
    invalidations: { tag: 0, operation: 0, all: 0 },
    requests: 0,
  }
  let inputs = 0
  const provider: Fetch = async (_, init) => {
    expected.requests++
    clock.advance(workloadLatency)
    const body: unknown = JSON.parse(typeof init?.body === 'string' ? init.body : '')
    const input: unknown = Reflect.get(Object(body), 'input')
    if (!Array.isArray(input)) return Response.json(answer(`answer ${expected.requests}`))
    inputs += input.length
    const data = input.map((_text, index) => ({ object: 'embedding', index, embedding: [0.5, index] }))
    return Response.json({ object: 'list', model: 'embedder', data, usage: { prompt_tokens: input.length, total_tokens: input.length } })
  }
  const fetch = cachingFetch(cache, provider)
  const send = async (path: string, body: object, options: CallOptions): Promise<void> => {
    const init: RequestInit & { readonly [callOptions]: object } = {
      method: 'POST',
      headers: { authorization: 'Bearer sk-test', 'content-type': 'application/json' },
      body: JSON.stringify(body),
      [callOptions]: { options },
    }
    await (await fetch(`https://api.openai.com/v1/${path}`, init)).text()
    // What is stored is written behind the caller's back.
    await cache.flush()
  }
  const answeredAt = new Map<string, number>()

  for (let number = 0; number < calls; number++) {
    const kind = random()
    const scope = random() < 0.7 ? 'tenant-1' : 'tenant-2'
    if (store !== undefined) {
      const isBroken = number > calls * 0.4 && number < calls * 0.5
      store.reads = isBroken ? 'rejects' : 'works'
      store.writes = isBroken ? 'rejects' : 'works'
    }
    clock.advance(upTo(1_500))
    if (kind < 0.01) {
      const what = upTo(3)
      const selector = (['tag', 'operation', 'all'] as const)[what] ?? 'all'
      expected.invalidations[selector] = (expected.invalidations[selector] ?? 0) + 1
      await cache.invalidate(what === 0 ? { tags: ['even'] } : what === 1 ? { operation: 'qa' } : { all: true })
      continue
    }
    if (kind < 0.03) {
      expected.bypasses++
      await send('chat/completions', Object(question(`bypass ${number}`).body), { mode: 'no-store', scope })
      continue
    }
    if (kind < 0.08) {
      const texts = [...new Set(Array.from({ length: 1 + upTo(5) }, () => `text ${upTo(100)}`))]
      const before = inputs
      await send('embeddings', { model: 'embedder', input: texts }, { scope })
      const asked = inputs - before
      for (const row of [expected.all, expected.byOperation['embeddings'], expected.byScope[scope]]) {
        if (row === undefined) continue
        row.hits += texts.length - asked
        row.misses += asked
      }
      continue
    }
    const size = (['small', 'small', 'small', 'medium', 'large', 'xlarge'] as const)[upTo(6)] ?? 'small'
    const operation = random() < 0.6 ? 'chat' : 'qa'
    const id = upTo(20)
    const text = `${operation} ${size} ${id} `.padEnd(lengths[size], 'x')
    const isForced = random() < 0.1
    const before = expected.requests
    const tags = id % 2 === 0 ? ['even'] : ['odd']
    const begun = clock.monotonic()
    await send('chat/completions', Object(question(text).body), { operation, scope, tags, ...(isForced && { mode: 'force-cache' }) })
    const isHit = expected.requests === before
    const name = `${scope} ${text}`
    const isStale = isHit && begun - (answeredAt.get(name) ?? 0) >= workloadTtl[operation] * 1_000
    if (!isHit) answeredAt.set(name, clock.monotonic())
    if (isHit) expected.chatHits++
    else expected.chatMisses++
    for (const row of [expected.all, expected.byOperation[operation], expected.byScope[scope], expected.bySize[size]]) {
      if (row === undefined) continue
      if (isHit) row.hits++
      else row.misses++
      if (isStale) row.stale++
    }
  }
  return expected
}
