/**
 * A complete answer on its way into the cache: what is stored of it, whole, streamed or as bytes.
 * @module
 */
import type { ServerEvent } from '../base/server-sent-events.ts'
import { type BodyKind, unaskedUsage, type Usage, usagePart, wholePart } from '../entry.ts'
import type { JsonObject } from '../json/object.ts'
import type { CachedCall } from './cached-call.ts'
import type { FlightEnd } from './flight/upstream.ts'

/** A complete answer, to be stored. */
export interface NewEntry {
  readonly kind: BodyKind
  readonly body: string | Uint8Array
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly model: string
  readonly usage: Usage | undefined
  /** Why it must not be stored by default, or `undefined`. */
  readonly reason: string | undefined
  /** Milliseconds that the provider took. */
  readonly latency: number
  /** Parts that a stream lacks. @default those that the call does not ask for */
  readonly omits?: readonly string[]
  /** When something that the answer names is deleted, in milliseconds since the epoch, by the time `now` at which the answer came. */
  readonly expiresAt?: (now: number) => number | undefined
}

/** What is stored beside a body. */
export interface Arrival {
  /** The headers of the answer that are kept. */
  readonly headers: Readonly<Record<string, string>>
  /** Milliseconds that the provider took. */
  readonly latency: number
}

type AnsweredCall = Pick<CachedCall, 'endpoint' | 'model' | 'missingParts'>

/** The entry of a whole answer, with its JSON as it came. */
export function wholeEntry(call: AnsweredCall, answer: JsonObject, { body, ...arrival }: Arrival & { readonly body: string }): NewEntry {
  return { ...judged(call, answer), ...arrival, status: 200, kind: 'json', body }
}

/** The entry of a stream, with its events as they came; why it is not stored; or `undefined` if it has no end mark of its protocol. */
export function streamEntry(
  call: AnsweredCall,
  events: readonly ServerEvent[],
  { body, ...arrival }: Arrival & { readonly body: string },
): NewEntry | string | undefined {
  const { streaming, complete } = call.endpoint
  const common = { ...arrival, status: 200, kind: 'sse', body } as const
  if (streaming === undefined) {
    const verdict = complete?.(events) ?? false
    if (typeof verdict === 'string') return verdict
    return verdict ? { ...unjudged(call), ...common } : undefined
  }
  const answer = streaming.assemble(events)
  if (answer !== undefined) {
    const known = judged(call, answer)
    const omits = call.missingParts.map((part) => (part === usagePart && known.usage !== undefined ? unaskedUsage : part))
    return { ...known, ...common, omits }
  }
  const outline = streaming.outline?.(events)
  return typeof outline === 'object' ? { ...judged(call, outline), ...common, omits: [...call.missingParts, wholePart] } : outline
}

/** The entry of an answer that is not JSON. */
export function bytesEntry(call: AnsweredCall, { body, ...arrival }: Arrival & { readonly body: Uint8Array }): NewEntry {
  return { ...unjudged(call), ...arrival, status: 200, kind: 'bytes', body }
}

/** Why a stream without its end mark is not stored: by how its flight ended. */
export function incompleteReason(end: FlightEnd): string {
  return end === 'complete' ? 'incomplete' : end === 'failed' ? 'failed' : 'aborted'
}

/** What the answer itself says of its model, its usage, and whether it is fit to be stored. */
function judged({ endpoint, model: asked }: AnsweredCall, answer: JsonObject): Pick<NewEntry, 'model' | 'usage' | 'reason' | 'expiresAt'> {
  const { model } = answer
  return {
    model: typeof model === 'string' ? model : asked,
    usage: endpoint.usage(answer),
    reason: endpoint.skipReason(answer),
    expiresAt: (now) => endpoint.expiresAt?.(answer, now),
  }
}

function unjudged({ model }: AnsweredCall): Pick<NewEntry, 'model' | 'usage' | 'reason'> {
  return { model, usage: undefined, reason: undefined }
}
