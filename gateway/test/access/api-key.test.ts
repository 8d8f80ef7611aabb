import { expect, it } from 'vitest'
import { digestOf, isApiKey, makeApiKey } from '../../src/access/api-key.ts'

it('makes keys of a fixed form, which are all different', () => {
  const keys = Array.from({ length: 200 }, () => makeApiKey())
  expect(new Set(keys).size).toBe(200)
  for (const key of keys) expect(key).toMatch(/^llm_[0-9A-Za-z]{49}$/)
  expect(keys.every(isApiKey)).toBe(true)
  expect(makeApiKey(new Uint8Array(32))).toMatch(/^llm_0{43}/)
  expect(makeApiKey(new Uint8Array(32).fill(255))).toHaveLength(53)
})

it('knows a mistyped key at once', () => {
  const key = makeApiKey()
  const changed = Array.from(key, (character, at) => key.slice(0, at) + (character === 'x' ? 'y' : 'x') + key.slice(at + 1))
  expect(changed.filter(isApiKey)).toEqual([])
  expect(['', 'llm_', `${key}0`, key.slice(0, -1), ` ${key}`].filter(isApiKey)).toEqual([])
})

it('keeps a digest that says nothing of the key', () => {
  const key = makeApiKey()
  expect(digestOf(key)).toMatch(/^[\da-f]{64}$/)
  expect(digestOf(key)).not.toBe(digestOf(makeApiKey()))
})
