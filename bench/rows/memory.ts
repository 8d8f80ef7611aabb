/**
 * What entries take in memory: beside the bytes that were configured, and for each entry beside the others. Each fills a process of its own.
 * @module
 */
import { round } from '../harness/by-size.ts'
import { numberIn, runChild } from '../harness/child.ts'
import type { Row } from '../harness/report.ts'
import { bytes, digits } from '../harness/table.ts'
import { everyone } from '../others/index.ts'
import { mixes } from './memory-mixes.ts'

/** Those whose entries are compared. */
const compared: ReadonlySet<string> = new Set(['llmemo', 'bentocache'])

/** Resident memory. */
export const memory: Row = {
  name: 'memory',
  title: 'Memory',
  async run(run) {
    const bound = (run.isQuick ? 16 : 64) * 2 ** 20
    // By turns of two: how long it takes is not what is measured here.
    const turns = mixes.map((mix) => ({ name: 'llmemo', mix: mix.name, bound, share: 1 }))
    const names = everyone.filter((other) => other.memory !== undefined).map(({ name }) => name)
    const share = run.isQuick ? 0.3 : 1
    const shares = mixes.flatMap((mix) =>
      names.filter((name) => !run.isQuick || compared.has(name)).map((name) => ({ name, mix: mix.name, bound: 0, share })),
    )
    const bounded: { mix: string; entries: number; accounted: number; heap: number; resident: number; loose: number }[] = []
    const each: { name: string; mix: string; heap: number; body: number }[] = []
    const queue = [...turns, ...shares].values()
    const told = new Map<object, unknown>()
    const worker = async (): Promise<void> => {
      for (const turn of queue) told.set(turn, await runChild('memory-process.ts', turn))
    }
    await Promise.all([worker(), worker()])
    for (const turn of turns) {
      const facts = told.get(turn)
      bounded.push({
        mix: turn.mix,
        entries: numberIn(facts, 'entries'),
        accounted: numberIn(facts, 'accounted'),
        heap: numberIn(facts, 'heap'),
        resident: numberIn(facts, 'resident'),
        loose: numberIn(facts, 'loose'),
      })
    }
    for (const turn of shares) {
      const facts = told.get(turn)
      const entries = numberIn(facts, 'entries')
      each.push({ name: turn.name, mix: turn.mix, heap: numberIn(facts, 'heap') / entries, body: numberIn(facts, 'bodies') / entries })
    }
    return {
      tables: [
        {
          caption: `llmemo with maxMemoryBytes of ${bytes(bound)}, after as many entries have gone as there is room for.`,
          table: {
            header: [
              'mix',
              'entries kept',
              'by its own account',
              'on the heap and outside',
              'resident',
              'beside the bound',
              'resident before unused pages went back',
            ],
            rows: bounded.map(({ mix, entries, accounted, heap, resident, loose }) => [
              mix,
              entries.toLocaleString('en-US'),
              bytes(accounted),
              bytes(heap),
              bytes(resident),
              `${digits(resident / bound)} ×`,
              bytes(loose),
            ]),
          },
        },
        {
          caption: 'For each entry, on the heap and outside, after as many calls through a client as everyone has room for.',
          table: {
            header: ['mix', '', 'for each entry', 'its answer as JSON', '×'],
            rows: each.map(({ name, mix, heap, body }) => [mix, name, bytes(heap), bytes(body), digits(heap / body)]),
          },
          left: [0, 1],
        },
      ],
      notes: [
        `Mixes: ${mixes.map(({ name, what }) => `${name}: ${what}`).join('; ')}.`,
        'Resident: what the process’s resident set grew by, after the collector gave back every page that it did not use. What it keeps for itself before that depends on what was stored and thrown away meanwhile, and is in the last column.',
      ],
      budgets: [
        ...bounded.map(({ mix, resident }) => ({
          what: `resident memory, ${mix}, × the configured ${bytes(bound)}`,
          measured: resident / bound,
          limit: 1.5,
          unit: '×',
        })),
        ...mixes.map(({ name: mix }) => ({
          what: `bytes for each entry, ${mix}, × bentocache`,
          measured: besidePeer(each.filter((one) => one.mix === mix)),
          limit: undefined,
          unit: '×',
        })),
      ],
      figures: {
        bound,
        bounded,
        each: each.map(({ name, mix, heap, body }) => ({ name, mix, heap: round(heap), body: round(body) })),
      },
    }
  },
}

/** How many times as much memory an entry takes as one of bentocache, both beside the answers that they got. */
function besidePeer(entries: readonly { readonly name: string; readonly heap: number; readonly body: number }[]): number {
  const share = (name: string): number => {
    const { heap, body } = entries.find((entry) => entry.name === name) ?? { heap: Number.NaN, body: Number.NaN }
    return heap / body
  }
  return share('llmemo') / share('bentocache')
}
