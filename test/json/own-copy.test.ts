import { expect, it } from 'vitest'
import { ownCopy } from '../../src/json/own-copy.ts'

it('copies what its owner may change, and leaves all else as it is', () => {
  const date = new Date(0)
  const given = { list: [{ text: 'a' }], bytes: Buffer.from('a'), date, say: () => 'a', nothing: undefined }
  const copy = ownCopy(given)
  expect(copy).toEqual(given)
  given.list.push({ text: 'b' })
  Object.assign(given.list[0] ?? {}, { text: 'c' })
  given.bytes[0] = 0
  expect(copy).toMatchObject({ list: [{ text: 'a' }], bytes: Buffer.from('a') })
  expect(Reflect.get(Object(copy), 'date')).toBe(date)
})

it('keeps a member that is named __proto__, and ends in a circle', () => {
  const given: unknown = JSON.parse('{"__proto__":{"a":1}}')
  expect(Object.keys(Object(ownCopy(given)))).toEqual(['__proto__'])
  const circle: { self?: object } = {}
  circle.self = circle
  expect(ownCopy(circle)).toHaveProperty('self')
})

it('copies what is nested more deeply than the stack, and what is in it twice once', () => {
  const depth = 50_000
  const deep: unknown = JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`)
  let [given, copy]: unknown[] = [deep, ownCopy(deep)]
  let levels = 0
  for (; Array.isArray(given) && Array.isArray(copy) && given !== copy; levels++) [given, copy] = [given[0], copy[0]]
  expect(levels).toBe(depth)
  const twice = { text: 'a' }
  const both: unknown = ownCopy([twice, twice])
  expect(Reflect.get(Object(both), 0)).toBe(Reflect.get(Object(both), 1))
})
