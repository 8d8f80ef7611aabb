import { createServer } from 'node:http'
import { once } from 'node:events'
import { CreateTableCommand } from '@aws-sdk/client-dynamodb'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { clockFinding } from '../../src/base/finding.ts'
import { main } from '../../src/cli/main.ts'
import { createTable } from '../../src/stores/dynamodb/store.ts'
import { type DynamodbServer, startDynalite } from '../support/dynamodb-server.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'

/** What the doctor says of a store. */
async function examine(store: string) {
  const output: string[] = []
  const code = await main(['doctor', '--store', store, '--json'], {
    env: {},
    out: (text) => void output.push(text),
    error: (text) => void output.push(text),
  })
  const { findings } = JSON.parse(output.join('\n'))
  return { code, found: Object.fromEntries(Array.from(findings, (each) => [Reflect.get(Object(each), 'check'), each])) }
}

afterEach(() => {
  vi.unstubAllEnvs()
  vi.useRealTimers()
})

const at = (endpoint: string): string => `dynamodb://answers?region=eu-west-1&endpoint=${encodeURIComponent(endpoint)}`
const key = (name: string) => ({ AttributeName: name, AttributeType: 'S' }) as const
describe('llmemo doctor over Redis', () => {
  let server: RedisServer
  let client: Redis

  beforeEach(async () => {
    server = await startRedis({ maxmemory: '100mb', 'maxmemory-policy': 'volatile-ttl' })
    client = new Redis(server.port, server.host)
  })
  afterEach(async () => {
    client.disconnect()
    await server.stop()
  })

  it('finds one that is well, and leaves nothing in it', async () => {
    const { code, found } = await examine(`redis://${server.host}:${server.port}`)
    expect(code).toBe(0)
    expect(found).toMatchObject({
      connection: { state: 'good' },
      commands: { state: 'good' },
      maxmemory: { state: 'good', found: 'a full Redis makes room (volatile-ttl)' },
      clock: { state: 'good' },
      'round trip': { state: 'good' },
      encryption: { state: 'unknown', found: 'nothing is stored in this namespace yet' },
    })
    // What a cache notes of its labels stays.
    expect((await client.keys('*')).filter((name) => !name.startsWith('llmemo/:mark:'))).toEqual([])
  })

  it('finds a policy of eviction that refuses writes, and says what to set', async () => {
    await client.config('SET', 'maxmemory-policy', 'noeviction')
    const { code, found } = await examine(`redis://${server.host}:${server.port}`)
    expect(code).toBe(1)
    expect(found['maxmemory']).toMatchObject({ state: 'bad', mend: expect.stringContaining('CONFIG SET maxmemory-policy volatile-ttl') })
  })

  it('finds permissions that are missing, and names them', async () => {
    await client.call('ACL', 'SETUSER', 'app', 'on', '>pass', '~llmemo/*', 'resetchannels', '+@all', '-unlink', '-info', '-time')
    const { code, found } = await examine(`redis://app:pass@${server.host}:${server.port}`)
    expect(code).toBe(1)
    expect(found).toMatchObject({
      commands: {
        state: 'bad',
        found: 'not allowed: PUBLISH, UNLINK, SUBSCRIBE',
        mend: expect.stringContaining('+publish +unlink +subscribe'),
      },
      maxmemory: { state: 'unknown' },
      clock: { state: 'unknown' },
    })
  })

  it('finds a password that is wrong', async () => {
    await client.call('ACL', 'SETUSER', 'default', 'resetpass', '>right')
    const { code, found } = await examine(`redis://:wrong-secret@${server.host}:${server.port}`)
    expect(code).toBe(1)
    expect(found).toEqual({ connection: expect.objectContaining({ state: 'bad', mend: expect.stringContaining('password') }) })
    expect(JSON.stringify(found)).not.toContain('wrong-secret')
  })
})

