import { describe, expect, it } from 'vitest'
import type { CacheEvents } from '../../src/events.ts'
import { cachingFetch } from '../../src/clients/with-cache.ts'
import { answer, openCache, question, settle } from '../support/chat.ts'
import { askThrough, StubProvider } from '../support/provider-stub.ts'

function watched() {
  const provider = new StubProvider()
  const { cache, clock } = openCache()
  const begun: CacheEvents['flight'][] = []
  const landed: CacheEvents['landing'][] = []
  cache.on('flight', (event) => begun.push(event))
  cache.on('landing', (event) => landed.push(event))
  return { provider, cache, clock, begun, landed }
}

describe('a flight', () => {
  it('is told when it begins and when it ends, once for all calls that share it', async () => {
    const { provider, cache, clock, begun, landed } = watched()
    provider.condition = 'slow'
    const asking = [askThrough(cache, provider), askThrough(cache, provider)]
    await settle()
    expect([begun.length, landed.length]).toEqual([1, 0])
    clock.advance(700)
    provider.release()
    await Promise.all(asking)
    await askThrough(cache, provider)
    const [flight] = begun
    expect(flight).toMatchObject({ provider: 'openai', model: 'gpt-5-mini', operation: 'chat', streamed: false })
    const usage = { input: 9, output: 12 }
    expect(landed).toEqual([{ ...flight, end: 'complete', answered: 'gpt-5-mini-2025-08-07', usage, milliseconds: 700 }])
  })

  it.each([
    ['an error', 500],
    ['no answer', 'unreachable'],
  ] as const)('that gets %s from the provider is told to have failed', async (_, condition) => {
    const { provider, cache, begun, landed } = watched()
    provider.condition = condition
    await askThrough(cache, provider)
    expect(landed.map(({ flight, end }) => [flight, end])).toEqual([[begun[0]?.flight, 'failed']])
  })

  it('that no caller waits for any longer is told to be cancelled', async () => {
    const { cache, begun, landed } = watched()
    const controller = new AbortController()
    const fetch = cachingFetch(cache, async (_, init) => {
      await new Promise((resolve) => init?.signal?.addEventListener('abort', resolve))
      // As a provider's client that does not heed the signal.
      return Response.json(answer())
    })
    const init = { method: 'POST', body: JSON.stringify(question().body), signal: controller.signal }
    const asking = fetch('https://api.openai.com/v1/chat/completions', init).catch((error: unknown) => error)
    await settle()
    controller.abort()
    await asking
    await settle()
    expect(landed.map(({ flight, end }) => [flight, end])).toEqual([[begun[0]?.flight, 'cancelled']])
  })
})
