import { AIMessage, type BaseMessage, HumanMessage } from '@langchain/core/messages'
import { JsonPlusSerializer } from '@langchain/langgraph-checkpoint'
import { Annotation, StateGraph } from '@langchain/langgraph'
import { createAgent, createMiddleware, tool } from 'langchain'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cacheModelCalls, LlmemoCache, LlmemoGraphCache } from '../../../src/adapters/langchain/langchain.ts'
import { type Cache, createCache } from '../../../src/cache/cache.ts'
import { InvalidOptionError } from '../../../src/errors.ts'
import { isJsonObject } from '../../../src/json/object.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { describeAdapter } from '../../contracts/adapter.ts'
import { settle } from '../../support/chat.ts'
import { completion } from '../../support/openai-answers.ts'
import { versionOf } from '../../support/packed.ts'
import { mistaken } from '../../support/secrets/mistaken.ts'
import { type ProviderServer, startProvider } from '../../support/provider-server.ts'
import { askAgent, askModel, drive, model } from './models.ts'

describeAdapter(`@langchain/core ${versionOf('@langchain/core')} with its cache for models`, {
  open: (cache) => drive(cache, askModel),
  tokens: 21,
  streams: false,
})
describeAdapter(`langchain ${versionOf('langchain')} with an agent`, {
  open: (cache) => drive(cache, askAgent),
  tokens: 21,
  streams: false,
})

/** A model of the user's own. */
function modelOf(params: object): object {
  return { _llmType: () => 'own', _identifyingParams: () => params }
}

let cache: Cache
let server: ProviderServer

beforeEach(async () => {
  cache = createCache({ logger: false, prices: false })
  server = await startProvider(({ body }, reply) => {
    const request = isJsonObject(body) ? body : {}
    const called = JSON.stringify(request['messages']).includes('"role":"tool"')
    if (request['tools'] !== undefined && !called) return reply.json(completion(null, { name: 'weather', arguments: '{"city":"Bern"}' }))
    return reply.json(completion('sunny'))
  })
})
afterEach(async () => {
  await cache.close()
  await server.close()
})

describe("LangChain's cache for models", () => {
  it('gives a stored message with its tool calls and metadata', async () => {
    const clock = new ManualClock()
    const asked = model(server.url, { cache: new LlmemoCache(cache, { clock }) }).bindTools([
      { type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: {} } } },
    ])
    const first = await asked.invoke('Bern?')
    await settle()
    const second = await asked.invoke('Bern?')
    expect(second.tool_calls).toEqual(first.tool_calls)
    expect(second.response_metadata).toEqual(first.response_metadata)
    expect(server.requests).toHaveLength(1)
  })

  it('does not cache a prompt whose images LangChain leaves out', async () => {
    const asked = model(server.url, { cache: new LlmemoCache(cache) })
    const show = (url: string): Promise<BaseMessage> =>
      asked.invoke([
        new HumanMessage({
          content: [
            { type: 'text', text: 'What?' },
            { type: 'image_url', image_url: { url } },
          ],
        }),
      ])
    await show('https://example.com/a.png')
    await show('https://example.com/b.png')
    expect(server.requests).toHaveLength(2)
    expect(cache.stats().stored).toBe(0)
  })

  it('lets equal look-ups ask for themselves when the first one brings no answer in time', async () => {
    const clock = new ManualClock()
    const lookups = new LlmemoCache(cache, { clock, wait: '5s' })
    expect(await lookups.lookup('p', 'k')).toBeNull()
    const second = lookups.lookup('p', 'k')
    await settle()
    clock.advance(5_000)
    expect(await second).toBeNull()
    await lookups.update('other', 'k', [{ text: 'a' }])
    expect(cache.stats().stored).toBe(0)
  })

  it('gives waiting look-ups the answer, each a copy', async () => {
    const lookups = new LlmemoCache(cache)
    expect(await lookups.lookup('p', 'k')).toBeNull()
    const others = [lookups.lookup('p', 'k'), lookups.lookup('p', 'k')]
    await settle()
    await lookups.update('p', 'k', [{ text: 'a', generationInfo: { b: 1 } }])
    const [first, second] = await Promise.all(others)
    expect([first, second]).toEqual([[{ text: 'a', generationInfo: { b: 1 } }], [{ text: 'a', generationInfo: { b: 1 } }]])
    expect(first).not.toBe(second)
    await settle()
    expect(cache.stats()).toMatchObject({ hits: 2, misses: 1, stored: 1 })
  })

  it('names options that cannot be', async () => {
    expect(() => new LlmemoCache(cache, { wait: mistaken('soon') })).toThrow(InvalidOptionError)
    await expect(new LlmemoCache(cache, { mode: mistaken('never') }).lookup('p', 'k')).rejects.toThrow(InvalidOptionError)
  })
})

