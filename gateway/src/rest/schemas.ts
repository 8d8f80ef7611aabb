/**
 * What requests to the REST API hold, and what its answers hold. They check, and they are the schemas of `GET /openapi.json`.
 * @module
 */
import { z } from 'zod'

const text = z.string()
const name = z.string().min(1).max(256)
/** Any JSON. */
const json = z.unknown().refine((value) => value !== undefined, 'must be there')
/** An object of any members. Not a record of the library's, which leaves out a member `__proto__`: two questions would then be one. */
const anyObject = z
  .custom<Readonly<Record<string, unknown>>>(
    (given) => typeof given === 'object' && given !== null && !Array.isArray(given),
    'must be an object',
  )
  .meta({ type: 'object' })
const secondsIn: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3_600, d: 86_400 }
/** Seconds. The library takes no more. */
const longestLife = 366 * 86_400
const lifeRule = 'must be above 0, at most a year'
const secondsOf = (given: string): number => Number.parseFloat(given) * (secondsIn[given.replace(/^[\d.]+/, '')] ?? 1)
const durationText = z
  .string()
  .regex(/^\d{1,9}(?:\.\d{1,3})?(?:ms|s|m|h|d)$/, "must be a duration such as '10m'")
  .refine((given) => secondsOf(given) > 0 && secondsOf(given) <= longestLife, lifeRule)
  .transform(secondsOf)
/** Seconds. */
const ttl = z
  .union([z.number().positive(lifeRule).max(longestLife, lifeRule), durationText])
  .meta({ description: 'Seconds, or a text such as 10m.' })
const count = z.int().min(0)
/** What a value's key may be: any text without control characters and lone surrogates. */
export const valueKey = z
  .string()
  .min(1)
  .max(1_024)
  .regex(/^[^\p{Cc}\p{Cs}]+$/u, 'must have no control characters and no lone surrogates')
const tags = z.array(name).max(64)

/** A request by its prompt. */
export const prompted = z.strictObject({
  prompt: text.min(1).meta({ description: 'What is asked.' }),
  context: json.optional().meta({ description: 'What else the answer depends on.' }),
  operation: name.optional().meta({ description: 'What it is for. It selects the TTL, and is part of the key.' }),
  options: anyObject.optional().meta({ description: 'Such as { "temperature": 0 }; part of the key.' }),
  model: name.optional(),
  provider: name.optional().meta({ description: 'For the price: openai, anthropic…' }),
})

/** An answer to keep. */
export const stored = prompted.extend({ response: json, ttl: ttl.optional(), tags: tags.optional() })

/** A request as a provider's client would send it. */
export const described = z.strictObject({
  provider: name.optional(),
  endpoint: name,
  body: anyObject,
  origin: text.optional(),
  headers: z.record(z.string(), z.string()).optional(),
  context: json.optional(),
  operation: name.optional(),
})

/** What is to be explained: one request, or two whose difference is asked for. */
export const explained = z.strictObject({ request: z.union([prompted, described]), other: z.union([prompted, described]).optional() })

/** A value to keep. */
export const keptValue = z.strictObject({ key: valueKey, value: json, ttl: ttl.optional() })

/** Several steps at once. */
export const batch = z.strictObject({
  operations: z
    .array(
      z.discriminatedUnion('op', [
        z.strictObject({ op: z.literal('get'), key: valueKey }),
        z.strictObject({ op: z.literal('set'), key: valueKey, value: json, ttl: ttl.optional() }),
        z.strictObject({ op: z.literal('delete'), key: valueKey }),
      ]),
    )
    .min(1)
    .max(1_000),
})

const selectors = ['invalidateAll', 'pattern', 'tags', 'operation', 'model', 'key'] as const

