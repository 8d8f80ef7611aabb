import { describe, expect, it } from 'vitest'
import { createMonitor } from '../../src/monitor/monitor.ts'
import { callerOf, openCache, question } from '../support/chat.ts'

/** The records of comma-separated values, as RFC 4180 has them. */
function recordsIn(text: string): string[][] {
  const records: string[][] = [[]]
  for (const [, separator = '', quoted, plain = ''] of text.matchAll(/(,|\r\n|^)(?:"((?:[^"]|"")*)"|([^",\r\n]*))/g)) {
    if (separator === '\r\n') records.push([])
    records.at(-1)?.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
  }
  return records.filter((record) => record.length > 1)
}

describe('a report as comma-separated values', () => {
  it('has four fields in each line, whatever names are in it, and the figures of the report', async () => {
    const { cache, clock } = openCache()
    const monitor = createMonitor(cache, { clock })
    const caller = callerOf(cache)
    await caller.ask('a')
    await caller.ask('a')
    const operation = '=cmd,"quoted"\nline'
    await cache.lookup(question('x', { operation, mode: 'reload' }))
    const report = monitor.report()
    const [head, ...records] = recordsIn(report.toCsv())
    expect(head).toEqual(['group', 'name', 'figure', 'value'])
    expect(records.filter(({ length }) => length !== 4)).toEqual([])
    expect(records).toContainEqual(['calls', '', 'hits', '1'])
    expect(records).toContainEqual(['byOperation', 'chat', 'misses', '1'])
    expect(records).toContainEqual(['keyTimes', 'small', 'count', '3'])
    // A spreadsheet would take it for a formula.
    expect(records).toContainEqual(['byOperation', `'${operation}`, 'misses', '1'])
  })
})
