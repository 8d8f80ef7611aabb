/**
 * Stored answers for a server that passes them on as they are: out of memory, without a promise, and without a `Response`, whose parts take
 * longer than all else of a hit.
 * @module
 */
import type { Source } from '../../call.ts'
import { dollarsOf } from '../../engine/cache-info.ts'
import type { Engine } from '../../engine/engine.ts'
import { freshForCall, isRead, reuse } from '../../engine/reuse.ts'
import { areCallsAlike } from '../../engine/settings/alike.ts'
import type { LookupResult } from '../../lookup-result.ts'
import type { AddressedCall } from '../../providers/protocol.ts'
import type { FetchDefaults } from './fetch-options.ts'
import { hasOwn } from './header-options.ts'
import { areFixed, type ResolvedCall, repeatedOf } from './repeated-requests.ts'
import { headerParts } from './request-credential.ts'
import { storedParts } from './response.ts'
import { endpointOf, textFor } from './target.ts'

/** A stored answer as it goes over HTTP. */
export interface StoredAnswer {
  readonly status: number
  /** Names in lower case, with `age` and `cache-status` among them. */
  readonly headers: Readonly<Record<string, string>>
  /** All of it: of a stream, its events. */
  readonly body: string | Uint8Array<ArrayBuffer>
  /** 64 hex digits. */
  readonly key: string
  readonly source: Source
  /** US dollars; `null` if the price is not known. */
  readonly savedUsd: number | null
}

/** Finds the stored answer to a request with this body; `undefined` for one that `cachingFetch` is to be asked. */
export type StoredAnswers = (body: string) => StoredAnswer | undefined

/** All of a POST request except its body. */
export interface RequestHead {
  /** Absolute. */
  readonly url: string
  readonly headers: Headers
}

/** What finds stored answers to requests with this head; `undefined` if there is nothing that could be found. */
export async function storedAnswersOf(
  engine: Engine,
  { options, headers: headerUse }: FetchDefaults,
  { url, headers }: RequestHead,
): Promise<StoredAnswers | undefined> {
  const { settings } = engine
  const failed = (error: unknown): void => engine.hookFailed(error)
  const target = await endpointOf(url, { endpoints: settings.endpoints, failed })
  if (target === undefined || (hasOwn(headers) && headerUse !== 'ignore') || !areFixed(options)) return undefined
  const { addressed, endpoint } = target
  const origin = addressed?.originOf?.(headers) ?? target.origin
  const context = { endpoint, origin, ...headerParts(engine, {}, { headers, given: undefined, addressed }) }
  const repeated = repeatedOf(engine)
  return (body) => {
    const known = areCallsAlike(settings) ? repeated.find(textFor(addressed, body), context, options) : undefined
    const found = known !== undefined && isRead(known.cachedCall.mode) ? engine.tiers.getFromMemory(known.cachedCall) : undefined
    return known && found && servedAs(engine, known, { found, addressed })
  }
}

interface Found {
  readonly found: LookupResult
  readonly addressed: AddressedCall | undefined
}

/** What was found, as an answer; `undefined` if it does not serve the call as it is. */
function servedAs(engine: Engine, { cachedCall }: ResolvedCall, { found, addressed }: Found): StoredAnswer | undefined {
  const { settings } = engine
  if (reuse(found, cachedCall, settings) !== 'serve') return undefined
  try {
    const { status, headers, content } = storedParts(engine.usageView.of(found), cachedCall, addressed)
    // With a delay, its events do not go out at once.
    if ('chunks' in content && settings.replay.delay !== undefined) return undefined
    const body = 'chunks' in content ? joined(content.chunks) : content.body
    const { key, origin } = cachedCall
    const { source, entry } = found
    const { usage, model, latency } = entry.head
    const stale = freshForCall(found, cachedCall) <= 0
    engine.countHit(cachedCall, { source, stale, outcome: { stored: true, reason: undefined, metering: { usage, model, latency } }, found })
    const savedUsd = dollarsOf(engine.prices, usage, { provider: cachedCall.endpoint.provider, model, origin })
    return { status, headers, body, key, source, savedUsd }
  } catch {
    // The documented way meets the same fault and reports it.
    return undefined
  }
}

function joined(chunks: readonly (string | Uint8Array)[]): string | Uint8Array<ArrayBuffer> {
  const texts = chunks.filter((chunk) => typeof chunk === 'string')
  if (texts.length === chunks.length) return texts.join('')
  const encoder = new TextEncoder()
  const parts = chunks.map((chunk) => (typeof chunk === 'string' ? encoder.encode(chunk) : chunk))
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.byteLength, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.byteLength
  }
  return whole
}
