/**
 * The options of a cache: what they are, what they default to, and what is refused.
 * @module
 */
import { type Clock, systemClock } from '../clock.ts'
import { type EncryptionOptions } from '../codec/encryption.ts'
import { type Duration, milliseconds, millisecondsOrNone } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'
import type { CanonicalOptions } from '../key/canonical-json.ts'
import { assertStore, type Store } from '../store.ts'
import type { StorePolicy } from './policy.ts'
import type { PriceRule } from './prices.ts'

/** A change of a text before it enters the key, under which two texts that differ in it count as the same question. */
export type TextFolding = 'white-space' | 'unicode-form' | 'letter-case'

/** How keys are made. */
export interface KeyOptions {
  /** Texts of more characters than this enter the key by their digest. @default 1000 */
  readonly longText?: number
  /** Further top-level request fields that take no part in the key: `['seed']`. @default [] */
  readonly ignore?: readonly string[]
  /** Top-level request fields that take part although the provider's table ignores them: `['user']`. @default [] */
  readonly keep?: readonly string[]
  /** Further request headers that take no part in the key, in any letter case. @default [] */
  readonly ignoreHeaders?: readonly string[]
  /** What to fold in texts. Every folding makes more calls count as the same; none is on by itself. @default [] */
  readonly fold?: readonly TextFolding[]
}

/** Where the cache tells of its troubles: `console` fits, and so does any logger of its shape. */
export interface Logger {
  warn(message: string): void
  info(message: string): void
}

/** How a stored stream is served. */
export interface ReplayOptions {
  /** Waited for before each event; `index` counts from 0. @default none: all events are there at once */
  readonly delay?: (index: number) => Promise<void>
}

/** The options of {@link createCache}. */
export interface CacheOptions {
  /** The shared tier behind the hot memory: `sqliteStore('answers.db')`, or a store of your own. @default none */
  readonly store?: Store
  /** How long answers are fresh: one duration, or one for each operation with `default` for the rest. @default '1h' */
  readonly ttl?: Duration | Readonly<Record<string, Duration>>
  /** How long an answer is kept past its TTL for calls in mode `force-cache`. @default 0 */
  readonly stale?: Duration
  /** Keeps the entries of two applications in one store apart. @default '' */
  readonly namespace?: string
  /** Whose answers these are, for every call that names no scope of its own. @default a digest of the client's static credential */
  readonly scope?: string
  /** Bytes of hot memory; 0 for none. @default 67108864 (64 MiB) */
  readonly maxMemoryBytes?: number
  /** Bytes that one answer may have; a larger one is passed on and not stored. @default 8388608 (8 MiB) */
  readonly maxEntryBytes?: number
  /** Answers of at least so many bytes are compressed in the store; `Infinity` for never. @default 1024 */
  readonly compressAbove?: number
  /** Seals entries in the store by AES-256-GCM. @default none */
  readonly encryption?: EncryptionOptions
  /** How keys are made. */
  readonly key?: KeyOptions
  /** Decides which answers are stored. @default complete and successful ones */
  readonly policy?: StorePolicy
  /** Prices of your own, asked before the built-in table; `false` for no money at all. @default [] */
  readonly prices?: readonly PriceRule[] | false
  /** How a stored stream is served. */
  readonly replay?: ReplayOptions
  /** How long a read of the store may take before it counts as a miss. @default '100ms' */
  readonly readDeadline?: Duration
  /** How long one upstream call may go on being shared and recorded. @default '15m' */
  readonly flightDeadline?: Duration
  /** How soon an invalidation by another process is heeded, at the latest. @default '1s' */
  readonly invalidationDelay?: Duration
  /** Where one line goes for each change of state; `false` for nowhere. @default console */
  readonly logger?: Logger | false
  /** Where the time comes from. @default the machine's clock */
  readonly clock?: Clock
}

/** The options, checked and whole. Durations are milliseconds. */
export interface Settings {
  readonly store: Store | undefined
  readonly ttl: (operation: string) => number
  readonly stale: number
  readonly namespace: string
  readonly scope: string | undefined
  readonly maxMemoryBytes: number
  readonly maxEntryBytes: number
  readonly compressAbove: number
  readonly encryption: EncryptionOptions | undefined
  readonly canonical: CanonicalOptions
  readonly ignoredFields: ReadonlySet<string>
  readonly keptFields: ReadonlySet<string>
  readonly ignoredHeaders: ReadonlySet<string>
  readonly policy: StorePolicy | undefined
  readonly prices: readonly PriceRule[] | false
  readonly replay: ReplayOptions
  readonly readDeadline: number
  readonly flightDeadline: number
  readonly invalidationDelay: number
  readonly logger: Logger | undefined
  readonly clock: Clock
}

const names = [
  'store',
  'ttl',
  'stale',
  'namespace',
  'scope',
  'maxMemoryBytes',
  'maxEntryBytes',
  'compressAbove',
  'encryption',
  'key',
  'policy',
  'prices',
  'replay',
  'readDeadline',
  'flightDeadline',
  'invalidationDelay',
  'logger',
  'clock',
]
const keyNames = ['longText', 'ignore', 'keep', 'ignoreHeaders', 'fold']

const foldings: Readonly<Record<TextFolding, (text: string) => string>> = {
  'white-space': (text) => text.trim().replaceAll(/\s+/gu, ' '),
  'unicode-form': (text) => text.normalize('NFC'),
  'letter-case': (text) => text.toLowerCase(),
}

