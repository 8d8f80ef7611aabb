/**
 * What was declared outdated, in this process and in others: the generations of labels, and their marks in the store.
 * @module
 */
import type { Clock } from '../../clock.ts'
import { longestDuration } from '../../duration.ts'
import { sha256 } from '../../base/digest.ts'
import { type Standing, Generations, type Marks } from './generations.ts'
import { storePrefix } from '../cached-call.ts'
import type { SharedTier } from '../shared-store/shared-store.ts'

/** How far another machine's clock may be ahead of ours. An entry from beyond that is not believed. */
export const clockSkew = 5 * 60_000
/** Longer than any entry can live, its stale time included. */
const markTtl = 2 * longestDuration + clockSkew

/** What a mark is: a UUID. */
const generationForm = /^[0-9a-f-]{36}$/
/** Marks whose labels are remembered, at the most. */
const mostLabels = 50_000

/** Marks that are to be read from the store, alone or along with something else. */
export interface DueMarks {
  readonly keys: readonly string[]
  /** Takes what was found under the keys, in their order. */
  take(values: readonly (Uint8Array | undefined)[]): void
}

/** What was declared outdated, in this process and in others. */
export class Invalidations {
  readonly #generations: Generations
  readonly #shared: SharedTier | undefined
  readonly #prefix: string
  /** Readings that are under way, by label: ten thousand callers at once are one reading. */
  readonly #reading = new Map<string, Promise<void>>()
  /** Labels whose generations are being written to the store. */
  readonly #publishing = new Set<string>()
  /** Marks to the labels that they are of. */
  readonly #labels = new Map<string, string>()
  /** Whether there were too many labels to remember them all. */
  #hasForgotten = false
  readonly #written: (mark: string, generation: string) => Promise<void>

  /**
   * @param delay milliseconds after which an invalidation by another process is heeded at the latest
   * @param written told of each mark that was written to the store; it never rejects
   */
  constructor(
    clock: Clock,
    shared: SharedTier | undefined,
    namespace: string,
    delay: number,
    written: (mark: string, generation: string) => Promise<void> = () => Promise.resolve(),
  ) {
    this.#generations = new Generations(clock, shared !== undefined, delay)
    this.#shared = shared
    this.#written = written
    this.#prefix = `${storePrefix(namespace)}mark:`
  }

  /** What is in force now, as far as this process knows. */
  begin(labels: readonly string[]): Standing {
    return this.#generations.begin(labels)
  }

  /** Whether this process saw any of `labels` invalidated since then. */
  overtook(labels: readonly string[], { turn }: Standing): boolean {
    return this.#generations.changedSince(labels, turn)
  }

  /** The marks of those of `labels` of which nothing recent is known. */
  due(labels: readonly string[]): DueMarks {
    const outdated = this.#generations.outdated(labels)
    const reading = this.#generations.read()
    const keys = outdated.map((label) => this.#markOf(label))
    outdated.forEach((label, index) => this.#remember(keys[index] ?? '', label))
    return {
      keys,
      take: (values) => {
        outdated.forEach((label, index) => {
          this.#generations.learn(label, generationIn(values[index]), reading)
        })
        // A mark that the store has lost is made anew.
        this.#publishAll(outdated)
      },
    }
  }

  /** Asks the store for those of `labels` of which nothing recent is known. Never throws, and waits no longer than a read may. */
  async refresh(labels: readonly string[]): Promise<void> {
    this.#publishAll(labels)
    const outdated = this.#generations.outdated(labels)
    if (outdated.length === 0) return
    const unread = outdated.filter((label) => !this.#reading.has(label))
    if (unread.length > 0) {
      const reading = this.#read(unread).finally(() => {
        for (const label of unread) this.#reading.delete(label)
      })
      for (const label of unread) this.#reading.set(label, reading)
    }
    await Promise.all(outdated.map(async (label) => this.#reading.get(label)))
  }

  /** Whether nothing that an entry was filled under has been invalidated since, as far as this process knows. */
  agree(marks: Marks): boolean {
    return this.#generations.agree(marks)
  }

  /** Whether that is so, and the store need not be asked about it. */
  isSurelyGood(marks: Marks): boolean {
    if (!this.#generations.agree(marks)) return false
    if (this.#shared === undefined) return true
    const labels = Object.keys(marks)
    return this.#generations.unpublished(labels).length === 0 && this.#generations.outdated(labels).length === 0
  }

  /** Whether nothing that an entry was filled under has been invalidated since. */
  async isGood(marks: Marks): Promise<boolean> {
    await this.refresh(Object.keys(marks))
    return this.#generations.agree(marks)
  }

  /**
   * Whether an entry from the store is good. One that memory holds was checked when it came there; here a label that could not be looked up
   * may well have been invalidated.
   */
  async isCertain(marks: Marks): Promise<boolean> {
    return (await this.isGood(marks)) && this.#generations.knows(Object.keys(marks))
  }

  /** Another process says that it wrote this mark. */
  hear(mark: string, generation: string): void {
    const label = this.#labels.get(mark)
    if (!generationForm.test(generation)) return
    if (label !== undefined) this.#generations.hear(label, generation)
    // Of a label that was never looked up here nothing is held that could be outdated.
    else if (this.#hasForgotten) this.#generations.doubt()
  }

  /** What other processes declared outdated may have gone unheard. */
  doubt(): void {
    this.#generations.doubt()
  }

  /** Declares everything under `label` outdated. @returns whether the store knows of it now; it is told later where it does not */
  declare(label: string): Promise<boolean> {
    const generation = crypto.randomUUID()
    this.#generations.advance(label, generation)
    return this.#publish(label, generation)
  }

  /** Tells the store what it does not know yet of `labels`, behind the caller's back. */
  #publishAll(labels: readonly string[]): void {
    for (const [label, generation] of this.#generations.unpublished(labels)) void this.#publish(label, generation)
  }

  async #publish(label: string, generation: string): Promise<boolean> {
    if (this.#shared === undefined) return true
    const name = `${generation} ${label}`
    if (this.#publishing.has(name)) return false
    this.#publishing.add(name)
    const key = this.#markOf(label)
    this.#remember(key, label)
    const told = crypto.randomUUID()
    const value = new TextEncoder().encode(told)
    const writing = this.#generations.read()
    const written = await this.#shared.writeNow({ key, value, ttl: markTtl })
    this.#publishing.delete(name)
    if (!written) return false
    this.#generations.published(label, generation, told, writing)
    await this.#written(key, told)
    return true
  }

  #markOf(label: string): string {
    return this.#prefix + sha256(label)
  }

  #remember(mark: string, label: string): void {
    if (this.#labels.size >= mostLabels) {
      this.#labels.clear()
      this.#hasForgotten = true
    }
    this.#labels.set(mark, label)
  }

  async #read(labels: readonly string[]): Promise<void> {
    const due = this.due(labels)
    const values = await this.#shared?.read([], due.keys)
    if (values !== undefined) due.take(values)
  }
}

/**
 * The generation in a mark. What is damaged is one that nothing was filled under, and no longer than any other: it is written into the
 * heads of entries.
 */
function generationIn(value: Uint8Array | undefined): string | undefined {
  if (value === undefined) return undefined
  const text = value.byteLength === 36 ? new TextDecoder().decode(value) : ''
  return generationForm.test(text) ? text : sha256(value)
}
