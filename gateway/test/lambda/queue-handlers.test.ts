/**
 * The handlers of messages, events and lists under Lambda's own runtime client, over a DynamoDB, with real queues of SQS.
 */
import { createCache, type Store } from 'llmemo'
import { queueStore } from 'llmemo/sqs'
import { createGateway } from 'llmemo-gateway'
import { createSqsHandler } from 'llmemo-gateway/lambda'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type SqsServer, startSqs } from '../../../test/support/sqs-server.ts'
import type { LambdaFunction } from '../support/lambda/runtime.ts'
import { answering, surroundings } from '../support/lambda/surroundings.ts'
import { question } from '../support/provider.ts'

const arn = 'arn:aws:sqs:eu-west-1:123456789012:changes'

let batches = 0

/** A batch of new messages as Lambda hands it over. Message `m1` is the first. */
function batch(bodies: readonly (string | object)[], { source = arn, sent = Date.now() } = {}): object {
  const name = `batch-${++batches}`
  return {
    Records: bodies.map((body, index) => ({
      messageId: `${name}.m${index + 1}`,
      receiptHandle: 'receipt',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      attributes: { ApproximateReceiveCount: '1', SentTimestamp: String(sent) },
      messageAttributes: {},
      eventSource: 'aws:sqs',
      eventSourceARN: source,
      awsRegion: 'eu-west-1',
    })),
  }
}

async function resultOf(instance: LambdaFunction, event: object, time = 60_000): Promise<unknown> {
  const { failed, bytes } = await instance.invoke(event, { time })
  const result: unknown = JSON.parse(bytes.toString().replaceAll(/batch-\d+\./g, ''))
  return failed ? { failed: Reflect.get(Object(result), 'errorType') } : result
}

/** The ids of the messages that a batch leaves to be delivered again. */
function failures(...ids: string[]): object {
  return { batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) }
}

/** What another process finds, by the key of a value. */
async function valueIn(store: Store, key: string): Promise<unknown> {
  return createCache({ store, logger: false }).get(key)
}

