/**
 * What the cache tells of calls and their answers as events. Nothing is made of it unless somebody listens.
 * @module
 */
import type { InputCounts, Source } from '../call.ts'
import type { Entry, Usage } from '../entry.ts'
import type { AnswerEvent, CallEvent, EventEmitter, HitEvent, ShadowEvent, SkipEvent, StoreEvent } from '../events.ts'
import type { Bypass } from './cached-call.ts'
import { charactersOf, type CountedCall } from './characters.ts'
import { roundDollars } from './pricing/dollars.ts'
import type { PriceBook } from './pricing/price-book.ts'
import { bytesOf } from './tiers/body-size.ts'

/** What is told of a call. A value of the user's own has no endpoint. */
export interface ToldCall extends CountedCall {
  readonly key: string
  readonly operation: string
  readonly scope: string
  readonly model: string
  readonly streamed: boolean
  readonly endpoint?: { readonly provider: string; readonly name: string }
  readonly origin?: string
  readonly inputs?: InputCounts
}

/** What is told of an answer. */
export interface ToldAnswer {
  /** The model that answered, or `''`. */
  readonly model: string
  readonly latency: number
  readonly usage: Usage | undefined
  /** The stored answer, for its size. */
  readonly entry?: Pick<Entry, 'body'> | undefined
}

/** What is told of an answer that was stored. `ttl` is in milliseconds. */
export interface ToldStored extends ToldAnswer {
  readonly bytes: number
  readonly ttl: number
  readonly tags: readonly string[]
}

/** What is told of a hit. `age` is in milliseconds. */
export interface ToldHit extends ToldAnswer {
  readonly source: Source
  readonly stale: boolean
  readonly age: number
  readonly inputs: number
}

/** Gathers hits that are told together. */
export interface GatheredHits {
  note(call: ToldCall, answer: ToldHit): void
  /** Tells of all hits until now. */
  flush(): void
}

/** Emits the events of calls. */
export class CallEvents {
  /** Hits that are told together. */
  readonly together: GatheredHits
  readonly #events: EventEmitter
  readonly #prices: PriceBook | undefined

  constructor(events: EventEmitter, prices: PriceBook | undefined, together: GatheredHits) {
    this.#events = events
    this.#prices = prices
    this.together = together
  }

  /** Whether anything listens to hits. */
  get isHitHeard(): boolean {
    return this.#events.isHeard('hit') || this.#events.isHeard('hits')
  }

  hit(call: ToldCall, answer: ToldHit): void {
    if (this.#events.isHeard('hits')) this.together.note(call, answer)
    if (this.#events.isHeard('hit')) this.#events.emit('hit', new Hit(call, answer, this.#prices))
  }

  shadow(call: ToldCall, answer: ToldHit & { readonly isSame: boolean }): void {
    if (this.#events.isHeard('shadow')) this.#events.emit('shadow', new Shadow(call, answer, this.#prices))
  }

  miss(call: ToldCall): void {
    if (this.#events.isHeard('miss')) {
      this.#events.emit('miss', { ...factsOf(call), inputs: call.inputs?.misses ?? 1, characters: charactersOf(call) })
    }
  }

  spent(call: ToldCall, answer: ToldAnswer): void {
    if (this.#events.isHeard('spent')) this.#events.emit('spent', new Answer(call, answer, this.#prices))
  }

  bypass({ reason, key = '', model = '', streamed = false, ...call }: Bypass): void {
    if (this.#events.isHeard('bypass')) this.#events.emit('bypass', { ...factsOf({ key, model, streamed, ...call }), reason })
  }

  store(call: ToldCall, answer: ToldStored): void {
    if (this.#events.isHeard('store')) this.#events.emit('store', new Stored(call, answer, this.#prices))
  }

  skip(call: ToldCall, reason: string, answer: ToldAnswer): void {
    if (this.#events.isHeard('skip')) this.#events.emit('skip', new Skip(call, { ...answer, reason }, this.#prices))
  }
}

/** What every event tells of its call. */
export function factsOf({ key, endpoint, model, operation, scope, streamed }: ToldCall): CallEvent {
  return { key, provider: endpoint?.provider ?? '', endpoint: endpoint?.name ?? '', model, operation, scope, streamed }
}

const inspect = Symbol.for('nodejs.util.inspect.custom')

/** An event about an answer. A class, as its getters then cost nothing until they are read. */
class Answer implements AnswerEvent {
  readonly key: string
  readonly provider: string
  readonly endpoint: string
  readonly model: string
  readonly operation: string
  readonly scope: string
  readonly streamed: boolean
  readonly answered: string
  readonly latency: number
  readonly usage: Usage | undefined
  readonly #call: ToldCall
  readonly #entry: Pick<Entry, 'body'> | undefined
  readonly #prices: PriceBook | undefined

  constructor(call: ToldCall, answer: ToldAnswer, prices: PriceBook | undefined) {
    const { endpoint } = call
    this.key = call.key
    this.provider = endpoint?.provider ?? ''
    this.endpoint = endpoint?.name ?? ''
    this.model = call.model
    this.operation = call.operation
    this.scope = call.scope
    this.streamed = call.streamed
    this.answered = answer.model === '' ? call.model : answer.model
    this.latency = Math.round(answer.latency)
    this.usage = answer.usage
    this.#call = call
    this.#entry = answer.entry
    this.#prices = prices
  }

  get bytes(): number | null {
    return this.#entry === undefined ? null : bytesOf(this.#entry)
  }

  get characters(): number | null {
    return charactersOf(this.#call)
  }

  get tokens(): number | null {
    return this.usage === undefined ? null : this.usage.input + this.usage.output
  }

  get usd(): number | null {
    if (this.usage === undefined || this.#prices === undefined) return null
    const { origin } = this.#call
    const facts = { provider: this.provider, model: this.answered, ...(origin !== undefined && { origin }) }
    const price = this.#prices.price(this.usage, facts)
    return price === null ? null : roundDollars(price)
  }

  toJSON(): object {
    return {
      ...Object.fromEntries(Object.entries(this)),
      characters: this.characters,
      bytes: this.bytes,
      tokens: this.tokens,
      usd: this.usd,
    }
  }

  [inspect](): object {
    return this.toJSON()
  }
}

class Hit extends Answer implements HitEvent {
  readonly source: Source
  readonly stale: boolean
  readonly age: number
  readonly inputs: number

  constructor(call: ToldCall, answer: ToldHit, prices: PriceBook | undefined) {
    super(call, answer, prices)
    this.source = answer.source
    this.stale = answer.stale
    this.age = Math.floor(answer.age / 1_000)
    this.inputs = answer.inputs
  }
}

class Shadow extends Hit implements ShadowEvent {
  readonly same: boolean

  constructor(call: ToldCall, answer: ToldHit & { readonly isSame: boolean }, prices: PriceBook | undefined) {
    super(call, answer, prices)
    this.same = answer.isSame
  }
}

class Stored extends Answer implements StoreEvent {
  readonly ttl: number
  readonly tags: readonly string[]
  readonly #bytes: number

  constructor(call: ToldCall, answer: ToldStored, prices: PriceBook | undefined) {
    super(call, answer, prices)
    this.ttl = Math.ceil(answer.ttl / 1_000)
    this.tags = answer.tags
    this.#bytes = answer.bytes
  }

  override get bytes(): number {
    return this.#bytes
  }
}

class Skip extends Answer implements SkipEvent {
  readonly reason: string

  constructor(call: ToldCall, answer: ToldAnswer & { readonly reason: string }, prices: PriceBook | undefined) {
    super(call, answer, prices)
    this.reason = answer.reason
  }
}
