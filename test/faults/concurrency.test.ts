/**
 * Many callers at once, under fault: K01 to K12.
 */
import OpenAI, { APIConnectionError, RateLimitError } from 'openai'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  cacheInfo,
  type CacheOptions,
  cachingFetch,
  createCache,
  DeadlineError,
  type Fetch,
  memoryStore,
  type Store,
  withCache,
} from '../../src/index.ts'
import { formatEvents } from '../../src/base/server-sent-events.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { type Gate, gate } from '../support/provider-server.ts'

const url = 'https://api.openai.com/v1/chat/completions'
const model = 'gpt-5-mini'
const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'a SECRET prompt' }]
const params = { model, messages }
const streamedParams = { ...params, stream: true, stream_options: { include_usage: true } }

function wholeAnswer(content: string) {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_750_000_000,
    model,
    choices: [{ index: 0, message: { role: 'assistant', content, refusal: null }, logprobs: null, finish_reason: 'stop' }],
    usage: { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 },
  }
}

function streamedAnswer(content: string): string {
  const head = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1_750_000_000, model }
  const choices = [
    { index: 0, delta: { role: 'assistant', content }, finish_reason: null },
    { index: 0, delta: {}, finish_reason: 'stop' },
  ]
  const events = choices.map((choice) => ({ data: JSON.stringify({ ...head, choices: [choice] }) }))
  const { usage } = wholeAnswer(content)
  return formatEvents([...events, { data: JSON.stringify({ ...head, choices: [], usage }) }, { data: '[DONE]' }])
}

function initFor(body: object, signal?: AbortSignal): RequestInit {
  const headers = { 'content-type': 'application/json' }
  return { method: 'POST', headers, body: JSON.stringify(body), ...(signal && { signal }) }
}

/** Lets everything happen that waits for nothing but promises. */
async function rounds(count = 5): Promise<void> {
  for (let round = 0; round < count; round++) await new Promise((resolve) => setImmediate(resolve))
}

async function reasonOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it did not reject')
}

/** A cache that tells everything it says to the outside, to be searched for what must not be there. */
function watchedCache(options: CacheOptions = {}) {
  const clock = options.clock instanceof ManualClock ? options.clock : new ManualClock()
  const said: string[] = []
  const say = (message: string): void => void said.push(message)
  const cache = createCache({ logger: { warn: say, info: say }, ...options, clock })
  const names = ['hit', 'miss', 'bypass', 'store', 'skip', 'evict', 'invalidate', 'error', 'state', 'drop'] as const
  for (const name of names) cache.on(name, (event) => say(JSON.stringify(event) + ('error' in event ? String(event.error) : '')))
  onTestFinished(async () => {
    await cache.flush()
    await rounds()
    expect(clock.timers, 'I8 no flight is open, no read under way: each has its timer').toBe(0)
    expect(said.join('\n'), 'I7').not.toMatch(/SECRET/)
  })
  return { cache, clock }
}

/** An upstream that answers when its gate is open, by number: `answer 1`, `answer 2`, streamed or whole as it is asked. */
function countedUpstream(ready: Promise<unknown> = Promise.resolve()) {
  const counts = { calls: 0, aborted: 0 }
  const upstream: Fetch = async (_, init) => {
    const content = `answer ${++counts.calls}`
    const { signal } = init ?? {}
    const gone = new Promise<never>((_resolve, reject) => {
      signal?.addEventListener('abort', () => {
        counts.aborted++
        reject(signal.reason)
      })
    })
    await Promise.race([ready, gone])
    const streamed = typeof init?.body === 'string' && init.body.includes('"stream":true')
    return streamed
      ? new Response(streamedAnswer(content), { headers: { 'content-type': 'text/event-stream' } })
      : Response.json(wholeAnswer(content))
  }
  return { counts, upstream }
}

async function contentOf(response: Response | Promise<Response>): Promise<unknown> {
  const answer: unknown = await (await response).json()
  return answer
}