describe('sqsHandler', () => {
  it('sets, deletes, fills and invalidates, and has written all of it when it returns', async () => {
    const { provider, store, start } = await surroundings()
    const instance = await start('dist/lambda.sqsHandler')
    const asked = { path: '/openai/v1/chat/completions', headers: { authorization: 'Bearer sk-test' }, body: JSON.parse(question()) }
    const event = batch([
      { op: 'set', key: 'plan', value: { seats: 3 } },
      { op: 'set', key: 'gone', value: 1 },
      {
        operations: [
          { op: 'delete', key: 'gone' },
          { op: 'set', key: 'stays', value: null, ttl: '1h' },
        ],
      },
      { op: 'prefill', prompt: 'Why?', response: 'Because.', tags: ['faq'], tenant: 'acme' },
      { op: 'prefill', ...asked },
    ])
    expect(await resultOf(instance, event)).toEqual(failures())
    instance.stop()
    expect(await valueIn(store, 'plan')).toEqual({ seats: 3 })
    expect(await valueIn(store, 'gone')).toBeUndefined()
    expect(await valueIn(store, 'stays')).toBeNull()
    const request = { prompt: 'Why?', scope: 'acme' }
    expect(await createCache({ store, logger: false }).lookup(request)).toMatchObject({ answer: 'Because.' })
    expect(provider.requests).toHaveLength(1)
    // In a new instance, which has nothing in its memory.
    const next = await start('dist/lambda.sqsHandler')
    const again = batch([
      { op: 'prefill', ...asked },
      { op: 'invalidate', tags: ['faq'] },
    ])
    expect(await resultOf(next, again)).toEqual(failures())
    expect(provider.requests).toHaveLength(1)
    expect(await createCache({ store, logger: false }).lookup(request)).toBeUndefined()
  })

  it('fills for the callers of a tenant, whom the gateway then answers from the store', async () => {
    const { provider, key, start } = await surroundings()
    const asked = { path: '/openai/v1/chat/completions', headers: { authorization: 'Bearer sk-test' }, body: JSON.parse(question()) }
    const filled = await start('dist/lambda.sqsHandler')
    expect(await resultOf(filled, batch([{ op: 'prefill', tenant: 'acme', ...asked }]))).toEqual(failures())
    const gateway = await start('dist/lambda.httpHandler')
    const request = {
      version: '2.0',
      rawPath: asked.path,
      headers: { host: 'a.example', 'content-type': 'application/json', authorization: 'Bearer sk-test', 'x-llmemo-api-key': key },
      requestContext: { stage: '$default', http: { method: 'POST', path: asked.path, sourceIp: '203.0.113.9' } },
      body: question(),
      isBase64Encoded: false,
    }
    expect(await resultOf(gateway, request)).toMatchObject({ statusCode: 200, headers: { 'x-llmemo-source': 'dynamodb' } })
    expect(provider.requests).toHaveLength(1)
  })

  it.each([arn, `${arn}.fifo`])('undoes nothing by a message of %s that comes again late, in whatever instance', async (source) => {
    const { store, start } = await surroundings()
    const request = { prompt: 'Why?', scope: 'acme' }
    const instance = await start('dist/lambda.sqsHandler')
    const filled = batch(
      [
        { op: 'set', key: 'plan', value: 'team' },
        { op: 'prefill', prompt: 'Why?', response: 'Because.', tags: ['faq'], tenant: 'acme' },
      ],
      { source },
    )
    expect(await resultOf(instance, filled)).toEqual(failures())
    const undone = batch(
      [
        { op: 'delete', key: 'plan' },
        { op: 'invalidate', tags: ['faq'] },
      ],
      { source },
    )
    expect(await resultOf(instance, undone)).toEqual(failures())
    instance.stop()
    expect(await resultOf(await start('dist/lambda.sqsHandler'), filled)).toEqual(failures())
    expect(await valueIn(store, 'plan')).toBeUndefined()
    expect(await createCache({ store, logger: false }).lookup(request)).toBeUndefined()
  })

  it('keeps to the order of what is written and then removed, in one message or several', async () => {
    const { store, start } = await surroundings()
    const instance = await start('dist/lambda.sqsHandler')
    const [filled, outdated] = [
      { op: 'prefill', prompt: 'Why?', response: 'Because.', tags: ['faq'] },
      { op: 'invalidate', tags: ['faq'] },
    ]
    for (const bodies of [[filled, outdated], [{ operations: [filled, outdated] }]]) {
      expect(await resultOf(instance, batch(bodies))).toEqual(failures())
      expect(await createCache({ store, logger: false }).lookup({ prompt: 'Why?' })).toBeUndefined()
    }
    expect(await resultOf(instance, batch([outdated, filled]))).toEqual(failures())
    expect(await createCache({ store, logger: false }).lookup({ prompt: 'Why?' })).toMatchObject({ answer: 'Because.' })
    // One that the store never takes makes none of the others come after what removes them.
    const impossible = { op: 'set', key: '\u{1F600}'.repeat(500), value: 1 }
    expect(await resultOf(instance, batch([{ op: 'set', key: 'plan', value: 1 }, impossible, { op: 'delete', key: 'plan' }]))).toEqual(
      failures('m2'),
    )
    expect(await valueIn(store, 'plan')).toBeUndefined()
  })

  it('does a message again that failed before', async () => {
    const { provider, store, start } = await surroundings((_request, reply) => reply.json({ error: { message: 'no' } }, { status: 500 }))
    const instance = await start('dist/lambda.sqsHandler')
    const asked = { path: '/openai/v1/chat/completions', headers: { authorization: 'Bearer sk-test' }, body: JSON.parse(question()) }
    const event = batch([
      { op: 'set', key: 'plan', value: 'team' },
      { op: 'prefill', ...asked },
    ])
    expect(await resultOf(instance, event)).toEqual(failures('m2'))
    provider.respond(answering)
    expect(await resultOf(instance, event)).toEqual(failures())
    expect(provider.requests.length).toBeGreaterThan(1)
    expect(await valueIn(store, 'plan')).toBe('team')
  })

  it('changes nothing by a message whose time is over', async () => {
    const { store, start } = await surroundings()
    const instance = await start('dist/lambda.sqsHandler')
    expect(await resultOf(instance, batch([{ op: 'set', key: 'plan', value: 'team' }]))).toEqual(failures())
    const late = batch([{ op: 'set', key: 'plan', value: 'old', ttl: '10m' }], { sent: Date.now() - 600_000 })
    expect(await resultOf(instance, late)).toEqual(failures())
    expect(await valueIn(store, 'plan')).toBe('team')
  })

  it.each([
    ['no JSON', '{'],
    ['no step', { op: 'format', key: 'a' }],
    ['a step with an unknown member', { op: 'delete', key: 'a', force: true }],
    ['a step without what it needs', { op: 'set', key: 'a' }],
    ['two selectors', { op: 'invalidate', tags: ['a'], model: 'b' }],
    ['a path on another host', { op: 'prefill', path: '//other/v1', body: {} }],
    ['a damaged message of queueStore', { llmemo: 'store@1', writer: 1 }],
    // The store refuses it; memory does not.
    ['a key that the table cannot have', { op: 'set', key: '\u{1F600}'.repeat(500), value: 1 }],
  ])('gives back a message alone that will never do: %s', async (_name, poison) => {
    const { store, start } = await surroundings()
    const instance = await start('dist/lambda.sqsHandler')
    const event = batch([{ op: 'set', key: 'first', value: 1 }, poison, { op: 'set', key: 'last', value: 2 }])
    expect(await resultOf(instance, event)).toEqual(failures('m2'))
    expect([await valueIn(store, 'first'), await valueIn(store, 'last')]).toEqual([1, 2])
  })

  it('gives everything back, and refuses nothing for good, while what it applies messages to cannot be opened', async () => {
    const cache = createCache()
    const opening = [Promise.reject(new Error('no')), new Promise<never>(() => undefined)]
    for (const each of opening) each.catch(() => undefined)
    const handler = createSqsHandler(() => opening.shift() ?? Promise.resolve({ cache, gateway: createGateway({ cache }) }))
    const event = batch([{ op: 'set', key: 'a', value: 1 }])
    await expect(handler(event, { getRemainingTimeInMillis: () => 60_000 })).rejects.toThrow('no')
    expect((await handler(event, { getRemainingTimeInMillis: () => 501 })).batchItemFailures).toHaveLength(1)
  })

  it('gives back a value that is larger than an entry may be', async () => {
    const cache = createCache({ maxEntryBytes: 4_096 })
    const handler = createSqsHandler(async () => ({ cache, gateway: createGateway({ cache }) }))
    const event = batch([
      { op: 'set', key: 'a', value: 'x'.repeat(5_000) },
      { op: 'set', key: 'b', value: 1 },
    ])
    const { batchItemFailures: failed } = await handler(event, { getRemainingTimeInMillis: () => 60_000 })
    expect(failed).toEqual([{ itemIdentifier: expect.stringMatching(/m1$/) }])
    expect(await cache.get('b')).toBe(1)
  })

  it('stops at the first failure in a queue with an order', async () => {
    const { store, start } = await surroundings()
    const instance = await start('dist/lambda.sqsHandler')
    const event = batch([{ op: 'set', key: 'a', value: 1 }, '{', { op: 'set', key: 'a', value: 2 }], { source: `${arn}.fifo` })
    expect(await resultOf(instance, event)).toEqual(failures('m2', 'm3'))
    expect(await valueIn(store, 'a')).toBe(1)
  })

  it('gives everything back while the store is down, also what memory has', async () => {
    const { start, stopStore } = await surroundings()
    const instance = await start('dist/lambda.sqsHandler')
    await stopStore()
    const event = batch([
      { op: 'set', key: 'a', value: 1 },
      { op: 'delete', key: 'b' },
    ])
    expect(await resultOf(instance, event)).toEqual(failures('m1', 'm2'))
  })

  it('gives back what it has no time for, and is well afterwards', async () => {
    const { provider, start } = await surroundings((_request, reply) => reply.hold())
    const instance = await start('dist/lambda.sqsHandler')
    const asked = { path: '/openai/v1/chat/completions', headers: { authorization: 'Bearer sk-test' }, body: JSON.parse(question()) }
    const event = batch([
      { op: 'prefill', ...asked },
      { op: 'set', key: 'a', value: 1 },
    ])
    expect(await resultOf(instance, event, 2_500)).toEqual(failures('m1', 'm2'))
    expect(provider.requests).toHaveLength(1)
    expect(await resultOf(instance, batch([{ op: 'set', key: 'a', value: 1 }]))).toEqual(failures())
  })

  it('refuses what is no batch', async () => {
    const { start } = await surroundings()
    expect(await resultOf(await start('dist/lambda.sqsHandler'), { Records: [{ eventSource: 'aws:s3' }] })).toEqual({
      failed: 'LambdaEventError',
    })
  })
})

