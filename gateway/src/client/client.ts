/**
 * A client of the REST API for TypeScript: the door `llmemo-gateway/client`.
 * @module
 */
import type { z } from 'zod'
import type {
  answers,
  batch,
  entriesQuery,
  entryList,
  explained,
  invalidated,
  invalidation,
  prompted,
  savingsQuery,
  stored,
} from '../rest/schemas.ts'

/** How the gateway is reached. */
export interface GatewayClientOptions {
  /** Where it is: `http://127.0.0.1:8787`. */
  readonly url: string
  /** A key of the gateway, or a token. @default none */
  readonly apiKey?: string
  /** The tenant, where the key may choose one. @default that of the key */
  readonly tenant?: string
  /** @default the platform's own */
  readonly fetch?: typeof fetch
}

/** The gateway answered with an error. */
export class GatewayClientError extends Error {
  /** The status of the answer. */
  readonly status: number
  /** A name for programs, if there is one: `role`, `rate`. */
  readonly code: string | undefined
  /** Seconds after which it is worth another try, if the answer says so. */
  readonly retryAfter: number | undefined

  constructor(status: number, detail: string, { code, retryAfter }: { code?: string | undefined; retryAfter?: number | undefined } = {}) {
    super(`llmemo-gateway: ${detail}`)
    this.name = 'GatewayClientError'
    this.status = status
    this.code = code
    this.retryAfter = retryAfter
  }
}

/** A request by its prompt. */
export type Prompted = z.input<typeof prompted>
/** A request by its prompt, with its answer. */
export type Stored = z.input<typeof stored>
/** An answer that was found. */
export type Found = z.output<typeof answers.found>
/** What to invalidate. */
export type Invalidated = z.input<typeof invalidated>
/** What an invalidation did. */
export type InvalidationDone = z.output<typeof invalidation>
/** A step of a batch. */
export type BatchStep = z.input<typeof batch>['operations'][number]

/** A client of one gateway. Each method throws a {@link GatewayClientError} for an answer that is an error. */
export interface GatewayClient {
  /** The stored answer to a prompt, or `undefined`. */
  query(asked: Prompted): Promise<Found | undefined>
  /** Keeps an answer. @returns its key */
  store(given: Stored): Promise<z.output<typeof answers.stored>>
  /** The parts of a key, or the difference between two requests. */
  explain(asked: z.input<typeof explained>): Promise<z.output<typeof answers.explained>>
  /** The value under a key, or `undefined`. Its type is what you say it is. */
  get<Value = unknown>(key: string): Promise<Value | undefined>
  /** Keeps a value. @param ttl seconds, or a text such as `10m` */
  set(key: string, value: unknown, ttl?: number | string): Promise<void>
  /** Removes a value. @returns whether there was one */
  delete(key: string): Promise<boolean>
  /** Takes several steps at once. */
  batch(operations: readonly BatchStep[]): Promise<z.output<typeof answers.batch>['results']>
  /** Declares answers or values outdated. */
  invalidate(what: Invalidated): Promise<InvalidationDone>
  /** Removes all that a tenant has. */
  invalidateTenant(tenant: string): Promise<InvalidationDone>
  /** Hits, misses and savings since the gateway began. */
  stats(): Promise<z.output<typeof answers.stats>>
  /** Savings of the last days. */
  savings(query?: Partial<z.output<typeof savingsQuery>>): Promise<z.output<typeof answers.savings>>
  /** What is in the cache. */
  entries(query?: Partial<Record<keyof z.output<typeof entriesQuery>, string | number>>): Promise<z.output<typeof entryList>>
}

/** Makes a client. */
export function createGatewayClient({ url, apiKey, tenant, fetch: send = fetch }: GatewayClientOptions): GatewayClient {
  const base = url.replace(/\/+$/, '')
  const headers = {
    accept: 'application/json, application/problem+json',
    ...(apiKey !== undefined && { 'x-llmemo-api-key': apiKey }),
    ...(tenant !== undefined && { 'x-tenant-id': tenant }),
  }
  // What the gateway answers has the form that its schemas say.
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  const ask = async <Answer>(method: string, path: string, body?: unknown): Promise<Answer> => {
    const sent =
      body === undefined ? { headers } : { headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) }
    const response = await send(base + path, { method, ...sent })
    if (!response.ok) throw await errorOf(response)
    const answer: Answer = await response.json()
    return answer
  }
  return {
    query: (asked) => orNothing(ask('POST', '/cache/query', asked)),
    store: (given) => ask('POST', '/cache/store', given),
    explain: (asked) => ask('POST', '/cache/explain', asked),
    async get<Value>(key: string) {
      const found = await orNothing(ask<{ readonly value: Value }>('GET', valuePath(key)))
      return found?.value
    },
    async set(key, given, ttl) {
      await ask('POST', '/api/v1/cache', { key, value: given, ...(ttl !== undefined && { ttl }) })
    },
    async delete(key) {
      const { deleted } = await ask<z.output<typeof answers.deleted>>('DELETE', valuePath(key))
      return deleted
    },
    async batch(operations) {
      const { results } = await ask<z.output<typeof answers.batch>>('POST', '/api/v1/cache/batch', { operations })
      return results
    },
    invalidate: (what) => ask('POST', '/cache/invalidate', what),
    invalidateTenant: (name) => ask('DELETE', `/api/v1/cache/tenant/${encodeURIComponent(name)}`),
    stats: () => ask('GET', '/cache/stats'),
    savings: (query = {}) => ask('GET', `/cache/savings${searchOf(query)}`),
    entries: (query = {}) => ask('GET', `/cache/entries${searchOf(query)}`),
  }
}

async function orNothing<Answer>(asked: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof GatewayClientError && error.status === 404 && error.code === 'miss') return undefined
    throw error
  }
}

function valuePath(key: string): string {
  return `/api/v1/cache/${encodeURIComponent(key)}`
}

function searchOf(query: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]))
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`
}

async function errorOf(response: Response): Promise<GatewayClientError> {
  const told: unknown = await response.json().catch(() => undefined)
  const member = (name: string): string | undefined => {
    const found: unknown = typeof told === 'object' && told !== null ? Reflect.get(told, name) : undefined
    return typeof found === 'string' ? found : undefined
  }
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN)
  return new GatewayClientError(response.status, member('detail') ?? member('error') ?? `The answer has the status ${response.status}.`, {
    code: member('code'),
    ...(Number.isFinite(retryAfter) && { retryAfter }),
  })
}
