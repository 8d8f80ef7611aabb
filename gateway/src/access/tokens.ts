/**
 * Tokens (JWT) of an issuer whose public keys are at an address (JWKS).
 * @module
 */
import { createHash } from 'node:crypto'
import type { Clock } from 'llmemo'
import { createRemoteJWKSet, decodeJwt, errors, jwtVerify, type JWTPayload } from 'jose'
import type { Caller, Role } from '../caller.ts'
import { tenantName } from '../config/access-settings.ts'
import type { GatewaySettings } from '../config/settings.ts'
import { Refused } from './refused.ts'

type JwtSettings = NonNullable<GatewaySettings['access']['jwt']>

/** Milliseconds between two fetches of the keys that unknown key ids may cause, and for which fetched keys are good. */
const cooldown = 30_000
const cacheFor = 10 * 60_000

const roles: readonly Role[] = ['read', 'write', 'admin']

/** Checks tokens. */
export class Tokens {
  readonly #settings: JwtSettings
  readonly #clock: Clock
  readonly #keys: ReturnType<typeof createRemoteJWKSet>

  constructor(settings: JwtSettings, clock: Clock) {
    this.#settings = settings
    this.#clock = clock
    this.#keys = createRemoteJWKSet(new URL(settings.jwks), { cooldownDuration: cooldown, cacheMaxAge: cacheFor, timeoutDuration: 5_000 })
  }

  /** Whether a text claims to be a token of our issuer, rather than a provider's. Nothing is believed yet. */
  claims(text: string): boolean {
    if (!/^[\w-]+\.[\w-]+\.[\w-]*$/.test(text)) return false
    try {
      return decodeJwt(text).iss === this.#settings.issuer
    } catch {
      return false
    }
  }

  /**
   * The caller of a token; `undefined` for a token that is not valid.
   * @throws {Refused} if the keys cannot be had now, or a valid token says nothing that would open something
   */
  async caller(token: string): Promise<Caller | undefined> {
    const { issuer, audience, algorithms } = this.#settings
    try {
      const { payload } = await jwtVerify(token, this.#keys, {
        issuer,
        audience,
        algorithms: [...algorithms],
        // Without it, a token would be good for ever.
        requiredClaims: ['exp'],
        currentDate: new Date(this.#clock.now()),
        clockTolerance: 5,
      })
      return this.#callerIn(payload)
    } catch (error) {
      if (error instanceof Refused) throw error
      const isToken = error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout) && !(error instanceof errors.JWKSInvalid)
      // What jose throws for an answer of the key server other than 200 has no code of its own.
      if (isToken && error.code !== 'ERR_JOSE_GENERIC') return undefined
      throw new Refused({
        status: 503,
        reason: 'key-server-away',
        detail: 'The public keys for tokens cannot be had now. Try again later.',
        headers: { 'retry-after': '5' },
      })
    }
  }

  #callerIn(payload: JWTPayload): Caller {
    const { tenantClaim, rolesClaim } = this.#settings
    const given = payload[rolesClaim]
    const named: unknown[] = typeof given === 'string' ? given.split(' ') : Array.isArray(given) ? given : []
    const tenant = payload[tenantClaim]
    const found = new Set(roles.filter((role) => named.includes(role)))
    const isNamed = tenantName.safeParse(tenant).success
    if (!isNamed && !(tenant === undefined && found.has('admin'))) {
      throw new Refused({ status: 403, reason: 'tenant', detail: 'The token names no tenant that can be.' })
    }
    // A subject may be an address of a person, so the log has its digest.
    const id = `jwt:${createHash('sha256')
      .update(payload.sub ?? '')
      .digest('hex')
      .slice(0, 12)}`
    return { id, roles: withImplied(found), ...(typeof tenant === 'string' && { tenant }) }
  }
}

/** All roles that these mean: an admin may do everything. */
export function withImplied(given: ReadonlySet<Role>): ReadonlySet<Role> {
  return given.has('admin') ? new Set(roles) : given
}
