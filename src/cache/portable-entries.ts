/**
 * Entries on their way from one store to another: as plain JSON, and back into a cache.
 * @module
 */
import { base64Of, bytesOfBase64 } from '../base/text-bytes.ts'
import { isJsonObject } from '../json/object.ts'
import { readHead } from '../codec/entry-head.ts'
import type { Entry, EntryHead } from '../entry.ts'
import { EntryError } from '../errors.ts'
import type { StoreOutcome } from '../engine/cache-info.ts'
import type { Engine } from '../engine/engine.ts'
import { withoutRemovals } from '../engine/invalidation/removal-labels.ts'
import { placeOf } from '../engine/tiers/tier-store.ts'
import { type EntryFilter, listedEntries } from './entries.ts'

/** The version of the form. */
const version = 1

/**
 * An entry as plain JSON: its head, the names of its labels, and its body. Without the generations of its labels, as these say only in their
 * own store whether it was invalidated.
 */
export interface PortableEntry extends Omit<EntryHead, 'generations'> {
  /** The version of this form. */
  readonly llmemo: number
  /** The names by which it can be invalidated, such as `tag:doc:42`. */
  readonly labels: readonly string[]
  /** The size of the body. */
  readonly bytes: number
  /** The body, that of the kind `bytes` in base64. @default it was not asked for */
  readonly body?: string
}

/**
 * The entries of a cache as plain JSON, one by one.
 * @throws {InvalidOptionError} for an unknown filter
 * @throws {StoreError} while they are read, if the store cannot list its keys, or fails to
 */
export async function* portableEntries(engine: Engine, filter: EntryFilter, withBody: boolean): AsyncGenerator<PortableEntry, undefined> {
  const { namespace } = engine.settings
  for await (const { head, bytes, storeKey } of listedEntries(engine, filter)) {
    const { generations, ...rest } = head
    const body = withBody ? await engine.tiers.contents.body(storeKey) : undefined
    // It was removed meanwhile.
    if (withBody && body === undefined) continue
    const text = typeof body === 'string' ? body : body && base64Of(body)
    yield { llmemo: version, ...rest, namespace, labels: withoutRemovals(generations), bytes, ...(text !== undefined && { body: text }) }
  }
}

/** What became of an entry that was put into a cache: once everything is flushed, whether the store took it. */
export interface PutEntry {
  readonly outcome: StoreOutcome
}

/**
 * Puts an entry into a cache as it was: with its age, under its own key. What was invalidated since it was exported is good again.
 * The store keeps it as long as a new one, and the cache serves it no longer than its own time.
 * @returns `undefined` if its time is over
 * @throws {EntryError} for a value that is no such entry, or one that cannot be found in this cache
 */
export async function putPortable(engine: Engine, value: unknown): Promise<PutEntry | undefined> {
  const { settings, tiers } = engine
  const { head, body, labels } = readPortable(value)
  if (head.namespace !== settings.namespace) throw refused('it belongs to another namespace, which is part of its key')
  const { ttl, stale, storedAt, usage, model, latency, scope, key } = head
  if (settings.clock.now() >= storedAt + ttl + stale) return undefined
  const address = { key, scope, labels, storeKey: placeOf(head) }
  await tiers.refresh(address)
  const snapshot = tiers.snapshot(address)
  const outcome: StoreOutcome = { stored: false, reason: undefined, metering: { usage, model, latency } }
  const told = { ...address, operation: head.operation, model, streamed: head.kind === 'sse' }
  engine.put(told, { head: { ...head, generations: snapshot.generations }, body }, { snapshot, outcome })
  return { outcome }
}

function readPortable(value: unknown): Entry & { readonly labels: readonly string[] } {
  if (!isJsonObject(value)) throw refused('it is no object')
  if (value['llmemo'] !== version) throw refused(`it is not of the form that "export --body" writes, version ${version}`)
  const { labels, body } = value
  if (!Array.isArray(labels) || !labels.every((label): label is string => typeof label === 'string')) throw refused('"labels" are no texts')
  const head = readHead({ ...value, generations: Object.fromEntries(labels.map((label) => [label, ''])) })
  if (head.endpoint !== '' && !/^[\da-f]{64}$/.test(head.key)) throw refused('"key" is not that of an answer')
  if (typeof body !== 'string') throw refused('it has no body; export it with --body')
  return { head, labels, body: head.kind === 'bytes' ? bytesOfBase64(body) : body }
}

function refused(why: string): EntryError {
  return new EntryError('NOT_RECOGNISED', `an entry cannot be imported: ${why}.`)
}
