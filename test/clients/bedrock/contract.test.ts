import {
  ApplyGuardrailCommand,
  BedrockRuntime,
  BedrockRuntimeClient,
  ConverseCommand,
  type ConverseCommandInput,
  ConverseStreamCommand,
  CountTokensCommand,
} from '@aws-sdk/client-bedrock-runtime'
import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { type Cache, createCache } from '../../../src/cache/cache.ts'
import { startBedrock } from '../../support/bedrock-server.ts'
import { gate, type ProviderHandler, type ProviderServer, startProvider } from '../../support/provider-server.ts'
import {
  at,
  converseAnswer,
  converseEvents,
  eventsOf,
  eventOf,
  headers,
  makeBedrock,
  outcomeOfSend,
  requestId,
  send,
} from '../../support/bedrock-sdk.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { completion } from '../../support/openai-answers.ts'
import { failureOf } from '../../support/outcome.ts'

const input: ConverseCommandInput = { modelId: 'test.model-v1:0', messages: [{ role: 'user', content: [{ text: 'Where is Berlin?' }] }] }
const whole = () => new ConverseCommand(input)
const streamed = () => new ConverseStreamCommand(input)
const credentials = { accessKeyId: 'AKIDTEST', secretAccessKey: 'secret' }
const textPath = ['output', 'message', 'content', 0, 'text'] as const

const showing = (bytes: Uint8Array) =>
  new ConverseCommand({ ...input, messages: [{ role: 'user', content: [{ image: { format: 'png', source: { bytes } } }] }] })

const answering: ProviderHandler = ({ path }, reply) =>
  path.endsWith('-stream')
    ? reply.events(converseEvents('In Germany.').flat(), { headers })
    : reply.json(converseAnswer('In Germany.'), { headers })

