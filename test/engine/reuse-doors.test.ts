import { ConverseCommand } from '@aws-sdk/client-bedrock-runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CacheMode } from '../../src/call.ts'
import { type Cache, createCache } from '../../src/cache/cache.ts'
import { cachingFetch, withCache } from '../../src/clients/with-cache.ts'
import { formatEvents } from '../../src/base/server-sent-events.ts'
import { isJsonObject } from '../../src/json/object.ts'
import { openaiChat } from '../../src/providers/openai/chat.ts'
import { memoryStore } from '../../src/stores/memory-store.ts'
import { message, text } from '../support/anthropic-answers.ts'
import { offLane as anthropicOffLane, sdks as anthropicSdks } from '../support/anthropic-sdks.ts'
import { converseAnswer, makeBedrock, send } from '../support/bedrock-sdk.ts'
import { startBedrock } from '../support/bedrock-server.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { completion } from '../support/openai-answers.ts'
import { offLane as openaiOffLane, sdks as openaiSdks } from '../support/openai-sdks.ts'
import { isStream } from '../support/outcome.ts'
import { type ProviderHandler, type ProviderServer, startProvider } from '../support/provider-server.ts'

/** One way into a cache. */
interface Entrance {
  /** Makes the call. Gives the answer, whose text ends in the number that it was made with; `undefined` if there is none. */
  readonly call: (mode: CacheMode) => Promise<unknown>
  /** Stores an answer that lacks its usage. */
  readonly storeLean?: () => Promise<unknown>
  /** Stores an answer, where a call in mode `default` does not. */
  readonly store?: () => Promise<unknown>
}

interface Door {
  readonly name: string
  readonly start: () => Promise<ProviderServer>
  readonly open: (cache: Cache, server: ProviderServer) => Entrance | Promise<Entrance>
  /** Whether a stored answer may lack a part. */
  readonly hasParts?: true
  /** Whether a call that finds nothing usable ends there. */
  readonly neverFetches?: true
  /** Whether an answer near its end is left as it is. */
  readonly ignoresRefreshAhead?: true
  /** How many inputs a call has, each of which counts. @default 1 */
  readonly inputs?: number
}

const question = [{ role: 'user' as const, content: 'Hi' }]

/** What the answers of this server are numbered by: the requests that it had before. */
const numbered =
  (answer: (said: string, body: Record<string, unknown>) => object): ((server: () => ProviderServer) => ProviderHandler) =>
  (server) =>
  ({ body }, reply) => {
    const asked = isJsonObject(body) ? body : {}
    const said = `answer ${server().requests.length}`
    if (asked['stream'] === true) return reply.events(openaiChat.streaming?.disassemble(completion(said), asked) ?? [])
    return reply.json(answer(said, asked))
  }

function starter(start: typeof startProvider, handler: (server: () => ProviderServer) => ProviderHandler): () => Promise<ProviderServer> {
  return async () => {
    const server = await start()
    server.respond(handler(() => server))
    return server
  }
}

const openaiStart = starter(
  startProvider,
  numbered((said, { input }) =>
    Array.isArray(input)
      ? {
          object: 'list',
          model: 'm',
          data: input.map((_, index) => ({ object: 'embedding', index, embedding: [Number(said.slice(7))] })),
          usage: { prompt_tokens: 2, total_tokens: 2 },
        }
      : completion(said),
  ),
)
const anthropicStart = starter(
  startProvider,
  numbered((said) => message([text(said)])),
)
const bedrockStart = starter(
  (handler) => startBedrock('http1', handler),
  numbered((said) => converseAnswer(said)),
)

const [openai] = openaiSdks
const [anthropic] = anthropicSdks
if (openai === undefined || anthropic === undefined) throw new TypeError('there is no SDK to test')

const openaiDoor = (name: string, { make }: typeof openai): Door => ({
  name,
  start: openaiStart,
  hasParts: true,
  async open(cache, { url }) {
    const { completions } = withCache(make({ url }), cache).chat
    // The fast lane opens once the documented seam has seen a call of this form.
    await completions.create({ model: 'm', messages: [{ role: 'user', content: 'warm up' }] })
    return {
      call: async (mode) => completions.create({ model: 'm', messages: question }, { cache: { mode } }),
      async storeLean() {
        const stream: unknown = await completions.create({ model: 'm', messages: question, stream: true })
        if (isStream(stream)) for await (const event of stream) void event
      },
    }
  },
})

const anthropicDoor = (name: string, { make }: typeof anthropic): Door => ({
  name,
  start: anthropicStart,
  async open(cache, { url }) {
    const { messages } = withCache(make({ url }), cache)
    await messages.create({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'warm up' }] })
    return { call: async (mode) => messages.create({ model: 'm', max_tokens: 9, messages: question }, { cache: { mode } }) }
  },
})

const command = (content: string): ConverseCommand =>
  new ConverseCommand({ modelId: 'test.m-v1:0', messages: [{ role: 'user', content: [{ text: content }] }] })

