/**
 * Call options in the headers of a request, for SDKs and frameworks that pass headers on but no options: `x-llmemo-ttl: 10m`.
 * @module
 */
import { assertCallOptions } from '../../engine/settings/call-options.ts'
import type { CallOptions } from '../../call.ts'
import { InvalidOptionError } from '../../errors.ts'

const prefix = 'x-llmemo-'

/** How the text of a header is read. @default as it is */
const readers: ReadonlyMap<string, (text: string) => unknown> = new Map<string, (text: string) => unknown>([
  ['ttl', numberOrText],
  ['variant', numberOrText],
  ['tags', (text) => text.split(',').map((tag) => tag.trim())],
  ['scope', owner],
  ['context', json],
])

/** The options in the headers of a request; `undefined` if it has none; an error that names the header if one cannot be. */
export function headerOptions(headers: Headers): CallOptions | InvalidOptionError | undefined {
  const given: [string, string][] = []
  for (const [name, value] of headers) if (name.startsWith(prefix)) given.push([name.slice(prefix.length), value])
  if (given.length === 0) return undefined
  try {
    const options: unknown = Object.fromEntries(given.map(([name, value]) => [name, (readers.get(name) ?? asItIs)(value)]))
    assertCallOptions(options, prefix)
    return options
  } catch (error) {
    if (error instanceof InvalidOptionError) return error
    throw error
  }
}

/** Headers without the cache's own, which are not for the origin: the same object if it has none of them. */
export function withoutOwn(headers: HeadersInit): HeadersInit {
  if (!(Symbol.iterator in headers)) {
    const names = Object.keys(headers)
    return names.some(isOwn) ? Object.fromEntries(Object.entries(headers).filter(([name]) => !isOwn(name))) : headers
  }
  const entries = Array.from(headers)
  if (!entries.some(([name]) => isOwn(name))) return headers
  const kept = entries.filter(([name]) => !isOwn(name))
  return headers instanceof Headers ? new Headers(kept) : kept
}

function isOwn(name: unknown): boolean {
  return String(name).toLowerCase().startsWith(prefix)
}

function asItIs(text: string): unknown {
  return text
}

function numberOrText(text: string): unknown {
  return /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : text
}

/** A tenant without an id must not fall back to a scope that all such share: its id then mostly comes as one of these texts. */
function owner(text: string): string {
  if (!['', 'undefined', 'null', 'NaN', '[object Object]'].includes(text)) return text
  throw new InvalidOptionError(`${prefix}scope`, text, 'the name of the owner of the answer, which the text of a missing value is not')
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new InvalidOptionError(`${prefix}context`, text, 'JSON such as {"project":"atlas"}')
  }
}
