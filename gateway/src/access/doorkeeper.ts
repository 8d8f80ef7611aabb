/**
 * Says which caller a credential stands for. It remembers what it found for a short time, so that a request seldom asks the store, and a
 * store that is away locks out none that came before.
 * @module
 */
import type { Caller } from '../caller.ts'
import { rateIn } from '../config/access-settings.ts'
import type { GatewayContext } from '../context.ts'
import { addressOf, countedAddress, type Credentials } from './address.ts'
import { digestOf, isApiKey } from './api-key.ts'
import { BoundedMap } from './bounded-map.ts'
import { type Credential, credentialIn } from './credential.ts'
import { isValid, KeyRing, type KeyRecord } from './key-ring.ts'
import { Refused } from './refused.ts'
import { Tokens, withImplied } from './tokens.ts'
import { Windows } from './windows.ts'

/** A caller, and the rate of its own key. */
export interface Known {
  readonly caller: Caller
  /** `600/m` @default none of its own */
  readonly rate?: string | undefined
}

/** What was found for a digest, and when, by the monotonic clock. */
interface Remembered {
  readonly record: KeyRecord | undefined
  readonly at: number
}

/** Milliseconds for which a found key, or its absence, is good. So long may a revoked key still work. */
const goodFor = 10_000
/** Milliseconds for which a key that was found is good while the store is away. */
const goodInNeed = 15 * 60_000

/** Knows the callers of one gateway. */
export class Doorkeeper {
  readonly #context: GatewayContext
  readonly #ring: KeyRing | undefined
  readonly #tokens: Tokens | undefined
  readonly #wrong: Windows
  readonly #found = new BoundedMap<Remembered>(1_000)
  /** Apart from those found, so that wrong keys push out no right ones. */
  readonly #missing = new BoundedMap<Remembered>(1_000)
  #isClosed = false
  #askedAt = -Infinity

  constructor(context: GatewayContext) {
    this.#context = context
    const { store, clock, options } = context
    this.#ring = store && new KeyRing(store, clock)
    this.#tokens = options.access.jwt && new Tokens(options.access.jwt, clock)
    this.#isClosed = this.#tokens !== undefined
    this.#wrong = new Windows(clock)
  }

  /** How many addresses with wrong keys are remembered. */
  get remembered(): number {
    return this.#wrong.size + this.#missing.size
  }

  /** Whether there is no key yet and no tokens are taken. Looks into the store every other second. */
  async isOpen(): Promise<boolean> {
    if (this.#isClosed || this.#ring === undefined) return !this.#isClosed
    const now = this.#context.clock.monotonic()
    if (now - this.#askedAt < 2_000) return true
    try {
      this.#isClosed = await this.#ring.hasAny()
    } catch {
      throw away()
    }
    this.#askedAt = now
    return !this.#isClosed
  }

  /** The caller of a request. @throws {Refused} if it has no valid credential */
  async known(credentials: Credentials): Promise<Known> {
    const { access } = this.#context.options
    const address = countedAddress(addressOf(credentials, access.proxies) ?? '')
    const rate = rateIn(access.wrongKeys)
    // Before any work on the credential, so that guessing costs the guesser more than the gateway.
    const before = this.#wrong.used(address, rate)
    if (before.used >= rate.limit) throw tooMany(before.reset)
    const credential = credentialIn(credentials.headers, this.#tokens)
    if (credential === undefined) {
      throw new Refused({
        status: 401,
        reason: 'no-credential',
        detail: 'A key of the gateway is needed: x-llmemo-api-key, or authorization: Bearer.',
        headers: { 'www-authenticate': 'Bearer realm="llmemo-gateway"' },
      })
    }
    const known = credential.kind === 'key' ? await this.#keyHolder(credential.text) : await this.#tokenHolder(credential)
    if (known !== undefined) return { ...known, caller: { ...known.caller, credentialHeaders: credential.headers } }
    this.#wrong.add(address, rate)
    throw new Refused({
      status: 401,
      reason: 'wrong-credential',
      detail: 'The key or token is not valid, or no longer.',
      headers: { 'www-authenticate': 'Bearer realm="llmemo-gateway", error="invalid_token"' },
    })
  }

  async #tokenHolder({ text }: Credential): Promise<Known | undefined> {
    const caller = await this.#tokens?.caller(text)
    return caller && { caller }
  }

  async #keyHolder(key: string): Promise<Known | undefined> {
    if (!isApiKey(key) || this.#ring === undefined) return undefined
    const record = await this.#record(digestOf(key), this.#ring)
    if (record === undefined || !isValid(record, this.#context.clock.now())) return undefined
    const { id, roles, tenant, rate } = record
    return { caller: { id: `key:${id}`, roles: withImplied(new Set(roles)), ...(tenant !== undefined && { tenant }) }, rate }
  }

  async #record(digest: string, ring: KeyRing): Promise<KeyRecord | undefined> {
    const now = this.#context.clock.monotonic()
    const known = this.#found.get(digest) ?? this.#missing.get(digest)
    if (known !== undefined && now - known.at < goodFor) return known.record
    let record: KeyRecord | undefined
    try {
      record = await ring.find(digest)
    } catch {
      if (known?.record === undefined || now - known.at >= goodInNeed) throw away()
      this.#context.log('warn', 'key-store-away')
      return known.record
    }
    const [into, outOf] = record === undefined ? [this.#missing, this.#found] : [this.#found, this.#missing]
    into.set(digest, { record, at: now })
    outOf.delete(digest)
    return record
  }
}

function away(): Refused {
  return new Refused({
    status: 503,
    reason: 'key-server-away',
    detail: 'Keys cannot be checked now. Try again later.',
    headers: { 'retry-after': '5' },
  })
}

function tooMany(reset: number): Refused {
  return new Refused({
    status: 429,
    reason: 'too-many-wrong-credentials',
    detail: 'Too many wrong keys came from this address. Try again later.',
    headers: { 'retry-after': String(reset) },
  })
}
