import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { shortName } from '../../src/base/short-name.ts'

const long = 'n'.repeat(1_000_000)

describe('a short name', () => {
  it('is the name itself, unless that is long', () => {
    expect(shortName('gpt-5-mini')).toBe('gpt-5-mini')
    expect(shortName('n'.repeat(200))).toBe('n'.repeat(200))
    expect(shortName('')).toBe('')
  })

  it('G53 is a digest of a long name', () => {
    expect(shortName(long)).toBe(`#${createHash('sha256').update(long).digest('hex')}`)
    expect(shortName(`${long}!`)).not.toBe(shortName(long))
  })

  it('G53 is of no two names: one that looks like a digest is not taken for that', () => {
    expect(shortName(shortName(long))).not.toBe(shortName(long))
  })
})
