/**
 * What the lanes have done for a call before it comes to the seam.
 * @module
 */
import type { CachedCall } from '../../engine/cached-call.ts'
import type { Crowd, EarlierLookup, Joined } from '../../engine/seam.ts'
import type { EarlierCall, PassedOptions } from '../call-options.ts'
import { type CallContext, isSameContext } from './repeated-requests.ts'
import type { ResponseHead } from './response.ts'

/** What was done for a call. */
export interface Earlier {
  readonly earlierLookup: EarlierLookup | undefined
  /** Its part in the flight of an equal call. */
  readonly joined: Joined<ResponseHead, Uint8Array> | undefined
  /** Equal calls that wait for it. */
  readonly crowd: Crowd<ResponseHead, Uint8Array> | undefined
}

/**
 * What the fast lane has made of the call. It counts only if the SDK sends exactly the text that the lane made its key of, to the same
 * address and with the same headers: then the seam would make the same key.
 */
export function earlierOf(passed: PassedOptions, body: string | undefined, context: CallContext): EarlierCall | undefined {
  const { earlier } = passed
  // A retry of the SDK sends the same options, possibly much later.
  passed.earlier = undefined
  return earlier !== undefined && body === earlier.text && isSameContext(earlier.call, context) ? earlier : undefined
}

/** What a lane has looked up for the call already. */
export function lookedUp({ lesson }: PassedOptions, { key }: CachedCall): EarlierLookup | undefined {
  const looked = lesson?.looked
  if (lesson !== undefined) lesson.looked = undefined
  return looked?.key === key ? looked.lookup : undefined
}

/** The part that the call has in a flight already. */
export function joinedOf({ lesson }: PassedOptions, { key }: CachedCall): Earlier['joined'] {
  const earlier = lesson?.joined
  if (lesson === undefined || earlier === undefined) return undefined
  lesson.joined = undefined
  if (earlier.key === key) return earlier.joined
  earlier.joined.reader.leave()
  return undefined
}

/** The calls that wait for this one. It uses the cache. */
export function crowdOf({ lesson }: PassedOptions): Earlier['crowd'] {
  const crowd = lesson?.crowd
  if (lesson === undefined || crowd === undefined) return undefined
  lesson.crowd = undefined
  crowd.seen()
  return crowd
}

/**
 * Keeps the calls waiting that wait for this one while the store is asked, which takes longer than a call needs to come to the seam.
 * @param result what becomes of the call. With it they go, if the call did not come to the seam
 */
export function holdCrowd({ lesson }: PassedOptions, result: Promise<unknown>): void {
  const crowd = lesson?.crowd
  if (crowd === undefined) return
  crowd.seen()
  closeAfter(crowd, result)
}

/** Lets the calls go that wait for this one, if it comes to its end without a flight. */
export function closeAfter(crowd: Crowd<ResponseHead, Uint8Array>, result: Promise<unknown>): void {
  const close = (): void => crowd.close()
  result.then(close, close)
}
