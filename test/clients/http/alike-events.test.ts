import Anthropic from '@anthropic-ai/sdk'
import { array, assert, asyncProperty, boolean, constantFrom, nat, oneof, property, string } from 'fast-check'
import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { eventForm as formOfAnthropic } from '../../../src/clients/anthropic/event-forms.ts'
import { AlikeEvents, type EventForm } from '../../../src/clients/http/alike-events.ts'
import { eventForm as formOfOpenai } from '../../../src/clients/openai/event-forms.ts'
import { createCache, withCache } from '../../../src/index.ts'

type FormOf = (event: unknown) => EventForm | undefined

const chunk = (delta: object, rest: object = {}): object => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1_763_600_000,
  model: 'gpt-5',
  choices: [{ index: 0, delta, logprobs: null, finish_reason: null }],
  usage: null,
  ...rest,
})
const delta = (piece: object): { readonly type: string; readonly index: number; readonly delta: object } => ({
  type: 'content_block_delta',
  index: 0,
  delta: piece,
})
const ofResponse = (text: string, number: number, rest: object): object => ({
  type: 'response.output_text.delta',
  content_index: 0,
  delta: text,
  item_id: 'msg_1',
  ...rest,
  output_index: 0,
  sequence_number: number,
})

/** Kinds of events, each made of two texts and a number. */
const kinds: readonly [name: string, formOf: FormOf, make: (text: string, filler: string, number: number) => object][] = [
  ['a chunk', formOfOpenai, (content) => chunk({ content })],
  ['a chunk with a role', formOfOpenai, (content) => chunk({ role: 'assistant', content, refusal: null })],
  ['a chunk that is filled up', formOfOpenai, (content, obfuscation) => chunk({ content }, { obfuscation })],
  ['a chunk of reasoning', formOfOpenai, (text) => chunk({ reasoning_content: text, role: 'assistant' })],
  ['a chunk of an answer and of reasoning', formOfOpenai, (content, reasoning_content) => chunk({ content, reasoning_content })],
  ['a chunk with the name of its text behind it, too', formOfOpenai, (content) => chunk({ content }, { content: '' })],
  ['a chunk of a refusal', formOfOpenai, (refusal) => chunk({ refusal })],
  ['a piece of a response', formOfOpenai, (text, _, number) => ofResponse(text, number, {})],
  [
    'a piece with no probabilities',
    formOfOpenai,
    (text, filler, number) => ofResponse(text, number, { logprobs: [], obfuscation: filler }),
  ],
  ['a piece of a text', formOfAnthropic, (text) => delta({ type: 'text_delta', text })],
  ['a piece of thinking', formOfAnthropic, (thinking) => delta({ type: 'thinking_delta', thinking })],
  ['a piece of JSON', formOfAnthropic, (text) => delta({ type: 'input_json_delta', partial_json: text })],
]

/** Texts of the characters that JSON escapes, and of those that end an event, a text or an object. */
const texts = oneof(
  string({ unit: 'binary' }),
  string({ unit: constantFrom('"', '\\', '\n', '}', ',', 'a', 'content":"', '\u2028', '\ud800', '\\u0022') }),
)
const numbers = nat()

const textOf = (event: object): string => `event: delta\ndata: ${JSON.stringify(event)}\n\n`
const start = 'event: delta\ndata: '.length

function learn(event: object, formOf: FormOf): AlikeEvents | undefined {
  const form = formOf(JSON.parse(JSON.stringify(event)))
  return form === undefined ? undefined : AlikeEvents.of(textOf(event), start, { own: form.own, formOf })
}

const named = (content: string): string => `data: {"__proto__":1,"choices":[{"delta":{"__proto__":2,"content":"${content}"}}]}\n\n`

