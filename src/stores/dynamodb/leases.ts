/**
 * Leases in a DynamoDB table: writes that are done only where nobody else holds the lease.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html
 * @module
 */
import { DeleteCommand, type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb'
import { nameOf } from './errors.ts'
import type { ItemFormat, Life } from './items.ts'
import type { Requests } from './requests.ts'

/** Leases in a table. */
export class Leases {
  readonly #client: DynamoDBDocumentClient
  readonly #requests: Requests
  readonly #tableName: string
  readonly #format: ItemFormat

  constructor(client: DynamoDBDocumentClient, requests: Requests, tableName: string, format: ItemFormat) {
    this.#client = client
    this.#requests = requests
    this.#tableName = tableName
    this.#format = format
  }

  /** Takes or prolongs a lease. @returns the token that holds it now, or `''` when it was given back just then */
  async take(key: string, token: string, life: Life, now: number): Promise<string> {
    const { names } = this.#format
    const value = new TextEncoder().encode(token)
    const command = new PutCommand({
      TableName: this.#tableName,
      Item: this.#format.whole(key, value, life),
      ConditionExpression: 'attribute_not_exists(#key) OR #until <= :now OR #value = :token',
      ExpressionAttributeNames: { '#key': names.key, '#until': names.until, '#value': names.value },
      ExpressionAttributeValues: { ':now': now, ':token': value },
    })
    const taken = await isMet(this.#requests.send(command, (options) => this.#client.send(command, options)))
    return taken ? token : this.#holder(key)
  }

  /** Gives a lease back, if this token still holds it. */
  async giveBack(key: string, token: string): Promise<void> {
    const command = new DeleteCommand({
      TableName: this.#tableName,
      Key: { [this.#format.names.key]: key },
      ConditionExpression: '#value = :token',
      ExpressionAttributeNames: { '#value': this.#format.names.value },
      ExpressionAttributeValues: { ':token': new TextEncoder().encode(token) },
    })
    await isMet(this.#requests.send(command, (options) => this.#client.send(command, options)))
  }

  async #holder(key: string): Promise<string> {
    const command = new GetCommand({ TableName: this.#tableName, Key: { [this.#format.names.key]: key }, ConsistentRead: true })
    const { Item: item } = await this.#requests.send(command, (options) => this.#client.send(command, options))
    const value = item === undefined ? undefined : this.#format.valueIn(item)
    return value === undefined ? '' : new TextDecoder().decode(value)
  }
}

/** Whether the condition of a write was met, and the write done. */
async function isMet(write: Promise<unknown>): Promise<boolean> {
  try {
    await write
    return true
  } catch (error) {
    if (nameOf(error) === 'ConditionalCheckFailedException') return false
    throw error
  }
}
