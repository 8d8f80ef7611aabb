/**
 * Examines a DynamoDB table for what keeps a cache from working well: no table, a wrong key, no TTL, missing permissions, a clock that is off.
 * @module
 */
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DeleteItemCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  ScanCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { clockFinding, type Finding } from '../../base/finding.ts'
import { nameOf } from '../../base/foreign-error.ts'
import { explainFailure } from './errors.ts'
import { attributeNames } from './items.ts'

/** What is examined. */
export interface ExaminedTable {
  readonly tableName: string
  /** A partition key that holds nothing; it is removed again. */
  readonly key: string
}

const names = attributeNames(undefined)

/** What was found. Never rejects. */
export async function examineDynamodb(client: DynamoDBClient, table: ExaminedTable): Promise<Finding[]> {
  const begun = performance.now()
  const seen = sawClock(client)
  const schema = await schemaOf(client, table)
  const milliseconds = performance.now() - begun
  if ('failure' in schema && schema.failure !== 'AccessDeniedException') return [unreachable(schema.error, table)]
  const connection: Finding = { check: 'connection', state: 'good', found: `DynamoDB answers in ${milliseconds.toFixed(1)} ms` }
  const keys: Finding = 'failure' in schema ? undescribed('key', 'DescribeTable') : keyFinding(schema.keys)
  if (keys.state === 'bad') return [connection, keys]
  return [connection, keys, await ttl(client, table), await permissions(client, table), seen()]
}

function unreachable(error: unknown, { tableName }: ExaminedTable): Finding {
  const { error: ours, advice } = explainFailure('read', error, { tableName, keyName: names.key })
  const found = ours.message.replace(/^llmemo: |\.$/g, '')
  const mend = 'Check the region, the endpoint and the network of this machine.'
  return { check: 'connection', state: 'bad', found, ...(advice === undefined && { mend }) }
}

interface KeyPart {
  readonly AttributeName?: string | undefined
  readonly KeyType?: string | undefined
  readonly type: string | undefined
}

type Schema = { readonly keys: readonly KeyPart[] } | { readonly failure: string; readonly error: unknown }

async function schemaOf(client: DynamoDBClient, { tableName }: ExaminedTable): Promise<Schema> {
  try {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: tableName }))
    const types = new Map(Table?.AttributeDefinitions?.map(({ AttributeName, AttributeType }) => [AttributeName, AttributeType]))
    return { keys: Table?.KeySchema?.map((part) => Object.assign({}, part, { type: types.get(part.AttributeName) })) ?? [] }
  } catch (error) {
    return { failure: nameOf(error), error }
  }
}

function keyFinding(keys: readonly KeyPart[]): Finding {
  const [first] = keys
  const isGood = keys.length === 1 && first?.AttributeName === names.key && first.type === 'S'
  if (isGood) return { check: 'key', state: 'good', found: `the text "${names.key}", and no sort key` }
  return {
    check: 'key',
    state: 'bad',
    found: `not the text "${names.key}" alone`,
    mend: `A key cannot be changed. Make another table by createTable(client, { tableName }): the partition key "${names.key}" (S), no sort key.`,
  }
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTimeToLive.html */
async function ttl(client: DynamoDBClient, { tableName }: ExaminedTable): Promise<Finding> {
  const check = 'TTL'
  const mend = `aws dynamodb update-time-to-live --table-name ${tableName} --time-to-live-specification Enabled=true,AttributeName=${names.expires}`
  try {
    const { TimeToLiveDescription: now } = await client.send(new DescribeTimeToLiveCommand({ TableName: tableName }))
    const isOn = now?.TimeToLiveStatus === 'ENABLED' || now?.TimeToLiveStatus === 'ENABLING'
    if (!isOn) return { check, state: 'bad', found: 'off: expired items are never removed, and are paid for', mend }
    if (now.AttributeName === names.expires) return { check, state: 'good', found: `on the attribute "${names.expires}"` }
    const off = 'Turn it off first; DynamoDB allows one change an hour.'
    return { check, state: 'bad', found: `on another attribute than "${names.expires}"`, mend: `${off} Then: ${mend}` }
  } catch (error) {
    const name = nameOf(error)
    if (name === 'AccessDeniedException') return undescribed(check, 'DescribeTimeToLive')
    return { check, state: 'unknown', found: name === 'UnknownOperationException' ? 'an emulator that has none' : name }
  }
}

function undescribed(check: string, action: string): Finding {
  return { check, state: 'unknown', found: 'not allowed to be seen', mend: `Allow dynamodb:${action} to have it checked.` }
}

async function permissions(client: DynamoDBClient, { tableName: TableName, key }: ExaminedTable): Promise<Finding> {
  const Key = { [names.key]: { S: key } }
  const until = Date.now() + 60_000
  const Item = { ...Key, [names.expires]: { N: `${Math.ceil(until / 1_000)}` }, [names.until]: { N: `${until}` } }
  const actions: Readonly<Record<string, () => Promise<unknown>>> = {
    PutItem: () => client.send(new PutItemCommand({ TableName, Item })),
    GetItem: () => client.send(new GetItemCommand({ TableName, Key })),
    BatchGetItem: () => client.send(new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys: [Key] } } })),
    BatchWriteItem: () => client.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: [{ PutRequest: { Item } }] } })),
    UpdateItem: () =>
      client.send(
        new UpdateItemCommand({
          TableName,
          Key,
          UpdateExpression: 'SET #until = :until',
          ExpressionAttributeNames: { '#until': names.until },
          ExpressionAttributeValues: { ':until': { N: `${until}` } },
        }),
      ),
    Scan: () => client.send(new ScanCommand({ TableName, Limit: 1 })),
    DeleteItem: () => client.send(new DeleteItemCommand({ TableName, Key })),
  }
  const refused: string[] = []
  const failed: string[] = []
  for (const [action, send] of Object.entries(actions)) {
    try {
      await send()
    } catch (error) {
      if (nameOf(error) === 'AccessDeniedException') refused.push(action)
      else failed.push(`${action}: ${nameOf(error)}`)
    }
  }
  const check = 'permissions'
  if (refused.length > 0) {
    const mend = `Allow ${refused.map((action) => `dynamodb:${action}`).join(', ')} on the table. Scan is for patterns and lists, UpdateItem for savings.`
    return { check, state: 'bad', found: `not allowed: ${refused.join(', ')}`, mend }
  }
  if (failed.length > 0)
    return { check, state: 'bad', found: failed.join('; '), mend: 'Try again; if it stays so, look at the metrics of the table.' }
  return { check, state: 'good', found: 'all that the cache needs are allowed' }
}

/** Notes the date that stands in an answer of DynamoDB. @returns a function that says what was found */
function sawClock(client: DynamoDBClient): () => Finding {
  let finding: Finding = { check: 'clock', state: 'unknown', found: 'DynamoDB did not say its time' }
  client.middlewareStack.add(
    (next) => async (args) => {
      const before = Date.now()
      const result = await next(args)
      const date: unknown = Reflect.get(Object(Reflect.get(Object(result.response), 'headers')), 'date')
      const there = typeof date === 'string' ? Date.parse(date) : Number.NaN
      // A date has whole seconds.
      if (!Number.isNaN(there)) finding = clockFinding(there, [before, Date.now()], 1_000)
      return result
    },
    { step: 'deserialize', priority: 'low', name: 'llmemoClock', override: true },
  )
  return () => finding
}
