/**
 * Jina's reranking. Its embeddings have OpenAI's form, and are cached as that.
 * Source: https://jina.ai/reranker
 * @module
 */
import { protocolOfEndpoints } from '../define-endpoint.ts'
import type { Protocol } from '../protocol.ts'
import { rerankOf } from '../rerank.ts'

/** The protocol of Jina. */
export const jinaProtocol: Protocol = protocolOfEndpoints([rerankOf('jina', (hostname) => hostname.endsWith('.jina.ai'))])
