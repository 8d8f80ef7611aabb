/**
 * Which store an address names: `memory:`, `sqlite:answers.db`, `redis://…`, `rediss://…`, `dynamodb://table?region=…`.
 * @module
 */
import type { EnvironmentReader } from './reader.ts'

/** A store by its address. */
export type StoreAddress =
  | { readonly kind: 'memory' }
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'redis'; readonly url: string }
  | { readonly kind: 'dynamodb'; readonly table: string; readonly region?: string; readonly endpoint?: string }

/** What an address may be, for people. */
export const addressForms = "'memory:', 'sqlite:answers.db', 'redis://host:6379', 'rediss://…' or 'dynamodb://table?region=eu-west-1'"

/** The store that an address names; `undefined` for a text that is no address. */
export function storeAddress(text: string): StoreAddress | undefined {
  if (text === 'memory:' || text === 'memory') return { kind: 'memory' }
  if (text.startsWith('sqlite:')) {
    const path = text.replace(/^sqlite:(?:\/\/)?/, '')
    return path === '' ? undefined : { kind: 'sqlite', path }
  }
  const url = readableUrl(text)
  if (url === undefined) return undefined
  if (['redis:', 'rediss:'].includes(url.protocol)) {
    // Its path is the number of a database. Of any other, the server says no to each command.
    return url.hostname === '' || !/^\/?\d*$/.test(url.pathname) ? undefined : { kind: 'redis', url: text }
  }
  if (url.protocol !== 'dynamodb:' || url.username !== '' || url.password !== '') return undefined
  const table = decodeURIComponent(url.hostname)
  const known = [...url.searchParams.keys()].every((name) => ['region', 'endpoint'].includes(name))
  if (!/^[\w.-]{3,255}$/.test(table) || !known || url.pathname.length > 1) return undefined
  const [region, endpoint] = [url.searchParams.get('region'), url.searchParams.get('endpoint')]
  if (endpoint !== null && !URL.canParse(endpoint)) return undefined
  // The host of an address is in small letters; the name of a table may not be.
  const [, exact = table] = /^dynamodb:\/\/([^/?#]*)/.exec(text) ?? []
  return { kind: 'dynamodb', table: decodeURIComponent(exact), ...(region !== null && { region }), ...(endpoint !== null && { endpoint }) }
}

/** An address whose parts can all be decoded: clients decode them too, and would throw. */
function readableUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  try {
    for (const part of [url.username, url.password, url.hostname]) decodeURIComponent(part)
    return url
  } catch {
    return undefined
  }
}

/** Other names under which a store is given, and the kind that each stands for. */
const aliases: Readonly<Record<string, (text: string) => StoreAddress | undefined>> = {
  REDIS_URL: (text) => redisAddress(text),
  DRAGONFLY_URL: (text) => redisAddress(text),
  DYNAMODB_TABLE: (text) => storeAddress(`dynamodb://${text}`),
  CACHE_TABLE: (text) => storeAddress(`dynamodb://${text}`),
}

/** The store of an environment: that of `CACHE_STORE`, else that of another name. */
export function storeIn(reader: EnvironmentReader): StoreAddress | undefined {
  if (reader.text('CACHE_STORE') !== undefined) return reader.parsed('CACHE_STORE', addressForms, storeAddress)
  const named = Object.entries(aliases).filter(([name]) => reader.text(name) !== undefined)
  const found = named.map(([name, read]) =>
    reader.parsed(name, name.endsWith('URL') ? "an address such as 'redis://host:6379'" : 'the name of a table', read),
  )
  const distinct = new Set(found.map((address) => JSON.stringify(address)))
  if (distinct.size > 1)
    reader.mistake(`${named.map(([name]) => name).join(' and ')} name different stores: set CACHE_STORE to say which one`)
  return found[0]
}

function redisAddress(text: string): StoreAddress | undefined {
  const address = storeAddress(text)
  return address?.kind === 'redis' ? address : undefined
}
