/**
 * Values under keys of the callers' own.
 * @module
 */
import type { Cache } from 'llmemo'
import type { z } from 'zod'
import { authorize } from '../access/authorize.ts'
import { answerError } from '../access/problem.ts'
import { spaceOf } from '../access/tenant-space.ts'
import type { Context } from 'hono'
import type { GatewayEnv } from '../context.ts'
import { type Given, route } from './route.ts'
import { answers, batch, keptValue, valueKey } from './schemas.ts'

/** `GET /api/v1/cache/{key}`. */
const get = route({
  method: 'get',
  path: '/api/v1/cache/{key}',
  summary: 'The value under a key.',
  role: 'read',
  answers: { 200: answers.value, 404: answers.error },
  async handle({ caller, c, context: { cache } }) {
    const key = keyIn(c)
    if (key === undefined) return wrongKey(c)
    const value = await cache.get(spaceOf(caller).keyOf(key))
    if (value === undefined) return answerError(c, { status: 404, detail: 'There is no value under this key.', code: 'miss' })
    return c.json({ key, value, ttl: await cache.ttl(spaceOf(caller).keyOf(key)) })
  },
})

/** `POST /api/v1/cache`. */
const set = route({
  method: 'post',
  path: '/api/v1/cache',
  summary: 'Keeps a value under a key.',
  role: 'write',
  body: keptValue,
  answers: { 200: answers.kept, 422: answers.error },
  async handle({ body: { key, value, ttl }, caller, c, context: { cache } }) {
    if (await cache.set(spaceOf(caller).keyOf(key), value, ttl)) return c.json({ key, message: 'Stored.' })
    const detail = 'The value is too large, and was not stored. There is none under this key now.'
    return answerError(c, { status: 422, detail, code: 'not-stored' })
  },
})

/** `DELETE /api/v1/cache/{key}`. */
const remove = route({
  method: 'delete',
  path: '/api/v1/cache/{key}',
  summary: 'Removes the value under a key.',
  role: 'write',
  answers: { 200: answers.deleted },
  async handle({ caller, c, context: { cache } }) {
    const key = keyIn(c)
    if (key === undefined) return wrongKey(c)
    return c.json({ key, deleted: await removed(cache, spaceOf(caller).keyOf(key)) })
  },
})

/** `POST /api/v1/cache/batch`. */
const several = route({
  method: 'post',
  path: '/api/v1/cache/batch',
  summary: 'Up to 1000 steps in their order: get, set, delete.',
  role: undefined,
  body: batch,
  answers: { 200: answers.batch },
  async handle({ body: { operations }, caller, c, context: { cache } }) {
    // Before the first step, so that none is done if one may not be.
    for (const { op } of operations) authorize(caller, op === 'get' ? 'read' : 'write', false)
    const results: object[] = []
    for (const operation of operations) results.push(await step(operation, { cache, caller }))
    return c.json({ results })
  },
})

/** The routes for values. That for batches has a path that looks like a key's, but another method. */
export const valueRoutes = [several, set, get, remove]

type Operation = z.output<typeof batch>['operations'][number]

async function step(operation: Operation, { cache, caller }: { cache: Cache } & Pick<Given<unknown, unknown>, 'caller'>): Promise<object> {
  const { op, key } = operation
  const ownKey = spaceOf(caller).keyOf(key)
  if (op === 'set') {
    const isKept = await cache.set(ownKey, operation.value, operation.ttl)
    return isKept ? { op, key } : { op, key, stored: false }
  }
  if (op === 'delete') return { op, key, found: await removed(cache, ownKey) }
  const value = await cache.get(ownKey)
  return value === undefined ? { op, key, found: false } : { op, key, found: true, value }
}

async function removed(cache: Cache, key: string): Promise<boolean> {
  const isThere = await cache.has(key)
  await cache.del(key)
  return isThere
}

function keyIn(c: Context<GatewayEnv>): string | undefined {
  const { success, data } = valueKey.safeParse(c.req.param('key'))
  return success ? data : undefined
}

function wrongKey(c: Context<GatewayEnv>): Response {
  return answerError(c, { status: 400, detail: 'A key has 1 to 1024 characters, none of which are control characters.', code: 'invalid' })
}
