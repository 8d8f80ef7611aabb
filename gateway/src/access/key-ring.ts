/**
 * The API keys in a store, by their digests: the keys themselves are kept nowhere.
 * @module
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { Clock, Store } from 'llmemo'
import { z } from 'zod'
import type { Role } from '../caller.ts'
import { rate, tenantName } from '../config/access-settings.ts'
import { GatewayError } from '../errors.ts'
import { digestOf, makeApiKey } from './api-key.ts'

const record = z.object({
  /** By which people name the key. */
  id: z.string(),
  digest: z.string(),
  roles: z.array(z.enum(['read', 'write', 'admin'])),
  tenant: tenantName.optional(),
  rate: rate.optional(),
  /** Milliseconds since the epoch. */
  createdAt: z.number(),
  /** Milliseconds since the epoch. */
  expiresAt: z.number().optional(),
})

/** What is kept of a key. */
export type KeyRecord = z.output<typeof record>

/** What a new key may do. */
export interface NewKey {
  readonly roles: readonly Role[]
  /** @default none, which only the role admin may */
  readonly tenant?: string
  /** `600/m` @default none of its own */
  readonly rate?: string
  /** Milliseconds for which it is valid. @default for ever */
  readonly validFor?: number
}

/** No name of a cache begins so: those have `llmemo/`. */
const prefix = 'llmemo-gateway/keys/'
/** Says that there was a key once. It stays when the last one is revoked, so that a gateway is never open again by itself. */
const marker = 'llmemo-gateway/has-keys'
/** Milliseconds for which the store keeps a key without an expiry: ten years. */
const forEver = 10 * 366 * 86_400_000

/** The keys in one store. */
export class KeyRing {
  readonly #store: Store
  readonly #clock: Clock

  constructor(store: Store, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /**
   * Makes a key. It is shown here and never again.
   * @throws {GatewayError} for a key that could not be used
   */
  async create({ roles, tenant, rate: ownRate, validFor }: NewKey): Promise<{ readonly key: string; readonly record: KeyRecord }> {
    if (roles.length === 0) throw new GatewayError('KEY_STORE', 'a key needs a role: read, write or admin.')
    if (tenant === undefined && !roles.includes('admin')) {
      throw new GatewayError('KEY_STORE', 'a key without the role admin needs a tenant, whose answers it may see.')
    }
    const key = makeApiKey()
    const now = this.#clock.now()
    const made = record.safeParse({
      id: randomBytes(6).toString('hex'),
      digest: digestOf(key),
      roles,
      createdAt: now,
      ...(tenant !== undefined && { tenant }),
      ...(ownRate !== undefined && { rate: ownRate }),
      ...(validFor !== undefined && { expiresAt: now + validFor }),
    })
    if (!made.success)
      throw new GatewayError('KEY_STORE', made.error.issues.map(({ path, message }) => `${path.join('.')} ${message}.`).join(' '))
    await this.#store.set(prefix + made.data.digest, encode(made.data), { ttl: validFor ?? forEver })
    await this.#store.set(marker, encode({}), { ttl: forEver })
    return { key, record: made.data }
  }

  /** The key with this digest; `undefined` if there is none, or no longer. */
  async find(digest: string): Promise<KeyRecord | undefined> {
    const found = decode(await this.#store.get(prefix + digest))
    if (found?.digest.length !== digest.length || !timingSafeEqual(Buffer.from(found.digest), Buffer.from(digest))) return undefined
    return isValid(found, this.#clock.now()) ? found : undefined
  }

  /** All keys, the oldest first. @throws {GatewayError} if the store cannot list its keys */
  async list(): Promise<KeyRecord[]> {
    if (this.#store.keys === undefined) throw new GatewayError('KEY_STORE', 'this store cannot list its keys.')
    const records: KeyRecord[] = []
    for await (const name of this.#store.keys(prefix)) {
      const found = decode(await this.#store.get(name))
      if (found !== undefined && isValid(found, this.#clock.now())) records.push(found)
    }
    return records.toSorted((first, second) => first.createdAt - second.createdAt)
  }

  /** Revokes a key. @returns whether there was one with this id */
  async revoke(id: string): Promise<boolean> {
    const found = (await this.list()).find((each) => each.id === id)
    if (found !== undefined) await this.#store.delete(prefix + found.digest)
    return found !== undefined
  }

  /** Whether there is or was a key. */
  async hasAny(): Promise<boolean> {
    return ((await this.#store.get(marker)) ?? undefined) !== undefined
  }
}

/** Whether a key is still valid. */
export function isValid({ expiresAt = Infinity }: KeyRecord, now: number): boolean {
  return now < expiresAt
}

function encode(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
}

function decode(bytes: Uint8Array | undefined): KeyRecord | undefined {
  if (bytes === undefined || bytes === null) return undefined
  try {
    return record.parse(JSON.parse(new TextDecoder().decode(bytes)))
  } catch {
    // Damaged, or of a later version: a key that cannot be read opens nothing.
    return undefined
  }
}