/** What to declare outdated: exactly one selector. */
export const invalidated = z
  .strictObject({
    invalidateAll: z.literal(true).optional(),
    pattern: z.string().min(1).max(1_024).optional().meta({ description: 'Values whose keys match: user:*' }),
    tags: tags.min(1).optional(),
    operation: name.optional(),
    model: name.optional(),
    key: z
      .string()
      .regex(/^[\da-f]{64}$/, 'must be the key of an answer: 64 hex digits')
      .optional(),
    dryRun: z.boolean().optional().meta({ description: 'Only tells what would be removed.' }),
  })
  .refine((given) => selectors.filter((each) => given[each] !== undefined).length === 1, `must have exactly one of ${selectors.join(', ')}`)

/** Which savings. */
export const savingsQuery = z.strictObject({
  by: z.enum(['day', 'scope', 'operation', 'model']).default('day'),
  days: z.coerce.number().int().min(1).max(400).default(30),
})

/** Which report. */
export const reportQuery = z.strictObject({ since: ttl.optional(), format: z.enum(['json', 'text', 'csv']).default('json') })

/** Which entries. */
export const entriesQuery = z.strictObject({
  operation: name.optional(),
  model: name.optional(),
  tag: name.optional(),
  search: name.optional().meta({ description: 'A text that stands in the key, operation, model, endpoint or a tag.' }),
  olderThan: ttl.optional(),
  youngerThan: ttl.optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
})

const row = z.object({ hits: count, misses: count, saved_usd: z.number(), saved_tokens: count, saved_ms: z.number() })
const rows = z.record(z.string(), row)

/** The answers. */
export const answers = {
  found: z.object({
    prompt: text,
    response: json,
    context: json,
    timestamp: z.iso.datetime(),
    cacheType: z.literal('exact'),
    cached: z.literal(true),
    cacheSource: text,
    cacheAge: count,
    cacheKey: text,
  }),
  stored: z.object({ cacheKey: text, message: text }),
  value: z.object({ key: text, value: json, ttl: count.optional() }),
  kept: z.object({ key: text, message: text }),
  deleted: z.object({ key: text, deleted: z.boolean() }),
  batch: z.object({
    results: z.array(
      z.object({ op: text, key: text, found: z.boolean().optional(), value: json.optional(), stored: z.literal(false).optional() }),
    ),
  }),
  entry: z.object({
    key: text,
    tenant: text.optional(),
    provider: text,
    endpoint: text,
    operation: text,
    model: text,
    kind: text,
    tags: z.array(text),
    storedAt: z.iso.datetime(),
    age: count,
    ttl: count,
    bytes: count,
    source: text,
    content: json.optional(),
  }),
  stats: z.object({
    hits: count,
    misses: count,
    hit_rate_percent: z.number(),
    hot_cache_size: count.optional(),
    hot_cache_bytes: count.optional(),
    saved_usd: z.number(),
    saved_tokens: count,
    saved_ms: z.number(),
    by_operation: rows.optional(),
    by_model: rows.optional(),
    by_tenant: rows,
  }),
  savings: z.object({ from: text, to: text, total: row, rows }),
  explained: z.object({
    key: text.optional(),
    parts: z.record(z.string(), text).optional(),
    ttl: count.nullable().optional().meta({ description: 'Seconds for which the answer is fresh; null if there is none.' }),
    same: z.boolean().optional(),
    path: text.optional(),
    first: text.optional(),
    second: text.optional(),
  }),
  error: z.object({ error: text, errors: z.array(z.object({ pointer: text, detail: text })).optional() }),
  problem: z.object({
    type: text,
    title: text,
    status: z.int(),
    detail: text,
    code: text.optional(),
    errors: z.array(z.object({ pointer: text, detail: text })).optional(),
  }),
}

/** A list of entries. */
export const entryList = z.object({ entries: z.array(answers.entry), more: z.boolean() })

/** What an invalidation did, or would do. */
export const invalidation = z.object({
  message: text,
  dryRun: z.boolean(),
  /** Whether every tier knows of it now. */
  complete: z.boolean(),
  count: count.optional().meta({ description: 'How many entries, where they were counted.' }),
  entries: z.array(answers.entry).optional().meta({ description: 'Some of them, of a dry run.' }),
})
