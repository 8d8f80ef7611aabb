/**
 * A hit that is streamed: until the first event, and until the last, beside the SDK decoding the same bytes out of memory.
 * @module
 */
import { budgetSize, comparedBySize, type Prepared, round, sweep, sweepFigures, type Sweep, sweepTable } from '../harness/by-size.ts'
import { originOf } from '../harness/origin.ts'
import { chatEvents, prose, question, sizeName } from '../harness/payload.ts'
import type { Budget, Row, Run } from '../harness/report.ts'
import { type Read, type SdkStreams, sdkStreams } from '../harness/sdk-streams.ts'
import { median, percentile } from '../harness/statistics.ts'
import { duration, type Table } from '../harness/table.ts'
import { othersAt } from '../others/index.ts'

const sdk = 'SDK, same bytes from memory'
const ours = 'llmemo'
/** Lengths of text that the budget holds for. */
const lengths = [500, budgetSize, 20_000]

/** Milliseconds until the first event, by name and size. */
type Firsts = Map<string, Map<number, number[]>>

/** Streamed hit. */
export const streamHit: Row = {
  name: 'stream-hit',
  title: 'Streamed hit',
  async run(run) {
    const measured: { client: SdkStreams; timings: Sweep; firsts: Firsts }[] = []
    for (const client of sdkStreams) {
      const firsts: Firsts = new Map()
      measured.push({ client, firsts, timings: await sweep(run, (size) => prepare(client, size, run, firsts), lengths) })
    }
    return {
      tables: measured.flatMap(({ client: { name }, timings, firsts }) => [
        { caption: `${name}'s client, to the last event.`, table: sweepTable(timings, sdk) },
        { caption: `${name}'s client, to the first event.`, table: firstTable(firsts) },
      ]),
      notes: [
        'The size is that of the text, in events of 24 characters; with their envelopes they have ten times as many bytes.',
        'Map by hand, ioredis by hand, bentocache and cacheable around the call cannot keep a stream.',
      ],
      budgets: measured.flatMap(({ client: { name }, timings, firsts }) => budgetsOf(name, timings, firsts)),
      figures: Object.fromEntries(
        measured.flatMap(({ client: { name }, timings, firsts }) => [
          [name.toLowerCase(), sweepFigures(timings, sdk)],
          [`${name.toLowerCase()}First`, firstFigures(firsts)],
        ]),
      ),
    }
  },
}

function budgetsOf(client: string, timings: Sweep, firsts: Firsts): Budget[] {
  return [
    ...comparedBySize({
      what: `streamed hit to the last event, ${client}`,
      timings,
      name: ours,
      base: sdk,
      baseName: 'the SDK decoding',
      limits: Object.fromEntries(lengths.map((length) => [length, 0.3])),
    }),
    {
      what: `streamed hit to the first event, ${client}, 2 KB`,
      measured: median(firsts.get(ours)?.get(budgetSize) ?? []),
      limit: 1,
      unit: 'ms',
    },
  ]
}

async function prepare(client: SdkStreams, size: number, run: Run, firsts: Firsts): Promise<Prepared> {
  const one = question(size)
  const text = prose(size, 1_001)
  const readers = new Map<string, Read>([[sdk, client.open(size, false).read]])
  const cached = client.open(size, true)
  for (let time = 0; time < 3; time++) if ((await cached.read(one, () => {})) !== text) throw new Error(`${client.name} lost the stream`)
  if (cached.calls() !== 1) throw new Error(`the ${client.name} client did not hit`)
  readers.set(ours, cached.read)
  if (client.name === 'OpenAI') for (const [name, read] of await others(size, run, text)) readers.set(name, read)
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

/** The others that can stream, each by its own way. */
async function others(size: number, run: Run, text: string): Promise<Map<string, Read>> {
  const readers = new Map<string, Read>()
  const one = question(size)
  for (const other of othersAt(run, size)) {
    const origin = originOf({ whole: '{}', events: chatEvents(size) })
    const caller = other.name === ours ? undefined : await other.memory?.(origin)
    if (caller?.stream === undefined) continue
    for (let time = 0; time < 3; time++) if ((await caller.stream(one, () => {})) !== text) throw new Error(`${other.name} lost the stream`)
    const name = origin.calls() === 1 ? other.name : `${other.name}, asking again`
    readers.set(name, (next, first) => caller.stream?.(next, first) ?? Promise.resolve(''))
  }
  return readers
}

function firstTable(firsts: Firsts): Table {
  const sizes = [...(firsts.get(ours)?.keys() ?? [])]
  return {
    header: ['', ...sizes.flatMap((size) => [sizeName(size), 'p99'])],
    rows: [...firsts].map(([name, bySize]) => [
      name,
      ...sizes.flatMap((size) => {
        const times = bySize.get(size) ?? []
        return [duration(median(times) * 1_000), duration(percentile(times, 0.99) * 1_000)]
      }),
    ]),
  }
}

function firstFigures(firsts: Firsts): unknown {
  return [...firsts].map(([name, bySize]) => ({
    name,
    sizes: Object.fromEntries([...bySize].map(([size, times]) => [size, { median: round(median(times) * 1_000) }])),
  }))
}
