/**
 * The names that OpenTelemetry has for calls of language models, and ours for what it has no name for. They stand here alone, as they still
 * move.
 * Source: https://github.com/open-telemetry/semantic-conventions-genai (v0.1.0, status: development)
 * @module
 */

/** Names of attributes. */
export const attributeNames = {
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  requestModel: 'gen_ai.request.model',
  requestStream: 'gen_ai.request.stream',
  responseModel: 'gen_ai.response.model',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  cacheReadTokens: 'gen_ai.usage.cache_read.input_tokens',
  cacheWriteTokens: 'gen_ai.usage.cache_write.input_tokens',
  errorType: 'error.type',
  hit: 'llm_cache.hit',
  source: 'llm_cache.source',
  stale: 'llm_cache.stale',
  age: 'llm_cache.age',
  key: 'llm_cache.key',
  cacheOperation: 'llm_cache.operation',
  savedTokens: 'llm_cache.saved_tokens',
  savedMs: 'llm_cache.saved_ms',
  cancelled: 'llm_cache.cancelled',
  reason: 'llm_cache.reason',
} as const

/** Names of metrics. */
export const metricNames = {
  inferenceDuration: 'gen_ai.client.inference.duration',
  readDuration: 'llm_cache.read.duration',
  hits: 'llm_cache.hits',
  misses: 'llm_cache.misses',
  bypasses: 'llm_cache.bypasses',
  stored: 'llm_cache.stored',
  skipped: 'llm_cache.skipped',
  errors: 'llm_cache.errors',
  evictions: 'llm_cache.evictions',
  droppedWrites: 'llm_cache.dropped_writes',
  invalidations: 'llm_cache.invalidations',
  savedTokens: 'llm_cache.saved_tokens',
  savedCost: 'llm_cache.saved_cost',
  memory: 'llm_cache.memory.usage',
  entries: 'llm_cache.memory.entries',
} as const

/** What OpenTelemetry calls what an endpoint does. */
const operations: Readonly<Record<string, string>> = {
  'chat.completions': 'chat',
  responses: 'chat',
  messages: 'chat',
  converse: 'chat',
  completions: 'text_completion',
  embeddings: 'embeddings',
}

/** What an endpoint does, in OpenTelemetry's words; its own name where that has none. */
export function operationName(endpoint: string): string {
  return Object.hasOwn(operations, endpoint) ? (operations[endpoint] ?? endpoint) : endpoint
}

/** A provider in OpenTelemetry's words. */
export function providerName(provider: string): string {
  return provider === 'aws-bedrock' ? 'aws.bedrock' : provider
}
