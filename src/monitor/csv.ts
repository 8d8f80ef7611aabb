/**
 * A report as comma-separated values.
 * @module
 */
import type { MonitorFigures, Recommendation } from './figures.ts'

/**
 * One line for each figure: the group, the name within it, the figure, and its value.
 * Source: RFC 4180
 */
export function reportCsv(report: MonitorFigures & { readonly recommendations: readonly Recommendation[] }): string {
  return ['group,name,figure,value', ...rowsOf(report)].map((line) => `${line}\r\n`).join('')
}

function rowsOf(report: object): string[] {
  return Object.entries(report).flatMap(([group, value]: [string, unknown]) => {
    if (Array.isArray(value))
      return value.flatMap((item: unknown, index) => leaves(item, []).map((leaf) => row(group, String(index), leaf)))
    if (typeof value !== 'object' || value === null) return [row(group, '', { path: ['value'], value })]
    return Object.entries(value).flatMap(([name, inner]: [string, unknown]) =>
      typeof inner === 'object' && inner !== null
        ? leaves(inner, []).map((leaf) => row(group, name, leaf))
        : [row(group, '', { path: [name], value: inner })],
    )
  })
}

/** One figure and the way to it. */
interface Leaf {
  readonly path: readonly string[]
  readonly value: unknown
}

function leaves(value: unknown, path: readonly string[]): Leaf[] {
  if (typeof value !== 'object' || value === null) return [{ path, value }]
  return Object.entries(value).flatMap(([name, inner]: [string, unknown]) => leaves(inner, [...path, name]))
}

function row(group: string, name: string, { path, value }: Leaf): string {
  return [group, name, path.join('.'), String(value)].map(field).join(',')
}

/** A spreadsheet must not take a name for a formula. */
function field(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) && !/^-?\d/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
