/**
 * Makes a table for a {@link dynamodbStore}.
 * @module
 */
import {
  CreateTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb'
import { InvalidOptionError, StoreError } from '../../errors.ts'
import { assertKnown, withMethods } from '../../base/option-checks.ts'
import { nameOf, withoutContent } from './errors.ts'
import { attributeNames, type DynamodbAttributes } from './items.ts'

/** What the table is to be like. */
export interface CreateTableOptions {
  readonly tableName: string
  /** The names that the store is given too; `key` and `expires` matter here. */
  readonly attributes?: Partial<DynamodbAttributes>
}

/** Seconds that a table may take to be ready; most take less than ten. */
const maxWaitSeconds = 120

/**
 * Makes a table for a `dynamodbStore`, billed by request and with TTL enabled, and waits until it can be used. A table that exists already
 * is only given its TTL. On an emulator that knows no TTL there is none; what has expired is then never removed, though never returned.
 * @param client a `DynamoDBClient` of `@aws-sdk/client-dynamodb`, or a document client
 * @throws {InvalidOptionError} when an option has a value that cannot be
 * @throws {StoreError} when the table could not be made, or was not ready after two minutes
 */
export async function createTable(client: DynamoDBClient, options: CreateTableOptions): Promise<void> {
  withMethods('client', client, ['send'], 'a DynamoDBClient or a DynamoDBDocumentClient')
  assertKnown('', options, ['tableName', 'attributes'])
  const { tableName } = options
  if (typeof tableName !== 'string' || tableName === '') throw new InvalidOptionError('tableName', tableName, 'the name of a table')
  const { key, expires } = attributeNames(options.attributes)
  try {
    await create(client, tableName, key)
    await waitUntilTableExists({ client, maxWaitTime: maxWaitSeconds, minDelay: 0.1, maxDelay: 2 }, { TableName: tableName })
    await enableTtl(client, tableName, expires)
  } catch (error) {
    throw new StoreError(`the DynamoDB table "${tableName}" could not be created: ${nameOf(error)}.`, { cause: withoutContent(error) })
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
    // It exists, or is being created by another.
    if (nameOf(error) !== 'ResourceInUseException') throw error
  }
}

async function enableTtl(client: DynamoDBClient, tableName: string, attribute: string): Promise<void> {
  try {
    const { TimeToLiveDescription: now } = await client.send(new DescribeTimeToLiveCommand({ TableName: tableName }))
    // To enable what is enabled is an error.
    if (now?.TimeToLiveStatus === 'ENABLED' || now?.TimeToLiveStatus === 'ENABLING') return
    const TimeToLiveSpecification = { AttributeName: attribute, Enabled: true }
    await client.send(new UpdateTimeToLiveCommand({ TableName: tableName, TimeToLiveSpecification }))
  } catch (error) {
    if (nameOf(error) !== 'UnknownOperationException') throw error
  }
}
