/**
 * Checks of the bytes in a store: whether they are an entry of ours, for this place, within its time, and with an answer in it.
 * The place is the key, the scope, the namespace and the kind (an answer, or a value of the caller's own), which all stand in the head.
 * @module
 */
import { shortName } from '../../base/short-name.ts'
import { latin1Of } from '../../base/text-bytes.ts'
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
  /** What checks an answer from the store. @default none: the entry is a value of the caller's own */
  readonly endpoint?: Endpoint
}

/** What reading works with. */
export interface EntryReaderOptions {
  readonly codec: EntryCodec
  readonly namespace: string
  readonly events: EventEmitter
  /** Whether the user wants to store an answer that its endpoint has this reason against. Must not throw. */
  readonly allows: (entry: Entry, reason: string) => boolean
}

/** How many keys in the store are remembered as belonging to another program. */
const maxForeign = 10_000

/** How many entries are remembered as sound. */
const maxSound = 10_000
/** Bytes at the end of an entry that tell it from others: its checksum. */
const checksumBytes = 8

/** Makes entries of the bytes in a store. */
export class EntryReader {
  readonly #codec: EntryCodec
  readonly #namespace: string
  readonly #events: EventEmitter
  readonly #allows: (entry: Entry, reason: string) => boolean
  /** Keys in the store whose values must not be overwritten, as they are not ours. */
  readonly #foreign = new Set<string>()
  /** Checksums of answers that were found sound, whatever the user's policy is. To judge one takes as long as to read it. */
  readonly #sound = new Map<string, Endpoint>()

  constructor({ codec, namespace, events, allows }: EntryReaderOptions) {
    this.#codec = codec
    this.#namespace = namespace
    this.#events = events
    this.#allows = allows
  }

  /**
   * The entry in what was found at `address`, if it passes all checks. Never throws: what is wrong with it is emitted as an event.
   * @param now wall-clock time, which the entry's writer used as well
   */
  read(address: Address, bytes: Uint8Array | undefined, now: number): Entry | undefined {
    if (this.#foreign.size > 0) this.#foreign.delete(shortName(address.storeKey))
    const entry = bytes === undefined ? undefined : this.#decode(bytes, address)
    return entry !== undefined && isTimely(entry.head, now) ? entry : undefined
  }

  /** Whether the last read found something at this key that belongs to another program. */
  isForeign(storeKey: string): boolean {
    return this.#foreign.size > 0 && this.#foreign.has(shortName(storeKey))
  }

  #decode(bytes: Uint8Array, { key, scope, storeKey, endpoint }: Address): Entry | undefined {
    try {
      const entry = this.#codec.decode(bytes)
      const { head } = entry
      const isSameKind = (head.endpoint === '') === (endpoint === undefined)
      // Older entries do not say their namespace. With encryption, what lies beside an entry binds it to its place as well.
      const isSameNamespace = head.namespace === undefined || head.namespace === this.#namespace
      if (head.key !== key || head.scope !== scope || !isSameNamespace || !isSameKind) {
        this.#fault('foreign', new EntryError('NOT_RECOGNISED', 'a stored entry belongs to another key, scope, namespace or kind.'))
        return undefined
      }
      if (endpoint === undefined ? isValue(entry) : this.#isSound(entry, bytes, endpoint)) return entry
      this.#fault('entry', new EntryError('DAMAGED_ENTRY', 'a stored entry holds nothing that would be stored.'))
    } catch (error) {
      // What is not ours, or has a newer version, stays as it is. What is ours and damaged may be overwritten.
      if (error instanceof EntryError && error.code === 'NOT_RECOGNISED') this.#spare(storeKey)
      this.#fault('entry', error)
    }
    return undefined
  }

  #isSound(entry: Entry, bytes: Uint8Array, endpoint: Endpoint): boolean {
    const checksum = latin1Of(bytes.subarray(-checksumBytes))
    if (this.#sound.get(checksum) === endpoint) return true
    let isAllowed = false
    const isSound = isAnswer(entry, endpoint, (reason) => (isAllowed = this.#allows(entry, reason)))
    if (!isSound || isAllowed) return isSound
    if (this.#sound.size >= maxSound) this.#sound.clear()
    this.#sound.set(checksum, endpoint)
    return true
  }

  #spare(storeKey: string): void {
    if (this.#foreign.size >= maxForeign) this.#foreign.clear()
    this.#foreign.add(shortName(storeKey))
  }

  #fault(doing: Fault, error: unknown): void {
    this.#events.emit('error', { doing, error })
  }
}

/** Whether an entry's time is not over, its life not too long, and its date no further in the future than clocks may disagree. */
function isTimely({ storedAt, ttl, stale }: EntryHead, now: number): boolean {
  const age = now - storedAt
  return age >= -clockSkew && age < ttl + stale && ttl + stale <= 2 * maxDuration
}
