/**
 * A hit that is streamed: until the first event, and until the last, beside the SDK decoding the same bytes out of memory.
 * @module
 */
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { withCache } from '../../dist/index.mjs'
import { messagesInput } from '../harness/anthropic.ts'
import { budgetSize, type Prepared, ratioAt, round, sweep, sweepFigures, sweepTable } from '../harness/by-size.ts'
import { type Answers, originOf } from '../harness/origin.ts'
import { asked, chatEvents, messageEvents, prose, question, type Question, sizeName, sizes } from '../harness/payload.ts'
import type { Budget, Row } from '../harness/report.ts'
import { median, percentile } from '../harness/statistics.ts'
import { duration, type Table } from '../harness/table.ts'
import { everyone } from '../others/index.ts'

const sdk = 'SDK, same bytes from memory'
const ours = 'llmemo'

/** Milliseconds until the first event, by name and size. */
type Firsts = Map<string, Map<number, number[]>>
/** Reads a stream to its end, says when the first event is there, and returns the text. */
type Read = (one: Question, first: () => void) => Promise<string>

/** Streamed hit. */
export const streamHit: Row = {
  name: 'stream-hit',
  title: 'Streamed hit',
  async run(run) {
    const firsts = { openai: new Map(), anthropic: new Map() } satisfies Record<string, Firsts>
    const openai = await sweep(run, (size) => prepare(size, firsts.openai, openaiReaders, { whole: '{}', events: chatEvents(size) }))
    const anthropic = await sweep(run, (size) =>
      prepare(size, firsts.anthropic, anthropicReaders, { whole: '{}', events: messageEvents(size) }),
    )
    const budgets = (
      [
        ['OpenAI', openai, firsts.openai],
        ['Anthropic', anthropic, firsts.anthropic],
      ] as const
    ).flatMap(([name, timings, first]): Budget[] => [
      {
        what: `streamed hit, ${name} client, 2 KB of text, first event`,
        measured: median(firstsAt(first, ours, budgetSize)),
        limit: 1,
        unit: 'ms',
      },
      {
        what: `streamed hit, ${name} client, 2 KB of text, beside the SDK decoding`,
        measured: ratioAt(timings, budgetSize, ours, sdk),
        limit: 1.3,
        unit: '×',
      },
    ])
    return {
      tables: [
        { caption: "OpenAI's chat completions, to the last event.", table: sweepTable(openai, sdk) },
        { caption: "OpenAI's chat completions, to the first event.", table: firstTable(firsts.openai) },
        { caption: "Anthropic's messages, to the last event.", table: sweepTable(anthropic, sdk) },
        { caption: "Anthropic's messages, to the first event.", table: firstTable(firsts.anthropic) },
      ],
      notes: [
        'The size is that of the text, in events of 24 characters; with their envelopes they have ten times as many bytes.',
        'Map by hand, ioredis by hand, bentocache and cacheable around the call cannot keep a stream.',
      ],
      budgets,
      figures: {
        openai: sweepFigures(openai, sdk),
        openaiFirst: firstFigures(firsts.openai),
        anthropic: sweepFigures(anthropic, sdk),
        anthropicFirst: firstFigures(firsts.anthropic),
      },
    }
  },
}

async function prepare(
  size: number,
  firsts: Firsts,
  open: (answers: Answers, one: Question, text: string) => Promise<Map<string, Read>> | Map<string, Read>,
  answers: Answers,
): Promise<Prepared> {
  const one = question(size)
  const text = prose(size, 1_001)
  const readers = await open(answers, one, text)
  const contenders = [...readers].map(([name, read]) => {
    const times: number[] = []
    firsts.set(name, (firsts.get(name) ?? new Map<number, number[]>()).set(size, times))
    return {
      name,
      async run() {
        const start = performance.now()
        const got = await read(one, () => times.push(performance.now() - start))
        if (got.length !== text.length) throw new Error(`${name} lost a part of the stream`)
      },
    }
  })
  return { contenders }
}

async function openaiReaders(answers: Answers, one: Question, text: string): Promise<Map<string, Read>> {
  const bare = new OpenAI({ apiKey: 'sk-bench', fetch: originOf(answers).fetch })
  const readers = new Map<string, Read>([
    [
      sdk,
      async (next, first) => {
        const stream = await bare.chat.completions.create({ ...asked(next), stream: true })
        let got = ''
        for await (const chunk of stream) {
          if (got === '') first()
          got += chunk.choices[0]?.delta.content ?? ''
        }
        return got
      },
    ],
  ])
  for (const other of everyone) {
    const origin = originOf(answers)
    const caller = await other.memory?.(origin)
    if (caller?.stream === undefined) continue
    for (let time = 0; time < 3; time++) if ((await caller.stream(one, () => {})) !== text) throw new Error(`${other.name} lost the stream`)
    readers.set(
      origin.calls() === 1 ? other.name : `${other.name}, asking again`,
      (next, first) => caller.stream?.(next, first) ?? Promise.resolve(''),
    )
  }
  return readers
}

const reader =
  (client: Pick<Anthropic, 'messages'>): Read =>
  async (next, first) => {
    const stream = await client.messages.create({ ...messagesInput(next), stream: true })
    let got = ''
    for await (const event of stream) {
      if (got === '') first()
      if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') got += event.delta.text
    }
    return got
  }

async function anthropicReaders(answers: Answers, one: Question, text: string): Promise<Map<string, Read>> {
  const origin = originOf(answers)
  const readers = new Map<string, Read>([
    [sdk, reader(new Anthropic({ apiKey: 'sk-bench', fetch: originOf(answers).fetch }))],
    [ours, reader(withCache(new Anthropic({ apiKey: 'sk-bench', fetch: origin.fetch })))],
  ])
  for (let time = 0; time < 3; time++) if ((await readers.get(ours)?.(one, () => {})) !== text) throw new Error('llmemo lost the stream')
  if (origin.calls() !== 1) throw new Error('the Anthropic client did not hit')
  return readers
}

function firstsAt(firsts: Firsts, name: string, size: number): number[] {
  return firsts.get(name)?.get(size) ?? []
}

function firstTable(firsts: Firsts): Table {
  return {
    header: ['', ...sizes.flatMap((size) => [sizeName(size), 'p99'])],
    rows: [...firsts.keys()].map((name) => [
      name,
      ...sizes.flatMap((size) => {
        const times = firstsAt(firsts, name, size)
        return [duration(median(times) * 1_000), duration(percentile(times, 0.99) * 1_000)]
      }),
    ]),
  }
}

function firstFigures(firsts: Firsts): unknown {
  return [...firsts.keys()].map((name) => ({
    name,
    sizes: Object.fromEntries(sizes.map((size) => [size, { median: round(median(firstsAt(firsts, name, size)) * 1_000) }])),
  }))
}
