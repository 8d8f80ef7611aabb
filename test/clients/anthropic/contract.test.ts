import { isJsonObject, type JsonObject } from '../../../src/json/object.ts'
import Anthropic, { APIConnectionError, APIConnectionTimeoutError, APIUserAbortError } from '@anthropic-ai/sdk'
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema'
import { jsonSchemaOutputFormat } from '@anthropic-ai/sdk/helpers/json-schema'
import { Stream } from '@anthropic-ai/sdk/streaming'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { type Cache, createCache } from '../../../src/cache/cache.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { gate, type ProviderHandler, type ProviderServer, startProvider } from '../../support/provider-server.ts'
import { blockEvents, event, isStreamed, message, refuse, text, textEvents } from '../../support/anthropic-answers.ts'
import { failureOf, outcomeOf, read } from '../../support/outcome.ts'
import { timedOut, timeout } from '../../support/timed-out.ts'
import { until } from '../../support/until.ts'

const messages: Anthropic.MessageParam[] = [{ role: 'user', content: 'Where is Berlin?' }]
const params = { model: 'claude-test', max_tokens: 100, messages }
const streamed = { ...params, stream: true as const }
const headers = { 'request-id': 'req_of_the_origin', 'anthropic-ratelimit-requests-remaining': '7' }
const call = { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Berlin' } }
const callParts = [
  { ...call, input: {} },
  { type: 'input_json_delta', partial_json: '{"city":' },
  { type: 'input_json_delta', partial_json: '"Berlin"}' },
] as const

/** Answers messages, whole or streamed, with a text. */
function answering(said: string): ProviderHandler {
  return (request, reply) =>
    isStreamed(request) ? reply.events(textEvents(said).flat(), { headers }) : reply.json(message([text(said)]), { headers })
}

describe('the contract of @anthropic-ai/sdk 1 on hits', () => {
  let server: ProviderServer
  let bare: Anthropic
  let cache: Cache
  let client: Anthropic

  const make = (options: ConstructorParameters<typeof Anthropic>[0] = {}): Anthropic =>
    new Anthropic({
      baseURL: new URL(server.url).origin,
      apiKey: 'test-key',
      authToken: null,
      maxRetries: 0,
      logLevel: 'off',
      ...options,
    })

  beforeEach(async () => {
    server = await startProvider(answering('In Germany.'))
    bare = make()
    cache = createCache({ logger: false })
    client = withCache(bare, cache)
  })
  afterEach(() => server.close())

  describe('a response', () => {
    it('is given by withResponse(), with its address, its request id and the headers that still hold', async () => {
      const first = await client.messages.create(params).withResponse()
      const second = await client.messages.create(params).withResponse()
      const plain = await bare.messages.create(params).withResponse()
      expect(server.requests).toHaveLength(2)
      expect([first.data, second.data]).toStrictEqual([plain.data, plain.data])
      expect(second.response).toBeInstanceOf(Response)
      for (const { response, request_id } of [first, second]) {
        expect(request_id).toBe('req_of_the_origin')
        expect([response.url, response.status, response.ok]).toEqual([plain.response.url, 200, true])
        expect(response.headers.get('content-type')).toBe(plain.response.headers.get('content-type'))
      }
      // The rest of the rate limit is true of the origin's own answer only.
      expect(first.response.headers.get('anthropic-ratelimit-requests-remaining')).toBe('7')
      expect(second.response.headers.has('anthropic-ratelimit-requests-remaining')).toBe(false)
      expect(second.response.headers.get('cache-status')).toMatch(/^llmemo; hit; ttl=\d+; detail=memory$/)
      expect(cacheInfo(second.response)).toBe(cacheInfo(second.data))
      expect([isHit(first.response), isHit(second.response)]).toEqual([false, true])
    })

    it('is given by asResponse(), its body unread', async () => {
      await client.messages.create(params)
      const found = await client.messages.create(params).asResponse()
      const plain = await bare.messages.create(params).asResponse()
      expect(found.bodyUsed).toBe(false)
      expect(await found.text()).toBe(await plain.text())
      expect(isHit(found)).toBe(true)
      expect(server.requests).toHaveLength(2)
    })

    it('gives its result its _request_id, which no listing shows', async () => {
      const results = [await client.messages.create(params), await client.messages.create(params)]
      expect(results.map(({ _request_id: id }) => id)).toEqual(['req_of_the_origin', 'req_of_the_origin'])
      for (const each of results) expect(Object.keys(each)).not.toContain('_request_id')
    })

    it('is given for a stream too', async () => {
      await outcomeOf(() => client.messages.create(streamed))
      const { data, response, request_id } = await client.messages.create(streamed).withResponse()
      expect(request_id).toBe('req_of_the_origin')
      expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
      expect([isHit(data), isHit(response)]).toEqual([true, true])
      data.controller.abort()
    })
  })

  it('a structured answer is parsed', async () => {
    server.respond(answering('{"city":"Berlin"}'))
    const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false } as const
    const asked = { ...params, output_config: { format: jsonSchemaOutputFormat(schema) } }
    const plain = await bare.messages.parse(asked)
    const results = [await client.messages.parse(asked), await client.messages.parse(asked)]
    expect(results).toStrictEqual([plain, plain])
    expect(results[1]?.parsed_output).toEqual({ city: 'Berlin' })
    expect(results.map(isHit)).toEqual([false, true])
    expect(server.requests).toHaveLength(2)
    expect(server.requests[1]?.body).toEqual(server.requests[0]?.body)
    // The stream helper parses it too, from the same entry.
    expect((await client.messages.stream(asked).finalMessage()).parsed_output).toEqual({ city: 'Berlin' })
    expect(server.requests).toHaveLength(2)
  })

  it('a tool that the SDK can run may be sent without running it', async () => {
    const tool = betaTool({ name: 'f', description: 'd', inputSchema: { type: 'object' }, run: () => 'x' })
    const plain = await outcomeOf(() => bare.beta.messages.create({ ...params, tools: [tool] }))
    for (let time = 0; time < 2; time++) {
      expect(await outcomeOf(() => client.beta.messages.create({ ...params, tools: [tool] }))).toStrictEqual(plain)
    }
    expect(server.requests).toHaveLength(2)
    expect(server.requests[1]?.body).toEqual(server.requests[0]?.body)
    expect(typeof tool.run).toBe('function')
  })

  describe('a stream helper', () => {
    it.each(['messages', 'beta'] as const)(
      'S09: of %s emits the same events on a miss and on a hit as on the bare client',
      async (kind) => {
        const plain = await streamMessage(bare, kind)
        expect(plain.text).toBe('In Germany.')
        expect(plain.events.length).toBeGreaterThan(10)
        expect(await streamMessage(client, kind)).toStrictEqual({ ...plain, hit: false })
        expect(await streamMessage(client, kind)).toStrictEqual({ ...plain, hit: true })
        expect(server.requests).toHaveLength(2)
      },
    )

    it('S09: of thinking, signatures, citations and calls emits the same events', async () => {
      const citation = { type: 'char_location', cited_text: 'Berlin', document_index: 0, document_title: null }
      const blocks: Parameters<typeof blockEvents>[0] = [
        [
          { type: 'thinking', thinking: '', signature: '' },
          { type: 'thinking_delta', thinking: 'Hm.' },
          { type: 'signature_delta', signature: 'EqQB' },
        ],
        [{ type: 'redacted_thinking', data: 'EmwK' }],
        [
          { type: 'text', text: '', citations: [] },
          { type: 'text_delta', text: 'There' },
          { type: 'citations_delta', citation },
        ],
        callParts,
      ]
      server.respond((_request, reply) => reply.events(blockEvents(blocks, 'tool_use'), { headers }))
      const plain = await streamMessage(bare, 'messages')
      expect(plain.events.map(([name]) => name)).toEqual(expect.arrayContaining(['thinking', 'signature', 'citation', 'inputJson', 'text']))
      expect(plain.final.content).toMatchObject([{ signature: 'EqQB' }, { data: 'EmwK' }, { citations: [citation] }, call])
      expect(await streamMessage(client, 'messages')).toStrictEqual({ ...plain, hit: false })
      expect(await streamMessage(client, 'messages')).toStrictEqual({ ...plain, hit: true })
      expect(server.requests).toHaveLength(2)
      // The same entry, whole.
      expect(plainOf(await client.messages.create(params))).toEqual(plainOf(plain.final))
      expect(server.requests).toHaveLength(2)
    })

    it('that is aborted in the middle of a replay ends as on the bare client', async () => {
      const paused = gate()
      server.respond((_request, reply) => {
        const [start, ...rest] = textEvents('In Germany.')
        return reply.events([...start, paused, ...rest.flat()], { headers })
      })
      const plain = await abortAtText(bare)
      paused.open()
      expect(plain.failure?.class).toBe(APIUserAbortError)
      expect(plain.events).toEqual(['text', 'abort', 'end'])
      await outcomeOf(() => client.messages.create(streamed))
      expect(await abortAtText(client)).toStrictEqual(plain)
      expect(server.requests).toHaveLength(2)
    })
  })

  describe('the tool runner', () => {
    beforeEach(() => {
      server.respond((request, reply) => {
        const isAnswered = JSON.stringify(request.body).includes('"tool_result"')
        if (isAnswered) return answering('It rains.')(request, reply)
        return isStreamed(request)
          ? reply.events(blockEvents([callParts], 'tool_use'), { headers })
          : reply.json(message([call], 'tool_use'), { headers })
      })
    })

    it.each([false, true])('runs tools, and a second run does not call the provider (streamed: %s)', async (stream) => {
      const plain = await runTools(bare, stream)
      expect(plain).toMatchObject({ asked: [{ city: 'Berlin' }], final: { content: [{ text: 'It rains.' }] } })
      expect(await runTools(client, stream)).toStrictEqual(plain)
      expect(server.requests).toHaveLength(4)
      expect(server.requests.slice(2).map(({ body }) => body)).toEqual(server.requests.slice(0, 2).map(({ body }) => body))
      expect(await runTools(client, stream)).toStrictEqual(plain)
      // Nor does a run in the other mode, from the same entries.
      expect((await runTools(client, !stream)).final.content).toEqual(plain.final.content)
      expect(server.requests).toHaveLength(4)
      expect(cache.stats()).toMatchObject({ hits: 4, misses: 2, errors: 0 })
    })

    it('over a thread, which the provider keeps and which continues once only, calls the provider each time', async () => {
      const plain = await runTools(bare, false, {})
      expect(await runTools(client, false, {})).toStrictEqual(plain)
      expect(await runTools(client, false, {})).toStrictEqual(plain)
      expect(server.requests).toHaveLength(6)
      expect(server.requests[3]?.body).toMatchObject({ thread: { type: 'continue', previous_message_id: 'msg_1' } })
      expect(cache.stats()).toMatchObject({ hits: 0, misses: 0, bypassReasons: { thread: 4 } })
    })
  })

  it.each<[string, string, JsonObject[]]>([
    ['a paused turn', 'pause_turn', [{ type: 'server_tool_use', id: 'srv_1', name: 'web_search', input: { query: 'Berlin' } }]],
    [
      'thinking with its signature',
      'end_turn',
      [{ type: 'thinking', thinking: 'Hm.', signature: 'EqQB' }, { type: 'redacted_thinking', data: 'EmwK' }, text('There.')],
    ],
    ['a call of a tool', 'tool_use', [call]],
  ])('%s goes back as it came, and the call that goes on with it is one of its own', async (_, stop, content) => {
    server.respond(({ body }, reply) => {
      const all: unknown = isJsonObject(body) ? body['messages'] : undefined
      return reply.json(Array.isArray(all) && all.length > 1 ? message([text('It is in Germany.')]) : message(content, stop))
    })
    const plain = await converse(bare)
    expect(plain[0]).toMatchObject({ stop_reason: stop, content })
    expect(await converse(client)).toStrictEqual(plain)
    expect(server.requests[3]?.body).toEqual(server.requests[1]?.body)
    expect(await converse(client)).toStrictEqual(plain)
    expect(server.requests).toHaveLength(4)
  })

  it('a count of tokens has an operation of its own', async () => {
    server.respond(({ path }, reply) => (path.startsWith('/v1/messages/count_tokens') ? reply.json({ input_tokens: 14 }) : reply.reset()))
    const { max_tokens: _, ...counted } = params
    const results = [await client.messages.countTokens(counted), await client.messages.countTokens(counted)]
    expect(results).toStrictEqual([{ input_tokens: 14 }, { input_tokens: 14 }])
    expect(results.map((each) => cacheInfo(each))).toMatchObject([
      { hit: false, operation: 'count_tokens', stored: true },
      { hit: true, operation: 'count_tokens', source: 'memory' },
    ])
    expect(server.requests).toHaveLength(1)
  })

  describe('S12: a replayed stream', () => {
    const events = textEvents('In Germany.').flat()
    const parts = events.filter(({ event: name }) => name !== 'ping').map(({ data }): unknown => JSON.parse(data))
    beforeEach(async () => {
      await outcomeOf(() => client.messages.create(streamed))
    })
    afterEach(() => {
      if (server.requests.length !== 1) throw new Error('the provider was asked again')
    })

    it('is split by tee() into two complete ones', async () => {
      const [left, right] = (await client.messages.create(streamed)).tee()
      const other = read(right)
      expect(await read(left)).toEqual(parts)
      expect(await other).toEqual(parts)
    })

    it('goes through a ReadableStream and back', async () => {
      const stream = await client.messages.create(streamed)
      expect(await read(Stream.fromReadableStream<unknown>(stream.toReadableStream(), new AbortController()))).toEqual(parts)
    })

    it('ends its loop without an error when its controller aborts', async () => {
      const stream = await client.messages.create(streamed)
      const seen: unknown[] = []
      for await (const part of stream) if (seen.push(part) === 2) stream.controller.abort()
      expect(seen).toEqual(parts.slice(0, 2))
    })

    it('ends when its reader returns', async () => {
      const stream = await client.messages.create(streamed)
      for await (const part of stream) {
        expect(part).toEqual(parts[0])
        break
      }
      expect(stream.controller.signal.aborted).toBe(true)
    })
  })

  describe('faults of the provider', () => {
    const overloaded = event('error', { error: { type: 'overloaded_error', message: 'Overloaded' }, request_id: null })

    it.each([true, false])(
      'S03: an error event in the middle of a stream reaches the caller and is not stored (retries: %s)',
      async (retries) => {
        const [start] = textEvents('In Germany.')
        server.respond((_request, reply) => reply.events([...start, overloaded], { headers }))
        const options = { maxRetries: retries ? 2 : 0 }
        const expected = await outcomeOf(() => bare.messages.create(streamed, options))
        expect(expected.error?.message).toContain('Overloaded')
        expect(expected.events).toHaveLength(3)
        for (let time = 0; time < 2; time++)
          expect(await outcomeOf(() => client.messages.create(streamed, options))).toStrictEqual(expected)
        expect(server.requests).toHaveLength(3)
        expect(cache.stats()).toMatchObject({ hits: 0, stored: 0, skipped: { error: 2 } })
        server.respond(answering('In Germany.'))
        expect((await client.messages.stream(params).finalText()).length).toBe(11)
        expect(await client.messages.stream(params).finalText()).toBe('In Germany.')
        expect(server.requests).toHaveLength(4)
      },
    )

    it.each([0, 2])(
      'I1: an overloaded provider gives the same error as on the bare client, after as many tries: %i retries',
      async (maxRetries) => {
        server.respond((_request, reply) => refuse(reply, 529, 'overloaded_error'))
        const expected = await outcomeOf(() => bare.messages.create(params, { maxRetries }))
        expect(expected.error?.members).toMatchObject({ status: 529, type: 'overloaded_error' })
        expect(await outcomeOf(() => client.messages.create(params, { maxRetries }))).toStrictEqual(expected)
        expect(server.requests.map(({ headers: sent }) => sent['x-stainless-retry-count'])).toEqual(
          [0, 0].flatMap(() => Array.from({ length: maxRetries + 1 }, (_, count) => String(count))),
        )
        server.respond(answering('In Germany.'))
        expect(await client.messages.create(params)).toMatchObject({ content: [{ text: 'In Germany.' }] })
      },
    )

    it.each([50, 1])(
      'K02: with a broken connection, %i equal callers make one upstream call at each try, and all get the same error',
      async (callers) => {
        const released = gate()
        server.respond(async (_request, reply) => {
          await released
          reply.reset()
        })
        const asked = Array.from({ length: callers }, () => outcomeOf(() => client.messages.create(params)))
        await server.untilRequests(1)
        released.open()
        const outcomes = await Promise.all(asked)
        expect(server.requests).toHaveLength(1)
        const expected = await outcomeOf(() => bare.messages.create(params))
        expect(expected.error?.class).toBe(APIConnectionError)
        for (const each of outcomes) expect(each).toStrictEqual(expected)
        server.respond(answering('In Germany.'))
        expect(await client.messages.create(params)).toMatchObject({ content: [{ text: 'In Germany.' }] })
      },
    )

    it('K02: after a broken connection, callers are retried as the SDK does it', async () => {
      server.respond((request, reply) => (server.requests.length === 1 ? reply.reset() : answering('In Germany.')(request, reply)))
      const asked = Array.from({ length: 50 }, () => client.messages.create(params, { maxRetries: 1 }))
      for (const each of await Promise.all(asked)) expect(each).toMatchObject({ content: [{ text: 'In Germany.' }] })
      expect(server.requests).toHaveLength(2)
    })

    it('R03 I1: a provider that hangs gives the same error as on the bare client, after the same time-out and as many tries', async () => {
      server.respond((_request, reply) => reply.hold())
      const options = { timeout, maxRetries: 1 }
      const [plain, ours] = await timedOut(server, [2, 2], () =>
        Promise.all([bare, client].map((each) => outcomeOf(() => each.messages.create(params, options)))),
      )
      expect(plain?.error?.class).toBe(APIConnectionTimeoutError)
      expect(ours).toStrictEqual(plain)
      expect(server.requests).toHaveLength(4)
      await server.untilAborted(4)
      server.respond(answering('In Germany.'))
      expect(await client.messages.create(params)).toMatchObject({ content: [{ text: 'In Germany.' }] })
    })

    it('R03 K04: each caller that waits for another’s answer has a time-out of its own', async () => {
      const clock = new ManualClock()
      const timed: Anthropic = withCache(bare, createCache({ clock, logger: false, readDeadline: '100ms', firstReadDeadline: '100ms' }))
      server.respond((_request, reply) => reply.hold())
      const patient = new AbortController()
      const first = outcomeOf(() => timed.messages.create(params, { signal: patient.signal }))
      await server.untilRequests(1)
      const ofFlight = clock.timers
      const options = { timeout: 5_000 }
      const others = [1, 2].map(() => outcomeOf(() => timed.messages.create(params, options)))
      // One time-out for each caller that joined the flight.
      await until(() => clock.timers === ofFlight + 2)
      clock.advance(5_100)
      for (const each of others) expect((await each).error?.class).toBe(APIConnectionTimeoutError)
      expect([server.requests.length, server.aborted]).toEqual([1, 0])
      patient.abort()
      expect((await first).error?.class).toBe(APIUserAbortError)
      await server.untilAborted(1)
      expect(clock.timers).toBe(0)
    })
  })

  describe('the options of fetch', () => {
    it('fetchOptions.cache means the same as the mode', async () => {
      const noStore = { fetchOptions: { cache: 'no-store' as const } }
      expect(cacheInfo(await client.messages.create(params, noStore))).toMatchObject({ hit: false, reason: 'no-store' })
      await client.messages.create(params)
      expect(isHit(await client.messages.create(params))).toBe(true)
      expect(cacheInfo(await client.messages.create(params, noStore))).toMatchObject({ hit: false, reason: 'no-store' })
      expect(cacheInfo(await client.messages.create(params, { fetchOptions: { cache: 'reload' } }))).toMatchObject({ stored: true })
      expect(server.requests).toHaveLength(4)
    })

    it('fetchOptions of the whole client too, unless the call has its own', async () => {
      const never: Anthropic = withCache(make({ fetchOptions: { cache: 'no-store' } }), cache)
      expect(cacheInfo(await never.messages.create(params))).toMatchObject({ reason: 'no-store' })
      const options: object = { cache: { mode: 'default' } }
      await never.messages.create(params, options)
      expect(isHit(await never.messages.create(params, options))).toBe(true)
    })
  })

  describe('cacheInfo()', () => {
    it('finds the facts of a result, a stream, a helper and a Response, and of nothing else', async () => {
      const result = await client.messages.create(params)
      const stream = await client.messages.create(streamed)
      const helper = client.messages.stream(params)
      expect(cacheInfo(helper)).toBeUndefined()
      await helper.done()
      const found = await client.messages.create(params).asResponse()
      expect([result, stream, helper, found].map((each) => cacheInfo(each)?.hit)).toEqual([false, true, true, true])
      for (const other of [{}, new Response(), await bare.messages.create(params)]) expect(cacheInfo(other)).toBeUndefined()
    })

    it('says at the end of a stream whether it was stored', async () => {
      const stream = await client.messages.create(streamed)
      const info = cacheInfo(stream)
      expect(info).toMatchObject({ hit: false, stored: false, ttl: 0 })
      await read(stream)
      expect(info).toMatchObject({ hit: false, stored: true, ttl: 3_600 })
    })
  })
})

