/**
 * The door `llmemo/langchain`: LangChain's cache for models, a wrapper of the model calls of agents, and LangGraph's cache for nodes. Models
 * that take a `fetch` are better given `cachingFetch`, which also serves their streams.
 * @module
 */
export { LlmemoCache, type ModelCacheOptions } from './model-cache.ts'
export { cacheModelCalls, type AgentModelRequest, type WrapModelCall } from './agent-calls.ts'
export { LlmemoGraphCache, type GraphCacheKey, type GraphSerializer } from './graph-cache.ts'