describe.each(['http1', 'h2'] as const)('the contract of BedrockRuntime on hits, over %s', (protocol) => {
  let server: ProviderServer
  let bare: BedrockRuntime
  let cache: Cache
  let client: ReturnType<typeof withCache<BedrockRuntime>>

  beforeEach(async () => {
    server = await startBedrock(protocol, answering)
    bare = makeBedrock(protocol, { url: server.url })
    cache = createCache({ logger: false })
    client = withCache(bare, cache)
  })
  afterEach(() => server.close())

  describe('an output', () => {
    it.each([
      ['whole', whole],
      ['streamed', streamed],
    ])('has the $metadata of the answer, and tells that no attempt was made (%s)', async (_, command) => {
      const expected = { httpStatusCode: 200, requestId, extendedRequestId: undefined, cfId: undefined, attempts: 1, totalRetryDelay: 0 }
      const plain = await send(bare, command())
      await eventsOf(plain)
      const miss = await send(client, command())
      await eventsOf(miss)
      const hit = await send(client, command())
      expect([plain['$metadata'], miss['$metadata'], hit['$metadata']]).toStrictEqual([expected, expected, { ...expected, attempts: 0 }])
      expect([Object.keys(miss), Object.keys(hit)].map((names) => names.toSorted())).toEqual(
        [1, 2].map(() => Object.keys(plain).toSorted()),
      )
      expect(server.requests).toHaveLength(2)
    })

    it('has its facts on it, and so has its stream', async () => {
      await eventsOf(await send(client, streamed()))
      const hit = await send(client, streamed())
      expect(cacheInfo(hit)).toMatchObject({ hit: true, source: 'memory', operation: 'converse' })
      expect(cacheInfo(hit['stream'])).toBe(cacheInfo(hit))
      expect(Reflect.get(hit, '_cache')).toBe(cacheInfo(hit))
    })

    it('K05: holds real bytes, whole and streamed, a copy for each caller', async () => {
      const image = Buffer.from([0, 1, 2, 253, 254, 255])
      const redacted = Buffer.from([9, 8, 7, 255])
      const content = [
        { reasoningContent: { redactedContent: redacted.toString('base64') } },
        { image: { format: 'png', source: { bytes: image.toString('base64') } } },
        { text: 'Here.' },
      ]
      server.respond((_, reply) => reply.json({ ...converseAnswer(''), output: { message: { role: 'assistant', content } } }, { headers }))
      const expected = await outcomeOfSend(bare, whole())
      expect(await outcomeOfSend(client, whole())).toStrictEqual(expected)
      const first = await send(client, whole())
      const bytes = at(first, 'output', 'message', 'content', 1, 'image', 'source', 'bytes')
      expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype)
      expect(Buffer.from(Object(bytes))).toEqual(image)
      expect(Buffer.from(Object(at(first, 'output', 'message', 'content', 0, 'reasoningContent', 'redactedContent')))).toEqual(redacted)
      if (bytes instanceof Uint8Array) bytes.fill(0)
      expect(await outcomeOfSend(client, whole())).toStrictEqual(expected)
      const deltas = (await eventsOf(await send(client, streamed()))).map((event) => at(event, 'contentBlockDelta', 'delta'))
      expect(Buffer.from(Object(deltas.map((delta) => at(delta, 'image', 'source', 'bytes')).find(Boolean)))).toEqual(image)
      expect(Buffer.from(Object(deltas.map((delta) => at(delta, 'reasoningContent', 'redactedContent')).find(Boolean)))).toEqual(redacted)
      expect(server.requests).toHaveLength(2)
    })

    it('is keyed by the bytes in the request, in any type of array', async () => {
      await send(client, showing(new Uint8Array([1, 2, 3])))
      expect(cacheInfo(await send(client, showing(Buffer.from([1, 2, 3]))))).toMatchObject({ hit: true })
      expect(cacheInfo(await send(client, showing(new Uint8Array([0, 1, 2, 3]).subarray(1))))).toMatchObject({ hit: true })
      expect(cacheInfo(await send(client, showing(new Uint8Array([1, 2, 4]))))).toMatchObject({ hit: false })
      expect(server.requests).toHaveLength(2)
    })
  })

  describe('the ways to call', () => {
    it('methods of the aggregated client take the cache’s options', async () => {
      const options = { cache: { operation: 'qa', tags: ['doc:1'] } }
      expect(at(await client.converse(input, options), ...textPath)).toBe('In Germany.')
      const hit = await client.converse(input, options)
      expect(cacheInfo(hit)).toMatchObject({ hit: true, operation: 'qa' })
      const events = await eventsOf({ ...(await client.converseStream(input, options)) })
      expect(at(events.at(-1), 'metadata', 'usage', 'totalTokens')).toBe(21)
      expect(server.requests).toHaveLength(1)
      await cache.invalidate({ tags: ['doc:1'] })
      expect(cacheInfo(await client.converse(input, options))).toMatchObject({ hit: false })
    })

    it('a callback is called with the output, or with the error', async () => {
      const [first, second] = [await callBack(client, whole()), await callBack(client, whole(), { cache: { mode: 'only-if-cached' } })]
      expect([first[0], second[0]]).toEqual([null, null])
      expect(cacheInfo(first[1])).toMatchObject({ hit: false })
      expect(cacheInfo(second[1])).toMatchObject({ hit: true })
      expect((await callBack(client, streamed(), { cache: { mode: 'only-if-cached', variant: 1 } }))[0]).toMatchObject({
        code: 'NOT_CACHED',
      })
      expect((await callBack(client, whole(), { cache: { tll: 5 } }))[0]).toMatchObject({ code: 'INVALID_OPTION' })
      server.respond((_, reply) => reply.json({ message: 'no' }, { status: 400, headers: { 'x-amzn-errortype': 'ValidationException' } }))
      expect((await callBack(client, whole(), { bypassCache: true }))[0]).toMatchObject({ name: 'ValidationException', message: 'no' })
      await new Promise<void>((resolve) => {
        client.converse(input, (error, data) => {
          expect([error, at(data, ...textPath)]).toEqual([null, 'In Germany.'])
          resolve()
        })
      })
    })

    it('only-if-cached rejects with a NotCachedError on a miss', async () => {
      await expect(send(client, whole(), { cache: { mode: 'only-if-cached' } })).rejects.toMatchObject({
        name: 'NotCachedError',
        code: 'NOT_CACHED',
      })
      expect(server.requests).toHaveLength(0)
    })

    it('T04: one command object can be sent again and at once, with different options, and is not changed', async () => {
      const command = whole()
      const before = structuredClone(command.input)
      const results = await Promise.all([
        send(client, command),
        send(client, command),
        send(client, command, { cache: { variant: 1 } }),
        send(client, command, { bypassCache: true }),
        send(client, command, { cache: { scope: 'tenant' } }),
      ])
      for (const result of results) expect(at(result, ...textPath)).toBe('In Germany.')
      expect(results.map((result) => cacheInfo(result)?.hit)).toEqual([false, true, false, false, false])
      expect(server.requests).toHaveLength(4)
      expect(cacheInfo(await send(client, command))).toMatchObject({ hit: true })
      expect(command.input).toStrictEqual(before)
      expect(command.input).toBe(input)
    })

    it('I3: an input that changes during the look-up is sent as it was keyed', async () => {
      const messages = [{ role: 'user' as const, content: [{ text: 'first' }] }]
      const own = { modelId: input.modelId ?? '', messages }
      server.respond(({ body }, reply) => reply.json(converseAnswer(String(at(body, 'messages', 0, 'content', 0, 'text'))), { headers }))
      const stored = new Map<string, Uint8Array>()
      const changing = createCache({
        logger: false,
        store: {
          name: 'slow',
          get(key) {
            // By now the call is keyed.
            Object.assign(at(messages, 0, 'content', 0) ?? {}, { text: 'second' })
            return stored.get(key)
          },
          set: (key, value) => void stored.set(key, value),
          delete: (key) => void stored.delete(key),
        },
      })
      const result = await send(withCache(bare, changing), new ConverseCommand(own))
      expect(messages[0]?.content[0]?.text).toBe('second')
      expect(at(result, ...textPath)).toBe('first')
      await changing.close()
    })

    it('commands that are not cached pass through unchanged', async () => {
      let count = 0
      server.respond((_, reply) =>
        reply.json({ inputTokens: ++count, action: 'NONE', usage: {}, outputs: [], assessments: [] }, { headers }),
      )
      const count1 = new CountTokensCommand({ modelId: 'test.model', input: { converse: { messages: input.messages } } })
      const guard = new ApplyGuardrailCommand({
        guardrailIdentifier: 'abc',
        guardrailVersion: '1',
        source: 'INPUT',
        content: [{ text: { text: 'Hi' } }],
      })
      for (const command of [count1, guard]) {
        const outcomes = [await outcomeOfSend(client, command), await outcomeOfSend(client, command), await outcomeOfSend(bare, command)]
        expect(outcomes.map(({ error }) => error)).toEqual([undefined, undefined, undefined])
        const [first, second, third] = server.requests.slice(-3)
        expect(first).toEqual(third)
        expect(second).toEqual(third)
      }
      expect(server.requests).toHaveLength(6)
      expect(cache.stats()).toMatchObject({ hits: 0, misses: 0, errors: 0 })
      expect(cacheInfo(await send(client, count1))).toBeUndefined()
    })
  })

  describe('an abort', () => {
    it.each([
      ['a reason of the platform’s', undefined],
      ['an error', new Error('enough')],
      ['a text', 'enough'],
    ])('S05: with %s is what the bare client throws, before the call and during it', async (_, reason) => {
      server.respond((_request, reply) => reply.hold())
      const during = async (each: object): Promise<unknown> => {
        const controller = new AbortController()
        const asked = server.requests.length
        const sent = send(each, whole(), { abortSignal: controller.signal }).catch(told)
        await server.untilRequests(asked + 1)
        controller.abort(reason)
        return sent
      }
      expect(await during(client)).toStrictEqual(await during(bare))
      const before = (each: object) => send(each, whole(), { abortSignal: AbortSignal.abort(reason) }).catch(told)
      const expected = await before(bare)
      expect(expected).toMatchObject({ failure: { name: 'AbortError' } })
      expect(await before(client)).toStrictEqual(expected)
      await server.untilAborted(2)
    })

    it('S05: by a signal that is not the platform’s own works too', async () => {
      server.respond((_request, reply) => reply.hold())
      const signal: { aborted: boolean; onabort?: () => void } = { aborted: false }
      const sent = send(client, whole(), { abortSignal: signal }).catch(told)
      await server.untilRequests(1)
      signal.aborted = true
      signal.onabort?.()
      expect(await sent).toMatchObject({ failure: { name: 'AbortError', message: 'Request aborted' } })
      await server.untilAborted(1)
      expect(await send(client, whole(), { abortSignal: signal }).catch(told)).toMatchObject({ failure: { name: 'AbortError' } })
    })

    it.each([whole, streamed])('S05: of a bypassed call reaches the provider', async (command) => {
      server.respond((_request, reply) => reply.hold())
      const controller = new AbortController()
      const sent = send(client, command(), { abortSignal: controller.signal, bypassCache: true }).catch(told)
      await server.untilRequests(1)
      controller.abort()
      expect(await sent).toMatchObject({ failure: { name: 'AbortError' } })
      await server.untilAborted(1)
    })

    it('S05: of a replayed stream ends it like a stream of the bare client', async () => {
      const paused = gate()
      server.respond((_, reply) => reply.events([...converseEvents('In Germany.')[0], paused], { headers }))
      const abortedOf = async (each: object): Promise<unknown> => {
        const controller = new AbortController()
        const events: unknown[] = []
        try {
          for await (const event of Object(await send(each, streamed(), { abortSignal: controller.signal }))['stream']) {
            events.push(event)
            if (at(event, 'contentBlockDelta') !== undefined) controller.abort()
          }
          return { events }
        } catch (error) {
          return { events, failure: failureOf(error) }
        }
      }
      const expected = await abortedOf(bare)
      paused.open()
      server.respond(answering)
      await eventsOf(await send(client, streamed()))
      expect(await abortedOf(client)).toStrictEqual(expected)
      expect(server.requests).toHaveLength(2)
    })

    it('S01: a stream whose reader leaves before it reads is closed', async () => {
      server.respond((_, reply) => reply.events([...converseEvents('In Germany.')[0]], { headers, end: 'never' }))
      const output = await send(client, streamed())
      await Object(output['stream'])[Symbol.asyncIterator]().return()
      await server.untilAborted(1)
      server.respond(answering)
      expect(await eventsOf(await send(client, streamed()))).toHaveLength(7)
    })
  })

  describe('middleware', () => {
    it('of the bare client runs on misses, and on hits if it is before ours', async () => {
      const ran: string[] = []
      const note = <Result>(name: string, result: Result): Result => {
        ran.push(`${name} ${String(at(result, 'output', ...textPath))}`)
        return result
      }
      bare.middlewareStack.add((next) => async (args) => note('initialize', await next(args)), { step: 'initialize', name: 'first' })
      bare.middlewareStack.add((next) => async (args) => note('build', await next(args)), { step: 'build', name: 'second' })
      const own = withCache(bare, cache)
      await send(own, whole())
      expect(ran).toEqual(['build In Germany.', 'initialize In Germany.'])
      ran.length = 0
      await send(own, whole())
      expect(ran).toEqual(['initialize In Germany.'])
      const late = { step: 'initialize', priority: 'high', name: 'third' } as const
      own.middlewareStack.add((next) => async (args) => note('later', await next(args)), late)
      ran.length = 0
      await send(own, whole())
      expect(ran).toEqual(['initialize In Germany.', 'later In Germany.'])
      expect(server.requests).toHaveLength(1)
      expect(bare.middlewareStack.identify().some((name) => name.startsWith('third'))).toBe(false)
    })

    it('before ours may change the request, and its change is part of the key', async () => {
      let text = 'one'
      bare.middlewareStack.add(
        (next) => (args) => {
          const changed = { ...input, messages: [{ role: 'user' as const, content: [{ text }] }] }
          return next({ ...args, input: changed })
        },
        { step: 'initialize', name: 'changing' },
      )
      const own = withCache(bare, cache)
      await send(own, whole())
      text = 'two'
      expect(cacheInfo(await send(own, whole()))).toMatchObject({ hit: false })
      expect(server.requests.map(({ body }) => at(body, 'messages', 0, 'content', 0, 'text'))).toEqual(['one', 'two'])
    })

    it('of the bare client is not changed', async () => {
      const before = bare.middlewareStack.identify()
      const members = Object.getOwnPropertyDescriptors(bare)
      await Promise.all([send(client, whole()), send(client, whole()), send(client, streamed())])
      await send(client, whole())
      expect(bare.middlewareStack.identify()).toEqual(before)
      expect(client.middlewareStack.identify()).toEqual(before)
      expect(Object.getOwnPropertyDescriptors(bare)).toEqual(members)
      expect(client).toBeInstanceOf(BedrockRuntimeClient)
      expect(client.config).toBe(bare.config)
    })
  })

  describe('configuration', () => {
    it('a hit needs no credentials and no service', async () => {
      await send(client, whole())
      const without = makeBedrock(protocol, { url: server.url, credentials: () => Promise.reject(new Error('no credentials here')) })
      const own = withCache(without, cache)
      await server.close()
      expect(at(await send(own, whole()), ...textPath)).toBe('In Germany.')
      expect(await eventsOf(await send(own, streamed()))).not.toHaveLength(0)
      const missing = new ConverseCommand({ ...input, modelId: 'other.model' })
      expect(await outcomeOfSend(own, missing)).toStrictEqual(await outcomeOfSend(without, missing))
    })

    it('a missing region is the SDK’s own error', async () => {
      const without = new BedrockRuntime({
        credentials: { accessKeyId: 'AKIDTEST', secretAccessKey: 'secret' },
        region: () => Promise.reject<string>(new Error('Region is missing')),
      })
      const expected = await outcomeOfSend(without, whole())
      expect(expected.error?.message).toBe('Region is missing')
      expect(await outcomeOfSend(withCache(without, cache), whole())).toStrictEqual(expected)
    })

    it('regions and endpoints have entries of their own; credentials share them', async () => {
      const other = await startBedrock(protocol, answering)
      await send(client, whole())
      const rotated = makeBedrock(protocol, { url: server.url, credentials: { accessKeyId: 'AKIDOTHER', secretAccessKey: 'other' } })
      expect(cacheInfo(await send(withCache(rotated, cache), whole()))).toMatchObject({ hit: true })
      expect(cacheInfo(await send(withCache(makeBedrock(protocol, { url: other.url }), cache), whole()))).toMatchObject({ hit: false })
      const keys = await Promise.all(
        ['us-east-1', 'eu-central-1', 'us-east-1'].map(async (region) => {
          const offline = new BedrockRuntime({
            region,
            credentials,
            requestHandler: { handle: () => Promise.reject(new Error('offline')) },
            maxAttempts: 1,
          })
          const looked: string[] = []
          const watched = createCache({ logger: false })
          watched.on('miss', ({ key }) => looked.push(key))
          await expect(send(withCache(offline, watched), whole())).rejects.toThrow('offline')
          return looked.join()
        }),
      )
      expect(keys[0]).toMatch(/^[0-9a-f]{64}$/)
      expect(keys[0]).toBe(keys[2])
      expect(keys[0]).not.toBe(keys[1])
      await other.close()
    })

    it('destroy() ends the connections, and hits still work', async () => {
      await send(client, whole())
      client.destroy()
      expect(at(await send(client, whole()), ...textPath)).toBe('In Germany.')
      expect(server.requests).toHaveLength(1)
    })

    it('I3: a cache that is shared with OpenAI’s client keeps the answers apart', async () => {
      const provider = await startProvider((_, reply) => reply.json(completion('of OpenAI')))
      const openai = withCache(new OpenAI({ baseURL: provider.url, apiKey: 'test-key', maxRetries: 0 }), cache)
      const params = { model: 'test.model-v1:0', messages: [{ role: 'user' as const, content: 'Where is Berlin?' }] }
      for (let time = 0; time < 2; time++) {
        expect(at(await openai.chat.completions.create(params), 'choices', 0, 'message', 'content')).toBe('of OpenAI')
        expect(at(await send(client, whole()), ...textPath)).toBe('In Germany.')
      }
      expect([provider.requests.length, server.requests.length]).toEqual([1, 1])
      expect(cache.stats()).toMatchObject({ hits: 2, misses: 2 })
      await provider.close()
    })
  })

  describe('faults of the service', () => {
    it.each([
      ['throttlingException', 'ThrottlingException'],
      ['modelStreamErrorException', 'ModelStreamErrorException'],
      ['internalServerException', 'InternalServerException'],
      ['error', 'InternalError'],
    ])('S02: %s inside a stream is thrown as by the bare client, to each who waits, and nothing is stored', async (event, name) => {
      const [start, middle, end] = converseEvents('In Germany.')
      const failed = { event, data: event === 'error' ? 'went wrong' : JSON.stringify({ message: 'went wrong' }) }
      server.respond((_, reply) => reply.events([...start, ...middle, failed, ...end], { headers }))
      const expected = await outcomeOfSend(bare, streamed())
      expect(expected.events).toHaveLength(4)
      expect(expected.error).toMatchObject({ name })
      const outcomes = await Promise.all([1, 2, 3].map(() => outcomeOfSend(client, streamed())))
      for (const each of outcomes) expect(each).toStrictEqual(expected)
      expect(server.requests).toHaveLength(2)
      expect(cache.stats()).toMatchObject({ stored: 0 })
      server.respond(answering)
      expect((await outcomeOfSend(client, streamed())).error).toBeUndefined()
      expect(server.requests).toHaveLength(3)
    })

    it.each(['messageStop', 'metadata'])('S03: a stream that ends without %s is not stored', async (missing) => {
      const events = converseEvents('In Germany.')
        .flat()
        .filter(({ event }) => event !== missing)
      server.respond((_, reply) => reply.events(events, { headers }))
      const expected = await outcomeOfSend(bare, streamed())
      expect(await outcomeOfSend(client, streamed())).toStrictEqual(expected)
      expect(await outcomeOfSend(client, streamed())).toStrictEqual(expected)
      expect(server.requests).toHaveLength(3)
      expect(cache.stats().skipped).toEqual({ incomplete: 2 })
    })

    it('S08: an event unknown to this SDK is skipped as by the bare client, and its stream is not lost', async () => {
      const [start, middle, end] = converseEvents('In Germany.')
      server.respond((_, reply) => reply.events([...start, eventOf('somethingNew', { a: 1 }), ...middle, ...end], { headers }))
      const expected = await outcomeOfSend(bare, streamed())
      expect(await outcomeOfSend(client, streamed())).toStrictEqual(expected)
      expect(await outcomeOfSend(client, streamed())).toStrictEqual(expected)
    })

    it('K02: a throttled call is retried as often as by the bare client, once for all waiting callers', async () => {
      const refused = { status: 429, headers: { ...headers, 'x-amzn-errortype': 'ThrottlingException' } }
      server.respond((_, reply) => reply.json({ message: 'slow down' }, refused))
      const patient = makeBedrock(protocol, { url: server.url, maxRetries: 2 })
      const expected = await outcomeOfSend(patient, whole())
      expect(expected.error).toMatchObject({ name: 'ThrottlingException', members: { $metadata: { attempts: 3 } } })
      // On a clock that stands still, none of them joins late: the attempts take no longer than the callers need to join.
      const own = withCache(patient, createCache({ clock: new ManualClock() }))
      // The first attempt fails only once all callers wait for it.
      const waiting = gate()
      server.respond(async (_, reply) => {
        await waiting
        reply.json({ message: 'slow down' }, refused)
      })
      const asking = Promise.all(Array.from({ length: 100 }, () => outcomeOfSend(own, whole())))
      await server.untilRequests(4)
      waiting.open()
      const outcomes = await asking
      for (const each of outcomes) expect(each).toStrictEqual(expected)
      expect(server.requests).toHaveLength(6)
      server.respond(answering)
      const results = await Promise.all(Array.from({ length: 100 }, () => send(own, whole())))
      expect(results.filter((result) => cacheInfo(result)?.hit === false)).toHaveLength(1)
      expect(new Set(results.map((result) => at(result, 'output', 'message'))).size).toBe(100)
      expect(server.requests).toHaveLength(7)
    })

    it('I1: an answer that is not JSON is the same error as with the bare client', async () => {
      server.respond((_, reply) => reply.text('<html>busy</html>', { headers: { 'content-type': 'application/json' } }))
      const expected = await outcomeOfSend(bare, whole())
      expect(expected.error).toBeDefined()
      const { error } = await outcomeOfSend(client, whole())
      expect([error?.name, error?.message]).toEqual([expected.error?.name, expected.error?.message])
    })
  })
})

