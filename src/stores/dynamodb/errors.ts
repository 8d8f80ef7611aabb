/**
 * What a failure of DynamoDB or S3 means, in words that hold nothing of what was asked or answered.
 * @module
 */
import { StoreError } from '../../errors.ts'

/** A failure of AWS, told. */
export interface ExplainedFailure {
  readonly error: StoreError
  /** What somebody has to mend, when it does not pass by itself. */
  readonly advice?: string
}

/** Which table, and how its partition key is called. */
export interface TableNames {
  readonly tableName: string
  readonly keyName: string
}

/**
 * What went wrong.
 * @param what was to be done: `read`
 */
export function explainFailure(verb: 'read' | 'written', given: unknown, names: TableNames): ExplainedFailure {
  if (given instanceof StoreError) return { error: given }
  const name = nameOf(given)
  const advice = adviceFor(name, names)
  const message = `the DynamoDB table "${names.tableName}" could not be ${verb}: ${advice ?? `${name}.`}`
  const error = new StoreError(message, { cause: withoutContent(given) })
  return advice === undefined ? { error } : { error, advice: message }
}

function adviceFor(errorName: string, { tableName, keyName }: TableNames): string | undefined {
  switch (errorName) {
    case 'ResourceNotFoundException':
      return `it does not exist in this region and account, or is not ready yet. Create it, by createTable(client, { tableName: '${tableName}' }) say.`
    case 'ValidationException':
      return `its schema is another one. Its partition key must be the text attribute "${keyName}" (option "attributes.key"), without a sort key.`
    case 'AccessDeniedException':
      return 'access is denied. Allow dynamodb:GetItem, BatchGetItem, PutItem, BatchWriteItem, DeleteItem and, for patterns, Scan.'
    case 'ExpiredTokenException':
    case 'ExpiredToken':
    case 'UnrecognizedClientException':
    case 'InvalidSignatureException':
    case 'CredentialsProviderError':
      return `the client has no credentials that are good (${errorName}).`
    default:
      return undefined
  }
}

/** The name by which AWS tells its errors apart. */
export function nameOf(error: unknown): string {
  const name: unknown = Reflect.get(Object(error), 'name')
  return typeof name === 'string' && /^[\w.:-]{1,80}$/.test(name) ? name : 'unknown error'
}

/**
 * An error to be the cause of ours. The SDK's own holds the response, and the message of one that could not be parsed quotes it:
 * only the messages of errors that carry a code of the network or the deadline are known not to.
 */
export function withoutContent(error: unknown): unknown {
  const { code, $metadata, message }: Record<string, unknown> = typeof error === 'object' && error !== null ? readable(error) : {}
  if (Reflect.get(Object(error), Symbol.for('llmemo.error')) === true) return error
  const name = nameOf(error)
  const bare = new Error(typeof code === 'string' && typeof message === 'string' ? message : name)
  const status: unknown = Reflect.get(Object($metadata), 'httpStatusCode')
  const requestId: unknown = Reflect.get(Object($metadata), 'requestId')
  return Object.assign(bare, {
    name,
    ...(typeof code === 'string' && { code }),
    ...(typeof status === 'number' && { status }),
    ...(typeof requestId === 'string' && { requestId }),
  })
}

/** The members that are looked at. A message is not enumerable, so that spreading would lose it. */
function readable(error: object): Record<string, unknown> {
  return {
    code: Reflect.get(error, 'code'),
    $metadata: Reflect.get(error, '$metadata'),
    message: Reflect.get(error, 'message'),
  }
}
