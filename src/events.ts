/**
 * All events of a cache.
 * No event holds a prompt, an answer or a secret.
 * @module
 */
import type { Source } from './call.ts'
import type { Usage } from './entry.ts'
import { InvalidOptionError } from './errors.ts'
import type { EncodeEvent, KeyEvent, ReadEvent, WriteEvent } from './tier-events.ts'

export type { EncodeEvent, KeyEvent, ReadEvent, WriteEvent } from './tier-events.ts'

/** What an event tells of the call that it is about. */
export interface CallEvent {
  /** The full key, 64 hex digits; of a value of your own the key that you gave. Empty if the call bypassed the cache before one was made. */
  readonly key: string
  /** `openai`, `anthropic` or `aws-bedrock`; empty for a value of your own. */
  readonly provider: string
  /** `chat.completions`, `messages`, `converse`…; empty for a value of your own. */
  readonly endpoint: string
  /** The model that was asked for; empty if the request names none. */
  readonly model: string
  readonly operation: string
  readonly scope: string
  /** Whether the caller asked for a stream. */
  readonly streamed: boolean
}

/**
 * What an event tells of a call and its answer. What takes time is found out when it is read, and nothing of it while nothing listens:
 * `characters`, `bytes`, `tokens` and `usd` are getters, which `JSON.stringify` and `console.log` show as well.
 */
export interface AnswerEvent extends CallEvent {
  /** The model that answered, by the provider's own answer; the one that was asked for if the answer names none. */
  readonly answered: string
  /** Characters of all texts in the request; `null` of a value of your own. */
  readonly characters: number | null
  /** The size of the answer's body; `null` if it is not known, as of a call that joined another one. */
  readonly bytes: number | null
  /** Milliseconds that the provider took for the answer when it made it; 0 if that is not known. */
  readonly latency: number
  /** The tokens that the provider counted when it made the answer; `undefined` if the answer does not say. */
  readonly usage: Usage | undefined
  /** The sum of input and output tokens; `null` if the answer does not say. */
  readonly tokens: number | null
  /** US dollars that the provider takes for such an answer; `null` if its usage or the model's price is not known. */
  readonly usd: number | null
}

/** An answer was served without a call to the provider. What it had cost is what was saved. */
export interface HitEvent extends AnswerEvent {
  readonly source: Source
  /** Whether the answer was past its TTL. */
  readonly stale: boolean
  /** Whole seconds since the answer was made. */
  readonly age: number
  /**
   * How many inputs were answered: 1, unless the call is for many, each of which is cached by itself. If the provider had to answer the rest
   * of them, the call is a miss too.
   */
  readonly inputs: number
}

/**
 * Hits that are alike, told together: within a second, before any event but `read` that comes after them, and before `cache.stats()` returns. For who
 * only counts: to be told of each hit by itself takes longer. What they had cost is what was saved.
 */
export interface HitsEvent extends CallEvent {
  readonly source: Source
  /** Whether the answers were past their TTL. */
  readonly stale: boolean
  /** How many inputs were answered: as many as there were calls, unless a call is for many inputs, each of which is cached by itself. */
  readonly inputs: number
  /** Characters of all texts in the request, which is the same for all; `null` of a value of your own. */
  readonly characters: number | null
  /** The sum of all tokens, input and output; 0 if the answer does not say. */
  readonly tokens: number
  /** Milliseconds that the provider took for the answer, for all hits together. */
  readonly latency: number
}

/**
 * In mode `shadow`, the provider gave a new answer to a call that the cache could have answered. The event tells of the stored answer: what it
 * had cost would have been saved.
 */
export interface ShadowEvent extends HitEvent {
  /** Whether both answers say the same, whatever their ids, times and counts of tokens. */
  readonly same: boolean
}

/** The provider is called. What that costs is told by `spent`. */
export interface MissEvent extends CallEvent {
  /** How many inputs the provider is asked for: 1, unless the call is for many, each of which is cached by itself. */
  readonly inputs: number
  /** Characters of all texts in the request; `null` of a value of your own. */
  readonly characters: number | null
}

/** A call neither read nor wrote the cache. */
export interface BypassEvent extends CallEvent {
  /** `no-store`, `no scope`, `not keyable`, `not cached`, or why the endpoint cannot be cached for such a request. */
  readonly reason: string
}

/**
 * A request passed through unseen: it is none of an endpoint that is known, such as one of another provider's protocol. Nothing more is known
 * of it.
 */
export interface PassEvent {
  readonly method: string
  readonly host: string
  /** The path of the URL, without its query, which may hold a key; of Bedrock the name of the command, of Gemini's client the method. */
  readonly path: string
}

/** An answer, or a value of your own, was stored. */
export interface StoreEvent extends AnswerEvent {
  readonly bytes: number
  /** Whole seconds for which it is fresh, rounded up. */
  readonly ttl: number
  readonly tags: readonly string[]
}

/** An answer, or a value of your own, was not stored. */
export interface SkipEvent extends AnswerEvent {
  /** `length`, `content_filter`, `empty`, `too large`, `invalidated`, `store failed`… */
  readonly reason: string
}

/** A call to the provider begins. Each begin is followed by one `landing`. */
export interface FlightEvent extends CallEvent {
  /** Tells the flights of one process apart. */
  readonly flight: number
}

/** A call to the provider is over. */
export interface LandingEvent extends FlightEvent {
  /** `complete`: it gave a whole answer. `failed`: it gave an error, or broke off. `cancelled`: no caller waited for it any longer. */
  readonly end: 'complete' | 'failed' | 'cancelled'
  /** The model that answered; the one that was asked for if that is not known. */
  readonly answered: string
  /** The tokens that the provider counted; `undefined` if it does not say. */
  readonly usage: Usage | undefined
  readonly milliseconds: number
}

