/**
 * Shadow mode: the provider answers every call. What the cache would have answered is counted, and compared with the new answer.
 * @module
 */
import { isSameBytes, utf8Bytes } from '../base/text-bytes.ts'
import type { Entry } from '../entry.ts'
import { isJsonObject } from '../json/object.ts'
import type { LookupResult } from '../lookup-result.ts'
import { wholeAnswer } from '../providers/stored-answer.ts'
import type { CachedCall } from './cached-call.ts'
import type { NewEntry } from './draft.ts'
import type { Engine } from './engine.ts'
import { forBatch, reuse, type ReuseSettings } from './reuse.ts'
import type { Seam } from './seam.ts'

/** The reason of an answer that is not stored, as the stored one would have been served on. */
const kept = 'shadow'

/** What compares the new answer with the stored one, before it is stored. */
type Comparing = (draft: NewEntry) => string | undefined

/** The call with what compares its answer, if the cache could have answered it. */
export async function watched<Head, Item, Result>(engine: Engine, call: Seam<Head, Item, Result>): Promise<Seam<Head, Item, Result>> {
  const { cachedCall, find } = call
  // A call for many inputs is compared input by input, as they are stored: no provider gave the answer that is put together of them.
  const found = find === undefined ? await engine.tiers.get(cachedCall) : undefined
  const beforeStore = comparing(engine, cachedCall, { found, settings: engine.settings, savedMs: found?.entry.head.latency ?? 0 })
  return beforeStore === undefined ? call : { ...call, beforeStore }
}

/** What compares the answer to each input of a call; `undefined` for an input that the cache could not have answered. */
export async function watchedInputs(engine: Engine, calls: readonly CachedCall[]): Promise<readonly (Comparing | undefined)[]> {
  const settings = forBatch(engine.settings)
  const found = await engine.tiers.getMany(calls)
  const usable = found.map((each, index) => {
    const single = calls[index]
    return single !== undefined && isUsable(each, single, settings) ? each : undefined
  })
  // The call would have waited for the provider, had one input been missing.
  const isWhole = usable.every((each) => each !== undefined)
  const latency = isWhole ? Math.max(...usable.map((each) => each?.entry.head.latency ?? 0)) : 0
  return calls.map((single, index) => comparing(engine, single, { found: usable[index], settings, savedMs: index === 0 ? latency : 0 }))
}

function isUsable(found: LookupResult | undefined, call: CachedCall, settings: ReuseSettings): boolean {
  return reuse(found, { ...call, mode: 'default' }, settings) === 'serve'
}

/** Counts what the cache could have answered. @returns what compares it with the new answer; `undefined` if it could not */
function comparing(
  engine: Engine,
  cachedCall: CachedCall,
  { found, settings, savedMs }: { readonly found: LookupResult | undefined; readonly settings: ReuseSettings; readonly savedMs: number },
): Comparing | undefined {
  const use = reuse(found, { ...cachedCall, mode: 'default' }, settings)
  if (found === undefined || use === 'fetch') return undefined
  const { usage, model } = found.entry.head
  const { origin, endpoint } = cachedCall
  const at = engine.settings.clock.now()
  engine.stats.shadow.hit({ origin, model: cachedCall.model, provider: endpoint.provider, answered: model, usage, at, savedMs })
  return (draft) => {
    tell(engine, { cachedCall, found, isSame: isSameAnswer(found.entry, draft, cachedCall) })
    return use === 'serve' ? kept : undefined
  }
}

function tell(
  engine: Engine,
  { cachedCall, found, isSame }: { readonly cachedCall: CachedCall; readonly found: LookupResult; readonly isSame: boolean },
): void {
  const { entry, source, age, freshFor } = found
  const { usage, model, latency } = entry.head
  engine.stats.shadow.compared(isSame)
  engine.told.shadow(cachedCall, { usage, model, latency, entry, source, age, stale: freshFor <= 0, inputs: 1, isSame })
}

/** Whether two answers say the same, whatever their numbers, times and counts of tokens. */
function isSameAnswer(stored: Entry, draft: NewEntry, { endpoint }: CachedCall): boolean {
  const fresh = { head: { ...stored.head, kind: draft.kind }, body: draft.body }
  const [first, second] = [stored, fresh].map((entry) => wholeAnswer(entry, endpoint))
  if (first !== undefined && second !== undefined) return JSON.stringify(essence(first)) === JSON.stringify(essence(second))
  return isSameBytes(bytesOf(stored.body), bytesOf(draft.body))
}

function bytesOf(body: Entry['body']): Uint8Array {
  return typeof body === 'string' ? utf8Bytes(body) : body
}

/** Members that differ between two answers although both say the same. */
const passing = new Set([
  'id',
  'call_id',
  'toolUseId',
  'item_id',
  'created',
  'created_at',
  'completed_at',
  'system_fingerprint',
  'service_tier',
  'usage',
  'metrics',
  'logprobs',
  '$metadata',
  'encrypted_content',
  'signature',
  'obfuscation',
])

/** Members that hold what the model wrote as JSON of its own, in which an `id` says something. */
const ownJson = new Set(['input', 'arguments', 'response', 'parsed'])

function essence(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => essence(item))
  if (!isJsonObject(value)) return value
  const members = Object.entries(value).filter(([name]) => !passing.has(name))
  // Sorted, as an assembled stream may have its members in another order.
  return members
    .toSorted(([first], [second]) => (first < second ? -1 : 1))
    .map(([name, member]) => [name, ownJson.has(name) ? member : essence(member)])
}