/** A store over memory whose reads are counted, and wait for what the test says. */
function countedStore(clock: ManualClock, wait: (read: number) => unknown = () => undefined) {
  const inner = memoryStore({ clock })
  const counts = { reads: 0, now: 0, peak: 0, writing: 0, writingPeak: 0 }
  const store: Store = {
    name: 'counted',
    async get(key) {
      counts.reads++
      counts.peak = Math.max(counts.peak, ++counts.now)
      try {
        await wait(counts.reads)
        return await inner.get(key)
      } finally {
        counts.now--
      }
    },
    async set(key, value, options) {
      counts.writingPeak = Math.max(counts.writingPeak, ++counts.writing)
      await Promise.resolve()
      await inner.set(key, value, options)
      counts.writing--
    },
    ...(inner.setIfAbsent && { setIfAbsent: inner.setIfAbsent.bind(inner) }),
    delete: (key) => inner.delete(key),
    // The marks of invalidation are read along with the entry: one read, as one round trip to a real store.
    async getMany(keys) {
      counts.reads++
      counts.peak = Math.max(counts.peak, ++counts.now)
      try {
        await wait(counts.reads)
        return await Promise.all(keys.map(async (key) => inner.get(key)))
      } finally {
        counts.now--
      }
    },
  }
  return { store, counts }
}

const many = 10_000

function never(): Promise<never> {
  return new Promise(() => undefined)
}

describe('K01 ten thousand equal calls at once', () => {
  it('are one call of the provider and one read of the store; each caller gets a copy of the answer', async () => {
    const clock = new ManualClock()
    const { store, counts: reads } = countedStore(clock)
    const { cache } = watchedCache({ store, clock })
    const ready = gate()
    const { counts, upstream } = countedUpstream(ready)
    const fetch = cachingFetch(cache, upstream)
    const calls = Array.from({ length: many }, () => fetch(url, initFor(params)))
    await rounds()
    expect([counts.calls, reads.reads]).toEqual([1, 1])
    ready.open()
    const bodies = await Promise.all(calls.map(async (call) => new Uint8Array(await (await call).arrayBuffer())))
    const expected = JSON.stringify(wholeAnswer('answer 1'))
    bodies.forEach((body, index) => {
      // Each caller spoils its own copy as soon as it has read it.
      if (new TextDecoder().decode(body) !== expected) throw new Error(`caller ${index} got something else`)
      body.fill(0)
    })
    expect([counts.calls, reads.reads]).toEqual([1, 1])
    expect(cache.stats()).toMatchObject({ hits: many - 1, misses: 1, stored: 1 })
    expect(await contentOf(fetch(url, initFor(params)))).toEqual(wholeAnswer('answer 1'))
    expect(counts.calls).toBe(1)
  })

  it('of a function of the user’s own are one call of it, and each gets a copy', async () => {
    const { cache } = watchedCache()
    const ready = gate()
    let made = 0
    const make = async (): Promise<{ list: number[] }> => {
      made++
      await ready
      return { list: [1, 2] }
    }
    const calls = Array.from({ length: many }, () => cache.wrap('key', 60, make))
    await rounds()
    ready.open()
    for (const { list } of await Promise.all(calls)) if (list.push(3) !== 3) throw new Error('another caller changed it')
    expect(made).toBe(1)
    expect(await cache.get('key')).toEqual({ list: [1, 2] })
  })

  it('and one more, whose read of the store ends after their answer: this call does not ask the provider again', async () => {
    const clock = new ManualClock()
    const slow = gate()
    const { store } = countedStore(clock, (read) => (read === 2 ? slow : undefined))
    const { cache } = watchedCache({ store, clock })
    const ready = gate()
    const { counts, upstream } = countedUpstream(ready)
    const fetch = cachingFetch(cache, upstream)
    const first = fetch(url, initFor(params))
    await rounds()
    const late = fetch(url, initFor(params))
    await rounds()
    ready.open()
    expect(await contentOf(first)).toEqual(wholeAnswer('answer 1'))
    slow.open()
    expect(await contentOf(late)).toEqual(wholeAnswer('answer 1'))
    expect(counts.calls).toBe(1)
  })
})

describe('K01 a call that comes just as the answer ends', () => {
  /** How many promises settle one after the other before it comes: it meets every step of the ending. */
  const moments = [...Array.from({ length: 60 }).keys()]

  it('gets it too, is counted, and does not ask the provider again', async () => {
    const text = JSON.stringify(wholeAnswer('answer'))
    const outcomes: object[] = []
    for (const moment of moments) {
      const { cache } = watchedCache()
      const end = gate()
      let calls = 0
      const fetch = cachingFetch(cache, async () => {
        calls++
        const body = new ReadableStream<Uint8Array>({
          async start(controller) {
            controller.enqueue(new TextEncoder().encode(text))
            await end
            controller.close()
          },
        })
        return new Response(body, { headers: { 'content-type': 'application/json' } })
      })
      const first = (await fetch(url, initFor(params))).text()
      await rounds()
      end.open()
      for (let tick = 0; tick < moment; tick++) await Promise.resolve()
      const second = fetch(url, initFor(params)).then((response) => response.text())
      const equal = (await first) === text && (await second) === text
      const { hits, misses, stored } = cache.stats()
      outcomes.push({ moment, equal, calls, hits, misses, stored })
    }
    expect(outcomes).toEqual(moments.map((moment) => ({ moment, equal: true, calls: 1, hits: 1, misses: 1, stored: 1 })))
  })

  it('does not make a value of the user’s own again', async () => {
    const outcomes: object[] = []
    for (const moment of moments) {
      const { cache } = watchedCache()
      const end = gate()
      let made = 0
      const make = async (): Promise<string> => {
        made++
        await end
        return 'value'
      }
      const first = cache.wrap('key', 60, make)
      await rounds()
      end.open()
      for (let tick = 0; tick < moment; tick++) await Promise.resolve()
      outcomes.push({ moment, values: await Promise.all([first, cache.wrap('key', 60, make)]), made })
    }
    expect(outcomes).toEqual(moments.map((moment) => ({ moment, values: ['value', 'value'], made: 1 })))
  })
})

