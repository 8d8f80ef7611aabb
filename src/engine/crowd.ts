/**
 * Equal calls that wait for one of them before they come to the seam: ten thousand calls at once then make one request. Each of them goes its
 * own way, as if it had not waited, unless the first one brings a whole answer, of its flight or of the store.
 * @module
 */
import { soon } from '../base/runtime.ts'
import type { LaterInfo } from './cache-info.ts'
import type { CachedCall } from './cached-call.ts'
import type { Engine } from './engine.ts'
import type { LookupResult } from '../lookup-result.ts'
import type { Crowd, CrowdFlight, EarlierFlight } from './seam.ts'
import { AnsweredByAnotherProcess } from './shared-store/leases.ts'

/** A whole answer. */
export interface CrowdAnswer<Head, Item> {
  readonly head: Head
  readonly items: readonly Item[]
  /** Makes the facts of one call. */
  readonly info: () => LaterInfo
}

/** A stored answer, which was looked up for all of them. */
export interface CrowdHit {
  /** The call that the answer was looked up for. */
  readonly cachedCall: CachedCall
  readonly found: LookupResult
  /** Where that call would have been sent. */
  readonly url: string
}

/** There is no whole answer to be had by waiting. */
export interface OwnWay<Head, Item> {
  /** The part of one call in the flight, which brings it an error or a part of an answer; `undefined` if the call begins from scratch. */
  readonly join: () => EarlierFlight<Head, Item> | undefined
}

/** What a call of a crowd gets. */
export type CrowdResult<Head, Item> = CrowdAnswer<Head, Item> | CrowdHit | OwnWay<Head, Item>

/** How crowds wait: one object for all of them, as most calls have none. */
export interface CrowdRules<Head, Call> {
  /** Whether the provider is sent what all calls of the crowd say. The first caller may have changed its request before the SDK read it. */
  isSame(call: Call, sent: CachedCall): boolean
  /** Whether an answer with this head can be given to the calls. */
  isReadable(head: Head): boolean
  /** Milliseconds that they wait at the most. */
  patience(call: Call): number
  /** Called when no further call may join. */
  closed(call: Call): void
}

/** Equal calls that wait for one of them. */
export class WaitingCrowd<Head, Item, Call = unknown> implements Crowd<Head, Item> {
  readonly #engine: Engine
  readonly #rules: CrowdRules<Head, Call>
  /** What the calls say. */
  readonly #call: Call
  #flight: CrowdFlight<Head, Item> | undefined
  #result: Promise<CrowdResult<Head, Item>> | undefined
  #resolve: ((result: CrowdResult<Head, Item>) => void) | undefined
  #cancel: (() => void) | undefined
  /** How many calls wait. */
  #waiting = 0
  #isSeen = false
  #isClosed = false
  #hasLanded = false
  /** Whether the flight is that of what the calls say, once that was asked. */
  #isRight: boolean | undefined

  constructor(engine: Engine, rules: CrowdRules<Head, Call>, call: Call) {
    this.#engine = engine
    this.#rules = rules
    this.#call = call
  }

  /** Lets a call wait; `undefined` if it must go its own way. */
  join(): Promise<CrowdResult<Head, Item>> | undefined {
    if (this.#isClosed || !this.#mayJoin()) return undefined
    this.#waiting++
    return (this.#result ??= this.#begin())
  }

  seen(): void {
    this.#isSeen = true
  }

  /** The call has a stored answer, which serves it as it is. */
  answered(hit: CrowdHit): void {
    if (this.#isClosed || this.#flight !== undefined) return
    if (this.#rules.isSame(this.#call, hit.cachedCall)) this.#settle(hit)
    this.close()
  }

  started(flight: CrowdFlight<Head, Item>): void {
    if (this.#isClosed || this.#flight !== undefined) return
    this.#flight = flight
    if (this.#waiting > 0) void (this.#isOf(flight) ? this.#follow(flight) : this.#scatter())
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#rules.closed(this.#call)
    if (this.#flight === undefined) void this.#scatter()
    // The flight holds the crowd.
    else if (this.#waiting === 0) this.#flight = undefined
  }

  landed(): void {
    if (this.#flight === undefined) return
    this.#hasLanded = true
    const { cachedCall, outcome } = this.#flight
    for (; this.#waiting > 0; this.#waiting--) this.#engine.countHit(cachedCall, { source: 'flight', stale: false, outcome })
  }

  /**
   * Whether a call that begins now would find this flight. Before it has started, the call comes in time for the look-up of the first one.
   * After that it joins only if the store need not be asked what was invalidated.
   */
  #mayJoin(): boolean {
    if (this.#flight === undefined) return true
    const { cachedCall, mayJoin } = this.#flight
    return this.#isOf(this.#flight) && mayJoin() && this.#engine.tiers.getFromMemory(cachedCall) === undefined
  }

  #isOf({ cachedCall }: CrowdFlight<Head, Item>): boolean {
    return (this.#isRight ??= this.#rules.isSame(this.#call, cachedCall))
  }

  #begin(): Promise<CrowdResult<Head, Item>> {
    const { promise, resolve } = Promise.withResolvers<CrowdResult<Head, Item>>()
    this.#resolve = resolve
    this.#cancel = this.#engine.settings.clock.after(this.#rules.patience(this.#call), () => void this.#scatter())
    if (this.#flight !== undefined) void this.#follow(this.#flight)
    // The SDK may have failed the first call before that came to the seam, or the call may bypass the cache.
    else soon(() => this.#isSeen || void this.#scatter())
    return promise
  }

  /** Reads the flight to its end, for all calls. */
  async #follow(flight: CrowdFlight<Head, Item>): Promise<void> {
    // It reads nothing, so that the answer is kept from its beginning.
    const first = flight.join()
    const reader = flight.join()
    const items: Item[] = []
    let hasHead = false
    try {
      const { head, good } = await reader.head()
      hasHead = true
      if (!good || !this.#rules.isReadable(head)) return await this.#scatter(flight)
      let bytes = 0
      for (let item = await reader.next(); item !== undefined; item = await reader.next()) {
        items.push(item)
        bytes += flight.size(item)
        // The flight would wait for readers that are so far behind.
        if (bytes > this.#engine.settings.maxEntryBytes && !this.#hasLanded) return await this.#scatter(flight)
      }
      const { cachedCall, outcome } = flight
      const facts = { hit: true, source: 'flight', age: 0, ttl: cachedCall.ttl, stale: false } as const
      this.#settle({ head, items, info: () => this.#engine.info(cachedCall, facts, outcome) })
    } catch (error) {
      // A call that got nothing of an answer that broke asks for itself.
      await this.#scatter(hasHead || error instanceof AnsweredByAnotherProcess ? undefined : flight)
    } finally {
      first.leave()
      reader.leave()
    }
  }

  /** Lets all calls go their own way, those that may with the flight. Resolves when all have gone. */
  async #scatter(flight?: CrowdFlight<Head, Item>): Promise<void> {
    this.#waiting = 0
    this.#settle({ join: () => flight && partIn(flight) })
    this.close()
    await this.#result
  }

  #settle(result: CrowdResult<Head, Item>): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#resolve?.(result)
  }
}

/** The part of one more call in a flight. */
function partIn<Head, Item>({ cachedCall, join }: CrowdFlight<Head, Item>): EarlierFlight<Head, Item> {
  // Equal calls of one client fail alike.
  return { key: cachedCall.key, joined: { reader: join(), joined: true, late: 0, limits: undefined } }
}
