/**
 * What the lane of one client works with, and whether the client is still as it was when its calls were learnt.
 * @module
 */
import type { CachedCall } from '../../engine/cached-call.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Lesson } from '../call-options.ts'
import type { ReadingMemo } from './call-memo.ts'
import type { Leaders } from './leaders.ts'
import { clientFacts, isSameList } from './request-shape.ts'
import type { ResultForm } from './result-form.ts'
import type { EventRules } from './stored-stream.ts'

/** The methods that a lane stands at, and what they add to a result. */
export interface LaneMethods {
  /** The resources with a cached `create`, by their paths in the client. */
  readonly resources: readonly (readonly string[])[]
  /** The members that the SDK adds to a result, by the headers that it reads them from. */
  readonly ids: Readonly<Record<string, string>>
  /** What the SDK makes of the events of a stream. */
  readonly events: EventRules
}

/** What is known of a call. */
export interface KnownCall {
  readonly cachedCall: CachedCall
  readonly url: string
  readonly form: ResultForm
}

/** What is known of the calls of a method that bypass the cache. */
interface KnownBypass {
  readonly generation: number
  readonly scope: string
  readonly operation: string
}

/** What the lane of one client works with. */
export interface Lane {
  readonly client: object
  readonly engine: Engine
  readonly ids: LaneMethods['ids']
  readonly events: EventRules
  readonly memo: ReadingMemo<KnownCall>
  /** Whether the documented seam is still as we made it, and the SDK makes requests as it was shipped. */
  readonly isOpen: () => boolean
  /** Whether the client is still all that the given one is. */
  readonly isUnchanged: () => boolean
  /** What is known of calls that bypass the cache, by their methods. */
  readonly bypasses: Map<string, KnownBypass>
  /** The calls that others may wait for. */
  readonly leaders: Leaders
  /** What of the client decides a request, as it was when the calls were learnt. */
  facts: readonly unknown[]
  /** Tells this client with these facts from all others. */
  generation: number
}

let generations = 0

/** A number that no lane had before. */
export function nextGeneration(): number {
  return ++generations
}

/** Whether the client makes its requests as when the calls were learnt. If it makes them in another way, the lane begins again. */
export function isSameClient(lane: Lane): boolean {
  if (!lane.isOpen()) return false
  const facts = clientFacts(lane.client)
  if (facts === undefined) return false
  if (!isSameList(facts, lane.facts)) {
    lane.facts = facts
    lane.generation = nextGeneration()
  }
  return true
}

/** What a call is made with that teaches nothing. */
export const noLesson: Lesson = { read() {}, bypassed() {}, seen() {}, parsed() {} }
