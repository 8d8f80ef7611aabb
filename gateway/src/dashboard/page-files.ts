/**
 * The files of the page. They lie beside this module, in the source as in the package, and hold nothing of the cache.
 * @module
 */
import { readFileSync } from 'node:fs'
import { Hono } from 'hono'
import type { GatewayEnv } from '../context.ts'

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}

/** Every file of the page. */
export const pageFiles = [
  'index.html',
  'style.css',
  'icon.svg',
  'main.js',
  'ask.js',
  'build.js',
  'entries.js',
  'events.js',
  'explain.js',
  'figures.js',
  'invalidate.js',
  'plots.js',
  'write.js',
] as const

/** The security policy of the page: its own files, and nothing else. */
export const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const headers = {
  'cache-control': 'no-cache',
  'content-security-policy': pagePolicy,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

/** `GET /`, and the files that it needs: to all, as the page itself asks for the key. */
export function pageRoutes(): Hono<GatewayEnv> {
  const routes = new Hono<GatewayEnv>()
  const serve = (path: string, file: string): void => {
    let text: string | undefined
    routes.get(path, (c) => {
      text ??= readFileSync(new URL(`./page/${file}`, import.meta.url), 'utf8')
      return c.body(text, 200, { ...headers, 'content-type': types[file.split('.').pop() ?? ''] ?? 'text/plain' })
    })
  }
  serve('/', 'index.html')
  serve('/favicon.ico', 'icon.svg')
  for (const file of pageFiles) serve(`/dashboard/${file}`, file)
  return routes
}
