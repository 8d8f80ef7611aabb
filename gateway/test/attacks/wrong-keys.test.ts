import { createCache, type Store } from 'llmemo'
import { createGateway } from 'llmemo-gateway'
import { ManualClock } from 'llmemo/testing'
import { expect, it } from 'vitest'
import { makeApiKey } from '../../src/access/api-key.ts'
import { Doorkeeper } from '../../src/access/doorkeeper.ts'
import { KeyRing } from '../../src/access/key-ring.ts'
import { Refusals } from '../../src/access/refusals.ts'
import { readSettings } from '../../src/config/settings.ts'

/** A store that counts how often it is asked for a key. */
function countingStore(): Store & { asked: number } {
  const values = new Map<string, Uint8Array>()
  return {
    name: 'counting',
    asked: 0,
    get(key) {
      if (key.includes('/keys/')) this.asked++
      return values.get(key)
    },
    set: (key, value) => void values.set(key, value),
    delete: (key) => void values.delete(key),
  }
}

it('refuses 10,000 wrong keys of one address after twenty, without a look into the store', async () => {
  const clock = new ManualClock()
  const store = countingStore()
  const { key } = await new KeyRing(store, clock).create({ roles: ['admin'] })
  const reasons: unknown[] = []
  const gateway = createGateway({
    store,
    clock,
    cache: createCache(),
    log: (_level, _event, fields) => void reasons.push(fields?.['reason']),
  })
  const status = async (text: string, remoteAddress: string): Promise<number> => {
    const request = new Request('http://localhost/cache/stats', { headers: { 'x-llmemo-api-key': text } })
    return (await gateway.fetch(request, { remoteAddress })).status
  }
  const statuses: number[] = []
  for (let count = 0; count < 10_000; count++) statuses.push(await status(makeApiKey(), '203.0.113.7'))
  expect(statuses.filter((each) => each === 401)).toHaveLength(20)
  expect(statuses.filter((each) => each === 429)).toHaveLength(9_980)
  expect(store.asked).toBe(20)
  expect(reasons).toHaveLength(10_000)
  // Others are let in all the while, and this address in the next window.
  expect(await status(key, '203.0.113.8')).toBe(200)
  expect(await status(key, '203.0.113.7')).toBe(429)
  clock.advance(60_000)
  expect(await status(key, '203.0.113.7')).toBe(200)
  const { headers, body } = {
    headers: { 'x-llmemo-api-key': key },
    body: 'llmemo_gateway_refusals_total{reason="too-many-wrong-credentials"} 9981',
  }
  expect(await (await gateway.fetch(new Request('http://localhost/metrics', { headers }), {})).text()).toContain(body)
  await gateway.close()
})

it('remembers a bounded number of addresses and keys, whatever comes', async () => {
  const store = countingStore()
  const clock = new ManualClock()
  const cache = createCache()
  const doorkeeper = new Doorkeeper({
    cache,
    store,
    clock,
    log: () => undefined,
    refusals: new Refusals(),
    options: readSettings({}),
    closing: new AbortController().signal,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it asks no monitor
    monitor: undefined as never,
  })
  for (let count = 0; count < 12_000; count++) {
    const remoteAddress = `2001:db8:${(count >> 8).toString(16)}:${(count & 255).toString(16)}::1`
    const headers = new Headers({ 'x-llmemo-api-key': makeApiKey() })
    await expect(doorkeeper.known({ headers, connection: { remoteAddress } })).rejects.toMatchObject({ status: 401 })
  }
  expect(doorkeeper.remembered).toBe(11_000)
  // All addresses of one network of 64 bits are one.
  const before = doorkeeper.remembered
  for (let count = 0; count < 50; count++) {
    const connection = { remoteAddress: `2001:db8:ffff:1::${count.toString(16)}` }
    await doorkeeper.known({ headers: new Headers({ 'x-llmemo-api-key': 'llm_wrong' }), connection }).catch(() => undefined)
  }
  const connection = { remoteAddress: '2001:db8:ffff:1::abcd' }
  await expect(doorkeeper.known({ headers: new Headers(), connection })).rejects.toMatchObject({ status: 429 })
  expect(doorkeeper.remembered).toBe(before)
})