describe('K02 equal calls of a provider that fails', () => {
  it('through the SDK are one call, whose error each gets; the next one asks again', async () => {
    const { cache } = watchedCache()
    const ready = gate()
    let calls = 0
    const refuse = async (): Promise<Response> => {
      calls++
      await ready
      return calls === 1 ? Response.json({ error: { message: 'slow down' } }, { status: 429 }) : Response.json(wholeAnswer('at last'))
    }
    const client = withCache(new OpenAI({ apiKey: 'sk-test', fetch: refuse, maxRetries: 0 }), cache)
    const errors = Array.from({ length: 1_000 }, () => reasonOf(client.chat.completions.create(params)))
    await rounds()
    ready.open()
    const classes = new Set((await Promise.all(errors)).map((error) => Object(error).constructor))
    expect([...classes]).toEqual([RateLimitError])
    expect(calls).toBe(1)
    expect((await client.chat.completions.create(params)).choices[0]?.message.content).toBe('at last')
    expect(calls).toBe(2)
  })

  it('ten thousand of them get the error of a connection that cannot be made, all the same one', async () => {
    const { cache } = watchedCache()
    let calls = 0
    const refuse = async (): Promise<Response> => {
      calls++
      throw new TypeError('fetch failed')
    }
    const fetch = cachingFetch(cache, refuse)
    const errors = await Promise.all(Array.from({ length: many }, () => reasonOf(fetch(url, initFor(params)))))
    expect(new Set(errors).size).toBe(1)
    expect(calls).toBe(1)
    const client = withCache(new OpenAI({ apiKey: 'sk-test', fetch: refuse, maxRetries: 0 }), cache)
    await expect(client.chat.completions.create(params)).rejects.toBeInstanceOf(APIConnectionError)
    expect(calls).toBe(2)
  })
})

describe('K03 a function of the user’s own', () => {
  it('that throws at once fails all callers that wait, with its own error; the next caller calls it again', async () => {
    const { cache } = watchedCache()
    const error = new RangeError('mine')
    let calls = 0
    const make = (): string => {
      if (++calls === 1) throw error
      return 'value'
    }
    const reasons = await Promise.all([1, 2, 3].map(() => reasonOf(cache.wrap('key', 60, make))))
    expect(reasons).toEqual([error, error, error])
    expect(reasons.every((reason) => reason === error)).toBe(true)
    expect(calls).toBe(1)
    expect(await cache.wrap('key', 60, make)).toBe('value')
    expect(await cache.wrap('key', 60, make)).toBe('value')
    expect(calls).toBe(2)
  })

  it('may return its value without a promise', async () => {
    const { cache } = watchedCache()
    expect(await cache.wrap('key', 60, () => 0)).toBe(0)
    expect(await cache.wrap('key', 60, () => 1)).toBe(0)
    expect(await cache.wrap('null', 60, () => null)).toBeNull()
  })

  it('that never settles is given up at the deadline, and the next caller starts fresh', async () => {
    const { cache, clock } = watchedCache({ flightDeadline: '1m' })
    const reasons = [reasonOf(cache.wrap('key', 60, never)), reasonOf(cache.wrap('key', 60, never))]
    await rounds()
    clock.advance(60_000)
    for (const reason of await Promise.all(reasons)) expect(reason).toBeInstanceOf(DeadlineError)
    expect(await cache.wrap('key', 60, () => 'fresh')).toBe('fresh')
  })

  it('that settles after its deadline puts nothing in the place of what came since', async () => {
    const { cache, clock } = watchedCache({ flightDeadline: '1m' })
    const late = Promise.withResolvers<string>()
    const reason = reasonOf(cache.wrap('key', 600, () => late.promise))
    await rounds()
    clock.advance(60_000)
    expect(await reason).toBeInstanceOf(DeadlineError)
    await cache.wrap('key', 600, () => 'fresh')
    late.resolve('too late')
    await rounds()
    expect(await cache.get('key')).toBe('fresh')
  })

  it('in the place of fetch, throwing at once or never answering, does as much', async () => {
    const { cache, clock } = watchedCache({ flightDeadline: '1m' })
    const error = new RangeError('mine')
    const throwing = cachingFetch(cache, () => {
      throw error
    })
    expect(await reasonOf(throwing(url, initFor(params)))).toBe(error)
    const hanging = cachingFetch(cache, never)
    const reason = reasonOf(hanging(url, initFor(params)))
    await rounds()
    clock.advance(60_000)
    expect(await reason).toBeInstanceOf(DeadlineError)
    const { upstream } = countedUpstream()
    expect(await contentOf(cachingFetch(cache, upstream)(url, initFor(params)))).toEqual(wholeAnswer('answer 1'))
  })
})

