/**
 * What may be believed of the bytes in a store: that they are an entry of ours, for this key and scope, timely, and holding an answer.
 * @module
 */
import type { EntryCodec } from '../../codec/entry-codec.ts'
import { maxDuration } from '../../duration.ts'
import type { Entry, EntryHead } from '../../entry.ts'
import { EntryError } from '../../errors.ts'
import type { EventEmitter, Fault } from '../../events.ts'
import type { Endpoint } from '../../providers/endpoint.ts'
import { clockSkew } from '../../clock.ts'
import { isAnswer, isValue } from './sound-entry.ts'

/** What must be known of an entry's place and labels to find it. */
export interface Address {
  readonly key: string
  readonly storeKey: string
  readonly scope: string
  readonly labels: readonly string[]
  /** By which an answer out of the store is checked. @default none: it is a value of the caller's own */
  readonly endpoint?: Endpoint
}

/** Places in the store that are remembered as somebody else's, at the most. */
const mostForeign = 10_000

/** Bytes out of a store to entries. */
export class EntryReader {
  readonly #codec: EntryCodec
  readonly #events: EventEmitter
  readonly #allows: (entry: Entry, reason: string) => boolean
  /** Places in the store where something lies that is not ours to overwrite. */
  readonly #foreign = new Set<string>()

  /** @param allows whether the user wants to store an answer that its endpoint has this reason against; must not throw */
  constructor(codec: EntryCodec, events: EventEmitter, allows: (entry: Entry, reason: string) => boolean) {
    this.#codec = codec
    this.#events = events
    this.#allows = allows
  }

  /**
   * The entry in what was found at `address`, when there is one that may be believed. Never throws: what is wrong with it is told as an event.
   * @param now wall-clock time, as it is what the entry's writer went by
   */
  read(address: Address, bytes: Uint8Array | undefined, now: number): Entry | undefined {
    this.#foreign.delete(address.storeKey)
    const entry = bytes === undefined ? undefined : this.#decode(bytes, address)
    return entry !== undefined && isTimely(entry.head, now) ? entry : undefined
  }

  /** Whether there was something at this place, when it was last read, that must be left to its owner. */
  isForeign(storeKey: string): boolean {
    return this.#foreign.has(storeKey)
  }

  #decode(bytes: Uint8Array, { key, scope, storeKey, endpoint }: Address): Entry | undefined {
    try {
      const entry = this.#codec.decode(bytes)
      if (entry.head.key !== key || entry.head.scope !== scope) {
        this.#fault('foreign', new EntryError('NOT_RECOGNISED', 'a stored entry belongs to another key or scope.'))
        return undefined
      }
      const sound = endpoint === undefined ? isValue(entry) : isAnswer(entry, endpoint, (reason) => this.#allows(entry, reason))
      if (sound) return entry
      this.#fault('entry', new EntryError('DAMAGED_ENTRY', 'a stored entry holds nothing that would be stored.'))
    } catch (error) {
      // What is not ours, or is of a newer version, is left to its owner; what is ours and damaged will be overwritten.
      if (error instanceof EntryError && error.code === 'NOT_RECOGNISED') this.#spare(storeKey)
      this.#fault('entry', error)
    }
    return undefined
  }

  #spare(storeKey: string): void {
    if (this.#foreign.size >= mostForeign) this.#foreign.clear()
    this.#foreign.add(storeKey)
  }

  #fault(doing: Fault, error: unknown): void {
    this.#events.emit('error', { doing, error })
  }
}

/** Whether an entry is neither over nor from further in the future than clocks may disagree, nor meant to live for ever. */
function isTimely({ storedAt, ttl, stale }: EntryHead, now: number): boolean {
  const age = now - storedAt
  return age >= -clockSkew && age < ttl + stale && ttl + stale <= 2 * maxDuration
}
