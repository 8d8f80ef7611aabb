/**
 * A hit in DynamoDB, with nothing in memory, beside the document client's own. DynamoDB is dynalite in another process: what is
 * compared is what is done about a request, not what a region is away.
 * @module
 */
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb'
import OpenAI from 'openai'
import { createTable, dynamodbStore } from '../../dist/dynamodb.mjs'
import { createCache, withCache } from '../../dist/index.mjs'
import { budgetSize, comparedBySize, sweep, sweepFigures, sweepTable } from '../harness/by-size.ts'
import { nextLine, startChild } from '../harness/child.ts'
import { originOf } from '../harness/origin.ts'
import { pack, unpack } from '../harness/packed.ts'
import { asked, chatAnswer, question } from '../harness/payload.ts'
import type { Row } from '../harness/report.ts'

const bare = 'document client: get, inflate, JSON.parse'
const ours = 'llmemo lookup()'
const tableName = 'answers'

/** DynamoDB hit. */
export const dynamodbHit: Row = {
  name: 'dynamodb-hit',
  title: 'Hit in DynamoDB (dynalite)',
  async run(run) {
    const server = startChild('dynamodb-process.ts', null)
    const port = Number(await nextLine(server))
    const credentials = { accessKeyId: 'none', secretAccessKey: 'needed' }
    const client = new DynamoDBClient({ endpoint: `http://127.0.0.1:${port}`, region: 'eu-central-1', credentials })
    const documents = DynamoDBDocumentClient.from(client)
    await createTable(client, { tableName })
    const timings = await sweep(
      run,
      async (size) => {
        const cache = createCache({ store: dynamodbStore(documents, { tableName }), maxMemoryBytes: 0, readDeadline: '10s' })
        const one = question(size)
        const answer = chatAnswer(size)
        const request = () => ({ endpoint: 'chat.completions', body: asked(one) })
        await cache.store(request(), answer)
        await cache.flush()
        if ((await cache.lookup(request()))?.info.source !== 'dynamodb') throw new Error('DynamoDB did not answer')
        const { fetch } = originOf({ whole: JSON.stringify(answer) })
        const wrapped = withCache(new OpenAI({ apiKey: 'sk-bench', fetch }), cache)
        await wrapped.chat.completions.create(asked(one))
        await cache.flush()
        if ((await wrapped.chat.completions.create(asked(one)))._cache.source !== 'dynamodb')
          throw new Error('DynamoDB did not answer the client')
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
            { name: ours, run: () => cache.lookup(request()) },
            { name: 'llmemo, OpenAI client', run: () => wrapped.chat.completions.create(asked(one)) },
          ],
          close: () => cache.close(),
        }
      },
      [budgetSize],
    )
    client.destroy()
    server.kill()
    return {
      tables: [{ caption: 'Nothing in memory.', table: sweepTable(timings, bare) }],
      notes: ["Most of the time is dynalite's, on another core. Once a second a hit also asks, in the same request, what was invalidated."],
      budgets: comparedBySize({
        what: 'hit in DynamoDB, lookup()',
        timings,
        name: ours,
        base: bare,
        baseName: 'the document client',
        limits: { [budgetSize]: 1.3 },
      }),
      figures: sweepFigures(timings, bare),
    }
  },
}

/** What the partition key of the table is called. */
async function keyName(client: DynamoDBClient): Promise<string> {
  const { Table } = await client.send(new DescribeTableCommand({ TableName: tableName }))
  return Table?.KeySchema?.[0]?.AttributeName ?? ''
}
