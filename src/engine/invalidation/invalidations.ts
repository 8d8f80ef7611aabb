/**
 * What was declared outdated, in this process and in others: the generations of labels, and their generations in the store.
 * @module
 */
import { distinct } from '../../base/distinct.ts'
import { type Clock, clockSkew } from '../../clock.ts'
import { maxDuration } from '../../duration.ts'
import {
  type GenerationByLabel,
  type GenerationSnapshot,
  generationBytes,
  generationIn,
  isGeneration,
  newGeneration,
} from './generation.ts'
import { FirstFills } from './first-fills.ts'
import { Generations } from './generations.ts'
import { generationKey as generationKeyOf } from '../../key/store-keys.ts'
import { maxLabels } from './label-table.ts'
import { everything, removals } from './labels.ts'
import { isRemovalLabel, removalLabel } from './removal-labels.ts'
import { RecentMap } from '../../base/recent-map.ts'
import { signError } from '../shared-store/store-sign.ts'
import type { SharedStore } from '../shared-store/shared-store.ts'
import { unread } from '../shared-store/store-reader.ts'

/** How long a generation is kept: longer than any entry can live, its stale time included. */
export const generationTtl = 2 * maxDuration + clockSkew

/** Generations that are to be read from the store, alone or along with entries. */
export interface DueGenerations {
  readonly keys: readonly string[]
  /** Takes what was found under the keys, in their order. */
  take(values: readonly (Uint8Array | undefined)[]): void
}

const noneDue: DueGenerations = { keys: [], take: () => {} }

/** What invalidations work with. */
export interface InvalidationsOptions {
  readonly clock: Clock
  /** @default no store, so no other process */
  readonly shared: SharedStore | undefined
  readonly namespace: string
  /** Milliseconds after which this process heeds an invalidation by another process, at the latest. */
  readonly delay: number
  /** Called when another process has removed entries by their keys. @default nothing */
  readonly onRemovals?: () => void
  /** Called once if other processes encrypt what is in the store, and this one does not. @default nothing */
  readonly onFault?: (error: unknown) => void
  /** Called with each generation that was written to the store, and its key. Never rejects. */
  readonly onWritten?: (generationKey: string, generation: string) => Promise<void>
}

/** What was declared outdated, in this process and in others. */
export class Invalidations {
  readonly #generations: Generations
  readonly #shared: SharedStore | undefined
  readonly #namespace: string
  /** Reads that are under way, by label: ten thousand callers at once make one read. */
  readonly #reading = new Map<string, Promise<void>>()
  /** Labels whose generations are being written to the store. */
  readonly #publishing = new Set<string>()
  readonly #firstFills: FirstFills
  /** Generation keys to their labels, the one that was used longest ago first. */
  readonly #labels = new RecentMap<string>()
  readonly #onWritten: (generationKey: string, generation: string) => Promise<void>
  readonly #onRemovals: () => void
  #onFault: ((error: unknown) => void) | undefined

  constructor({
    clock,
    shared,
    namespace,
    delay,
    onWritten = () => Promise.resolve(),
    onRemovals = () => {},
    onFault,
  }: InvalidationsOptions) {
    this.#onRemovals = onRemovals
    this.#onFault = onFault
    this.#generations = new Generations(clock, shared !== undefined, delay)
    this.#shared = shared
    this.#onWritten = onWritten
    this.#namespace = namespace
    this.#firstFills = new FirstFills({ generations: this.#generations, shared, keyOf: this.#remembered.bind(this), ttl: generationTtl })
  }

  /**
   * What is in force now, as far as this process knows, for a fill of `storeKey` that begins. A label under which nothing was filled gets a
   * generation at once, and in the store behind the caller's back.
   */
  snapshot(given: readonly string[], storeKey?: string): GenerationSnapshot {
    // Without a store, this process knows of each removal by itself.
    const labels = this.#shared === undefined || storeKey === undefined ? given : distinct([...given, removals, removalLabel(storeKey)])
    this.#firstFills.propose(labels)
    return this.#generations.snapshot(labels)
  }

  /**
   * Whether the store knows all of these generations, so that an entry with them is of use there. A promise while it is being asked, which
   * never rejects.
   */
  areStored(generations: GenerationByLabel): boolean | Promise<boolean> {
    return this.#firstFills.areStored(generations)
  }

