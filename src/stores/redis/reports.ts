/**
 * What the store reports to its user, each message once: errors that a person has to mend, and settings that do harm.
 * @module
 */
import type { StoreError } from '../../errors.ts'
import type { ReadOptions } from '../../store.ts'
import type { RedisConnection, RedisReply } from './connection.ts'
import { codeOf, failure } from './failure.ts'

/** Passes a message on to the user's logger. */
export type Report = (message: string, cause?: unknown) => void

/** Error codes that stay until a person acts, and what to do. https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/ */
const adviceByCode: ReadonlyMap<string, string> = new Map([
  ['NOAUTH', 'it asks for a password; give one to the client'],
  ['WRONGPASS', 'user name or password of the client are wrong'],
  [
    'NOPERM',
    'the user of the client lacks a permission; it needs GET, GETRANGE, SET, UNLINK, SCAN and EVAL on our keys, and PUBLISH and SUBSCRIBE on our channels',
  ],
])

/** Reports of one store. */
export class Reports {
  readonly #connection: RedisConnection
  readonly #reported = new Set<string>()
  /** The reads under way, the oldest first. */
  readonly #reads = new Set<ReadOptions>()
  #report: Report = () => {}
  #isWaitReported = false

  constructor(connection: RedisConnection) {
    this.#connection = connection
  }

  /** Sends all later reports to `report`. Reports made before are lost. */
  sendTo(report: Report): void {
    this.#report = report
  }

  /**
   * Reports `message`, unless it was reported before.
   * @param cause the error that its method throws, so that the cache does not log it a second time
   */
  once(message: string, cause?: unknown): void {
    if (this.#reported.has(message)) return
    this.#reported.add(message)
    this.#report(message, cause)
  }

  /** The error of ours for an error of the client. Reports it when a person has to mend it. */
  failure(verb: 'read' | 'written', error: object): StoreError {
    const code = codeOf(error)
    const advice = adviceByCode.get(code)
    const ours = failure(verb, error)
    if (advice !== undefined) this.once(`Redis refuses the cache (${code}): ${advice}.`, ours)
    return ours
  }

  /** @throws {StoreError} for the first error among the replies to writes */
  assertWritten(replies: readonly RedisReply[]): void {
    for (const { error } of replies) if (error !== undefined) throw this.failure('written', error)
  }

  /** Reports that a channel could not be opened. */
  cannotListen(error: object): void {
    const { message } = this.failure('read', error)
    this.once(
      `The cache cannot listen to invalidations on Redis: ${message} Those of other processes take effect within the invalidationDelay.`,
    )
  }

  /**
   * Watches a read. If an earlier one was given up by its caller and its command still waits, as the settings of the client let it, that is
   * reported. A listener on the signal of each read would take longer than the read.
   * @returns a function that ends the watch
   */
  watch(options: ReadOptions | undefined): (() => void) | undefined {
    if (options === undefined || this.#isWaitReported) return undefined
    const { commandsWait } = this.#connection
    if (commandsWait === undefined) return undefined
    const [oldest] = this.#reads
    if (oldest?.signal?.aborted === true) {
      this.#isWaitReported = true
      this.once(`A read of Redis was given up, but ${commandsWait}`)
      this.#reads.clear()
      return undefined
    }
    this.#reads.add(options)
    return () => this.#reads.delete(options)
  }
}
