/**
 * Record and replay for tests: a store whose entries are files that people read in a review.
 * @module
 */
import { createEntryCodec, maxStoredBodyBytes } from '../../codec/entry-codec.ts'
import { InvalidOptionError } from '../../errors.ts'
import { assertKnown } from '../../base/option-checks.ts'
import { generationKey } from '../../key/store-keys.ts'
import {
  isRecordingMode,
  type RecordedCall,
  type RecordingMode,
  recordingModes,
  recordings,
  type RecordingStore,
} from '../../key/recordings.ts'
import type { Store } from '../../store.ts'
import { RecentMap } from '../../base/recent-map.ts'
import { type Cassette, entryIn, readableAnswer, readableCall } from './cassette.ts'
import { Beside, CassetteFolder } from './folder.ts'
import { explainMiss } from './miss.ts'
import { slugOf } from './slug.ts'

/** Options of {@link cassetteStore}. */
export interface CassetteOptions {
  /**
   * Changes each text of a request and an answer before it is written to a file, or shown in an error: to take a name or a number out. A stream
   * gives it each piece of a text by itself. The key stays that of the real request. @default none: texts stay as they are
   */
  readonly scrub?: (text: string) => string
}

/** A store of cassettes. */
export interface CassetteStore extends Store {
  /** The folder, as it was given. */
  readonly folder: string
  /** The names of the files that this store has neither replayed nor written so far, in order. */
  unused(): string[]
}

/** Calls that are remembered between their look-up and the end of their answer. */
const maxCalls = 10_000

/** The generation of every label that was not invalidated: recordings are as good as new. Its form is that of src/engine/invalidation/generation.ts. */
const firstGeneration = 'f-00000000-0000-0000-0000-000000000000'

/**
 * A store that keeps each answer with its request in a readable JSON file in `folder`, for tests: `createCache({ store: cassetteStore('test/cassettes') })`.
 * The cache's `mode` is then `record`, `replay` or `auto`, which is the default; the environment variable `LLMEMO_MODE` goes before it.
 *
 * Cassettes never expire, and invalidations do not concern them. The credential is no part of their keys and of no file, so that everybody can
 * replay them, from a folder that can only be read too. They hold every complete answer, also of calls that a cache would not store; errors of
 * a provider are not recorded. Values of the cache-aside methods stay in memory.
 * @throws {InvalidOptionError} for a folder or an option that cannot be
 */
export function cassetteStore(folder: string, options: CassetteOptions = {}): CassetteStore {
  if (typeof folder !== 'string' || folder === '') throw new InvalidOptionError('folder', folder, 'the path of a folder')
  assertKnown('', options, ['scrub'])
  const { scrub = (text: string) => text } = options
  if (typeof scrub !== 'function') throw new InvalidOptionError('scrub', scrub, 'a function of a text')
  return new FolderStore(folder, scrub)
}

class FolderStore implements CassetteStore, RecordingStore {
  readonly name = 'cassette'
  readonly folder: string
  readonly #files: CassetteFolder
  readonly #scrub: (text: string) => string
  readonly #codec = createEntryCodec({ compressAbove: Infinity, maxBodyBytes: maxStoredBodyBytes })
  /** By the key in the store. */
  readonly #calls = new RecentMap<RecordedCall>()
  /** Store keys by the key of the call. */
  readonly #storeKeys = new RecentMap<string>()
  /** All that is no answer: generations, values, leases. */
  readonly #others = new Map<string, Uint8Array>()
  readonly #used = new Set<string>()
  /** How the last read of a recording failed, by the key of its call. */
  readonly #failures = new Map<string, unknown>()
  /** Keys that were recorded by this store. */
  readonly #recorded = new Set<string>()

  constructor(folder: string, scrub: (text: string) => string) {
    this.folder = folder
    this.#files = new CassetteFolder(folder)
    this.#scrub = scrub
  }

  readonly [recordings] = {
    wantedMode: (): RecordingMode | undefined => {
      const wanted = process.env['LLMEMO_MODE']
      if (wanted === undefined || wanted === '' || isRecordingMode(wanted)) return isRecordingMode(wanted) ? wanted : undefined
      throw new InvalidOptionError('LLMEMO_MODE', wanted, recordingModes)
    },
    noted: (call: RecordedCall): void => {
      remember(this.#calls, call.storeKey, call)
      remember(this.#storeKeys, call.key, call.storeKey)
    },
    whyMissing: (keys: readonly string[]): string | undefined => {
      const calls = keys.map((key) => this.#calls.get(this.#storeKeys.get(key) ?? '')).filter((call) => call !== undefined)
      if (calls[0]?.mode !== 'replay') return undefined
      return explainMiss(calls, { files: this.#files, scrub: this.#scrub, failures: this.#failures })
    },
  }

  get(key: string): Uint8Array | undefined {
    const call = this.#calls.get(key)
    if (call === undefined) return this.#others.get(key) ?? (isGeneration(key) ? new TextEncoder().encode(firstGeneration) : undefined)
    // What was recorded before counts only for the modes that replay it.
    if (call.mode === 'record' && !this.#recorded.has(call.key)) return undefined
    try {
      return this.#entryOf(call)
    } catch (error) {
      this.#failures.set(call.key, error)
      throw error
    }
  }

  #entryOf(call: RecordedCall): Uint8Array | undefined {
    const found = this.#files.find(call.key)
    if (found === undefined) return undefined
    const generations = Object.fromEntries(call.labels.map((label) => [label, this.#generationOf(call, label)]))
    const entry = entryIn(found.cassette, call, { read: (name) => this.#files.bytes(name), generations })
    const bytes = this.#codec.encode(entry)
    this.#used.add(found.name)
    this.#failures.delete(call.key)
    return bytes
  }

  set(key: string, value: Uint8Array): void {
    const call = this.#calls.get(key)
    if (call === undefined) return void this.#others.set(key, value)
    if (call.mode === 'replay') return
    const beside = new Beside()
    const writing = { scrub: this.#scrub, beside: beside.add }
    const { request, call: described } = readableCall(call, writing)
    const cassette: Cassette = { request, call: described, answer: readableAnswer(this.#codec.decode(value), writing) }
    this.#used.add(this.#files.write(call.key, slugOf(call.operation, request), { cassette, beside }))
    this.#recorded.add(call.key)
  }

  setIfAbsent(key: string, value: Uint8Array): Uint8Array {
    const found = this.get(key)
    if (found === undefined) this.set(key, value)
    return found ?? value
  }

  /** Recordings stay: what a test removes from its cache is there again in its next run. */
  delete(key: string): void {
    this.#others.delete(key)
  }

  keys(prefix: string): string[] {
    return [...this.#others.keys()].filter((key) => key.startsWith(prefix))
  }

  unused(): string[] {
    return this.#files.names().filter((name) => !this.#used.has(name))
  }

  #generationOf({ parts }: RecordedCall, label: string): string {
    const declared = this.#others.get(generationKey(parts.namespace, label))
    return declared === undefined ? firstGeneration : new TextDecoder().decode(declared)
  }
}

function isGeneration(key: string): boolean {
  return key.split(':', 2)[1] === 'mark'
}

function remember<Value>(map: RecentMap<Value>, key: string, value: Value): void {
  map.set(key, value)
  const { oldest } = map
  if (map.size > maxCalls && oldest !== undefined) map.delete(oldest.key)
}
