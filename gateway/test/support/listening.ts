import { systemClock } from 'llmemo'
import { createGateway, type Gateway, type GatewayOptions, listen, type Listening } from 'llmemo-gateway'
import { onTestFinished } from 'vitest'
import { readSettings } from '../../src/config/settings.ts'

/** A gateway that listens at a free port, until the test ends. */
export async function listening(options: GatewayOptions = {}): Promise<{ url: string; gateway: Gateway; server: Listening }> {
  const gateway = createGateway(options)
  const settings = readSettings({ server: { ...options.server, port: 0 }, limits: options.limits })
  const server = await listen({ ...gateway, settings, clock: systemClock })
  onTestFinished(async () => {
    await gateway.close()
    await server.drain()
  })
  return { url: `http://${server.host}:${server.port}`, gateway, server }
}
