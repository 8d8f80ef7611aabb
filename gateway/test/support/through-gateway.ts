/**
 * The way through a gateway, for the one suite of behaviours: what a client asks of the cache, it says in headers.
 */
import { type Cache, systemClock } from 'llmemo'
import { createGateway, listen } from 'llmemo-gateway'
import type { Passage } from '../../../test/contracts/behaviours.ts'
import type { ProviderServer } from '../../../test/support/provider-server.ts'
import { readSettings } from '../../src/config/settings.ts'

/** A gateway over this cache, in front of this provider. */
export async function throughGateway(server: ProviderServer, cache: Cache): Promise<Passage> {
  const { origin } = new URL(server.url)
  const options = {
    cache,
    upstreams: { openai: `${origin}/v1`, anthropic: origin, gemini: origin, bedrock: origin },
    awsRegion: 'us-east-1',
    privateHosts: ['127.0.0.1'],
  }
  const gateway = createGateway(options)
  const settings = readSettings({ server: { port: 0, drain: 0.001 } })
  const listener = await listen({ ...gateway, settings, clock: systemClock })
  const way = { url: `http://${listener.host}:${listener.port}`, fetch: globalThis.fetch, cache, headers: {} }
  return {
    way,
    steer: ({ scope, tags, mode }, make) =>
      make({
        ...way,
        headers: {
          ...(scope !== undefined && { 'x-llmemo-scope': scope }),
          ...(tags !== undefined && { 'x-llmemo-tags': tags.join(',') }),
          ...(mode !== undefined && { 'x-llmemo-mode': mode }),
        },
      }),
    async close() {
      await gateway.close()
      await listener.drain()
    },
  }
}
