/**
 * Conditional writes in a DynamoDB table: leases, which DynamoDB writes only if no other token holds them, and values where there are none.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html
 * @module
 */
import { DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb'
import { nameOf } from '../../base/foreign-error.ts'
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

/** A value to write where there is none. */
export interface AbsentWrite extends Omit<LeaseRequest, 'token'> {
  readonly value: Uint8Array
}

/** Acquires and releases leases, and makes the other writes that depend on what is there. */
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

  /**
   * Writes a value if there is none.
   * @returns the value that is there now; `undefined` when another one ended at this very moment
   */
  async setIfAbsent({ key, value, life, now }: AbsentWrite): Promise<Uint8Array | undefined> {
    const { client, requests, tableName, format } = this.#access
    const command = new PutCommand({
      TableName: tableName,
      Item: format.whole(key, value, life),
      ConditionExpression: 'attribute_not_exists(#key) OR #until <= :now',
      ExpressionAttributeNames: { '#key': format.names.key, '#until': format.names.until },
      ExpressionAttributeValues: { ':now': now },
    })
    const isWritten = await isMet(requests.send(command, (options) => client.send(command, options)))
    return isWritten ? value : this.#valueAt(key)
  }

  async #holder(key: string): Promise<string> {
    const value = await this.#valueAt(key)
    return value === undefined ? '' : new TextDecoder().decode(value)
  }

  async #valueAt(key: string): Promise<Uint8Array | undefined> {
    const { client, requests, tableName, format } = this.#access
    const command = new GetCommand({ TableName: tableName, Key: { [format.names.key]: key }, ConsistentRead: true })
    const { Item: item } = await requests.send(command, (options) => client.send(command, options))
    return item === undefined ? undefined : format.valueIn(item)
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
