/**
 * What a function needs around it: a DynamoDB, a stand-in provider and a key.
 * @module
 */
import { systemClock } from 'llmemo'
import type { Store } from 'llmemo'
import { createTable, dynamodbStore } from 'llmemo/dynamodb'
import { onTestFinished } from 'vitest'
import { startDynalite } from '../../../../test/support/dynamodb-server.ts'
import { chunksOf, completion } from '../../../../test/support/openai-answers.ts'
import { type ProviderHandler, type ProviderServer, startProvider } from '../../../../test/support/provider-server.ts'
import { KeyRing } from '../../../src/access/key-ring.ts'
import { isStreamRequest } from '../stand-in.ts'
import { type LambdaFunction, startFunction } from './runtime.ts'

/** What is around a function. */
export interface Surroundings {
  readonly provider: ProviderServer
  /** A key that may read and write, of the tenant `acme`. */
  readonly key: string
  /** The store that the function uses. */
  readonly store: Store
  /** The variables that name the store and the provider. */
  readonly env: Readonly<Record<string, string>>
  /** A new instance of the function. */
  readonly start: (handler?: string, env?: Readonly<Record<string, string>>) => Promise<LambdaFunction>
  readonly stopStore: () => Promise<void>
}

/** Answers whole and in a stream. */
export const answering: ProviderHandler = (request, reply) =>
  isStreamRequest(request) ? reply.events(chunksOf('Rayleigh.').flat()) : reply.json(completion('Rayleigh.'))

/** Starts all that is around a function, until the test ends. */
export async function surroundings(handler: ProviderHandler = answering): Promise<Surroundings> {
  const [provider, dynamodb] = await Promise.all([startProvider(handler), startDynalite()])
  const client = dynamodb.client()
  const tableName = 'answers'
  await createTable(client, { tableName })
  const store = dynamodbStore(client, { tableName })
  const { key } = await new KeyRing(store, systemClock).create({ roles: ['read', 'write'], tenant: 'acme' })
  let isStopped = false
  const stopStore = async (): Promise<void> => {
    if (!isStopped) await dynamodb.close()
    isStopped = true
  }
  onTestFinished(async () => {
    await Promise.all([provider.close(), stopStore()])
  })
  const env = {
    LLMEMO_UPSTREAM_OPENAI: provider.url,
    LLMEMO_PRIVATE_HOSTS: '127.0.0.1',
    CACHE_STORE: `dynamodb://${tableName}?region=eu-west-1&endpoint=${encodeURIComponent(dynamodb.endpoint)}`,
  }
  return {
    provider,
    key,
    store,
    stopStore,
    env,
    start: (name = 'dist/lambda.httpHandler', more = {}) => startFunction(name, { ...env, ...more }),
  }
}