/**
 * The options, checked and whole.
 * @throws {InvalidOptionError} that names the first option which is unknown or has a value that cannot be
 */
export function readOptions(given: CacheOptions): Settings {
  assertKnown('', given, names)
  const key: KeyOptions = given.key ?? {}
  assertKnown('key.', key, keyNames)
  if (given.store !== undefined) assertStore('store', given.store)
  const { policy, logger, clock, replay } = given
  if (policy !== undefined && typeof policy !== 'function') throw new InvalidOptionError('policy', policy, 'a function')
  if (logger !== undefined && logger !== false && !hasMethods(logger, ['warn', 'info'])) {
    throw new InvalidOptionError('logger', logger, 'an object with warn() and info(), or false')
  }
  if (clock !== undefined && !hasMethods(clock, ['now', 'monotonic', 'after'])) {
    throw new InvalidOptionError('clock', clock, 'an object with now(), monotonic() and after()')
  }
  assertKnown('replay.', replay ?? {}, ['delay'])
  if (replay?.delay !== undefined && typeof replay.delay !== 'function')
    throw new InvalidOptionError('replay.delay', replay.delay, 'a function')
  const { prices } = given
  if (prices !== undefined && prices !== false && !Array.isArray(prices))
    throw new InvalidOptionError('prices', prices, 'an array of price rules, or false')
  return {
    store: given.store,
    ttl: readTtl(given.ttl ?? '1h'),
    stale: millisecondsOrNone('stale', given.stale ?? 0),
    namespace: text('namespace', given.namespace ?? ''),
    scope: given.scope === undefined ? undefined : text('scope', given.scope),
    maxMemoryBytes: bytes('maxMemoryBytes', given.maxMemoryBytes ?? 64 * 2 ** 20, 0),
    maxEntryBytes: bytes('maxEntryBytes', given.maxEntryBytes ?? 8 * 2 ** 20, 1),
    compressAbove: given.compressAbove === Infinity ? Infinity : bytes('compressAbove', given.compressAbove ?? 1024, 0),
    encryption: given.encryption,
    canonical: readCanonical(key),
    ignoredFields: new Set(texts('key.ignore', key.ignore ?? [])),
    keptFields: new Set(texts('key.keep', key.keep ?? [])),
    ignoredHeaders: new Set(texts('key.ignoreHeaders', key.ignoreHeaders ?? []).map((name) => name.toLowerCase())),
    policy,
    prices: prices ?? [],
    replay: replay ?? {},
    readDeadline: milliseconds('readDeadline', given.readDeadline ?? '100ms'),
    flightDeadline: milliseconds('flightDeadline', given.flightDeadline ?? '15m'),
    invalidationDelay: millisecondsOrNone('invalidationDelay', given.invalidationDelay ?? '1s'),
    logger: logger === false ? undefined : (logger ?? console),
    clock: clock ?? systemClock,
  }
}

function readTtl(given: NonNullable<CacheOptions['ttl']>): (operation: string) => number {
  if (typeof given !== 'object') {
    const every = milliseconds('ttl', given)
    return () => every
  }
  if (given === null || Array.isArray(given))
    throw new InvalidOptionError('ttl', given, 'a duration, or an object of operation to duration')
  const byOperation = new Map(Object.entries(given).map(([operation, ttl]) => [operation, milliseconds(`ttl.${operation}`, ttl)]))
  const otherwise = byOperation.get('default') ?? milliseconds('ttl', '1h')
  return (operation) => byOperation.get(operation) ?? otherwise
}

function readCanonical(key: KeyOptions): CanonicalOptions {
  const longText = bytes('key.longText', key.longText ?? 1000, 64)
  const folds = texts('key.fold', key.fold ?? []).map((name) => {
    const folding = Object.hasOwn(foldings, name) ? Reflect.get(foldings, name) : undefined
    if (folding === undefined) throw new InvalidOptionError('key.fold', name, Object.keys(foldings).join(', '))
    return folding
  })
  return folds.length === 0 ? { longText } : { longText, text: (value) => folds.reduce((folded, fold) => fold(folded), value) }
}

function assertKnown(prefix: string, given: object, known: readonly string[]): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new InvalidOptionError(prefix.replace(/\.$/, '') || 'options', given, `an object with ${known.join(', ')}`)
  }
  for (const name of Object.keys(given)) {
    if (!known.includes(name))
      throw new InvalidOptionError(prefix + name, Reflect.get(given, name), `one of the options ${known.join(', ')}`)
  }
}

function hasMethods(value: unknown, methods: readonly string[]): boolean {
  return typeof value === 'object' && value !== null && methods.every((method) => typeof Reflect.get(value, method) === 'function')
}

function bytes(option: string, given: unknown, least: number): number {
  if (typeof given === 'number' && Number.isSafeInteger(given) && given >= least) return given
  throw new InvalidOptionError(option, given, `a whole number from ${least}`)
}

function text(option: string, given: unknown): string {
  if (typeof given === 'string' && given.isWellFormed()) return given
  throw new InvalidOptionError(option, given, 'a text without lone surrogates')
}

function texts(option: string, given: unknown): readonly string[] {
  if (Array.isArray(given) && given.every((item): item is string => typeof item === 'string')) return given
  throw new InvalidOptionError(option, given, 'an array of texts')
}
