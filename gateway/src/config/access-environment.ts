/**
 * The variables of the environment that say who may ask.
 * @module
 */

const groups: Readonly<Record<string, (text: string) => unknown>> = {
  keyRate: String,
  tenantRate: String,
  wrongKeys: String,
  proxies: listOf,
  origins: listOf,
  publicScopes: listOf,
}

const variables: Readonly<Record<string, string>> = {
  keyRate: 'LLMEMO_RATE_KEY',
  tenantRate: 'LLMEMO_RATE_TENANT',
  wrongKeys: 'LLMEMO_WRONG_KEYS',
  proxies: 'LLMEMO_PROXIES',
  origins: 'LLMEMO_CORS_ORIGINS',
  publicScopes: 'LLMEMO_PUBLIC_SCOPES',
}

const jwtVariables: Readonly<Record<string, string>> = {
  jwks: 'LLMEMO_JWT_JWKS',
  issuer: 'LLMEMO_JWT_ISSUER',
  audience: 'LLMEMO_JWT_AUDIENCE',
  tenantClaim: 'LLMEMO_JWT_TENANT_CLAIM',
  rolesClaim: 'LLMEMO_JWT_ROLES_CLAIM',
}

/** The group `access` as far as the environment gives it, to be checked. */
export function accessVariables(env: Readonly<Record<string, string | undefined>>): Record<string, unknown> {
  const given = (names: Readonly<Record<string, string>>): [string, string][] =>
    Object.entries(names).flatMap(([option, variable]) => {
      const text = env[variable]
      return text === undefined || text === '' ? [] : [[option, text]]
    })
  const jwt = Object.fromEntries(given(jwtVariables))
  const others = given(variables).map(([option, text]) => [option, (groups[option] ?? String)(text)])
  return { ...Object.fromEntries(others), ...(Object.keys(jwt).length > 0 && { jwt }) }
}

function listOf(text: string): string[] {
  return text.split(',').map((each) => each.trim())
}
