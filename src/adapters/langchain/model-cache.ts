/**
 * LangChain's cache for models, over `cache.call`. LangChain looks an answer up, calls the model itself, and hands the answer in: between the
 * two, equal look-ups wait.
 * Source: https://github.com/langchain-ai/langchainjs/blob/main/langchain-core/src/caches/index.ts
 * @module
 */
/* oxlint-disable typescript/consistent-type-imports */
import { BaseCache, deserializeStoredGeneration, serializeGeneration } from '@langchain/core/caches'
import type { AnswerRules, Cache } from '../../cache/cache.ts'
import type { CallOptions } from '../../call.ts'
import { type Clock, systemClock } from '../../clock.ts'
import { type Duration, milliseconds } from '../../duration.ts'
import { membersOf, modelIn, skipReason, usageIn } from './messages.ts'

// As in clients/sdk-types.ts: where LangChain is not installed, its types are `any`, and a program that reads these declarations compiles.
/** @ts-ignore */
type BaseCacheClass = typeof import('@langchain/core/caches').BaseCache
/** @ts-ignore */
type Generation = import('@langchain/core/outputs').Generation

/** LangChain takes only caches of this class. */
const LangChainCache: BaseCacheClass = BaseCache

/** Options of all calls through the cache. */
export interface ModelCacheOptions extends CallOptions {
  /**
   * How long equal look-ups wait for the one that asks the model, from when it began. LangChain does not tell its cache that a model failed, so
   * that a look-up after a failure waits too. @default '10s'
   */
  readonly wait?: Duration
  /** Where the time comes from. @default the clock of the machine */
  readonly clock?: Clock
}

/** What is stored of an answer. */
type Stored = ReturnType<typeof serializeGeneration> & { readonly generationInfo?: unknown }

const rules: AnswerRules<readonly Stored[]> = {
  usage: ([first]) => usageIn(first?.message),
  model: ([first]) => modelIn(first?.message),
  skipReason: (stored) =>
    stored.length === 0
      ? 'empty'
      : stored.map(({ message, text }) => (message === undefined ? emptyText(text) : skipReason(message))).find(Boolean),
}

function emptyText(text: string): string | undefined {
  return text === '' ? 'empty' : undefined
}

/**
 * What LangChain writes in a prompt for an image, a file and the like, which it leaves out: prompts with other images are the same text. Such
 * calls are not cached.
 */
const leftOut = /\[[a-z][\w-]*(?: file)?\]/

/**
 * What LangChain's text for a model has in it if the call goes on with an earlier one at the provider, or runs in a container that is named by
 * its id.
 */
const continued = /(?:^|,)(?:previous_response_id|conversation|container):"[^"]|"container(?:_id)?":"[^"]/

/** LangChain's text for a model that says nothing but its type: all models of such a class would share answers. They are not cached. */
const nameless = /^_model:"[^"]*",_type:"[^"]*"(?:,stop:\[[^\]]*\])?$/

/** Ends the wait for a model that gives no answer. Each caller then asks for itself. */
const noAnswer = new DOMException('The model gave no answer in time.', 'TimeoutError')

/** A look-up that was answered by `null`, so that its caller asks the model. */
interface Asking {
  readonly answered: (generations: readonly Stored[]) => void
}

/**
 * The cache for LangChain's models: `new ChatOpenAI({ cache: new LlmemoCache(cache) })`. LangChain does not use it for streams. A model of your
 * own is cached if its `_identifyingParams()` says what it is.
 */
export class LlmemoCache extends LangChainCache {
  readonly #cache: Cache
  readonly #defaults: CallOptions
  readonly #wait: number
  readonly #clock: Clock
  readonly #asking = new Map<string, Asking>()

  /**
   * @param cache a cache of `createCache`
   * @throws {InvalidOptionError} for a `wait` that is no duration
   */
  constructor(cache: Cache, options: ModelCacheOptions = {}) {
    super()
    const { wait = '10s', clock = systemClock, ...defaults } = options
    this.#cache = cache
    this.#defaults = defaults
    this.#wait = milliseconds('wait', wait)
    this.#clock = clock
  }

  /**
   * The stored answer, or that of an equal call that asks the model now; `null` if the caller is to ask.
   * @throws {InvalidOptionError} for options that cannot be
   */
  async lookup(prompt: string, llmKey: string): Promise<Generation[] | null> {
    if (leftOut.test(prompt) || continued.test(llmKey) || nameless.test(llmKey)) return null
    const { promise: asks, resolve: ask } = Promise.withResolvers<null>()
    const id = JSON.stringify([prompt, llmKey])
    const call = { ...callOf(prompt, llmKey), defaults: this.#defaults, rules }
    const called = this.#cache.call<readonly Stored[]>(call, ({ signal }) => {
      ask(null)
      return this.#answer(id, signal)
    })
    const found = called.then(
      ({ answer }) => answer.map(generationOf),
      (error: unknown) => {
        if (error === noAnswer) return null
        throw error
      },
    )
    // Of a caller that asks the model itself, nothing waits for it.
    found.catch(() => undefined)
    return Promise.race([asks, found])
  }

  /** Takes the answer of the model, for the look-up that was answered by `null`. */
  async update(prompt: string, llmKey: string, generations: Generation[]): Promise<void> {
    const id = JSON.stringify([prompt, llmKey])
    const stored = generations.map((generation): Stored => {
      const { generationInfo } = generation
      return { ...serializeGeneration(generation), ...(generationInfo !== undefined && { generationInfo }) }
    })
    const plain: Stored[] = JSON.parse(JSON.stringify(stored))
    this.#asking.get(id)?.answered(plain)
  }

  /** The answer that `update` brings. */
  async #answer(id: string, signal: AbortSignal): Promise<readonly Stored[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly Stored[]>()
    const asking = { answered: resolve }
    this.#asking.set(id, asking)
    const cancel = this.#clock.after(this.#wait, () => reject(noAnswer), true)
    signal.addEventListener('abort', () => reject(noAnswer), { once: true })
    try {
      return await promise
    } finally {
      cancel()
      if (this.#asking.get(id) === asking) this.#asking.delete(id)
    }
  }
}

function generationOf(stored: Stored): Generation {
  const { generationInfo } = stored
  return {
    ...deserializeStoredGeneration(stored),
    ...(generationInfo !== undefined && { generationInfo: membersOf(generationInfo) }),
  }
}

/** The call that LangChain looks up. Its text for a model is `_type:"openai",model:"gpt-5-mini",temperature:0`. */
function callOf(prompt: string, llmKey: string): { provider: string; endpoint: string; request: object; model: string } {
  const named = (name: string): string | undefined => new RegExp(`(?:^|,)${name}:"([^"]*)"`).exec(llmKey)?.[1]
  return {
    provider: named('_type') || 'langchain',
    endpoint: 'chat',
    model: named('model') ?? named('model_name') ?? '',
    request: { prompt, model: llmKey },
  }
}
