import { getEventListeners } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
} from '@aws-sdk/client-bedrock-runtime'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCache } from '../../../src/cache/cache.ts'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { startBedrock } from '../../support/bedrock-server.ts'
import { at, converseAnswer, converseEvents, eventOf, eventsOf, headers, makeBedrock, send, streamOf } from '../../support/bedrock-sdk.ts'
import { gate, type ProviderServer } from '../../support/provider-server.ts'
import { ScriptedStore } from '../../support/scripted-store.ts'
import { until } from '../../support/until.ts'

const modelId = 'amazon.titan-text-express-v1'
const asking = (text: string): string => JSON.stringify({ inputText: text })
const answer = { inputTextTokenCount: 3, results: [{ tokenCount: 2, outputText: 'Hello.', completionReason: 'FINISH' }] }
const streamed = () => new ConverseStreamCommand({ modelId, messages: [{ role: 'user', content: [{ text: 'Hi' }] }] })

describe.each(['http1', 'h2'] as const)('faults that Bedrock’s seam must not make, over %s', (protocol) => {
  let server: ProviderServer
  let bare: object

  beforeEach(async () => {
    server = await startBedrock(protocol, ({ path }, reply) =>
      path.endsWith('-stream')
        ? reply.events(converseEvents('Hello.').flat(), { headers })
        : reply.text(JSON.stringify(answer), { headers: { ...headers, 'content-type': 'application/json' } }),
    )
    bare = makeBedrock(protocol, { url: server.url })
  })
  afterEach(() => server.close())

  it.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['bytes', (bytes) => bytes],
    ['a Buffer', (bytes) => Buffer.from(bytes.buffer)],
  ])('G06 sends the body that it has keyed, though the buffer is used again while the store is read: %s', async (_, make) => {
    const store = new ScriptedStore()
    store.reads = 'held'
    const client = withCache(bare, createCache({ logger: false, store, readDeadline: 60 }))
    const body = make(new Uint8Array(new TextEncoder().encode(asking('mine'))))
    const output = send(client, new InvokeModelCommand({ modelId, body, contentType: 'application/json' }))
    await until(() => store.calls.length > 0)
    body.set(new TextEncoder().encode(asking('your')))
    store.reads = 'works'
    store.release()
    await output
    expect(server.requests.map(({ body: sent }) => sent)).toEqual([{ inputText: 'mine' }])
  })

  it('G28 a body of 9 MiB of text is cached', async () => {
    const client = withCache(bare, createCache({ logger: false }))
    const command = new InvokeModelCommand({ modelId, body: asking('x"'.repeat(3 * 2 ** 20)), contentType: 'application/json' })
    expect(cacheInfo(await send(client, command))).toMatchObject({ hit: false, stored: true })
    expect(cacheInfo(await send(client, command))).toMatchObject({ hit: true })
  })

  it('G28 an answer of 9 MiB of text beside a number that JavaScript rounds is given, and not stored', async () => {
    const long = JSON.stringify({ ...answer, results: [{ ...answer.results[0], outputText: 'x"'.repeat(3 * 2 ** 20) }] })
    const text = `${long.slice(0, -1)},"id":9007199254740993}`
    server.respond((_, reply) => reply.text(text, { headers: { ...headers, 'content-type': 'application/json' } }))
    const client = withCache(bare, createCache({ logger: false, maxEntryBytes: 32 * 2 ** 20 }))
    const output = await send(client, new InvokeModelCommand({ modelId, body: asking('Hi'), contentType: 'application/json' }))
    expect(Buffer.from(Object(output['body'])).toString()).toBe(text)
    expect(cacheInfo(output)).toMatchObject({ stored: false })
  })

  it.each<[string, () => Promise<void>]>([
    [
      'throws',
      () => {
        throw new Error('mine')
      },
    ],
    ['rejects', () => Promise.reject(new Error('mine'))],
  ])('G28 a replay.delay that %s does not delay', async (_, delay) => {
    const client = withCache(bare, createCache({ logger: false, replay: { delay } }))
    const first = await eventsOf(await send(client, streamed()))
    expect(await eventsOf(await send(client, streamed()))).toEqual(first)
    expect(server.requests).toHaveLength(1)
  })

  it.each(['bypassed', 'not keyable'])('G29 streams that are %s leave no listener on a signal that lives longer', async (kind) => {
    const client = withCache(bare, createCache({ logger: false }))
    const command = (): object =>
      kind === 'bypassed'
        ? streamed()
        : new InvokeModelWithResponseStreamCommand({ modelId, body: 'no JSON', contentType: 'application/octet-stream' })
    const { signal } = new AbortController()
    const options = { abortSignal: signal, ...(kind === 'bypassed' && { bypassCache: true }) }
    for (let call = 0; call < 20; call++) await eventsOf(await send(client, command(), options))
    await until(() => getEventListeners(signal, 'abort').length === 0)
    expect(server.requests).toHaveLength(20)
  })

  it('G58 streams that are dropped, unread or after an event, end their calls once they are collected', async () => {
    server.respond((_, reply) => reply.events(converseEvents('Hello.')[0], { headers, end: 'never' }))
    const client = withCache(bare, createCache({ logger: false }))
    await dropStreams(client, 6)
    await collected(() => server.aborted === 6)
    expect(server.requests).toHaveLength(6)
  })

  it('G58 a stream goes on while only its iterator is held', async () => {
    const held = gate()
    const [begun, ...rest] = converseEvents('Hello.')
    server.respond((_, reply) => reply.events([...begun, held, ...rest.flat()], { headers }))
    const iterator = await iteratorOf(withCache(bare, createCache({ logger: false })))
    const reading = Array.fromAsync({ [Symbol.asyncIterator]: () => iterator })
    let collections = 0
    await collected(() => collections++ > 20)
    held.open()
    expect(await reading).toHaveLength(converseEvents('Hello.').flat().length)
  })

  it.each([0, 1])('G29 a bypassed stream still ends when its signal fires, after %i events', async (reads) => {
    server.respond((_, reply) => reply.events(converseEvents('Hello.')[0], { headers, end: 'never' }))
    const client = withCache(bare, createCache({ logger: false }))
    const controller = new AbortController()
    const output = await send(client, streamed(), { abortSignal: controller.signal, bypassCache: true })
    const iterator = streamOf(output)?.[Symbol.asyncIterator]()
    for (let read = 0; read < reads; read++) await iterator?.next()
    controller.abort()
    await server.untilAborted(1)
    expect(at(output, '$metadata', 'httpStatusCode')).toBe(200)
  })
})

