/**
 * Answers of public scopes by their key, in a form that a CDN can hold. Off, unless such scopes are configured.
 * @module
 */
import { createHash } from 'node:crypto'
import { type Context, Hono } from 'hono'
import type { Cache, CacheEntry } from 'llmemo'
import { answerError } from '../access/problem.ts'
import type { GatewayContext, GatewayEnv } from '../context.ts'

/** What may lie under a key: the full key of an answer. Names of other routes are no such keys. */
const path = '/cache/:key{[0-9a-f]{64}}'

const types: Readonly<Record<CacheEntry['kind'], string>> = {
  json: 'application/json',
  sse: 'text/event-stream',
  bytes: 'application/octet-stream',
}

/** Bytes of one header that CDNs take, with room to spare. */
const maxHeaderBytes = 8_192

/**
 * `GET /cache/{key}` and `HEAD`, for callers without a key. They come before anybody is asked who they are, so the scope alone decides.
 * Sources: https://www.rfc-editor.org/rfc/rfc9111, https://www.rfc-editor.org/rfc/rfc9110#name-conditional-requests
 */
export function cdnRoutes({ cache, options }: Pick<GatewayContext, 'cache' | 'options'>): Hono<GatewayEnv> {
  const routes = new Hono<GatewayEnv>()
  const scopes: ReadonlySet<string> = new Set(options.access.publicScopes)
  if (scopes.size === 0) return routes
  return routes.get(path, async (c) => {
    const found = await publicAnswer(cache, c.req.param('key'), scopes)
    // One answer for all that is not given, so that it tells nothing of what others have. A CDN would else keep it for minutes.
    if (found === undefined) return answerError(c, { status: 404, detail: 'There is no public answer with this key.', code: 'miss' })
    return answered(c, found.entry, found.body)
  })
}

/** The fresh answer under a key, if its scope is public. */
async function publicAnswer(cache: Cache, key: string, scopes: ReadonlySet<string>) {
  for await (const entry of cache.entries({ key })) {
    // The body is read for public answers only.
    const body = scopes.has(entry.scope) && entry.ttl > 0 ? await entry.body() : undefined
    if (body !== undefined) return { entry, body }
  }
  return undefined
}

function answered(c: Context<GatewayEnv>, entry: CacheEntry, body: string | Uint8Array): Response {
  const etag = `"${createHash('sha256').update(body).digest('base64url')}"`
  const keys = keysOf(entry)
  const [surrogateKey, cacheTag] = [keys.join(' '), keys.join(',')]
  // What cannot be purged by all of its names must not be held.
  const isHeld = surrogateKey.length <= maxHeaderBytes
  const headers = {
    age: String(entry.age),
    'cache-control': isHeld ? `public, max-age=${entry.age + entry.ttl}` : 'no-store',
    etag,
    ...(isHeld && { 'surrogate-key': surrogateKey, 'cache-tag': cacheTag }),
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
  }
  if (isNamed(etag, c.req.header('if-none-match'))) return new Response(null, { status: 304, headers })
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : new Uint8Array(body)
  return new Response(bytes, {
    headers: { ...headers, 'accept-ranges': 'none', 'content-type': types[entry.kind], 'content-length': String(bytes.length) },
  })
}

/** The names by which an answer can be removed from a CDN. */
function keysOf({ key, scope, operation, model, tags }: CacheEntry): string[] {
  const labels = [`key:${key}`, `scope:${scope}`, `operation:${operation}`, `model:${model}`, ...tags.map((tag) => `tag:${tag}`)]
  return labels.map((label) => label.toWellFormed().replaceAll(/[^\w.:~/-]/gu, (character) => encodeURIComponent(character)))
}

/** Whether `if-none-match` names this tag. A weak one of the same text counts, as the comparison for it is the weak one. */
function isNamed(etag: string, given: string | undefined): boolean {
  const names = given?.split(',').map((each) => each.trim().replace(/^W\//, '')) ?? []
  return names.includes('*') || names.includes(etag)
}
