/**
 * Which caller a request comes from, and whether it may ask so often.
 * @module
 */
import type { Context, MiddlewareHandler } from 'hono'
import { localAdmin } from '../caller.ts'
import { type Rate, rateIn } from '../config/access-settings.ts'
import type { GatewayContext, GatewayEnv } from '../context.ts'
import { withChosenTenant } from './chosen-tenant.ts'
import { Doorkeeper, type Known } from './doorkeeper.ts'
import { assertLocal } from './open-gateway.ts'
import { Rates } from './rates.ts'
import { Refused } from './refused.ts'

export type { Credentials } from './address.ts'

/** Puts the caller into hono's context, as `caller`. Without a configured key, this machine is the local admin. */
export function identified(context: GatewayContext): MiddlewareHandler<GatewayEnv> {
  const doorkeeper = new Doorkeeper(context)
  const rates = new Rates(context)
  const { access } = context.options
  return async (c, next) => {
    const credentials = { headers: c.req.raw.headers, connection: c.env.connection }
    const isOpen = await doorkeeper.isOpen()
    if (isOpen) assertLocal(credentials, c.req.url, access.origins)
    const known: Known = isOpen ? { caller: localAdmin } : await doorkeeper.known(credentials)
    const caller = withChosenTenant(known.caller, credentials, access.proxies)
    c.set('caller', caller)
    const told: string[][] = []
    const count = async (policy: string, name: string, text: string | undefined): Promise<void> => {
      if (text !== undefined) told.push(await counted(rates, { policy, name, rate: rateIn(text) }))
    }
    await count('key', `key ${caller.id}`, known.rate ?? (isOpen ? undefined : access.keyRate))
    if (caller.tenant !== undefined) await count('tenant', `tenant ${caller.tenant}`, access.tenantRate)
    c.set('isUncounted', told.length === 0)
    await next()
    tellRates(c, told)
  }
}

/**
 * Counts a request. @returns what `ratelimit` and `ratelimit-policy` say of it
 * Source: https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers
 * @throws {Refused} if it is one too many
 */
async function counted(rates: Rates, { policy, name, rate }: { policy: string; name: string; rate: Rate }): Promise<string[]> {
  const { used, reset } = await rates.take(name, rate)
  const told = [`"${policy}";r=${Math.max(0, rate.limit - used)};t=${reset}`, `"${policy}";q=${rate.limit};w=${rate.seconds}`]
  if (used <= rate.limit) return told
  const [left = '', quota = ''] = told
  throw new Refused({
    status: 429,
    reason: 'rate',
    detail: `Too many requests by this ${policy}. Try again in ${reset} seconds.`,
    headers: { 'retry-after': String(reset), ratelimit: left, 'ratelimit-policy': quota },
  })
}

function tellRates(c: Context<GatewayEnv>, told: readonly (readonly string[])[]): void {
  if (told.length === 0) return
  c.header('ratelimit', told.map(([left]) => left).join(', '))
  c.header('ratelimit-policy', told.map(([, quota]) => quota).join(', '))
}
