/**
 * How options are called where they are given: a mistake is told by the name that its reader has written.
 * @module
 */

/** The option that each variable gives. */
export const optionOf: Readonly<Record<string, string>> = {
  PORT: 'server.port',
  SERVICE_PORT: 'server.port',
  HOST: 'server.host',
  LLMEMO_WORKERS: 'server.workers',
  LLMEMO_UPSTREAM_OPENAI: 'upstreams.openai',
  LLMEMO_UPSTREAM_ANTHROPIC: 'upstreams.anthropic',
  LLMEMO_UPSTREAM_BEDROCK: 'upstreams.bedrock',
  LLMEMO_UPSTREAM_GEMINI: 'upstreams.gemini',
  LLMEMO_UPSTREAMS: 'upstreams',
  LLMEMO_PRIVATE_HOSTS: 'privateHosts',
  AWS_REGION: 'awsRegion',
  AWS_DEFAULT_REGION: 'awsRegion',
  NATS_URL: 'nats.url',
  LLMEMO_RATE_KEY: 'access.keyRate',
  LLMEMO_RATE_TENANT: 'access.tenantRate',
  LLMEMO_WRONG_KEYS: 'access.wrongKeys',
  LLMEMO_PROXIES: 'access.proxies',
  LLMEMO_CORS_ORIGINS: 'access.origins',
  LLMEMO_JWT_JWKS: 'access.jwt.jwks',
  LLMEMO_JWT_ISSUER: 'access.jwt.issuer',
  LLMEMO_JWT_AUDIENCE: 'access.jwt.audience',
  LLMEMO_JWT_TENANT_CLAIM: 'access.jwt.tenantClaim',
  LLMEMO_JWT_ROLES_CLAIM: 'access.jwt.rolesClaim',
}

/** What was given where. */
interface Given {
  readonly flags: Readonly<Record<string, unknown>>
  readonly env: Readonly<Record<string, string | undefined>>
}

/** A mistake in an option, with the flag or the variable that gave it, or that would. @param mistake `server.port: must be …` */
export function withGivenName(mistake: string, { flags, env }: Given): string {
  const [place = ''] = mistake.split(':', 1)
  const flag = /^server\.(port|host|workers)$/.exec(place)?.[1]
  const isFlag = flag !== undefined && Object.hasOwn(Object(flags['server']), flag)
  const variables = Object.keys(optionOf).filter((name) => place === optionOf[name] || place.startsWith(`${optionOf[name]}.`))
  const isNeeded = mistake.endsWith(': is needed')
  // The longest option that it is in: `upstreams.openai` before `upstreams`.
  const named = variables.filter((name) => isNeeded || (env[name] ?? '') !== '').toSorted(byOption)[0]
  const name = isFlag ? `--${flag}` : named
  return name === undefined ? mistake : `${name}: ${mistake.slice(place.length + 2)} (${place})`
}

function byOption(first: string, second: string): number {
  return (optionOf[second] ?? '').length - (optionOf[first] ?? '').length
}
