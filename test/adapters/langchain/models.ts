/**
 * LangChain's models and agents over the adapter, driven as its users drive them.
 * @module
 */
import { ChatOpenAI } from '@langchain/openai'
import { createAgent, createMiddleware } from 'langchain'
import { cacheModelCalls, LlmemoCache } from '../../../src/adapters/langchain/langchain.ts'
import type { Cache } from '../../../src/cache/cache.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import type { AdapterDriver } from '../../contracts/adapter.ts'
import { completion } from '../../support/openai-answers.ts'
import { type ProviderServer, startProvider } from '../../support/provider-server.ts'

/** Asks for an answer to a prompt. @returns what a caller sees of it */
export type Ask = (prompt: string) => Promise<unknown>

/** Drives what `make` makes over a provider on a real socket. LangChain has no options of a call, so they are given by `cache.with`. */
export async function drive(cache: Cache, make: (url: string, cache: Cache, clock: ManualClock) => Ask): Promise<AdapterDriver> {
  let isFailing = false
  const server: ProviderServer = await startProvider((_, reply) =>
    isFailing
      ? reply.json({ error: { message: 'not valid', type: 'error' } }, { status: 400 })
      : reply.json(completion('The sky is blue.')),
  )
  const clock = new ManualClock()
  const ask = make(server.url, cache, clock)
  return {
    whole: (prompt, options = {}) => cache.with(options, () => ask(prompt)),
    textOf: (answer) => String(Reflect.get(Object(answer), 'text')),
    get asked() {
      return server.requests.length
    },
    fail(is) {
      isFailing = is
      // The cache is not told that a model failed.
      clock.advance(10_000)
    },
    pause: () => undefined,
    close: () => server.close(),
  }
}

/** A model over a provider on a socket. */
export function model(url: string, rest: object = {}): ChatOpenAI {
  return new ChatOpenAI({ model: 'gpt-test-1', apiKey: 'sk-test', configuration: { baseURL: url }, maxRetries: 0, ...rest })
}

/** What a caller sees of a message. LangChain itself takes the usage off a stored one. */
function seen({ text, tool_calls: calls, type }: { text: string; tool_calls?: unknown; type: string }): object {
  return { text, calls, type }
}

/** The model itself, with the cache. */
export function askModel(url: string, cache: Cache, clock: ManualClock): Ask {
  const asked = model(url, { cache: new LlmemoCache(cache, { clock }) })
  return async (prompt) => seen(await asked.invoke(prompt))
}

/** An agent, with the hook. */
export function askAgent(url: string, cache: Cache): Ask {
  const hook = createMiddleware({ name: 'llmemo', wrapModelCall: cacheModelCalls(cache) })
  const agent = createAgent({ model: model(url), tools: [], middleware: [hook] })
  return async (prompt) => {
    const { messages } = await agent.invoke({ messages: [{ role: 'user', content: prompt }] })
    const last = messages.at(-1)
    if (last === undefined) throw new TypeError('the agent gave no message')
    return seen(last)
  }
}
