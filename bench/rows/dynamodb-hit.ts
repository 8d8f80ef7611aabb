/**
 * A hit in DynamoDB, with nothing in memory, beside the document client's own. DynamoDB is dynalite in this process: what is compared is
 * what is done about a request, not what a region is away.
 * @module
 */
import { once } from 'node:events'
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb'
import dynalite from 'dynalite'
import { createTable, dynamodbStore } from '../../dist/dynamodb.mjs'
import { createCache } from '../../dist/index.mjs'
import { sweep, sweepFigures, sweepTable } from '../harness/by-size.ts'
import { pack, unpack } from '../harness/packed.ts'
import { asked, chatAnswer, question } from '../harness/payload.ts'
import type { Row } from '../harness/report.ts'

const bare = 'document client: get, inflate, JSON.parse'
const tableName = 'answers'

/** DynamoDB hit. */
export const dynamodbHit: Row = {
  name: 'dynamodb-hit',
  title: 'Hit in DynamoDB (dynalite)',
  async run(run) {
    const server = dynalite({ createTableMs: 0 })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const credentials = { accessKeyId: 'none', secretAccessKey: 'needed' }
    const client = new DynamoDBClient({ endpoint: `http://127.0.0.1:${port}`, region: 'eu-central-1', credentials })
    const documents = DynamoDBDocumentClient.from(client)
    await createTable(client, { tableName })
    const timings = await sweep(run, async (size) => {
      const cache = createCache({ store: dynamodbStore(documents, { tableName }), maxMemoryBytes: 0, readDeadline: '10s' })
      const one = question(size)
      const answer = chatAnswer(size)
      const request = () => ({ endpoint: 'chat.completions', body: asked(one) })
      await cache.store(request(), answer)
      await cache.flush()
      if ((await cache.lookup(request()))?.info.source !== 'dynamodb') throw new Error('DynamoDB did not answer')
      const bareKey = await keyName(client)
      await documents.send(new PutCommand({ TableName: tableName, Item: { [bareKey]: 'bare', body: pack(JSON.stringify(answer)) } }))
      return {
        contenders: [
          {
            name: bare,
            async run() {
              const { Item } = await documents.send(new GetCommand({ TableName: tableName, Key: { [bareKey]: 'bare' } }))
              const body: unknown = Item?.['body']
              if (!(body instanceof Uint8Array)) throw new Error('DynamoDB lost it')
              return unpack(body)
            },
          },
          { name: 'llmemo lookup()', run: () => cache.lookup(request()) },
        ],
        close: () => cache.close(),
      }
    })
    client.destroy()
    server.close()
    return {
      tables: [{ caption: 'In the engine.', table: sweepTable(timings, bare) }],
      notes: ["The time is dynalite's for the most part. Once a second a hit also asks, in the same request, what was invalidated."],
      figures: sweepFigures(timings, bare),
    }
  },
}

/** What the partition key of the table is called. */
async function keyName(client: DynamoDBClient): Promise<string> {
  const { Table } = await client.send(new DescribeTableCommand({ TableName: tableName }))
  return Table?.KeySchema?.[0]?.AttributeName ?? ''
}
