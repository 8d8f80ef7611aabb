/**
 * Values of the caller's own, under keys of the caller's own, in the same tiers as the answers.
 * @module
 */
import { everything } from '../engine/invalidation/labels.ts'
import { type Duration, milliseconds } from '../duration.ts'
import type { Entry } from '../entry.ts'
import { InvalidOptionError } from '../errors.ts'
import type { Engine } from '../engine/engine.ts'
import type { ToldCall } from '../engine/call-events.ts'
import type { Address } from '../engine/tiers/entry-reader.ts'
import type { InvalidationSnapshot } from '../engine/tiers/invalidation-snapshot.ts'
import type { LookupResult } from '../lookup-result.ts'
import type { StoreOutcome } from '../engine/cache-info.ts'
import type { Origin, Recording } from '../engine/flight/upstream.ts'
import { Flights } from '../engine/flight/flights.ts'
import { withJitter } from '../engine/settings/freshness.ts'
import { globMatcher } from './glob.ts'
import type { ValueKey } from './value-key.ts'
import { AnsweredByAnotherProcess, type LeaseHandle } from '../engine/shared-store/leases.ts'
import { jsonText } from '../json/value.ts'
import { valuePrefix } from '../key/store-keys.ts'

/** How a value is made, and for how long it is kept. Milliseconds. */
interface Making<Value> {
  readonly ttl: number
  readonly stale: number
  readonly make: () => Value | Promise<Value>
}

/** Where a value lies, and what events tell of it. */
type ValueAddress = Address & ToldCall

/** A value on its way into the tiers. */
interface Kept {
  readonly text: string
  readonly ttl: number
  readonly stale: number
  readonly snapshot: InvalidationSnapshot
}

/** Reads, writes and makes the values of one cache. */
export class ValueCache {
  readonly #engine: Engine
  readonly #flights: Flights<Made, never>
  /** The values that are being made and will be kept, by the keys that they lie under. */
  readonly #making = new Map<string, InvalidationSnapshot>()
  readonly #prefix: string
  readonly #scope: string

  constructor(engine: Engine) {
    this.#engine = engine
    const { clock, flightDeadline, maxEntryBytes, namespace, scope = '' } = engine.settings
    this.#flights = new Flights({ maxBytes: maxEntryBytes, deadline: flightDeadline }, clock)
    this.#scope = scope
    this.#prefix = valuePrefix(namespace, scope)
  }

  /** The value under `key`, or `undefined`. Each caller gets a copy of its own. */
  async get<Value>(key: ValueKey<Value>): Promise<Value | undefined> {
    const found = await this.#find(key)
    return found === undefined ? undefined : valueIn<Value>(found.entry)
  }

