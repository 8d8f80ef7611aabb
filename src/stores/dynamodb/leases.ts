/**
 * Leases in a DynamoDB table: conditional writes, which DynamoDB does only if no other token holds the lease.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html
 * @module
 */
import { DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb'
import { nameOf } from './errors.ts'
import type { Life } from './items.ts'
import type { TableAccess } from './table-access.ts'

/** A lease that a caller asks for. */
export interface LeaseRequest {
  readonly key: string
  readonly token: string
  readonly life: Life
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** Acquires and releases leases. */
export class Leases {
  readonly #access: TableAccess

  constructor(access: TableAccess) {
    this.#access = access
  }

  /**
   * Takes a lease, or prolongs one that `token` holds already.
   * @returns the token that holds the lease now, or `''` when its holder released it at this very moment
   */
  async acquire({ key, token, life, now }: LeaseRequest): Promise<string> {
    const { client, requests, tableName, format } = this.#access
    const value = new TextEncoder().encode(token)
    const command = new PutCommand({
      TableName: tableName,
      Item: format.whole(key, value, life),
      ConditionExpression: 'attribute_not_exists(#key) OR #until <= :now OR #value = :token',
      ExpressionAttributeNames: { '#key': format.names.key, '#until': format.names.until, '#value': format.names.value },
      ExpressionAttributeValues: { ':now': now, ':token': value },
    })
    const taken = await isMet(requests.send(command, (options) => client.send(command, options)))
    return taken ? token : this.#holder(key)
  }

  /** Releases a lease, if `token` still holds it. */
  async release(key: string, token: string): Promise<void> {
    const { client, requests, tableName, format } = this.#access
    const command = new DeleteCommand({
      TableName: tableName,
      Key: { [format.names.key]: key },
      ConditionExpression: '#value = :token',
      ExpressionAttributeNames: { '#value': format.names.value },
      ExpressionAttributeValues: { ':token': new TextEncoder().encode(token) },
    })
    await isMet(requests.send(command, (options) => client.send(command, options)))
  }

  async #holder(key: string): Promise<string> {
    const { client, requests, tableName, format } = this.#access
    const command = new GetCommand({ TableName: tableName, Key: { [format.names.key]: key }, ConsistentRead: true })
    const { Item: item } = await requests.send(command, (options) => client.send(command, options))
    const value = item === undefined ? undefined : format.valueIn(item)
    return value === undefined ? '' : new TextDecoder().decode(value)
  }
}

/** Whether DynamoDB found the condition of `write` true, and so did the write. */
async function isMet(write: Promise<unknown>): Promise<boolean> {
  try {
    await write
    return true
  } catch (error) {
    if (nameOf(error) === 'ConditionalCheckFailedException') return false
    throw error
  }
}
