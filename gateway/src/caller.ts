/**
 * The one that asks.
 * @module
 */

/** What a caller may do. */
export type Role = 'read' | 'write' | 'admin'

/** The one that asks, as its credential says. */
export interface Caller {
  /** Whose answers it may see. @default all, which only an admin may */
  readonly tenant?: string
  readonly roles: ReadonlySet<Role>
  /** A name for the log and for rate limits; never a secret. */
  readonly id: string
  /** The headers that hold the gateway's own credential, in lower case. They are not sent upstream. @default none */
  readonly credentialHeaders?: readonly string[]
}

/** The caller where no key is configured, and the gateway listens on loopback only. */
export const localAdmin: Caller = { id: 'local', roles: new Set<Role>(['read', 'write', 'admin']) }
