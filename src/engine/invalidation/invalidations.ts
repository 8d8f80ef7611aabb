/**
 * What was declared outdated, in this process and in others: the generations of labels, and their generations in the store.
 * @module
 */
import { type Clock, clockSkew } from '../../clock.ts'
import { maxDuration } from '../../duration.ts'
import { sha256 } from '../../base/digest.ts'
import { type GenerationSnapshot, Generations, type GenerationByLabel } from './generations.ts'
import { generationKey as generationKeyOf } from '../../key/store-keys.ts'
import type { SharedStore } from '../shared-store/shared-store.ts'
import { unread } from '../shared-store/store-reader.ts'

/** Longer than any entry can live, its stale time included. */
const generationTtl = 2 * maxDuration + clockSkew

/** What a generation looks like: a UUID. */
const generationForm = /^[0-9a-f-]{36}$/
/** How many generation keys are remembered with their labels. */
const maxLabels = 50_000

/** Generations that are to be read from the store, alone or along with entries. */
export interface DueGenerations {
  readonly keys: readonly string[]
  /** Takes what was found under the keys, in their order. */
  take(values: readonly (Uint8Array | undefined)[]): void
}

/** What invalidations work with. */
export interface InvalidationsOptions {
  readonly clock: Clock
  /** @default no store, so no other process */
  readonly shared: SharedStore | undefined
  readonly namespace: string
  /** Milliseconds after which this process heeds an invalidation by another process, at the latest. */
  readonly delay: number
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
  /** Generation keys to their labels. */
  readonly #labels = new Map<string, string>()
  /** Whether there were too many labels to remember them all. */
  #hasForgotten = false
  readonly #onWritten: (generationKey: string, generation: string) => Promise<void>

  constructor({ clock, shared, namespace, delay, onWritten = () => Promise.resolve() }: InvalidationsOptions) {
    this.#generations = new Generations(clock, shared !== undefined, delay)
    this.#shared = shared
    this.#onWritten = onWritten
    this.#namespace = namespace
  }

  /** What is in force now, as far as this process knows. */
  snapshot(labels: readonly string[]): GenerationSnapshot {
    return this.#generations.snapshot(labels)
  }

  /** Whether this process saw any of `labels` invalidated since then. */
  isInvalidatedSince(labels: readonly string[], { sequence }: GenerationSnapshot): boolean {
    return this.#generations.haveChangedSince(labels, sequence)
  }

  /** The generations of those of `labels` of which nothing recent is known. */
  due(labels: readonly string[]): DueGenerations {
    const outdated = this.#generations.outdated(labels)
    const reading = this.#generations.read()
    const keys = outdated.map((label) => this.#generationKeyOf(label))
    outdated.forEach((label, index) => this.#remember(keys[index] ?? '', label))
    return {
      keys,
      take: (values) => {
        outdated.forEach((label, index) => {
          this.#generations.learn(label, generationIn(values[index]), reading)
        })
        // A generation that the store has lost is written again.
        this.#publishAll(outdated)
      },
    }
  }

  /**
   * Reads from the store those of `labels` of which nothing recent is known. Never throws, and waits no longer than a read may.
   * @param begun when the call's first read began, by the monotonic clock, if this is not the first
   */
  async refresh(labels: readonly string[], begun?: number): Promise<void> {
    this.#publishAll(labels)
    const outdated = this.#generations.outdated(labels)
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

  /** Whether that is so, and the store need not be asked about it. */
  isCurrentWithoutRead(generations: GenerationByLabel): boolean {
    if (!this.#generations.matches(generations)) return false
    if (this.#shared === undefined) return true
    const labels = Object.keys(generations)
    return this.#generations.unpublished(labels).length === 0 && this.#generations.outdated(labels).length === 0
  }

  /** Whether nothing that an entry was filled under has been invalidated since. */
  async isCurrent(generations: GenerationByLabel, begun?: number): Promise<boolean> {
    await this.refresh(Object.keys(generations), begun)
    return this.#generations.matches(generations)
  }

  /**
   * Whether an entry from the store is good. A copy in memory was checked when it came there. For an entry from the store, a label that could
   * not be read may have been invalidated.
   */
  async isKnownCurrent(generations: GenerationByLabel, begun: number): Promise<boolean> {
    return (await this.isCurrent(generations, begun)) && this.#generations.knows(Object.keys(generations))
  }

  /** Another process says that it wrote this generation. */
  onDeclared(generationKey: string, generation: string): void {
    const label = this.#labels.get(generationKey)
    if (!generationForm.test(generation)) return
    if (label !== undefined) this.#generations.onDeclared(label, generation)
    // Of a label that was never looked up here nothing is held that could be outdated.
    else if (this.#hasForgotten) this.#generations.mustRevalidate()
  }

  /** Messages of other processes may have been lost. */
  mustRevalidate(): void {
    this.#generations.mustRevalidate()
  }

  /** Declares everything under `label` outdated. @returns whether the store knows it now. If not, it is written later */
  declare(label: string): Promise<boolean> {
    const generation = crypto.randomUUID()
    this.#generations.advance(label, generation)
    return this.#publish(label, generation)
  }

  /** Writes to the store, in the background, what it does not know yet about `labels`. */
  #publishAll(labels: readonly string[]): void {
    for (const [label, generation] of this.#generations.unpublished(labels)) void this.#publish(label, generation)
  }

  async #publish(label: string, generation: string): Promise<boolean> {
    if (this.#shared === undefined) return true
    const name = `${generation} ${label}`
    if (this.#publishing.has(name)) return false
    this.#publishing.add(name)
    const key = this.#generationKeyOf(label)
    this.#remember(key, label)
    const written = crypto.randomUUID()
    const value = new TextEncoder().encode(written)
    const writing = this.#generations.read()
    const isWritten = await this.#shared.writeNow({ key, value, ttl: generationTtl })
    this.#publishing.delete(name)
    if (!isWritten) return false
    this.#generations.published(label, { generation, written, writing })
    await this.#onWritten(key, written)
    return true
  }

  #generationKeyOf(label: string): string {
    return generationKeyOf(this.#namespace, label)
  }

  #remember(generationKey: string, label: string): void {
    if (this.#labels.size >= maxLabels) {
      this.#labels.clear()
      this.#hasForgotten = true
    }
    this.#labels.set(generationKey, label)
  }

  async #read(labels: readonly string[], begun: number | undefined): Promise<void> {
    const due = this.due(labels)
    const values = await this.#shared?.read([], due.keys, begun)
    if (values !== undefined) due.take(values.filter((value) => value !== unread))
  }
}

/**
 * The generation in a stored value. A damaged value counts as a generation under which nothing was filled. It is as short as any other, as
 * entries keep it in their heads.
 */
function generationIn(value: Uint8Array | undefined): string | undefined {
  if (value === undefined) return undefined
  const text = value.byteLength === 36 ? new TextDecoder().decode(value) : ''
  return generationForm.test(text) ? text : sha256(value)
}
