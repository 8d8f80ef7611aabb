/**
 * Any SDK that takes a `fetch` can be cached, here Groq's own, when its provider speaks OpenAI's protocol.
 * Whatever else the SDK asks for passes through.
 * @module
 */
import Groq from 'groq-sdk'
import { cacheInfo, cachingFetch, createCache } from 'llmemo'
import { openProvider } from './provider.ts'
import { line, strong } from './report.ts'

const provider = await openProvider('GROQ_API_KEY')
const cache = createCache({
  ttl: { chat: '1h' },
  // Prices of well-known models are built in, by provider. Your own come first: a discount, or a model that no table knows.
  prices: [{ model: 'llama-3.1-8b-instant', input: 0.05, output: 0.08 }],
})
const groq = new Groq({ ...provider.options, fetch: cachingFetch(cache, provider.options.fetch) })
console.log(strong(provider.description))

const text =
  'The aspect of Venice is like a dream. The streets are water, and the gondolas go through them without a sound. ' +
  'In November the sea stands in the squares, and the people walk upon planks.'

async function ask(question: string): Promise<void> {
  // The SDK does not know of the cache, so the facts are asked of the response.
  const { data, response } = await groq.chat.completions
    .create({ model: 'llama-3.1-8b-instant', messages: [{ role: 'user', content: `${question}\n\n${text}` }] })
    .withResponse()
  console.log(`\n${data.choices[0]?.message.content ?? ''}\n  ${line(cacheInfo(response))}`)
  // The standard header for proxies and programs that look at HTTP only: RFC 9211.
  console.log(`  cache-status: ${response.headers.get('cache-status') ?? 'none'}`)
}

await ask('What are the streets?')
await ask('What are the streets?')
await ask('Where do people walk in November?')

console.log(`\n${strong('The same fetch, without any SDK')}`)
const fetch = cachingFetch(cache, provider.options.fetch)
const request = {
  method: 'POST',
  headers: { 'content-type': 'application/json', authorization: `Bearer ${groq.apiKey ?? ''}` },
  body: JSON.stringify({ model: 'llama-3.1-8b-instant', messages: [{ role: 'user', content: `What are the streets?\n\n${text}` }] }),
}
// The key is made of the address, the credential and the request, not of the SDK: this is the question from above.
console.log(`  ${line(cacheInfo(await fetch(`${groq.baseURL}/openai/v1/chat/completions`, request)))}`)

await cache.close()
await provider.close()
