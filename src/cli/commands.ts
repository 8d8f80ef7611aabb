/**
 * The commands: plain functions over the public face of a cache. Each gives what `--json` prints, and the lines for a person.
 * @module
 */
import type { Cache, CacheEntry, EntryFilter, Invalidation } from '../cache/cache.ts'
import { nameOf } from '../base/foreign-error.ts'
import { milliseconds } from '../duration.ts'
import { LlmemoError } from '../errors.ts'
import { type CliOptions, type CommandLine, UsageError } from './arguments.ts'
import { bytesText } from '../monitor/words.ts'
import { secondsText, table } from './text.ts'

/** What a command gives. */
export interface CommandResult {
  readonly data: unknown
  readonly lines: readonly string[]
  /** Whether what was asked for is done, or is there. @default true */
  readonly ok?: boolean
}

type Command = (cache: Cache, line: CommandLine) => Promise<CommandResult>

/** All commands by name. */
export const commands: Readonly<Record<string, Command>> = { stats, ls, show, invalidate, prune, export: exported, doctor }

/** Entries by operation, without holding them. */
async function stats(cache: Cache, { options }: CommandLine): Promise<CommandResult> {
  const rows = new Map<string, { entries: number; bytes: number; fresh: number; tokens: number }>()
  for await (const { operation, bytes, ttl, usage } of cache.entries(filterOf(options))) {
    const row = rows.get(operation) ?? { entries: 0, bytes: 0, fresh: 0, tokens: 0 }
    rows.set(operation, row)
    row.entries++
    row.bytes += bytes
    if (ttl > 0) row.fresh++
    row.tokens += usage === undefined ? 0 : usage.input + usage.output
  }
  const cells = [...rows].map(([name, { entries, bytes, fresh, tokens }]) => [
    name,
    `${entries}`,
    `${fresh}`,
    bytesText(bytes),
    `${tokens}`,
  ])
  const lines = cells.length === 0 ? ['The cache is empty.'] : table(['operation', 'entries', 'fresh', 'bytes', 'tokens'], cells)
  return { data: Object.fromEntries(rows), lines }
}

/** One line for each entry, up to the limit. */
async function ls(cache: Cache, { options }: CommandLine): Promise<CommandResult> {
  const limit = limitOf(options)
  const found: CacheEntry[] = []
  for await (const entry of cache.entries(filterOf(options))) {
    if (found.length === limit) break
    found.push(entry)
  }
  const cells = found.map(({ key, operation, model, age, ttl, bytes }) => [
    key.slice(0, 12),
    operation,
    model,
    secondsText(age),
    ttl === 0 ? 'stale' : secondsText(ttl),
    bytesText(bytes),
  ])
  const lines = cells.length === 0 ? ['No entry matches.'] : table(['key', 'operation', 'model', 'age', 'fresh for', 'bytes'], cells)
  return { data: found, lines: found.length === limit ? [...lines, `The first ${limit}; --limit for more.`] : lines }
}

/** The head of the entries whose key begins as given; the body only if it is asked for. */
async function show(cache: Cache, { operands, options }: CommandLine): Promise<CommandResult> {
  const [prefix = ''] = operands
  if (prefix === '') throw new UsageError('show needs a key, or its beginning, as ls shows it')
  for await (const entry of cache.entries(filterOf(options))) {
    if (!entry.key.startsWith(prefix)) continue
    const body = options.body ? await entry.body() : undefined
    const shown = { ...entry, ...(options.body && { body: typeof body === 'string' ? body : `${body?.byteLength ?? 0} bytes` }) }
    return { data: shown, lines: Object.entries(shown).map(([name, value]) => `${name.padEnd(10)} ${textOf(value)}`) }
  }
  return { data: null, lines: ['There is no entry whose key begins so.'], ok: false }
}

