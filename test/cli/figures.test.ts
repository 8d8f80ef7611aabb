import { describe, expect, it } from 'vitest'
import { readCommandLine } from '../../src/cli/arguments.ts'
import { commands } from '../../src/cli/commands.ts'
import { Output } from '../../src/cli/output.ts'
import type { Cache } from '../../src/cache/cache.ts'
import { openCache } from '../support/chat.ts'
import { ScriptedStore } from '../support/scripted-store.ts'
import { runWorkload, workloadPrices, workloadTtl, workloadUsd } from '../support/workload.ts'

/** What a command prints for programs. */
async function printed(cache: Cache, ...args: string[]): Promise<unknown> {
  const { command, operands, options } = readCommandLine([...args, '--json'])
  const lines: string[] = []
  const output = new Output({ out: (text) => void lines.push(text), error: () => undefined }, options.json)
  await commands[command]?.({ cache, operands, options, output })
  return JSON.parse(lines.join('\n'))
}

const columns = ({ hits, misses }: { readonly hits: number; readonly misses: number }) => ({ hits, misses })
describe('after 5,000 calls, over a store that fails for a while,', () => {
  it('savings and the command line have the figures that the provider and the callers count', async () => {
    const store = new ScriptedStore()
    const { cache, clock } = openCache({ store, ttl: workloadTtl, stale: '1d', prices: workloadPrices, savings: true })
    const expected = await runWorkload({ cache, clock, store, calls: 5_000 })
    for (const [by, rows] of [
      ['operation', expected.byOperation],
      ['scope', expected.byScope],
    ] as const) {
      const found = await printed(cache, 'savings', '--by', by)
      expect(found).toMatchObject({
        total: columns(expected.all),
        rows: Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, columns(row)])),
      })
      expect(found).toEqual(await cache.savings({ by }))
    }
    const { rows } = await cache.savings({ by: 'operation' })
    for (const operation of ['chat', 'qa']) {
      const hits = expected.byOperation[operation]?.hits ?? 0
      expect(rows[operation]?.savedUsd).toBeCloseTo(hits * workloadUsd, 6)
      expect(rows[operation]?.savedTokens).toBe(hits * 21)
    }
    const entries = await Array.fromAsync(cache.entries())
    const counted = new Map<string, number>()
    for (const { operation } of entries) counted.set(operation, (counted.get(operation) ?? 0) + 1)
    const stats = await printed(cache, 'stats')
    expect(stats).toEqual(Object.fromEntries(Array.from(counted, ([name, number]) => [name, expect.objectContaining({ entries: number })])))
    expect(await printed(cache, 'ls', '--limit', '100000')).toHaveLength(entries.length)
  })
})
