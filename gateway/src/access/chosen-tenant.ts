/**
 * The tenant of a request, where its caller may choose one.
 * @module
 */
import type { Caller } from '../caller.ts'
import { tenantName } from '../config/access-settings.ts'
import { type Credentials, peerOf } from './address.ts'
import { Refused } from './refused.ts'

/**
 * The caller with the tenant that `x-tenant-id` names. An admin without a tenant may name any, and so may a named proxy; everybody else only
 * its own.
 * @throws {Refused} for a tenant that the caller may not name
 */
export function withChosenTenant(caller: Caller, { headers, connection }: Credentials, proxies: readonly string[]): Caller {
  const tenant = headers.get('x-tenant-id')
  if (tenant === null || tenant === caller.tenant) return caller
  const isProxy = proxies.includes(peerOf(connection) ?? '')
  const isAdminOfAll = caller.tenant === undefined && caller.roles.has('admin')
  if (!isProxy && !isAdminOfAll) {
    throw new Refused({
      status: 403,
      reason: 'tenant',
      detail: 'The tenant is that of your key. Only an admin may name another one by x-tenant-id.',
    })
  }
  if (!tenantName.safeParse(tenant).success) {
    throw new Refused({
      status: 403,
      reason: 'tenant',
      detail: 'x-tenant-id must be a name of letters, digits, dots, hyphens and underscores.',
    })
  }
  return { ...caller, tenant }
}