const converse = () => new ConverseCommand({ modelId, messages: [{ role: 'user', content: [{ text: 'Hi' }] }] })
const invokeStream = () => new InvokeModelWithResponseStreamCommand({ modelId, body: asking('Hi'), contentType: 'application/json' })

describe('an answer that cannot be stored', () => {
  const deep = `{"a":${'{"a":'.repeat(600)}1${'}'.repeat(600)}}`
  /** JSON with the deep object as one of its members. */
  const withDeep = (value: object): string => JSON.stringify({ ...value, additionalModelResponseFields: 0 }).replace(/0(?=}$)/, deep)
  let server: ProviderServer
  let bare: object
  let client: object
  const skipped: string[] = []

  beforeEach(async () => {
    server = await startBedrock('http1')
    bare = makeBedrock('http1', { url: server.url })
    const cache = createCache({ logger: false })
    skipped.length = 0
    cache.on('skip', ({ reason }) => void skipped.push(reason))
    client = withCache(bare, cache)
  })
  afterEach(() => server.close())

  it('G28 a stream with an event nested 600 levels deep is the stream of the bare client', async () => {
    const stop = eventOf('messageStop', { stopReason: 'end_turn' })
    const events = converseEvents('Hello.')
      .flat()
      .map((event) => (event.event === 'messageStop' ? { event: 'messageStop', data: withDeep(JSON.parse(stop.data)) } : event))
    server.respond((_, reply) => reply.events(events, { headers }))
    const expected = await eventsOf(await send(bare, streamed()))
    expect(expected).toHaveLength(events.length)
    expect(await eventsOf(await send(client, streamed()))).toEqual(expected)
    expect(await eventsOf(await send(client, streamed()))).toEqual(expected)
    expect(skipped).toEqual(['malformed', 'malformed'])
  })

  it.each<[string, number[][]]>([
    ['are no UTF-8', [[0x7b, 0xff, 0xfe, 0x7d]]],
    ['end within a character', [[...Buffer.from('{"a":"é"}')].slice(0, 7), [...Buffer.from('{"a":"é"}')].slice(7)]],
  ])('G36 chunks whose bytes %s are those of the bare client', async (_, chunks) => {
    const events = chunks.map((bytes) => ({ event: 'chunk', data: JSON.stringify({ bytes: Buffer.from(bytes).toString('base64') }) }))
    server.respond((_request, reply) => reply.events(events, { headers }))
    expect(bytesOf(await eventsOf(await send(bare, invokeStream())))).toEqual(chunks)
    expect(bytesOf(await eventsOf(await send(client, invokeStream())))).toEqual(chunks)
  })

  it.each<[string, () => object, string, readonly (string | number)[]]>([
    ['a message', converse, withDeep(converseAnswer('Hello.')), ['output', 'message', 'content', 0]],
    [
      'bytes that are no UTF-8',
      () => new InvokeModelCommand({ modelId, body: asking('Hi'), contentType: 'application/json' }),
      '',
      ['body'],
    ],
  ])('K05 is a copy for each caller at the same time: %s', async (_, command, text, path) => {
    const held = gate()
    server.respond(async (_request, reply) => {
      await held
      if (text === '') reply.bytes(Uint8Array.of(0x7b, 0xff, 0x7d), { headers: { ...headers, 'content-type': 'application/json' } })
      else reply.text(text, { headers: { ...headers, 'content-type': 'application/json' } })
    })
    const both = [send(client, command()), send(client, command())]
    held.open()
    const [first, second] = (await Promise.all(both)).map((output) => at(output, ...path))
    const before = structuredClone(second)
    for (const name of Object.keys(Object(first))) Reflect.set(Object(first), name, 1)
    expect(structuredClone(second)).toEqual(before)
    expect(structuredClone(first)).not.toEqual(before)
    const sources = await Promise.all(both.map(async (output) => cacheInfo(await output)?.source))
    expect(sources).toEqual(['origin', 'flight'])
    expect(server.requests).toHaveLength(1)
    const last: unknown = Reflect.get(Object(second), 'transformToString')
    expect(path[0] === 'body' ? typeof last : 'function').toBe('function')
  })
})

/** The bytes of each chunk. */
function bytesOf(events: readonly unknown[]): unknown[] {
  return events.map((event) => Array.from(Buffer.from(Object(at(event, 'chunk', 'bytes')))))
}

/** The iterator of a stream, of which nothing else is held. */
async function iteratorOf(client: object): Promise<AsyncIterator<unknown>> {
  const iterator = streamOf(await send(client, streamed()))?.[Symbol.asyncIterator]()
  if (iterator === undefined) throw new TypeError('there is no stream')
  return iterator
}

/** Opens streams and drops them. A function of its own, so that nothing on the stack of the test holds a stream. */
async function dropStreams(client: object, number: number): Promise<void> {
  for (let index = 0; index < number; index++) {
    const command = new ConverseStreamCommand({ modelId, messages: [{ role: 'user', content: [{ text: `question ${index}` }] }] })
    const iterator = streamOf(await send(client, command))?.[Symbol.asyncIterator]()
    if (index % 2 === 1) await iterator?.next()
  }
}

async function collected(isDone: () => boolean): Promise<void> {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect !== 'function') throw new TypeError('no garbage collector to call')
  while (!isDone()) {
    collect()
    await new Promise((resolve) => setImmediate(resolve))
  }
}
