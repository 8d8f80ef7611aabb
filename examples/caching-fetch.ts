/**
 * `cachingFetch` caches any SDK that takes a `fetch` and whose provider speaks OpenAI's protocol, here Groq's SDK.
 * All other requests pass through.
 * @module
 */
import Groq from 'groq-sdk'
import { cacheInfo, cachingFetch, createCache } from 'llmemo'
import { openProvider } from './provider.ts'
import { line, strong } from './report.ts'

const provider = await openProvider('GROQ_API_KEY')
const cache = createCache({
  ttl: { chat: '1h' },
  // Prices of well-known models are built in. Your own prices go first: for a discount, or for a model that the table lacks.
  prices: [{ model: 'llama-3.1-8b-instant', input: 0.05, output: 0.08 }],
})
const groq = new Groq({ ...provider.options, fetch: cachingFetch(cache, provider.options.fetch) })
console.log(strong(provider.description))

const text =
  'The aspect of Venice is like a dream. The streets are water, and the gondolas go through them without a sound. ' +
  'In November the sea stands in the squares, and the people walk upon planks.'

async function ask(question: string): Promise<void> {
  // This SDK's results have no `_cache`. `cacheInfo` reads the facts from the response.
  const { data, response } = await groq.chat.completions
    .create({ model: 'llama-3.1-8b-instant', messages: [{ role: 'user', content: `${question}\n\n${text}` }] })
    .withResponse()
  console.log(`\n${data.choices[0]?.message.content ?? ''}\n  ${line(cacheInfo(response))}`)
  // The standard header, for proxies and for programs that see only HTTP: RFC 9211.
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
// The key depends on the address, the credential and the request, not on the SDK. So this is the question from above.
console.log(`  ${line(cacheInfo(await fetch(`${groq.baseURL}/openai/v1/chat/completions`, request)))}`)

await cache.close()
await provider.close()
