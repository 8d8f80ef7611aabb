/**
 * What calls cost in a table, as docs/deploy.md says: the requests that the client sends.
 */
import { expect, it, onTestFinished } from 'vitest'
import { createCache } from '../../../src/cache/cache.ts'
import { createTable } from '../../../src/stores/dynamodb/table.ts'
import { dynamodbStore } from '../../../src/stores/dynamodb/store.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { callerOf } from '../../support/chat.ts'
import { startDynalite } from '../../support/dynamodb-server.ts'

it('a hit in memory costs nothing, one in the table a read, and the first call of a second a read of its labels', async () => {
  const server = await startDynalite()
  onTestFinished(() => server.close())
  const client = server.client()
  await createTable(client, { tableName: 'answers' })
  const sent: string[] = []
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (given) => {
        const { RequestItems: items = {} }: { RequestItems?: Record<string, { Keys?: unknown[] }> } = Object(given.input)
        const [keys] = Object.values(items).map(({ Keys: all }) => all?.length)
        sent.push(`${commandName?.replace('Command', '')}${keys === undefined ? '' : ` ${keys}`}`)
        return next(given)
      },
    { step: 'initialize' },
  )
  const clock = new ManualClock()
  const open = () => {
    const cache = createCache({ store: dynamodbStore(client, { tableName: 'answers' }), clock, logger: false })
    return { cache, caller: callerOf(cache) }
  }
  const one = open()
  /** What a call sends, once all is written. */
  const cost = async ({ cache, caller }: typeof one, question: string): Promise<string[]> => {
    sent.length = 0
    await caller.ask(question)
    await cache.flush()
    return sent.toSorted()
  }
  const miss = await cost(one, 'first')
  const labels = miss.filter((each) => each === 'PutItem').length
  expect(labels).toBe(6)
  expect(miss).toEqual(
    [...Array.from({ length: labels }, () => 'PutItem'), 'BatchGetItem 1', `BatchGetItem ${labels}`, 'BatchWriteItem'].toSorted(),
  )
  expect(await cost(one, 'first')).toEqual([])
  expect(await cost(one, 'second')).toEqual(['BatchWriteItem', 'GetItem', 'PutItem'])
  const other = open()
  expect(await cost(other, 'first')).toEqual([`BatchGetItem 1`, `BatchGetItem ${labels}`])
  expect(await cost(other, 'second')).toEqual(['GetItem'])
  clock.advance(1_001)
  expect(await cost(other, 'first')).toEqual([`BatchGetItem ${labels - 1}`])
  expect(await cost(other, 'first')).toEqual([])
  sent.length = 0
  await other.cache.invalidate({ operation: 'chat' })
  expect(sent).toEqual(['PutItem'])
})
