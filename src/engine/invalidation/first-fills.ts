/**
 * First fills: a label under which nothing was filled gets a generation in the store, behind the caller's back.
 * @module
 */
import type { SharedStore } from '../shared-store/shared-store.ts'
import { type GenerationByLabel, generationBytes, generationIn } from './generation.ts'
import type { Generations } from './generations.ts'

/** What first fills work with. */
export interface FirstFillsOptions {
  readonly generations: Generations
  /** @default no store, so no other process */
  readonly shared: SharedStore | undefined
  /** The name of a label's generation in the store. */
  readonly keyOf: (label: string) => string
  /** Milliseconds for which a generation is kept there. */
  readonly ttl: number
}

/** Proposes generations for labels, of which the store keeps one for each. */
export class FirstFills {
  readonly #options: FirstFillsOptions
  /** What is being written to the store, by the labels. */
  readonly #proposing = new Map<string, Promise<void>>()

  constructor(options: FirstFillsOptions) {
    this.#options = options
  }

  /** Sees to it that these labels get generations, those that need them. */
  propose(labels: readonly string[]): void {
    const { shared, generations } = this.#options
    const unfilled = generations.unfilled(labels).filter((label) => !this.#proposing.has(label))
    if (shared === undefined || unfilled.length === 0) return
    const proposing = this.#send(shared, unfilled)
    for (const label of unfilled) this.#proposing.set(label, proposing)
  }

  /**
   * Whether the store knows all of these generations, so that an entry with them is of use there. A promise while it is being asked, which
   * never rejects.
   */
  areStored(entry: GenerationByLabel): boolean | Promise<boolean> {
    const { labels } = this.#options.generations
    const proposing = this.#proposing.size === 0 ? [] : Object.keys(entry).flatMap((label) => this.#proposing.get(label) ?? [])
    return proposing.length === 0 ? labels.areStored(entry) : Promise.all(proposing).then(() => labels.areStored(entry))
  }

  async #send(shared: SharedStore, labels: readonly string[]): Promise<void> {
    const { generations, keyOf, ttl } = this.#options
    const proposals = labels.map((label) => ({ label, generation: generations.propose(label), key: keyOf(label) }))
    const writing = generations.read()
    const writes = proposals.map(({ key, generation }) => ({ key, value: generationBytes(generation), ttl }))
    const values = await shared.setIfAbsent(writes)
    proposals.forEach(({ label, generation }, index) => {
      this.#proposing.delete(label)
      generations.proposed(label, { generation, found: generationIn(values[index]), writing })
    })
  }
}