describe('K04 callers that abort', () => {
  it('do not take the answer from the others, not even the first of them', async () => {
    const { cache } = watchedCache()
    const ready = gate()
    const { counts, upstream } = countedUpstream(ready)
    const fetch = cachingFetch(cache, upstream)
    const own = new AbortController()
    const first = reasonOf(fetch(url, initFor(params, own.signal)))
    const others = [fetch(url, initFor(params)), fetch(url, initFor(params))]
    await rounds()
    const reason = new Error('enough')
    own.abort(reason)
    expect(await first).toBe(reason)
    ready.open()
    expect(await Promise.all(others.map(contentOf))).toEqual([wholeAnswer('answer 1'), wholeAnswer('answer 1')])
    expect(counts).toEqual({ calls: 1, aborted: 0 })
    expect(cache.stats().stored).toBe(1)
  })

  it('all of them, abort the provider once; nothing is cached, and the next one asks again', async () => {
    const { cache } = watchedCache()
    const ready = gate()
    const { counts, upstream } = countedUpstream(ready)
    const fetch = cachingFetch(cache, upstream)
    const controllers = Array.from({ length: 100 }, () => new AbortController())
    const reasons = controllers.map(({ signal }) => reasonOf(fetch(url, initFor(params, signal))))
    await rounds()
    for (const [index, controller] of controllers.entries()) {
      expect(counts.aborted).toBe(0)
      controller.abort(index)
    }
    expect(counts).toEqual({ calls: 1, aborted: 1 })
    expect(await Promise.all(reasons)).toEqual([...controllers.keys()])
    ready.open()
    await rounds()
    expect(cache.stats().stored).toBe(0)
    expect(await contentOf(fetch(url, initFor(params)))).toEqual(wholeAnswer('answer 2'))
  })

  it('while the store is read never reach the provider', async () => {
    const clock = new ManualClock()
    const slow = gate()
    const { store } = countedStore(clock, () => slow)
    const { cache } = watchedCache({ store, clock })
    const { counts, upstream } = countedUpstream()
    const own = new AbortController()
    const reason = reasonOf(cachingFetch(cache, upstream)(url, initFor(params, own.signal)))
    await rounds()
    own.abort('enough')
    slow.open()
    expect(await reason).toBe('enough')
    expect(counts.calls).toBe(0)
  })
})

describe('K05 a caller that changes its result', () => {
  it('changes no other result, neither now nor later', async () => {
    const { cache } = watchedCache()
    const ready = gate()
    const { counts, upstream } = countedUpstream(ready)
    const client = withCache(new OpenAI({ apiKey: 'sk-test', fetch: upstream }), cache)
    const calls = [client.chat.completions.create(params), client.chat.completions.create(params)]
    await rounds()
    ready.open()
    const contents: unknown[] = []
    for (const answer of [...(await Promise.all(calls)), await client.chat.completions.create(params)]) {
      const [choice] = answer.choices
      contents.push(choice?.message.content)
      if (choice !== undefined) choice.message.content = 'spoilt'
      answer.choices.length = 0
    }
    expect(contents).toEqual(['answer 1', 'answer 1', 'answer 1'])
    expect((await client.chat.completions.create(params)).choices[0]?.message.content).toBe('answer 1')
    expect(counts.calls).toBe(1)
  })

  it('nor do the headers of its response, nor the chunks of its stream', async () => {
    const { cache } = watchedCache()
    const ready = gate()
    const { upstream } = countedUpstream(ready)
    const fetch = cachingFetch(cache, upstream)
    const ask = (): Promise<Response> => fetch(url, initFor(streamedParams))
    const calls = [ask(), ask()]
    await rounds()
    ready.open()
    const texts: string[] = []
    for (const response of [...(await Promise.all(calls)), await ask(), await ask()]) {
      expect(response.headers.get('content-type')).toBe('text/event-stream')
      response.headers.set('content-type', 'spoilt')
      let text = ''
      const decoder = new TextDecoder()
      for await (const part of response.body ?? []) {
        text += decoder.decode(part, { stream: true })
        part.fill(0)
      }
      texts.push(text)
    }
    expect(new Set(texts)).toEqual(new Set([streamedAnswer('answer 1')]))
  })
})

