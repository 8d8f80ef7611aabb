/**
 * Explains failures of Cosmos DB, by nothing but the status and the name of an error.
 * @module
 */
import { nameOf, systemReasonOf } from '../../base/foreign-error.ts'
import { DeadlineError } from '../../errors.ts'
import type { Explanation } from '../documents/reports.ts'

/** The status by which Cosmos DB refuses a request; `undefined` for any other failure. */
export function statusOf(error: unknown): number | undefined {
  const code: unknown = Reflect.get(Object(error), 'code')
  return typeof code === 'number' && code >= 400 && code < 600 ? code : undefined
}

/**
 * Explains a failure.
 * @param partitionKey the property that the container is to be partitioned by
 */
export function explainFailure(error: unknown, partitionKey: string): Explanation {
  if (error instanceof DeadlineError) return { reason: error.message.replace(/^llmemo: |\.$/g, '') }
  const status = statusOf(error)
  const system = systemReasonOf(error)
  if (status === undefined) return { reason: system === '' ? nameOf(error) : `${nameOf(error)}: ${system}` }
  const advice = adviceFor(status, partitionKey)
  const reason = status === 429 ? 'status 429, as its throughput is used up' : `status ${status}`
  return advice === undefined ? { reason } : { reason, advice }
}

function adviceFor(status: number, partitionKey: string): string | undefined {
  switch (status) {
    case 400:
      return `Cosmos DB refuses the request. The container must be partitioned by "/${partitionKey}" (option "partitionKey").`
    case 401:
    case 403:
      return 'access is denied. Give the client a valid key, or its identity the role "Cosmos DB Built-in Data Contributor".'
    case 404:
      return 'it, or its database, does not exist in this account.'
    default:
      return undefined
  }
}
