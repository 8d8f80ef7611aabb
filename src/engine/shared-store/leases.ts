/**
 * One upstream call across processes. Who is about to ask the origin takes a lease in the store; the others wait for what he stores.
 * A lease saves calls and decides nothing: where there is none to be had, or its holder is gone or came to nothing, everyone asks himself.
 * @module
 */
import type { Clock } from '../../clock.ts'
import { sha256 } from '../../base/digest.ts'
import { storePrefix } from '../cached-call.ts'
import type { SharedTier } from './shared-store.ts'
import type { Found } from '../../lookup-result.ts'

/** A process's turn to ask the origin. */
export interface Turn {
  /** Ends it, once what came of it is on its way to the store. Further calls do nothing. */
  end(): void
}

/** Ends a flight whose answer another process has, or is about to have. */
export class AnsweredElsewhere extends Error {
  /** What the other one stored; `undefined` when nobody waited for that. */
  readonly found: Found | undefined

  constructor(found: Found | undefined) {
    super('Another process answers this.')
    this.found = found
  }
}

/** Milliseconds between the first two looks for what another process stores, and at the most. Each wait is longer by half. */
const firstWait = 50
const longestWait = 1_000

/** A turn that needs no lease. */
const alone: Turn = { end() {} }

/** Who asks the origin, among all processes over one store. */
export class Leases {
  readonly #shared: SharedTier
  readonly #clock: Clock
  readonly #ttl: number
  /** The same for all of a process's turns, so that it never waits for a lease of its own that it could not give back. */
  readonly #token = crypto.randomUUID()

  readonly #prefix: string

  /** @param ttl milliseconds after which the lease of a process that is gone runs out */
  constructor(shared: SharedTier, clock: Clock, namespace: string, ttl: number) {
    this.#shared = shared
    this.#clock = clock
    this.#prefix = `${storePrefix(namespace)}lease:`
    this.#ttl = ttl
  }

  /**
   * Waits for this process's turn to make what lies at `storeKey`.
   * @param look finds what another process has made of it meanwhile @default nobody waits for that
   * @param signal fires when nobody waits any longer
   * @throws {AnsweredElsewhere} when there is no need to ask. Otherwise rejects with nothing but the signal's own reason.
   */
  async turn(storeKey: string, look: (() => Promise<Found | undefined>) | undefined, signal: AbortSignal): Promise<Turn> {
    const token = this.#token
    // Among keys of their own, as those of values are the caller's to choose.
    const lease = this.#prefix + sha256(storeKey)
    let leader: string | undefined
    for (let wait = firstWait; ; wait = Math.min(longestWait, wait * 1.5)) {
      const holder = await this.#shared.lease(lease, token, this.#ttl)
      signal.throwIfAborted()
      const turn = holder === token ? this.#hold(lease, storeKey, signal) : alone
      const found = holder === undefined ? undefined : await look?.()
      if (found !== undefined || signal.aborted) {
        turn.end()
        signal.throwIfAborted()
        throw new AnsweredElsewhere(found)
      }
      // Who waited for one that came to nothing does not wait for the next: they would all ask one after the other.
      if (holder === undefined || holder === token || (leader ?? holder) !== holder) return turn
      if (look === undefined) throw new AnsweredElsewhere(undefined)
      leader = holder
      await this.#pause(wait, signal)
    }
  }

  /** Keeps a lease until its turn ends, or nobody waits for what comes of it. */
  #hold(lease: string, storeKey: string, signal: AbortSignal): Turn {
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
