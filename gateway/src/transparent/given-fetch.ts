/**
 * Calls an upstream by a `fetch` that the program was given, where Node.js' own client is not at hand, as in Cloudflare Workers.
 * @module
 */
import type { Fetch } from 'llmemo'
import { assertAllowed, type UpstreamFetch, type UpstreamFetchOptions } from './upstream-fetch.ts'

/** Makes of a `fetch` one for upstreams, which follows no redirect and calls no address that is private by its own text. */
export function givenFetch(given: Fetch, { privateHosts }: UpstreamFetchOptions): UpstreamFetch {
  return {
    async fetch(input, init) {
      assertAllowed(new URL(input instanceof Request ? input.url : input), privateHosts)
      const response = await given(input, { ...init, redirect: 'manual' })
      if (!response.headers.has('content-encoding')) return response
      // What it gives is decoded already.
      const headers = new Headers(response.headers)
      headers.delete('content-encoding')
      headers.delete('content-length')
      return new Response(response.body, { status: response.status, statusText: response.statusText, headers })
    },
    close: () => undefined,
  }
}