/** What stands between a queue and a function: takes messages, invokes, and deletes those that were handled. @returns how many there were */
async function poll(server: SqsServer, queueUrl: string, instance: LambdaFunction): Promise<number> {
  const { Messages: messages = [] } = await server.client.receiveMessage({
    QueueUrl: queueUrl,
    MaxNumberOfMessages: 10,
    MessageSystemAttributeNames: ['All'],
  })
  if (messages.length === 0) return 0
  const records = messages.map((each) => ({
    messageId: each.MessageId,
    body: each.Body,
    attributes: each.Attributes,
    eventSource: 'aws:sqs',
    eventSourceARN: arn,
  }))
  const result = await resultOf(instance, { Records: records })
  for (const { MessageId: id = '', ReceiptHandle: handle } of messages) {
    if (JSON.stringify(result).includes(id)) continue
    await server.client.deleteMessage({ QueueUrl: queueUrl, ReceiptHandle: handle })
  }
  return messages.length
}

describe('a queue in front of sqsHandler', () => {
  it('sends a message that will never do to the dead-letter queue, after the others were handled', async () => {
    const server = await startSqs()
    onTestFinished(() => server.close())
    const { store, start } = await surroundings()
    const dead = await server.queue('dead')
    const { Attributes: attributes } = await server.client.getQueueAttributes({ QueueUrl: dead, AttributeNames: ['QueueArn'] })
    const redrive = JSON.stringify({ deadLetterTargetArn: attributes?.QueueArn, maxReceiveCount: 2 })
    const queueUrl = await server.queue('changes', { RedrivePolicy: redrive, VisibilityTimeout: '0' })
    const instance = await start('dist/lambda.sqsHandler')
    for (const body of ['{"op":"set","key":"a","value":1}', 'poison']) {
      await server.client.sendMessage({ QueueUrl: queueUrl, MessageBody: body })
    }
    while ((await poll(server, queueUrl, instance)) > 0);
    expect(await valueIn(store, 'a')).toBe(1)
    expect((await server.take(dead)).map(({ Body: body }) => body)).toEqual(['poison'])
  })

  it('brings what a cache over queueStore writes and invalidates into the table', async () => {
    const server = await startSqs()
    onTestFinished(() => server.close())
    const { store, start } = await surroundings()
    const queueUrl = await server.queue('changes')
    const cache = createCache({ store: queueStore(store, { client: server.client, queueUrl }), logger: false })
    const instance = await start('dist/lambda.sqsHandler')
    const request = { prompt: 'Why?', scope: 'acme' }
    await cache.store({ ...request, tags: ['faq'] }, 'Because.')
    await cache.set('plan', 'team')
    expect(await cache.flush()).toBe(true)
    expect(await createCache({ store, logger: false }).lookup(request)).toBeUndefined()
    while ((await poll(server, queueUrl, instance)) > 0);
    expect(await createCache({ store, logger: false }).lookup(request)).toMatchObject({ answer: 'Because.' })
    expect(await valueIn(store, 'plan')).toBe('team')
    expect(await cache.invalidate({ tags: ['faq'] })).toBe(true)
    while ((await poll(server, queueUrl, instance)) > 0);
    expect(await createCache({ store, logger: false }).lookup(request)).toBeUndefined()
  })
})

