/**
 * LangGraph's cache for the results of nodes, over values under keys of the cache's own.
 * Source: https://github.com/langchain-ai/langgraphjs/blob/main/libs/checkpoint/src/cache/base.ts
 * @module
 */
import type { Cache } from '../../cache/cache.ts'

/** The key of a result: the names that lead to its node, and the digest of its input. */
export type GraphCacheKey = [namespace: string[], key: string]

/** Makes bytes of the values of a graph, as `JsonPlusSerializer` of `@langchain/langgraph-checkpoint` does. */
export interface GraphSerializer {
  dumpsTyped(data: unknown): Promise<[string, Uint8Array]>
  loadsTyped(type: string, data: Uint8Array | string): Promise<unknown>
}

/** A value as it is stored. */
interface StoredValue {
  readonly type: string
  /** The bytes in base64. */
  readonly data: string
}

/**
 * The cache for LangGraph: `graph.compile({ cache: new LlmemoGraphCache(cache, new JsonPlusSerializer()) })`, and a `cachePolicy` on each node.
 * A policy without a TTL means the TTL of the operation `value`, else the default one of the cache.
 */
export class LlmemoGraphCache {
  readonly serde: GraphSerializer
  readonly #cache: Cache

  /**
   * @param cache a cache of `createCache`
   * @param serde a serializer of LangGraph's
   */
  constructor(cache: Cache, serde: GraphSerializer) {
    this.#cache = cache
    this.serde = serde
  }

  /** The values that are stored, each with its key. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- as in LangGraph's own class
  async get<Value>(keys: GraphCacheKey[]): Promise<{ key: GraphCacheKey; value: Value }[]> {
    const found = await Promise.all(
      keys.map(async (key) => {
        const stored = await this.#cache.get<StoredValue>(nameOf(key))
        if (stored === undefined) return []
        const read = await this.#read(stored)
        // The graph that reads a value has written it.
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion
        return read.map((value) => ({ key, value: value as Value }))
      }),
    )
    return found.flat()
  }

  /** The value in what is stored; none if it cannot be read, as when another version of the graph wrote it. Its node runs then. */
  async #read({ type, data }: StoredValue): Promise<readonly unknown[]> {
    try {
      const bytes = Uint8Array.from(atob(data), (byte) => byte.charCodeAt(0))
      return [await this.serde.loadsTyped(type, bytes)]
    } catch {
      return []
    }
  }

  /** Stores values, each for its `ttl` in seconds. */
  async set(pairs: { key: GraphCacheKey; value: unknown; ttl?: number }[]): Promise<void> {
    await Promise.all(
      pairs.map(async ({ key, value, ttl }) => {
        const [type, data] = await this.serde.dumpsTyped(value)
        await this.#cache.set<StoredValue>(nameOf(key), { type, data: btoa(binaryText(data)) }, ttl)
      }),
    )
  }

  /** Removes the values of these namespaces; without any, all of them. */
  async clear(namespaces: string[][]): Promise<void> {
    const patterns = namespaces.length === 0 ? [`${prefix}*`] : namespaces.map((namespace) => `${spaceOf(namespace)}*`)
    await Promise.all(patterns.map((pattern) => this.#cache.delByPattern(pattern)))
  }
}

const prefix = 'langgraph:'

/** Names with nothing in them that means something in a pattern, or parts one name from the next. */
function spaceOf(namespace: readonly string[]): string {
  return `${prefix}${namespace.map((name) => `${escaped(name)},`).join('')}:`
}

function nameOf([namespace, key]: GraphCacheKey): string {
  return `${spaceOf(namespace)}${escaped(key)}`
}

/** Each character but letters, digits, `_` and `-` by its number: a name need not be a text that UTF-8 can hold. */
function escaped(name: string): string {
  return name.replaceAll(/[^\w-]/g, (character) => `%${character.charCodeAt(0).toString(16)};`)
}

function binaryText(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += maxCharacters) text += String.fromCharCode(...bytes.subarray(at, at + maxCharacters))
  return text
}

/** Arguments of one call. */
const maxCharacters = 8_192
