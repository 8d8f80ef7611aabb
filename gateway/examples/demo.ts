/**
 * `npm run gateway:demo`: a stand-in provider, the gateway in front of it, and an unmodified OpenAI SDK that asks the same question twice.
 * No key and no network is needed.
 * @module
 */
import { createCache, systemClock } from 'llmemo'
import { createGateway, listen, readSettings } from 'llmemo-gateway'
import OpenAI from 'openai'
import { startStandIn } from '../../examples/stand-in/server.ts'

const standIn = await startStandIn()
const cache = createCache()
const gateway = createGateway({ cache, upstreams: { openai: `http://127.0.0.1:${standIn.port}/v1` }, privateHosts: ['127.0.0.1'] })
const server = await listen({
  ...gateway,
  settings: readSettings({ server: { port: 0 } }),
  clock: systemClock,
})

const openai = new OpenAI({ baseURL: `http://${server.host}:${server.port}/openai/v1`, apiKey: 'any' })
const messages = [{ role: 'user' as const, content: 'What is a cache?\n\nA cache keeps answers. It gives them again without asking.' }]
for (const time of ['first', 'second']) {
  const begun = performance.now()
  const { data, response } = await openai.chat.completions.create({ model: 'gpt-5-mini', messages }).withResponse()
  console.log(`\nThe ${time} time, after ${Math.round(performance.now() - begun)} ms: ${data.choices[0]?.message.content ?? ''}`)
  for (const name of ['cache-status', 'x-llmemo-source', 'x-llmemo-saved-usd'])
    console.log(`  ${name}: ${response.headers.get(name) ?? ''}`)
}

await gateway.close()
await server.drain()
await cache.close()
await standIn.close()
