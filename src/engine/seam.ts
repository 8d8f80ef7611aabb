/**
 * What a seam must be able to do for a call, and what it gets.
 * @module
 */
import type { CacheInfo } from '../call.ts'
import type { LookupResult } from '../lookup-result.ts'
import type { NotCachedError } from '../not-cached.ts'
import type { CachedCall } from './cached-call.ts'
import type { LaterInfo, StoreOutcome } from './cache-info.ts'
import type { NewEntry } from './draft.ts'
import type { Flights } from './flight/flights.ts'
import type { FlightReader, Recording, Upstream } from './flight/upstream.ts'

/** What the calls of one flight share. */
export interface FlightHead<Head> {
  readonly head: Head
  /** Whether it is an answer rather than an error. */
  readonly good: boolean
  readonly outcome: StoreOutcome
  /** The calls that joined the flight. They are counted at its end. */
  readonly joiners: Joiner[]
}

/** A call that joined a flight. */
export interface Joiner {
  readonly cachedCall: CachedCall
  /** Whether the flight gave it anything of the answer's body. */
  given: boolean
}

/** How the provider answered a call: with a head, or not at all. */
export type OriginResult<Head> = { readonly head: Head } | { readonly error: unknown }

/** What decides how a call fails, beside what is part of its key. */
export interface CallLimits {
  /** The client or the credential: calls with the same one fail alike. */
  readonly source: unknown
  /** The time limit that the caller set for this call alone, in milliseconds. */
  readonly timeout?: number | undefined
  /** Finds the time limit that holds for the call: its own, else that of its client. @default there is none, or the SDK itself ends the wait */
  readonly findTimeout?: () => Promise<number | undefined>
}

/** How the call that joined a flight stands to the one that started it. */
export interface Joining {
  /** Whether both have the same limits. */
  readonly alike: boolean
  /** Whether this call came when the greater part of the flight was over, so that its own limits have not been used up. */
  readonly late: boolean
}

/** A call's part in a flight. */
export interface Joined<Head, Item> {
  readonly reader: FlightReader<FlightHead<Head>, Item>
  /** Whether another call had started it. */
  readonly joined: boolean
  /** Milliseconds from the start of the flight until this call joined it. */
  readonly late: number
  /** What decides how the call fails that started the flight. */
  readonly limits: CallLimits | undefined
}

/** A flight that a call has started, for equal calls that wait before they come to the seam. */
export interface CrowdFlight<Head, Item> {
  readonly cachedCall: CachedCall
  readonly outcome: StoreOutcome
  /** Whether an equal call that begins now may join it, without asking the store. */
  readonly mayJoin: () => boolean
  /** Another reader of the answer from its beginning. It must come while another one has read nothing. */
  readonly join: () => FlightReader<FlightHead<Head>, Item>
  /** An item's size in bytes. */
  readonly size: (item: Item) => number
}

/** A part in a flight that a call had before it came to the seam. */
export interface EarlierFlight<Head, Item> {
  /** The key of the call. */
  readonly key: string
  readonly joined: Joined<Head, Item>
}

/** Equal calls that wait for one of them before they come to the seam: what they are told of its flight. */
export interface Crowd<Head, Item> {
  /** The call uses the cache: it has come to the seam, or is being looked up before that. */
  seen(): void
  /** Its flight has started. */
  started(flight: CrowdFlight<Head, Item>): void
  /** No further call may join, or there will be no flight. */
  close(): void
  /** The whole answer is there. Called before any caller sees its end. */
  landed(): void
}

/** A look-up that was made before the call came to the seam. */
export interface EarlierLookup {
  readonly found: LookupResult | undefined
  /** `Tiers.changes` from before the look-up. While it stays the same, memory holds nothing newer. */
  readonly changes: number
}

/** What a seam can do for one call. */
export interface Seam<Head, Item, Result> {
  readonly cachedCall: CachedCall
  /** The caller's own. */
  readonly signal: AbortSignal | undefined
  readonly flights: Flights<FlightHead<Head>, Item>
  /** How the provider writes a stream to this caller, if not as to others with the same key. They share an entry, and no flight. */
  readonly form?: string | undefined
  /** Finds the answer to a batch of inputs, which is stored in parts. @default one entry, by the key of `cachedCall` */
  readonly find?: () => Promise<LookupResult | undefined>
  /** Set if the entry was looked up just now. It is then not looked up again. */
  readonly earlier?: EarlierLookup | undefined
  /** Set if the call has joined a flight before it came here. It then neither looks up nor joins another one. */
  readonly joined?: Joined<Head, Item> | undefined
  /** Equal calls that wait for this one before they come here. */
  readonly crowd?: Crowd<Head, Item> | undefined
  /** Calls the provider. Writes what the call cost to `outcome` if {@link Seam.draft} does not. */
  start(signal: AbortSignal, outcome: StoreOutcome): Promise<Upstream<Head, Item>>
  /** Whether the provider is out of order, rather than the call wrong, judged by its answer or by what was thrown in place of one. */
  isOutage(said: OriginResult<Head>): boolean
  /** What decides how this call fails. @default all calls with one key fail alike */
  readonly limits?: CallLimits
  /** Whether the failure of a flight that this call has joined is none of its own. It then asks for itself. @default never */
  isOthersFailure?(said: OriginResult<Head>, joining: Joining): boolean
  /** An item's size in bytes. */
  size(item: Item): number
  /** The entry of what was recorded, or the reason why there is none; `undefined` if the answer is already stored in parts. */
  draft(recording: Recording<Head, Item>): NewEntry | string | undefined
  /** Looks at a new answer before it is stored. @returns why it is not to be stored, or `undefined` @default nothing looks at it */
  beforeStore?(draft: NewEntry): string | undefined
  /** The result of a hit; `info` makes its facts. */
  stored(found: LookupResult, info: () => CacheInfo): Result
  /** The result of a flight. */
  shared(head: Head, reader: FlightReader<FlightHead<Head>, Item>, info: LaterInfo): Result | Promise<Result>
  /** The result of a call in mode `only-if-cached` for which nothing is stored. */
  missing(info: LaterInfo, error: NotCachedError): Result
}
