/**
 * Explains failures of Firestore, by nothing but the status and the name of an error.
 * @module
 */
import { nameOf, systemReasonOf } from '../../base/foreign-error.ts'
import { DeadlineError } from '../../errors.ts'
import type { Explanation } from '../documents/reports.ts'

/** The statuses of gRPC, at the places of their numbers: https://grpc.io/docs/guides/status-codes/ */
const statuses = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const

/** A status of gRPC. */
export type Status = (typeof statuses)[number]

/** The status by which Firestore refuses a request; `undefined` for any other failure. */
export function statusOf(error: unknown): Status | undefined {
  const code: unknown = Reflect.get(Object(error), 'code')
  return typeof code === 'number' ? statuses[code] : undefined
}

/** Explains a failure. */
export function explainFailure(error: unknown): Explanation {
  if (error instanceof DeadlineError) return { reason: error.message.replace(/^llmemo: |\.$/g, '') }
  const status = statusOf(error)
  const system = systemReasonOf(error)
  if (status === undefined) return { reason: system === '' ? nameOf(error) : `${nameOf(error)}: ${system}` }
  const advice = advices[status]
  return advice === undefined ? { reason: status } : { reason: status, advice }
}

/** What a person has to do about a status. */
const advices: Partial<Record<Status, string>> = {
  NOT_FOUND: 'the database does not exist in this project. Create one in Native mode, or give the client its "databaseId".',
  PERMISSION_DENIED: 'access is denied. Give the client\'s account the role "Cloud Datastore User" (roles/datastore.user).',
  UNAUTHENTICATED: 'the client has no valid credentials.',
  FAILED_PRECONDITION:
    'Firestore refuses the request as it is set up. The database must be in Native mode, and the field "key" must have its index, which it has by default.',
}
