/**
 * Counts what a cache tells by its events.
 * @module
 */
import type { Cache } from '../cache/cache.ts'
import type { AnswerEvent, CacheEvents, HitsEvent, MissEvent } from '../events.ts'
import { AnswerHistory } from './answer-history.ts'
import { addCalls, type CallCounts, type Counts, noCalls } from './counts.ts'
import type { StoreState } from './figures.ts'
import { LifetimeTimes } from './lifetime-times.ts'
import { sizeOf, type MonitorSettings, type TextSize } from './options.ts'

/** Counts the events of one cache. */
export class Recorder {
  /** Times since the beginning. */
  readonly lifetime = new LifetimeTimes()
  readonly #counts: () => Counts
  readonly #settings: MonitorSettings
  readonly #history: AnswerHistory
  #last: Alike | undefined
  readonly #stores = new Map<string, StoreState>()
  readonly #ends: readonly (() => void)[]

  /** @param counts what to count into now; each is counted into */
  constructor(cache: Cache, settings: MonitorSettings, counts: () => Counts) {
    this.#settings = settings
    this.#counts = counts
    this.#history = new AnswerHistory(settings.clock, counts)
    const on = <Name extends keyof CacheEvents>(name: Name, listener: (event: CacheEvents[Name], counts: Counts) => void): (() => void) =>
      cache.on(name, (event) => listener(event, this.#counts()))
    this.#ends = [
      on('key', (event, now) => this.#key(event, now)),
      on('hits', (event, now) => this.#hits(event, now)),
      on('miss', (event, now) => this.#miss(event, now)),
      on('spent', (event, now) => this.#spent(event, now)),
      on('bypass', ({ reason }, { bypasses }) => bypasses.row(reason).number++),
      on('pass', (_, { totals }) => totals.passes++),
      on('store', (event, now) => this.#store(event, now)),
      on('skip', ({ reason }, { skipped }) => skipped.row(reason).number++),
      on('read', (event, now) => this.#read(event, now)),
      on('write', (event, now) => this.#write(event, now)),
      on('encode', (event, now) => this.#encode(event, now)),
      on('evict', ({ key }, { totals }) => {
        totals.evictions++
        if (this.#history.evicted(key)) totals.evictedUnread++
      }),
      on('invalidate', ({ label }, now) => this.#invalidate(label, now)),
      on('error', ({ doing }, { errors }) => errors.row(doing).number++),
      on('drop', (_, { totals }) => totals.droppedWrites++),
      on('state', ({ store, side, usable }) => {
        this.#stores.set(store, { ...(this.#stores.get(store) ?? { name: store, read: true, write: true }), [side]: usable })
      }),
    ]
  }

  /** The stores of which the cache has ever told whether they can be used. */
  get stores(): readonly StoreState[] {
    return [...this.#stores.values()]
  }

  /** Puts into all rows what was counted. To be called before they are read. */
  settle(): void {
    const last = this.#last
    this.#last = undefined
    for (const row of last?.rows ?? []) addCalls(row, last?.sum ?? noCalls())
  }

  /** Counts the answers whose time is over. */
  sweep(): void {
    this.#history.sweep()
  }

  /** Ends the counting. */
  close(): void {
    for (const end of this.#ends) end()
  }

  #key({ characters, milliseconds }: CacheEvents['key'], { keys }: Counts): void {
    const size = sizeOf(characters, this.#settings.textSizes)
    keys[size].record(milliseconds)
    this.lifetime.add('keys', size, milliseconds)
  }

  #hits(event: HitsEvent, counts: Counts): void {
    const { source, key, inputs, stale, tokens, latency } = event
    // A call that joins a flight asks for the answer before it is stored.
    if (source !== 'flight') this.#history.asked(key)
    const { sum } = this.#alike(event, counts)
    sum.hits += inputs
    if (stale) sum.stale += inputs
    sum.savedTokens += tokens
    sum.savedMs += latency
  }

  #miss(event: MissEvent, counts: Counts): void {
    this.#history.asked(event.key)
    this.#alike(event, counts).sum.misses += event.inputs
  }

  #spent(event: CacheEvents['spent'], counts: Counts): void {
    counts.providers.row(event.provider).record(event.latency)
    this.lifetime.add('providers', event.provider, event.latency)
    this.#alike(event, counts).sum.spentTokens += event.tokens ?? 0
  }

  #store(event: CacheEvents['store'], { totals }: Counts): void {
    totals.stored++
    totals.storedBytes += event.bytes
    this.#history.stored(event)
  }

  #read({ source, reads: number, milliseconds }: CacheEvents['read'], { reads }: Counts): void {
    reads.row(source).record(milliseconds, number)
    this.lifetime.add('reads', source, milliseconds, number)
  }

  #write({ source, entries, bytes, milliseconds, written }: CacheEvents['write'], { writes, totals }: Counts): void {
    if (!written) return
    writes.row(source).record(milliseconds)
    this.lifetime.add('writes', source, milliseconds)
    totals.writtenEntries += entries
    totals.writtenBytes += bytes
  }

  #encode({ bytes, storedBytes, milliseconds }: CacheEvents['encode'], { compression }: Counts): void {
    compression.answers++
    compression.bytes += bytes
    compression.storedBytes += storedBytes
    compression.times.record(milliseconds)
  }

  #invalidate(label: string, { invalidations }: Counts): void {
    const row = invalidations.row(/^[a-z]+/.exec(label)?.[0] ?? label)
    row.calls++
    row.removed += this.#history.invalidated(label)
  }

  /**
   * What calls like this one are counted in together. Most calls of a program are like the one before. So a hit adds to one row, and all
   * rows that it belongs to are found once.
   */
  #alike(call: HitsEvent | MissEvent | AnswerEvent, counts: Counts): Alike {
    const { operation, model, scope, characters } = call
    const size = characters === null ? undefined : sizeOf(characters, this.#settings.textSizes)
    const last = this.#last
    if (last?.counts === counts && last.operation === operation && last.model === model && last.scope === scope && last.size === size)
      return last
    this.settle()
    const { calls, operations, models, scopes, sizes } = counts
    const rows = [calls, operations.row(operation), models.row(model), scopes.row(scope), ...(size === undefined ? [] : [sizes[size]])]
    return (this.#last = { counts, operation, model, scope, size, rows, sum: noCalls() })
  }
}

/** Calls that are alike, one after the other. */
interface Alike {
  readonly counts: Counts
  readonly operation: string
  readonly model: string
  readonly scope: string
  readonly size: TextSize | undefined
  /** All rows that they belong to. */
  readonly rows: readonly CallCounts[]
  /** What the rows do not hold yet. */
  readonly sum: CallCounts
}
