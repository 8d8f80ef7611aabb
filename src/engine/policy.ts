/**
 * May an answer be stored? The provider's own verdict decides, unless the user's policy decides otherwise.
 * @module
 */
import type { Usage } from '../entry.ts'

/** What a policy is told of a complete answer. The answer itself is not among it. */
export interface AnswerFacts {
  readonly provider: string
  readonly endpoint: string
  readonly operation: string
  readonly model: string
  /** Whether it came as a stream. */
  readonly streamed: boolean
  /** The body's size in bytes. */
  readonly bytes: number
  readonly usage: Usage | undefined
  /** Why it would not be stored by default, such as `length`, `content_filter` or `empty`; `undefined` when it would. */
  readonly reason: string | undefined
}

/**
 * Says whether a complete answer with status 200 is stored. Errors, and streams without their end mark, are never stored and never asked about.
 * A policy that throws counts as having no opinion.
 */
export type StorePolicy = (answer: AnswerFacts) => boolean

/**
 * Why an answer is not stored, or `undefined` when it is.
 * @param failed told when the user's policy throws
 */
export function reasonAgainst(policy: StorePolicy | undefined, answer: AnswerFacts, failed: (error: unknown) => void): string | undefined {
  if (policy === undefined) return answer.reason
  try {
    return policy(answer) ? undefined : (answer.reason ?? 'policy')
  } catch (error) {
    failed(error)
    return answer.reason
  }
}
