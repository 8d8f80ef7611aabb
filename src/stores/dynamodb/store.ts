/**
 * A store in a DynamoDB table, which many machines share.
 * Needs the package `@aws-sdk/lib-dynamodb`, and for objects in S3 also `@aws-sdk/client-s3`.
 * @module
 */
import { DeleteCommand, type DynamoDBDocumentClient, GetCommand, PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb'
import type { Clock } from '../../clock.ts'
import { systemClock } from '../../clock.ts'
import { InvalidOptionError, StoreError } from '../../errors.ts'
import { assertKnown, wholeNumber, withMethods } from '../../base/option-checks.ts'
import type { ReadOptions, Store, StoreWrite, WriteOptions } from '../../store.ts'
import { Batches, type Change } from './batches.ts'
import { faultOf } from './errors.ts'
import {
  attributeNames,
  type DynamodbAttributes,
  type Elsewhere,
  type InObject,
  type InParts,
  isPossibleKey,
  type Item,
  ItemFormat,
  type Life,
  lifeOf,
  partBytes,
  partKeys,
  split,
} from './items.ts'
import { Leases } from './leases.ts'
import { type ObjectOverflow, Objects } from './objects.ts'
import { Requests } from './requests.ts'

export type { DynamodbAttributes } from './items.ts'
export type { ObjectClient, ObjectOverflow } from './objects.ts'
export type { SendOptions } from './requests.ts'
export { createTable, type CreateTableOptions } from './table.ts'

/** How a {@link dynamodbStore} is made. */
export interface DynamodbStoreOptions {
  /** The table's name, or its ARN. */
  readonly tableName: string
  /** What the attributes of an item are called, for a table that exists already. */
  readonly attributes?: Partial<DynamodbAttributes>
  /**
   * Whether every read sees what was written before it, at twice the price. Without it an answer that was just written may be missed, or
   * an older one read, for about a second; invalidations are always read so. @default false
   */
  readonly consistent?: boolean
  /** Milliseconds that one request may take, its second attempt included. The cache has a shorter deadline for reads. @default 2_000 */
  readonly timeout?: number
  /** Keeps values in S3 that are too large for an item. @default none: they are split over several items */
  readonly overflow?: ObjectOverflow
  /** Where time comes from. @default the clock of the machine */
  readonly clock?: Clock
}

const optionNames = ['tableName', 'attributes', 'consistent', 'timeout', 'overflow', 'clock']
const defaultTimeout = 2_000
const allowedTables = 'the name or the ARN of a table'

/**
 * A store in a DynamoDB table.
 *
 * The table has a text as its partition key, `pk`, no sort key, and TTL enabled on the number `expires`; `createTable` makes one, and so
 * does this of CloudFormation:
 * ```yaml
 * AnswersTable:
 *   Type: AWS::DynamoDB::Table
 *   Properties:
 *     BillingMode: PAY_PER_REQUEST
 *     AttributeDefinitions: [{ AttributeName: pk, AttributeType: S }]
 *     KeySchema: [{ AttributeName: pk, KeyType: HASH }]
 *     TimeToLiveSpecification: { AttributeName: expires, Enabled: true }
 * ```
 * The client is the caller's own; it is neither changed nor closed. However it is set, a request is sent twice at the most and given up
 * at its deadline. For a cache it is best made so:
 * ```ts
 * const client = DynamoDBDocumentClient.from(
 *   new DynamoDBClient({ maxAttempts: 2, retryMode: 'standard', requestHandler: { connectionTimeout: 500 } }),
 * )
 * ```
 * A value that does not fit into an item (400 KB) is split over several, or put into S3 by the option `overflow`. What has expired is
 * never returned, however late DynamoDB removes it, which may be days:
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html
 * To list keys, which patterns need, the whole table is read: slow, and paid for by the size of the table.
 * @param client a `DynamoDBDocumentClient` of `@aws-sdk/lib-dynamodb`
 * @throws {InvalidOptionError} when an option has a value that cannot be. Methods throw {@link StoreError} when the table cannot be used.
 */
export function dynamodbStore(client: DynamoDBDocumentClient, options: DynamodbStoreOptions): Store {
  withMethods('client', client, ['send'], 'a DynamoDBDocumentClient: DynamoDBDocumentClient.from(new DynamoDBClient())')
  assertKnown('', options, optionNames)
  const { tableName, consistent = false, timeout = defaultTimeout, clock = systemClock } = options
  if (typeof tableName !== 'string' || tableName === '') throw new InvalidOptionError('tableName', tableName, allowedTables)
  if (typeof consistent !== 'boolean') throw new InvalidOptionError('consistent', consistent, 'true or false')
  wholeNumber('timeout', timeout, { least: 1, most: 60_000, of: 'milliseconds' })
  withMethods('clock', clock, ['now', 'after'], 'a clock with the methods now() and after()')
  const requests = new Requests(clock, timeout)
  const objects = options.overflow === undefined ? undefined : new Objects(options.overflow, requests)
  return new DynamodbStore(client, {
    tableName,
    consistent,
    clock,
    requests,
    objects,
    format: new ItemFormat(attributeNames(options.attributes)),
  })
}

interface Parts {
  readonly tableName: string
  readonly consistent: boolean
  readonly clock: Clock
  readonly requests: Requests
  readonly objects: Objects | undefined
  readonly format: ItemFormat
}

/** The methods of a store over the requests of a client. */
class DynamodbStore implements Store {
  readonly name = 'dynamodb'
  readonly #client: DynamoDBDocumentClient
  readonly #tableName: string
  readonly #consistent: boolean
  readonly #clock: Clock
  readonly #requests: Requests
  readonly #objects: Objects | undefined
  readonly #format: ItemFormat
  readonly #batches: Batches
  readonly #leases: Leases
  /** Troubles that were reported and are not known to have passed. */
  readonly #reported = new Set<string>()
  #report: (message: string, cause?: unknown) => void = () => {}

  constructor(client: DynamoDBDocumentClient, { tableName, consistent, clock, requests, objects, format }: Parts) {
    this.#client = client
    this.#tableName = tableName
    this.#consistent = consistent
    this.#clock = clock
    this.#requests = requests
    this.#objects = objects
    this.#format = format
    this.#batches = new Batches(client, requests, tableName, format.names.key)
    this.#leases = new Leases(client, requests, tableName, format)
  }

  async get(key: string, { signal, latest }: ReadOptions = {}): Promise<Uint8Array | undefined> {
    if (!isPossibleKey(key)) return undefined
    return this.#attempt('read', async () => {
      const ConsistentRead = this.#consistent || latest?.has(key) === true
      const command = new GetCommand({ TableName: this.#tableName, Key: this.#keyOf(key), ConsistentRead })
      const { Item: item } = await this.#requests.send(command, (options) => this.#client.send(command, options), signal)
      return item === undefined ? undefined : this.#valueOf(key, item, signal)
    })
  }

  async getMany(keys: readonly string[], { signal, latest }: ReadOptions = {}): Promise<(Uint8Array | undefined)[]> {
    const wanted = [...new Set(keys)].filter(isPossibleKey)
    const isStrong = (key: string): boolean => this.#consistent || latest?.has(key) === true
    return this.#attempt('read', async () => {
      // How consistent a read is can be said once a request and table.
      const [strong, eventual] = await Promise.all([
        this.#batches.read(wanted.filter(isStrong), true, signal),
        this.#batches.read(
          wanted.filter((key) => !isStrong(key)),
          false,
          signal,
        ),
      ])
      // An answer that was not read is missed; a mark that was not read is not one that is not there.
      if (strong.unread > 0) throw new StoreError(`DynamoDB left ${strong.unread} of the keys unread, as its table is throttled.`)
      const values = new Map<string, Uint8Array | undefined>()
      const read = async (item: Item): Promise<void> => {
        const key = this.#format.keyIn(item)
        if (key !== undefined) values.set(key, await this.#valueOf(key, item, signal))
      }
      await Promise.all([...strong.items, ...eventual.items].map(read))
      return keys.map((key) => {
        const value = values.get(key)
        // Copied, as a key that is asked for twice is two arrays, each of which may be changed.
        return value && new Uint8Array(value)
      })
    })
  }

  async set(key: string, value: Uint8Array, { ttl }: WriteOptions): Promise<void> {
    if (!isPossibleKey(key)) throw impossibleKeys(1, 1)
    // Copied, as the caller may change it before it is sent.
    const copy = new Uint8Array(value)
    await this.#attempt('written', () => this.#write(key, copy, lifeOf(this.#clock.now(), ttl)))
  }

  async setMany(writes: readonly StoreWrite[]): Promise<void> {
    const now = this.#clock.now()
    const last = new Map(writes.map(({ key, value, ttl }) => [key, { value: new Uint8Array(value), life: lifeOf(now, ttl) }]))
    const possible = [...last].filter(([key]) => isPossibleKey(key))
    await this.#attempt('written', async () => {
      const small = possible.filter(([, { value }]) => this.#fits(value))
      const left = await this.#batches.write(small.map(([key, { value, life }]) => ({ put: this.#format.whole(key, value, life) })))
      for (const [key, { value, life }] of possible) if (!this.#fits(value)) await this.#write(key, value, life)
      if (left > 0)
        throw new StoreError(`DynamoDB did not take ${left} of ${last.size} entries, as its table is throttled; they are dropped.`)
    })
    if (possible.length < last.size) throw impossibleKeys(last.size - possible.length, last.size)
  }

  async delete(key: string): Promise<void> {
    if (!isPossibleKey(key)) return
    await this.#attempt('written', async () => {
      const command = new DeleteCommand({ TableName: this.#tableName, Key: this.#keyOf(key), ReturnValues: 'ALL_OLD' })
      const { Attributes: old } = await this.#requests.send(command, (options) => this.#client.send(command, options))
      await this.#sweep(key, this.#format.elsewhereIn(old))
    })
  }

  async lease(key: string, token: string, { ttl }: WriteOptions): Promise<string> {
    const life = lifeOf(this.#clock.now(), ttl)
    return this.#attempt('written', () => this.#leases.take(key, token, life, this.#clock.now()))
  }

  async release(key: string, token: string): Promise<void> {
    await this.#attempt('written', () => this.#leases.giveBack(key, token))
  }

  async *keys(prefix: string): AsyncGenerator<string> {
    const { key, until } = this.#format.names
    let from: Item | undefined
    do {
      const command = new ScanCommand({
        TableName: this.#tableName,
        // What was written before the listing began must be in it.
        ConsistentRead: true,
        ProjectionExpression: '#key, #until',
        // A text may be empty in a value, but not as the value of a key.
        FilterExpression: prefix === '' ? '#until > :now' : 'begins_with(#key, :prefix) AND #until > :now',
        ExpressionAttributeNames: { '#key': key, '#until': until },
        ExpressionAttributeValues: { ':now': this.#clock.now(), ...(prefix !== '' && { ':prefix': prefix }) },
        ...(from !== undefined && { ExclusiveStartKey: from }),
      })
      const page = await this.#attempt('read', () => this.#requests.send(command, (options) => this.#client.send(command, options)))
      for (const item of page.Items ?? []) {
        const found = this.#format.keyIn(item)
        if (found?.startsWith(prefix) === true && this.#format.isAlive(item, this.#clock.now())) yield found
      }
      from = page.LastEvaluatedKey
    } while (from !== undefined)
  }

  onReport(report: (message: string, cause?: unknown) => void): void {
    this.#report = report
    void this.#checkClient()
  }

  #keyOf(key: string): Item {
    return { [this.#format.names.key]: key }
  }

  #fits(value: Uint8Array): boolean {
    return value.byteLength <= (this.#objects?.above ?? partBytes)
  }

  async #valueOf(key: string, item: Item, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    if (!this.#format.isAlive(item, this.#clock.now())) return undefined
    const elsewhere = this.#format.elsewhereIn(item)
    if (elsewhere === undefined) return this.#format.valueIn(item)
    return 'object' in elsewhere ? this.#readObject(elsewhere, signal) : this.#readParts(key, elsewhere, signal)
  }

  /** The parts put together, when all of them are there: one that is missing makes the whole a miss. */
  async #readParts(key: string, elsewhere: InParts, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const names = partKeys(key, elsewhere)
    const { items } = await this.#batches.read(names, this.#consistent, signal)
    const parts = new Map(items.map((item) => [this.#format.keyIn(item), this.#format.valueIn(item)]))
    const found = names.map((name) => parts.get(name)).filter((part) => part !== undefined)
    const size = found.reduce((sum, part) => sum + part.byteLength, 0)
    if (found.length < names.length || size !== elsewhere.size) return undefined
    const value = new Uint8Array(size)
    let offset = 0
    for (const part of found) {
      value.set(part, offset)
      offset += part.byteLength
    }
    return value
  }

  async #readObject(elsewhere: InObject, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    try {
      const value = await this.#objects?.read(elsewhere, signal)
      if (value !== undefined) this.#reported.delete('S3')
      return value
    } catch (error) {
      // The table is well: that an object cannot be read is no reason not to read the other entries.
      if (signal?.aborted !== true) this.#reportOnce('S3', 'objects in S3 cannot be read; the answers in them are missed.', error)
      return undefined
    }
  }

  /** Writes one entry. What it points to is there before the pointer is, and what the former one pointed to is removed after it. */
  async #write(key: string, value: Uint8Array, life: Life): Promise<void> {
    const fits = this.#fits(value)
    const item = fits ? this.#format.whole(key, value, life) : this.#format.pointer(key, await this.#putElsewhere(key, value, life), life)
    // What was there is only asked for by an entry that is likely to follow one of its kind, as it is sent along whole.
    const command = new PutCommand({ TableName: this.#tableName, Item: item, ReturnValues: fits ? 'NONE' : 'ALL_OLD' })
    const { Attributes: old } = await this.#requests.send(command, (options) => this.#client.send(command, options))
    await this.#sweep(key, this.#format.elsewhereIn(old))
  }

  async #putElsewhere(key: string, value: Uint8Array, life: Life): Promise<Elsewhere> {
    if (this.#objects !== undefined) return this.#objects.write(value)
    const pieces = split(value)
    const elsewhere = { generation: crypto.randomUUID(), parts: pieces.length, size: value.byteLength }
    const names = partKeys(key, elsewhere)
    const changes = pieces.map((piece, index): Change => ({ put: this.#format.part(names[index] ?? '', piece, life) }))
    const left = await this.#batches.write(changes)
    if (left > 0) throw new StoreError(`DynamoDB did not take ${left} of the ${pieces.length} parts of an entry; it is dropped.`)
    return elsewhere
  }

  /** Removes what nothing points to any more. What is left over expires by itself. */
  async #sweep(key: string, old: Elsewhere | undefined): Promise<void> {
    if (old === undefined) return
    if ('object' in old) {
      await this.#objects?.remove(old.object)
      return
    }
    try {
      await this.#batches.write(partKeys(key, old).map((remove) => ({ remove })))
    } catch {
      // The change itself is done.
    }
  }

  async #attempt<Value>(what: 'read' | 'written', work: () => Promise<Value>): Promise<Value> {
    try {
      const value = await work()
      this.#reported.delete('table')
      return value
    } catch (error) {
      const fault = faultOf(what, error, { tableName: this.#tableName, keyName: this.#format.names.key })
      if (fault.advice !== undefined) this.#reportOnce('table', fault.advice, fault.error)
      throw fault.error
    }
  }

  #reportOnce(trouble: string, message: string, cause: unknown): void {
    if (this.#reported.has(trouble)) return
    this.#reported.add(trouble)
    this.#report(message, cause)
  }

  /** Warns of a client that holds back its requests by itself when it was throttled: 20 at a time were seen to wait for two minutes. */
  async #checkClient(): Promise<void> {
    const given: unknown = Reflect.get(Object(Reflect.get(this.#client, 'config')), 'retryMode')
    try {
      const mode: unknown = typeof given === 'function' ? await given() : given
      if (mode !== 'adaptive') return
      this.#report('the DynamoDB client has retryMode "adaptive", which makes reads wait that the cache has no time for; use "standard".')
    } catch {
      // A configuration that cannot be read will be told of by the first request.
    }
  }
}

function impossibleKeys(number: number, of: number): StoreError {
  return new StoreError(`${number} of ${of} entries cannot be kept in DynamoDB, as their keys are empty, too long, or no Unicode.`)
}