describe('an event that is made of another one', () => {
  it.each(kinds)('is what JSON.parse makes of its text: %s', (_, formOf, make) => {
    assert(
      property(texts, texts, numbers, texts, texts, numbers, (text, filler, number, text2, filler2, number2) => {
        const learnt = learn(make(text, filler, number), formOf)
        const next = make(text2, filler2, number2)
        const read = learnt?.read(textOf(next))
        expect(JSON.stringify(read)).toBe(JSON.stringify(next))
        expect(read).toEqual(next)
      }),
    )
  })

  it.each(kinds)('shares nothing with another, nor with the one that was learnt: %s', (_, formOf, make) => {
    const learnt = learn(make('one', 'two', 3), formOf)
    const text = textOf(make('four', 'five', 6))
    const first = learnt?.read(text)
    const spoil = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return
      for (const inner of Object.values(value)) spoil(inner)
      if (Array.isArray(value)) value.push('spoilt')
      else Object.assign(value, { spoilt: true })
    }
    spoil(first)
    expect(JSON.stringify(learnt?.read(text))).toBe(JSON.stringify(make('four', 'five', 6)))
  })

  it.each([
    ['ends otherwise', textOf(chunk({ content: 'b' }, { usage: { total_tokens: 1 } }))],
    ['begins otherwise', textOf(chunk({ content: 'b' }, { id: 'chatcmpl-2' }))],
    ['has another member beside its text', textOf(chunk({ content: 'b', role: 'assistant' }))],
    ['has an object as its text', textOf(chunk({ content: {} }))],
    ['has null as its text', textOf(chunk({ content: null }))],
    ['has its text twice', textOf(chunk({ content: 'b' })).replace('"content":"b"', '"content":"b","content":"c"')],
    ['is cut', textOf(chunk({ content: 'b' })).slice(0, -30)],
    ['is cut in its text', textOf(chunk({ content: 'bbbbbb' })).slice(0, -60)],
    ['is no JSON', textOf(chunk({ content: 'b' })).replace('"b"', '"\t"')],
    ['has a number that JSON does not allow', textOf(chunk({ content: 'b' })).replace('"b"', '007')],
    ['is empty', ''],
  ])('is left to JSON.parse if it %s', (_, text) => {
    const learnt = learn(chunk({ content: 'a' }), formOfOpenai)
    expect(learnt).toBeDefined()
    expect(learnt?.read(text)).toBeUndefined()
  })

  it.each([
    ['has the name of its text before it', { content: '', ...chunk({ content: '' }) }],
    [
      'has tokens with their probabilities',
      { ...chunk({ content: 'a' }), choices: [{ delta: { content: 'a' }, logprobs: { content: [] } }] },
    ],
    ['has several choices', { ...chunk({}), choices: [{ delta: { content: 'a' } }, { delta: { content: 'b' } }] }],
    ['has no choice', { ...chunk({}), choices: [] }],
    ['has a tool call', chunk({ tool_calls: [{ index: 0, function: { arguments: '{' } }] })],
    ['has its usage', chunk({ content: 'a' }, { usage: { total_tokens: 1 } })],
    ['has no text', chunk({})],
    ['is no object', [1]],
  ])('is not made of one that %s', (_, event) => {
    expect(learn(event, formOfOpenai)).toBeUndefined()
  })

  it('keeps a member that is called __proto__ a member', () => {
    const form = formOfOpenai(JSON.parse(named('a').slice(6)))
    const learnt = form === undefined ? undefined : AlikeEvents.of(named('a'), 6, { own: form.own, formOf: formOfOpenai })
    expect(JSON.stringify(learnt?.read(named('b')))).toBe(JSON.stringify(JSON.parse(named('b').slice(6))))
  })
})

/** A provider that streams these events. */
const streams =
  (body: string): typeof fetch =>
  () =>
    Promise.resolve(new Response(body, { headers: { 'content-type': 'text/event-stream' } }))

async function read(stream: AsyncIterable<unknown>): Promise<string[]> {
  const events: string[] = []
  for await (const event of stream) {
    events.push(JSON.stringify(event))
    // A caller may change what it was given.
    Object.assign(Object(event), { choices: [], delta: 'changed', index: 9 })
  }
  return events
}

const chat = (client: OpenAI) =>
  client.chat.completions.create({ model: 'gpt-5', messages: [{ role: 'user', content: 'Hi' }], stream: true })
const message = (client: Anthropic) =>
  client.messages.create({ model: 'claude', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }], stream: true })

describe('S09 a replayed stream', () => {
  it('gives the chunks that the SDK of OpenAI gives', async () => {
    const pieces = array(
      oneof(
        texts.map((content) => ({ content })),
        texts.map((refusal) => ({ refusal })),
      ),
      { maxLength: 30 },
    )
    await assert(
      asyncProperty(pieces, boolean(), async (deltas, isFilled) => {
        const chunks = [
          chunk({ role: 'assistant', content: '' }, { usage: undefined }),
          ...deltas.map((one, index) =>
            chunk(one, { created: 7 + (index >> 3), usage: undefined, ...(isFilled && { obfuscation: 'x'.repeat(index % 5) }) }),
          ),
          { ...chunk({}, { usage: undefined }), choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
        ]
        const body = `${chunks.map((one) => `data: ${JSON.stringify(one)}\n\n`).join('')}data: [DONE]\n\n`
        const own = new OpenAI({ apiKey: 'sk-test', fetch: streams(body) })
        const client = withCache(own, createCache())
        const expected = await read(await chat(own))
        for (let time = 0; time < 4; time++) expect(await read(await chat(client))).toEqual(expected)
      }),
      { numRuns: 30 },
    )
  })

  it('gives the events that the SDK of Anthropic gives', async () => {
    await assert(
      asyncProperty(array(texts, { maxLength: 30 }), async (pieces) => {
        const events = [
          { type: 'message_start', message: { id: 'msg_1', type: 'message', role: 'assistant', content: [], model: 'claude', usage: {} } },
          { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
          ...pieces.map((text) => delta({ type: 'text_delta', text })),
          { type: 'content_block_stop', index: 0 },
          { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 1 } },
          { type: 'message_stop' },
        ]
        const body = events.map((one) => `event: ${one.type}\ndata: ${JSON.stringify(one)}\n\n`).join('')
        const own = new Anthropic({ apiKey: 'sk-test', fetch: streams(body) })
        const client = withCache(own, createCache())
        const expected = await read(await message(own))
        for (let time = 0; time < 4; time++) expect(await read(await message(client))).toEqual(expected)
      }),
      { numRuns: 30 },
    )
  })
})
