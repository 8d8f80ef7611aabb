/**
 * A store that passes everything on to another store, until a test orders faults.
 *
 * ```ts
 * const store = chaosStore(redisStore(client), { clock })
 * store.will('rejects', { probability: 0.1 })
 * store.will('never settles', { next: 3 }, { on: ['get'] })
 * ```
 * @module
 */
import { type Clock, systemClock } from '../clock.ts'
import { StoreError } from '../errors.ts'
import { wholeNumber, withMethods } from '../base/option-checks.ts'
import { assertStore, type ReadOptions, type Store, type StoreWrite, type WriteOptions } from '../store.ts'
import { type ChaosKind, ChaosPlan, type ChaosSchedule, type ChaosScope } from './chaos-plan.ts'
import { seededRandom } from './seeded-random.ts'

/** Options of {@link chaosStore}. */
export interface ChaosOptions {
  /** Its timers make the delays. @default the clock of the machine */
  readonly clock?: Clock
  /** Milliseconds of each delay. @default 250 */
  readonly delay?: number
  /** Source of random numbers. @default seededRandom(1) */
  readonly random?: () => number
}

/** A store that makes faults on order. */
export interface ChaosStore extends Store {
  /** Orders a fault, in addition to those ordered before. */
  will(kind: ChaosKind, schedule: ChaosSchedule, scope?: ChaosScope): void
  /** Ends all faults from now on. Faults that have begun go on: a caller that waits for an answer that never comes still waits. */
  calm(): void
  /** How often a fault of this kind happened. */
  struck(kind: ChaosKind): number
}

type Value = Uint8Array | undefined
type Outcome<Result> = Promise<Result> | Result

/** Values that are remembered, to return them under another key. */
const maxRememberedValues = 100

/**
 * Makes a store that can make faults on order. It offers the same methods as `store`, and no more.
 * @throws {InvalidOptionError} when an option is invalid
 */
export function chaosStore(store: Store, options: ChaosOptions = {}): ChaosStore {
  const { clock = systemClock, delay = 250, random = seededRandom(1) } = options
  assertStore('store', store)
  withMethods('clock', clock, { methods: ['after'], allowed: 'a clock with a method after()' })
  wholeNumber('delay', delay, { least: 1, of: 'milliseconds' })
  const plan = new ChaosPlan(random)
  const seen = new Map<string, Uint8Array>()
  const late = (): Promise<void> => new Promise((resolve) => void clock.after(delay, resolve))

  /** Runs `work` with the given fault. */
  const go = <Result>(kind: ChaosKind | undefined, work: () => Outcome<Result>): Outcome<Result> => {
    if (kind === 'throws') throw failure()
    if (kind === 'rejects') return Promise.reject(failure())
    if (kind === 'never settles') return new Promise<never>(() => {})
    if (kind === 'delays') return late().then(work)
    if (kind === 'tells late') return lateTold(work, late)
    if (kind === 'settles twice') return settledTwice(work)
    return work()
  }
  const read = <Result>(keys: readonly string[], work: () => Outcome<Result>, spoil: (result: Result, with_: Spoil) => Result) => {
    const kind = plan.strike('get', keys)
    const garbage = spoilOf(kind, random, seen)
    return garbage === undefined ? go(kind, work) : Promise.resolve(work()).then((result) => spoil(result, garbage))
  }
  const write = (writes: readonly StoreWrite[], work: () => Outcome<void>): Outcome<void> => {
    for (const { key, value } of writes) remember(seen, key, value)
    const keys = writes.map(({ key }) => key)
    return go(plan.strike('set', keys), work)
  }

  const getMany = store.getMany?.bind(store)
  const setMany = store.setMany?.bind(store)
  const keys = store.keys?.bind(store)
  const setIfAbsent = store.setIfAbsent?.bind(store)
  const publish = store.publish?.bind(store)
  const lease = store.lease?.bind(store)
  const release = store.release?.bind(store)
  const add = store.add?.bind(store)
  return {
    name: store.name,
    get: (key, given) =>
      read<Value>(
        [key],
        () => store.get(key, given),
        (value, spoil) => spoil(key, value),
      ),
    set: (key, value, given) => write([{ key, value, ttl: given.ttl }], () => store.set(key, value, given)),
    ...(setIfAbsent && {
      setIfAbsent: (key: string, value: Uint8Array, given: WriteOptions) =>
        go(plan.strike('set', [key]), () => setIfAbsent(key, value, given)),
    }),
    delete: (key) => go(plan.strike('delete', [key]), () => store.delete(key)),
    ...(getMany && {
      getMany: (asked: readonly string[], given?: ReadOptions) =>
        read<readonly Value[]>(
          asked,
          () => getMany(asked, given),
          (values, spoil) => values.map((value, index) => spoil(asked[index] ?? '', value)),
        ),
    }),
    ...(setMany && { setMany: (writes: readonly StoreWrite[]) => write(writes, () => setMany(writes)) }),
    ...(keys && {
      keys(prefix: string) {
        const kind = plan.strike('keys', [prefix])
        if (kind === undefined) return keys(prefix)
        if (kind === 'throws') throw failure()
        return listed(() => go(kind, () => keys(prefix)))
      },
    }),
    ...(publish && {
      publish: (channel: string, message: string) => go(plan.strike('publish', [channel]), () => publish(channel, message)),
    }),
    ...(store.subscribe && { subscribe: store.subscribe.bind(store) }),
    ...(lease && {
      lease: (key: string, token: string, given: WriteOptions) => go(plan.strike('lease', [key]), () => lease(key, token, given)),
    }),
    ...(add && {
      add: (key: string, amounts: Readonly<Record<string, number>>, given: WriteOptions) =>
        go(plan.strike('set', [key]), () => add(key, amounts, given)),
    }),
    ...(release && { release: (key: string, token: string) => go(plan.strike('lease', [key]), () => release(key, token)) }),
    ...(store.onReport && { onReport: store.onReport.bind(store) }),
    ...(store.close && { close: store.close.bind(store) }),
    will: (kind, schedule, scope = {}) => plan.add(kind, schedule, scope),
    calm: () => plan.clear(),
    struck: (kind) => plan.count(kind),
  }
}