  /** Whether there is a fresh value under `key`. */
  async has(key: string): Promise<boolean> {
    return (await this.#find(key)) !== undefined
  }

  /**
   * Keeps `value` under `key`.
   * @param ttl @default the TTL of the operation `value`, else the default one
   * @returns whether it is kept. If not, as it is too large, nothing is under `key`
   * @throws {NotKeyableError} when JSON cannot hold the value
   */
  async set(key: string, value: unknown, ttl?: Duration): Promise<boolean> {
    const address = this.#address(key)
    const text = jsonText(value)
    const fresh = this.#ttl(ttl)
    await this.#engine.tiers.refresh(address)
    // What is being made for this key is older.
    this.#making.delete(address.storeKey)
    const isKept = this.#keep(address, { text, ttl: fresh, stale: 0, snapshot: this.#engine.tiers.snapshot(address) })
    // An older value would be taken for this one.
    if (!isKept) await this.del(key)
    return isKept
  }

  /** Removes what is under `key`. @returns whether every tier did so */
  del(key: string): Promise<boolean> {
    return this.#engine.tiers.removals.remove(this.#address(key).storeKey)
  }

  /**
   * Removes the values whose keys match `pattern`: `*` is any run of characters, `?` any one, `[abc]` one of these, `\` takes the next as it is.
   * Other processes heed it as they heed an invalidation.
   * @returns how many there were, and whether every tier removed them
   * @throws {StoreError} when the store cannot list its keys
   */
  async delByPattern(pattern: string): Promise<{ readonly count: number; readonly isDone: boolean }> {
    if (typeof pattern !== 'string' || pattern === '') throw new InvalidOptionError('pattern', pattern, "a pattern such as 'user:*'")
    const isMatch = globMatcher(pattern)
    const prefix = this.#prefix
    const matches = (storeKey: string): boolean => isMatch(storeKey.slice(prefix.length))
    const { removals, contents } = this.#engine.tiers
    // Before the listing, which does not see what is stored behind its back.
    removals.noteMatching({ prefix, matches: pattern.length > maxPatternLength ? () => true : matches })
    const keys = [...(await contents.keys(prefix))].filter(matches)
    return { count: keys.length, isDone: keys.length === 0 || (await removals.forget(keys)) }
  }

  /** The value under `key`, else what `make` makes, once for all calls at the same time. What JSON cannot hold is returned and not kept. */
  async wrap<Value>(key: ValueKey<Value>, ttl: Duration | undefined, make: () => Value | Promise<Value>): Promise<Value> {
    const fresh = this.#ttl(ttl)
    const found = (await this.#find(key)) ?? freshOnly(this.#engine.tiers.peek(this.#address(key)))
    return found === undefined ? this.#make(key, { ttl: fresh, stale: 0, make }) : valueIn<Value>(found.entry)
  }

  /**
   * Like `wrap`, but between `staleTtl` and `maxTtl` the old value is served at once and a new one is made in the background.
   * When that fails, the old value stays until `maxTtl`, and the next try is ten seconds later.
   */
  async wrapSWR<Value>(key: ValueKey<Value>, staleTtl: Duration, maxTtl: Duration, make: () => Value | Promise<Value>): Promise<Value> {
    const fresh = milliseconds('staleTtl', staleTtl)
    const kept = milliseconds('maxTtl', maxTtl)
    if (kept < fresh) throw new InvalidOptionError('maxTtl', maxTtl, 'at least staleTtl')
    const address = this.#address(key)
    const looked = await this.#engine.tiers.get(address)
    const found = this.#engine.tiers.peek(address) ?? looked
    const making = { ttl: fresh, stale: kept - fresh, make }
    if (found === undefined) return this.#make(key, making)
    if (found.freshFor <= 0) {
      const work = async (): Promise<boolean> => this.#renew(key, making)
      this.#engine.refreshes.begin(address.storeKey, work, (error) => this.#engine.hookFailed(error))
    }
    return valueIn<Value>(found.entry)
  }

  async #find(key: string): Promise<LookupResult | undefined> {
    return freshOnly(await this.#engine.tiers.get(this.#address(key)))
  }

  /** Makes a new value, unless another process makes it. @returns whether there is a new one */
  async #renew<Value>(key: ValueKey<Value>, making: Making<Value>): Promise<boolean> {
    try {
      await this.#fly(key, making, undefined)
      return true
    } catch (error) {
      if (error instanceof AnsweredByAnotherProcess) return false
      throw error
    }
  }

  /** Makes a value, or waits for the one that another process makes. */
  async #make<Value>(key: ValueKey<Value>, making: Making<Value>): Promise<Value> {
    try {
      return await this.#fly(key, making, () => this.#find(key))
    } catch (error) {
      if (!(error instanceof AnsweredByAnotherProcess)) throw error
      // A flight that does not wait for another process ends without a value. A call that joined it starts over.
      return error.found === undefined ? this.#make(key, making) : valueIn<Value>(error.found.entry)
    }
  }

