/**
 * The page `GET /docs`: the API for people, without a script.
 * @module
 */
import type { Route } from './route.ts'

const style = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
  body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
  table { border-collapse: collapse; width: 100% }
  th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); vertical-align: top }
  code { font-family: ui-monospace, monospace; overflow-wrap: anywhere }
`

/** The security policy of the page: its own style, and nothing else. */
export const docsPolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

/** The page for these routes. */
export function docsPage(routes: readonly Route[]): string {
  const rows = routes.map(
    ({ method, path, role, summary }) =>
      `<tr><td><code>${method.toUpperCase()} ${escaped(path)}</code></td><td>${role ?? 'any'}</td><td>${escaped(summary)}</td></tr>`,
  )
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>llmemo-gateway: the API</title>
<style>${style}</style>
<h1>llmemo-gateway: the API</h1>
<p>A key goes into <code>x-llmemo-api-key</code>, or after <code>authorization: Bearer</code>. What requests and answers hold is in <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1).</p>
<table>
<thead><tr><th scope="col">Request</th><th scope="col">Role</th><th scope="col">What it does</th></tr></thead>
<tbody>${rows.join('\n')}</tbody>
</table>
</html>
`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
