import { describe, expect, it } from 'vitest'
import { createCache } from '../../../src/cache/cache.ts'
import { cachingFetch } from '../../../src/clients/with-cache.ts'
import type { Clock } from '../../../src/clock.ts'
import { memoryStore } from '../../../src/stores/memory-store.ts'
import type { ReadOptions, Store } from '../../../src/store.ts'
import { answer, openCache, question, settle, textIn } from '../../support/chat.ts'
import { drive } from '../../support/drive.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

/** A store over a network: each key takes its time, and requests run beside one another. */
class NetworkStore implements Store {
  readonly name = 'network'
  /** Milliseconds for each key of a request, by how many requests there were before. */
  perKey: (request: number) => number = () => 0
  /** Milliseconds before the first request is answered. */
  connecting = 0
  readonly requests: (readonly string[])[] = []
  readonly #inner: Store
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
    this.#inner = memoryStore({ clock })
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const [value] = await this.getMany([key])
    return value
  }

  async getMany(keys: readonly string[], _options?: ReadOptions): Promise<(Uint8Array | undefined)[]> {
    const wait = this.connecting + keys.length * this.perKey(this.requests.length)
    this.connecting = 0
    this.requests.push(keys)
    if (wait > 0) await new Promise<void>((resolve) => this.#clock.after(wait, resolve))
    return Promise.all(keys.map(async (key) => this.#inner.get(key)))
  }

  set(key: string, value: Uint8Array, options: { readonly ttl: number }): void {
    void this.#inner.set(key, value, options)
  }

  delete(key: string): void {
    void this.#inner.delete(key)
  }
}

const url = 'https://api.openai.com/v1/embeddings'

function setup() {
  const clock = new ManualClock()
  const store = new NetworkStore(clock)
  const upstream: string[][] = []
  /** A process with memory of its own. */
  const embed = async (count: number) => {
    const { cache, told } = openCache({ clock, store })
    const fetch = cachingFetch(cache, async (_, init) => {
      const body: unknown = init?.body
      const { input }: { input: string[] } = JSON.parse(String(body))
      upstream.push(input)
      const data = input.map((text, index) => ({ object: 'embedding', index, embedding: [Number(text.slice(1))] }))
      return Response.json({ object: 'list', model: 'm', data, usage: { prompt_tokens: 1, total_tokens: 1 } })
    })
    const input = Array.from({ length: count }, (_, index) => `t${index}`)
    const sent = { method: 'POST', body: JSON.stringify({ model: 'm', input }), headers: { 'content-type': 'application/json' } }
    const { result, took } = await drive(clock, fetch(url, sent))
    const { data }: { data: { embedding: number[] }[] } = JSON.parse(await result.text())
    expect(data.map(({ embedding }) => embedding[0])).toEqual(input.map((_, index) => index))
    await drive(clock, cache.flush())
    return { took, told }
  }
  return { clock, store, upstream, embed }
}

describe('a batch of many inputs', () => {
  it('G39 is a hit, though its read takes longer than one of a single key', async () => {
    const { store, upstream, embed } = setup()
    await embed(2_000)
    upstream.length = 0
    store.requests.length = 0
    // 2,000 keys take half a second, as 60 MB do at 1 Gbit/s.
    store.perKey = () => 1
    const { told } = await embed(2_000)
    expect(upstream).toEqual([])
    expect(told.lines).toEqual([])
    const keys = store.requests.flat()
    expect(new Set(keys).size).toBe(keys.length)
  })

  it('G39 keeps the parts that came in time, and asks the provider for the others only', async () => {
    const { store, upstream, embed } = setup()
    await embed(1_000)
    upstream.length = 0
    store.requests.length = 0
    // From the fifth request on, the store does not answer.
    store.perKey = (request) => (request < 4 ? 1 : 1_000_000)
    const { took } = await embed(1_000)
    expect(upstream).toHaveLength(1)
    expect(upstream[0]?.length).toBe(600)
    expect(took).toBeLessThanOrEqual(100 + 1_000)
    const keys = store.requests.flat()
    expect(new Set(keys).size).toBe(keys.length)
  })

  it('G39 whose read is late is read once, and the provider is asked once', async () => {
    const { store, upstream, embed } = setup()
    store.perKey = () => 1_000_000
    await embed(2_000)
    expect(upstream).toHaveLength(1)
    // A label's generation is looked up again before it is written.
    const keys = store.requests.flat().filter((key) => key.includes(':v1:'))
    expect(keys.length).toBeGreaterThan(0)
    expect(new Set(keys).size).toBe(keys.length)
  })

  it('I2 of few inputs waits for no longer than one read deadline', async () => {
    const { store, embed } = setup()
    store.perKey = () => 1_000_000
    const { took } = await embed(8)
    expect(took).toBeLessThanOrEqual(110)
  })
})

describe('the first read of a process', () => {
  it('G40 waits for the connection, for a second by default', async () => {
    const clock = new ManualClock()
    const store = new NetworkStore(clock)
    await openCache({ clock, store }).cache.store(question(), answer())
    await settle()
    store.connecting = 900
    const cache = createCache({ clock, store, prices: false, logger: false })
    const { result, took } = await drive(clock, cache.lookup(question()))
    expect(textIn(result)).toBe('42')
    expect(took).toBeGreaterThanOrEqual(900)
    expect(clock.timers).toBe(0)
  })

  it('G40 waits for the labels of an entry as well, with what is left of its time', async () => {
    const clock = new ManualClock()
    const store = new NetworkStore(clock)
    await openCache({ clock, store }).cache.store(question('tagged', { tags: ['doc'] }), answer())
    await settle()
    store.connecting = 400
    store.perKey = () => 20
    const { cache } = openCache({ clock, store, firstReadDeadline: '1s' })
    expect(textIn((await drive(clock, cache.lookup(question('tagged', { tags: ['doc'] })))).result)).toBe('42')
  })

  it('G40 is over once it is answered: a later one has the usual deadline, though the first could have taken longer', async () => {
    const clock = new ManualClock()
    const store = new NetworkStore(clock)
    const { cache } = openCache({ clock, store, firstReadDeadline: '10s', maxMemoryBytes: 0 })
    store.connecting = 50
    await drive(clock, cache.lookup(question('a')))
    store.perKey = () => 1_000_000
    const { took } = await drive(clock, cache.lookup(question('b')))
    expect(took).toBeGreaterThanOrEqual(100)
    expect(took).toBeLessThanOrEqual(110)
  })

  it('G40 ends at its deadline, and later reads have the usual one', async () => {
    const clock = new ManualClock()
    const store = new NetworkStore(clock)
    const { cache } = openCache({ clock, store, firstReadDeadline: '300ms', maxMemoryBytes: 0 })
    store.perKey = () => 1_000_000
    const first = await drive(clock, Promise.all([cache.lookup(question('a')), cache.lookup(question('b'))]))
    expect(first.took).toBeGreaterThanOrEqual(300)
    expect(first.took).toBeLessThanOrEqual(310)
    const second = await drive(clock, cache.lookup(question('c')))
    expect(second.took).toBeGreaterThanOrEqual(100)
    expect(second.took).toBeLessThanOrEqual(110)
  })
})
