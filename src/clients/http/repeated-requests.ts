/**
 * Requests that were answered from the cache, by the texts of their bodies. Who asks again mostly sends the same text, of which neither the
 * meaning nor the key need be made anew.
 * @module
 */
import type { Engine } from '../../engine/engine.ts'
import type { Call, CachedCall } from '../../engine/cached-call.ts'

/** A call, decided. */
export interface ResolvedCall {
  readonly call: Call
  readonly cachedCall: CachedCall
}

/** What a call is made of besides its body and its options. */
export type Asker = Omit<Call, 'request' | 'options'>

/** Characters of all texts together, at the most; a text takes up to four bytes a character with what it means. */
const mostCharacters = 2 ** 20
/** Of the hot memory, texts may take so small a part besides. */
const part = 64

/** The requests of one cache that were answered. */
export class RepeatedRequests {
  readonly #known = new Map<string, ResolvedCall>()
  readonly #most: number
  #characters = 0

  /** @param maxMemoryBytes what the hot memory may take, of which this takes a small part besides */
  constructor(maxMemoryBytes: number) {
    this.#most = Math.min(mostCharacters, maxMemoryBytes / part)
  }

  /** The request of this body, when it was answered before for one who asked the same way and without options of his own. */
  find(text: string, asker: Asker): ResolvedCall | undefined {
    const known = this.#known.get(text)
    return known !== undefined && isSameAsker(known.call, asker) ? known : undefined
  }

  /** Takes note of a request that was answered. Where there is no room any more, all that came before is forgotten. */
  note(text: string, decided: ResolvedCall): void {
    if (text.length > this.#most / 8 || this.#known.get(text) === decided) return
    if (this.#characters + text.length > this.#most) {
      this.#known.clear()
      this.#characters = 0
    }
    if (!this.#known.has(text)) this.#characters += text.length
    this.#known.set(text, decided)
  }
}

/** Whether two calls differ in nothing but their request and their options. */
export function isSameAsker(first: Asker, second: Asker): boolean {
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

/** Those of this engine. */
export function repeatedOf(engine: Engine): RepeatedRequests {
  const known = byEngine.get(engine) ?? new RepeatedRequests(engine.settings.maxMemoryBytes)
  byEngine.set(engine, known)
  return known
}
