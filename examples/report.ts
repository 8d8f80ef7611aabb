/**
 * How the examples print what the cache tells: where an answer came from and what it saved, as lines and as a table.
 * @module
 */
import { styleText } from 'node:util'
import type { CacheInfo } from 'llmemo'

/** One row of the table. */
export interface Row {
  readonly call: string
  readonly from: string
  readonly took: string
  readonly saved: string
  /** Whether the cache answered. */
  readonly hit: boolean
}

/** Where an answer came from and what it saved, in one line. */
export function line(info: CacheInfo | undefined): string {
  if (info === undefined) return 'the cache knows nothing of it'
  return info.hit ? `${from(info)}, saved ${saved(info)}` : from(info)
}

/** Where an answer came from. */
export function from(info: CacheInfo): string {
  if (info.hit) return info.stale ? `${info.source}, stale` : info.source
  return info.reason === undefined ? 'origin' : `origin (${info.reason})`
}

/** What a hit saved. */
export function saved({ savedUsd, savedTokens, savedMs }: Pick<CacheInfo, 'savedUsd' | 'savedTokens' | 'savedMs'>): string {
  return `${dollars(savedUsd)} · ${savedTokens === null ? 'unknown' : count(savedTokens)} tokens · ${seconds(savedMs)}`
}

/** US dollars with the digits that say something, or that they are not known. */
export function dollars(amount: number | null): string {
  if (amount === null) return '$ unknown'
  if (amount === 0) return '$0'
  return `$${amount.toFixed(Math.max(2, 1 - Math.floor(Math.log10(amount))))}`
}

/** A whole number, in groups of three. */
export function count(number: number): string {
  return number.toLocaleString('en')
}

/** Milliseconds as seconds. */
export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`
}

/** Milliseconds, with a digit behind the point when there are few. */
export function milliseconds(duration: number): string {
  return `${duration < 10 ? duration.toFixed(1) : Math.round(duration)} ms`
}

/** The rows as a table with aligned columns; coloured where the reader's terminal shows colours. */
export function table(rows: readonly Row[]): string {
  const head = { call: 'call', from: 'answered from', took: 'took', saved: 'saved', hit: false }
  const width = (of: (row: Row) => string): number => Math.max(...[head, ...rows].map((row) => of(row).length))
  const calls = width(({ call }) => call)
  const froms = width(({ from }) => from)
  const tooks = width(({ took }) => took)
  const text = (row: Row): string =>
    `${row.call.padEnd(calls)}  ${row.from.padEnd(froms)}  ${row.took.padStart(tooks)}  ${row.saved}`.trimEnd()
  return [strong(text(head)), ...rows.map((row) => (row.hit ? green(text(row)) : text(row)))].join('\n')
}

/** A line that stands out. Colours are left away where they would be rubbish: in files, pipes, and under `NO_COLOR`. */
export function strong(text: string): string {
  return styleText('bold', text, { stream: process.stdout })
}

function green(text: string): string {
  return styleText('green', text, { stream: process.stdout })
}
