import { describe, expect, it } from 'vitest'
import { InvalidOptionError } from '../src/errors.ts'
import { assertStore } from '../src/store.ts'

const least = { name: 'mine', get: () => undefined, set: () => {}, delete: () => {} }

describe('assertStore', () => {
  it('takes any object with a name and the three methods', () => {
    class Mine {
      readonly name = 'mine'
      readonly #kept = new Map<string, Uint8Array>()
      get(key: string) {
        return this.#kept.get(key)
      }
      set(key: string, value: Uint8Array) {
        this.#kept.set(key, value)
      }
      delete(key: string) {
        this.#kept.delete(key)
      }
    }
    for (const store of [least, new Mine(), Object.assign(Object.create(null), least), { ...least, getMany: undefined }]) {
      expect(() => assertStore('store', store)).not.toThrow()
    }
  })

  it.each(['get', 'set', 'delete'])('C names the method %s when it is missing or not a function', (method) => {
    for (const wrong of [undefined, null, 'get', {}, 1]) {
      const refused = () => assertStore('store', { ...least, [method]: wrong })
      expect(refused).toThrow(InvalidOptionError)
      expect(refused).toThrow(new RegExp(`option "store\\.${method}" is .+allowed is a function`))
    }
  })

  it.each(['getMany', 'setMany', 'keys', 'onReport', 'close'])('C names the optional method %s when it is not a function', (method) => {
    for (const wrong of [null, 'x', {}, true]) {
      expect(() => assertStore('store', { ...least, [method]: wrong })).toThrow(new RegExp(`option "store\\.${method}"`))
    }
    expect(() => assertStore('store', { ...least, [method]: () => {} })).not.toThrow()
  })

  it.each([undefined, '', null, 1, Symbol('mine')])('C refuses %o as a name', (name) => {
    expect(() => assertStore('tiers[0]', { ...least, name })).toThrow(/option "tiers\[0\]\.name"/)
  })

  it.each([undefined, null, 'redis://localhost', 1, () => least])('C refuses %o and says what a store is', (value) => {
    expect(() => assertStore('store', value)).toThrow(/option "store" is .+"name" and the methods get\(\), set\(\), delete/)
  })

  it('I7 does not show an address with its password', () => {
    expect(() => assertStore('store', 'redis://user:password@cache.internal:6379/0')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('password') }),
    )
  })
})
