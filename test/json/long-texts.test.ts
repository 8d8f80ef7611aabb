import { describe, expect, it, vi } from 'vitest'
import { LongTexts } from '../../src/json/long-texts.ts'

function open() {
  const make = vi.fn<(text: string) => string>((text) => `made of ${text}`)
  return { make, texts: new LongTexts(make) }
}

describe('what is made of long texts', () => {
  it('is made twice of a text that comes often', () => {
    const { make, texts } = open()
    for (let time = 0; time < 9; time++) expect(texts.get('a prompt')).toBe('made of a prompt')
    expect(make).toHaveBeenCalledTimes(2)
  })

  it('I3: is that of no other text, as like as it may be', () => {
    const { texts } = open()
    const like = Array.from({ length: 50 }, (_, number) => `${'x'.repeat(60)}${number}${'x'.repeat(60)}`)
    for (let time = 0; time < 3; time++) for (const text of like) expect(texts.get(text)).toBe(`made of ${text}`)
  })

  it('I6: is not remembered of texts that are very long, and of no more than there is room for', () => {
    const { make, texts } = open()
    const long = 'x'.repeat(2 ** 15 + 1)
    for (let time = 0; time < 3; time++) texts.get(long)
    expect(make).toHaveBeenCalledTimes(3)
    const many = Array.from({ length: 20 }, (_, number) => `${number}`.padEnd(2 ** 14 + number, '.'))
    for (const text of many) for (let time = 0; time < 2; time++) texts.get(text)
    make.mockClear()
    for (const text of many) texts.get(text)
    expect(make.mock.calls.length).toBeGreaterThan(3)
  })
})
