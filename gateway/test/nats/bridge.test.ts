import { once } from 'node:events'
import { connect, type NatsConnection, type Subscription } from '@nats-io/transport-node'
import { type Cache, createCache, systemClock } from 'llmemo'
import type { LogFields } from 'llmemo-gateway'
import { describe, expect, it, onTestFinished } from 'vitest'
import { isNatsThere } from '../../../test/support/install-nats.ts'
import { completion } from '../../../test/support/openai-answers.ts'
import { startProvider } from '../../../test/support/provider-server.ts'
import { type NatsBridge, openNats } from '../../src/nats/bridge.ts'
import { inFrontOf, listens, start } from '../support/gateway-process.ts'
import { startNats } from '../support/nats-server.ts'
import { ask } from '../support/provider.ts'

if (!isNatsThere()) console.warn('SKIPPED: every test over NATS, as there is no nats-server on the PATH.')

const asked = { prompt: 'what nobody else may read', operation: 'chat', model: 'gpt-4o', provider: 'openai' }

async function clientOf(port: number, more: object = {}): Promise<NatsConnection> {
  const client = await connect({ servers: `127.0.0.1:${port}`, ...more })
  onTestFinished(() => client.close())
  return client
}

interface Bridged {
  readonly cache: Cache
  readonly bridge: NatsBridge
  readonly lines: LogFields[]
  /** Resolves when this event is logged. */
  readonly logged: (event: string) => Promise<void>
}

async function bridged(url: string, isAwaited = true): Promise<Bridged> {
  const cache = createCache({ logger: false })
  const lines: LogFields[] = []
  const waiting = new Map<string, () => void>()
  const log = (level: string, event: string, fields: LogFields = {}): void => {
    lines.push({ level, event, ...fields })
    waiting.get(event)?.()
  }
  const bridge = openNats({ cache, settings: { url, prefix: 'llmemo' }, log, clock: systemClock })
  onTestFinished(async () => {
    await bridge.close()
    await cache.close()
  })
  if (isAwaited) await bridge.connected
  const logged = (event: string): Promise<void> => new Promise((resolve) => waiting.set(event, resolve))
  return { cache, bridge, lines, logged }
}

async function take(subscription: Subscription, count: number): Promise<{ subject: string; data: unknown }[]> {
  const taken: { subject: string; data: unknown }[] = []
  for await (const message of subscription) {
    taken.push({ subject: message.subject, data: message.json() })
    if (taken.length === count) break
  }
  return taken
}

describe.skipIf(!isNatsThere())('over NATS', () => {
  it('events are told by their tenant, without what was asked', async () => {
    const { port } = await startNats()
    const { cache } = await bridged(`nats://127.0.0.1:${port}`)
    const client = await clientOf(port)
    const events = client.subscribe('llmemo.events.*.>')
    await client.flush()
    await cache.lookup({ ...asked, scope: 'acme.eu' })
    await cache.store({ ...asked, scope: 'acme.eu' }, 'A secret answer.')
    await cache.lookup({ ...asked, scope: 'acme.eu' })
    await cache.invalidate({ tags: ['doc'] })
    const told = await take(events, 3)
    expect(told).toMatchObject([
      { subject: 'llmemo.events.miss.acme_eu', data: { tenant: 'acme.eu', operation: 'chat' } },
      { subject: 'llmemo.events.hit.acme_eu', data: { tenant: 'acme.eu', source: 'memory' } },
      { subject: 'llmemo.events.invalidate.-', data: { by: 'tag', label: 'tag:doc' } },
    ])
    expect(JSON.stringify(told)).not.toMatch(/nobody else|secret answer/)
  })

  it('invalidations are taken, also of one tenant, and answered', async () => {
    const { port } = await startNats()
    const { cache } = await bridged(`nats://127.0.0.1:${port}`)
    const client = await clientOf(port)
    for (const scope of ['acme', 'other']) await cache.store({ ...asked, scope, tags: ['doc'] }, 'A.')
    const found = async (scope: string): Promise<boolean> => (await cache.lookup({ ...asked, scope })) !== undefined
    const request = async (body: unknown): Promise<unknown> =>
      (await client.request('llmemo.invalidate', typeof body === 'string' ? body : JSON.stringify(body))).json()
    expect(await request({ tenant: 'acme', tags: ['doc'] })).toMatchObject({ complete: true, count: 1 })
    expect([await found('acme'), await found('other')]).toEqual([false, true])
    expect(await request({ tags: ['doc'] })).toMatchObject({ complete: true })
    expect(await found('other')).toBe(false)
    for (const wrong of [
      '{',
      'null',
      '[]',
      {},
      { tags: ['a'], model: 'b' },
      { tenant: '*', tags: ['a'] },
      { invalidateAll: true, dryRun: true },
    ]) {
      expect(await request(wrong)).toEqual({ error: expect.any(String) })
    }
  })

  it('the server may be away at the beginning and in between, and no event is kept up', async () => {
    const server = await startNats()
    await server.kill()
    const { cache, bridge, logged, lines } = await bridged(`nats://127.0.0.1:${server.port}`, false)
    await cache.lookup(asked)
    await server.start()
    await bridge.connected
    const away = logged('nats-away')
    await server.kill()
    await away
    for (let index = 0; index < 1_000; index++) await cache.lookup(asked)
    const back = logged('nats-connected')
    await server.start()
    await back
    const client = await clientOf(server.port)
    const events = client.subscribe('llmemo.events.miss.>')
    await client.flush()
    await cache.lookup({ ...asked, operation: 'after' })
    expect(await take(events, 1)).toMatchObject([{ data: { operation: 'after' } }])
    expect(lines.map(({ event }) => event)).toEqual(['nats-away', 'nats-connected', 'nats-away', 'nats-connected'])
  })

  it('a password of the URL is used, and is in no line of the log', async () => {
    const { port } = await startNats(['--user', 'gateway', '--pass', 'p@ss'])
    await bridged(`nats://gateway:p%40ss@127.0.0.1:${port}`)
    const wrong = await bridged(`nats://gateway:wr0ng@127.0.0.1:${port}`, false)
    await wrong.logged('nats-refused')
    expect(wrong.lines).toEqual([{ level: 'error', event: 'nats-refused' }])
  })

  it('the program starts and ends without its server', async () => {
    const child = start(['--port', '0'], { env: { ENABLE_NATS: 'true', NATS_URL: 'nats://127.0.0.1:1' } })
    await listens(child)
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('the program publishes with ENABLE_NATS and NATS_URL, and ends when it is told to', async () => {
    const { port } = await startNats()
    const client = await clientOf(port)
    const savings = client.subscribe('llmemo.events.savings')
    const events = client.subscribe('llmemo.events.*.*')
    await client.flush()
    const provider = await startProvider((_request, reply) => reply.json(completion('Rayleigh.')))
    onTestFinished(() => provider.close())
    const child = start(['--port', '0'], { env: { ...inFrontOf(provider), ENABLE_NATS: 'true', NATS_URL: `nats://127.0.0.1:${port}` } })
    const url = await listens(child)
    // The first thing that it publishes: it may listen before it is connected.
    await take(savings, 1)
    const told = take(events, 2)
    await ask(url)
    await ask(url)
    const subjects = (await told).map(({ subject }) => subject.split('.').slice(0, 3).join('.'))
    expect(subjects).toEqual(['llmemo.events.miss', 'llmemo.events.hit'])
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
  })
})