const bedrockDoor = (name: string, isWatched: boolean): Door => ({
  name,
  start: bedrockStart,
  async open(cache, { url }) {
    const bare = makeBedrock('http1', { url })
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the SDK has a type of its own for each step
    if (isWatched) bare.middlewareStack.add((next: unknown) => next as never, { step: 'initialize', name: 'watching' })
    const client = withCache(bare, cache)
    await send(client, command('warm up'))
    return { call: (mode) => send(client, command('Hi'), { cache: { mode } }) }
  },
})

const fetchDoor: Door = {
  name: 'cachingFetch',
  start: openaiStart,
  hasParts: true,
  open(cache, { url }) {
    const fetch = cachingFetch(cache)
    const post = async (body: object, mode: CacheMode): Promise<string | undefined> => {
      const headers = { authorization: 'Bearer sk-test', 'content-type': 'application/json' }
      const response = await fetch(`${url}/chat/completions`, { method: 'POST', headers, body: JSON.stringify(body), cache: mode })
      const said = await response.text()
      return response.status === 200 ? said : undefined
    }
    return {
      call: (mode) => post({ model: 'm', messages: question }, mode),
      storeLean: () => post({ model: 'm', messages: question, stream: true }, 'default'),
    }
  },
}

const lookupDoor: Door = {
  name: 'cache.lookup',
  start: openaiStart,
  hasParts: true,
  neverFetches: true,
  open(cache) {
    const body = { model: 'm', messages: question }
    const lean = { ...body, stream: true }
    return {
      call: async (mode) => (await cache.lookup({ endpoint: 'chat.completions', body, mode }))?.answer,
      store: () => cache.store({ endpoint: 'chat.completions', body }, completion('answer 0')),
      storeLean: () =>
        cache.store(
          { endpoint: 'chat.completions', body: lean },
          formatEvents(openaiChat.streaming?.disassemble(completion('answer 0'), lean) ?? []),
        ),
    }
  },
}

const embeddingsDoor: Door = {
  name: 'embeddings by input',
  inputs: 2,
  start: openaiStart,
  ignoresRefreshAhead: true,
  open(cache, { url }) {
    const { embeddings } = withCache(openai.make({ url }), cache)
    return { call: async (mode) => embeddings.create({ model: 'm', input: ['a', 'b'], encoding_format: 'float' }, { cache: { mode } }) }
  },
}

const doors: readonly Door[] = [
  openaiDoor('OpenAI, fast lane', openai),
  openaiDoor('OpenAI, documented seam', openaiOffLane(openai)),
  anthropicDoor('Anthropic, fast lane', anthropic),
  anthropicDoor('Anthropic, documented seam', anthropicOffLane(anthropic)),
  bedrockDoor('Bedrock, fast lane', false),
  bedrockDoor('Bedrock, documented seam', true),
  fetchDoor,
  lookupDoor,
  embeddingsDoor,
]

const minute = 60_000
/** Minutes from the storing of an answer that is fresh for ten, refreshed in its last one, and served stale for two. */
const states = { none: 0, fresh: 1, 'near its end': 9.5, 'stale, within the window': 11, 'stale, beyond it': 15, 'without its usage': 1 }
type State = keyof typeof states

type Outcome = 'served' | 'served and refreshed' | 'fetched' | 'refused'
type Event = 'hit' | 'stale hit' | 'miss' | 'bypass: not cached' | 'bypass: no-store'

/** The rule: what a call in each mode gets of a stored answer in each state, and what is counted. */
const rule: Readonly<Record<CacheMode, Readonly<Record<State, readonly [Outcome, Event]>>>> = {
  default: {
    none: ['fetched', 'miss'],
    fresh: ['served', 'hit'],
    'near its end': ['served and refreshed', 'hit'],
    'stale, within the window': ['served and refreshed', 'stale hit'],
    'stale, beyond it': ['fetched', 'miss'],
    'without its usage': ['fetched', 'miss'],
  },
  'force-cache': {
    none: ['fetched', 'miss'],
    fresh: ['served', 'hit'],
    'near its end': ['served', 'hit'],
    'stale, within the window': ['served', 'stale hit'],
    'stale, beyond it': ['served', 'stale hit'],
    'without its usage': ['fetched', 'miss'],
  },
  'only-if-cached': {
    none: ['refused', 'bypass: not cached'],
    fresh: ['served', 'hit'],
    'near its end': ['served', 'hit'],
    'stale, within the window': ['served', 'stale hit'],
    'stale, beyond it': ['refused', 'bypass: not cached'],
    'without its usage': ['refused', 'bypass: not cached'],
  },
  reload: {
    none: ['fetched', 'miss'],
    fresh: ['fetched', 'miss'],
    'near its end': ['fetched', 'miss'],
    'stale, within the window': ['fetched', 'miss'],
    'stale, beyond it': ['fetched', 'miss'],
    'without its usage': ['fetched', 'miss'],
  },
  'no-store': {
    none: ['fetched', 'bypass: no-store'],
    fresh: ['fetched', 'bypass: no-store'],
    'near its end': ['fetched', 'bypass: no-store'],
    'stale, within the window': ['fetched', 'bypass: no-store'],
    'stale, beyond it': ['fetched', 'bypass: no-store'],
    'without its usage': ['fetched', 'bypass: no-store'],
  },
}