describe('the hook for agents', () => {
  const weather = tool(({ city }: { city: string }) => `sunny in ${city}`, {
    name: 'weather',
    description: 'The weather.',
    schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  })
  const agentWith = (systemPrompt = 'You help.') =>
    createAgent({
      model: model(server.url),
      tools: [weather],
      systemPrompt,
      middleware: [createMiddleware({ name: 'llmemo', wrapModelCall: cacheModelCalls(cache, { operation: 'agent' }) })],
    })

  it('caches each model call of an agent with tools', async () => {
    const texts: unknown[] = []
    const asked: number[] = []
    for (let run = 0; run < 2; run++) {
      const { messages } = await agentWith().invoke({ messages: [{ role: 'user', content: 'Bern?' }] })
      texts.push(messages.map((message) => [message.type, message.text]))
      asked.push(server.requests.length)
      await settle()
    }
    expect(texts[1]).toEqual(texts[0])
    expect(asked).toEqual([2, 2])
    expect(cache.stats().byOperation['agent']).toMatchObject({ hits: 2, misses: 2 })
    await agentWith('You translate.').invoke({ messages: [{ role: 'user', content: 'Bern?' }] })
    expect(server.requests).toHaveLength(4)
  })

  it('passes on what is no message, and calls of a model that it cannot name', async () => {
    const wrap = cacheModelCalls(cache)
    const command = { lg_name: 'Command', resume: () => 1 }
    const request = { model: 'openai:gpt-test-1', messages: [] }
    expect(await wrap(request, () => command)).toBe(command)
    expect(await wrap({ model: {}, messages: [] }, () => 1)).toBe(1)
    expect(cache.stats()).toMatchObject({ stored: 0, misses: 1 })
  })

  it('G01 finds nothing for a model that says nothing but its type', async () => {
    const models = new LlmemoCache(cache)
    for (const own of ['_model:"base_chat_model",_type:"own"', '_model:"base_chat_model",_type:"own",stop:["\\n"]']) {
      expect([await models.lookup('Hi', own), await models.lookup('Hi', own)]).toEqual([null, null])
    }
    expect(cache.stats().misses).toBe(0)
  })

  it('G01 passes on calls of a model whose parameters are none, as all models of its class would share answers', async () => {
    const wrap = cacheModelCalls(cache)
    const ask = async (params: object, answer: string) =>
      wrap({ model: modelOf(params), messages: [] }, () => new AIMessage({ content: answer }))
    expect([(await ask({}, 'first')).text, (await ask({}, 'second')).text]).toEqual(['first', 'second'])
    expect([(await ask({ tenant: 'A' }, 'first')).text, (await ask({ tenant: 'B' }, 'second')).text]).toEqual(['first', 'second'])
    expect(cache.stats()).toMatchObject({ hits: 0, stored: 2 })
  })

  it('asks for itself when the call that it joined is aborted by its own caller', async () => {
    const wrap = cacheModelCalls(cache)
    const request = { model: 'openai:gpt-test-1', messages: [] }
    const { promise, reject } = Promise.withResolvers<string>()
    const first = wrap(request, () => promise)
    const second = wrap(request, () => Promise.resolve('own'))
    reject(new DOMException('gone', 'AbortError'))
    await expect(first).rejects.toThrow('gone')
    expect(await second).toBe('own')
  })
})

