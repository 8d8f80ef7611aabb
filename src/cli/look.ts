/**
 * The commands that look at entries: `stats`, `ls` and `show`.
 * @module
 */
import { bytesText, countText } from '../monitor/words.ts'
import { filterOf, numberOf, UsageError } from './arguments.ts'
import type { Run } from './command.ts'
import { type Column, described, heads, row, secondsText } from './text.ts'

/** Operations that are told one by one; those after them are told as `other`, so that no store can fill the memory with names. */
const maxOperations = 1_000

const statsColumns: readonly Column[] = [
  { head: 'operation', width: 28 },
  { head: 'entries', width: 11, isFigure: true },
  { head: 'fresh', width: 11, isFigure: true },
  { head: 'bytes', width: 9, isFigure: true },
  { head: 'tokens', width: 13, isFigure: true },
]

/** Entries by operation, without holding them. */
export async function stats({ cache, options, output }: Run): Promise<boolean> {
  const rows = new Map<string, { entries: number; bytes: number; fresh: number; tokens: number }>()
  for await (const { operation, bytes, ttl, usage } of cache.entries(filterOf(options))) {
    output.seen()
    const name = rows.has(operation) || rows.size < maxOperations ? operation : 'other'
    const found = rows.get(name) ?? { entries: 0, bytes: 0, fresh: 0, tokens: 0 }
    rows.set(name, found)
    found.entries++
    found.bytes += bytes
    if (ttl > 0) found.fresh++
    found.tokens += usage === undefined ? 0 : usage.input + usage.output
  }
  const lines = [...rows].map(([name, { entries, bytes, fresh, tokens }]) =>
    row(statsColumns, [name, countText(entries), countText(fresh), bytesText(bytes), countText(tokens)]),
  )
  await output.result(Object.fromEntries(rows), lines.length === 0 ? ['The cache is empty.'] : [heads(statsColumns), ...lines])
  return true
}

const lsColumns: readonly Column[] = [
  { head: 'key', width: 12 },
  { head: 'operation', width: 16 },
  { head: 'model', width: 24 },
  { head: 'age', width: 5, isFigure: true },
  { head: 'fresh', width: 5, isFigure: true },
  { head: 'bytes', width: 8, isFigure: true },
]

/** One line for each entry, up to the limit. */
export async function ls({ cache, options, output }: Run): Promise<boolean> {
  const limit = numberOf('limit', options.limit, 50)
  const list = output.list([heads(lsColumns)])
  let count = 0
  for await (const entry of cache.entries(filterOf(options))) {
    output.seen()
    if (count === limit) {
      count++
      break
    }
    count++
    const { key, operation, model, age, ttl, bytes } = entry
    const fresh = ttl === 0 ? 'stale' : secondsText(ttl)
    await list.add(entry, row(lsColumns, [key.slice(0, 12), operation, model, secondsText(age), fresh, bytesText(bytes)]))
  }
  const more = `The first ${countText(limit)}; --limit for more.`
  await list.end(...(count === 0 ? ['No entry matches.'] : count > limit ? [more] : []))
  return true
}

/** The head of the entry whose key begins as given; the body only if it is asked for. */
export async function show({ cache, operands, options, output }: Run): Promise<boolean> {
  const [prefix = ''] = operands
  if (prefix === '') throw new UsageError('show needs a key, or its beginning, as ls shows it')
  for await (const entry of cache.entries(filterOf(options))) {
    output.seen()
    if (!entry.key.startsWith(prefix)) continue
    const body = options.body ? await entry.body() : undefined
    const text = typeof body === 'string' ? body : `${body?.byteLength ?? 0} bytes`
    const lines = Object.entries(entry).flatMap(([name, value]) => described(name, textOf(value)))
    await output.result({ ...entry, ...(options.body && { body: text }) }, [...lines, ...(options.body ? ['', text] : [])])
    return true
  }
  await output.result(null, ['There is no entry whose key begins so.'])
  return false
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