/** A store over memory whose reads fail as long as it is broken. */
function faultyStore(clock: ManualClock, fault: () => Promise<undefined>) {
  const inner = memoryStore({ clock })
  const state = { broken: true, reads: 0 }
  const store: Store = {
    name: 'faulty',
    get(key) {
      state.reads++
      return state.broken ? fault() : inner.get(key)
    },
    set: (key, value, options) => inner.set(key, value, options),
    ...(inner.setIfAbsent && { setIfAbsent: inner.setIfAbsent.bind(inner) }),
    delete: (key) => inner.delete(key),
  }
  return { store, state }
}

describe('K06 a store whose read', () => {
  const faults: [string, () => Promise<undefined>][] = [
    [
      'throws at once',
      () => {
        throw new Error('down')
      },
    ],
    ['rejects', () => Promise.reject(new Error('down'))],
    ['never settles', never],
  ]

  it.each(faults)(
    '%s: every caller gets its answer, by one call; the flight ends, and the next answer comes from memory',
    async (_, fault) => {
      const clock = new ManualClock()
      const { store } = faultyStore(clock, fault)
      const { cache } = watchedCache({ store, clock, readDeadline: '100ms', firstReadDeadline: '100ms' })
      const { counts, upstream } = countedUpstream()
      const fetch = cachingFetch(cache, upstream)
      const calls = Array.from({ length: 50 }, () => fetch(url, initFor(params)).then(contentOf))
      await rounds()
      clock.advance(100)
      expect(await Promise.all(calls)).toEqual(calls.map(() => wholeAnswer('answer 1')))
      expect(counts.calls).toBe(1)
      const again = fetch(url, initFor(params)).then(contentOf)
      await rounds()
      clock.advance(100)
      expect(await again).toEqual(wholeAnswer('answer 1'))
      expect(counts.calls).toBe(1)
      expect(cache.stats().errors).toBeGreaterThan(0)
    },
  )

  it.each(faults)('%s costs a function of the user’s own nothing either', async (_, fault) => {
    const clock = new ManualClock()
    const { store } = faultyStore(clock, fault)
    const { cache } = watchedCache({ store, clock, readDeadline: '100ms', firstReadDeadline: '100ms' })
    let made = 0
    const values = [1, 2, 3].map(() => cache.wrap('key', 60, () => ++made))
    await rounds()
    clock.advance(100)
    expect(await Promise.all(values)).toEqual([1, 1, 1])
  })

  it.each(faults)('%s, for hundreds of calls, is used again when it works again', async (_, fault) => {
    const clock = new ManualClock()
    const { store, state } = faultyStore(clock, fault)
    const { cache } = watchedCache({ store, clock, readDeadline: '100ms', firstReadDeadline: '100ms' })
    const states: boolean[] = []
    cache.on('state', ({ side, usable }) => void (side === 'read' && states.push(usable)))
    const values = Array.from({ length: 300 }, (__, index) => cache.wrap(`key ${index}`, 60, () => index))
    await rounds()
    clock.advance(100)
    expect(await Promise.all(values)).toEqual([...values.keys()])
    expect(states).toEqual([false])
    state.broken = false
    // Longer than any pause between two probes.
    clock.advance(60_000)
    const reads = state.reads
    const probe = cache.wrap('another key', 60, () => 'value')
    await rounds()
    clock.advance(100)
    expect(await probe).toBe('value')
    expect(state.reads).toBeGreaterThan(reads)
    expect(states).toEqual([false, true])
  })
})

