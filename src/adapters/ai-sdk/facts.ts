/**
 * The cache facts of a result, as they stand in its `providerMetadata.llmemo`.
 * @module
 */
import type { CacheInfo } from '../../call.ts'

/** What the cache says about a result, as plain JSON: its `_cache` on other clients. Of a new stream, what is known before its end. */
export type AiSdkFacts = Partial<Omit<CacheInfo, 'inputs'>> & Pick<CacheInfo, 'hit' | 'source' | 'key' | 'operation'>

/** The facts of a whole result. */
export function factsOf(info: CacheInfo): Record<string, unknown> {
  return Object.fromEntries(Object.entries(info).filter(([, value]) => value !== undefined))
}

/** The facts of a stream that is not at its end: whether it is stored is not known yet. */
export function factsSoFar(info: CacheInfo): Record<string, unknown> {
  const { stored: _, ttl: _ttl, ...facts } = factsOf(info)
  return info.hit && info.source !== 'flight' ? factsOf(info) : facts
}