describe("LangGraph's cache", () => {
  const State = Annotation.Root({ question: Annotation<string>, answer: Annotation<string> })

  it('answers a node of a graph', async () => {
    let calls = 0
    const graph = new StateGraph(State)
      .addNode('ask', ({ question }) => ({ answer: `${question} ${++calls}` }), { cachePolicy: { ttl: 60 } })
      .addEdge('__start__', 'ask')
      .compile({ cache: new LlmemoGraphCache(cache, new JsonPlusSerializer()) })
    expect((await graph.invoke({ question: 'a' })).answer).toBe('a 1')
    expect((await graph.invoke({ question: 'a' })).answer).toBe('a 1')
    expect((await graph.invoke({ question: 'b' })).answer).toBe('b 2')
  })

  it('keeps values of all kinds for their time, and clears them by namespace', async () => {
    const clock = new ManualClock()
    const own = createCache({ logger: false, clock })
    const values = new LlmemoGraphCache(own, new JsonPlusSerializer())
    const at = { text: 'ä', bytes: new Uint8Array([0, 255]), list: [1] }
    const keys = [
      [['a', '*'], 'k'],
      [['a'], 'k'],
      [['a', 'x'], 'k'],
    ] as [string[], string][]
    await values.set(keys.map((key) => ({ key, value: at, ttl: 60 })))
    expect(await values.get(keys)).toEqual(keys.map((key) => ({ key, value: at })))
    await values.clear([['a', '*']])
    expect((await values.get(keys)).map(({ key }) => key)).toEqual(keys.slice(1))
    clock.advance(60_000)
    expect(await values.get(keys)).toEqual([])
    await values.set([{ key: [['b'], 'k'], value: 1 }])
    await values.clear([])
    expect(await values.get([[['b'], 'k']])).toEqual([])
  })

  it('keeps namespaces of any characters apart, and clears none but those that are named', async () => {
    const values = new LlmemoGraphCache(cache, new JsonPlusSerializer())
    const names = ['', ',', ':', '*', '?', '[a]', '%2A', '%2c;', 'ä', '😀', '\ud83d', '\ude00', '\0', '..', '/', 'a', 'a,', 'A']
    const spaces = [[], [''], ['', ''], [','], ['a', 'b'], ['a,b'], ['a:b'], ...names.map((name) => ['x', name])]
    const keys = spaces.flatMap((space) => names.map((name): [string[], string] => [space, name]))
    await values.set(keys.map((key, value) => ({ key, value })))
    expect(await values.get(keys)).toEqual(keys.map((key, value) => ({ key, value })))
    for (const space of spaces) {
      await values.set(keys.map((key, value) => ({ key, value })))
      await values.clear([space])
      const left = (await values.get(keys)).map(({ key: [at] }) => at)
      expect(left).toEqual(keys.flatMap(([at]) => (JSON.stringify(at) === JSON.stringify(space) ? [] : [at])))
    }
  })

  it('lets a node run whose stored value cannot be read', async () => {
    const serde = new JsonPlusSerializer()
    const key: [string[], string] = [['a'], 'k']
    await new LlmemoGraphCache(cache, serde).set([{ key, value: undefined }])
    expect(await new LlmemoGraphCache(cache, serde).get([key])).toEqual([{ key, value: undefined }])
    const failing = { dumpsTyped: serde.dumpsTyped.bind(serde), loadsTyped: () => Promise.reject(new Error('unknown type')) }
    expect(await new LlmemoGraphCache(cache, failing).get([key])).toEqual([])
  })
})
