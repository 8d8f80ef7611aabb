/**
 * Creates a table for a {@link dynamodbStore}.
 * @module
 */
/* oxlint-disable typescript/consistent-type-imports */
import { CreateTableCommand, DescribeTimeToLiveCommand, UpdateTimeToLiveCommand, waitUntilTableExists } from '@aws-sdk/client-dynamodb'
import { InvalidOptionError, StoreError } from '../../errors.ts'
import { assertKnown, withMethods } from '../../base/option-checks.ts'
import { nameOf } from '../../base/foreign-error.ts'
import { causeOf } from './errors.ts'
import { attributeNames, type DynamodbAttributes } from './items.ts'

// As in clients/sdk-types.ts: where the SDK is not installed, its types are `any`, and a program that reads these declarations compiles.
/** @ts-ignore */
type DynamoDBClient = import('@aws-sdk/client-dynamodb').DynamoDBClient

/** Options of {@link createTable}. */
export interface CreateTableOptions {
  readonly tableName: string
  /** The same names as the store's; only `key` and `expires` matter here. */
  readonly attributes?: Partial<DynamodbAttributes>
}

/** A table may take this long to become ready; most take less than ten seconds. */
const maxWaitSeconds = 120

/**
 * Creates a table for a `dynamodbStore`, billed by request and with TTL enabled, and waits until it is ready. If the table exists, only its
 * TTL is enabled. An emulator may not support TTL; then expired items are never removed, but never returned either.
 * @param client a `DynamoDBClient` of `@aws-sdk/client-dynamodb`, or a document client
 * @throws {InvalidOptionError} when an option is invalid
 * @throws {StoreError} when the table could not be created, or was not ready after two minutes
 */
export async function createTable(client: DynamoDBClient, options: CreateTableOptions): Promise<void> {
  withMethods('client', client, { methods: ['send'], allowed: 'a DynamoDBClient or a DynamoDBDocumentClient' })
  assertKnown('', options, ['tableName', 'attributes'])
  const { tableName } = options
  if (typeof tableName !== 'string' || tableName === '') throw new InvalidOptionError('tableName', tableName, 'the name of a table')
  const { key, expires } = attributeNames(options.attributes)
  try {
    await create(client, tableName, key)
    await waitUntilTableExists({ client, maxWaitTime: maxWaitSeconds, minDelay: 0.1, maxDelay: 2 }, { TableName: tableName })
    await enableTtl(client, tableName, expires)
  } catch (error) {
    throw new StoreError(`the DynamoDB table "${tableName}" could not be created: ${nameOf(error)}.`, { cause: causeOf(error) })
  }
}

async function create(client: DynamoDBClient, tableName: string, key: string): Promise<void> {
  try {
    const command = new CreateTableCommand({
      TableName: tableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: key, AttributeType: 'S' }],
      KeySchema: [{ AttributeName: key, KeyType: 'HASH' }],
    })
    await client.send(command)
  } catch (error) {
    // The table exists, or another process creates it at this moment.
    if (nameOf(error) !== 'ResourceInUseException') throw error
  }
}

async function enableTtl(client: DynamoDBClient, tableName: string, attribute: string): Promise<void> {
  try {
    const { TimeToLiveDescription: now } = await client.send(new DescribeTimeToLiveCommand({ TableName: tableName }))
    // DynamoDB answers with an error if TTL is enabled already.
    if (now?.TimeToLiveStatus === 'ENABLED' || now?.TimeToLiveStatus === 'ENABLING') return
    const TimeToLiveSpecification = { AttributeName: attribute, Enabled: true }
    await client.send(new UpdateTimeToLiveCommand({ TableName: tableName, TimeToLiveSpecification }))
  } catch (error) {
    if (nameOf(error) !== 'UnknownOperationException') throw error
  }
}
