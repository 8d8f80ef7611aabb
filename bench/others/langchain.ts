/**
 * LangChain's ChatOpenAI with the caches of LangChain.
 * @module
 */
import { InMemoryCache, type BaseCache } from '@langchain/core/caches'
import { AIMessage, HumanMessage, SystemMessage, type BaseMessage } from '@langchain/core/messages'
import { ChatOpenAI } from '@langchain/openai'
import { RedisCache } from '@langchain/redis'
import { createClient } from 'redis'
import type { Question } from '../harness/payload.ts'
import type { Caller, Other } from './other.ts'

/** `ChatOpenAI` with `cache`. */
export const langchain: Other = {
  name: 'LangChain ChatOpenAI',
  package: '@langchain/openai',
  abilities: {
    streams: 'no: asks again',
    bedrock: 'yes, by its own client',
    embeddings: 'by CacheBackedEmbeddings',
    processes: 'no',
    bound: 'none',
  },
  memory: ({ fetch }) => callerOf(fetch, new InMemoryCache(), () => {}),
  async redis({ fetch }, url) {
    const client = createClient({ url })
    await client.connect()
    return callerOf(fetch, new RedisCache(client), async () => void (await client.quit()))
  },
}

function callerOf(fetch: typeof globalThis.fetch, cache: BaseCache, close: Caller['close']): Caller {
  const model = new ChatOpenAI({
    model: 'gpt-4.1-mini',
    temperature: 0.2,
    apiKey: 'sk-bench',
    cache,
    configuration: { fetch },
    streamUsage: true,
  })
  return {
    ask: (question) => model.invoke(messagesOf(question)),
    async stream(question, first) {
      let text = ''
      for await (const chunk of await model.stream(messagesOf(question))) {
        if (text === '') first()
        text += chunk.text
      }
      return text
    },
    close,
  }
}

function messagesOf({ messages }: Question): BaseMessage[] {
  return messages.map(({ role, content }) => {
    if (role === 'system') return new SystemMessage(content)
    return role === 'user' ? new HumanMessage(content) : new AIMessage(content)
  })
}
