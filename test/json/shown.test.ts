import { describe, expect, it } from 'vitest'
import { pathOf, tagOf } from '../../src/json/shown.ts'

describe('what an error shows of a value', () => {
  it.each<[steps: readonly (string | number)[], shown: string]>([
    [[], 'request'],
    [['messages', 0, 'content'], 'request.messages[0].content'],
    [['metadata', 'sk-live-51Hx9'], 'request.metadata["…"]'],
    [['tools', 1, 'Tell me a story'], 'request.tools[1]["…"]'],
    [Array.from({ length: 20 }, () => 0), `request${'[0]'.repeat(16)}…`],
  ])('I7 is the place, without a name that may be private: %o', (steps, shown) => {
    expect(pathOf('request', steps)).toBe(shown)
  })

  it('names a value without a name by its first member', () => {
    expect(pathOf('', ['a', 'b'])).toBe('a.b')
  })

  it('I7 is the kind, unless its owner may have named it as they like', () => {
    expect([new Map(), new Uint8Array(1), new BigUint64Array(1), {}].map(tagOf)).toEqual(['Map', 'Uint8Array', 'BigUint64Array', 'Object'])
    expect(tagOf({ [Symbol.toStringTag]: 'sk-live-51Hx9' })).toBeUndefined()
  })
})