let events = 0

/** A new event as EventBridge delivers it. */
function busEvent(detail: unknown): object {
  return {
    id: `event-${++events}`,
    version: '0',
    'detail-type': 'profile changed',
    source: 'coach.profiles',
    time: new Date().toISOString(),
    region: 'eu-west-1',
    resources: [],
    detail,
  }
}

/** A step that asks the provider. */
function ask(content: string): object {
  return { op: 'prefill', path: '/openai/v1/chat/completions', body: JSON.parse(question(content)) }
}

describe('eventBridgeHandler', () => {
  it('does what an event asks for, and has written it when it returns', async () => {
    const { provider, store, start } = await surroundings()
    const instance = await start('dist/lambda.eventBridgeHandler')
    const steps = [
      { op: 'set', key: 'plan', value: 'team' },
      { op: 'set', key: 'gone', value: 1 },
      { op: 'delete', key: 'gone' },
      { op: 'prefill', prompt: 'Why?', response: 'Because.', tags: ['faq'] },
      { op: 'prefill', prompt: 'How?', response: 'So.' },
      { op: 'invalidate', tags: ['faq'] },
      ask('Streamed or not?'),
    ]
    expect(await resultOf(instance, busEvent({ operations: steps }))).toBeNull()
    instance.stop()
    expect([await valueIn(store, 'plan'), await valueIn(store, 'gone')]).toEqual(['team', undefined])
    const reader = createCache({ store, logger: false })
    expect([await reader.lookup({ prompt: 'Why?' }), await reader.lookup({ prompt: 'How?' })]).toMatchObject([undefined, { answer: 'So.' }])
    expect(provider.requests).toHaveLength(1)
    // What is there already is not asked for again, in whatever instance.
    const next = await start('dist/lambda.eventBridgeHandler')
    expect(await resultOf(next, busEvent(ask('Streamed or not?')))).toBeNull()
    expect(provider.requests).toHaveLength(1)
  })

  it('undoes nothing by an event that comes again late', async () => {
    const { store, start } = await surroundings()
    const instance = await start('dist/lambda.eventBridgeHandler')
    const set = busEvent({ op: 'set', key: 'plan', value: 'team' })
    for (const event of [set, busEvent({ op: 'delete', key: 'plan' }), set]) expect(await resultOf(instance, event)).toBeNull()
    expect(await valueIn(store, 'plan')).toBeUndefined()
  })

  it('has no time for a provider that does not answer, and says so before its time is over', async () => {
    const { start } = await surroundings((_request, reply) => reply.hold())
    const instance = await start('dist/lambda.eventBridgeHandler')
    expect(await resultOf(instance, busEvent(ask('Why?')), 2_500)).toEqual({ failed: 'LambdaStepsError' })
    expect(await resultOf(instance, busEvent({ op: 'set', key: 'plan', value: 1 }))).toBeNull()
  })

  it.each([
    ['of a schedule', { ...busEvent({}), 'detail-type': 'Scheduled Event', source: 'aws.events' }],
    ['with a step as a text', busEvent('{"op":"delete","key":"a"}')],
    ['with no detail', busEvent(undefined)],
    ['of SQS', batch([{ op: 'delete', key: 'a' }])],
    ['that is a bare step', { op: 'delete', key: 'a' }],
    ['that is a list', [busEvent({ op: 'delete', key: 'a' })]],
    ['that is nothing', null],
  ])('refuses an event %s', async (_name, event) => {
    const { start } = await surroundings()
    expect(await resultOf(await start('dist/lambda.eventBridgeHandler'), Object(event))).toEqual({ failed: 'LambdaEventError' })
  })

  it('fails when it could not, so that the event comes again', async () => {
    const { start, stopStore } = await surroundings()
    const instance = await start('dist/lambda.eventBridgeHandler')
    expect(await resultOf(instance, busEvent({ op: 'none' }))).toEqual({ failed: 'LambdaEventError' })
    expect(await resultOf(instance, { detail: {} })).toEqual({ failed: 'LambdaEventError' })
    await stopStore()
    expect(await resultOf(instance, busEvent({ op: 'set', key: 'a', value: 1 }))).toEqual({ failed: 'LambdaStepsError' })
  })
})

