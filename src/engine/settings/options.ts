/**
 * The options of a cache: what they are, what they default to, and what is refused.
 * @module
 */
import { type DefinedEndpoint, type EndpointParts, partsOf } from '../../providers/define-endpoint.ts'
import { type Clock, systemClock } from '../../clock.ts'
import { type EncryptionOptions } from '../../codec/encryption.ts'
import { type Duration, milliseconds, millisecondsOrNone } from '../../duration.ts'
import { Description, InvalidOptionError } from '../../errors.ts'
import { type Recordings, recordingsOf } from '../../key/recordings.ts'
import { assertKnown, text, withMethods } from '../../base/option-checks.ts'
import { assertStore, type Store } from '../../store.ts'
import { AmbientOptions } from './ambient-options.ts'
import { type Freshness, freshnessNames, type FreshnessOptions, readFreshness } from './freshness.ts'
import { hiddenEncryption } from './hidden-encryption.ts'
import { type KeyOptions, type KeySettings, readKeyOptions } from './key-options.ts'
import type { Logger } from './logger.ts'
import { forRecordings } from './recorded.ts'
import { readSizes, sizeNames, type SizeOptions, type Sizes } from './sizes.ts'
import { readSwitches, readUsage, type ShownUsage, type Switches, switchNames, type SwitchOptions } from './switches.ts'
import { optionWarnings } from './warnings.ts'
import type { StorePolicy } from './policy.ts'
import type { PriceRule } from '../pricing/price-book.ts'

export type { Logger } from './logger.ts'

/** What is known of a call when its scope is asked for. */
export interface ScopedCall {
  /** `openai`, `anthropic` or `aws-bedrock`. */
  readonly provider: string
  /** `chat.completions`, `messages`, `converse`… */
  readonly endpoint: string
  readonly operation: string
  /** The request's body. It must not be changed. */
  readonly request: Readonly<Record<string, unknown>>
  /** As given by the caller. */
  readonly context: unknown
  readonly tags: readonly string[]
}

/** The scope of a call. */
export type ScopeOfCall = (call: ScopedCall) => string

/** How a stored stream is served. */
export interface ReplayOptions {
  /** Waited for before each event; `index` counts from 0. @default none: all events are there at once */
  readonly delay?: (index: number) => Promise<void>
}

/** The options of {@link createCache}. */
export interface CacheOptions extends FreshnessOptions, SizeOptions, SwitchOptions {
  /** The shared tier behind the hot memory: `sqliteStore('answers.db')`, or a store of your own. @default none */
  readonly store?: Store
  /** Keeps the entries of two applications in one store apart. @default '' */
  readonly namespace?: string
  /**
   * Whose answers these are, for every call that names no scope of its own: a text, or a function of the call. A call for which the function
   * throws or gives no text is not cached. @default a digest of the client's static credential
   */
  readonly scope?: string | ScopeOfCall
  /** Whether a call without a scope, of its own or of the cache, is an error. @default false */
  readonly requireScope?: boolean
  /** Seals entries in the store by AES-256-GCM, and hides their names. @default none */
  readonly encryption?: EncryptionOptions
  /** How keys are made. */
  readonly key?: KeyOptions
  /** Endpoints of your own that calls through `cachingFetch` may go to, made by `defineEndpoint`. @default [] */
  readonly endpoints?: readonly DefinedEndpoint[]
  /** Decides which answers are stored. @default complete and successful ones */
  readonly policy?: StorePolicy
  /** Prices of your own, asked before the built-in table; `false` for no money at all. @default [] */
  readonly prices?: readonly PriceRule[] | false
  /**
   * Whether a ledger of savings is kept by day, scope, operation and model, for `cache.savings()`: in the store if it adds up numbers, as
   * Redis, DynamoDB and SQLite do, else in this process; with encryption, in this process. @default false
   */
  readonly savings?: boolean
  /**
   * `'miss'`: for each miss, the logger gets one line that says why it was one: never seen, expired 3 m ago, invalidated by which label,
   * evicted, of another scope, or nearly the same as another request but for `temperature`. It shows no prompt and no answer, and knows what
   * this process has seen. The environment variable `LLMEMO_DEBUG` goes before it. @default none
   */
  readonly debug?: 'miss'
  /** How a stored stream is served. */
  readonly replay?: ReplayOptions
  /**
   * Whether a streamed chat or legacy completion asks the provider for its usage even if the caller does not, so that it has a price and
   * answers calls without `stream`. The caller gets the chunks as without it. `'auto'`: of api.openai.com; `true`: of every host, which
   * must give usage only on request. @default 'auto'
   */
  readonly streamUsage?: 'auto' | boolean
  /**
   * How long a read of the store may take before it counts as a miss. Beyond 16 keys, each key adds a hundredth of it. @default '100ms'
   */
  readonly readDeadline?: Duration
  /** How long the first read of the store may take: it waits for the connection. @default '1s' */
  readonly firstReadDeadline?: Duration
  /** How long one upstream call may go on being shared and recorded. @default '15m' */
  readonly flightDeadline?: Duration
  /**
   * Whether memory answers only while the store says what was invalidated. Without it, memory goes on to answer while the store cannot be
   * read, and does not see what other processes invalidate meanwhile. @default false
   */
  readonly requireStore?: boolean
  /** How soon this process heeds an invalidation by another process, at the latest. With 0, each hit asks the store. @default '1s' */
  readonly invalidationDelay?: Duration
  /**
   * Whether one process at a time asks the provider for an answer that several want, while the others wait until it is stored, streams
   * included. Needs a store with leases: Redis, DynamoDB, SQLite. If that process fails, each of the others asks. @default false
   */
  readonly sharedFlights?: boolean
  /** After how long other processes stop waiting for one that died while it asked; after twelve times that in any case. @default '10s' */
  readonly leaseTtl?: Duration
  /** Where one line goes for each change of state; `false` for nowhere. @default console */
  readonly logger?: Logger | false
  /** Where the time comes from. @default the machine's clock */
  readonly clock?: Clock
}

