/**
 * What a role lets a caller do.
 * @module
 */
import type { Caller, Role } from '../caller.ts'
import { Refused } from './refused.ts'

/** @throws {Refused} if the caller may not do this */
export function authorize(caller: Caller, role: Role | undefined, isForAll: boolean): void {
  if (role !== undefined && !caller.roles.has(role)) {
    throw new Refused({ status: 403, reason: 'role', detail: `This needs a key with the role ${role}.` })
  }
  if (isForAll && caller.tenant !== undefined) {
    throw new Refused({
      status: 403,
      reason: 'tenant',
      detail: 'This tells of all tenants, so it needs a key of an admin without a tenant.',
    })
  }
}