describe('warmHandler', () => {
  it('fills the cache from a file in its folder, for other instances', async () => {
    const { provider, store, start } = await surroundings()
    const instance = await start('dist/lambda.warmHandler')
    expect(await resultOf(instance, { file: 'test/lambda/warm.json' })).toEqual({ done: 2, failed: [], left: [], stored: true })
    instance.stop()
    expect(await valueIn(store, 'plans')).toEqual(['free', 'team'])
    const next = await start('dist/lambda.warmHandler')
    expect(await resultOf(next, { file: 'test/lambda/warm.json' })).toMatchObject({ done: 2 })
    expect(provider.requests).toHaveLength(1)
  })

  it('says what is not kept while the store is down, and keeps it in memory', async () => {
    const { start, stopStore } = await surroundings()
    const instance = await start('dist/lambda.warmHandler')
    await stopStore()
    const list = { operations: [{ op: 'set', key: 'a', value: 1 }, ask('Why?'), { op: 'delete', key: 'b' }] }
    expect(await resultOf(instance, list)).toEqual({ done: 2, failed: [2], left: [], stored: false })
  })

  it('says what failed, and what it had no time for', async () => {
    const { provider, start } = await surroundings((request, reply) =>
      JSON.stringify(request.body).includes('refuse') ? reply.json({ error: { message: 'no' } }, { status: 400 }) : reply.hold(),
    )
    const instance = await start('dist/lambda.warmHandler')
    const list = { operations: [ask('refuse'), ...['1', '2', '3', '4', '5', '6'].map(ask)] }
    const result = await resultOf(instance, list, 2_500)
    expect(result).toEqual({ done: 0, failed: [0], left: [1, 2, 3, 4, 5, 6], stored: true })
    // Four at a time.
    expect(provider.requests.length).toBeLessThanOrEqual(5)
  })

  it('reads no file outside of its folder, and none that is no list', async () => {
    const { start } = await surroundings()
    const instance = await start('dist/lambda.warmHandler')
    for (const file of ['../package.json', '/etc/passwd', 'none.json', 'package.json']) {
      expect(await resultOf(instance, { file })).toEqual({ failed: 'LambdaEventError' })
    }
  })
})
