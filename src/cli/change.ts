/**
 * The commands that remove entries: `invalidate` and `prune`. Both tell first what they would do.
 * @module
 */
import type { Cache, Invalidation } from '../cache/cache.ts'
import { countText } from '../monitor/words.ts'
import { type CliOptions, filterOf, UsageError } from './arguments.ts'
import type { Run } from './command.ts'

/** Declares answers outdated, once the user has said yes to how many they are. */
export async function invalidate({ cache, options, output }: Run): Promise<boolean> {
  const what = selectorIn(options)
  let matching = 0
  for await (const entry of cache.entries(filterOf(options))) {
    output.seen()
    if (options.key === undefined || entry.key === options.key) matching++
  }
  // A model may be known by the name that was asked for, and answer by another.
  const about = `${countText(matching)} of the entries that are listed`
  if (!options.yes) {
    await output.result({ matching, done: false }, [`This would invalidate ${about}. Add --yes to do it.`])
    return true
  }
  const done = await cache.invalidate(what)
  await cache.flush()
  await output.result({ matching, done }, [done ? `Invalidated ${about}.` : 'The store does not know of it yet: llmemo doctor says why.'])
  return done
}

function selectorIn({ tag, operation, model, scope, key, all }: CliOptions): Invalidation {
  const given: Invalidation[] = [
    ...(tag === undefined ? [] : [{ tags: [tag] }]),
    ...(operation === undefined ? [] : [{ operation }]),
    ...(model === undefined ? [] : [{ model }]),
    ...(scope === undefined ? [] : [{ scope }]),
    ...(key === undefined ? [] : [{ key }]),
    ...(all ? [{ all: true } as const] : []),
  ]
  const [what] = given
  if (what !== undefined && given.length === 1) return what
  throw new UsageError('invalidate needs exactly one of --tag, --operation, --model, --scope, --key, --all')
}

/** Keys that are removed at the same time. */
const keysAtATime = 100

/** Removes answers that are no longer fresh, or older than given, while they are listed. */
export async function prune({ cache, options, output }: Run): Promise<boolean> {
  let matching = 0
  let removed = 0
  let waiting: string[] = []
  const remove = async (): Promise<void> => {
    removed += await removeAll(cache, waiting)
    waiting = []
  }
  for await (const { key, ttl } of cache.entries(filterOf(options))) {
    output.seen()
    if (!/^[\da-f]{64}$/.test(key) || (ttl > 0 && options['older-than'] === undefined)) continue
    matching++
    if (!options.yes) continue
    waiting.push(key)
    if (waiting.length === keysAtATime) await remove()
  }
  if (!options.yes) {
    await output.result({ matching, done: false }, [`This would remove ${countText(matching)} entries. Add --yes to do it.`])
    return true
  }
  await remove()
  await output.result({ matching, removed, done: true }, [`Removed ${countText(removed)} of ${countText(matching)} entries.`])
  return removed === matching
}

async function removeAll(cache: Cache, keys: readonly string[]): Promise<number> {
  const done = await Promise.all(keys.map(async (key) => cache.invalidate({ key })))
  return done.filter(Boolean).length
}