function failure(): StoreError {
  return new StoreError('the chaos store made this fault on order')
}

async function* listed(work: () => Outcome<AsyncIterable<string> | Iterable<string>>): AsyncGenerator<string, void> {
  yield* await work()
}

/** An early failure is marked as handled: the caller gets it after the delay. */
async function lateTold<Result>(work: () => Outcome<Result>, late: () => Promise<void>): Promise<Result> {
  const done = Promise.resolve(work())
  done.catch(() => undefined)
  await late()
  return done
}

/** A promise cannot settle twice, but a faulty store may return an object that does. */
function settledTwice<Result>(work: () => Outcome<Result>): Promise<Result> {
  const careless: PromiseLike<Result> = {
    // oxlint-disable-next-line unicorn/no-thenable
    then: (fulfilled, rejected) =>
      Promise.resolve(work()).then((value) => {
        const first = fulfilled?.(value)
        void fulfilled?.(value)
        void rejected?.(failure())
        // Without a callback, a promise passes the value itself on.
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion
        return first as never
      }, rejected),
  }
  // `await` treats it like a promise.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return careless as Promise<Result>
}

/** Replaces a value by a wrong one. */
type Spoil = (key: string, value: Value) => Value

function spoilOf(kind: ChaosKind | undefined, random: () => number, seen: ReadonlyMap<string, Uint8Array>): Spoil | undefined {
  if (kind === 'random bytes') return () => randomBytes(random)
  if (kind === 'truncates') return (_, value) => value?.slice(0, Math.floor(random() * value.length))
  if (kind === 'swaps') return (key) => another(key, seen, random)
  // A store written in JavaScript can return this.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  if (kind === 'mistypes') return () => 'no bytes' as unknown as Uint8Array
  return undefined
}

function randomBytes(random: () => number): Uint8Array {
  return Uint8Array.from({ length: Math.floor(random() * 64) }, () => Math.floor(random() * 256))
}

function another(key: string, seen: ReadonlyMap<string, Uint8Array>, random: () => number): Uint8Array {
  const others = [...seen].filter(([each]) => each !== key)
  const [, value] = others[Math.floor(random() * others.length)] ?? []
  return value === undefined ? randomBytes(random) : new Uint8Array(value)
}

function remember(seen: Map<string, Uint8Array>, key: string, value: Uint8Array): void {
  seen.delete(key)
  seen.set(key, new Uint8Array(value))
  const [oldest] = seen.keys()
  if (seen.size > maxRememberedValues && oldest !== undefined) seen.delete(oldest)
}
