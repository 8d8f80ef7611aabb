/**
 * One provider call across processes. The process that is about to call takes a lease in the store; the others wait for what it stores.
 * If the store has no leases, or the holder dies, fails or takes too long, each process calls the provider itself.
 * @module
 */
import type { Clock } from '../../clock.ts'
import { leaseKey } from '../../key/store-keys.ts'
import type { SharedStore } from './shared-store.ts'
import type { LookupResult } from '../../lookup-result.ts'

/** A process's right to call the provider. */
export interface LeaseHandle {
  /** Ends it, once the answer is on its way to the store. Further calls do nothing. */
  end(): void
}

/** Ends a flight whose answer another process has, or is about to have. */
export class AnsweredByAnotherProcess extends Error {
  /** What the other process stored; `undefined` if the flight did not wait for that. */
  readonly found: LookupResult | undefined

  constructor(found: LookupResult | undefined) {
    super('Another process answers this.')
    this.found = found
  }
}

/** Milliseconds between two looks for what another process stores. Each wait is longer by half, up to the second number. */
const firstWait = 50
const maxWait = 1_000

/**
 * How many times the TTL of a lease a call waits for another process, whatever the store says of the lease. A program that can write to the
 * store may take one that never ends.
 */
const maxWaitInTtls = 12

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
  /** One token for the whole process, so that it never waits for a lease of its own that it failed to give back. */
  readonly #token = crypto.randomUUID()

  readonly #namespace: string

  constructor({ shared, clock, namespace, ttl }: LeasesOptions) {
    this.#shared = shared
    this.#clock = clock
    this.#namespace = namespace
    this.#ttl = ttl
  }

  /**
   * Waits until this process may fetch the entry at `storeKey`, but no longer than {@link maxWaitInTtls} says.
   * @param look finds what another process stores meanwhile @default the call does not wait for that
   * @param signal fires when no caller waits any longer
   * @throws {AnsweredByAnotherProcess} when this process need not call. Otherwise rejects only with the signal's own reason.
   */
  async acquire(storeKey: string, look: (() => Promise<LookupResult | undefined>) | undefined, signal: AbortSignal): Promise<LeaseHandle> {
    const token = this.#token
    // Leases have keys of their own: the keys of values are the caller's to choose.
    const lease = leaseKey(this.#namespace, storeKey)
    let leader: string | undefined
    const until = this.#clock.monotonic() + maxWaitInTtls * this.#ttl
    for (let wait = firstWait; ; wait = Math.min(maxWait, wait * 1.5)) {
      const holder = await this.#shared.lease(lease, token, this.#ttl)
      signal.throwIfAborted()
      const handle = holder === token ? this.#hold(lease, storeKey, signal) : alone
      const found = holder === undefined ? undefined : await look?.()
      if (found !== undefined || signal.aborted) {
        handle.end()
        signal.throwIfAborted()
        throw new AnsweredByAnotherProcess(found)
      }
      // Wait for one holder only. Waiting for each in turn would serialise all processes.
      if (holder === undefined || holder === token || (leader ?? holder) !== holder) return handle
      if (look === undefined) throw new AnsweredByAnotherProcess(undefined)
      leader = holder
      const left = until - this.#clock.monotonic()
      if (left <= 0) return alone
      await this.#wait(Math.min(wait, left), signal)
    }
  }

  /** Keeps a lease until its handle ends, or no caller waits any longer. */
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
      // Other processes look for the value as soon as the lease is gone, so the value must be there by then.
      this.#shared.release(lease, token, storeKey)
    }
    renew()
    signal.addEventListener('abort', end, { once: true })
    return { end }
  }

  async #wait(milliseconds: number, signal: AbortSignal): Promise<void> {
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
