/**
 * Cases of the store in DynamoDB, over dynalite and over clients that fail as the SDK does.
 * @module
 */
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { createTable, dynamodbStore, type DynamodbStoreOptions } from '../../../src/stores/dynamodb/store.ts'
import { answer, question } from '../chat.ts'
import { type DynamodbServer, startDynalite } from '../dynamodb-server.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { Requests } from '../../../src/stores/aws/requests.ts'
import { explainFailure, causeOf } from '../../../src/stores/dynamodb/errors.ts'
import type { Cases, Issuer, SecretCase } from './issuer.ts'
import { keyBytes, secret } from './marker.ts'
import { mistaken } from './mistaken.ts'

const prompt = secret('prompt')
const password = secret('password')
const bytes = new TextEncoder().encode(secret('answer'))
const tableName = 'answers'
const credentials = { accessKeyId: `AKIA${secret('key')}`, secretAccessKey: secret('password'), sessionToken: secret('token') }
const refusedBy = (name: string, action: () => unknown): SecretCase => ({ name, run: (issuer) => issuer.refused(action) })

async function withServer(use: (client: DynamoDBDocumentClient, server: DynamodbServer) => Promise<void>): Promise<void> {
  const server = await startDynalite()
  try {
    await use(server.client({ credentials, maxAttempts: 1 }), server)
  } finally {
    await server.close()
  }
}

/** A client that fails so, or answers so. */
function answering(answers: (command: object) => unknown): DynamoDBDocumentClient {
  return mistaken({ send: async (command: object): Promise<unknown> => answers(command), config: { credentials } })
}

/** What a throttled table answers to a batch: it took nothing of it. */
function untaken(command: object): unknown {
  const items: unknown = Reflect.get(Object(Reflect.get(command, 'input')), 'RequestItems')
  return { UnprocessedItems: items }
}

/** What a table answers in which the key is taken, by an item that is gone when it is read. */
function taken(command: object): unknown {
  if (command.constructor.name === 'PutCommand') throw serviceError('ConditionalCheckFailedException')
  return {}
}

/** As the SDK makes them: with the response, and a message that quotes what was sent. */
function serviceError(name: string, more: object = {}): Error {
  return Object.assign(new Error(`${password} ${prompt}`), {
    name,
    $response: { body: prompt, headers: { authorization: password } },
    $metadata: { httpStatusCode: 400, requestId: 'request-1' },
    Item: { pk: prompt },
    ...more,
  })
}

/** A cache over this client: each kind of use, and each method of its store. */
async function useClient(issuer: Issuer, client: DynamoDBDocumentClient, options: Partial<DynamodbStoreOptions> = {}): Promise<void> {
  const store = dynamodbStore(client, { tableName, ...options })
  const encryption = { keys: { a: keyBytes }, current: 'a' }
  const cache = issuer.cache({ store, encryption, maxMemoryBytes: 0, sharedFlights: true, readDeadline: '10s' })
  await issuer.outcome(async () => void (await cache.lookup(question(prompt))))
  await issuer.outcome(() => cache.store(question(prompt), answer(secret('answer').repeat(100))))
  await cache.flush()
  await issuer.outcome(() => cache.delByPattern(`${prompt}*`))
  await issuer.outcome(() => cache.invalidate({ all: true }))
  await issuer.outcome(async () => void (await store.get(prompt)))
  await issuer.outcome(async () => void (await store.getMany?.([prompt], { latest: new Set([prompt]) })))
  await issuer.outcome(() => store.set(prompt, bytes, { ttl: 1_000 }))
  await issuer.outcome(() => store.set(prompt, new Uint8Array(1_000_000), { ttl: 1_000 }))
  await issuer.outcome(() => store.setMany?.([{ key: prompt, value: bytes, ttl: 1_000 }]))
  await issuer.outcome(async () => void (await store.setIfAbsent?.(prompt, bytes, { ttl: 1_000 })))
  await issuer.outcome(async () => void (await store.lease?.(prompt, 'a', { ttl: 1_000 })))
  await issuer.outcome(() => store.release?.(prompt, secret('token')))
  await issuer.outcome(() => store.delete(prompt))
  await cache.close()
}

/** Errors by which AWS, its SDK and the network fail. */
const failures: readonly (() => unknown)[] = [
  () => serviceError('ResourceNotFoundException'),
  () => serviceError('ValidationException'),
  () => serviceError('AccessDeniedException'),
  () => serviceError('UnrecognizedClientException'),
  () => serviceError(password),
  () => serviceError('Error', { code: 'ECONNREFUSED' }),
  () => serviceError('TypeError', { code: 'ERR_INVALID_ARG_VALUE' }),
  () => serviceError('Error', { code: password }),
  () => serviceError('SyntaxError'),
  () => Object.assign(new Error('Region is missing'), { cause: password }),
  () => prompt,
]

