import { describe, expect, it } from 'vitest'
import { remembering } from '../../src/base/memo.ts'

const counting = (most: number) => {
  const made: string[] = []
  const capitals = remembering(most, (text) => {
    made.push(text)
    return text.toUpperCase()
  })
  return { made, capitals }
}

describe('a function that remembers', () => {
  it('calls the function once for each text', () => {
    const { made, capitals } = counting(10)
    expect(['a', 'b', 'a', 'a', 'b'].map(capitals)).toEqual(['A', 'B', 'A', 'A', 'B'])
    expect(made).toEqual(['a', 'b'])
  })

  it('forgets all texts when there are too many', () => {
    const { made, capitals } = counting(2)
    expect(['a', 'b', 'c', 'c', 'a'].map(capitals)).toEqual(['A', 'B', 'C', 'C', 'A'])
    expect(made).toEqual(['a', 'b', 'c', 'a'])
  })

  it('does not remember long texts', () => {
    const { made, capitals } = counting(2)
    const long = 'a'.repeat(1_001)
    expect([capitals(long), capitals(long)]).toEqual([long.toUpperCase(), long.toUpperCase()])
    expect(made).toHaveLength(2)
  })

  it('remembers texts that are names of Object.prototype', () => {
    const { capitals } = counting(10)
    expect(['__proto__', 'constructor', '__proto__'].map(capitals)).toEqual(['__PROTO__', 'CONSTRUCTOR', '__PROTO__'])
  })

  it('does not remember an error', () => {
    let fails = true
    const failing = remembering(10, (text) => {
      if (fails) throw new Error('not now')
      return text
    })
    expect(() => failing('a')).toThrow('not now')
    fails = false
    expect(failing('a')).toBe('a')
  })
})
