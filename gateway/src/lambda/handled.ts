/**
 * Which messages and events were handled already. A queue delivers each at least once, and one that comes again late would otherwise undo
 * what was done since.
 * @module
 */
import { createHash } from 'node:crypto'
import type { Store } from 'llmemo'

/** No name of a cache begins so: those have `llmemo/`. */
const prefix = 'llmemo-gateway/handled/'
/** Milliseconds for which it is noted: longer than a message can be in a queue, which is 14 days. */
const notedFor = 15 * 86_400_000
const handled = Uint8Array.of(1)

/** Notes in the store what was handled. */
export class HandledMessages {
  readonly #store: Store | undefined
  readonly #source: string

  /** @param source where the messages come from: the ARN of a queue */
  constructor(store: Store | undefined, source: string) {
    this.#store = store
    this.#source = source
  }

  /** Those of `ids` that were handled before. While the store does not say, none. */
  async among(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const store = this.#store
    if (store === undefined || ids.length === 0) return new Set()
    try {
      const names = ids.map((id) => this.#nameOf(id))
      const found = (await store.getMany?.(names)) ?? (await Promise.all(names.map(async (name) => store.get(name))))
      return new Set(ids.filter((_, index) => (found[index] ?? undefined) !== undefined))
    } catch {
      return new Set()
    }
  }

  /** Notes these. If the store does not take it, they are done again should they come again. */
  async note(ids: readonly string[]): Promise<void> {
    const store = this.#store
    if (store === undefined || ids.length === 0) return
    const writes = ids.map((id) => ({ key: this.#nameOf(id), value: handled, ttl: notedFor }))
    try {
      if (store.setMany === undefined) await Promise.all(writes.map(async ({ key, value, ttl }) => store.set(key, value, { ttl })))
      else await store.setMany(writes)
    } catch {
      // What they asked for is done all the same.
    }
  }

  #nameOf(id: string): string {
    return (
      prefix +
      createHash('sha256')
        .update(JSON.stringify([this.#source, id]))
        .digest('hex')
    )
  }
}