export const dynamodbCases: Cases = {
  'src/stores/dynamodb/store.ts': [
    refusedBy('no client', () => dynamodbStore(mistaken(password), { tableName })),
    refusedBy('no table', () =>
      dynamodbStore(
        answering(() => ({})),
        { tableName: mistaken({ password }) },
      ),
    ),
    refusedBy('no flag', () =>
      dynamodbStore(
        answering(() => ({})),
        { tableName, consistent: mistaken(password) },
      ),
    ),
    refusedBy('no option', () =>
      dynamodbStore(
        answering(() => ({})),
        mistaken({ tableName, [password]: password }),
      ),
    ),
    {
      name: 'a table that works, and keys that it cannot keep',
      run: (issuer) =>
        withServer(async (client) => {
          await createTable(client, { tableName })
          await useClient(issuer, client)
          const store = dynamodbStore(client, { tableName })
          await issuer.refused(() => store.set('', bytes, { ttl: 1 }))
          await issuer.refused(() => store.setIfAbsent?.(`${prompt}\uD800`, bytes, { ttl: 1 }))
          await issuer.refused(() => store.setMany?.([{ key: prompt.repeat(500), value: bytes, ttl: 1 }]))
        }),
    },
    { name: 'no table', run: (issuer) => withServer((client) => useClient(issuer, client)) },
    {
      name: 'no server',
      run: (issuer) => {
        const client = new DynamoDBClient({ region: 'eu-central-1', endpoint: 'http://127.0.0.1:1', credentials, maxAttempts: 1 })
        return useClient(issuer, DynamoDBDocumentClient.from(client))
      },
    },
    {
      name: 'a table that is throttled',
      async run(issuer) {
        const clock = new ManualClock()
        const unread = (command: object): unknown => {
          queueMicrotask(() => clock.advance(1_000))
          const input: unknown = Reflect.get(command, 'input')
          const items: unknown = Reflect.get(Object(input), 'RequestItems')
          return items === undefined ? {} : { UnprocessedKeys: items, UnprocessedItems: items }
        }
        const store = dynamodbStore(answering(unread), { tableName, timeout: 60_000, clock })
        const moved = setInterval(() => clock.advance(500), 1)
        await issuer.outcome(async () => void (await store.getMany?.([prompt], { latest: new Set([prompt]) })))
        await issuer.outcome(() => store.setMany?.([{ key: prompt, value: bytes, ttl: 1_000 }]))
        await issuer.outcome(() => store.set(prompt, new Uint8Array(1_000_000), { ttl: 1_000 }))
        clearInterval(moved)
      },
    },
    {
      name: 'another value that cannot be read',
      async run(issuer) {
        await issuer.outcome(() => dynamodbStore(answering(taken), { tableName }).setIfAbsent?.(prompt, bytes, { ttl: 1_000 }))
      },
    },
    ...failures.map((error, index) => ({
      name: `a client that fails ${index}`,
      run: (issuer: Issuer) =>
        useClient(
          issuer,
          answering(() => {
            throw error()
          }),
        ),
    })),
  ],
  'src/stores/dynamodb/table.ts': [
    refusedBy('no table', () =>
      createTable(
        answering(() => ({})),
        { tableName: mistaken({ password }) },
      ),
    ),
    ...failures.map((error, index) =>
      refusedBy(`a table that is not made ${index}`, () =>
        createTable(
          answering(() => {
            throw error()
          }),
          { tableName },
        ),
      ),
    ),
  ],
  'src/stores/dynamodb/items.ts': [
    refusedBy('a name', () =>
      dynamodbStore(
        answering(() => ({})),
        { tableName, attributes: { key: mistaken({ password }) } },
      ),
    ),
    refusedBy('a long name', () =>
      dynamodbStore(
        answering(() => ({})),
        { tableName, attributes: { key: password.repeat(100) } },
      ),
    ),
    refusedBy('a name twice', () =>
      dynamodbStore(
        answering(() => ({})),
        { tableName, attributes: { key: password, value: password } },
      ),
    ),
    refusedBy('another name', () =>
      dynamodbStore(
        answering(() => ({})),
        { tableName, attributes: mistaken({ [password]: password }) },
      ),
    ),
  ],
  'src/stores/objects/large-values.ts': [
    ...[
      (): unknown => ({}),
      (): unknown => {
        throw serviceError('NoSuchBucket')
      },
      (): unknown => ({ Body: { transformToByteArray: () => Promise.reject(serviceError(password)) }, ContentLength: 1_000_000 }),
    ].map((reply, index) => ({
      name: `a bucket that fails ${index}`,
      async run(issuer: Issuer) {
        const S3: never = mistaken({
          send: async (command: object) => (command.constructor.name === 'PutObjectCommand' ? { ETag: 'a' } : reply()),
        })
        await withServer(async (client) => {
          await createTable(client, { tableName })
          const overflow = { client: S3, bucket: 'bucket', above: 10 }
          await useClient(issuer, client, { overflow })
          const store = dynamodbStore(client, { tableName, overflow })
          store.onReport?.((message, cause) => issuer.keep('report', [message, cause]))
          await store.set(prompt, new Uint8Array(1_000_000), { ttl: 1_000_000 })
          await issuer.outcome(() => store.get(prompt))
        })
      },
    })),
    {
      name: 'a bucket that takes nothing',
      async run(issuer) {
        const S3: never = mistaken({ send: () => Promise.reject(serviceError('NoSuchBucket')) })
        const store = dynamodbStore(
          answering(() => ({})),
          { tableName, overflow: { client: S3, bucket: 'bucket', above: 10 } },
        )
        await issuer.refused(() => store.set(prompt, new Uint8Array(100), { ttl: 1_000 }))
      },
    },
  ],
  'src/stores/dynamodb/overflow.ts': [
    {
      name: 'parts that are not taken',
      async run(issuer) {
        const clock = new ManualClock()
        const store = dynamodbStore(answering(untaken), { tableName, clock, timeout: 60_000 })
        const moved = setInterval(() => clock.advance(500), 1)
        await issuer.refused(() => store.set(prompt, new Uint8Array(1_000_000), { ttl: 1_000 }))
        clearInterval(moved)
      },
    },
    {
      name: 'a bucket that cannot be read',
      run: (issuer) =>
        withServer(async (client) => {
          await createTable(client, { tableName })
          const S3: never = mistaken({
            send: async (command: object) => {
              if (command.constructor.name === 'PutObjectCommand') return { ETag: 'a' }
              throw serviceError('NoSuchBucket')
            },
          })
          const store = dynamodbStore(client, { tableName, overflow: { client: S3, bucket: 'bucket', above: 10 } })
          store.onReport?.((message, cause) => issuer.keep('report', [message, cause]))
          await store.set(prompt, new Uint8Array(1_000), { ttl: 1_000_000 })
          await issuer.outcome(() => store.get(prompt))
        }),
    },
  ],
  'src/base/time-limit.ts': [
    {
      name: 'a request that is late, and callers that leave with a reason of their own',
      async run(issuer) {
        const clock = new ManualClock()
        const requests = new Requests(clock, 100)
        const late = issuer.refused(() => requests.within('a request to AWS', () => new Promise(() => {})))
        clock.advance(200)
        await late
        const controller = new AbortController()
        const left = issuer.refused(() => requests.within('a request to AWS', () => new Promise(() => {}), controller.signal))
        controller.abort('left')
        await left
      },
    },
  ],
  'src/stores/aws/requests.ts': [
    {
      name: 'a request that is not sent a third time',
      run: (issuer) =>
        withServer(async (_, server) => {
          const fails = { handle: () => Promise.reject(serviceError('TimeoutError', { $retryable: {} })) }
          const client = server.client({ credentials, maxAttempts: 5, requestHandler: mistaken(fails) })
          await issuer.refused(() => dynamodbStore(client, { tableName }).get(prompt))
        }),
    },
  ],
  'src/stores/dynamodb/errors.ts': failures.map((error, index) => ({
    name: `a failure ${index}`,
    run(issuer: Issuer) {
      issuer.keep('explained', explainFailure('read', error(), { tableName, keyName: 'pk' }))
      issuer.keep('cause', causeOf(error()))
    },
  })),
  'src/stores/dynamodb/reports.ts': [
    {
      name: 'a client that delays its requests',
      async run(issuer) {
        const store = dynamodbStore(mistaken({ send: async () => ({}), config: { retryMode: async () => 'adaptive', credentials } }), {
          tableName,
        })
        store.onReport?.((message, cause) => issuer.keep('report', [message, cause]))
        await Promise.resolve().then(() => undefined)
        await new Promise((resolve) => setImmediate(resolve))
        const other = dynamodbStore(
          answering(() => {
            throw serviceError('AccessDeniedException')
          }),
          { tableName },
        )
        other.onReport?.((message, cause) => issuer.keep('report', [message, cause]))
        await issuer.refused(() => other.get(prompt))
      },
    },
  ],
}
