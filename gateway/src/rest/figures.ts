/**
 * What the cache did and saved.
 * @module
 */
import type { Context } from 'hono'
import { type Cache, LlmemoError, type Savings, type SavingsOptions, type StatsRow } from 'llmemo'
import { answerError } from '../access/problem.ts'
import type { GatewayEnv } from '../context.ts'
import { route } from './route.ts'
import { answers, reportQuery, savingsQuery } from './schemas.ts'

/** `GET /cache/stats`. */
const stats = route({
  method: 'get',
  path: '/cache/stats',
  summary: 'Hits, misses and savings of this process since it began: of all, or of the tenant of the key.',
  role: 'read',
  answers: { 200: answers.stats },
  handle({ caller, c, context: { cache } }) {
    const { hits, misses, hitRate, savedUsd, savedTokens, savedMs, byOperation, byModel, byScope } = cache.stats()
    if (caller.tenant !== undefined) {
      const own = shownRow(rowNamed(byScope, caller.tenant))
      return c.json({ ...own, hit_rate_percent: percent(own.hits / (own.hits + own.misses || 1)), by_tenant: { [caller.tenant]: own } })
    }
    const { entries, bytes } = cache.memory()
    return c.json({
      hits,
      misses,
      hit_rate_percent: percent(hitRate),
      hot_cache_size: entries,
      hot_cache_bytes: bytes,
      saved_usd: savedUsd,
      saved_tokens: savedTokens,
      saved_ms: savedMs,
      by_operation: shownRows(byOperation),
      by_model: shownRows(byModel),
      by_tenant: shownRows(byScope),
    })
  },
})

/** `GET /cache/savings`. */
const savings = route({
  method: 'get',
  path: '/cache/savings',
  summary: 'What hits saved in the last days, in all processes over one store: of all, or of the tenant of the key.',
  role: 'read',
  query: savingsQuery,
  answers: { 200: answers.savings, 400: answers.error },
  async handle({ query, caller: { tenant }, c, context: { cache } }) {
    if (tenant === undefined) {
      const found = await keptSavings(cache, query)
      if (found === undefined) return noSavings(c)
      const { from, to, total, rows } = found
      return c.json({ from, to, total: shownRow(total), rows: shownRows(rows) })
    }
    if (query.by !== 'scope' && query.by !== 'day') {
      return answerError(c, {
        status: 400,
        detail: 'Savings by operation and model are those of all tenants. Ask by=scope.',
        code: 'invalid',
      })
    }
    const found = await keptSavings(cache, { by: 'scope', days: query.days })
    if (found === undefined) return noSavings(c)
    const { from, to, rows } = found
    const own = shownRow(rowNamed(rows, tenant))
    return c.json({ from, to, total: own, rows: { [tenant]: own } })
  },
})

/** What was saved; `undefined` if the cache does not keep it, which is all that can be wrong with options that are checked. */
async function keptSavings(cache: Cache, options: SavingsOptions): Promise<Savings | undefined> {
  try {
    return await cache.savings(options)
  } catch (error) {
    if (LlmemoError.isInstance(error) && error.code === 'INVALID_OPTION') return undefined
    throw error
  }
}

function noSavings(c: Context<GatewayEnv>): Response {
  return answerError(c, {
    status: 400,
    detail: 'This cache keeps no savings. Start the gateway with CACHE_SAVINGS=true.',
    code: 'no-savings',
  })
}

/** `GET /cache/report`. */
const report = route({
  method: 'get',
  path: '/cache/report',
  summary: 'Figures of the last hour, and what to do about them.',
  role: 'admin',
  isForAll: true,
  query: reportQuery,
  answers: { 200: 'application/json' },
  handle({ query: { since, format }, c, context: { monitor } }) {
    const made = monitor.report({ ...(since !== undefined && { since }) })
    if (format === 'text') return c.text(made.toString())
    return format === 'csv' ? c.body(made.toCsv(), 200, { 'content-type': 'text/csv; charset=utf-8' }) : c.json(made.toJSON())
  },
})

/** `GET /metrics`. */
const metrics = route({
  method: 'get',
  path: '/metrics',
  summary: 'Counters for Prometheus.',
  role: 'admin',
  isForAll: true,
  answers: { 200: 'text/plain; version=0.0.4' },
  handle: ({ c, context: { monitor, refusals } }) =>
    c.body(`${monitor.prometheus()}${refusals.prometheus()}`, 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }),
})

/** The routes for figures. */
export const figureRoutes = [stats, savings, report, metrics]

interface ShownRow {
  readonly hits: number
  readonly misses: number
  readonly saved_usd: number
  readonly saved_tokens: number
  readonly saved_ms: number
}

/** The row of a name; an empty one if nothing was counted. */
function rowNamed(rows: Readonly<Record<string, StatsRow>>, name: string): StatsRow | undefined {
  return Object.hasOwn(rows, name) ? rows[name] : undefined
}

function shownRow(row: StatsRow | undefined): ShownRow {
  const { hits = 0, misses = 0, savedUsd = 0, savedTokens = 0, savedMs = 0 } = row ?? {}
  return { hits, misses, saved_usd: savedUsd, saved_tokens: savedTokens, saved_ms: savedMs }
}

function shownRows(rows: Readonly<Record<string, StatsRow>>): Record<string, ShownRow> {
  return Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, shownRow(row)]))
}

/** A share as a number of per cent with two decimals. */
function percent(share: number): number {
  return Math.round(share * 10_000) / 100
}