const helperEvents = [
  'connect',
  'streamEvent',
  'text',
  'citation',
  'inputJson',
  'thinking',
  'signature',
  'message',
  'contentBlock',
  'finalMessage',
  'error',
  'abort',
  'end',
]

/** A message by its stream helper: every event, the end, and whether it was a hit. */
async function streamMessage(each: Anthropic, kind: 'messages' | 'beta') {
  const helper = kind === 'beta' ? each.beta.messages.stream(params) : each.messages.stream(params)
  const events = listen(helper, helperEvents)
  const final = await helper.finalMessage()
  const said = await helper.finalText()
  await helper.done()
  return { events, final, text: said, request: helper.request_id, hit: cacheInfo(helper)?.hit ?? undefined }
}

/** A message by its stream helper, aborted at its first text. */
async function abortAtText(each: Anthropic) {
  const helper = each.messages.stream(params)
  helper.on('text', () => helper.abort())
  const events = listen(helper, ['text', 'abort', 'end', 'error'])
  return { failure: await helper.done().then(undefined, failureOf), events: events.map(([name]) => name) }
}

/** A conversation in which the model asks for the weather, and the SDK runs the tool. */
async function runTools(each: Anthropic, stream: boolean, rest: { thread?: false } = { thread: false }) {
  const asked: unknown[] = []
  const weather = betaTool({
    name: 'weather',
    description: 'the weather',
    inputSchema: { type: 'object', properties: { city: { type: 'string' } } },
    run: (given) => {
      asked.push(given)
      return 'rain'
    },
  })
  const runner = each.beta.messages.toolRunner({ ...params, tools: [weather], stream, ...rest })
  const turns: unknown[] = []
  for await (const turn of runner) turns.push('finalMessage' in turn ? await turn.finalMessage() : turn)
  return { asked, turns, final: await runner.done(), messages: runner.params.messages }
}

/** A call, and the next one, which continues with its answer. */
const converse = async (each: Anthropic): Promise<unknown[]> => {
  const first = await each.messages.create(params)
  const next = { ...params, messages: [...messages, { role: 'assistant' as const, content: first.content }] }
  return [first, await each.messages.create(next)]
}

/** Whether a call came from the cache. */
function isHit(result: unknown): boolean | undefined {
  return cacheInfo(result)?.hit
}

/** An answer as it was sent, without the members that the SDK adds for structured outputs. */
function plainOf(answer: object): object {
  const { parsed_output: _, ...sent }: Record<string, unknown> = { ...answer }
  return sent
}

/** Every event of a helper with a copy of its arguments. */
function listen(helper: object, names: readonly string[]): [string, unknown][] {
  const events: [string, unknown][] = []
  const on: unknown = Reflect.get(helper, 'on')
  if (typeof on !== 'function') throw new TypeError('this is no helper')
  for (const name of names) {
    Reflect.apply(on, helper, [name, (...given: unknown[]) => events.push([name, JSON.parse(JSON.stringify(given.map(shown)))])])
  }
  return events
}

function shown(value: unknown): unknown {
  return value instanceof Error ? [value.name, value.message] : value
}
