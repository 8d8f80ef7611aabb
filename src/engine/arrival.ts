/**
 * What a flight brings to one of its calls. A call that joined the flight of another must not suffer from what is the other's own: a shorter
 * or longer time limit, fewer retries, credentials that are refused.
 * @module
 */
import type { Engine } from './engine.ts'
import type { CallLimits, FlightHead, Joined, OriginResult, Seam } from './seam.ts'
import { AnsweredByAnotherProcess } from './shared-store/leases.ts'

/** What a flight brings to a call. */
export type Arrival<Head> = FlightHead<Head> | { readonly error: unknown } | AskOneself

/** The call must ask for itself: `alone` if it must not wait for any other call again. */
export interface AskOneself {
  readonly alone: boolean
}

/** Waits for the head of a flight, within the call's own limits. It never rejects. */
export async function arrival<Head, Item, Result>(
  engine: Engine,
  call: Seam<Head, Item, Result>,
  { reader, joined, late, limits }: Joined<Head, Item>,
): Promise<Arrival<Head>> {
  const head = reader.head().catch((error: unknown) => ({ error }))
  if (!joined || call.limits === undefined || limits === undefined) return head
  const { clock } = engine.settings
  const alike = isAlike(call.limits, limits)
  const begun = clock.monotonic()
  const said = alike ? await head : await Promise.race([head, timeOut(engine, call.limits, head)])
  const waited = clock.monotonic() - begun
  const isOthers = said === undefined || isFailureOfOther(call, said, { alike, late: late > waited })
  if (!isOthers || call.signal?.aborted === true) return said ?? head
  reader.leave()
  return { alone: said === undefined }
}

function isFailureOfOther<Head, Item, Result>(
  call: Seam<Head, Item, Result>,
  said: FlightHead<Head> | { readonly error: unknown },
  joining: { readonly alike: boolean; readonly late: boolean },
): boolean {
  const result: OriginResult<Head> = said
  if ('good' in said && said.good) return false
  if ('error' in said && said.error instanceof AnsweredByAnotherProcess) return false
  return call.isOthersFailure?.(result, joining) === true
}

function isAlike(first: CallLimits, second: CallLimits): boolean {
  return first.source === second.source && first.timeout === second.timeout
}

/** Resolves when the call's own time is up; never if it has no limit, or if the flight's head comes first. */
async function timeOut({ settings }: Engine, { findTimeout }: CallLimits, head: Promise<unknown>): Promise<undefined> {
  const limit = await findTimeout?.().catch(() => undefined)
  if (limit === undefined) return new Promise(() => undefined)
  return new Promise((resolve) => {
    const cancel = settings.clock.after(limit, () => resolve(undefined), true)
    head.then(cancel, cancel)
  })
}