/** The data of each event. */
export interface CacheEvents {
  /** An answer was served without a call to the provider. */
  hit: HitEvent
  /** The same answers, those that are alike together. */
  hits: HitsEvent
  /** The provider is called. */
  miss: MissEvent
  /** The provider's answer to a call is complete, and it is known what it cost. Calls that fail do not end in one. */
  spent: AnswerEvent
  /** In mode `shadow`, the stored answer was compared with a new one. */
  shadow: ShadowEvent
  /** A call neither read nor wrote the cache. */
  bypass: BypassEvent
  /** A request passed through unseen. */
  pass: PassEvent
  /** An answer was stored. */
  store: StoreEvent
  /** An answer was not stored. */
  skip: SkipEvent
  /** The key of a call was made. */
  key: KeyEvent
  /** A call to the provider begins; several calls of the cache may share it. */
  flight: FlightEvent
  /** A call to the provider is over, in whichever way. */
  landing: LandingEvent
  /** A tier was read. */
  read: ReadEvent
  /** A batch was written to the store. */
  write: WriteEvent
  /** An entry was encoded for the store. */
  encode: EncodeEvent
  /** An entry left the hot tier to make room. */
  evict: { readonly key: string }
  /** Everything under a label, such as `tag:doc:42`, was invalidated. */
  invalidate: { readonly label: string }
  /** Something in the cache failed. The call during which it happened did not. */
  error: { readonly doing: Fault; readonly error: unknown }
  /** The cache started or stopped using the store for reads or writes. */
  state: { readonly store: string; readonly side: 'read' | 'write'; readonly usable: boolean }
  /** A write was dropped because too many were waiting. */
  drop: { readonly key: string }
}

/**
 * What the cache was doing when it failed. `entry`: a stored value was damaged. `foreign`: a stored value belongs to another place, or was put
 * there by a program that may not.
 * `hook`: one of the caller's own functions threw.
 */
export type Fault = 'read' | 'write' | 'delete' | 'entry' | 'foreign' | 'hook'

type Listener<Name extends keyof CacheEvents> = (event: CacheEvents[Name]) => unknown

/** One call of `on()`: a listener that is given twice is called twice, and each registration ends by itself. */
interface Registration<Name extends keyof CacheEvents> {
  readonly listener: Listener<Name>
}

/** Passes events on to listeners. A listener that fails affects neither the cache nor other listeners. */
export class EventEmitter {
  /** No list is ever changed: a hit tells its listeners without a copy, and a listener that registers further ones makes no loop endless. */
  readonly #listeners: { [Name in keyof CacheEvents]: readonly Registration<Name>[] } = {
    hit: [],
    hits: [],
    miss: [],
    spent: [],
    shadow: [],
    bypass: [],
    pass: [],
    store: [],
    skip: [],
    key: [],
    flight: [],
    landing: [],
    read: [],
    write: [],
    encode: [],
    evict: [],
    invalidate: [],
    error: [],
    state: [],
    drop: [],
  }
  readonly #failed: (error: unknown) => void
  /** The event that is told later than it happens, and what tells it. */
  #late: keyof CacheEvents | undefined
  #tellLate: (() => void) | undefined

  /** @param failed called with each error of a listener, thrown or rejected */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed
  }

  /**
   * Calls `listener` at each event of this name.
   * @returns a function that removes the listener
   * @throws {InvalidOptionError} for an unknown event name, and for a listener that is not a function
   */
  on<Name extends keyof CacheEvents>(name: Name, listener: Listener<Name>): () => void {
    if (!Object.hasOwn(this.#listeners, name)) throw new InvalidOptionError('event', name, Object.keys(this.#listeners))
    if (typeof listener !== 'function') throw new InvalidOptionError('listener', listener, 'a function')
    const registration = { listener }
    this.#set(name, [...this.#of(name), registration])
    return () =>
      this.#set(
        name,
        this.#of(name).filter((each) => each !== registration),
      )
  }

  /** Whether anything listens to this event. What costs time to tell need not be told otherwise. */
  isHeard(name: keyof CacheEvents): boolean {
    return this.#listeners[name].length > 0
  }

  /** Calls `tell` before each event that is heard, but those of `name`; and reads, of which each look into memory may be one. */
  beforeOthers(name: keyof CacheEvents, tell: () => void): void {
    this.#late = name
    this.#tellLate = tell
  }

  /** Calls every current listener of `name`, in the order of registration. */
  emit<Name extends keyof CacheEvents>(name: Name, event: CacheEvents[Name]): void {
    if (name !== this.#late && name !== 'read' && this.isHeard(name)) this.#tellLate?.()
    for (const { listener } of this.#of(name)) this.#tell(listener, event)
  }

  #of<Name extends keyof CacheEvents>(name: Name): readonly Registration<Name>[] {
    return this.#listeners[name]
  }

  #set<Name extends keyof CacheEvents>(name: Name, registrations: readonly Registration<Name>[]): void {
    const listeners: Record<Name, readonly Registration<Name>[]> = this.#listeners
    listeners[name] = registrations
  }

  #tell<Name extends keyof CacheEvents>(listener: Listener<Name>, event: CacheEvents[Name]): void {
    try {
      const result = listener(event)
      if (isThenable(result)) Promise.resolve(result).catch(this.#failed)
    } catch (error) {
      this.#failed(error)
    }
  }
}

/** Not by `instanceof`: the promise may come from another realm or from a library. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'then') === 'function'
}
