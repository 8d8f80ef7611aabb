/**
 * A store whose changes go through a queue of SQS: for functions that may read a table but not write it, or that must not wait for it.
 * It needs no package: the client is handed in.
 * @module
 */
import { assertKnown, wholeNumber, withMethods } from '../../base/option-checks.ts'
import { type Clock, systemClock } from '../../clock.ts'
import { InvalidOptionError } from '../../errors.ts'
import { assertStore, type Store, type StoreWrite } from '../../store.ts'
import { isOrderKey } from './apply.ts'
import { type QueueClient, Sender } from './sender.ts'
import { UnappliedChanges } from './unapplied.ts'

export { applyQueuedChanges } from './apply.ts'
export type { ApplyOptions } from './apply.ts'
export type { QueueClient, QueueMessage } from './sender.ts'

/** Options of {@link queueStore}. */
export interface QueueStoreOptions {
  /** The client, `new SQS()`. It stays yours. */
  readonly client: QueueClient
  /** The URL of the queue. In one that ends in `.fifo`, all changes are in one group, and so in order. */
  readonly queueUrl: string
  /** Bytes of the largest message. A change that is larger goes to the store directly. @default 262_144 (256 KiB); SQS takes up to 1 MiB */
  readonly maxMessageBytes?: number
  /** Milliseconds for which this process remembers its own changes, so that it sees them before they are applied. @default 60_000 */
  readonly lag?: number
  /** Source of time. @default the clock of the machine */
  readonly clock?: Clock
}

const optionNames = ['client', 'queueUrl', 'maxMessageBytes', 'lag', 'clock']
const defaults = { maxMessageBytes: 262_144, lag: 60_000 }
/** Bytes of changes on their way that are remembered. Beyond them, the oldest are forgotten. */
const maxUnappliedBytes = 16 * 2 ** 20

/**
 * Makes a store that reads from `store` and sends what it writes and removes to a queue, whose consumer applies it: `sqsHandler` of
 * `llmemo-gateway/lambda`, or {@link applyQueuedChanges}.
 *
 * A write is done when the queue has it, so a slow queue slows the cache's queue of writes down, which is bounded. Each change is applied at
 * least once; one that comes again or too late changes nothing. Until it is applied, other processes see what was there before: an
 * invalidation by this process holds for itself at once, and for others when the consumer has applied it.
 * Leases, sums of savings and messages between processes go to `store` directly.
 * @param store the store that the consumer writes
 * @throws {InvalidOptionError} when an option is invalid. Methods throw {@link StoreError} when the queue does not take a change.
 */
export function queueStore(store: Store, options: QueueStoreOptions): Store {
  assertStore('store', store)
  assertKnown('', options, optionNames)
  const { client, queueUrl, maxMessageBytes = defaults.maxMessageBytes, lag = defaults.lag, clock = systemClock } = options
  withMethods('client', client, {
    methods: ['sendMessage'],
    allowed: 'a client with the method sendMessage(): new SQS() of @aws-sdk/client-sqs',
  })
  if (typeof queueUrl !== 'string' || !URL.canParse(queueUrl)) throw new InvalidOptionError('queueUrl', queueUrl, 'the URL of a queue')
  wholeNumber('maxMessageBytes', maxMessageBytes, { least: 1_024, most: 2 ** 20, of: 'bytes' })
  wholeNumber('lag', lag, { least: 1, of: 'milliseconds' })
  withMethods('clock', clock, { methods: ['now', 'monotonic'], allowed: 'a clock' })
  const unapplied = new UnappliedChanges(clock, { lag, maxBytes: maxUnappliedBytes })
  const changes = new Sender({ client, queueUrl, maxMessageBytes, clock })

  const sent = async (writes: readonly StoreWrite[], ifAbsent?: true): Promise<void> => {
    // Known before it is sent: a read meanwhile must not see what is older.
    for (const write of writes) unapplied.wrote(write)
    const large: StoreWrite[] = []
    try {
      await changes.send(
        writes.flatMap((write) => {
          const change = changes.written(write, ifAbsent)
          if (changes.fits(change)) return [change]
          large.push(write)
          return []
        }),
      )
      for (const write of large) await writeDirectly(store, write)
      await changes.send(large.map(({ key }) => changes.noted(key)))
      for (const { key } of large) unapplied.forget(key)
    } catch (error) {
      for (const { key } of writes) unapplied.forget(key)
      throw error
    }
  }

  return {
    ...passedOn(store),
    name: store.name,
    async get(key, read = {}) {
      return unapplied.seen(key, await store.get(key, read), read)
    },
    async getMany(keys, read = {}) {
      const found = (await store.getMany?.(keys, read)) ?? (await Promise.all(keys.map(async (key) => store.get(key, read))))
      return keys.map((key, index) => unapplied.seen(key, found[index], read))
    },
    set: (key, value, { ttl }) => sent([{ key, value, ttl }]),
    setMany: (writes) => sent(writes),
    async setIfAbsent(key, value, { ttl }) {
      const read = { latest: new Set([key]) }
      const found = unapplied.seen(key, await store.get(key, read), read)
      if (found !== undefined) return found
      await sent([{ key, value, ttl }], true)
      return new Uint8Array(value)
    },
    async delete(key) {
      unapplied.removed(key)
      try {
        await changes.send([changes.removed(key)])
      } catch (error) {
        unapplied.forget(key)
        throw error
      }
    },
  }
}

async function writeDirectly(store: Store, { key, value, ttl }: StoreWrite): Promise<void> {
  await store.set(key, value, { ttl })
}

/** The methods that have nothing to do with the queue. */
function passedOn(store: Store): Omit<Store, 'name' | 'get' | 'set' | 'delete'> {
  // Each is called as a method of the store.
  // oxlint-disable-next-line typescript/unbound-method
  const { keys, publish, subscribe, lease, release, add, onReport, close } = store
  return {
    ...(keys && {
      async *keys(prefix) {
        for await (const key of keys.call(store, prefix)) if (!isOrderKey(key)) yield key
      },
    }),
    ...(publish && { publish: (channel, message) => publish.call(store, channel, message) }),
    ...(subscribe && { subscribe: (channel, listener) => subscribe.call(store, channel, listener) }),
    ...(lease && { lease: (key, token, options) => lease.call(store, key, token, options) }),
    ...(release && { release: (key, token) => release.call(store, key, token) }),
    ...(add && { add: (key, amounts, options) => add.call(store, key, amounts, options) }),
    ...(onReport && { onReport: (report) => onReport.call(store, report) }),
    ...(close && { close: () => close.call(store) }),
  }
}
