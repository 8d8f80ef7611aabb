/**
 * Requests that were answered from the cache, by the texts of their bodies. A repeated call mostly sends the same text, which then needs
 * neither to be parsed nor to be made a key of again.
 * @module
 */
import type { CallOptions } from '../../call.ts'
import type { Engine } from '../../engine/engine.ts'
import { everything } from '../../engine/invalidation/labels.ts'
import type { Call, CachedCall } from '../../engine/cached-call.ts'
import { TextMemo } from './call-memo.ts'
import { isSameList } from './request-shape.ts'

/** A call that uses the cache, and the key that was made of it. */
export interface ResolvedCall {
  readonly call: Call
  readonly cachedCall: CachedCall
}

/** All of a call except its body and its options. */
export type CallContext = Omit<Call, 'request' | 'options'>

/** How many calls with one text are kept: those of several scopes. */
const maxAlike = 8

/** The answered requests of one cache. */
export class RepeatedRequests {
  readonly #byText: TextMemo<readonly ResolvedCall[]>

  /** @param maxMemoryBytes the limit of the hot memory. The texts take a small part more. */
  constructor(maxMemoryBytes: number) {
    this.#byText = new TextMemo(maxMemoryBytes)
  }

  /** The request with this body, if it was answered before for a call with the same context and the same options. */
  find(text: string, context: CallContext, options: CallOptions): ResolvedCall | undefined {
    const alike = this.#byText.get(text)
    if (alike !== undefined) for (const known of alike) if (isSame(known, context, options)) return known
    return undefined
  }

  /** Forgets all requests. */
  clear(): void {
    this.#byText.clear()
  }

  /** Notes a request that was answered. */
  note(text: string, resolved: ResolvedCall): void {
    const alike = this.#byText.get(text) ?? []
    if (alike.includes(resolved)) return
    const { call } = resolved
    this.#byText.set(text, [resolved, ...alike.filter((known) => !isSame(known, call, call.options))].slice(0, maxAlike))
  }
}

function isSame({ call }: ResolvedCall, context: CallContext, options: CallOptions): boolean {
  return areSameOptions(call.options, options) && isSameContext(call, context)
}

/** Whether what these options say cannot change between two calls: no object of the caller's is in them. */
export function areFixed({ context }: CallOptions): boolean {
  return typeof context !== 'object' || context === null
}

function areSameOptions(first: CallOptions, second: CallOptions): boolean {
  const names = Object.keys(first)
  return (
    names.length === Object.keys(second).length && names.every((name) => isSameValue(Reflect.get(first, name), Reflect.get(second, name)))
  )
}

/** Options are scalars, but for a list of tags. */
function isSameValue(first: unknown, second: unknown): boolean {
  return Array.isArray(first) && Array.isArray(second) ? isSameList(first, second) : first === second
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
