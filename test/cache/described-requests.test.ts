import { describe, expect, it } from 'vitest'
import type { CacheRequest } from '../../src/cache/cache.ts'
import { InvalidOptionError } from '../../src/errors.ts'
import { openaiChat } from '../../src/providers/openai/chat.ts'
import { formatEvents } from '../../src/base/server-sent-events.ts'
import { answer, ask, openCache, question, textIn } from '../support/chat.ts'

/** The text of the events in which the provider would have streamed the answer. */
function streamed(text: string, options: object = {}): string {
  const request = { ...question().body, stream: true, ...options }
  return formatEvents(openaiChat.streaming?.disassemble(answer(text), request) ?? [])
}

describe('store and lookup', () => {
  it('give back an answer that was stored whole, and one that was stored as its stream', async () => {
    const { cache } = openCache()
    const info = await cache.store(question('whole'), answer('one'))
    expect(info).toMatchObject({ hit: false, source: 'origin', stored: true, ttl: 3_600, operation: 'chat', scope: '' })
    expect(info.key).toMatch(/^[0-9a-f]{64}$/)
    expect(await cache.store(question('streamed'), streamed('two', { stream_options: { include_usage: true } }))).toMatchObject({
      stored: true,
    })
    expect((await cache.lookup(question('whole')))?.answer).toEqual(answer('one'))
    const looked = await cache.lookup(question('streamed'))
    expect([textIn(looked), looked?.info.savedTokens]).toEqual(['two', 21])
  })

  it('have their counts and their facts', async () => {
    const { cache, clock } = openCache()
    expect(await ask(cache)).toBeUndefined()
    const { key } = await cache.store(question(), answer())
    clock.advance(2_500)
    expect((await cache.lookup(question()))?.info).toMatchObject({ hit: true, key, age: 2, ttl: 3_598, savedUsd: null, reason: undefined })
    expect(cache.stats()).toMatchObject({ hits: 1, misses: 1, stored: 1, hitRate: 0.5, savedTokens: 21, bySource: { memory: { hits: 1 } } })
  })

  it('do not take an answer that could not be stored otherwise, and say why', async () => {
    const { cache } = openCache()
    const reasons: (string | undefined)[] = []
    const odd = [answer('', 'stop'), answer('so', 'length'), answer('so', 'content_filter'), {}, { error: { message: 'no' } }]
    for (const given of [...odd, 'data: {}\n\n', streamed('cut').replace('data: [DONE]', ''), '']) {
      const info = await cache.store(question(), given)
      expect(info.stored).toBe(false)
      reasons.push(info.reason)
    }
    expect(reasons).toEqual(['empty', 'length', 'content_filter', 'malformed', 'error', 'incomplete', 'incomplete', 'incomplete'])
    expect(await ask(cache)).toBeUndefined()
  })

  it('G28 do not take what JSON cannot hold, and show nothing of it', async () => {
    const { cache } = openCache()
    const deep: unknown = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`)
    const circle: Record<string, unknown> = { ...answer() }
    circle['self'] = circle
    for (const given of [{ ...answer(), deep }, circle, { ...answer(), large: 1n }]) {
      expect(await cache.store(question(), given)).toMatchObject({ stored: false, reason: 'malformed' })
    }
    expect(await ask(cache)).toBeUndefined()
  })

  it('do not take what is larger than an entry may be', async () => {
    const { cache } = openCache({ maxEntryBytes: 1_000 })
    expect(await cache.store(question(), answer('x'.repeat(1_000)))).toMatchObject({ stored: false, reason: 'too large' })
    expect(cache.memory().entries).toBe(0)
  })

  it('leave a whole answer alone that asks for usage a recorded stream does not have', async () => {
    const { cache } = openCache()
    const leaner = question('a', { body: { ...question('a').body, stream: true } })
    await cache.store(leaner, streamed('without usage'))
    expect(await ask(cache, leaner)).toBe('without usage')
    expect(await ask(cache, question('a'))).toBeUndefined()
  })

  it('pass by what must not be cached', async () => {
    const { cache } = openCache()
    const background = { endpoint: 'responses', body: { model: 'gpt-5', input: 'a', background: true } }
    expect(await cache.store(background, {})).toMatchObject({ stored: false, reason: 'background', key: '' })
    expect(await cache.lookup(background)).toBeUndefined()
    expect(await cache.lookup(question('a', { mode: 'no-store' }))).toBeUndefined()
    expect(cache.stats()).toMatchObject({ hits: 0, misses: 0, bypassReasons: { background: 2, 'no-store': 1 } })
  })

  it('B10 pass by a request that is too deep for a key', async () => {
    const { cache } = openCache()
    let deep: unknown = 'end'
    for (let level = 0; level < 100_000; level++) deep = [deep]
    const asked = question('a', { body: { model: 'm', messages: [], tools: deep } })
    expect(await cache.store(asked, answer())).toMatchObject({ stored: false, reason: 'not keyable' })
    expect(await cache.lookup(asked)).toBeUndefined()
  })

  it('keep apart what differs in context, variant, origin, headers or scope', async () => {
    const { cache } = openCache()
    const others: Partial<CacheRequest>[] = [
      {},
      { context: { project: 'atlas' } },
      { context: { project: 'borealis' } },
      { variant: 1 },
      { origin: 'https://eu.api.openai.com/v1' },
      { headers: { 'openai-beta': 'x' } },
      { scope: 'tenant' },
      { endpoint: 'completions', body: { model: 'gpt-5-mini', messages: question().body } },
    ]
    for (const [index, other] of others.slice(0, 7).entries()) await cache.store(question('a', other), answer(String(index)))
    for (const [index, other] of others.slice(0, 7).entries()) expect(await ask(cache, question('a', other))).toBe(String(index))
    expect(await cache.lookup(question('a', others[7]))).toBeUndefined()
  })

  it.each<[string, unknown]>([
    ['"request" is null', null],
    ['"endpoint" is undefined', {}],
    ['"endpoint" is "chat"', { endpoint: 'chat', body: {} }],
    ['"provider" is "unknown"', { endpoint: 'chat.completions', body: {}, provider: 'unknown' }],
    ['"body" is undefined', { endpoint: 'chat.completions' }],
    ['"body" is a string of 4 characters', { endpoint: 'chat.completions', body: 'text' }],
    ['"cache.mode" is "cached"', { ...question(), mode: 'cached' }],
    ['"cache.tag" is unknown', { ...question(), tag: 'a' }],
    ['"cache.ttl" is 0', { ...question(), ttl: 0 }],
  ])('refuse a request that is none: %s', async (message, request) => {
    const { cache } = openCache()
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const given = request as CacheRequest
    for (const done of [cache.lookup(given), cache.store(given, answer())]) {
      await expect(done).rejects.toThrow(InvalidOptionError)
      await expect(done).rejects.toThrow(message)
    }
  })
})

describe('explain', () => {
  it('shows the parts of a key, which is the key of the answer', async () => {
    const { cache } = openCache({ namespace: 'bot', scope: 'tenant' })
    const { key } = await cache.store(question(), answer())
    const explained = cache.explain(question())
    expect(explained.key).toBe(key)
    expect(explained.parts).toMatchObject({
      namespace: '"bot"',
      scope: '"tenant"',
      provider: '"openai"',
      endpoint: '"chat.completions"',
      variant: '0',
    })
  })

  it('tells the first difference of two', () => {
    const { cache } = openCache()
    expect(cache.explain(question('a'), question('a', { operation: 'qa', ttl: '1m' }))).toEqual({ same: true })
    expect(cache.explain(question('a'), question('b'))).toEqual({
      same: false,
      path: 'request.messages[0].content',
      first: '"a"',
      second: '"b"',
    })
  })
})

describe('a request of each provider', () => {
  it.each<[string, CacheRequest, object]>([
    [
      'anthropic',
      { provider: 'anthropic', endpoint: 'messages', body: { model: 'claude-haiku-4-5', messages: [{ role: 'user', content: 'Hi' }] } },
      {
        type: 'message',
        role: 'assistant',
        model: 'claude-haiku-4-5',
        content: [{ type: 'text', text: 'Hello' }],
        stop_reason: 'end_turn',
      },
    ],
    [
      'aws-bedrock',
      {
        provider: 'aws-bedrock',
        endpoint: 'converse',
        origin: 'bedrock-runtime.eu-west-1',
        body: { model: 'amazon.nova-lite-v1:0', messages: [{ role: 'user', content: [{ text: 'Hi' }] }] },
      },
      { output: { message: { role: 'assistant', content: [{ text: 'Hello' }] } }, stopReason: 'end_turn' },
    ],
  ])('%s: is explained, stored and looked up', async (_, request, given) => {
    const { cache } = openCache()
    expect((await cache.store(request, given)).stored).toBe(true)
    const found = await cache.lookup(request)
    expect(found?.answer).toEqual(given)
    expect(found?.info.key).toBe(cache.explain(request).key)
  })

  it('names what is wrong: the provider, its endpoint, or the place that Bedrock must be told', () => {
    const { cache } = openCache()
    expect(() => cache.explain({ provider: 'acme', endpoint: 'chat', body: {} })).toThrow(/"provider" is "acme".*anthropic/)
    expect(() => cache.explain({ provider: 'anthropic', endpoint: 'chat.completions', body: {} })).toThrow(/"endpoint".*messages/)
    expect(() => cache.explain({ provider: 'aws-bedrock', endpoint: 'converse', body: {} })).toThrow(/"origin".*bedrock-runtime/)
  })

  it('T04: headers count as they do through a client, whatever their letter case', () => {
    const { cache } = openCache()
    const request = { endpoint: 'chat.completions', body: { model: 'm', messages: [] } }
    const differ = (first: Record<string, string>, second: Record<string, string>) =>
      cache.explain({ ...request, headers: first }, { ...request, headers: second }).same
    expect(differ({ 'OpenAI-Beta': 'a' }, { 'openai-beta': 'a' })).toBe(true)
    expect(differ({ 'OpenAI-Beta': 'a' }, { 'openai-beta': 'b' })).toBe(false)
    expect(differ({ authorization: 'Bearer one' }, { authorization: 'Bearer two' })).toBe(true)
  })
})
