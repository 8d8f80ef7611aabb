/**
 * Sums in a DynamoDB table: an item for each key, with an attribute for each sum, which DynamoDB adds to in one step.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html#Expressions.UpdateExpressions.ADD
 * @module
 */
import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import type { Item, Life } from './items.ts'
import type { TableAccess } from './table-access.ts'

/** The beginning of the name of each attribute that is a sum. */
const mark = 'sum:'
/** Sums in one request: an expression may have 300 operators and functions, and 4 KB. */
const sumsPerRequest = 50

/** Adds to the sums under a key. @returns the sums that are there now */
export async function addSums(
  { client, requests, tableName, format }: TableAccess,
  {
    key,
    amounts,
    life,
    now,
  }: { readonly key: string; readonly amounts: Readonly<Record<string, number>>; readonly life: Life; readonly now: number },
): Promise<Record<string, number>> {
  const { names } = format
  const entries = Object.entries(amounts)
  let item: Item | undefined
  for (let start = 0; start < entries.length; start += sumsPerRequest) {
    const part = entries.slice(start, start + sumsPerRequest)
    const command = new UpdateCommand({
      TableName: tableName,
      Key: { [names.key]: key },
      UpdateExpression: `SET #until = :until, #expires = :expires ADD ${part.map((_, index) => `#n${index} :n${index}`).join(', ')}`,
      ExpressionAttributeNames: {
        '#until': names.until,
        '#expires': names.expires,
        ...Object.fromEntries(part.map(([name], index) => [`#n${index}`, mark + name])),
      },
      ExpressionAttributeValues: {
        ':until': life.until,
        ':expires': life.expires,
        ...Object.fromEntries(part.map(([, amount], index) => [`:n${index}`, amount])),
      },
      ReturnValues: 'ALL_NEW',
    })
    const { Attributes: updated } = await requests.send(command, (options) => client.send(command, options))
    item = updated
  }
  if (entries.length === 0) {
    const command = new GetCommand({ TableName: tableName, Key: { [names.key]: key }, ConsistentRead: true })
    const { Item: found } = await requests.send(command, (options) => client.send(command, options))
    item = found
  }
  if (item === undefined || !(Number(item[names.until]) > now)) return {}
  const sums = Object.entries(item).filter(([name]) => name.startsWith(mark))
  return Object.fromEntries(sums.map(([name, sum]) => [name.slice(mark.length), Number(sum)]))
}