  /** The generations as the store has them, for an entry that is written there. */
  stored(generations: GenerationByLabel): GenerationByLabel {
    return this.#generations.labels.stored(generations)
  }

  /** Whether this process saw any of `labels` invalidated since then. */
  isInvalidatedSince(labels: readonly string[], { sequence }: GenerationSnapshot): boolean {
    return this.#generations.haveChangedSince(labels, sequence)
  }

  /** The generations of those of `labels` of which nothing recent is known, and of what tells whether entries were removed. */
  due(labels: readonly string[], storeKeys: readonly string[] = []): DueGenerations {
    return this.#dueOf(this.#outdated(labels, storeKeys))
  }

  #outdated(labels: readonly string[], storeKeys: readonly string[]): readonly string[] {
    if (this.#shared === undefined) return []
    const removalLabels = distinct(storeKeys.map(removalLabel))
    return distinct([...this.#generations.outdated([...labels, removals]), ...this.#generations.unsure(removalLabels)])
  }

  #dueOf(due: readonly string[]): DueGenerations {
    if (due.length === 0) return noneDue
    const outdated = distinct([...due, ...this.#generations.outdated([removals])])
    const reading = this.#generations.read()
    const known = this.#generations.known(removals)
    return {
      keys: outdated.map((label) => this.#remembered(label)),
      take: (values) => {
        outdated.forEach((label, index) => {
          if (label === everything) this.#checkSign(values[index])
          this.#generations.learn(label, generationIn(values[index]), reading)
        })
        // What this process declared and could not write is written again.
        this.#publishAll(outdated)
        if (known !== undefined && known !== this.#generations.known(removals)) this.#onRemovals()
      },
    }
  }

  /**
   * Reads from the store those of `labels` of which nothing recent is known, for fills of `storeKeys`. Never throws, and waits no longer than
   * a read may.
   * @param begun when the call's first read began, by the monotonic clock, if this is not the first
   */
  async refresh(labels: readonly string[], storeKeys: readonly string[] = [], begun?: number): Promise<void> {
    this.#publishAll(labels)
    await this.#readAll(this.#outdated(labels, storeKeys), begun)
  }

  /** Reads from the store what was removed of these entries, if it was just read that something was. Never throws, as {@link refresh}. */
  async refreshRemoved(storeKeys: readonly string[], begun: number): Promise<void> {
    await this.#readAll(this.#outdated([], storeKeys).filter(isRemovalLabel), begun)
  }

  /**
   * Reads from the store what must be known before entries with these generations are served. Never throws, and waits no longer than a read
   * may.
   * @param begun when the call's first read began, by the monotonic clock, if this is not the first
   */
  async confirm(entries: readonly GenerationByLabel[], begun?: number): Promise<void> {
    const { at } = this.#generations.read()
    this.#publishAll(entries.flatMap((generations) => Object.keys(generations)))
    const first = this.#toConfirm(entries)
    await this.#readAll(first, begun)
    // That may tell of a removal, of which it did not ask for more.
    const others = this.#toConfirm(entries).filter((label) => isRemovalLabel(label) && !first.includes(label))
    await this.#readAll(others, begun ?? at)
  }

  #toConfirm(entries: readonly GenerationByLabel[]): readonly string[] {
    return distinct(entries.flatMap((generations) => this.#generations.toConfirm(generations)))
  }

  async #readAll(outdated: readonly string[], begun?: number): Promise<void> {
    if (outdated.length === 0) return
    const unread = outdated.filter((label) => !this.#reading.has(label))
    if (unread.length > 0) {
      const reading = this.#read(unread, begun).finally(() => {
        for (const label of unread) this.#reading.delete(label)
      })
      for (const label of unread) this.#reading.set(label, reading)
    }
    const readings = Promise.all(outdated.map(async (label) => this.#reading.get(label)))
    // A later call may have begun a reading that this call joins. It may end later than this call can wait.
    await (begun === undefined ? readings : this.#shared?.withinDeadline(begun, readings))
  }

  /** Whether nothing that an entry was filled under has been invalidated since, as far as this process knows. */
  matches(generations: GenerationByLabel): boolean {
    return this.#generations.matches(generations)
  }

  /**
   * Whether that is so, and the store need not be asked about it.
   * @param at a read that began then is recent enough @default what is read counts for as long as the delay
   * @param now the monotonic time, if the caller has just asked the clock
   */
  isCurrentWithoutRead(generations: GenerationByLabel, at?: number, now?: number): boolean {
    return this.#generations.matchesWithoutRead(generations, at, now)
  }

  /**
   * Whether nothing that an entry was filled under has been invalidated since. A label that could not be read may have been. A promise only
   * if the store must be asked.
   */
  isCurrent(generations: GenerationByLabel, begun?: number): boolean | Promise<boolean> {
    if (this.#generations.matchesWithoutRead(generations)) return true
    return this.confirm([generations], begun).then(() => this.#generations.matches(generations))
  }

  /** Another process says that it wrote this generation. */
  onDeclared(generationKey: string, generation: string): void {
    // A label that is not remembered is read from the store before anything under it is served.
    const label = this.#labels.get(generationKey)
    if (label !== undefined && isGeneration(generation)) this.#generations.onDeclared(label, generation)
  }

  /** Messages of other processes may have been lost. */
  mustRevalidate(): void {
    this.#generations.mustRevalidate()
  }

  /** Declares everything under `label` outdated. @returns whether the store knows it now. If not, it is written later */
  declare(label: string): Promise<boolean> {
    return this.#outdate(label)()
  }

  #outdate(label: string): () => Promise<boolean> {
    const generation = newGeneration()
    this.#generations.advance(label, generation)
    return () => this.#publish(label, generation)
  }

  /**
   * Declares the entries at `storeKeys` removed, wherever answers for them are on their way. All that has to be done first is `removing`.
   * @returns whether the store knows it now. If not, it is written later
   */
  async declareRemoved(storeKeys: readonly string[], removing: () => Promise<boolean>): Promise<boolean> {
    const labels = this.#shared === undefined ? [] : new Set(storeKeys.map(removalLabel))
    const publishEach = [...labels].map((label) => this.#outdate(label))
    const publishRemovals = this.#outdate(removals)
    const done = await Promise.all([removing(), ...publishEach.map((publish) => publish())])
    // Last of all: a process that reads this one reads the others after it.
    return (await publishRemovals()) && done.every(Boolean)
  }

  /** Writes to the store, in the background, what it does not know yet about `labels`. */
  #publishAll(labels: readonly string[]): void {
    for (const [label, generation] of this.#generations.unpublished(labels)) {
      const written = this.#publish(label, generation)
      // Other processes go by what they have read of removal labels until this says that there is more.
      if (isRemovalLabel(label)) void written.then((isWritten) => isWritten && this.declare(removals))
    }
  }

  async #publish(label: string, generation: string): Promise<boolean> {
    if (this.#shared === undefined) return true
    const name = `${generation} ${label}`
    if (this.#publishing.has(name)) return false
    this.#publishing.add(name)
    const key = this.#remembered(label)
    const written = newGeneration()
    const writing = this.#generations.read()
    const isWritten = await this.#shared.writeNow({ key, value: generationBytes(written), ttl: generationTtl })
    this.#publishing.delete(name)
    if (!isWritten) return false
    this.#generations.published(label, { generation, written, writing })
    await this.#onWritten(key, written)
    return true
  }

  #checkSign(value: Uint8Array | undefined): void {
    const error = this.#onFault && signError(value)
    if (error === undefined) return
    this.#onFault?.(error)
    this.#onFault = undefined
  }

  /** The name of a label's generation in the store. From now on, a message that names it is understood. */
  #remembered(label: string): string {
    const generationKey = generationKeyOf(this.#namespace, label)
    this.#labels.set(generationKey, label)
    if (this.#labels.size > maxLabels) this.#labels.delete(this.#labels.oldest?.key ?? '')
    return generationKey
  }

  async #read(labels: readonly string[], begun: number | undefined): Promise<void> {
    const due = this.#dueOf(labels)
    const values = await this.#shared?.read([], { latest: due.keys, begun })
    if (values !== undefined) due.take(values.filter((value) => value !== unread))
  }
}
