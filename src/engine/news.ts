/**
 * What processes over one store tell one another at once: what was declared outdated, and what was removed. News may be lost, repeated or
 * late, so that whoever hears some looks into the store again, which is what counts.
 * @module
 */
import { storePrefix } from './plan.ts'
import type { SharedTier } from './shared-tier.ts'

/** Who hears the news of other processes. Must not throw. */
export interface NewsReader {
  /** Something was declared outdated; the mark is the key of its generation in the store. */
  declared(mark: string, generation: string): void
  /** An entry was removed. */
  removed(storeKey: string): void
  /** There may have been news that nobody heard here. */
  missed(): void
}

/** Kinds of news, and what the two texts of each are. */
type Kind = 'declared' | 'removed'

/** Written into each message. Those of another version are not for us. */
const version = 1

/** What processes over one store tell one another. A store that cannot pass it on is told nothing. */
export class News {
  readonly #shared: SharedTier
  readonly #channel: string
  /** Tells our own messages, which come back, from others'. */
  readonly #sender = crypto.randomUUID()

  /** Begins to listen. */
  constructor(shared: SharedTier, namespace: string, reader: NewsReader) {
    this.#shared = shared
    this.#channel = `${storePrefix(namespace)}news`
    shared.listen(this.#channel, {
      heard: (message) => this.#read(message, reader),
      missed: () => reader.missed(),
    })
  }

  /** Tells that something was declared outdated, once the store knows of it. Never throws. */
  declared(mark: string, generation: string): Promise<void> {
    return this.#tell('declared', mark, generation)
  }

  /** Tells that an entry was removed, once the store has done so. Never throws. */
  removed(storeKey: string): Promise<void> {
    return this.#tell('removed', storeKey, '')
  }

  #tell(kind: Kind, what: string, detail: string): Promise<void> {
    return this.#shared.publish(this.#channel, JSON.stringify([version, this.#sender, kind, what, detail]))
  }

  #read(message: string, reader: NewsReader): void {
    const [form, sender, kind, what, detail] = textsIn(message)
    if (form !== version || sender === this.#sender || typeof what !== 'string' || typeof detail !== 'string') return
    if (kind === 'declared') reader.declared(what, detail)
    if (kind === 'removed') reader.removed(what)
  }
}

/** What others write into the channel may be anything. */
function textsIn(message: string): readonly unknown[] {
  try {
    const parts: unknown = JSON.parse(message)
    return Array.isArray(parts) ? parts : []
  } catch {
    return []
  }
}
