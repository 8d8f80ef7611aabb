import { describe, expect, it } from 'vitest'
import { InvalidOptionError } from '../../src/errors.ts'
import { assertKnown, text, texts, wholeNumber, withMethods } from '../../src/base/option-checks.ts'

/** The message of the llmemo error that `check` throws. */
function refusal(check: () => unknown): string {
  try {
    check()
  } catch (error) {
    if (error instanceof InvalidOptionError) return error.message
    throw error
  }
  return 'nothing was refused'
}

describe('wholeNumber', () => {
  it('takes whole numbers within the bounds, both ends included', () => {
    for (const given of [1, 7, 10]) expect(wholeNumber('size', given, { least: 1, most: 10 })).toBe(given)
    expect(wholeNumber('size', Number.MAX_SAFE_INTEGER, { least: 1 })).toBe(Number.MAX_SAFE_INTEGER)
  })

  it.each([0, 11, 1.5, -1, Number.NaN, Infinity, '5', null, undefined, 5n, [5]])('refuses %s', (given) => {
    expect(refusal(() => wholeNumber('size', given, { least: 1, most: 10, of: 'bytes' }))).toMatch(
      /^llmemo: option "size" is .*; allowed is a whole number of bytes from 1 to 10\.$/,
    )
  })

  it('refuses numbers that are not exact', () => {
    expect(refusal(() => wholeNumber('size', 2 ** 53, { least: 0 }))).toBe(
      'llmemo: option "size" is 9007199254740992; allowed is a whole number from 0.',
    )
  })
})

describe('text and texts', () => {
  it('take texts that UTF-8 can hold', () => {
    expect(text('name', 'naïve 👩‍👩‍👧')).toBe('naïve 👩‍👩‍👧')
    expect(texts('names', ['', 'b'])).toEqual(['', 'b'])
  })

  it('refuse everything else', () => {
    for (const given of ['a\ud800', 1, null, undefined, {}]) expect(refusal(() => text('name', given))).toContain('"name"')
    for (const given of ['a', [1], [undefined], { 0: 'a', length: 1 }]) expect(refusal(() => texts('names', given))).toContain('"names"')
  })
})

describe('withMethods', () => {
  it('takes an object whose methods are its own or inherited', () => {
    const map = new Map()
    expect(withMethods('map', map, { methods: ['get', 'set'], allowed: 'a map' })).toBe(map)
  })

  it.each([null, undefined, 1, 'text', {}, { get: 1, set: 2 }, () => {}])('refuses %s', (given) => {
    expect(refusal(() => withMethods('map', given, { methods: ['get', 'set'], allowed: 'a map' }))).toMatch(
      /"map" is .*; allowed is a map\.$/,
    )
  })
})

describe('assertKnown', () => {
  it('names the unknown option and the known ones', () => {
    expect(refusal(() => assertKnown('key.', { kepp: [] }, ['keep', 'ignore']))).toBe(
      'llmemo: option "key.kepp" is unknown; allowed is one of the options keep, ignore. Did you mean "keep"?',
    )
  })

  it.each<[given: string, meant: string | undefined]>([
    ['Store', 'store'],
    ['stores', 'store'],
    ['sotre', 'store'],
    ['namespce', 'namespace'],
    ['maxMemory', 'maxMemoryBytes'],
    ['TTL', 'ttl'],
    ['ttls', 'ttl'],
    ['redis', undefined],
    ['x', undefined],
  ])('G49 asks whether %s was meant to be %s', (given, meant) => {
    const message = refusal(() => assertKnown('', { [given]: 1 }, ['store', 'ttl', 'namespace', 'maxMemoryBytes']))
    expect(/Did you mean "(.*)"\?$/.exec(message)?.[1]).toBe(meant)
  })

  it.each(['the whole prompt', 'sk-live-hunter2', 'redis://:hunter2@host', 'hunter2'.repeat(6), ''])(
    'G52 shows neither an unknown name that may be a secret nor the value of one: %s',
    (name) => {
      const message = refusal(() => assertKnown('cache.', { [name]: 'hunter2 prompt' }, ['mode']))
      expect(message).toMatch(/^llmemo: option "cache" is an object with an unknown option, .*; allowed is one of the options mode\.$/)
      expect(message).not.toMatch(/hunter2|prompt/)
    },
  )

  it.each([null, 1, 'text', [], () => {}])('refuses %s, which is not an object of options', (given) => {
    expect(refusal(() => assertKnown('', given, ['a']))).toMatch(/"options" is .*; allowed is an object with a\.$/)
    expect(refusal(() => assertKnown('key.', given, ['a']))).toContain('"key"')
  })
})
