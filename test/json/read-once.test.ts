import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isPlainJson } from '../../src/json/plain.ts'
import { readOnce } from '../../src/json/read-once.ts'

const values = fc.anything({ withBoxedValues: true, withDate: true, withMap: true, withNullPrototype: true, withTypedArray: true })

describe('G62 a value that is read once', () => {
  it('is written by JSON as the value itself', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(JSON.stringify(readOnce(value).copy)).toBe(JSON.stringify(value))
      }),
    )
  })

  it('is called plain exactly if its copy is, and then shares no object with the value', () => {
    fc.assert(
      fc.property(fc.oneof(values, fc.jsonValue()), (value) => {
        const { copy, isPlain } = readOnce({ value })
        expect(isPlain).toBe(isPlainJson(copy))
        const owned = isPlain ? objectsIn(copy) : new Set()
        for (const object of objectsIn(value)) expect(owned.has(object)).toBe(false)
      }),
    )
  })

  it('calls a getter once, and `toJSON` once and with the name of its member', () => {
    const calls: string[] = []
    const value = {
      get got() {
        calls.push('got')
        return calls.length
      },
      list: [{ toJSON: (key: string) => ({ key, toJSON: () => calls.push('again') }) }],
      own: { toJSON: (key: string) => key },
      date: new Date(0),
    }
    const { copy, isPlain } = readOnce(value)
    expect(JSON.parse(JSON.stringify(copy))).toEqual({ got: 1, list: [{ key: '0' }], own: 'own', date: '1970-01-01T00:00:00.000Z' })
    expect([calls, isPlain]).toEqual([['got'], true])
  })

  it.each([
    ['bytes', new Uint8Array(3)],
    ['a buffer', Buffer.from('abc')],
    ['a form', new FormData()],
    ['a file', new Blob(['a'])],
    ['a map', new Map([['a', 1]])],
    ['a function', () => 1],
    ['a stream', new ReadableStream()],
    ['raw JSON', Reflect.get(JSON, 'rawJSON')?.('1.50') ?? new Map()],
  ])('leaves %s as it is', (_, value) => {
    const { copy, isPlain } = readOnce({ value })
    expect(Object(copy).value).toBe(value)
    expect(isPlain).toBe(false)
  })

  it('leaves what is sent as a stream as it is', () => {
    const iterable = { first: 1, *[Symbol.iterator]() {} }
    expect(readOnce(iterable)).toEqual({ copy: iterable, isPlain: false })
    expect(readOnce('text')).toEqual({ copy: 'text', isPlain: false })
  })

  it('leaves a circle and a value that is nested too deep as they are', () => {
    const circle: { self?: object; other?: object } = {}
    circle.self = circle.other = circle
    expect(readOnce(circle).copy).toBe(circle)
    const deep: unknown = JSON.parse(`${'{"a":'.repeat(600)}1${'}'.repeat(600)}`)
    expect(readOnce(deep).copy).toBe(deep)
  })

  it('keeps a member named `__proto__`', () => {
    const value: unknown = JSON.parse('{"__proto__":{"a":1},"b":2}')
    const { copy } = readOnce(value)
    expect(JSON.stringify(copy)).toBe('{"__proto__":{"a":1},"b":2}')
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype)
  })
})

function objectsIn(value: unknown, found = new Set<object>()): Set<object> {
  if (typeof value !== 'object' || value === null) return found
  found.add(value)
  for (const member of Object.values(value)) objectsIn(member, found)
  return found
}
