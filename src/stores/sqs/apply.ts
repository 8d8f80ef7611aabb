/**
 * Applies the changes of a message to the store. A message that comes again changes nothing, and one that is overtaken by a later change of
 * the same writer is left out.
 *
 * Beside each key that was changed lies a record of its order: of each writer the last change that was applied, and when the key was last
 * changed, and by which writer. Changes of two writers are applied as they come, unless one seems to be older than what the other one did: by
 * two clocks, nothing says that for sure. If it may be the generation of a label, which would let outdated answers be served again, the key is
 * removed, as a miss does no harm. Else the later value stays.
 * @module
 */
import { sha256 } from '../../base/digest.ts'
import { withMethods } from '../../base/option-checks.ts'
import { type Clock, systemClock } from '../../clock.ts'
import { setIfAbsent, type Store, type StoreWrite } from '../../store.ts'
import { changesIn, isQueuedChanges, type QueuedChange } from './message.ts'

/** Options of {@link applyQueuedChanges}. */
export interface ApplyOptions {
  /** Source of time. @default the clock of the machine */
  readonly clock?: Clock
}

/** What was applied under a key. */
interface Order {
  /** The last change of each writer. */
  readonly writers: Map<string, number>
  /** When the key was last changed or removed; 0 if it never was. */
  changedAt: number
  /** Who did so. */
  changedBy: string
}

/** Writers of one key that are remembered. */
const maxWriters = 16
/** No generation is larger, also an encrypted one. */
const maxGenerationBytes = 1_024
/** Milliseconds for which an order is kept: longer than a message can be in a queue, which is 14 days. */
const orderTtl = 15 * 86_400_000

/**
 * Applies a message of {@link queueStore} to its store: for a consumer of the queue that is not the handler of `llmemo-gateway`. May be called
 * again with the same message.
 * @param store the store that the queue is for
 * @param message the parsed JSON of the message's body
 * @returns `false` for JSON that is no message of `queueStore`
 * @throws {StoreError} for a message that is damaged, and whatever the store throws when it fails. The message is then to be delivered again
 */
export async function applyQueuedChanges(store: Store, message: unknown, options: ApplyOptions = {}): Promise<boolean> {
  const { clock = systemClock } = options
  withMethods('store', store, { methods: ['get', 'set', 'delete'], allowed: 'a store' })
  if (!isQueuedChanges(message)) return false
  const { writer, at, changes } = changesIn(message)
  const now = clock.now()
  const orders = await ordersOf(store, [...new Set(changes.map(({ key }) => key))])
  const applied = new Map<string, Order>()
  const writes = new Map<string, StoreWrite>()
  for (const change of changes) {
    const { key, sequence } = change
    const order = orders.get(key) ?? noOrder()
    if (sequence <= (order.writers.get(writer) ?? -1)) continue
    order.writers.delete(writer)
    order.writers.set(writer, sequence)
    applied.set(key, order)
    const isInDoubt = order.changedBy !== writer && order.changedAt > at
    const write = writeOf(change, now)
    if (change.ifAbsent === true) {
      // It takes the place of nothing. What was removed later stays away.
      if (write !== undefined && !isInDoubt) await setIfAbsent(store, write)
      continue
    }
    if (!isInDoubt) Object.assign(order, { changedAt: at, changedBy: writer })
    if (change.noted === true && !isInDoubt) continue
    if (isInDoubt && write !== undefined && write.value.byteLength > maxGenerationBytes) continue
    if (write === undefined || isInDoubt) {
      // Also a value whose time is over: it took the place of what is older.
      writes.delete(key)
      await store.delete(key)
    } else writes.set(key, write)
  }
  // What was applied is noted last: if that fails, the message comes again, and is applied again.
  await setAll(store, [...writes.values()])
  await setAll(
    store,
    [...applied].map(([key, order]) => ({ key: orderKey(key), value: orderBytes(order), ttl: orderTtl })),
  )
  return true
}

function writeOf({ key, value, expires = 0 }: QueuedChange, now: number): StoreWrite | undefined {
  const ttl = Math.ceil(expires - now)
  return value === undefined || ttl < 1 ? undefined : { key, value: new Uint8Array(Buffer.from(value, 'base64')), ttl }
}

async function setAll(store: Store, writes: readonly StoreWrite[]): Promise<void> {
  if (writes.length === 0) return
  if (store.setMany !== undefined) await store.setMany(writes)
  else for (const { key, value, ttl } of writes) await store.set(key, value, { ttl })
}

const orderPrefix = 'llmemo-order:'

/** Not below the namespace's own names, so that no list of them has it. */
function orderKey(key: string): string {
  return orderPrefix + sha256(key)
}

/** Whether this is the key of an order, which no caller wrote. */
export function isOrderKey(key: string): boolean {
  return key.startsWith(orderPrefix)
}

function noOrder(): Order {
  return { writers: new Map(), changedAt: 0, changedBy: '' }
}

async function ordersOf(store: Store, keys: readonly string[]): Promise<Map<string, Order>> {
  const names = keys.map(orderKey)
  const latest = new Set(names)
  const values = (await store.getMany?.(names, { latest })) ?? (await Promise.all(names.map(async (name) => store.get(name, { latest }))))
  return new Map(keys.map((key, index) => [key, orderIn(values[index])]))
}

function orderBytes({ writers, changedAt, changedBy }: Order): Uint8Array {
  return new TextEncoder().encode(JSON.stringify([changedAt, changedBy, ...[...writers].slice(-maxWriters)]))
}

/** A record that cannot be read counts as none: the change is applied. */
function orderIn(value: Uint8Array | undefined): Order {
  const order = noOrder()
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(value))
    const [changedAt, changedBy, ...writers]: unknown[] = Array.isArray(parsed) ? parsed : []
    if (typeof changedAt === 'number' && typeof changedBy === 'string') Object.assign(order, { changedAt, changedBy })
    for (const pair of writers) {
      const [writer, sequence]: unknown[] = Array.isArray(pair) ? pair : []
      if (typeof writer === 'string' && typeof sequence === 'number') order.writers.set(writer, sequence)
    }
  } catch {
    return noOrder()
  }
  return order
}
