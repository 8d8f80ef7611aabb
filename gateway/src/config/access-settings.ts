/**
 * The options that say who may ask: tokens, rates, proxies and origins. Keys are no option; they lie in the store.
 * @module
 */
import { isIP } from 'node:net'
import { z } from 'zod'

/** The name of a tenant. It is the scope of the tenant's answers. */
export const tenantName = z.string().regex(/^[A-Za-z0-9][\w.-]{0,63}$/, 'must be a name of letters, digits, dots, hyphens and underscores')

/** The name of a scope that a tenant cannot have. */
const publicScope = z.string().regex(/^public:[\w.-]{1,64}$/, 'must be a name such as public:docs')

/** So many requests in so many seconds. */
export interface Rate {
  readonly limit: number
  readonly seconds: number
}

const secondsIn: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }

/** A rate as people write it: `600/m`, with `s`, `m`, `h` or `d` after the slash. */
export const rate = z.string().regex(/^[1-9]\d{0,8}\/[smhd]$/, 'must be a rate such as 600/m')

/** What a rate says. */
export function rateIn(text: string): Rate {
  const [limit = '', unit = ''] = text.split('/')
  return { limit: Number(limit), seconds: secondsIn[unit] ?? 60 }
}

/** Algorithms with a public key. A shared secret has no place in a set of public keys. */
const algorithm = z.enum(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'])

const webUrl = z
  .string('is needed')
  .refine((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ''), 'must be a URL such as https://host/path')
const name = z.string('is needed').min(1, 'must not be empty')
const address = z.string().refine((text) => isIP(text) !== 0, 'must be an IP address')
/** As browsers send it. */
const origin = z
  .string()
  .refine((text) => URL.parse(text)?.origin === text, 'must be an origin such as https://app.example, without anything after the host')

/** Who may ask. */
export const accessSettings = z
  .strictObject({
    /** Tokens that are taken in place of keys. @default none */
    jwt: z
      .strictObject({
        /** Where the public keys of the issuer are (JWKS). */
        jwks: webUrl,
        issuer: name,
        audience: name,
        algorithms: z.array(algorithm).min(1).default(['RS256', 'PS256', 'ES256', 'EdDSA']),
        /** The claim that holds the name of the tenant. */
        tenantClaim: name.default('tenant'),
        /** The claim that holds the roles: an array, or a text with spaces between them. */
        rolesClaim: name.default('roles'),
      })
      .optional(),
    /** What one key or token may ask, unless the key has a rate of its own. @default any number */
    keyRate: rate.optional(),
    /** What one tenant may ask, by all of its keys. @default any number */
    tenantRate: rate.optional(),
    /** Wrong keys and tokens of one address, after which it is refused without a look at what it sends. */
    wrongKeys: rate.default('20/m'),
    /** Addresses of proxies in front. They may say `x-tenant-id` and `x-forwarded-for`. */
    proxies: z.array(address).default([]),
    /** Origins of web pages that may ask: `https://app.example`. */
    origins: z.array(origin).default([]),
    /**
     * Scopes whose answers anybody may read by their key, without a key of the gateway: `public:docs`. The beginning `public:` keeps them apart
     * from tenants, whose names have no colon. @default none
     */
    publicScopes: z.array(publicScope).default([]),
    /** Whether each request of the REST API is a line in the log. Refusals are in any case. */
    logRequests: z.boolean().default(false),
  })
  .prefault({})
