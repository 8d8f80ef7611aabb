/**
 * What is known of a complete answer when it is decided whether to store it.
 * @module
 */
import type { Entry } from '../entry.ts'
import { contentOf } from '../providers/stored-answer.ts'
import type { AnswerFacts } from './settings/policy.ts'
import { bytesOf } from './tiers/body-size.ts'

/** What a policy decides by. */
export function factsOf(entry: Entry, reason: string | undefined): AnswerFacts {
  const { provider, endpoint, operation, model, kind, usage } = entry.head
  const facts = { provider, endpoint, operation, model, streamed: kind === 'sse', bytes: bytesOf(entry), usage, reason }
  const body = (): ReturnType<AnswerFacts['body']> => contentOf(entry)
  // Not enumerable: a policy that logs its facts must not log the answer.
  return Object.defineProperty({ ...facts, body }, 'body', { enumerable: false })
}
