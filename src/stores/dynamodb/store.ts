/**
 * A store in a DynamoDB table, for many machines.
 * Needs the package `@aws-sdk/lib-dynamodb`, and `@aws-sdk/client-s3` for objects in S3.
 * @module
 */
/* oxlint-disable typescript/consistent-type-imports */
import { DeleteCommand, GetCommand, PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb'
import type { Clock } from '../../clock.ts'
import { systemClock } from '../../clock.ts'
import { InvalidOptionError, StoreError } from '../../errors.ts'
import { assertKnown, wholeNumber, withMethods } from '../../base/option-checks.ts'
import { Requests } from '../aws/requests.ts'
import { LargeValues } from '../objects/large-values.ts'
import type { ObjectStoreOverflow } from '../objects/object-store.ts'
import { checkedOverflows, type ObjectOverflow } from './overflow-options.ts'
import type { ReadOptions, Store, StoreWrite, WriteOptions } from '../../store.ts'
import { Batches } from './batches.ts'
import { attributeNames, type DynamodbAttributes, isPossibleKey, type Item, ItemFormat, type Life, lifeOf } from './items.ts'
import { Leases } from './leases.ts'
import { addSums } from './sums.ts'
import { OverflowStorage } from './overflow.ts'
import { type Report, Reports } from './reports.ts'
import type { TableAccess } from './table-access.ts'

// As in clients/sdk-types.ts: where the SDK is not installed, its types are `any`, and a program that reads these declarations compiles.
/** @ts-ignore */
type DynamoDBDocumentClient = import('@aws-sdk/lib-dynamodb').DynamoDBDocumentClient

export type { DynamodbAttributes } from './items.ts'
export type { SendOptions } from '../aws/requests.ts'
export type { ObjectReadOptions, ObjectStore, ObjectStoreOverflow, ObjectWriteOptions, WrittenObject } from '../objects/object-store.ts'
export type { ObjectClient } from '../objects/s3.ts'
export type { ObjectOverflow } from './overflow-options.ts'
export { createTable, type CreateTableOptions } from './table.ts'

/** Options of {@link dynamodbStore}. */
export interface DynamodbStoreOptions {
  /** The table's name, or its ARN. */
  readonly tableName: string
  /** Names of the attributes of an item, for an existing table. */
  readonly attributes?: Partial<DynamodbAttributes>
  /**
   * Whether every read sees all earlier writes, at twice the price. Without it, for about a second after a write, a read may miss the
   * answer or find an older one. Invalidations are always read consistently. @default false
   */
  readonly consistent?: boolean
  /** Milliseconds for one request, including its second attempt. The cache's own deadline for reads is shorter. @default 2_000 */
  readonly timeout?: number
  /** Keeps values in S3, or in another place for objects, that are too large for an item. @default none: they are split over several items */
  readonly overflow?: ObjectOverflow | ObjectStoreOverflow
  /** Source of time. @default the clock of the machine */
  readonly clock?: Clock
}

const optionNames = ['tableName', 'attributes', 'consistent', 'timeout', 'overflow', 'clock']
const defaultTimeout = 2_000
const allowedTables = 'the name or the ARN of a table'

/**
 * Makes a store in a DynamoDB table.
 *
 * The table has a text as its partition key, `pk`, no sort key, and TTL enabled on the number `expires`. `createTable` makes such a table,
 * and so does this CloudFormation template:
 * ```yaml
 * AnswersTable:
 *   Type: AWS::DynamoDB::Table
 *   Properties:
 *     BillingMode: PAY_PER_REQUEST
 *     AttributeDefinitions: [{ AttributeName: pk, AttributeType: S }]
 *     KeySchema: [{ AttributeName: pk, KeyType: HASH }]
 *     TimeToLiveSpecification: { AttributeName: expires, Enabled: true }
 * ```
 * The client stays the caller's own: the store neither changes nor closes it. Whatever its settings, a request is sent at most twice and
 * ends at its deadline. These settings suit a cache best:
 * ```ts
 * const client = DynamoDBDocumentClient.from(
 *   new DynamoDBClient({ maxAttempts: 2, retryMode: 'standard', requestHandler: { connectionTimeout: 500 } }),
 * )
 * ```
 * A value that does not fit into an item (400 KB) is split over several items, or put into S3 by the option `overflow`. An expired value is
 * never returned, even though DynamoDB may take days to remove it:
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html
 * Listing keys, which patterns need, reads the whole table. That is slow, and its price grows with the size of the table.
 * @param client a `DynamoDBDocumentClient` of `@aws-sdk/lib-dynamodb`
 * @throws {InvalidOptionError} when an option is invalid. Methods throw {@link StoreError} when the table cannot be used.
 */
export function dynamodbStore(client: DynamoDBDocumentClient, options: DynamodbStoreOptions): Store {
  withMethods('client', client, {
    methods: ['send'],
    allowed: 'a DynamoDBDocumentClient: DynamoDBDocumentClient.from(new DynamoDBClient())',
  })
  assertKnown('', options, optionNames)
  const { tableName, consistent = false, timeout = defaultTimeout, clock = systemClock } = options
  if (typeof tableName !== 'string' || tableName === '') throw new InvalidOptionError('tableName', tableName, allowedTables)
  if (typeof consistent !== 'boolean') throw new InvalidOptionError('consistent', consistent, 'true or false')
  wholeNumber('timeout', timeout, { least: 1, most: 60_000, of: 'milliseconds' })
  withMethods('clock', clock, { methods: ['now', 'after'], allowed: 'a clock with the methods now() and after()' })
  const requests = new Requests(clock, timeout)
  const format = new ItemFormat(attributeNames(options.attributes))
  const objects = options.overflow === undefined ? undefined : new LargeValues(checkedOverflows(options.overflow), requests)
  return new DynamodbStore({ client, requests, tableName, format }, { consistent, clock, objects })
}

interface StoreSettings {
  readonly consistent: boolean
  readonly clock: Clock
  readonly objects: LargeValues | undefined
}

class DynamodbStore implements Store {
  readonly name = 'dynamodb'
  readonly #access: TableAccess
  readonly #format: ItemFormat
  readonly #consistent: boolean
  readonly #clock: Clock
  readonly #reports: Reports
  readonly #batches: Batches
  readonly #overflow: OverflowStorage
  readonly #leases: Leases

  constructor(access: TableAccess, { consistent, clock, objects }: StoreSettings) {
    const { format, tableName } = access
    this.#access = access
    this.#format = format
    this.#consistent = consistent
    this.#clock = clock
    this.#reports = new Reports({ tableName, keyName: format.names.key })
    this.#batches = new Batches(access)
    this.#overflow = new OverflowStorage({ batches: this.#batches, objects, format, reports: this.#reports, consistent })
    this.#leases = new Leases(access)
  }

  async get(key: string, { signal, latest }: ReadOptions = {}): Promise<Uint8Array | undefined> {
    if (!isPossibleKey(key)) return undefined
    const { client, requests, tableName } = this.#access
    return this.#reports.attempt('read', async () => {
      const ConsistentRead = this.#consistent || latest?.has(key) === true
      const command = new GetCommand({ TableName: tableName, Key: this.#keyOf(key), ConsistentRead })
      const { Item: item } = await requests.send(command, (options) => client.send(command, options), signal)
      return item === undefined ? undefined : this.#valueOf(key, item, signal)
    })
  }

  async getMany(keys: readonly string[], { signal, latest }: ReadOptions = {}): Promise<(Uint8Array | undefined)[]> {
    const wanted = [...new Set(keys)].filter(isPossibleKey)
    const isStrong = (key: string): boolean => this.#consistent || latest?.has(key) === true
    return this.#reports.attempt('read', async () => {
      // One request can have only one consistency for each table.
      const [strong, eventual] = await Promise.all([
        this.#batches.read(wanted.filter(isStrong), { consistent: true, signal }),
        this.#batches.read(
          wanted.filter((key) => !isStrong(key)),
          { consistent: false, signal },
        ),
      ])
      // An unread answer is only a miss. An unread generation must not pass for a missing one: outdated answers would be served.
      if (strong.unread > 0) throw new StoreError(`DynamoDB left ${strong.unread} of the keys unread, as its table is throttled.`)
      const values = new Map<string, Uint8Array | undefined>()
      const read = async (item: Item): Promise<void> => {
        const key = this.#format.keyIn(item)
        if (key !== undefined) values.set(key, await this.#valueOf(key, item, signal))
      }
      await Promise.all([...strong.items, ...eventual.items].map(read))
      return keys.map((key) => {
        const value = values.get(key)
        // Copied, because a key that is asked for twice gives two arrays, and a caller may change either.
        return value && new Uint8Array(value)
      })
    })
  }

  async set(key: string, value: Uint8Array, { ttl }: WriteOptions): Promise<void> {
    if (!isPossibleKey(key)) throw impossibleKeys(1, 1)
    // Copied, because the caller may change it before it is sent.
    const copy = new Uint8Array(value)
    await this.#reports.attempt('written', () => this.#write(key, copy, lifeOf(this.#clock.now(), ttl)))
  }

  async setMany(writes: readonly StoreWrite[]): Promise<void> {
    const now = this.#clock.now()
    const last = new Map(writes.map(({ key, value, ttl }) => [key, { value: new Uint8Array(value), life: lifeOf(now, ttl) }]))
    const possible = [...last].filter(([key]) => isPossibleKey(key))
    await this.#reports.attempt('written', async () => {
      const small = possible.filter(([, { value }]) => !this.#overflow.isNeededFor(value))
      const left = await this.#batches.write(small.map(([key, { value, life }]) => ({ put: this.#format.whole(key, value, life) })))
      for (const [key, { value, life }] of possible) if (this.#overflow.isNeededFor(value)) await this.#write(key, value, life)
      if (left > 0)
        throw new StoreError(`DynamoDB did not take ${left} of ${last.size} entries, as its table is throttled; they are dropped.`)
    })
    if (possible.length < last.size) throw impossibleKeys(last.size - possible.length, last.size)
  }

  async setIfAbsent(key: string, value: Uint8Array, { ttl }: WriteOptions): Promise<Uint8Array> {
    if (!isPossibleKey(key)) throw impossibleKeys(1, 1)
    const copy = new Uint8Array(value)
    const now = this.#clock.now()
    return this.#reports.attempt('written', async () => {
      const found = await this.#leases.setIfAbsent({ key, value: copy, life: lifeOf(now, ttl), now })
      if (found === undefined) throw new StoreError('DynamoDB has another value that could not be read.')
      return new Uint8Array(found)
    })
  }

  async delete(key: string): Promise<void> {
    if (!isPossibleKey(key)) return
    const { client, requests, tableName } = this.#access
    await this.#reports.attempt('written', async () => {
      const command = new DeleteCommand({ TableName: tableName, Key: this.#keyOf(key), ReturnValues: 'ALL_OLD' })
      const { Attributes: old } = await requests.send(command, (options) => client.send(command, options))
      await this.#overflow.remove(key, this.#format.overflowIn(old))
    })
  }

  async lease(key: string, token: string, { ttl }: WriteOptions): Promise<string> {
    const now = this.#clock.now()
    return this.#reports.attempt('written', () => this.#leases.acquire({ key, token, life: lifeOf(now, ttl), now }))
  }

  async add(key: string, amounts: Readonly<Record<string, number>>, { ttl }: WriteOptions): Promise<Record<string, number>> {
    const now = this.#clock.now()
    return this.#reports.attempt('written', () => addSums(this.#access, { key, amounts, life: lifeOf(now, ttl), now }))
  }

  async release(key: string, token: string): Promise<void> {
    await this.#reports.attempt('written', () => this.#leases.release(key, token))
  }

  async *keys(prefix: string): AsyncGenerator<string> {
    const { client, requests, tableName } = this.#access
    const { key, until } = this.#format.names
    let from: Item | undefined
    do {
      const command = new ScanCommand({
        TableName: tableName,
        // The list must hold every key that was written before it began.
        ConsistentRead: true,
        ProjectionExpression: '#key, #until',
        // A filter on a key attribute does not take an empty text.
        FilterExpression: prefix === '' ? '#until > :now' : 'begins_with(#key, :prefix) AND #until > :now',
        ExpressionAttributeNames: { '#key': key, '#until': until },
        ExpressionAttributeValues: { ':now': this.#clock.now(), ...(prefix !== '' && { ':prefix': prefix }) },
        ...(from !== undefined && { ExclusiveStartKey: from }),
      })
      const page = await this.#reports.attempt('read', () => requests.send(command, (options) => client.send(command, options)))
      for (const item of page.Items ?? []) {
        const found = this.#format.keyIn(item)
        if (found?.startsWith(prefix) === true && this.#format.isAlive(item, this.#clock.now())) yield found
      }
      from = page.LastEvaluatedKey
    } while (from !== undefined)
  }

  onReport(report: Report): void {
    this.#reports.sendTo(report)
    void this.#reports.checkClient(this.#access.client)
  }

  #keyOf(key: string): Item {
    return { [this.#format.names.key]: key }
  }

  async #valueOf(key: string, item: Item, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    if (!this.#format.isAlive(item, this.#clock.now())) return undefined
    const overflow = this.#format.overflowIn(item)
    return overflow === undefined ? this.#format.valueIn(item) : this.#overflow.read(key, overflow, signal)
  }

  /** Writes one entry: first its overflow, then the item that points to it. The overflow of the former entry is removed last. */
  async #write(key: string, value: Uint8Array, life: Life): Promise<void> {
    const { client, requests, tableName } = this.#access
    const overflows = this.#overflow.isNeededFor(value)
    const item = overflows
      ? this.#format.pointer(key, await this.#overflow.write(key, value, life), life)
      : this.#format.whole(key, value, life)
    // DynamoDB sends the former item back whole. So only a large entry asks for it: its former value was probably large too.
    const command = new PutCommand({ TableName: tableName, Item: item, ReturnValues: overflows ? 'ALL_OLD' : 'NONE' })
    const { Attributes: old } = await requests.send(command, (options) => client.send(command, options))
    await this.#overflow.remove(key, this.#format.overflowIn(old))
  }
}

function impossibleKeys(count: number, total: number): StoreError {
  return new StoreError(`DynamoDB cannot keep ${count} of ${total} entries: their keys are empty, too long, or not valid Unicode.`)
}
