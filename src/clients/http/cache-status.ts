/**
 * The answer header `cache-status`: how the cache handled a request.
 * Source: https://www.rfc-editor.org/rfc/rfc9211
 * @module
 */

/** A token of structured fields. A text that is none would have to be quoted. Source: https://www.rfc-editor.org/rfc/rfc8941#section-3.3.4 */
const token = /^[A-Za-z*][\w!#$%&'*+.^`|~:/-]*$/

/**
 * The status of a stored answer.
 * @param ttl milliseconds for which it is still fresh; negative if it is stale
 * @param source where it was
 */
export function hitStatus(ttl: number, source: string): string {
  const detail = token.test(source) ? `; detail=${source}` : ''
  return `llmemo; hit; ttl=${Math.ceil(ttl / 1_000)}${detail}`
}

/** The status of an answer that another call had asked for already. */
export const collapsedStatus = 'llmemo; fwd=miss; collapsed'

/**
 * The status of an answer of the provider.
 * @param isStored whether it is being stored. Only at its end is it known whether it was.
 */
export function missStatus(isStored: boolean): string {
  return isStored ? 'llmemo; fwd=miss; stored' : 'llmemo; fwd=miss'
}

/** Puts the status of a call that bypassed the cache on the provider's own response, which otherwise stays as it is. */
export function markBypassed(response: Response): void {
  const { headers }: { readonly headers?: unknown } = response
  if (!(response instanceof Response) || !(headers instanceof Headers) || !Object.isExtensible(response)) return
  // The headers of what `fetch` returns cannot be changed.
  const marked = new Headers(headers)
  marked.append('cache-status', 'llmemo; fwd=bypass')
  Object.defineProperty(response, 'headers', { value: marked, configurable: true, enumerable: true })
}
