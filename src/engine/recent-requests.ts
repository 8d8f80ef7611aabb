/**
 * What the recent requests were made of, by digests: no text of a request is kept. Tells which of them is nearest to one that missed, and where
 * the two differ.
 * @module
 */
import { sha256 } from '../base/digest.ts'
import { RecentMap } from '../base/recent-map.ts'
import { isShowable } from '../errors.ts'
import { isJsonObject } from '../json/object.ts'
import { type KeyParts, partNames } from '../key/key.ts'

/** Requests that are remembered. */
const maxRequests = 500
/** Places of a request that are told apart; what lies deeper or comes later counts as one. */
const maxPlaces = 200
const maxDepth = 6
/** Places in which a request may differ from another and still count as near. */
const maxDifferences = 3

/** A request, by the digests of what stands at its places: `temperature`, `messages[0].content`. */
interface Remembered {
  readonly scope: string
  readonly places: ReadonlyMap<string, string>
}

/** Another request that is near. */
export interface NearRequest {
  /** Its full key. */
  readonly key: string
  /** Where the two differ; empty if only their scopes do. */
  readonly places: readonly string[]
}

/** The recent requests of a cache. */
export class RecentRequests {
  readonly #requests = new RecentMap<Remembered>()

  /** Notes what a key was made of. */
  note(key: string, parts: KeyParts): void {
    if (this.#requests.get(key) !== undefined) return
    const places = new Map<string, string>()
    for (const name of partNames) {
      if (name === 'scope') continue
      collect(parts[name], name === 'request' ? '' : name, { places, depth: 0 })
    }
    this.#requests.set(key, { scope: digestOf(parts.scope), places })
    if (this.#requests.size > maxRequests) this.#requests.delete(this.#requests.oldest?.key ?? '')
  }

  /** The request nearest to that of a key; `undefined` if none is near. */
  nearest(key: string): NearRequest | undefined {
    const asked = this.#requests.get(key)
    if (asked === undefined) return undefined
    let best: NearRequest | undefined
    for (const [other, { scope, places }] of this.#requests.entries()) {
      if (other === key) continue
      const limit = best === undefined ? maxDifferences : best.places.length - 1
      const found = differences(asked.places, places, limit)
      // A difference of the scope is told only if it is the only one.
      if (found === undefined || (found.length > 0 && scope !== asked.scope)) continue
      // Where more differs than is the same, two requests are only two of a kind.
      if (found.length * 2 > asked.places.size) continue
      best = { key: other, places: found }
      if (found.length === 0) break
    }
    return best
  }
}

interface Collecting {
  readonly places: Map<string, string>
  readonly depth: number
}

function collect(value: unknown, place: string, { places, depth }: Collecting): void {
  const isNested = (Array.isArray(value) || isJsonObject(value)) && depth < maxDepth
  if (!isNested || places.size >= maxPlaces) {
    places.set(place, digestOf(value))
    return
  }
  for (const [name, member] of Object.entries(value)) {
    const step = Array.isArray(value) ? `[${name}]` : `${place === '' ? '' : '.'}${isShowable(name) ? name : '…'}`
    collect(member, place + step, { places, depth: depth + 1 })
  }
}

/** Sixteen hex digits for a value. What JSON cannot hold has no key, and does not come here. */
function digestOf(value: unknown): string {
  return sha256(JSON.stringify(value) ?? '').slice(0, 16)
}

/** The places where two requests differ; `undefined` if there are more than `limit`. */
function differences(first: ReadonlyMap<string, string>, second: ReadonlyMap<string, string>, limit: number): string[] | undefined {
  const found: string[] = []
  for (const [place, digest] of first) if (second.get(place) !== digest && found.push(place) > limit) return undefined
  for (const place of second.keys()) if (!first.has(place) && found.push(place) > limit) return undefined
  return found
}
