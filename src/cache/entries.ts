/**
 * A look into the cache: what is in it, entry by entry.
 * @module
 */
import { assertKnown } from '../base/option-checks.ts'
import type { Source } from '../call.ts'
import { type Duration, milliseconds } from '../duration.ts'
import type { BodyKind, Usage } from '../entry.ts'
import { InvalidOptionError } from '../errors.ts'
import { entryKey, entryPrefix, valuePrefix, valuesPrefix } from '../key/store-keys.ts'
import type { Engine } from '../engine/engine.ts'
import type { ListedEntry } from '../engine/tiers/contents.ts'

/** Which entries are listed: those that match all that is given. */
export interface EntryFilter {
  /** What the calls were for; values of your own have the operation `value`. @default any */
  readonly operation?: string
  /** The model that answered. @default any */
  readonly model?: string
  /** The owner of the answers. @default any */
  readonly scope?: string
  /** A name that the answers were tagged with. @default any */
  readonly tag?: string
  /** The full key of an answer, 64 hex digits: that one only, which is read without listing the store. @default any */
  readonly key?: string
  /** Entries that were made at least so long ago. @default any age */
  readonly olderThan?: Duration
  /** Entries that were made less than so long ago. @default any age */
  readonly youngerThan?: Duration
}

/** What is known of an entry without reading its body. */
export interface CacheEntry {
  /** The full key, 64 hex digits; of a value of your own the key that you gave. */
  readonly key: string
  readonly scope: string
  /** `openai`, `anthropic`, `aws-bedrock`, `gemini`…; empty for a value of your own. */
  readonly provider: string
  /** `chat.completions`, `messages`, `converse`…; empty for a value of your own. */
  readonly endpoint: string
  readonly operation: string
  /** The model that answered. */
  readonly model: string
  /** `json`, `sse` for a recorded stream, or `bytes`. */
  readonly kind: BodyKind
  readonly tags: readonly string[]
  /** When the answer was complete, in milliseconds since the epoch. */
  readonly storedAt: number
  /** Whole seconds since then. */
  readonly age: number
  /** Seconds for which it is still fresh; 0 if it is only good enough to be served stale. */
  readonly ttl: number
  /** The size of the body, uncompressed. */
  readonly bytes: number
  /** The tokens that the provider counted, if the answer says so. */
  readonly usage?: Usage
  /** Milliseconds that the provider took. */
  readonly latency: number
  /** `memory`, or the name of the store if it is only there. */
  readonly source: Source
  /** Reads the body: text for the kinds `json` and `sse`, else bytes. @returns nothing if the entry is no longer there */
  body(): Promise<string | Uint8Array | undefined>
}

const texts = ['operation', 'model', 'scope', 'tag', 'key'] as const
const ages = ['olderThan', 'youngerThan'] as const

/**
 * The entries of a cache, one by one.
 * @throws {InvalidOptionError} for an unknown filter or a value that cannot be
 */
export function entries(engine: Engine, filter: EntryFilter): AsyncIterableIterator<CacheEntry> {
  const found = listedEntries(engine, filter)
  return (async function* () {
    for await (const entry of found) yield shown(engine, entry)
  })()
}

/**
 * The entries as the engine knows them, with their heads.
 * @throws {InvalidOptionError} for an unknown filter or a value that cannot be
 */
export function listedEntries(engine: Engine, filter: EntryFilter): AsyncIterableIterator<ListedEntry> {
  assertKnown('filter.', filter, [...texts, ...ages])
  for (const name of texts) {
    const value: unknown = filter[name]
    if (value !== undefined && typeof value !== 'string') throw new InvalidOptionError(`filter.${name}`, value, 'a text')
  }
  const [olderThan = 0, youngerThan = Infinity] = ages.map((name) => filter[name] && milliseconds(`filter.${name}`, filter[name]))
  const { key } = filter
  const candidates = key === undefined ? listed(engine) : one(engine, key)
  return wanted(candidates, ({ head, age }) => {
    if (filter.operation !== undefined && head.operation !== filter.operation) return false
    if (filter.model !== undefined && head.model !== filter.model) return false
    if (filter.scope !== undefined && head.scope !== filter.scope) return false
    if (filter.tag !== undefined && !head.tags.includes(filter.tag)) return false
    return age >= olderThan && age < youngerThan
  })
}

/** Seconds for which the answer or value under `key` is still fresh: 0 if it is stale, `undefined` if there is none. */
export async function ttlOf(engine: Engine, key: string): Promise<number | undefined> {
  if (typeof key !== 'string') throw new InvalidOptionError('key', key, 'a text')
  const { namespace, scope = '' } = engine.settings
  const { contents } = engine.tiers
  const answer = isAnswerKey(key) ? await contents.find(entryKey(namespace, key)) : undefined
  const found = answer ?? (await contents.find(valuePrefix(namespace, scope) + key))
  return found && freshFor(found)
}

async function* listed(engine: Engine): AsyncGenerator<ListedEntry, undefined> {
  const { namespace } = engine.settings
  const { contents } = engine.tiers
  for (const prefix of [entryPrefix(namespace), valuesPrefix(namespace)]) yield* contents.entries(prefix)
}

async function* one(engine: Engine, key: string): AsyncGenerator<ListedEntry, undefined> {
  const found = isAnswerKey(key) ? await engine.tiers.contents.find(entryKey(engine.settings.namespace, key)) : undefined
  if (found !== undefined) yield found
}

async function* wanted(
  entriesOf: AsyncIterable<ListedEntry>,
  isWanted: (entry: ListedEntry) => boolean,
): AsyncGenerator<ListedEntry, undefined> {
  for await (const entry of entriesOf) if (isWanted(entry)) yield entry
}

function isAnswerKey(key: string): boolean {
  return /^[\da-f]{64}$/.test(key)
}

function shown({ tiers }: Engine, entry: ListedEntry): CacheEntry {
  const { head, bytes, source, age, storeKey } = entry
  const { key, scope, provider, endpoint, operation, model, kind, tags, storedAt, usage, latency } = head
  const common = { key, scope, provider, endpoint, operation, model, kind, tags, storedAt, latency, bytes, source }
  const body = (): Promise<string | Uint8Array | undefined> => tiers.contents.body(storeKey)
  const told = { ...common, age: Math.floor(age / 1_000), ttl: freshFor(entry), ...(usage && { usage }) }
  // Not enumerable: a head that is logged must not look like one with its body.
  return Object.defineProperty({ ...told, body }, 'body', { enumerable: false })
}

function freshFor({ head, age }: ListedEntry): number {
  return Math.max(0, Math.ceil((head.ttl - age) / 1_000))
}