/** Removes entries, once the user has said yes to how many they are. */
async function invalidate(cache: Cache, { options }: CommandLine): Promise<CommandResult> {
  const { tag, operation, model, scope, key, all } = options
  const given: Invalidation[] = [
    ...(tag === undefined ? [] : [{ tags: [tag] }]),
    ...(operation === undefined ? [] : [{ operation }]),
    ...(model === undefined ? [] : [{ model }]),
    ...(scope === undefined ? [] : [{ scope }]),
    ...(key === undefined ? [] : [{ key }]),
    ...(all ? [{ all: true } as const] : []),
  ]
  const [what] = given
  if (what === undefined || given.length > 1)
    throw new UsageError('invalidate needs exactly one of --tag, --operation, --model, --scope, --key, --all')
  let matching = 0
  for await (const entry of cache.entries(filterOf(options))) if (key === undefined || entry.key === key) matching++
  // A model may be known by the name that was asked for, and answer by another.
  const about = `${matching} of the entries that are listed`
  if (!options.yes) return { data: { matching, done: false }, lines: [`This would invalidate ${about}. Add --yes to do it.`] }
  const done = await cache.invalidate(what)
  await cache.flush()
  return { data: { matching, done }, lines: [done ? `Invalidated ${about}.` : 'The store does not know of it yet: see the log.'], ok: done }
}

/** Removes entries that are no longer fresh, or older than given. */
async function prune(cache: Cache, { options }: CommandLine): Promise<CommandResult> {
  const keys: string[] = []
  for await (const { key, ttl } of cache.entries(filterOf(options))) {
    if (/^[\da-f]{64}$/.test(key) && (ttl === 0 || options['older-than'] !== undefined)) keys.push(key)
  }
  if (!options.yes)
    return { data: { matching: keys.length, done: false }, lines: [`This would remove ${keys.length} entries. Add --yes to do it.`] }
  let removed = 0
  for (const key of keys) if (await cache.invalidate({ key })) removed++
  return {
    data: { matching: keys.length, removed, done: true },
    lines: [`Removed ${removed} of ${keys.length} entries.`],
    ok: removed === keys.length,
  }
}

/** The heads, and with `--body` the bodies, one JSON line each. */
async function exported(cache: Cache, { options }: CommandLine): Promise<CommandResult> {
  const lines: string[] = []
  for await (const entry of cache.entries(filterOf(options))) {
    const body = options.body ? await entry.body() : undefined
    lines.push(
      JSON.stringify({
        ...entry,
        ...(body !== undefined && { body: typeof body === 'string' ? body : Buffer.from(body).toString('base64') }),
      }),
    )
  }
  return { data: lines.map((line): unknown => JSON.parse(line)), lines }
}

/** Writes, reads and removes a value, and measures how long that takes. */
async function doctor(cache: Cache): Promise<CommandResult> {
  const faults: string[] = []
  const end = cache.on('error', ({ doing, error }) =>
    faults.push(`${doing}: ${LlmemoError.isInstance(error) ? error.message : nameOf(error)}`),
  )
  const key = `llmemo-doctor-${process.pid}-${Date.now()}`
  const begun = performance.now()
  await cache.set(key, 'well', 60)
  await cache.flush()
  const written = performance.now()
  let source = 'nowhere'
  try {
    for await (const entry of cache.entries({ operation: 'value' })) if (entry.key === key) source = entry.source
  } catch (error) {
    faults.push(`list: ${LlmemoError.isInstance(error) ? error.message : nameOf(error)}`)
  }
  const removed = await cache.del(key)
  end()
  if (source === 'nowhere' && faults.length === 0) faults.push('no store is given, or it keeps nothing: name one by --store or CACHE_STORE')
  const ok = faults.length === 0 && removed
  const data = { ok, writeMs: written - begun, found: source, removed, faults }
  const lines = [
    `write    ${(written - begun).toFixed(1)} ms`,
    `found in ${source}`,
    `removed  ${removed ? 'yes' : 'no'}`,
    ...faults.map((fault) => `fault    ${fault}`),
    ok ? 'The store is well.' : 'The store is not well: the faults say what to mend.',
  ]
  return { data, lines, ok }
}

function filterOf(options: CliOptions): EntryFilter {
  const { operation, model, scope, tag } = options
  return {
    ...(operation !== undefined && { operation }),
    ...(model !== undefined && { model }),
    ...(scope !== undefined && { scope }),
    ...(tag !== undefined && { tag }),
    ...(options['older-than'] !== undefined && { olderThan: milliseconds('older-than', options['older-than']) / 1_000 }),
    ...(options['younger-than'] !== undefined && { youngerThan: milliseconds('younger-than', options['younger-than']) / 1_000 }),
  }
}

function limitOf({ limit = '50' }: CliOptions): number {
  if (/^[1-9]\d{0,6}$/.test(limit)) return Number(limit)
  throw new UsageError('--limit needs a whole number from 1')
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