/** The options, checked and whole. Durations are milliseconds. */
export interface Settings extends Freshness, Sizes, KeySettings {
  /** What holds for all calls. */
  readonly switches: Switches
  readonly usage: ShownUsage
  readonly store: Store | undefined
  /** What the store offers as one of recordings for tests. */
  readonly recordings: Recordings | undefined
  readonly namespace: string
  readonly scope: string | undefined
  /** Gives the scope of each call in place of `scope`. */
  readonly scopeOfCall: ScopeOfCall | undefined
  readonly requireScope: boolean
  readonly requireStore: boolean
  readonly encryption: EncryptionOptions | undefined
  readonly endpoints: readonly EndpointParts[]
  /** The options of the calls that the running code makes. */
  readonly ambient: AmbientOptions
  readonly policy: StorePolicy | undefined
  readonly prices: readonly PriceRule[] | false
  readonly savings: boolean
  readonly debug: 'miss' | undefined
  readonly replay: ReplayOptions
  readonly streamUsage: 'auto' | boolean
  readonly readDeadline: number
  readonly firstReadDeadline: number
  readonly flightDeadline: number
  readonly invalidationDelay: number
  readonly sharedFlights: boolean
  readonly leaseTtl: number
  readonly logger: Logger | undefined
  readonly clock: Clock
  /** What to log at once: options that are probably not what the user meant. */
  readonly warnings: readonly string[]
}

const names = [
  'store',
  ...freshnessNames,
  ...sizeNames,
  ...switchNames,
  'namespace',
  'scope',
  'requireScope',
  'requireStore',
  'encryption',
  'key',
  'endpoints',
  'policy',
  'prices',
  'savings',
  'debug',
  'replay',
  'streamUsage',
  'readDeadline',
  'firstReadDeadline',
  'flightDeadline',
  'invalidationDelay',
  'sharedFlights',
  'leaseTtl',
  'logger',
  'clock',
]

/**
 * The options, checked and whole.
 * @throws {InvalidOptionError} that names the first option which is unknown or has a value that cannot be
 */