describe('K07 ten thousand different misses at once', () => {
  it('G57 reach the store a few at a time, and stay within the memory that they may take, however long it takes', async () => {
    const clock = new ManualClock()
    const { store, counts: reads } = countedStore(clock, () => new Promise((resolve) => setImmediate(resolve)))
    const maxMemoryBytes = 1_048_576
    const { cache } = watchedCache({ store, clock, maxMemoryBytes })
    const { counts, upstream } = countedUpstream()
    const fetch = cachingFetch(cache, upstream)
    const calls = Array.from({ length: many }, (_, seed) => fetch(url, initFor({ ...params, seed })).then((response) => response.text()))
    const answers = await Promise.all(calls)
    expect(new Set(answers).size).toBe(many)
    expect([counts.calls, reads.reads]).toEqual([many, many])
    expect(reads.peak).toBeLessThanOrEqual(64)
    expect(cache.memory().bytes).toBeLessThanOrEqual(maxMemoryBytes)
    expect(cache.memory().entries).toBeGreaterThan(0)
    await cache.flush()
    expect(reads.writingPeak).toBe(1)
    expect(cache.stats()).toMatchObject({ misses: many, stored: many, hits: 0 })
  })
})

describe('K08 a stream and a whole answer to one question at once', () => {
  it('each gets its own kind, and so does each later call', async () => {
    const { cache } = watchedCache()
    const ready = gate()
    const { counts, upstream } = countedUpstream(ready)
    const fetch = cachingFetch(cache, upstream)
    const calls = [params, streamedParams, params, streamedParams].map((body) => fetch(url, initFor(body)))
    await rounds()
    ready.open()
    const [whole = '', streamed = '', ...joined] = await Promise.all((await Promise.all(calls)).map((response) => response.text()))
    expect(joined).toEqual([whole, streamed])
    expect(counts.calls).toBe(2)
    expect(whole).toMatch(/^\{.*answer [12].*\}$/)
    expect(streamed).toMatch(/^data: \{.*answer [12].*\n\ndata: \[DONE\]\n\n$/s)
    const again = await fetch(url, initFor(params))
    expect(again.headers.get('content-type')).toMatch(/^application\/json/)
    expect(await again.json()).toMatchObject({ object: 'chat.completion', choices: [{ finish_reason: 'stop' }] })
    const streamedAgain = await fetch(url, initFor(streamedParams))
    expect(streamedAgain.headers.get('content-type')).toMatch(/^text\/event-stream/)
    expect(await streamedAgain.text()).toMatch(/^data: \{.*data: \[DONE\]\n\n$/s)
    expect(counts.calls).toBe(2)
  })
})

describe('K09 an answer that is on its way when', () => {
  const invalidations: [string, (cache: ReturnType<typeof createCache>) => Promise<unknown>][] = [
    ['everything is cleared', (cache) => cache.clear()],
    ['everything is invalidated', (cache) => cache.invalidate({ all: true })],
    ['its tag is invalidated', (cache) => cache.invalidate({ tags: ['doc:42'] })],
    ['its model is invalidated', (cache) => cache.invalidate({ model })],
    ['its operation is invalidated', (cache) => cache.invalidate({ operation: 'qa' })],
    ['its scope is invalidated', (cache) => cache.invalidate({ scope: 'acme' })],
  ]
  const options = { cache: { tags: ['doc:42'], operation: 'qa', scope: 'acme' } }

  it.each(invalidations)('%s is handed out but not stored', async (_, invalidate) => {
    const clock = new ManualClock()
    const store = memoryStore({ clock })
    const { cache } = watchedCache({ store, clock })
    const ready = gate()
    const { counts, upstream } = countedUpstream(ready)
    const client = withCache(new OpenAI({ apiKey: 'sk-test', fetch: upstream }), cache)
    const filling = client.chat.completions.create(params, options)
    await rounds()
    await invalidate(cache)
    ready.open()
    const filled = await filling
    expect(filled.choices[0]?.message.content).toBe('answer 1')
    expect(filled._cache).toMatchObject({ hit: false, stored: false, reason: 'invalidated' })
    await cache.flush()
    const other = withCache(new OpenAI({ apiKey: 'sk-test', fetch: upstream }), watchedCache({ store, clock }).cache)
    for (const each of [client, other]) {
      const [choice] = (await each.chat.completions.create(params, options)).choices
      expect(choice?.message.content).toBe('answer 2')
      await cache.flush()
    }
    expect(counts.calls).toBe(2)
  })

  it('something else is invalidated is stored', async () => {
    const { cache } = watchedCache()
    const ready = gate()
    const { counts, upstream } = countedUpstream(ready)
    const client = withCache(new OpenAI({ apiKey: 'sk-test', fetch: upstream }), cache)
    const filling = client.chat.completions.create(params, options)
    await rounds()
    await cache.invalidate({ tags: ['doc:43'] })
    await cache.invalidate({ operation: 'summarize' })
    ready.open()
    expect((await filling)._cache.stored).toBe(true)
    await client.chat.completions.create(params, options)
    expect(counts.calls).toBe(1)
  })

  it('everything is cleared, streamed: half of it read before, half after', async () => {
    const { cache } = watchedCache()
    const half = gate()
    let calls = 0
    const text = streamedAnswer('an answer')
    const fetch = cachingFetch(cache, async () => {
      calls++
      const parts = [text.slice(0, 40), text.slice(40)].values()
      const body = new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            const part = parts.next().value
            if (part === undefined) return controller.close()
            if (part !== text.slice(0, 40)) await half
            controller.enqueue(new TextEncoder().encode(part))
          },
        },
        { highWaterMark: 0 },
      )
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    })
    const reading = (await fetch(url, initFor(streamedParams))).text()
    await rounds()
    await cache.clear()
    half.open()
    expect(await reading).toBe(text)
    expect(cache.stats()).toMatchObject({ stored: 0, skipped: { invalidated: 1 } })
    expect(await (await fetch(url, initFor(streamedParams))).text()).toBe(text)
    expect(calls).toBe(2)
  })

  it('everything is cleared, made by a function of the user’s own', async () => {
    const { cache } = watchedCache()
    const ready = gate()
    const filling = cache.wrap('key', 60, async () => {
      await ready
      return 'old'
    })
    await rounds()
    await cache.clear()
    ready.open()
    expect(await filling).toBe('old')
    expect(await cache.get('key')).toBeUndefined()
  })
})

