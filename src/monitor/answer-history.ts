/**
 * What becomes of stored answers: whether they are ever asked for, when, and what removes them.
 * @module
 */
import { RecentMap } from '../base/recent-map.ts'
import type { Clock } from '../clock.ts'
import type { StoreEvent } from '../events.ts'
import type { Counts } from './counts.ts'

/** Answers that are followed; beyond that the oldest is forgotten. */
const maxAnswers = 10_000
/** Milliseconds for which an answer is followed after its TTL, to see whether a call came too late for it. */
const followedAfterTtl = 86_400_000

/** A stored answer that is followed. */
interface Followed {
  readonly storedAt: number
  readonly ttl: number
  readonly operation: string
  readonly labels: ReadonlySet<string>
  read: boolean
  expired: boolean
}

/** Follows stored answers, the newest ten thousand of them. */
export class AnswerHistory {
  readonly #clock: Clock
  readonly #counts: () => Counts
  /** The oldest first. */
  readonly #answers = new RecentMap<Followed>()
  /** How many of them were never asked for. While there is none, a hit need not look for its answer. */
  #unread = 0

  /** @param counts what to count into now */
  constructor(clock: Clock, counts: () => Counts) {
    this.#clock = clock
    this.#counts = counts
  }

  /** An answer was stored. */
  stored({ key, operation, ttl, model, scope, tags }: StoreEvent): void {
    this.#end(key)
    const labels = new Set(['all', `operation:${operation}`, `model:${model}`, `scope:${scope}`, ...tags.map((tag) => `tag:${tag}`)])
    const storedAt = this.#clock.monotonic()
    this.#answers.set(key, { storedAt, ttl: ttl * 1_000, operation, labels, read: false, expired: false })
    this.#counts().lives.row(operation).ttl = ttl * 1_000
    this.#unread++
    const { oldest } = this.#answers
    if (this.#answers.size > maxAnswers && oldest !== undefined) this.#forget(oldest.key, oldest.value)
  }

  /** A call asked for an answer, whether or not there still is one. */
  asked(key: string): void {
    if (this.#unread === 0) return
    const answer = this.#answers.get(key)
    if (answer === undefined || answer.read) return
    this.#checkExpiry(answer)
    answer.read = true
    this.#unread--
    this.#counts()
      .lives.row(answer.operation)
      .secondCall.record(this.#clock.monotonic() - answer.storedAt)
  }

  /** Memory let an answer go to make room. @returns whether it was never asked for */
  evicted(key: string): boolean {
    return this.#answers.get(key)?.read === false
  }

  /** All answers with a label were declared outdated. @returns how many of those that are followed still were of use */
  invalidated(label: string): number {
    let removed = 0
    for (const [key, answer] of this.#answers.entries()) {
      if (!answer.labels.has(label)) continue
      this.#checkExpiry(answer)
      if (!answer.expired) removed++
      this.#forget(key, answer)
    }
    return removed
  }

  /** Counts the answers whose time is over, and forgets those that nothing more can be learnt of. */
  sweep(): void {
    const now = this.#clock.monotonic()
    for (const [key, answer] of this.#answers.entries()) {
      this.#checkExpiry(answer)
      if (answer.expired && (answer.read || now - answer.storedAt > answer.ttl + followedAfterTtl)) this.#forget(key, answer)
    }
  }

  #end(key: string): void {
    const answer = this.#answers.get(key)
    if (answer === undefined) return
    this.#checkExpiry(answer)
    this.#forget(key, answer)
  }

  #forget(key: string, answer: Followed): void {
    if (!answer.read) this.#unread--
    this.#answers.delete(key)
  }

  #checkExpiry(answer: Followed): void {
    if (answer.expired || this.#clock.monotonic() - answer.storedAt < answer.ttl) return
    answer.expired = true
    const lives = this.#counts().lives.row(answer.operation)
    lives.expired++
    if (!answer.read) lives.expiredUnread++
  }
}