  async #fly<Value>(
    key: ValueKey<Value>,
    { ttl, stale, make }: Making<Value>,
    look: (() => Promise<LookupResult | undefined>) | undefined,
  ): Promise<Value> {
    const address = this.#address(key)
    const snapshot = this.#engine.tiers.snapshot(address)
    const { leases, removals } = this.#engine.tiers
    const { storeKey } = address
    let lease: LeaseHandle | undefined
    const isBegun = (): void => void this.#making.set(storeKey, snapshot)
    const isLatest = (): boolean => this.#making.get(storeKey) === snapshot
    const isOver = (): void => void (isLatest() && this.#making.delete(storeKey))
    const origin: Origin<Made, never> = {
      async start(signal) {
        lease = await leases?.acquire(storeKey, look, signal)
        try {
          isBegun()
          const value = await make()
          if (signal.aborted) isOver()
          return { head: { value, text: textOf(value) }, items: nothing(), shareable: true }
        } catch (error) {
          isOver()
          lease?.end()
          throw error
        }
      },
      size: () => 0,
    }
    const ended = ({ head, unusable }: Recording<Made, never>): void => {
      if (head.text === undefined || unusable !== undefined) this.#engine.skip(address, unusable ?? 'not JSON', untold())
      else if (!isLatest()) this.#engine.skip(address, 'invalidated', untold())
      else this.#keep(address, { text: head.text, ttl, stale, snapshot })
      isOver()
      lease?.end()
    }
    // Calls from before and after an invalidation or a removal get two values.
    const name = JSON.stringify([storeKey, snapshot.generations, removals.last([storeKey])])
    const { reader } = this.#flights.join(name, origin, { signal: undefined, alone: false, ended })
    const { value, text } = await reader.head()
    // The flight ends, and the value is kept, once a caller has read it to its end.
    await reader.next()
    // Callers with one key are callers of one type, which is the key's.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return text === undefined ? (value as Value) : parse<Value>(text)
  }

  /** @returns whether it is kept, as far as is known before the store has taken it */
  #keep(address: ValueAddress, { text, ttl, stale, snapshot }: Kept): boolean {
    const { clock, namespace } = this.#engine.settings
    const head = {
      key: address.key,
      scope: this.#scope,
      namespace,
      provider: '',
      endpoint: '',
      operation,
      model: '',
      kind: 'json',
      storedAt: clock.now(),
      ttl,
      stale,
      tags: [],
      generations: snapshot.generations,
      status: 200,
      headers: {},
      omits: [],
      latency: 0,
    } as const
    const outcome = untold()
    this.#engine.put(address, { head, body: text }, { snapshot, outcome })
    return outcome.stored
  }

  #ttl(given: Duration | undefined): number {
    const { settings } = this.#engine
    return withJitter(given === undefined ? settings.ttl(operation) : milliseconds('ttl', given), settings)
  }

  #address(key: string): ValueAddress {
    if (typeof key !== 'string' || !key.isWellFormed()) throw new InvalidOptionError('key', key, 'a text without lone surrogates')
    const labels = [everything, `scope:${this.#scope}`, `operation:${operation}`]
    return { key, storeKey: this.#prefix + key, scope: this.#scope, labels, operation, model: '', streamed: false }
  }
}

const operation = 'value'

/** Characters of a pattern that is remembered. Of a longer one, it is remembered that it may match anything. */
const maxPatternLength = 1_000

function freshOnly(found: LookupResult | undefined): LookupResult | undefined {
  return found !== undefined && found.freshFor > 0 ? found : undefined
}

/** What a caller made: the value, and its text, if JSON can hold it. */
interface Made {
  readonly value: unknown
  readonly text: string | undefined
}

/** What was made reaches its caller even when it cannot be stored. */
function textOf(value: unknown): string | undefined {
  try {
    return jsonText(value)
  } catch {
    return undefined
  }
}

/** An outcome that no caller reads: a value has no cache facts. */
function untold(): StoreOutcome {
  return { stored: false, reason: undefined, metering: { usage: undefined, model: '', latency: 0 } }
}

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
function valueIn<Value>({ body }: Entry): Value {
  return parse<Value>(typeof body === 'string' ? body : 'null')
}

// Each caller gets a copy of its own. Its type is the one that its key has, which cannot be checked.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
function parse<Value>(text: string): Value {
  const value: Value = JSON.parse(text)
  return value
}

async function* nothing(): AsyncGenerator<never, undefined> {}
