/**
 * Counts what a cache tells by its events.
 * @module
 */
import { RecentMap } from '../base/recent-map.ts'
import type { Cache } from '../cache/cache.ts'
import type { CacheEvents, CallEvent, HitEvent, MissEvent } from '../events.ts'
import { AnswerHistory } from './answer-history.ts'
import type { CallCounts, Counts } from './counts.ts'
import type { StoreState } from './figures.ts'
import { LifetimeTimes } from './lifetime-times.ts'
import { sizeOf, type MonitorSettings, type TextSize } from './options.ts'

/** Requests whose size is remembered from the making of their key until their hit or miss. */
const maxSizes = 1_000

/** Counts the events of one cache. */
export class Recorder {
  /** Times since the beginning. */
  readonly lifetime = new LifetimeTimes()
  readonly #counts: () => Counts
  readonly #settings: MonitorSettings
  readonly #history: AnswerHistory
  readonly #sizes = new RecentMap<TextSize>()
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
      on('hit', (event, now) => this.#hit(event, now)),
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

  /** Counts the answers whose time is over. */
  sweep(): void {
    this.#history.sweep()
  }

  /** Ends the counting. */
  close(): void {
    for (const end of this.#ends) end()
  }

  #key({ key, characters, milliseconds }: CacheEvents['key'], { keys }: Counts): void {
    const size = sizeOf(characters, this.#settings.textSizes)
    keys[size].record(milliseconds)
    this.lifetime.add('keys', size, milliseconds)
    this.#sizes.set(key, size)
    if (this.#sizes.size > maxSizes) this.#sizes.delete(this.#sizes.oldest?.key ?? '')
  }

  #hit(event: HitEvent, counts: Counts): void {
    // A call that joins a flight asks for the answer before it is stored.
    if (event.source !== 'flight') this.#history.asked(event.key)
    const { inputs, stale, latency } = event
    const tokens = event.tokens ?? 0
    const add = (row: CallCounts): void => {
      row.hits += inputs
      if (stale) row.stale += inputs
      row.savedTokens += tokens
      row.savedMs += latency
    }
    add(counts.calls)
    add(counts.operations.row(event.operation))
    add(counts.models.row(event.model))
    add(counts.scopes.row(event.scope))
    const size = this.#sizes.get(event.key)
    if (size !== undefined) add(counts.sizes[size])
  }

  #miss(event: MissEvent, counts: Counts): void {
    this.#history.asked(event.key)
    for (const row of this.#rows(event, counts)) row.misses += event.inputs
  }

  #spent(event: CacheEvents['spent'], counts: Counts): void {
    counts.providers.row(event.provider).record(event.latency)
    this.lifetime.add('providers', event.provider, event.latency)
    for (const row of this.#rows(event, counts)) row.spentTokens += event.tokens ?? 0
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

  #rows({ key, operation, model, scope }: CallEvent, { calls, operations, models, scopes, sizes }: Counts): readonly CallCounts[] {
    const size = this.#sizes.get(key)
    const rows = [calls, operations.row(operation), models.row(model), scopes.row(scope)]
    return size === undefined ? rows : [...rows, sizes[size]]
  }
}
