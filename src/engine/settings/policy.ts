/**
 * May an answer be stored? The provider's own verdict decides, unless the user's policy decides otherwise.
 * @module
 */
import type { Usage } from '../../entry.ts'
import { Description, InvalidOptionError } from '../../errors.ts'

/** What a policy gets to know about a complete answer. */
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
  /**
   * The answer itself, read only if this is called; each call gives a copy. JSON comes as an object, and so does a stream: as the whole answer
   * that it adds up to, or as much of it as can be put together. Plain text and sound come as bytes, events of another kind as text.
   */
  body(): Record<string, unknown> | string | Uint8Array
}

/**
 * Says, at once, whether a complete answer with status 200 is stored. Errors, and streams without their end mark, are never stored and never
 * asked about. It is asked again when an answer with a reason against it comes out of the store.
 * While a policy throws, or promises its answer, nothing is stored.
 */
export type StorePolicy = (answer: AnswerFacts) => boolean

/**
 * Why an answer is not stored, or `undefined` when it is.
 * @param failed called when the user's policy throws
 */
export function skipReason(policy: StorePolicy | undefined, answer: AnswerFacts, failed: (error: unknown) => void): string | undefined {
  if (policy === undefined) return answer.reason
  try {
    // The type forbids a promise, but JavaScript has no types, and every promise would count as a yes.
    const verdict: unknown = policy(answer)
    if (!isThenable(verdict)) return verdict ? undefined : (answer.reason ?? 'policy')
    Promise.resolve(verdict).catch(failed)
    failed(new InvalidOptionError('policy', new Description('a function that returns a promise'), 'one that returns true or false at once'))
  } catch (error) {
    failed(error)
  }
  return answer.reason ?? 'policy'
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'then') === 'function'
}
