/**
 * What a soak came to, as a table and in one line.
 * @module
 */
import type { Served } from './messages.ts'
import type { Soaked } from './run.ts'

/** The table of a soak. */
export function tableOf({ processes, asked, mishaps, unknowing, requireStore }: Soaked): string {
  const served = processes.flatMap((each) => each.served)
  const sources = [...new Set(served.map(({ source }) => source))].toSorted()
  const head = ['process', 'calls', ...sources.map((source) => `% ${source}`), 'p50 ms', 'p99 ms', 'longest ms', 'aborted', 'invalidated']
  const row = (name: string, some: readonly Served[], aborted: number, declared: readonly { known: boolean }[]): string[] => {
    const waits = some.map(({ begun, ended }) => ended - begun).toSorted((first, second) => first - second)
    const at = (share: number): string => (waits[Math.min(waits.length - 1, Math.floor(share * waits.length))] ?? 0).toFixed(1)
    const share = (source: string): string => ((100 * some.filter((each) => each.source === source).length) / some.length).toFixed(1)
    const told = declared.filter(({ known }) => known).length
    return [
      name,
      some.length.toLocaleString('en'),
      ...sources.map(share),
      at(0.5),
      at(0.99),
      at(1),
      String(aborted),
      `${told} told, ${declared.length - told} later`,
    ]
  }
  const rows = processes.map((each, index) => row(String(index), each.served, each.aborted, each.declared))
  const all = processes.flatMap(({ declared }) => declared)
  const aborted = processes.reduce((sum, each) => sum + each.aborted, 0)
  const table = aligned([head, ...rows, row('all', served, aborted, all)])
  const kills = mishaps.filter(({ what }) => what === 'kill')
  return [
    table,
    '',
    `The origin was asked ${asked.toLocaleString('en')} times. Redis was killed ${kills.length} times, and the network cut ${mishaps.length - kills.length} times.`,
    requireStore
      ? 'Redis was required: what was served where it could not be read is judged like all else.'
      : `${unknowing.toLocaleString('en')} answers that were declared outdated were served where Redis could not be read, as is documented.`,
  ].join('\n')
}

/** The one line that counts. */
export function verdictOf({ failed, wrong, outdated }: Pick<Soaked, 'failed' | 'wrong' | 'outdated'>): string {
  return `${failed.length} failed, ${wrong.length} wrong, ${outdated.length} outdated`
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) => row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  ')).join('\n')
}
