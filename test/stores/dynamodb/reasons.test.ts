import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { describe, expect, it, vi } from 'vitest'
import { StoreError } from '../../../src/errors.ts'
import { dynamodbStore } from '../../../src/stores/dynamodb/store.ts'

const credentials = { accessKeyId: 'AKIAHUNTER2', secretAccessKey: 'hunter2' }

/** The error of a read by a client with this configuration. */
async function failureOf(config: DynamoDBClientConfig): Promise<unknown> {
  const client = DynamoDBDocumentClient.from(new DynamoDBClient(config))
  const store = dynamodbStore(client, { tableName: 'answers' })
  try {
    return await store.get('key')
  } catch (error) {
    return error
  } finally {
    client.destroy()
  }
}

describe('the reason why DynamoDB cannot be used', () => {
  it.each<[name: string, config: DynamoDBClientConfig, reason: RegExp]>([
    [
      'no server at the endpoint',
      { region: 'eu-west-1', endpoint: 'http://127.0.0.1:1', credentials },
      /: connect ECONNREFUSED 127\.0\.0\.1:1\.$/,
    ],
    ['no region', { credentials }, /: the client has no valid region\. Make it with new DynamoDBClient/],
    ['an invalid region', { region: 'not a region', credentials }, /the client has no valid region/],
    [
      'no credentials',
      {
        region: 'eu-west-1',
        credentials: () => Promise.reject(Object.assign(new Error('hunter2'), { name: 'CredentialsProviderError' })),
      },
      /the client has no valid credentials/,
    ],
    ['an unknown failure', { region: 'eu-west-1', credentials: () => Promise.reject(new Error('hunter2')) }, /could not be read: Error\.$/],
  ])('G47 is in the error, without a secret: %s', async (_, config, reason) => {
    for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION']) vi.stubEnv(name, undefined)
    vi.stubEnv('AWS_CONFIG_FILE', 'none')
    const error = await failureOf(config)
    vi.unstubAllEnvs()
    expect(error).toBeInstanceOf(StoreError)
    expect(String(error)).toMatch(/the DynamoDB table "answers" could not be read/)
    expect(String(error)).toMatch(reason)
    expect(String(error)).not.toMatch(/hunter2/i)
  })
})
