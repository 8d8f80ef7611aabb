/**
 * A store in a container of Azure Cosmos DB (API for NoSQL), for many machines. It needs no package: the container is handed in.
 * @module
 */
import { type Clock, systemClock } from '../../clock.ts'
import { InvalidOptionError } from '../../errors.ts'
import { assertKnown, wholeNumber, withMethods } from '../../base/option-checks.ts'
import { TimeLimit } from '../../base/time-limit.ts'
import type { Store } from '../../store.ts'
import { DocumentReports } from '../documents/reports.ts'
import { documentStore } from '../documents/store.ts'
import { checkedOverflow, type ObjectStoreOverflow } from '../objects/object-store.ts'
import { CosmosAccess } from './access.ts'
import type { CosmosContainer } from './container.ts'
import { explainFailure } from './errors.ts'
import { examineContainer } from './examination.ts'

export type { ObjectReadOptions, ObjectStore, ObjectStoreOverflow, ObjectWriteOptions, WrittenObject } from '../objects/object-store.ts'
export type {
  CosmosBody,
  CosmosContainer,
  CosmosItem,
  CosmosItemResponse,
  CosmosQuery,
  CosmosQuerySpec,
  CosmosRequestOptions,
} from './container.ts'

/** Options of {@link cosmosStore}. */
export interface CosmosStoreOptions {
  /** A `Container` of `@azure/cosmos`: `new CosmosClient(…).database('app').container('answers')`. It stays yours. */
  readonly container: CosmosContainer
  /** The property that the container is partitioned by. Each item has its id there. @default 'id' */
  readonly partitionKey?: string
  /** Milliseconds for one request. The cache's own deadline for reads is shorter. @default 2_000 */
  readonly timeout?: number
  /** Keeps values in a place for objects that are too large for an item. @default none: they are split over several items */
  readonly overflow?: ObjectStoreOverflow
  /** Source of time. @default the clock of the machine */
  readonly clock?: Clock
}

const optionNames = ['container', 'partitionKey', 'timeout', 'overflow', 'clock']
const defaults = { partitionKey: 'id', timeout: 2_000 }
/** Properties of an item that cannot be the partition key too. */
const taken = ['key', 'until', 'value', 'elsewhere', 'ttl']

/**
 * Makes a store in a container of Cosmos DB.
 *
 * The container is partitioned by `/id` and has a default TTL of -1, which lets each item have its own. An index of `key` and nothing else
 * makes writes cheapest:
 * ```ts
 * await database.containers.createIfNotExists({
 *   id: 'answers',
 *   partitionKey: '/id',
 *   defaultTtl: -1,
 *   indexingPolicy: { includedPaths: [{ path: '/key/?' }], excludedPaths: [{ path: '/*' }] },
 * })
 * ```
 * A read of an entry is a point read, and an entry is an item of its own: 1 MB is about 1.4 MB of JSON there, and 1.5 MB are the most.
 * An expired value is never returned, even though Cosmos DB may take a while to remove it.
 *
 * How soon a process sees what another one has written is decided by the account's default consistency. With Strong, and with Bounded
 * staleness in the write region, an invalidation holds for all processes at once. With Session, the default of an account, others may see
 * it later by the time that a replica is behind.
 * @throws {InvalidOptionError} when an option is invalid. Methods throw {@link StoreError} when the container cannot be used.
 */
export function cosmosStore(options: CosmosStoreOptions): Store {
  assertKnown('', options, optionNames)
  const { container, partitionKey = defaults.partitionKey, timeout = defaults.timeout, clock = systemClock } = options
  withMethods('container', container, {
    methods: ['item', 'read'],
    allowed: "a container of @azure/cosmos: new CosmosClient(…).database('app').container('answers')",
  })
  withMethods('container.items', container.items, { methods: ['create', 'upsert', 'query'], allowed: 'the items of a container' })
  if (typeof partitionKey !== 'string' || !/^\w{1,80}$/.test(partitionKey) || taken.includes(partitionKey))
    throw new InvalidOptionError('partitionKey', partitionKey, `the name of a property of letters and digits, not ${taken.join(', ')}`)
  wholeNumber('timeout', timeout, { least: 1, most: 60_000, of: 'milliseconds' })
  withMethods('clock', clock, { methods: ['now', 'after'], allowed: 'a clock with the methods now() and after()' })
  const limit = new TimeLimit(clock, timeout)
  const access = new CosmosAccess({ container, partitionKey, limit, clock })
  const overflow = options.overflow === undefined ? undefined : checkedOverflow(options.overflow, access.maxValueBytes)
  const reports = new DocumentReports(`the Cosmos DB container "${container.id}"`, (error) => explainFailure(error, partitionKey))
  const examine = (): Promise<void> => examineContainer({ container, partitionKey, limit, reports })
  return documentStore({ name: 'cosmos', access, reports, limit, clock, overflow, examine })
}
