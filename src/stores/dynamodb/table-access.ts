/**
 * The access to the table that the parts of the store share.
 * @module
 */
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import type { Requests } from '../aws/requests.ts'
import type { ItemFormat } from './items.ts'

/** A table, and the means to send requests to it. */
export interface TableAccess {
  readonly client: DynamoDBDocumentClient
  readonly requests: Requests
  readonly tableName: string
  readonly format: ItemFormat
}
