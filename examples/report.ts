/**
 * How the examples print what the cache says: where an answer came from and what it saved, as lines and as the rows of a table.
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
  /** Hits are green, failures are red. */
  readonly kind: 'hit' | 'miss' | 'failure'
}

/** What of a hit is saved. */
export type Savings = Pick<CacheInfo, 'savedUsd' | 'savedTokens' | 'savedMs'>

/** The widths are fixed, so that each row can be printed when its call ends. With what was saved, a row has 80 characters at most. */
const widths = { call: 28, from: 20, took: 7 }

/** Where an answer came from and what it saved, in one line. */
export function line(info: CacheInfo | undefined): string {
  if (info === undefined) return 'the cache did not see this call'
  return info.hit ? `${from(info)}, saved ${saved(info)}` : from(info)
}

/** Where an answer came from. */
export function from(info: CacheInfo): string {
  if (info.hit) return info.stale ? `${info.source}, stale` : info.source
  return info.reason === undefined ? 'origin' : `origin (${info.reason})`
}

/** What a hit saved. */
export function saved({ savedUsd, savedTokens, savedMs }: Savings): string {
  return `${dollars(savedUsd)} · ${savedTokens === null ? 'unknown' : count(savedTokens)} tokens · ${seconds(savedMs)}`
}

/** What a hit saved, short enough for a row: money and time. */
export function savedBriefly({ savedUsd, savedMs }: Savings): string {
  return savedMs === 0 ? dollars(savedUsd) : `${dollars(savedUsd)} · ${seconds(savedMs)}`
}

/** US dollars to two significant digits at least, or that the amount is not known. */
export function dollars(amount: number | null): string {
  if (amount === null) return '$ unknown'
  if (amount === 0) return '$0'
  return `$${amount.toFixed(Math.max(2, 1 - Math.floor(Math.log10(amount))))}`
}

/** A whole number, in groups of three digits. */
export function count(number: number): string {
  return number.toLocaleString('en')
}

/** Milliseconds as seconds. */
export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`
}

/** Milliseconds, with one decimal if there are fewer than ten. */
export function milliseconds(duration: number): string {
  return `${duration < 10 ? duration.toFixed(1) : Math.round(duration)} ms`
}

/** The head of the table. */
export function head(): string {
  return strong(`${firstCell('call')}${otherCells({ from: 'answered from', took: 'took', saved: 'saved' })}`)
}

/** A row of the table. */
export function rowText(row: Row): string {
  return `${firstCell(row.call)}${restOfRow(row)}`
}

/** The first cell of a row, which can be printed when the call begins. */
export function firstCell(call: string): string {
  return `${fit(call, widths.call)}  `
}

/** The rest of the row, which is known when the call has ended. */
export function restOfRow(row: Row): string {
  const text = otherCells(row)
  if (row.kind === 'miss') return text
  return styleText(row.kind === 'hit' ? 'green' : 'red', text, { stream: process.stdout })
}

/** A line that stands out. There are no colours in files, in pipes and under `NO_COLOR`. */
export function strong(text: string): string {
  return styleText('bold', text, { stream: process.stdout })
}

function otherCells({ from, took, saved }: Pick<Row, 'from' | 'took' | 'saved'>): string {
  return `${fit(from, widths.from)}  ${took.padStart(widths.took)}  ${saved}`.trimEnd()
}

/** The text with exactly this many characters. */
function fit(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width)
}
