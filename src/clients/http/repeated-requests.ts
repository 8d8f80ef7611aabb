/**
 * Requests that were answered from the cache, by the texts of their bodies. A repeated call mostly sends the same text, which then needs
 * neither to be parsed nor to be made a key of again.
 * @module
 */
import type { Engine } from '../../engine/engine.ts'
import { everything } from '../../engine/invalidation/labels.ts'
import type { Call, CachedCall } from '../../engine/cached-call.ts'
import { TextMemo } from './call-memo.ts'

/** A call that uses the cache, and the key that was made of it. */
export interface ResolvedCall {
  readonly call: Call
  readonly cachedCall: CachedCall
}

/** All of a call except its body and its options. */
export type CallContext = Omit<Call, 'request' | 'options'>

/** The answered requests of one cache. */
export class RepeatedRequests {
  readonly #byText: TextMemo<ResolvedCall>

  /** @param maxMemoryBytes the limit of the hot memory. The texts take a small part more. */
  constructor(maxMemoryBytes: number) {
    this.#byText = new TextMemo(maxMemoryBytes)
  }

  /** The request with this body, if it was answered before for a call with the same context and no options of its own. */
  find(text: string, context: CallContext): ResolvedCall | undefined {
    const resolved = this.#byText.get(text)
    return resolved !== undefined && isSameContext(resolved.call, context) ? resolved : undefined
  }

  /** Forgets all requests. */
  clear(): void {
    this.#byText.clear()
  }

  /** Notes a request that was answered. */
  note(text: string, resolved: ResolvedCall): void {
    this.#byText.set(text, resolved)
  }
}

/** Whether two calls differ in nothing except their requests and their options. */
export function isSameContext(first: CallContext, second: CallContext): boolean {
  const names = Object.keys(first.headers)
  return (
    first.endpoint === second.endpoint &&
    first.origin === second.origin &&
    first.credential === second.credential &&
    names.length === Object.keys(second.headers).length &&
    names.every((name) => Object.hasOwn(second.headers, name) && first.headers[name] === second.headers[name])
  )
}

const byEngine = new WeakMap<Engine, RepeatedRequests>()

/** The answered requests of this engine's cache. */
export function repeatedOf(engine: Engine): RepeatedRequests {
  const known = byEngine.get(engine)
  if (known !== undefined) return known
  const repeated = new RepeatedRequests(engine.settings.maxMemoryBytes)
  byEngine.set(engine, repeated)
  // The texts are prompts. When everything is outdated, they are of no more use.
  engine.events.on('invalidate', ({ label }) => {
    if (label === everything) repeated.clear()
  })
  return repeated
}
