/**
 * Says in the log of each miss why it was one: `debug: 'miss'`. It knows what this process has seen; nothing of it is kept otherwise.
 * @module
 */
import { RecentMap } from '../base/recent-map.ts'
import type { Clock } from '../clock.ts'
import type { EventEmitter, HitEvent, MissEvent, SkipEvent, StoreEvent } from '../events.ts'
import { isShowable } from '../errors.ts'
import type { KeyParts } from '../key/key.ts'
import { RecentRequests } from './recent-requests.ts'
import type { CachedCall } from './cached-call.ts'
import { labelsOf } from './invalidation/labels.ts'
import { isRead } from './reuse.ts'
import type { Logger } from './settings/logger.ts'
import type { Store } from '../store.ts'

/** Answers that are remembered. */
const maxAnswers = 5_000

/** What became of an answer, as far as this process knows. Times are in milliseconds. */
interface Fate {
  /** By `clock.monotonic()`, when it was stored. @default it is not known */
  readonly storedAt?: number
  /** @default it is not known */
  readonly ttl?: number
  readonly labels: readonly string[]
  /** Why it is no longer there, or never was. @default it should be there */
  gone?: string
}

/** A call, as far as its miss needs it. */
interface KnownCall extends Pick<CachedCall, 'mode' | 'maxAge'> {
  /** Whether its inputs are stored one by one. */
  readonly isBatch: boolean
}

/** What a miss log works with. */
export interface MissLogOptions {
  readonly events: EventEmitter
  readonly clock: Clock
  readonly logger: Logger
  readonly store: Store | undefined
}

/** Writes one line for each miss. */
export class MissLog {
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #hasStore: boolean
  readonly #answers = new RecentMap<Fate>()
  readonly #requests = new RecentRequests()
  /** How the latest call with a key may use the cache. */
  readonly #calls = new RecentMap<KnownCall>()

  constructor({ events, clock, logger, store }: MissLogOptions) {
    this.#clock = clock
    this.#logger = logger
    this.#hasStore = store !== undefined
    events.on('miss', (event) => this.#missed(event))
    events.on('hit', (event) => this.#hit(event))
    events.on('store', (event) => this.#stored(event))
    events.on('skip', (event) => this.#skipped(event))
    events.on('evict', ({ key }) => this.#evicted(key))
    events.on('invalidate', ({ label }) => this.#invalidated(label))
  }

  /** Notes what the key of a call was made of. Must not throw. */
  noted({ key, mode, maxAge, endpoint }: CachedCall, parts: KeyParts): void {
    this.#requests.note(key, parts)
    setBounded(this.#calls, key, { mode, maxAge, isBatch: endpoint.perInput !== undefined })
  }

  /** An answer was removed by its key. */
  removed(key: string): void {
    const answer = this.#answers.get(key)
    if (answer !== undefined) answer.gone = 'removed by its key'
  }

  #missed({ key, operation, inputs }: MissEvent): void {
    const isBatch = this.#calls.get(key)?.isBatch === true
    const why = isBatch ? `${inputs} of its inputs ${inputs === 1 ? 'is' : 'are'} not stored` : this.#reason(key)
    this.#logger.info(`llmemo: miss of ${shown(operation)} ${key.slice(0, 12)}: ${why}.`)
    if (this.#answers.get(key) === undefined) setBounded(this.#answers, key, { labels: [], gone: 'asked before, and not stored since' })
  }

  #reason(key: string): string {
    const call = this.#calls.get(key)
    if (call !== undefined && !isRead(call.mode)) return `the call does not read the cache (mode ${call.mode})`
    const answer = this.#answers.get(key)
    if (answer === undefined) return this.#unseen(key)
    const { storedAt = Number.NaN, ttl = Number.NaN, gone } = answer
    if (gone !== undefined) return gone
    const age = this.#clock.monotonic() - storedAt
    if (age >= ttl) return `expired ${agoText(age - ttl)} ago`
    if (call !== undefined && age > call.maxAge) return `older than the call's own ttl, by ${agoText(age - call.maxAge)}`
    if (!this.#hasStore) return 'it is stored, but not in a form that serves this call'
    return 'it was stored, and is gone: expired or evicted there, invalidated by another process, or the store did not answer'
  }

  #unseen(key: string): string {
    const near = this.#requests.nearest(key)
    if (near === undefined) return 'never seen'
    if (near.places.length === 0) return `the same as ${near.key.slice(0, 12)} of another scope`
    return `nearly the same as ${near.key.slice(0, 12)}, but for ${near.places.map((place) => `\`${place}\``).join(', ')}`
  }

  #stored({ key, operation, model, scope, tags, ttl }: StoreEvent): void {
    const labels = labelsOf({ operation, model, scope, tags })
    setBounded(this.#answers, key, { storedAt: this.#clock.monotonic(), ttl: ttl * 1_000, labels })
  }

  #hit({ key, operation, model, scope }: HitEvent): void {
    if (this.#answers.get(key) === undefined) setBounded(this.#answers, key, { labels: labelsOf({ operation, model, scope, tags: [] }) })
  }

  #skipped({ key, reason }: SkipEvent): void {
    setBounded(this.#answers, key, { labels: [], gone: `its answer was not stored (${reason})` })
  }

  #evicted(key: string): void {
    const answer = this.#answers.get(key)
    // Evicted from memory, it is still in the store.
    if (answer !== undefined && !this.#hasStore) answer.gone ??= 'evicted'
  }

  #invalidated(label: string): void {
    const [kind = '', ...name] = label.split(':')
    const said = name.length === 0 || isShowable(name.join(':')) ? label : `${kind}:…`
    for (const [, answer] of this.#answers.entries()) if (answer.labels.includes(label)) answer.gone = `invalidated by \`${said}\``
  }
}

function setBounded<Value>(map: RecentMap<Value>, key: string, value: Value): void {
  map.set(key, value)
  if (map.size > maxAnswers) map.delete(map.oldest?.key ?? '')
}

/** Names of the user's own that may be a secret are not shown. */
function shown(name: string): string {
  return isShowable(name) ? name : '…'
}

/** Milliseconds in the greatest unit of which there is one. */
function agoText(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1_000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3_600) return `${Math.round(seconds / 60)} m`
  return seconds < 86_400 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`
}
