/**
 * The table of a kept run for those who read no JSON: `bench/results/summary.md`.
 * @module
 */
import { type Table, duration, formatTable } from './harness/table.ts'
import type { Other } from './others/other.ts'

/** What the summary needs of the figures. Each is as its row in `rows/` returns it. */
export interface Summed {
  readonly 'client-hit': { readonly openai: readonly Swept[]; readonly uncopied: readonly string[] }
  readonly 'redis-hit': { readonly clients: readonly Swept[] }
  readonly 'stream-hit': { readonly openai: readonly Swept[] }
  readonly coalescing: readonly { readonly name: string; readonly store: string; readonly upstream: number }[]
  readonly processes: readonly { readonly name: string; readonly upstream: number }[]
}

interface Swept {
  readonly name: string
  readonly sizes: Readonly<Record<string, { readonly median: number }>>
}

/** One line for each, at 2 KB. */
export function summary(rows: Summed, others: readonly Pick<Other, 'name' | 'abilities'>[]): string {
  const { openai, uncopied } = rows['client-hit']
  const streams = rows['stream-hit'].openai
  const table: Table = {
    header: [
      '2 KB question, 2 KB answer',
      'hit in memory',
      'hit in Redis',
      'streamed hit',
      'upstream calls of 10,000 at once',
      'of 4 processes × 250',
      'own copy for each caller',
      'Bedrock',
      'embeddings per input',
    ],
    rows: others.map(({ name, abilities }) => [
      name,
      at(openai, name),
      at(rows['redis-hit'].clients, name),
      streams.some((each) => each.name === name) ? at(streams, name) : 'no',
      whole(rows.coalescing.find((each) => each.name === name)?.upstream),
      whole(rows.processes.find((each) => each.name === name)?.upstream),
      openai.some((each) => each.name === name) ? (uncopied.includes(name) ? 'no' : 'yes') : '–',
      abilities.bedrock,
      abilities.embeddings,
    ]),
  }
  const base = `The bare SDK takes ${at(openai, 'SDK, instant fetch')} for such a call when the provider answers at once, and ${at(streams, 'SDK, same bytes from memory')} to decode the stream.`
  return `${formatTable(table, [0, 6, 7, 8])}\n\n${base}\n`
}

function at(swept: readonly Swept[], name: string): string {
  return duration(swept.find((each) => each.name === name)?.sizes['2000']?.median ?? Number.NaN)
}

function whole(count: number | undefined): string {
  return count === undefined ? '–' : count.toLocaleString('en-US')
}
