/**
 * Tests of a program that calls a model: answers are recorded once, and replayed from then on, without a key, a network or a cost.
 *
 * The recordings lie in `__cassettes__/record-replay.test/`, to be committed and read in a review. To record them again:
 * `OPENAI_API_KEY=… LLMEMO_MODE=record npx vitest run examples/record-replay.test.ts`
 */
import OpenAI from 'openai'
import { createCache, isNotCached, withCache } from 'llmemo'
import { testCassettes } from 'llmemo/testing'
import { afterAll, expect, it } from 'vitest'

const store = testCassettes({ afterAll })
const cache = createCache({ store, mode: 'replay' })
const openai = withCache(new OpenAI({ apiKey: process.env['OPENAI_API_KEY'] ?? 'a replay needs none' }), cache)
afterAll(() => cache.close())

const licence =
  'Permission is hereby granted, free of charge, to any person to use, copy and sell the software. ' +
  'The notice shall be included in all copies.'

/** What the program does. */
async function summarise(text: string, reader: string): Promise<string> {
  const { choices } = await openai.chat.completions.create(
    { model: 'gpt-5-mini', messages: [{ role: 'user', content: `Summarise this for ${reader}.\n\n${text}` }] },
    { cache: { operation: 'summarise' } },
  )
  return choices[0]?.message.content ?? ''
}

it('summarises a licence', async () => {
  expect(await summarise(licence, 'a child')).toMatch(/free of charge/)
})

it('streams an answer in pieces', async () => {
  const pieces: string[] = []
  const stream = await openai.chat.completions.create({
    model: 'gpt-5-mini',
    messages: [{ role: 'user', content: `What shall be included?\n\n${licence}` }],
    stream: true,
  })
  for await (const { choices } of stream) pieces.push(choices[0]?.delta.content ?? '')
  expect(pieces.length).toBeGreaterThan(3)
  expect(pieces.join('')).toContain('The notice shall be included')
})

it.skipIf(/record|auto/.test(process.env['LLMEMO_MODE'] ?? ''))(
  'fails at once when the prompt has changed, and says what is nearest',
  async () => {
    const error: unknown = await summarise(licence, 'a lawyer').catch((reason: unknown) => reason)
    expect(isNotCached(error)).toBe(true)
    expect(String(error)).toContain('asked:    "Summarise this for a lawyer.')
  },
)
