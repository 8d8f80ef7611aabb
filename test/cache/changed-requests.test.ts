import { expect, it } from 'vitest'
import { createCache } from '../../src/cache/cache.ts'
import { ScriptedStore } from '../support/scripted-store.ts'

it.each(['memory', 'a store'])('G06 what is fetched is for the request as it was keyed, with %s', async (where) => {
  const cache = createCache({ ...(where === 'a store' && { store: new ScriptedStore(), maxMemoryBytes: 0 }), logger: false })
  const ask = async (request: object) => {
    const { answer } = await cache.call({ provider: 'p', endpoint: 'chat', request }, async (context) => JSON.stringify(context.request))
    await cache.flush()
    return answer
  }
  const first = { prompt: ['a'], bytes: new Uint8Array([1]) }
  const asking = ask(first)
  first.prompt[0] = 'b'
  first.bytes[0] = 2
  const expected = JSON.stringify({ prompt: ['a'], bytes: new Uint8Array([1]) })
  expect(await asking).toBe(expected)
  expect(await ask({ prompt: ['a'], bytes: new Uint8Array([1]) })).toBe(expected)
  expect(await ask(first)).toBe(JSON.stringify(first))
})
