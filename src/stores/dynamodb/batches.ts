/**
 * Reads and writes of many items: in requests of the size that DynamoDB takes, with further tries for what it left unprocessed.
 * @module
 */
import { BatchGetCommand, BatchWriteCommand } from '@aws-sdk/lib-dynamodb'
import type { Item } from './items.ts'
import type { TableAccess } from './table-access.ts'

/** A change of one item: write it whole, or remove the item under a key. */
export type Change = { readonly put: Item } | { readonly remove: string }

/** What a read found. */
export interface Batch {
  readonly items: readonly Item[]
  /** How many keys DynamoDB left unread after the last try. */
  readonly unread: number
}

/** How a batch is read. */
export interface BatchReadOptions {
  /** Whether the read sees every write that was done before it. */
  readonly consistent: boolean
  readonly signal?: AbortSignal | undefined
}

/** How often and how fast a batch is tried again. */
interface RetryPolicy {
  /** Tries without any progress, after which the rest is given up. */
  readonly maxIdleTries: number
  /** Milliseconds before the second try; doubled before each further one. */
  readonly firstDelayMs: number
}

/**
 * The largest number of items in one request:
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
 */
const maxReadsPerRequest = 100
const maxWritesPerRequest = 25
/**
 * Requests at a time. More would take all connections of the client, and requests that wait for one would run into their deadline.
 */
const maxConcurrentRequests = 4
/** A caller waits for a read, so a read gives up early. A write runs in the background and has time. */
const readRetries: RetryPolicy = { maxIdleTries: 2, firstDelayMs: 10 }
const writeRetries: RetryPolicy = { maxIdleTries: 5, firstDelayMs: 50 }

/** Reads and writes many items of a table. */
export class Batches {
  readonly #access: TableAccess

  constructor(access: TableAccess) {
    this.#access = access
  }

  /**
   * The items under `keys` that exist, in any order. The keys must differ from one another.
   * @throws whatever the SDK throws
   */
  async read(keys: readonly string[], options: BatchReadOptions): Promise<Batch> {
    const items: Item[] = []
    const unread = await inGroups(chunks(keys, maxReadsPerRequest), async (chunk) => {
      const attempt = async (some: readonly string[]): Promise<readonly string[]> => {
        const { found, left } = await this.#get(some, options)
        items.push(...found)
        return left
      }
      const left = await this.#untilDone(chunk, attempt, { ...readRetries, signal: options.signal })
      return left.length
    })
    return { items, unread: sum(unread) }
  }

  /**
   * Makes the changes. Each must be of another key.
   * @returns how many changes DynamoDB did not make
   * @throws whatever the SDK throws, after all other changes were tried
   */
  async write(changes: readonly Change[]): Promise<number> {
    const faults: unknown[] = []
    const left = await inGroups(chunks(changes, maxWritesPerRequest), async (chunk) => {
      try {
        return (await this.#untilDone(chunk, (some) => this.#write(some), writeRetries)).length
      } catch (error) {
        faults.push(error)
        return 0
      }
    })
    if (faults.length > 0) throw faults[0]
    return sum(left)
  }

  /** Repeats `attempt` with what it left over. @returns what is left after the last try */
  async #untilDone<Part>(
    all: readonly Part[],
    attempt: (some: readonly Part[]) => Promise<readonly Part[]>,
    { maxIdleTries, firstDelayMs, signal }: RetryPolicy & { readonly signal?: AbortSignal | undefined },
  ): Promise<readonly Part[]> {
    let left = all
    for (let idle = 0; left.length > 0 && idle < maxIdleTries;) {
      if (idle > 0) await this.#access.requests.backOff(firstDelayMs * 2 ** (idle - 1), signal)
      const before = left.length
      left = await attempt(left)
      // An answer holds at most 16 MB. When that limit left the rest over, there is no reason to wait.
      idle = left.length < before ? 0 : idle + 1
    }
    return left
  }

  async #get(keys: readonly string[], { consistent, signal }: BatchReadOptions): Promise<{ found: readonly Item[]; left: string[] }> {
    const { client, requests, tableName, format } = this.#access
    const keyName = format.names.key
    const command = new BatchGetCommand({
      RequestItems: { [tableName]: { Keys: keys.map((key) => ({ [keyName]: key })), ConsistentRead: consistent } },
    })
    const answer = await requests.send(command, (options) => client.send(command, options), signal)
    const left = new Set(
      Object.values(answer.UnprocessedKeys ?? {})
        .flatMap(({ Keys }) => Keys ?? [])
        .map((key): unknown => key[keyName]),
    )
    return { found: Object.values(answer.Responses ?? {}).flat(), left: keys.filter((key) => left.has(key)) }
  }

  async #write(changes: readonly Change[]): Promise<Change[]> {
    const { client, requests, tableName, format } = this.#access
    const keyName = format.names.key
    const writes = changes.map((change) =>
      'put' in change ? { PutRequest: { Item: change.put } } : { DeleteRequest: { Key: { [keyName]: change.remove } } },
    )
    const command = new BatchWriteCommand({ RequestItems: { [tableName]: writes } })
    const answer = await requests.send(command, (options) => client.send(command, options))
    const left = new Set(
      Object.values(answer.UnprocessedItems ?? {})
        .flat()
        .map(({ PutRequest, DeleteRequest }): unknown => (PutRequest?.Item ?? DeleteRequest?.Key)?.[keyName]),
    )
    return changes.filter((change) => left.has('put' in change ? change.put[keyName] : change.remove))
  }
}

function chunks<Part>(all: readonly Part[], size: number): (readonly Part[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) => all.slice(index * size, (index + 1) * size))
}

/** Runs `work` for all, a group of concurrent requests at a time. */
async function inGroups<Given, Result>(all: readonly Given[], work: (given: Given) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  for (const group of chunks(all, maxConcurrentRequests)) results.push(...(await Promise.all(group.map(work))))
  return results
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}
