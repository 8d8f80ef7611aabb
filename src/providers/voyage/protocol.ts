/**
 * Voyage's reranking. Its embeddings have OpenAI's form, and are cached as that.
 * Source: https://docs.voyageai.com/reference/reranker-api
 * @module
 */
import { protocolOfEndpoints } from '../define-endpoint.ts'
import type { Protocol } from '../protocol.ts'
import { rerankOf } from '../rerank.ts'

/** The protocol of Voyage, with that of models served by MongoDB. */
export const voyageProtocol: Protocol = protocolOfEndpoints([
  rerankOf('voyage', (hostname) => hostname === 'api.voyageai.com' || hostname === 'ai.mongodb.com'),
])
