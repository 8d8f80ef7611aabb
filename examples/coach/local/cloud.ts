/**
 * A small cloud on this machine: the coach's functions under Lambda's own runtime client, over a DynamoDB of dynalite, with a stand-in in
 * place of Bedrock.
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateTableCommand, DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb'
import { build } from 'esbuild'
import { createTable } from 'llmemo/dynamodb'
import { startDynalite } from '../../../test/support/dynamodb-server.ts'
import installRuntimeClient from '../../../gateway/test/support/lambda/install-runtime-client.ts'
import { type LambdaFunction, startInstance } from '../../../gateway/test/support/lambda/instance.ts'
import { startStandIn } from '../../stand-in/server.ts'

/** Who asks, as an authorizer would say. */
export interface User {
  readonly user: string
  readonly role?: string
}

/** What came back. */
export interface Reply {
  readonly status: number
  readonly body: string
}

/** A function that takes requests. */
export interface Coach {
  /** @param what `POST /api/ai/chat` */
  ask(what: string, who: User | undefined, body?: unknown): Promise<Reply>
  readonly instance: LambdaFunction
}

/** A cloud that runs. */
export interface Cloud {
  /** A new, cold instance of a function. */
  start(handler: 'handler' | 'streamHandler', env?: Readonly<Record<string, string>>): Promise<Coach>
  /** How often the model was asked. */
  calls(): number
  /** Seconds that the answers in the table have left. */
  lifetimes(): Promise<number[]>
  /** Ends the tables, as in an outage. */
  stopTables(): Promise<void>
  close(): Promise<void>
}

/** Builds the functions, and starts what is around them. */
export async function startCloud(): Promise<Cloud> {
  installRuntimeClient()
  const folder = mkdtempSync(join(tmpdir(), 'coach-'))
  const code = new URL('../function/handler.ts', import.meta.url).pathname
  const banner = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)"
  await build({
    entryPoints: [code],
    outfile: join(folder, 'handler.mjs'),
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    banner: { js: banner },
    logLevel: 'error',
  })
  const [standIn, dynamodb] = await Promise.all([startStandIn(), startDynalite()])
  const credentials = { accessKeyId: 'no-key-needed', secretAccessKey: 'no-key-needed' }
  const client = new DynamoDBClient({ region: 'eu-west-1', endpoint: dynamodb.endpoint, credentials })
  await createTable(client, { tableName: 'answers' })
  await client.send(
    new CreateTableCommand({
      TableName: 'profiles',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'user', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'user', KeyType: 'HASH' }],
    }),
  )
  const common = {
    AWS_REGION: 'eu-west-1',
    AWS_ENDPOINT_URL_DYNAMODB: dynamodb.endpoint,
    AWS_ENDPOINT_URL_BEDROCK_RUNTIME: `http://127.0.0.1:${standIn.port}`,
    CACHE_TABLE: 'answers',
    PROFILES_TABLE: 'profiles',
    CACHE_TTL_CHAT: '1h',
    CACHE_TTL_PLAN: '24h',
  }
  const instances: LambdaFunction[] = []
  let isUp = true
  const stopTables = async (): Promise<void> => {
    if (isUp) await dynamodb.close()
    isUp = false
  }
  return {
    calls: () => standIn.calls(),
    async lifetimes() {
      const { Items: items = [] } = await client.send(new ScanCommand({ TableName: 'answers' }))
      const answers = items.filter(({ pk }) => pk?.S?.includes(':v1:'))
      return answers.map(({ expires }) => Number(expires?.N) - Date.now() / 1_000)
    },
    stopTables,
    async start(handler, env = {}) {
      const instance = await startInstance({ folder, handler: `handler.${handler}`, env: { ...common, ...env } })
      instances.push(instance)
      return { instance, ask: (what, who, body) => ask(instance, { what, who, body }) }
    },
    async close() {
      for (const instance of instances) instance.stop()
      client.destroy()
      await Promise.all([standIn.close(), stopTables()])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

interface Asking {
  readonly what: string
  readonly who: User | undefined
  readonly body: unknown
}

async function ask(instance: LambdaFunction, { what, who, body }: Asking): Promise<Reply> {
  const [method = '', path = ''] = what.split(' ')
  const { failed, bytes } = await instance.invoke({
    version: '2.0',
    rawPath: path,
    rawQueryString: '',
    headers: {},
    requestContext: { stage: '$default', http: { method, path }, ...(who && { authorizer: { lambda: who } }) },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    isBase64Encoded: false,
  })
  if (failed) throw new Error(`the function failed: ${bytes.toString()}\n${instance.printed()}`)
  // A streamed result: its head, eight zero bytes, and the body.
  const end = bytes.indexOf(Buffer.alloc(8))
  const head = JSON.parse(bytes.subarray(0, end === -1 ? bytes.length : end).toString())
  return { status: head.statusCode, body: end === -1 ? head.body : bytes.subarray(end + 8).toString() }
}
