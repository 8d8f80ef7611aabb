/**
 * A gateway in a process of its own, for `memory.ts`. It tells its parent where it listens, and for each message what it holds after a
 * collection of garbage.
 */
import { createCache, systemClock } from 'llmemo'
import { createGateway, listen, readSettings } from 'llmemo-gateway'

const [upstream = ''] = process.argv.slice(2)
const cache = createCache({ maxMemoryBytes: 8 * 1024 * 1024, logger: false })
const gateway = createGateway({ cache, upstreams: { openai: `${upstream}/v1` }, privateHosts: ['127.0.0.1'] })
const { host, port } = await listen({ ...gateway, settings: readSettings({ server: { port: 0 } }), clock: systemClock })
process.send?.(`http://${host}:${port}/openai/v1/chat/completions`)
process.on('message', () => {
  globalThis.gc?.()
  const { heapUsed, external, arrayBuffers, rss } = process.memoryUsage()
  process.send?.({ held: heapUsed + external + arrayBuffers, rss, hits: cache.stats().hits })
})
