/**
 * Invalidation: of what belongs to the caller, and with a look before at what would go.
 * @module
 */
import { type Cache, type CacheEntry, type EntryFilter, globMatcher, type Invalidation } from 'llmemo'
import type { z } from 'zod'
import { Refused } from '../access/refused.ts'
import { tenantName } from '../config/access-settings.ts'
import { search, shownEntry } from './entry-list.ts'
import { type Given, route } from './route.ts'
import { invalidated, invalidation } from './schemas.ts'
import { isValue, spaceOf, type TenantSpace } from '../access/tenant-space.ts'

/** Entries that a preview shows. */
const shown = 50

const description = {
  method: 'post',
  summary:
    'Declares answers or values outdated: all, those of a pattern, of tags, an operation or a model, or one. With dryRun, only tells which.',
  role: 'write',
  body: invalidated,
  answers: { 200: invalidation },
  handle: invalidate,
} as const

/** `POST /cache/invalidate`, and its other name. */
const byBody = [route({ ...description, path: '/cache/invalidate' }), route({ ...description, path: '/api/v1/cache/invalidate' })]

/** `DELETE /api/v1/cache/tenant/{tenant}`. */
const byTenant = route({
  method: 'delete',
  path: '/api/v1/cache/tenant/{tenant}',
  summary: 'Removes all that a tenant has in the cache.',
  role: 'admin',
  answers: { 200: invalidation },
  async handle({ caller, c, context: { cache } }) {
    const { success, data: tenant } = tenantName.safeParse(c.req.param('tenant'))
    if (!success || (caller.tenant !== undefined && caller.tenant !== tenant)) {
      throw new Refused({ status: 403, reason: 'tenant', detail: 'This is not the tenant of your key.' })
    }
    const complete = await invalidateTenant(cache, spaceOf({ tenant }))
    return c.json({ message: 'Everything of the tenant is outdated.', dryRun: false, complete })
  },
})

/** The routes that invalidate. */
export const invalidateRoutes = [...byBody, byTenant]

type Selected = z.output<typeof invalidated>

async function invalidate({ body, caller, c, context: { cache } }: Given<Selected, undefined>): Promise<Response> {
  const space = spaceOf(caller)
  if (body.dryRun === true) {
    const found = await search(cache, { ...selection(body, space), space, limit: shown, isCounted: true })
    const entries = found.entries.map((entry) => shownEntry(entry, space))
    return c.json({ message: 'Nothing was changed.', dryRun: true, complete: !found.isPartial, count: found.count, entries })
  }
  return c.json({ dryRun: false, ...(await carryOut(cache, body, space)) })
}

/** Declares outdated what is asked for, of what belongs to the caller. @returns what was done */
export async function carryOut(
  cache: Cache,
  body: Selected,
  space: TenantSpace,
): Promise<{ readonly message: string; readonly complete: boolean; readonly count?: number }> {
  if (body.pattern !== undefined) {
    return { message: 'Removed.', complete: true, count: await cache.delByPattern(space.patternOf(body.pattern)) }
  }
  if (body.invalidateAll === true && space.tenant !== undefined) {
    return { message: 'Everything of the tenant is outdated.', complete: await invalidateTenant(cache, space) }
  }
  // Tags, operations, models and keys are names that all tenants share. So of one tenant, its own entries are removed one by one.
  if (space.tenant !== undefined) return { message: 'Removed.', ...(await invalidateEach(cache, body, space)) }
  return { message: 'Outdated.', complete: await cache.invalidate(selectorOf(body)) }
}

async function invalidateTenant(cache: Cache, space: TenantSpace): Promise<boolean> {
  const complete = space.tenant === undefined || (await cache.invalidate({ scope: space.tenant }))
  await cache.delByPattern(space.patternOf('*'))
  return complete
}

async function invalidateEach(
  cache: Cache,
  body: Selected,
  space: TenantSpace,
): Promise<{ readonly complete: boolean; readonly count: number }> {
  const found = await search(cache, { ...selection(body, space), space, limit: Infinity })
  let complete = !found.isPartial
  for (const { key } of found.entries) complete = (await cache.invalidate({ key })) && complete
  return { complete, count: found.count }
}

function selectorOf({ tags, operation, model, key }: Selected): Invalidation {
  if (tags !== undefined) return { tags }
  if (operation !== undefined) return { operation }
  if (model !== undefined) return { model }
  return key === undefined ? { all: true } : { key }
}

/** Which entries a selector means. A pattern means values, and all others but `invalidateAll` mean answers. */
function selection(
  body: Selected,
  space: TenantSpace,
): { readonly filter: EntryFilter; readonly isWanted: (entry: CacheEntry) => boolean } {
  const { pattern, tags, operation, model, key } = body
  const filter: EntryFilter = { ...(operation !== undefined && { operation }), ...(model !== undefined && { model }) }
  if (pattern !== undefined) {
    const matches = globMatcher(pattern)
    return { filter, isWanted: (entry) => isValue(entry) && matches(space.shownKey(entry)) }
  }
  if (body.invalidateAll === true) return { filter, isWanted: () => true }
  return {
    filter,
    isWanted: (entry) =>
      !isValue(entry) && (key === undefined || entry.key === key) && (tags === undefined || tags.some((tag) => entry.tags.includes(tag))),
  }
}
