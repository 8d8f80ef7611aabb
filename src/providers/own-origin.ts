/**
 * Whether an answer is the provider's own. A gateway may speak the provider's protocol under another host, and route by fields that mean
 * nothing to the provider.
 * @module
 */
import { remembering } from '../base/memo.ts'
import { providerNamed } from './catalogue.ts'

/** Whether this base URL or region is the provider's own. */
export function isOwnOrigin(provider: string, origin: string): boolean {
  return ownOrigins(`${provider} ${origin}`)
}

/** A process has few providers and origins, so the results are remembered. */
const ownOrigins = remembering(100, (both) => {
  const [name = '', ...rest] = both.split(' ')
  const provider = providerNamed(name)
  const host = hostOf(rest.join(' '))
  // A provider without a base URL names a region instead, and only its own regions have no host.
  if (host === undefined) return provider?.origin === undefined && provider?.overFetch === false
  return provider?.hosts.some((pattern) => isHost(host, pattern)) === true
})

function isHost(host: string, pattern: string): boolean {
  const text = pattern.replaceAll('.', String.raw`\.`).replaceAll('*', '[a-z0-9-]+')
  return new RegExp(`^${text}$`).test(host)
}

/** The host in a base URL, or in an endpoint with its region and headers as JSON: `["https://localhost/","eu-west-1"]`. */
function hostOf(origin: string): string | undefined {
  if (URL.canParse(origin)) return new URL(origin).hostname
  if (!origin.startsWith('[')) return undefined
  const parts: readonly unknown[] = Object.values(Object(parsed(origin)))
  const url = parts.find((part): part is string => typeof part === 'string' && URL.canParse(part))
  return url === undefined ? '' : new URL(url).hostname
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
