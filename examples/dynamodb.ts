/**
 * Several machines, or functions of AWS Lambda, that share their answers through a DynamoDB table.
 * The example uses the table of `DYNAMODB_TABLE`, with the region and credentials of the environment, and creates it if it is missing.
 * Without that variable, a stand-in for DynamoDB runs in this process.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import dynalite from 'dynalite'
import OpenAI from 'openai'
import { createCache, withCache } from 'llmemo'
import { createTable, dynamodbStore } from 'llmemo/dynamodb'
import { openProvider } from './provider.ts'
import { line, strong } from './report.ts'

/** DynamoDB, or its stand-in. */
async function openDynamodb() {
  const named = process.env['DYNAMODB_TABLE'] ?? ''
  if (named !== '') return { tableName: named, config: {}, description: `Keeps the answers in the table ${named}.`, close: () => {} }
  const server = dynalite({ createTableMs: 0 })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const config: DynamoDBClientConfig = {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'none', secretAccessKey: 'needed' },
  }
  const description = 'Keeps the answers in a stand-in for DynamoDB. Set DYNAMODB_TABLE to keep them in a real table.'
  return { tableName: 'llmemo-answers', config, description, close: () => server.close() }
}

const provider = await openProvider()
const dynamodb = await openDynamodb()
const { tableName } = dynamodb
console.log(`${strong(provider.description)}\n${dynamodb.description}`)

const bare = new DynamoDBClient({ maxAttempts: 2, ...dynamodb.config })
const client = DynamoDBDocumentClient.from(bare)
await createTable(bare, { tableName })

/** What each machine has: a cache over the table, and a wrapped client of the SDK. */
function startMachine() {
  // The first request to a new table takes a while.
  const cache = createCache({
    store: dynamodbStore(client, { tableName }),
    readDeadline: '500ms',
    namespace: 'dynamodb-example',
    invalidationDelay: '50ms',
  })
  const openai = withCache(new OpenAI(provider.options), cache)
  const ask = async (question: string): Promise<void> => {
    const messages = [{ role: 'user' as const, content: question }]
    const answer = await openai.chat.completions.create({ model: 'gpt-5-mini', messages }, { cache: { tags: ['tables'] } })
    console.log(`  ${line(answer._cache)}`)
    // On AWS Lambda, call it before the handler returns: Lambda freezes the writes in the background.
    await cache.flush()
  }
  return { ask, cache }
}

const question = 'What is a table?\n\nA table is what DynamoDB keeps items in. An item has a key and some attributes.'
const one = startMachine()
const another = startMachine()
// The table may hold answers of an earlier run.
await one.cache.invalidate({ tags: ['tables'] })

console.log(`\n${strong('One machine asks: the provider answers. Again: its own memory does.')}`)
await one.ask(question)
await one.ask(question)

console.log(`\n${strong('Another machine asks the same: DynamoDB answers, and then its own memory.')}`)
await another.ask(question)
await another.ask(question)

console.log(`\n${strong('An item holds up to 400 KB. The store splits a larger value over several items.')}`)
// Random bytes: a text that compresses well would fit in one item.
const large = randomBytes(1_000_000).toString('base64')
await one.cache.set('large', large)
await one.cache.flush()
console.log(`  ${(await another.cache.get('large')) === large ? 'the same' : 'another'} ${large.length} characters`)

console.log(`\n${strong('One machine invalidates the answers: the other knows of it after invalidationDelay.')}`)
await one.cache.invalidate({ tags: ['tables'] })
await new Promise((resolve) => setTimeout(resolve, 60))
await another.ask(question)

console.log(`\nThe provider was asked ${provider.calls()} times.`)
await one.cache.close()
await another.cache.close()
// The cache does not close the clients: the program does.
bare.destroy()
dynamodb.close()
await provider.close()
