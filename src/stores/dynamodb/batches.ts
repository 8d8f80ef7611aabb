/**
 * Many items at once: requests in the sizes that DynamoDB takes, and what it left unprocessed tried again.
 * @module
 */
import { BatchGetCommand, BatchWriteCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import type { Item } from './items.ts'
import type { Requests } from './requests.ts'

/** What to do with one item: write it whole, or remove what is under its key. */
export type Change = { readonly put: Item } | { readonly remove: string }

/** What was read, and what DynamoDB would not read in the number of tries that it was given. */
export interface Batch {
  readonly items: readonly Item[]
  readonly unread: number
}

/**
 * Items of one request, at the most:
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
 */
const mostReads = 100
const mostWrites = 25
/** Requests at a time, so that a long list neither takes all connections of the client nor waits for them on the request's deadline. */
const concurrency = 4
/** Tries that brought nothing, after which the rest is given up. A reader waits for it; a writer is a queue, which has time. */
const idleReads = 2
const idleWrites = 5
/** Milliseconds before the second try; doubled before each further one. */
const firstReadPause = 10
const firstWritePause = 50

/** Reads and writes many items of a table. */
export class Batches {
  readonly #client: DynamoDBDocumentClient
  readonly #requests: Requests
  readonly #tableName: string
  readonly #keyName: string

  constructor(client: DynamoDBDocumentClient, requests: Requests, tableName: string, keyName: string) {
    this.#client = client
    this.#requests = requests
    this.#tableName = tableName
    this.#keyName = keyName
  }

  /**
   * The items that are there of `keys`, in any order. No key may be given twice.
   * @throws whatever the SDK throws
   */
  async read(keys: readonly string[], consistent: boolean, signal?: AbortSignal): Promise<Batch> {
    const items: Item[] = []
    const unread = await inTurns(chunks(keys, mostReads), async (chunk) => {
      const left = await this.#untilDone(chunk, idleReads, firstReadPause, (some) => this.#get(some, consistent, items, signal), signal)
      return left.length
    })
    return { items, unread: sum(unread) }
  }

  /**
   * Makes the changes. No key may be in them twice.
   * @returns how many DynamoDB would not make
   * @throws whatever the SDK throws, when all that could be done was done
   */
  async write(changes: readonly Change[]): Promise<number> {
    const faults: unknown[] = []
    const left = await inTurns(chunks(changes, mostWrites), async (chunk) => {
      try {
        return (await this.#untilDone(chunk, idleWrites, firstWritePause, (some) => this.#write(some))).length
      } catch (error) {
        faults.push(error)
        return 0
      }
    })
    if (faults.length > 0) throw faults[0]
    return sum(left)
  }

  async #untilDone<Part>(
    all: readonly Part[],
    most: number,
    firstPause: number,
    attempt: (some: readonly Part[]) => Promise<readonly Part[]>,
    signal?: AbortSignal,
  ): Promise<readonly Part[]> {
    let left = all
    for (let idle = 0; left.length > 0 && idle < most;) {
      if (idle > 0) await this.#requests.pause(firstPause * 2 ** (idle - 1), signal)
      const before = left.length
      left = await attempt(left)
      // Part of it comes back at once where the rest is beyond the 16 MB of an answer, which is no reason to wait.
      idle = left.length < before ? 0 : idle + 1
    }
    return left
  }

  async #get(keys: readonly string[], consistent: boolean, into: Item[], signal?: AbortSignal): Promise<string[]> {
    const command = new BatchGetCommand({
      RequestItems: { [this.#tableName]: { Keys: keys.map((key) => ({ [this.#keyName]: key })), ConsistentRead: consistent } },
    })
    const answer = await this.#requests.send(command, (options) => this.#client.send(command, options), signal)
    into.push(...Object.values(answer.Responses ?? {}).flat())
    const left = new Set(
      Object.values(answer.UnprocessedKeys ?? {})
        .flatMap(({ Keys }) => Keys ?? [])
        .map((key): unknown => key[this.#keyName]),
    )
    return keys.filter((key) => left.has(key))
  }

  async #write(changes: readonly Change[]): Promise<Change[]> {
    const requests = changes.map((change) =>
      'put' in change ? { PutRequest: { Item: change.put } } : { DeleteRequest: { Key: { [this.#keyName]: change.remove } } },
    )
    const command = new BatchWriteCommand({ RequestItems: { [this.#tableName]: requests } })
    const answer = await this.#requests.send(command, (options) => this.#client.send(command, options))
    const left = new Set(
      Object.values(answer.UnprocessedItems ?? {})
        .flat()
        .map(({ PutRequest, DeleteRequest }): unknown => (PutRequest?.Item ?? DeleteRequest?.Key)?.[this.#keyName]),
    )
    return changes.filter((change) => left.has('put' in change ? change.put[this.#keyName] : change.remove))
  }
}

function chunks<Part>(all: readonly Part[], size: number): (readonly Part[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) => all.slice(index * size, (index + 1) * size))
}

async function inTurns<Given, Result>(all: readonly Given[], work: (given: Given) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  for (const some of chunks(all, concurrency)) results.push(...(await Promise.all(some.map(work))))
  return results
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}
