/**
 * Reranking of documents, which several providers have in nearly one form.
 * Sources: https://docs.cohere.com/reference/rerank, https://docs.voyageai.com/reference/reranker-api, https://jina.ai/reranker
 * @module
 */
import type { Usage } from '../entry.ts'
import { count, isCounted, isJsonObject, type JsonObject } from '../json/object.ts'
import { type EndpointParts, partsIn } from './define-endpoint.ts'

/** The reranking of one provider: on its own hosts, or, of the last one asked, on any. */
export function rerankOf(provider: string, isHost: (hostname: string) => boolean): EndpointParts {
  return partsIn({
    provider,
    name: 'rerank',
    match: (address) => address.pathname.endsWith('/rerank') && isHost(address.hostname),
    skipReason(answer) {
      const list = answer['results'] ?? answer['data']
      if (!Array.isArray(list) || !list.every(isJsonObject)) return 'malformed'
      return list.length === 0 ? 'empty' : undefined
    },
    usage,
  })
}

/** Tokens, where they are billed. Cohere bills searches, and its usage is not known. */
function usage({ usage: own }: JsonObject): Usage | undefined {
  return isJsonObject(own) && isCounted(own, ['total_tokens']) ? { input: count(own['total_tokens']), output: 0 } : undefined
}