const modes: readonly CacheMode[] = ['default', 'force-cache', 'only-if-cached', 'reload', 'no-store']
const stateNames: readonly State[] = ['none', 'fresh', 'near its end', 'stale, within the window', 'stale, beyond it', 'without its usage']

interface Expected {
  readonly mode: CacheMode
  readonly state: State
  readonly outcome: Outcome
  readonly event: Event
}

function expectedAt({ neverFetches, ignoresRefreshAhead }: Door, mode: CacheMode, state: State): Expected {
  const [outcome, event] = rule[mode][state]
  if (neverFetches === true && outcome === 'fetched') return { mode, state, outcome: 'refused', event }
  const isOnlyServed = neverFetches === true || (ignoresRefreshAhead === true && state === 'near its end')
  return { mode, state, outcome: isOnlyServed && outcome === 'served and refreshed' ? 'served' : outcome, event }
}

function countsOf(cache: Cache) {
  const { hits, misses, bypasses, stale } = cache.stats()
  return { hits, misses, bypasses, stale }
}

const counted: Readonly<Record<Event, ReturnType<typeof countsOf>>> = {
  hit: { hits: 1, misses: 0, bypasses: 0, stale: 0 },
  'stale hit': { hits: 1, misses: 0, bypasses: 0, stale: 1 },
  miss: { hits: 0, misses: 1, bypasses: 0, stale: 0 },
  'bypass: not cached': { hits: 0, misses: 0, bypasses: 1, stale: 0 },
  'bypass: no-store': { hits: 0, misses: 0, bypasses: 1, stale: 0 },
}

function eventsOf(cache: Cache): Event[] {
  const events: Event[] = []
  cache.on('hit', ({ stale }) => events.push(stale ? 'stale hit' : 'hit'))
  cache.on('miss', () => events.push('miss'))
  cache.on('bypass', ({ reason }) => events.push(reason === 'no-store' ? 'bypass: no-store' : 'bypass: not cached'))
  return events
}

describe.each(doors)('$name', (door) => {
  let server: ProviderServer
  beforeAll(async () => {
    server = await door.start()
  })
  afterAll(() => server.close())

  describe.each(['memory', 'store'] as const)('from the %s', (place) => {
    const cases = modes.flatMap((mode) =>
      stateNames.filter((state) => state !== 'without its usage' || door.hasParts === true).map((state) => expectedAt(door, mode, state)),
    )

    it.each(cases)('$mode: of an answer that is "$state": $outcome, $event', async ({ mode, state, outcome, event }) => {
      const clock = new ManualClock()
      const quiet = async (): Promise<void> => {
        // What goes on in the background has a deadline, and so a timer.
        do await new Promise((resolve) => setImmediate(resolve))
        while (clock.timers > 0)
      }
      const stored = place === 'memory' ? {} : { store: memoryStore({ clock }), maxMemoryBytes: 0 }
      const windows = { ttl: '10m', refreshAhead: 0.1, staleWhileRevalidate: '2m', stale: '1h' } as const
      const cache = createCache({ ...windows, ...stored, clock, logger: false, prices: false })
      const { call, store = () => call('default'), storeLean } = await door.open(cache, server)
      if (state === 'without its usage') await storeLean?.()
      else if (state !== 'none') await store()
      await quiet()
      await cache.flush()
      clock.advance(states[state] * minute)
      const events = eventsOf(cache)
      const [before, asked] = [countsOf(cache), server.requests.length]

      const answer = await call(mode).catch(() => undefined)
      await quiet()
      const number = /answer (\d+)|"embedding":\[(\d+)/.exec(typeof answer === 'string' ? answer : JSON.stringify(answer ?? ''))
      const isNew = number !== null && Number(number[1] ?? number[2]) > asked
      const calls = server.requests.length - asked
      const seen = answer === undefined ? 'refused' : isNew ? 'fetched' : calls > 0 ? 'served and refreshed' : 'served'
      expect([seen, events]).toEqual([outcome, [event]])
      expect(calls).toBe(outcome === 'fetched' || outcome === 'served and refreshed' ? 1 : 0)
      const after = Object.entries(countsOf(cache)).map(([name, count]) => [
        name,
        count - (Object.entries(before).find(([each]) => each === name)?.[1] ?? 0),
      ])
      const { bypasses, ...rest } = counted[event]
      const byInput = Object.entries(rest).map(([name, count]) => [name, count * (door.inputs ?? 1)])
      expect(Object.fromEntries(after)).toEqual({ bypasses, ...Object.fromEntries(byInput) })
    })
  })
})
