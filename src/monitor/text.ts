/**
 * A report as text for a terminal of 80 columns.
 * @module
 */
import type { CallFigures, MonitorFigures, Recommendation } from './figures.ts'
import type { Times } from './times.ts'
import { bytesText, countText, dollarsText, durationText, millisecondsText, percentText, oneLine } from './words.ts'

const width = 80
/** Rows of one table; the rest is summed up in a line. */
const maxRows = 10

/** The text of a report, without an end of line at its end. */
export function reportText(report: MonitorFigures & { readonly recommendations: readonly Recommendation[] }): string {
  return [
    headOf(report),
    callTable('operation', report.byOperation),
    callTable('model', report.byModel),
    callTable('scope', report.byScope),
    callTable('text size', report.bySize),
    timeTable(report),
    factsOf(report),
    adviceOf(report.recommendations),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function headOf({ from, to, calls, savedUsd, spentUsd }: MonitorFigures): string {
  const asked = calls.hits + calls.misses
  return [
    `llmemo: ${new Date(from).toISOString()} to ${new Date(to).toISOString()}`,
    `${countText(asked)} calls, ${percentText(calls.hitRate)} hits (${countText(calls.hits)}; ${countText(calls.stale)} of them stale)`,
    `saved ${dollarsText(savedUsd)}, ${countText(calls.savedTokens)} tokens, ${durationText(calls.savedMs / 1_000)} of waiting; spent ${dollarsText(spentUsd)}`,
  ].join('\n')
}

function callTable(title: string, rows: Readonly<Record<string, CallFigures>>): string {
  const used = Object.entries(rows).filter(([, { hits, misses }]) => hits + misses > 0)
  const shown = used.toSorted(([, first], [, second]) => second.hits + second.misses - first.hits - first.misses)
  if (shown.length === 0) return ''
  const cells = shown
    .slice(0, maxRows)
    .map(([name, { hits, misses, hitRate, savedTokens, savedMs }]) => [
      name === '' ? '(none)' : name,
      countText(hits),
      countText(misses),
      percentText(hitRate),
      countText(savedTokens),
      durationText(savedMs / 1_000),
    ])
  const rest = shown.length > maxRows ? [`… and ${shown.length - maxRows} more`] : []
  return [...table([title, 'hits', 'misses', 'hit rate', 'tokens saved', 'time saved'], cells), ...rest].join('\n')
}

function timeTable({ keyTimes, readTimes, writeTimes, providerTimes, compression }: MonitorFigures): string {
  const rows: (readonly [name: string, times: Times])[] = [
    ...named('key of', keyTimes, ' text'),
    ...named('read', readTimes),
    ...named('write', writeTimes),
    ['compression', compression.times],
    ...named('provider', providerTimes),
  ]
  const used = rows.filter(([, { count }]) => count > 0)
  if (used.length === 0) return ''
  const cells = used.map(([name, { count, p50, p95, p99, max }]) =>
    [name, countText(count)].concat([p50, p95, p99, max].map(millisecondsText)),
  )
  return table(['time of', 'count', 'p50', 'p95', 'p99', 'most'], cells).join('\n')
}

function named(what: string, times: Readonly<Record<string, Times>>, after = ''): (readonly [string, Times])[] {
  return Object.entries(times).map(([name, each]) => [`${what} ${name}${after}`, each])
}

function factsOf({
  memory,
  written,
  compression,
  stored,
  skipped,
  bypasses,
  passes,
  invalidations,
  errors,
  stores,
}: MonitorFigures): string {
  const grown = `${memory.bytesGrown < 0 ? '' : '+'}${bytesText(memory.bytesGrown)}`
  const removed = Object.entries(invalidations).map(
    ([name, { calls, removed: number }]) => `${name} ${countText(calls)} (removed ${countText(number)})`,
  )
  const broken = stores.map(
    ({ name, read, write }) => `${oneLine(name)}: ${read ? 'read' : 'not read'}, ${write ? 'written' : 'not written'}`,
  )
  const compressed = `${bytesText(compression.bytes)} became ${bytesText(compression.storedBytes)} (${percentText(compression.ratio)})`
  const lines: (readonly [string, string])[] = [
    [
      'memory',
      `${bytesText(memory.bytes)} in ${countText(memory.entries)} entries (${grown}); ${countText(memory.evictions)} evicted, ${countText(memory.evictedUnread)} unread`,
    ],
    ['written', `${countText(written.entries)} entries, ${bytesText(written.bytes)}; ${countText(written.dropped)} dropped`],
    ...(compression.answers === 0 ? [] : [['compression', compressed] as const]),
    ['stored', `${countText(stored)}; not stored: ${tallies(skipped)}`],
    ['bypassed', `${tallies(bypasses)}; unknown endpoints: ${countText(passes)}`],
    ['invalidated', removed.join(', ') || 'nothing'],
    ['faults', tallies(errors)],
    ...(broken.length === 0 ? [] : [['breaker', broken.join('; ')] as const]),
  ]
  return lines.flatMap(([name, text]) => wrapped(text, `${name.padEnd(12)} `, ' '.repeat(13))).join('\n')
}

function tallies(numbers: Readonly<Record<string, number>>): string {
  const all = Object.entries(numbers)
  return all.map(([name, number]) => `${oneLine(name)} ${countText(number)}`).join(', ') || 'none'
}

function adviceOf(recommendations: readonly Recommendation[]): string {
  if (recommendations.length === 0) return ''
  return ['What to do', ...recommendations.flatMap(({ text }) => wrapped(text, '- ', '  '))].join('\n')
}

/** The lines of a table: the first column to the left, the others to the right. */
function table(head: readonly string[], cells: readonly (readonly string[])[]): string[] {
  const rows = [head, ...cells]
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const others = widths.slice(1).reduce((sum, each) => sum + each + 2, 0)
  const first = Math.min(widths[0] ?? 0, width - others)
  return rows.map((row) => {
    const [name = '', ...rest] = row
    return `${oneLine(name, first).padEnd(first)}${rest.map((cell, column) => `  ${cell.padStart(widths[column + 1] ?? 0)}`).join('')}`.trimEnd()
  })
}

/** A text in lines of at most 80 characters. */
function wrapped(text: string, first: string, others: string): string[] {
  const lines: string[] = []
  let line = first
  for (const word of text.split(' ')) {
    const isEmpty = line.trimEnd() === (lines.length === 0 ? first : others).trimEnd()
    if (!isEmpty && line.length + word.length > width) {
      lines.push(line.trimEnd())
      line = others
    }
    line += `${word} `
  }
  return [...lines, line.trimEnd()]
}
