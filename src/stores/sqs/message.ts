/**
 * The messages that changes of a store travel in. A message is JSON:
 * `{ "llmemo": "store@1", "writer": "…", "at": 1764000000000, "changes": [{ "sequence": 1, "key": "…", "value": "base64", "expires": … }] }`.
 *
 * A queue delivers a message at least once, and not in order. So each change has a number that grows with each change of its writer, and a
 * value has the time at which it expires rather than a TTL.
 * @module
 */
import { StoreError } from '../../errors.ts'

/** One change of a store. */
export interface QueuedChange {
  /** Grows with each change of one writer. */
  readonly sequence: number
  readonly key: string
  /** The value, in base64. Without one, the key is removed, unless the change is only `noted`. */
  readonly value?: string
  /** When the value expires, in milliseconds since 1970. */
  readonly expires?: number
  /** Whether the value is written only where there is none. */
  readonly ifAbsent?: true
  /** The value is in the store already. Only older changes of the key have to be kept out. */
  readonly noted?: true
}

/** Changes that travel together. `Change` is the text of one where a message is made. */
export interface QueuedChanges<Change = QueuedChange> {
  /** Who made the changes. */
  readonly writer: string
  /** When the changes were made, in milliseconds since 1970. */
  readonly at: number
  readonly changes: readonly Change[]
}

const version = 'store@1'

/** Bytes of a message besides its changes. */
export const messageOverhead = 160

/** The text of a message. All of it is ASCII, of which every character may stand in a message and is one byte. */
export function messageOf({ writer, at, changes }: QueuedChanges<string>): string {
  return `{"llmemo":"${version}","writer":"${writer}","at":${at},"changes":[${changes.join(',')}]}`
}

/** The text of one change, as it stands in a message. */
export function textOf(change: QueuedChange): string {
  return JSON.stringify(change).replaceAll(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Whether parsed JSON claims to be a message of {@link queueStore}. */
export function isQueuedChanges(message: unknown): boolean {
  return memberOf(message, 'llmemo') === version
}

/**
 * Reads the parsed JSON of a message.
 * @throws {StoreError} for one that cannot be read, which will not change by itself
 */
export function changesIn(message: unknown): QueuedChanges {
  const writer = memberOf(message, 'writer')
  const at = memberOf(message, 'at')
  const changes = memberOf(message, 'changes')
  const isWhole = isQueuedChanges(message) && typeof writer === 'string' && Number.isFinite(at) && Array.isArray(changes)
  if (!isWhole || typeof at !== 'number' || !changes.every(isChange)) {
    throw new StoreError('a message from the queue is none of queueStore, or is damaged.')
  }
  return { writer, at, changes }
}

function isChange(value: unknown): value is QueuedChange {
  const expires = memberOf(value, 'expires')
  const bytes = memberOf(value, 'value')
  const hasValue = typeof bytes === 'string' && typeof expires === 'number' && Number.isSafeInteger(expires)
  return (
    typeof memberOf(value, 'key') === 'string' &&
    Number.isSafeInteger(memberOf(value, 'sequence')) &&
    (hasValue || (bytes === undefined && expires === undefined && memberOf(value, 'ifAbsent') === undefined))
  )
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined
}
