import { assertCallOptions, isCacheMode } from '../src/engine/settings/call-options.ts'
import { describe, expect, it } from 'vitest'
import { InvalidOptionError } from '../src/errors.ts'

const options = ['mode', 'ttl', 'operation', 'context', 'tags', 'scope', 'variant']

describe('assertCallOptions', () => {
  it.each<object>([
    {},
    { mode: 'reload', ttl: '10m', operation: 'summarize', context: { a: [1] }, tags: ['doc:42'], scope: 'acme', variant: 2 },
    { ttl: 0.5, tags: [], scope: '', variant: 0, context: null },
    { mode: undefined, ttl: undefined, operation: undefined, context: undefined, tags: undefined, variant: undefined },
    { context: new Map() },
    Object.create(null),
  ])('takes %o', (given) => {
    expect(() => assertCallOptions(given)).not.toThrow()
  })

  it.each<[name: string, refused: readonly unknown[]]>([
    ['mode', ['', 'cache', 'no-cache', 'DEFAULT', null, 1, ['default']]],
    ['ttl', [0, -1, Number.NaN, Infinity, '5 parsecs', '', null, '400d', {}]],
    ['operation', ['', null, 1, ['qa']]],
    ['tags', ['doc:42', [''], [1], ['a', null], null, { 0: 'a' }, new Set(['a'])]],
    ['scope', [undefined, null, 1, {}, ['acme']]],
    ['variant', [-1, 0.5, Number.NaN, Infinity, 2 ** 53, '1', null, 1n]],
  ])('C refuses an invalid %s at the call, by name', (name, refused) => {
    for (const value of refused) {
      const given = { [name]: value }
      expect(() => assertCallOptions(given)).toThrow(InvalidOptionError)
      expect(() => assertCallOptions(given)).toThrow(new RegExp(`option "cache\\.${name}" is .+allowed is `))
    }
  })

  it('R19 refuses an invalid TTL that is inherited, because it would be used like an own one', () => {
    expect(() => assertCallOptions(Object.create({ ttl: 'never' }))).toThrow(/"cache\.ttl"/)
  })

  it.each(['TTL', 'tag', 'bypassCache', 'key', '__proto__'])('refuses the unknown option %s, and names the known ones', (name) => {
    const refused = () => assertCallOptions(JSON.parse(`{"${name}":1}`))
    expect(refused).toThrow(InvalidOptionError)
    expect(refused).toThrow(`"cache.${name}"`)
    for (const known of options) expect(refused).toThrow(known)
  })

  it.each([undefined, null, true, '10m', 1, [], ['reload'], () => ({})])('refuses %o, which is no object of options', (given) => {
    expect(() => assertCallOptions(given)).toThrow(/option "cache" is .+an object with mode, ttl/)
  })
})

describe('isCacheMode', () => {
  it("knows fetch's modes but no-cache, which no provider can answer", () => {
    // Source: https://fetch.spec.whatwg.org/#requestcache
    const modes = ['default', 'no-store', 'reload', 'no-cache', 'force-cache', 'only-if-cached']
    expect(modes.filter(isCacheMode)).toEqual(['default', 'no-store', 'reload', 'force-cache', 'only-if-cached'])
    expect([undefined, null, 0, '', 'Default', ['default']].some(isCacheMode)).toBe(false)
  })
})
