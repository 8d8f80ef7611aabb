/**
 * The command that tells what hits saved: the ledger of a cache with `savings: true`.
 * @module
 */
import { countText, dollarsText, durationText, percentText } from '../monitor/words.ts'
import type { SavingsOptions } from '../cache/cache.ts'
import type { StatsRow } from '../engine/stats/cache-stats.ts'
import { numberOf, UsageError } from './arguments.ts'
import type { Run } from './command.ts'
import { type Column, heads, row, wrapped } from './text.ts'

const ways = ['day', 'scope', 'operation', 'model'] as const

/** Savings by day, or by what `--by` says. */
export async function savings({ cache, options, output }: Run): Promise<boolean> {
  const by = wayOf(options.by)
  const found = await cache.savings({ by, days: numberOf('days', options.days, 30) })
  const columns: readonly Column[] = [
    { head: by, width: 24 },
    { head: 'hits', width: 9, isFigure: true },
    { head: 'rate', width: 5, isFigure: true },
    { head: 'saved', width: 9, isFigure: true },
    { head: 'tokens', width: 13, isFigure: true },
    { head: 'waiting', width: 8, isFigure: true },
  ]
  const names = Object.keys(found.rows)
  const sorted = by === 'day' ? names.toSorted() : names.toSorted((a, b) => savedBy(found.rows[b]) - savedBy(found.rows[a]))
  const lines = sorted.map((name) => row(columns, cellsOf(name, found.rows[name])))
  const { total } = found
  const unpriced = total.unpricedHits === 0 ? [] : [`${countText(total.unpricedHits)} hits have no known price.`]
  const none = wrapped(`Nothing from ${found.from} to ${found.to}. Does a cache with savings: true use this store?`)
  await output.result(found, names.length === 0 ? none : [heads(columns), ...lines, row(columns, cellsOf('total', total)), ...unpriced])
  return true
}

function wayOf(given = 'day'): NonNullable<SavingsOptions['by']> {
  const way = ways.find((each) => each === given)
  if (way === undefined) throw new UsageError(`--by needs one of ${ways.join(', ')}`)
  return way
}

function savedBy(found: StatsRow | undefined): number {
  return found === undefined ? 0 : found.savedUsd * 1e6 + found.hits
}

function cellsOf(name: string, found: StatsRow | undefined): readonly string[] {
  if (found === undefined) return [name]
  const { hits, misses, savedUsd, savedTokens, savedMs } = found
  const rate = hits + misses === 0 ? 0 : hits / (hits + misses)
  return [
    name === '' ? '(none)' : name,
    countText(hits),
    percentText(rate),
    dollarsText(savedUsd),
    countText(savedTokens),
    durationText(savedMs / 1_000),
  ]
}
