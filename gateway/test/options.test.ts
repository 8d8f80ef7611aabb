import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { createCache, memoryStore } from 'llmemo'
import { describe, expect, it } from 'vitest'
import { GatewayOptionsError } from '../src/errors.ts'
import { createGateway } from '../src/gateway.ts'

const secret = 'hunter2S3cr3t'

describe('the options of a gateway', () => {
  it.each<[string, unknown, string]>([
    ['nothing', null, 'the options: must be a plain object'],
    ['a text', secret, 'the options: must be a plain object'],
    ['a list', [secret], 'the options: must be a plain object'],
    ['a map', new Map([['cache', secret]]), 'the options: must be a plain object'],
    ['a promise', Promise.resolve({}), 'the options: a promise; await it first'],
    ['a misspelt name', { upstream: { openai: secret } }, 'the options: unknown is upstream; allowed are upstreams, keys,'],
    ['a name that may be a secret', { [secret]: 1 }, 'the options: unknown is a name of 13 characters'],
    ['a name that may be a secret in a group', { limits: { [secret]: 1 } }, 'limits: unknown is a name of 13 characters'],
    ['a key in place of the name of an upstream', { keys: { [secret]: 'openai' } }, 'keys.a name of 13 characters'],
    ['no cache', { cache: null }, 'cache: must be a cache made by createCache()'],
    ['a text as cache', { cache: secret }, 'cache: must be a cache made by createCache()'],
    ['options as cache', { cache: { ttl: secret } }, 'cache: must be a cache made by createCache()'],
    ['a URL as store', { store: `redis://:${secret}@host` }, 'store: must be a store, such as redisStore(client)'],
    ['no store', { store: null }, 'store: must be a store'],
    ['a text as log', { log: secret }, 'log: must be a function'],
    ['a URL as fetch', { fetch: secret }, 'fetch: must be a function such as fetch'],
    ['half a clock', { clock: { now: Date.now } }, 'clock: must be a clock'],
    ['a text as monitor', { monitor: secret }, 'monitor: must be a monitor'],
  ])('G49 G52 %s: an error that says what to give, and shows no value', (_, options, hint) => {
    const make = (): unknown => Reflect.apply(createGateway, undefined, [options])
    let thrown: unknown
    try {
      make()
    } catch (error) {
      thrown = error
    }
    assert(thrown instanceof GatewayOptionsError)
    expect(thrown.mistakes.join()).toContain(hint)
    expect(inspect(thrown, { depth: 9, showHidden: true })).not.toContain(secret)
  })

  it('G49 tells all mistakes at once, and takes what is right', async () => {
    expect(() => Reflect.apply(createGateway, undefined, [{ store: secret, log: secret }])).toThrow(/2 mistakes/)
    const cache = createCache({ logger: false })
    await createGateway({ cache, store: memoryStore(), log: () => undefined }).close()
    await cache.close()
  })
})