describe('K10 a refresh that fails', () => {
  it('leaves the old value in its place until its own end, and only then fails a caller', async () => {
    const { cache, clock } = watchedCache()
    let calls = 0
    let broken = false
    const make = async (): Promise<string> => {
      calls++
      if (broken) throw new Error('down')
      return `value ${calls}`
    }
    const ask = async (): Promise<string> => {
      const value = await cache.wrapSWR('key', 10, 60, make)
      await rounds()
      return value
    }
    expect(await ask()).toBe('value 1')
    broken = true
    clock.advance(9_999)
    expect([await ask(), calls]).toEqual(['value 1', 1])
    clock.advance(1)
    expect([await ask(), calls]).toEqual(['value 1', 2])
    clock.advance(49_999)
    expect([await ask(), calls]).toEqual(['value 1', 3])
    clock.advance(1)
    await expect(ask()).rejects.toThrow('down')
    broken = false
    expect([await ask(), calls]).toEqual(['value 5', 5])
    expect(cache.stats().errorKinds).toEqual({ hook: 2 })
  })

  it('is one call for all callers meanwhile, and each gets the old value at once', async () => {
    const { cache, clock } = watchedCache()
    await cache.wrapSWR('key', 10, 60, () => 'old')
    clock.advance(10_000)
    const ready = gate()
    let calls = 0
    const refresh = async (): Promise<string> => {
      calls++
      await ready
      return 'new'
    }
    const values = await Promise.all(Array.from({ length: 1_000 }, () => cache.wrapSWR('key', 10, 60, refresh)))
    expect(new Set(values)).toEqual(new Set(['old']))
    expect(calls).toBe(1)
    ready.open()
    await rounds()
    expect(await cache.wrapSWR('key', 10, 60, refresh)).toBe('new')
    expect(calls).toBe(1)
  })
})

