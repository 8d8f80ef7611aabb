/**
 * A provider in the same process that a test can put out of order, and a caller that asks it through a cache.
 * @module
 */
import type { CacheInfo, CallOptions } from '../../src/call.ts'
import { cacheInfo } from '../../src/clients/cache-info.ts'
import { callOptions } from '../../src/clients/call-options.ts'
import type { Fetch } from '../../src/clients/http/caching-fetch.ts'
import { cachingFetch } from '../../src/clients/with-cache.ts'
import type { Cache } from '../../src/cache/cache.ts'
import { answer, promptIn, question } from './chat.ts'

/** How the provider is: it answers; it answers with this status; it cannot be reached; it answers when {@link StubProvider.release} says so. */
export type Condition = 'well' | number | 'unreachable' | 'slow'

/** A provider that numbers its answers. */
export class StubProvider {
  condition: Condition = 'well'
  /** Why its answers end: `stop`, or what is not stored. */
  finish = 'stop'
  /** The texts that it was asked, in order. */
  readonly asked: string[] = []
  readonly #waiting: (() => void)[] = []

  /** What is to be called in place of the network. The answer says its question and its number: `Hi #1`. */
  readonly fetch: Fetch = async (_, init) => {
    const text = promptIn(init?.body)
    this.asked.push(text)
    const number = this.asked.length
    if (this.condition === 'slow') await new Promise<void>((resolve) => this.#waiting.push(resolve))
    if (this.condition === 'unreachable') throw new TypeError('fetch failed')
    init?.signal?.throwIfAborted()
    const status = typeof this.condition === 'number' ? this.condition : 200
    return Response.json(status === 200 ? answer(`${text} #${number}`, this.finish) : { error: { message: 'no' } }, { status })
  }

  /** Lets what waits go on. */
  release(): void {
    for (const go of this.#waiting.splice(0)) go()
  }
}

/** What a caller got: the answer's text or the error, and the cache facts. */
export interface Got {
  readonly text: string
  readonly info: CacheInfo | undefined
}

/** Asks `provider` through `cache`. An error of the network is told as its message. */
export async function askThrough(cache: Cache, provider: StubProvider, text = 'Hi', options: CallOptions = {}): Promise<Got> {
  const init: RequestInit & { readonly [callOptions]: object } = {
    method: 'POST',
    headers: { authorization: 'Bearer sk-test', 'content-type': 'application/json' },
    body: JSON.stringify(question(text).body),
    [callOptions]: { options },
  }
  try {
    const response = await cachingFetch(cache, provider.fetch)('https://api.openai.com/v1/chat/completions', init)
    const said: unknown = await response.json()
    return { text: response.status === 200 ? contentOf(said) : `status ${response.status}`, info: cacheInfo(response) }
  } catch (error) {
    return { text: error instanceof Error ? error.message : String(error), info: undefined }
  }
}

function contentOf(body: unknown): string {
  const choices: unknown = Reflect.get(Object(body), 'choices')
  const message: unknown = Array.isArray(choices) ? Reflect.get(Object(choices[0]), 'message') : undefined
  return String(Reflect.get(Object(message), 'content'))
}
