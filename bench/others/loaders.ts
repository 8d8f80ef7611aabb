/**
 * All that are measured, by name, llmemo first. Each is loaded only when it is asked for, so that a process which measures one holds one.
 * @module
 */
import type { Other } from './other.ts'

/** How each is loaded. */
export const loaders: Readonly<Record<string, () => Promise<Other>>> = {
  llmemo: async () => (await import('./llmemo.ts')).llmemo,
  'Map by hand': async () => (await import('./by-hand.ts')).map,
  'ioredis by hand': async () => (await import('./by-hand.ts')).redis,
  bentocache: async () => (await import('./bentocache.ts')).bentocache,
  cacheable: async () => (await import('./cacheable.ts')).cacheable,
  'llm-cacher': async () => (await import('./llm-cacher.ts')).llmCacher,
  'LangChain ChatOpenAI': async () => (await import('./langchain.ts')).langchain,
  'AI SDK middleware': async () => (await import('./ai-sdk.ts')).aiSdk,
}

/** The one of that name. @throws {RangeError} when there is none */
export async function other(name: string): Promise<Other> {
  const load = loaders[name]
  if (load === undefined) throw new RangeError(`there is no contender of the name ${name}`)
  const loaded = await load()
  if (loaded.name !== name) throw new RangeError(`${loaded.name} is listed as ${name}`)
  return loaded
}
