/**
 * Explains failures of DynamoDB, in messages that hold nothing of what was sent or received.
 * @module
 */
import { nameOf, systemReasonOf, withoutContent } from '../../base/foreign-error.ts'
import { DeadlineError, StoreError } from '../../errors.ts'

/** A failure of AWS, with what it means. */
export interface ExplainedFailure {
  readonly error: StoreError
  /** What a person has to do, if the failure does not pass by itself. */
  readonly advice?: string
}

/** The names of the table and of its partition key. */
export interface TableNames {
  readonly tableName: string
  readonly keyName: string
}

/**
 * Explains a failure.
 * @param verb what the store tried to do
 */
export function explainFailure(verb: 'read' | 'written', given: unknown, names: TableNames): ExplainedFailure {
  if (given instanceof StoreError) return { error: given }
  const name = nameOf(given)
  const advice = adviceFor(name, names) ?? adviceForClient(given)
  const message = `the DynamoDB table "${names.tableName}" could not be ${verb}: ${advice ?? `${reasonOf(given)}.`}`
  const error = new StoreError(message, { cause: causeOf(given) })
  return advice === undefined ? { error } : { error, advice: message }
}

function adviceFor(errorName: string, { tableName, keyName }: TableNames): string | undefined {
  switch (errorName) {
    case 'ResourceNotFoundException':
      return `it does not exist in this region and account, or is not ready yet. Create it, for example by createTable(client, { tableName: '${tableName}' }).`
    case 'ValidationException':
      return `its schema is wrong. Its partition key must be the text attribute "${keyName}" (option "attributes.key"), without a sort key.`
    case 'AccessDeniedException':
      return 'access is denied. Allow dynamodb:GetItem, BatchGetItem, PutItem, BatchWriteItem, DeleteItem and, for patterns, Scan, for savings, UpdateItem.'
    case 'ExpiredTokenException':
    case 'ExpiredToken':
    case 'UnrecognizedClientException':
    case 'InvalidSignatureException':
    case 'CredentialsProviderError':
      return `the client has no valid credentials (${errorName}).`
    default:
      return undefined
  }
}

/** What to do about a client that cannot send any request, by the message of the SDK itself. */
function adviceForClient(given: unknown): string | undefined {
  const message = textOf(given, 'message')
  if (/^(?:Region is missing|Region not accepted)/.test(message))
    return "the client has no valid region. Make it with new DynamoDBClient({ region: 'eu-west-1' }), or set AWS_REGION."
  if (/^Could not (?:load|resolve) credentials|^Resolved credential object is not valid/.test(message))
    return 'the client has no valid credentials.'
  return undefined
}

/** The name of a failure; for one of the network with what the system says: `connect ECONNREFUSED 127.0.0.1:8000`. */
function reasonOf(given: unknown): string {
  if (given instanceof DeadlineError) return given.message.replace(/^llmemo: |\.$/g, '')
  const system = systemReasonOf(given)
  return system === '' ? nameOf(given) : `${nameOf(given)}: ${system}`
}

function textOf(value: unknown, member: string): string {
  const text: unknown = Reflect.get(Object(value), member)
  return typeof text === 'string' ? text : ''
}

/** An error without private content, to be the cause of ours. The SDK's own error holds the response, and a parse error quotes it. */
export function causeOf(error: unknown): Error {
  const metadata: unknown = Reflect.get(Object(error), '$metadata')
  const status: unknown = Reflect.get(Object(metadata), 'httpStatusCode')
  const requestId = textOf(metadata, 'requestId')
  return Object.assign(withoutContent(error), {
    ...(typeof status === 'number' && { status }),
    ...(/^[\w-]{1,80}$/.test(requestId) && { requestId }),
  })
}
