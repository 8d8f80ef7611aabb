/**
 * A Lambda function behind API Gateway (payload format 2.0) with two endpoints, `POST /chat` and `POST /plan`. It answers repeated requests
 * from the cache, and others with Bedrock. Run directly, it handles some sample events and prints its answers.
 * Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 * @module
 */
import { fileURLToPath } from 'node:url'
import { ConverseCommand } from '@aws-sdk/client-bedrock-runtime'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { createCache, memoryStore, withCache } from 'llmemo'
import { dynamodbStore } from 'llmemo/dynamodb'
import { openBedrock } from './bedrock-provider.ts'

/** The part of an event that the handler reads. */
interface HttpEvent {
  readonly rawPath: string
  readonly body?: string
  readonly isBase64Encoded: boolean
  readonly requestContext: {
    readonly http: { readonly method: string }
    /** The result of an authorizer. A tenant must come from it, never from the request itself. */
    readonly authorizer?: { readonly lambda?: { readonly tenant?: string } }
  }
}

interface HttpResult {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A question for the model, and what else the answer depends on. */
interface Task {
  readonly operation: 'chat' | 'plan'
  readonly system: string
  readonly text: string
  readonly context?: unknown
}

/** An invalid request. Its message is written for the caller. */
class RequestError extends Error {
  readonly statusCode: number

  constructor(statusCode: number, message: string) {
    super(message)
    this.name = 'RequestError'
    this.statusCode = statusCode
  }
}

// Outside the handler, so that all invocations of one instance share it.
const provider = await openBedrock()
const table = process.env['DYNAMODB_TABLE']
const cache = createCache({
  // All instances share a table. Memory belongs to one instance.
  store: table === undefined ? memoryStore() : dynamodbStore(documents(), { tableName: table }),
  ttl: { default: '30m', plan: '24h' },
  namespace: 'assistant',
})
const bedrock = withCache(provider.client, cache)
const modelId = process.env['LLMEMO_BEDROCK_MODEL'] ?? 'us.anthropic.claude-haiku-4-5-20251001-v1:0'

const endpoints: ReadonlyMap<string, (body: unknown) => Task> = new Map([
  ['POST /chat', chat],
  ['POST /plan', plan],
])

/** Handles one event. */
export async function handler(event: HttpEvent): Promise<HttpResult> {
  try {
    const task = endpoints.get(`${event.requestContext.http.method} ${event.rawPath}`)?.(bodyOf(event))
    if (task === undefined) throw new RequestError(404, 'There are POST /chat and POST /plan.')
    const { operation, context } = task
    const answer = await bedrock.send(
      new ConverseCommand({
        modelId,
        system: [{ text: task.system }],
        messages: [{ role: 'user', content: [{ text: task.text }] }],
        inferenceConfig: { maxTokens: 1_024 },
      }),
      // All calls use the function's own role, so only the scope keeps the tenants apart.
      { cache: { operation, context, scope: event.requestContext.authorizer?.lambda?.tenant ?? 'public' } },
    )
    const { hit, source, age } = answer._cache
    const data = { text: answer.output?.message?.content?.[0]?.text ?? '' }
    return json(200, { success: true, data, cached: hit, cacheSource: source, cacheAge: age })
  } catch (error) {
    if (error instanceof RequestError) return json(error.statusCode, { success: false, error: error.message })
    // The details go to the log only: the caller must not see them.
    console.error(error)
    return json(502, { success: false, error: 'The model did not answer.' })
  } finally {
    // Lambda freezes the process when the handler returns. A write that is not finished by then may be lost.
    await cache.flush()
  }
}

function chat(body: unknown): Task {
  return { operation: 'chat', system: 'You answer in one or two sentences.', text: textIn(body, 'message') }
}

function plan(body: unknown): Task {
  const team = optionalText(body, 'team')
  const system = 'You make short plans. Keep what was agreed: first the tests, then the code. Ship in small steps.'
  return { operation: 'plan', system, text: `Make a plan: ${textIn(body, 'goal')}`, context: { team } }
}

function bodyOf({ body = '', isBase64Encoded }: HttpEvent): unknown {
  try {
    return JSON.parse(isBase64Encoded ? Buffer.from(body, 'base64').toString() : body)
  } catch (error) {
    throw Object.assign(new RequestError(400, 'The body must be JSON.'), { cause: error })
  }
}

function textIn(body: unknown, name: string): string {
  const text = optionalText(body, name)
  if (text === undefined || text.trim() === '') throw new RequestError(400, `${name} must be a text.`)
  return text
}

function optionalText(body: unknown, name: string): string | undefined {
  const value: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined
  return typeof value === 'string' ? value : undefined
}

function json(statusCode: number, body: object): HttpResult {
  return { statusCode, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

// Only if it is run directly, not by Lambda.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(provider.description)
  const question = { message: 'Which comes first?\n\nThe tests come first, and then comes the code. Both are reviewed.' }
  await sample('/chat', question, 'acme')
  await sample('/chat', question, 'acme')
  await sample('/chat', question, 'globex')
  await sample('/plan', { goal: 'ship the first version', team: 'core' }, 'acme')
  await sample('/plan', { goal: 'ship the first version', team: 'core' }, 'acme')
  await sample('/plan', { goal: 'ship the first version', team: 'docs' }, 'acme')
  await sample('/chat', { message: '' }, 'acme')
  await sample('/none', {}, 'acme')
  console.log(`\nBedrock was asked ${provider.calls()} times.`)
  await cache.close()
  await provider.close()
}

async function sample(rawPath: string, body: object, tenant: string): Promise<void> {
  const requestContext = { http: { method: 'POST' }, authorizer: { lambda: { tenant } } }
  const result = await handler({ rawPath, body: JSON.stringify(body), isBase64Encoded: false, requestContext })
  console.log(`\nPOST ${rawPath} for ${tenant}: ${result.statusCode}\n${result.body}`)
}

function documents(): DynamoDBDocumentClient {
  // One retry, no more: the caller waits for this store.
  return DynamoDBDocumentClient.from(new DynamoDBClient({ maxAttempts: 2 }))
}
