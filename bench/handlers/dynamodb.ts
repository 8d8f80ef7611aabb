/**
 * A Lambda handler that asks Bedrock through a cache in DynamoDB.
 * @module
 */
import { BedrockRuntimeClient, ConverseCommand } from '@aws-sdk/client-bedrock-runtime'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { dynamodbStore } from '../../dist/dynamodb.mjs'
import { createCache, withCache } from '../../dist/index.mjs'
import { answer, instantAws, printTimes, question } from './instant-aws.ts'

const client = DynamoDBDocumentClient.from(new DynamoDBClient(instantAws({ Responses: {} })))
const cache = createCache({ store: dynamodbStore(client, { tableName: 'answers' }), readDeadline: '10s' })
const bedrock = withCache(new BedrockRuntimeClient(instantAws(answer)), cache)

async function handler(): Promise<unknown> {
  const answered = await bedrock.send(new ConverseCommand(question))
  await cache.flush()
  return answered
}

void printTimes(handler)
