/**
 * Further cases of streams that serve whole calls: what only their server knows how to put together is not put together.
 * @module
 */
import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { formatEvents } from '../../src/base/server-sent-events.ts'
import { cachingFetch, withCache } from '../../src/clients/with-cache.ts'
import { openCache, settle } from '../support/chat.ts'

const chunk = (delta: object, finish: string | null = null) => ({
  data: JSON.stringify({
    id: 'c',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta, finish_reason: finish }],
  }),
})
const usage = { data: JSON.stringify({ id: 'c', choices: [], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } }) }

/** The message of a whole call after a stream of these deltas; `undefined` if the provider was asked for it. */
async function wholeAfter(deltas: readonly object[]): Promise<object | undefined> {
  let isStored = false
  const caching = cachingFetch(openCache().cache, async () => {
    if (isStored) return Response.json({ choices: [] })
    const events = [...deltas.map((delta) => chunk(delta)), chunk({ content: 'Hi' }), chunk({}, 'stop'), usage, { data: '[DONE]' }]
    return new Response(formatEvents(events), { headers: { 'content-type': 'text/event-stream' } })
  })
  const ask = async (more: object) => {
    const body = JSON.stringify({ model: 'm', messages: [], ...more })
    return (await caching('https://openrouter.ai/api/v1/chat/completions', { method: 'POST', body })).text()
  }
  await ask({ stream: true, stream_options: { include_usage: true } })
  await settle()
  isStored = true
  const whole: { choices: { message: object }[] } = JSON.parse(await ask({}))
  return whole.choices[0]?.message
}

const reasoning = (...pieces: readonly object[]) => ({
  reasoning_details: pieces.map((piece) => Object.assign({ type: 'reasoning.text', index: 0 }, piece)),
})
const signed = [{ type: 'reasoning.text', index: 0, text: 'ab', signature: 'S' }]

describe('G35 reasoning of OpenRouter', () => {
  it.each<[string, object[], unknown]>([
    ['in three deltas', [reasoning({ text: 'a' }), reasoning({ text: 'b' }), reasoning({ signature: 'S' })], signed],
    ['in one delta', [reasoning({ text: 'a' }, { text: 'b', signature: 'S' })], signed],
    ['in two delta of two pieces', [reasoning({ text: 'a' }, { text: 'b' }), reasoning({ text: '' }, { signature: 'S' })], signed],
    ['of two ids at one place', [reasoning({ text: 'a', id: 'x' }), reasoning({ text: 'b', id: 'y' })], undefined],
    ['of two signatures at one place', [reasoning({ text: 'a', signature: 'A' }), reasoning({ text: 'b', signature: 'B' })], undefined],
    ['without a place', [reasoning({ text: 'a', index: null }), reasoning({ text: 'b', index: null })], undefined],
  ])('%s', async (_, deltas, expected) => {
    const message = await wholeAfter(deltas)
    expect(message === undefined ? undefined : Reflect.get(message, 'reasoning_details')).toEqual(expected)
  })
})

const thinking = (members: object) => ({ thinking_blocks: [{ type: 'thinking', ...members }] })

describe('G35 lists of other servers', () => {
  it.each<[string, object[], unknown]>([
    [
      'the thinking of LiteLLM in pieces',
      [thinking({ thinking: 'a' }), thinking({ thinking: 'b' }), thinking({ signature: 'S' })],
      undefined,
    ],
    ['the thinking of LiteLLM in one', [thinking({ thinking: 'a', signature: 'S' })], thinking({ thinking: 'a', signature: 'S' })],
    [
      'citations',
      [{ annotations: [{ type: 'url_citation', n: 1 }] }, { annotations: [{ type: 'url_citation', n: 2 }] }],
      { annotations: [1, 2].map((n) => ({ type: 'url_citation', n })) },
    ],
    ['numbers of tokens', [{ token_ids: [1] }, { token_ids: [2] }], { token_ids: [1, 2] }],
  ])('%s', async (_, deltas, expected) => {
    const message = await wholeAfter(deltas)
    // A message that was put together has more members than those.
    expect(message === undefined ? undefined : { ...message, ...Object(expected) }).toEqual(expected === undefined ? undefined : message)
  })
})

describe('G59 a fetch with members', () => {
  it.each<[string, (given: typeof fetch) => unknown]>([
    ['a wrapped client', (given) => withCache(new OpenAI({ apiKey: 'k', fetch: given }), openCache().cache)],
    ['cachingFetch', (given) => ({ fetch: cachingFetch(openCache().cache, given) })],
  ])('has those that it inherits and those that it gets later: %s', (_, wrap) => {
    const given = Object.assign(async () => Response.json({}), { own: 1 })
    Object.setPrototypeOf(given, Object.assign(Object.create(Function.prototype), { inherited: 2 }))
    const ours = Object(wrap(given))
    Object.assign(given, { later: 3 })
    expect(['own', 'inherited', 'later'].map((name): unknown => Reflect.get(Object(Reflect.get(ours, 'fetch')), name))).toEqual([1, 2, 3])
  })
})