export function readOptions(options: CacheOptions): Settings {
  assertNoStore(options)
  assertKnown('', options, names)
  if (options.store !== undefined) assertStore('store', options.store)
  const recordings = recordingsOf(options.store)
  const given = forRecordings(options, recordings)
  // By defaults and not by `??`: null is a mistake, and encryption that is null must not mean none.
  const { store, namespace = '', scope, encryption, key = {}, policy, prices = [], replay = {} } = given
  const {
    readDeadline = '100ms',
    firstReadDeadline = '1s',
    flightDeadline = '15m',
    invalidationDelay = '1s',
    logger = console,
    clock = systemClock,
  } = given
  const { sharedFlights = false, leaseTtl = '10s' } = given
  assertKnown('replay.', replay, ['delay'])
  if (policy !== undefined && typeof policy !== 'function') throw new InvalidOptionError('policy', policy, 'a function')
  if (replay.delay !== undefined && typeof replay.delay !== 'function') {
    throw new InvalidOptionError('replay.delay', replay.delay, 'a function')
  }
  if (prices !== false && !Array.isArray(prices)) throw new InvalidOptionError('prices', prices, 'an array of price rules, or false')
  return {
    store,
    ...readFreshness(given),
    ...readSizes(given),
    switches: readSwitches(given, recordings),
    usage: readUsage(given.usage),
    recordings,
    namespace: text('namespace', namespace),
    ...readScope(scope),
    requireScope: readFlag('requireScope', given.requireScope),
    requireStore: readFlag('requireStore', given.requireStore),
    encryption: hiddenEncryption(encryption),
    ...readKeyOptions(key),
    endpoints: readEndpoints(given.endpoints),
    ambient: new AmbientOptions(),
    policy,
    prices,
    savings: readFlag('savings', given.savings),
    debug: readDebug(given.debug),
    replay,
    streamUsage: readStreamUsage(given.streamUsage),
    readDeadline: milliseconds('readDeadline', readDeadline),
    firstReadDeadline: milliseconds('firstReadDeadline', firstReadDeadline),
    flightDeadline: milliseconds('flightDeadline', flightDeadline),
    invalidationDelay: millisecondsOrNone('invalidationDelay', invalidationDelay),
    sharedFlights: readSharedFlights(sharedFlights, store),
    leaseTtl: milliseconds('leaseTtl', leaseTtl),
    logger:
      logger === false
        ? undefined
        : withMethods('logger', logger, { methods: ['warn', 'info'], allowed: 'an object with warn() and info(), or false' }),
    clock: withMethods('clock', clock, {
      methods: ['now', 'monotonic', 'after'],
      allowed: 'an object with now(), monotonic() and after()',
    }),
    warnings: optionWarnings(given),
  }
}

/** A store or a cache in place of the options would be taken for options that are misspelt. */
function assertNoStore(given: unknown): void {
  const has = (...methods: string[]): boolean => methods.every((method) => typeof Reflect.get(Object(given), method) === 'function')
  const isStore = has('get', 'set', 'delete') && typeof Reflect.get(Object(given), 'name') === 'string'
  if (!isStore && !has('get', 'lookup', 'stats')) return
  const what = isStore ? 'a store' : 'a cache'
  throw new InvalidOptionError('options', new Description(what), 'an object of options: { store }')
}

/** The environment's variable goes before the option: it is set for one run. */
function readDebug(given: unknown): 'miss' | undefined {
  const wanted = globalThis.process?.env?.['LLMEMO_DEBUG'] ?? ''
  if (wanted !== '' && wanted !== 'miss') throw new InvalidOptionError('LLMEMO_DEBUG', wanted, ['miss'])
  if (given !== undefined && given !== 'miss') throw new InvalidOptionError('debug', given, ['miss'])
  return wanted === 'miss' ? 'miss' : given
}

function readEndpoints(given: unknown = []): readonly EndpointParts[] {
  const parts = Array.isArray(given) ? given.map(partsOf) : [undefined]
  if (parts.every((each) => each !== undefined)) return parts
  throw new InvalidOptionError('endpoints', given, 'a list of endpoints made by defineEndpoint()')
}

function readStreamUsage(given: unknown = 'auto'): 'auto' | boolean {
  if (given === 'auto' || typeof given === 'boolean') return given
  throw new InvalidOptionError('streamUsage', given, "'auto', true or false")
}

function readScope(scope: unknown): Pick<Settings, 'scope' | 'scopeOfCall'> {
  if (typeof scope === 'function') return { scope: undefined, scopeOfCall: (call) => Reflect.apply(scope, undefined, [call]) }
  return { scope: scope === undefined ? undefined : text('scope', scope), scopeOfCall: undefined }
}

function readFlag(option: string, given: unknown = false): boolean {
  if (typeof given === 'boolean') return given
  throw new InvalidOptionError(option, given, 'true or false')
}

function readSharedFlights(given: unknown, store: Store | undefined): boolean {
  const possible = store?.lease !== undefined && store.release !== undefined
  if (typeof given === 'boolean' && (possible || !given)) return given
  throw new InvalidOptionError('sharedFlights', given, possible ? 'true or false' : 'false, or true along with a store that has leases')
}
