/**
 * How a request wants to use the cache: by `cache-control`, by `x-llmemo-*`, and by what users of other gateways already send.
 * @module
 */
import type { CacheMode } from 'llmemo'

/** What a request asks of the cache. */
export interface Steering {
  /** The headers `x-llmemo-*`, which `cachingFetch` reads. */
  readonly options: Readonly<Record<string, string>>
  /** Seconds that a stored answer may have lived. @default any */
  readonly maxAge: number
  /** Whether an outdated answer may stand in for an outage of the provider. */
  readonly staleIfError: boolean
}

/** One header of another gateway: its name, the option that it is of, and which value it means; `undefined` if none. */
interface Alias {
  readonly header: string
  readonly option: 'mode' | 'ttl'
  readonly read: (value: string) => string | undefined
}

const when =
  (expected: string, mode: CacheMode) =>
  (value: string): string | undefined =>
    value.trim().toLowerCase() === expected ? mode : undefined
const seconds = (value: string): string | undefined => (/^\d+$/.test(value.trim()) ? value.trim() : undefined)

/** What other gateways' users send. These headers are not sent upstream. */
export const aliases: readonly Alias[] = [
  // Cloudflare AI Gateway: https://developers.cloudflare.com/ai-gateway/features/caching/
  { header: 'cf-aig-skip-cache', option: 'mode', read: when('true', 'no-store') },
  { header: 'cf-aig-cache-ttl', option: 'ttl', read: seconds },
  // Portkey: https://portkey.ai/docs/product/ai-gateway/cache-simple-and-semantic
  { header: 'x-portkey-cache-force-refresh', option: 'mode', read: when('true', 'reload') },
  // Helicone: https://docs.helicone.ai/features/advanced-usage/caching
  { header: 'helicone-cache-enabled', option: 'mode', read: when('false', 'no-store') },
  // OpenRouter: https://openrouter.ai/docs/features/response-caching
  { header: 'x-openrouter-cache', option: 'mode', read: when('false', 'no-store') },
  { header: 'x-openrouter-cache-clear', option: 'mode', read: when('true', 'reload') },
  { header: 'x-openrouter-cache-ttl', option: 'ttl', read: seconds },
  // Braintrust: https://www.braintrust.dev/docs/guides/proxy
  { header: 'x-bt-use-cache', option: 'mode', read: when('never', 'no-store') },
  { header: 'x-bt-cache-ttl', option: 'ttl', read: seconds },
]

/** Headers that the gateway reads itself, of all `x-llmemo-*`: those that are options. */
const own = ['ttl', 'operation', 'tags', 'scope', 'variant', 'mode', 'context']

/** What the headers of a request ask of the cache: `x-llmemo-*` before `cache-control`, and that before the headers of other gateways. */
export function steeringOf(headers: Headers): Steering {
  const asked = new Map<string, string>()
  for (const { header, option, read } of aliases) {
    const value = read(headers.get(header) ?? '')
    if (value !== undefined && !asked.has(option)) asked.set(option, value)
  }
  const directives = directivesIn(headers.get('cache-control'))
  const mode = modeOf(directives)
  if (mode !== undefined) asked.set('mode', mode)
  for (const option of own) {
    const value = headers.get(`x-llmemo-${option}`)
    if (value !== null) asked.set(option, value)
  }
  return {
    options: Object.fromEntries(Array.from(asked, ([option, value]) => [`x-llmemo-${option}`, value])),
    maxAge: secondsIn(directives.get('max-age')) ?? Number.POSITIVE_INFINITY,
    staleIfError: (secondsIn(directives.get('stale-if-error')) ?? 0) > 0,
  }
}

/** Removes what only steers the cache. */
export function withoutSteering(headers: Headers): void {
  for (const { header } of aliases) headers.delete(header)
}

/** Source: https://www.rfc-editor.org/rfc/rfc9111#section-5.2.1 */
function modeOf(directives: ReadonlyMap<string, string>): CacheMode | undefined {
  if (directives.has('no-store')) return 'no-store'
  if (directives.has('only-if-cached')) return 'only-if-cached'
  if (directives.has('no-cache') || secondsIn(directives.get('max-age')) === 0) return 'reload'
  // How far an answer is past its TTL is not told, so that a bound cannot be kept: with one, only a fresh answer will do.
  return directives.get('max-stale') === '' ? 'force-cache' : undefined
}

function directivesIn(text: string | null): ReadonlyMap<string, string> {
  const pairs = (text ?? '').split(',').map((each) => {
    const [name = '', value = ''] = each.split('=')
    return [name.trim().toLowerCase(), value.trim().replaceAll('"', '')] as const
  })
  return new Map(pairs)
}

function secondsIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}
