/**
 * One upstream call across processes. Who is about to ask the origin takes a lease in the store; the others wait for what he stores.
 * A lease saves calls and decides nothing: where there is none to be had, or its holder is gone or came to nothing, everyone asks himself.
 * @module
 */
import type { Clock } from '../../clock.ts'
import { leaseKey } from '../../key/store-keys.ts'
import type { SharedStore } from './shared-store.ts'
import type { LookupResult } from '../../lookup-result.ts'

/** A process's handle to ask the origin. */
export interface LeaseHandle {
  /** Ends it, once what came of it is on its way to the store. Further calls do nothing. */
  end(): void
}

/** Ends a flight whose answer another process has, or is about to have. */
export class AnsweredByAnotherProcess extends Error {
  /** What the other one stored; `undefined` when nobody waited for that. */
  readonly found: LookupResult | undefined

  constructor(found: LookupResult | undefined) {
    super('Another process answers this.')
    this.found = found
  }
}

/** Milliseconds between the first two looks for what another process stores, and at the most. Each wait is longer by half. */
const firstWait = 50
const longestWait = 1_000

/** A handle that needs no lease. */
const alone: LeaseHandle = { end() {} }

/** What leases work with. */
export interface LeasesOptions {
  readonly shared: SharedStore
  readonly clock: Clock
  readonly namespace: string
  /** Milliseconds after which the lease of a process that died runs out. */
  readonly ttl: number
}

/** Which process calls the provider, among all processes over one store. */
export class Leases {
  readonly #shared: SharedStore
  readonly #clock: Clock
  readonly #ttl: number
  /** The same for all of a process's turns, so that it never waits for a lease of its own that it could not give back. */
  readonly #token = crypto.randomUUID()

  readonly #namespace: string

  constructor({ shared, clock, namespace, ttl }: LeasesOptions) {
    this.#shared = shared
    this.#clock = clock
    this.#namespace = namespace
    this.#ttl = ttl
  }

  /**
   * Waits for this process's handle to make what lies at `storeKey`.
   * @param look finds what another process has made of it meanwhile @default nobody waits for that
   * @param signal fires when nobody waits any longer
   * @throws {AnsweredByAnotherProcess} when there is no need to ask. Otherwise rejects with nothing but the signal's own reason.
   */
  async acquire(storeKey: string, look: (() => Promise<LookupResult | undefined>) | undefined, signal: AbortSignal): Promise<LeaseHandle> {
    const token = this.#token
    // Among keys of their own, as those of values are the caller's to choose.
    const lease = leaseKey(this.#namespace, storeKey)
    let leader: string | undefined
    for (let wait = firstWait; ; wait = Math.min(longestWait, wait * 1.5)) {
      const holder = await this.#shared.lease(lease, token, this.#ttl)
      signal.throwIfAborted()
      const handle = holder === token ? this.#hold(lease, storeKey, signal) : alone
      const found = holder === undefined ? undefined : await look?.()
      if (found !== undefined || signal.aborted) {
        handle.end()
        signal.throwIfAborted()
        throw new AnsweredByAnotherProcess(found)
      }
      // Who waited for one that came to nothing does not wait for the next: they would all ask one after the other.
      if (holder === undefined || holder === token || (leader ?? holder) !== holder) return handle
      if (look === undefined) throw new AnsweredByAnotherProcess(undefined)
      leader = holder
      await this.#pause(wait, signal)
    }
  }

  /** Keeps a lease until its handle ends, or nobody waits for what comes of it. */
  #hold(lease: string, storeKey: string, signal: AbortSignal): LeaseHandle {
    const token = this.#token
    let cancel: (() => void) | undefined
    let ended = false
    const renew = (): void => {
      cancel = this.#clock.after(this.#ttl / 3, () => void prolong())
    }
    const prolong = async (): Promise<void> => {
      const holder = await this.#shared.lease(lease, token, this.#ttl)
      if (!ended && (holder ?? token) === token) renew()
    }
    const end = (): void => {
      if (ended) return
      ended = true
      cancel?.()
      signal.removeEventListener('abort', end)
      // Those who wait look for the value when the lease is gone, so it must be there by then.
      this.#shared.release(lease, token, storeKey)
    }
    renew()
    signal.addEventListener('abort', end, { once: true })
    return { end }
  }

  async #pause(milliseconds: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        cancel()
        signal.removeEventListener('abort', done)
        resolve()
      }
      const cancel = this.#clock.after(milliseconds, done, true)
      signal.addEventListener('abort', done, { once: true })
    })
    signal.throwIfAborted()
  }
}
