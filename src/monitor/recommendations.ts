/**
 * What to do about the figures of a report, each in a plain sentence with the figures that it rests on.
 * @module
 */
import type { MonitorFigures, OperationFigures, Recommendation } from './figures.ts'
import { bytesText, durationText, millisecondsText, percentText, oneLine } from './words.ts'

/** Fewer calls or answers than this are too few to judge by. */
const enough = 20

/** What to do about these figures, the most worthwhile first. */
export function recommendations(figures: MonitorFigures): Recommendation[] {
  return [
    ...storeAdvice(figures),
    ...Object.entries(figures.byOperation).flatMap(([name, operation]) => operationAdvice(name, operation)),
    ...memoryAdvice(figures),
    ...bypassAdvice(figures),
    ...skipAdvice(figures),
    ...compressionAdvice(figures),
    ...invalidationAdvice(figures),
  ]
}

function operationAdvice(name: string, figures: OperationFigures): Recommendation[] {
  const { hits, misses, hitRate, expired, expiredUnread, secondCallAfter, ttl } = figures
  if (hits + misses < enough || expired < enough || hitRate >= 0.2 || expiredUnread < expired / 2) return []
  const [unread, wait] = [percentText(expiredUnread / expired), durationText(secondCallAfter)]
  const facts = `\`${oneLine(name)}\` hits ${percentText(hitRate)} of the time and ${unread} of its entries expire unread`
  const now = `now ${durationText(ttl)}`
  if (secondCallAfter > ttl) {
    return [advice('ttl', `${facts}: lengthen its TTL or stop caching it: ${now}, median time to the second question ${wait}.`)]
  }
  if (secondCallAfter === 0) return [advice('ttl', `${facts}, and no question came twice: stop caching it (its TTL is ${now}).`)]
  return [
    advice(
      'ttl',
      `${facts}: few of its questions come twice; stop caching it, or add to what counts as the same question (key.ignore, key.fold).`,
    ),
  ]
}

function memoryAdvice({ memory }: MonitorFigures): Recommendation[] {
  const { evictions, evictedUnread, bytes, entries } = memory
  if (evictions < enough || evictedUnread < evictions / 5) return []
  const share = percentText(evictedUnread / evictions)
  const size = `${bytesText(bytes)} in ${entries} entries`
  return [
    advice(
      'memory',
      `Memory let ${evictions} answers go to make room, ${share} of them before anyone asked for them: raise maxMemoryBytes (memory holds ${size}).`,
    ),
  ]
}

function storeAdvice({ stores, written, readTimes, providerTimes, errors }: MonitorFigures): Recommendation[] {
  const broken = stores
    .filter(({ read, write }) => !read || !write)
    .map(({ name, read, write }) => {
      const sides = [!read && 'read', !write && 'written'].filter(Boolean).join(' nor ')
      const faults = (errors['read'] ?? 0) + (errors['write'] ?? 0) + (errors['delete'] ?? 0)
      return advice(
        'store',
        `The store ${oneLine(name)} is not ${sides} at present, after ${faults} faults: see the log for their reason, or run npx llmemo doctor.`,
      )
    })
  const dropped =
    written.dropped === 0
      ? []
      : [
          advice(
            'store',
            `${written.dropped} writes to the store were given up, ${written.entries} were done: the store is slower than the answers come, or out of order.`,
          ),
        ]
  const origin = Math.min(...Object.values(providerTimes).flatMap(({ count, p50 }) => (count >= enough ? [p50] : [])))
  const slow = Object.entries(readTimes)
    .filter(([name, { count, p50 }]) => name !== 'memory' && count >= enough && p50 > origin / 4)
    .map(([name, { p50, p95 }]) =>
      advice(
        'store',
        `A read of ${oneLine(name)} takes ${millisecondsText(p50)} in the median and ${millisecondsText(p95)} at p95, the provider ${millisecondsText(origin)}: move the store nearer to this process.`,
      ),
    )
  return [...broken, ...dropped, ...slow]
}

function bypassAdvice({ bypasses, calls }: MonitorFigures): Recommendation[] {
  const number = sum(bypasses)
  const all = number + calls.hits + calls.misses
  if (all < enough || number < all / 4) return []
  const [reason, most] = greatest(bypasses)
  return [advice('bypass', `${percentText(number / all)} of ${all} calls go past the cache, ${most} of them for "${oneLine(reason)}".`)]
}

function skipAdvice({ skipped, stored }: MonitorFigures): Recommendation[] {
  const number = sum(skipped)
  const all = number + stored
  if (all < enough || number < all / 5) return []
  const [reason, most] = greatest(skipped)
  return [advice('skip', `${percentText(number / all)} of ${all} answers are not stored, ${most} of them for "${oneLine(reason)}".`)]
}

function compressionAdvice({ compression }: MonitorFigures): Recommendation[] {
  const { answers, ratio, bytes, times } = compression
  if (answers < enough || ratio <= 0.9 || times.p95 < 1) return []
  return [
    advice(
      'compression',
      `Compression saves ${percentText(1 - ratio)} of ${bytesText(bytes)} and takes ${millisecondsText(times.p95)} at p95: raise compressAbove.`,
    ),
  ]
}

function invalidationAdvice({ invalidations }: MonitorFigures): Recommendation[] {
  return Object.entries(invalidations)
    .filter(([, { calls, removed }]) => calls >= enough && removed === 0)
    .map(([selector, { calls }]) =>
      advice(
        'invalidation',
        `${calls} invalidations by ${oneLine(selector)} removed none of the answers that this process stored: check that calls and invalidations use the same names.`,
      ),
    )
}

function advice(about: Recommendation['about'], text: string): Recommendation {
  return { about, text }
}

function sum(numbers: Readonly<Record<string, number>>): number {
  return Object.values(numbers).reduce((total, number) => total + number, 0)
}

function greatest(numbers: Readonly<Record<string, number>>): readonly [name: string, number: number] {
  return Object.entries(numbers).reduce<readonly [string, number]>((most, each) => (each[1] > most[1] ? each : most), ['', 0])
}
