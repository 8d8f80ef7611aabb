/**
 * What a message asks of the cache: steps, each of which may be done again without harm.
 * @module
 */
import { type Cache, type Store, systemClock, type TextRequest } from 'llmemo'
import { applyQueuedChanges } from 'llmemo/sqs'
import { z } from 'zod'
import { spaceOf } from '../access/tenant-space.ts'
import { tenantName } from '../config/access-settings.ts'
import { LambdaEventError } from '../errors.ts'
import { keptValue, stored, valueKey } from '../rest/schemas.ts'
import type { Served } from './served.ts'

/** What steps are applied to. */
export interface Applied extends Served {
  readonly cache: Cache
  /** The store, for what `queueStore` of `llmemo/sqs` sent. @default none: such a message fails */
  readonly store?: Store | undefined
}

const name = z.string().min(1).max(256)
const selectors = ['tags', 'operation', 'model', 'scope', 'key', 'pattern', 'all'] as const
const outdated = z
  .strictObject({
    tags: z.array(name).min(1).max(64).optional(),
    operation: name.optional(),
    model: name.optional(),
    scope: name.optional(),
    key: z
      .string()
      .regex(/^[\da-f]{64}$/)
      .optional(),
    pattern: z.string().min(1).max(1_024).optional(),
    all: z.literal(true).optional(),
  })
  .refine((given) => selectors.filter((each) => given[each] !== undefined).length === 1)
/** A request to a provider's endpoint of the gateway, whose answer it keeps. */
const asked = z.strictObject({
  path: z.string().regex(/^\/(?!\/)[\w./:%~-]+$/),
  body: z.record(z.string(), z.unknown()),
  headers: z.record(z.string(), z.string()).optional(),
})

const schemas = {
  set: keptValue,
  delete: z.strictObject({ key: valueKey }),
  invalidate: outdated,
  prefill: z.union([stored, asked]),
}
const anyStep = z.looseObject({ op: z.enum(['set', 'delete', 'invalidate', 'prefill']) })
const several = z.strictObject({ tenant: tenantName.optional(), operations: z.array(anyStep).min(1).max(1_000) })
const single = anyStep.extend({ tenant: tenantName.optional() })

/** Something to do. */
export interface Step {
  /** Whether the store took it is known only after a flush. */
  readonly isWrite: boolean
  /**
   * Does it.
   * @param age seconds since it was asked for, by which a TTL is shorter
   * @returns whether it was done; of a write, whether it is on its way
   */
  run(applied: Applied, age: number): Promise<boolean>
}

/**
 * Reads a message: one step, several as `{ operations: […] }`, or what `queueStore` sent.
 * @throws {LambdaEventError} for anything else, which will not change by itself
 */
export function stepsIn(message: unknown): readonly Step[] {
  const members = z.looseObject({ llmemo: z.string() }).safeParse(message)
  if (members.success) return [{ isWrite: false, run: async ({ store }) => applyTo(store, message) }]
  const many = several.safeParse(message)
  if (many.success) return many.data.operations.map((given) => stepIn(given, many.data.tenant))
  const one = single.safeParse(message)
  if (!one.success) throw notSteps()
  const { tenant, ...given } = one.data
  return [stepIn(given, tenant)]
}

async function applyTo(store: Store | undefined, message: unknown): Promise<boolean> {
  return store !== undefined && applyQueuedChanges(store, message)
}

function stepIn({ op, ...given }: z.output<typeof anyStep>, tenant: string | undefined): Step {
  const space = spaceOf(tenant === undefined ? {} : { tenant })
  if (op === 'set') {
    const { key, value, ttl } = checked(schemas.set, given)
    return step(true, async ({ cache }, age) => within(ttl, age, async (left) => isKept(cache, space.keyOf(key), value, left)))
  }
  if (op === 'delete') {
    const { key } = checked(schemas.delete, given)
    return step(false, ({ cache }) => cache.del(space.keyOf(key)))
  }
  if (op === 'invalidate') {
    const what = checked(schemas.invalidate, given)
    // Of a tenant's values and answers only its scope is known by name; the rest would be of all tenants.
    if (tenant !== undefined) throw notSteps()
    return step(false, ({ cache }) => cache.invalidate(selectorOf(what)))
  }
  const prefill = checked(schemas.prefill, given)
  if ('path' in prefill) return step(true, (applied) => ask(applied, prefill, tenant))
  const { response, ttl, ...request } = prefill
  return step(true, async ({ cache }, age) =>
    within(ttl, age, async (left) => (await cache.store(textRequest(request, space.scope, left), response)).stored),
  )
}

function step(isWrite: boolean, run: Step['run']): Step {
  return { isWrite, run }
}

/** What is past its time already has nothing left to do. */
async function within(ttl: number | undefined, age: number, work: (left: number | undefined) => Promise<boolean>): Promise<boolean> {
  if (ttl === undefined) return work(undefined)
  return ttl <= age || work(ttl - age)
}

/** Keeps a value. @returns `false` if it is larger than an entry may be, as then it will never be kept */
async function isKept(cache: Cache, key: string, value: unknown, ttl: number | undefined): Promise<boolean> {
  let isTooLarge = false
  const end = cache.on('skip', (event) => {
    if (event.key === key && event.reason === 'too large') isTooLarge = true
  })
  try {
    await cache.set(key, value, ttl)
  } finally {
    end()
  }
  return !isTooLarge
}

async function ask({ gateway }: Applied, { path, body, headers }: z.output<typeof asked>, tenant: string | undefined): Promise<boolean> {
  const all = { 'content-type': 'application/json', ...headers, ...(tenant !== undefined && { 'x-tenant-id': tenant }) }
  // Without a connection, the gateway takes it for a request of the program itself.
  const response = await gateway.fetch(new Request(`http://localhost${path}`, { method: 'POST', headers: all, body: JSON.stringify(body) }))
  // What is kept is known at the end of a stream.
  await response.arrayBuffer()
  return response.ok
}

function selectorOf({ tags, operation, model, scope, key, pattern }: z.output<typeof outdated>): Parameters<Cache['invalidate']>[0] {
  if (tags !== undefined) return { tags }
  if (operation !== undefined) return { operation }
  if (model !== undefined) return { model }
  if (scope !== undefined) return { scope }
  if (key !== undefined) return { key }
  return pattern === undefined ? { all: true } : { pattern }
}

function textRequest(
  { prompt, context, operation, options, model, provider, tags }: Omit<z.output<typeof stored>, 'response' | 'ttl'>,
  scope: { readonly scope?: string },
  ttl: number | undefined,
): TextRequest {
  const given = { context, operation, options, model, provider, tags, ttl }
  return { prompt, ...scope, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) }
}

function checked<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  const { success, data } = schema.safeParse(given)
  if (!success) throw notSteps()
  return data
}

function notSteps(): LambdaEventError {
  return new LambdaEventError('a step, such as { op: "set", key, value }, or { operations: […] }')
}

/** Seconds from a time to now, by the machine's clock. @param then milliseconds since 1970 */
export function ageOf(then: number): number {
  const age = (systemClock.now() - then) / 1_000
  return Number.isFinite(age) ? Math.max(0, age) : 0
}
