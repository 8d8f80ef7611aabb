/**
 * A `fetch` through the cache for each tenant. Whose answers these are, is said by the credential; no header of the request can change it.
 * @module
 */
import { type Cache, cachingFetch, type CachingFetchOptions, type Fetch } from 'llmemo'
import type { Caller } from '../caller.ts'

/** Tenants whose `fetch` is remembered. */
const maxTenants = 1_000

/** Makes one for each tenant, and one for callers of all tenants, whose scope is that of the provider's credential. */
export class CallerFetches {
  readonly #cache: Cache
  readonly #upstream: Fetch
  readonly #shared: Fetch
  readonly #byTenant = new Map<string, Fetch>()

  /** @param upstream what the cache asks */
  constructor(cache: Cache, upstream: Fetch) {
    this.#cache = cache
    this.#upstream = upstream
    this.#shared = cachingFetch(cache, upstream)
  }

  /** The one for this caller. */
  of({ tenant }: Caller): Fetch {
    if (tenant === undefined) return this.#shared
    const known = this.#byTenant.get(tenant)
    if (known !== undefined) return known
    const made = cachingFetch(this.#cache, this.#upstream, optionsFor({ tenant }))
    if (this.#byTenant.size >= maxTenants) this.#byTenant.clear()
    this.#byTenant.set(tenant, made)
    return made
  }
}

/** What holds for the calls of a caller, whatever they ask for. */
export function optionsFor({ tenant }: Pick<Caller, 'tenant'>): CachingFetchOptions {
  return tenant === undefined ? {} : { scope: tenant }
}