describe('llmemo doctor over DynamoDB', () => {
  let server: DynamodbServer

  beforeEach(async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIATEST')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret-test')
    server = await startDynalite()
  })
  afterEach(() => server.close())

  it('finds one that is well, but for a TTL that is off', async () => {
    const client = server.client()
    await createTable(client, { tableName: 'answers' })
    const { found } = await examine(at(server.endpoint))
    expect(found).toMatchObject({
      connection: { state: 'good' },
      key: { state: 'good' },
      permissions: { state: 'good' },
      clock: { state: 'good' },
      'round trip': { state: 'good' },
    })
    expect(found['TTL']).toMatchObject({ check: 'TTL' })
  })

  it('finds that there is no table, and how to make one', async () => {
    const { code, found } = await examine(at(server.endpoint))
    expect(code).toBe(1)
    expect(found).toEqual({ connection: expect.objectContaining({ state: 'bad', found: expect.stringContaining('createTable(') }) })
  })

  it('finds a key that cannot be used', async () => {
    await server.client().send(
      new CreateTableCommand({
        TableName: 'answers',
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [key('pk'), key('sk')],
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
      }),
    )
    expect((await examine(at(server.endpoint))).found).toMatchObject({
      key: { state: 'bad', mend: expect.stringContaining('createTable') },
    })
  })

  it.each([
    ['off', { TimeToLiveStatus: 'DISABLED' }, 'bad'],
    ['on another attribute', { TimeToLiveStatus: 'ENABLED', AttributeName: 'ttl' }, 'bad'],
    ['on', { TimeToLiveStatus: 'ENABLED', AttributeName: 'expires' }, 'good'],
  ])('finds permissions that are missing, a clock that is off, and a TTL that is %s', async (_, description, state) => {
    const server2 = createServer((request, response) => {
      const action = String(request.headers['x-amz-target']).split('.')[1]
      const refused = ['UpdateItem', 'Scan'].includes(action ?? '')
      const replies: Readonly<Record<string, object>> = {
        DescribeTable: {
          Table: {
            KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
            AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
          },
        },
        DescribeTimeToLive: { TimeToLiveDescription: description },
      }
      request.resume().on('end', () => {
        response.writeHead(refused ? 400 : 200, {
          'content-type': 'application/x-amz-json-1.0',
          date: new Date(Date.now() - 60_000).toUTCString(),
        })
        response.end(
          JSON.stringify(refused ? { __type: 'com.amazon.coral#AccessDeniedException', message: 'secret' } : (replies[action ?? ''] ?? {})),
        )
      })
    })
    await once(server2.listen(0, '127.0.0.1'), 'listening')
    const address = server2.address()
    const { code, found } = await examine(at(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`))
    server2.closeAllConnections()
    server2.close()
    expect(code).toBe(1)
    expect(found).toMatchObject({
      TTL: { state },
      permissions: { state: 'bad', found: 'not allowed: UpdateItem, Scan' },
      clock: { state: 'bad', found: expect.stringMatching(/^(59|60|61) seconds ahead of/) },
    })
    expect(JSON.stringify(found)).not.toContain('secret')
  })
})

describe('a clock', () => {
  it.each([
    [100_000, [100_000, 100_010], 1, 'good'],
    [96_000, [100_000, 100_010], 1, 'good'],
    [94_500, [100_000, 100_010], 1_000, 'good'],
    [90_000, [100_000, 100_010], 1, 'bad'],
    [110_000, [100_000, 100_010], 1, 'bad'],
    [100_000, [95_100, 109_000], 1, 'good'],
  ] as const)('at %d, asked between %j to %d ms, is %s', (there, here, precision, state) => {
    expect(clockFinding(there, here, precision).state).toBe(state)
  })

  it('that is off is told by how much, and which way', () => {
    expect(clockFinding(90_000, [100_000, 100_010]).found).toBe('10 seconds ahead of that of the store')
    expect(clockFinding(110_000, [100_000, 100_000]).found).toBe('10 seconds behind that of the store')
  })
})