describe('K11 a call from within', () => {
  it.each(['miss', 'store', 'skip', 'hit'] as const)('a listener of "%s" that asks the same does not wait for itself', async (name) => {
    // A policy that stores nothing brings about "skip".
    const { cache } = watchedCache(name === 'skip' ? { policy: () => false } : {})
    const { upstream } = countedUpstream()
    const fetch = cachingFetch(cache, upstream)
    const inner: Promise<unknown>[] = []
    cache.on(name, () => {
      if (inner.length < 3) inner.push(fetch(url, initFor(params)).then(contentOf))
    })
    const answers = [await contentOf(fetch(url, initFor(params))), await contentOf(fetch(url, initFor(params)))]
    expect(answers[0]).toEqual(wholeAnswer('answer 1'))
    expect(inner.length).toBeGreaterThan(0)
    for (const each of inner) expect(await each).toMatchObject({ object: 'chat.completion' })
    await rounds()
  })

  it('the fetch that asks the provider, for the same, reaches the provider', async () => {
    const { cache } = watchedCache()
    const { counts, upstream } = countedUpstream()
    const inner: unknown[] = []
    const fetch: Fetch = cachingFetch(cache, async (input, init) => {
      if (inner.length === 0) {
        inner.push('asked')
        inner.push(await contentOf(fetch(url, initFor(params))))
      }
      return upstream(input, init)
    })
    const [first, second] = await Promise.all([contentOf(fetch(url, initFor(params))), contentOf(fetch(url, initFor(params)))])
    expect(inner).toEqual(['asked', wholeAnswer('answer 1')])
    expect([first, second]).toEqual([wholeAnswer('answer 2'), wholeAnswer('answer 2')])
    expect(counts.calls).toBe(2)
  })

  it('a function of the user’s own, for its own key, makes the value twice rather than never', async () => {
    const { cache } = watchedCache()
    const value = await cache.wrap('key', 60, async () => `outer of ${await cache.wrap('key', 60, () => 'inner')}`)
    expect(value).toBe('outer of inner')
  })

  it('one cache around another shares in both', async () => {
    const ready = gate()
    const { counts, upstream } = countedUpstream(ready)
    const far = cachingFetch(watchedCache().cache, upstream)
    const near = cachingFetch(watchedCache().cache, far)
    const calls = [near(url, initFor(params)), far(url, initFor(params)), near(url, initFor(params))]
    await rounds()
    ready.open()
    expect(await Promise.all(calls.map(contentOf))).toEqual(calls.map(() => wholeAnswer('answer 1')))
    expect(counts.calls).toBe(1)
  })
})

/** One process: a cache of its own over the shared store, and a provider that answers in its own way. */
function processOver(store: Store, clock: ManualClock, content: string) {
  const { cache } = watchedCache({ store, clock })
  const ready: Gate = gate()
  const fetch = cachingFetch(cache, async (_, init) => {
    await ready
    return typeof init?.body === 'string' && init.body.includes('"stream":true')
      ? new Response(streamedAnswer(content), { headers: { 'content-type': 'text/event-stream' } })
      : Response.json(wholeAnswer(content))
  })
  return { cache, fetch, ready }
}

describe('K12 two processes that fill one key of one store with different answers', () => {
  const long = 'long '.repeat(4_000)
  it.each([
    ['whole and whole', false, false, [0, 1]],
    ['whole and whole, the other way round', false, false, [1, 0]],
    ['whole and streamed', false, true, [0, 1]],
    ['streamed and whole', true, false, [0, 1]],
    ['streamed and streamed', true, true, [1, 0]],
  ] as const)('%s: a later reader gets one of them whole, the last that was written', async (_, firstStreams, secondStreams, order) => {
    const clock = new ManualClock()
    const store = memoryStore({ clock })
    const processes = [processOver(store, clock, `short`), processOver(store, clock, long)]
    const bodies = [firstStreams, secondStreams].map((stream) => (stream ? streamedParams : params))
    const calls = processes.map(({ fetch }, index) => fetch(url, initFor(bodies[index] ?? params)).then((response) => response.text()))
    await rounds()
    for (const index of order) {
      processes[index]?.ready.open()
      expect(await calls[index]).toContain(index === 0 ? 'short' : long)
      await processes[index]?.cache.flush()
    }
    const last = order[1] === 0 ? 'short' : long
    const reader = processOver(store, clock, 'a third answer')
    const read = await reader.fetch(url, initFor(params))
    expect(cacheInfo(read)).toMatchObject({ hit: true })
    expect(await read.json()).toMatchObject({ object: 'chat.completion', choices: [{ message: { content: last }, finish_reason: 'stop' }] })
    // Each process goes on with its own answer, which is as good.
    for (const [index, { fetch }] of processes.entries()) {
      expect(await (await fetch(url, initFor(params))).json()).toMatchObject({
        choices: [{ message: { content: index === 0 ? 'short' : long } }],
      })
    }
  })

  it('both at the very same time', async () => {
    const clock = new ManualClock()
    const store = memoryStore({ clock })
    const processes = [processOver(store, clock, 'short'), processOver(store, clock, long)]
    const calls = processes.map(({ fetch }) => fetch(url, initFor(params)).then((response) => response.text()))
    await rounds()
    for (const { ready } of processes) ready.open()
    expect(await Promise.all(calls)).toEqual([JSON.stringify(wholeAnswer('short')), JSON.stringify(wholeAnswer(long))])
    await Promise.all(processes.map(({ cache }) => cache.flush()))
    const reader = processOver(store, clock, 'a third answer')
    expect([JSON.stringify(wholeAnswer('short')), JSON.stringify(wholeAnswer(long))]).toContain(
      await (await reader.fetch(url, initFor(params))).text(),
    )
  })
})
