/**
 * What a store of recordings for tests is beside a store: it is told each call with the request, which a key does not show, and can say why a
 * call has no recording. The store itself is in src/testing/cassettes; the engine knows only this.
 * @module
 */
import type { CanonicalOptions } from '../json/canonical.ts'
import type { Store } from '../store.ts'
import type { KeyParts } from './key.ts'

/**
 * How recordings are used.
 * - `auto`: replay what is recorded, ask the provider for the rest and record it.
 * - `record`: ask the provider once for each request, and record its answer again.
 * - `replay`: never ask the provider; a call without a recording fails at once.
 */
export type RecordingMode = 'auto' | 'record' | 'replay'

/** The modes of recordings. */
export const recordingModes: readonly RecordingMode[] = ['auto', 'record', 'replay']

/** Whether `value` is a mode of recordings. */
export function isRecordingMode(value: unknown): value is RecordingMode {
  return recordingModes.some((mode) => mode === value)
}

/** A call, as a store of recordings is told it. */
export interface RecordedCall {
  /** 64 hex digits. */
  readonly key: string
  /** The key under which the cache reads and writes the answer. */
  readonly storeKey: string
  readonly mode: RecordingMode
  readonly operation: string
  /** By what the answer can be invalidated. */
  readonly labels: readonly string[]
  /** Wall-clock time of the cache, in milliseconds since the epoch. */
  readonly now: number
  /** What the key was made of. */
  readonly parts: KeyParts
  /** How the key was written. */
  readonly canonical: CanonicalOptions
}

/** What a store of recordings offers the cache. */
export interface Recordings {
  /** The mode that the environment asks for, whatever the cache says. @throws {InvalidOptionError} if it asks for something else */
  wantedMode(): RecordingMode | undefined
  /** Takes note of a call, before the cache looks it up. */
  noted(call: RecordedCall): void
  /** Why there is no recording for the first of these keys that has none; `undefined` if the call was not one of mode `replay`. */
  whyMissing(keys: readonly string[]): string | undefined
}

/** The member of a store of recordings. A registered symbol, as a program may hold two copies of the package. */
export const recordings: unique symbol = Symbol.for('llmemo.recordings')

/** A store of recordings. */
export interface RecordingStore extends Store {
  readonly [recordings]: Recordings
}

/** What a store offers as one of recordings; `undefined` if it is another one. */
export function recordingsOf(store: Store | undefined): Recordings | undefined {
  return store !== undefined && isRecordingStore(store) ? store[recordings] : undefined
}

function isRecordingStore(store: Store): store is RecordingStore {
  return recordings in store
}

/** Names in the query of a URL whose values are probably secret. */
const secretQuery = /([?&][^=&#"]*(?:key|token|secret|sig|auth|pass|code|credential)[^=&#"]*=)[^&#"]*/gi

/** A base URL without user, password and keys: who records is not who replays, and none of it may lie in a file. */
export function withoutCredentials(origin: string): string {
  return origin.replaceAll(/\/\/[^/?#@"]*@/g, '//').replaceAll(secretQuery, '$1')
}