describe('money', () => {
  const usage = { inputTokens: 1_000_000, outputTokens: 1_000_000, totalTokens: 2_000_000 }
  const arn = 'arn:aws:bedrock:us-east-1:123456789012'

  // Source: https://aws.amazon.com/bedrock/pricing/ (cross-region profiles of a region cost 10 % more than the global one)
  it.each([
    ['us.anthropic.claude-sonnet-4-5-20250929-v1:0', 19.8],
    ['eu.anthropic.claude-sonnet-4-5-20250929-v1:0', 19.8],
    ['global.anthropic.claude-sonnet-4-5-20250929-v1:0', 18],
    [`${arn}:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0`, 19.8],
    [`${arn}:inference-profile/global.anthropic.claude-sonnet-4-5-20250929-v1:0`, 18],
    ['amazon.nova-lite-v1:0', 0.3],
    ['us.amazon.nova-lite-v1:0', 0.3],
    [`${arn}:inference-profile/us.amazon.nova-pro-v1:0`, 4],
    [`${arn}:application-inference-profile/abcdef123456`, null],
    ['maker.unknown-v1:0', null],
  ])('is counted by the prices of Bedrock: %s', async (modelId, dollars) => {
    const server = await startBedrock('h2', (_, reply) => reply.json({ ...converseAnswer('dear'), usage }, { headers }))
    const cache = createCache({ logger: false })
    const client = withCache(makeBedrock('h2', { url: server.url }), cache)
    const command = new ConverseCommand({ ...input, modelId })
    await send(client, command)
    expect(server.requests[0]?.path).toBe(`/model/${modelId}/converse`)
    expect(cacheInfo(await send(client, command))).toMatchObject({ hit: true, savedTokens: 2_000_000, savedUsd: dollars })
    await server.close()
  })
})

/** The arguments with which `client.send(...given, callback)` calls its callback. */
function callBack(client: object, ...given: readonly unknown[]): Promise<readonly unknown[]> {
  return new Promise((resolve) => {
    const done = (...results: readonly unknown[]): void => resolve(results)
    expect(Reflect.apply(Reflect.get(client, 'send'), client, [...given, done])).toBeUndefined()
  })
}

/** The parts of an error, and of its cause, that can be compared. */
function told(error: unknown): unknown {
  return { failure: failureOf(error), cause: failureOf(at(error, 'cause')) }
}
