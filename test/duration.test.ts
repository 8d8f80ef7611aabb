import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maxDuration, milliseconds, millisecondsOrNone } from '../src/duration.ts'
import { InvalidOptionError } from '../src/errors.ts'

/** The result of `milliseconds`, or `refused` for the error that it may throw. Any other error fails the test. */
function readOrRefused(given: unknown): number | 'refused' {
  try {
    return milliseconds('ttl', given)
  } catch (error) {
    if (error instanceof InvalidOptionError) return 'refused'
    throw error
  }
}

const day = 24 * 60 * 60 * 1_000

describe('milliseconds', () => {
  it.each<[given: unknown, milliseconds: number]>([
    [1, 1_000],
    [0.5, 500],
    [0.0001, 1],
    [3_600, 3_600_000],
    ['250ms', 250],
    ['30s', 30_000],
    ['10m', 600_000],
    ['2h', 7_200_000],
    ['7d', 7 * day],
    ['2w', 14 * day],
    ['1.5h', 5_400_000],
    ['0.4ms', 1],
    [' 10 m ', 600_000],
    ['30d', 30 * day],
    ['366d', 366 * day],
    [366 * 86_400, 366 * day],
  ])('reads %j', (given, expected) => {
    expect(milliseconds('ttl', given)).toBe(expected)
  })

  it.each([
    0,
    -0,
    -1,
    Number.NaN,
    Infinity,
    -Infinity,
    '0s',
    '-5s',
    '5 parsecs',
    '10',
    's',
    '',
    ' ',
    '1h30m',
    '1e3s',
    '.5h',
    '5.h',
    '1,5h',
    '٣s',
    '10m\u0000',
    'Infinitys',
    '53w',
    '10M',
    '250MS',
    '2H',
    '367d',
    366 * 86_400 + 1,
    '9'.repeat(400) + 's',
    undefined,
    null,
    true,
    1n,
    [],
    [10],
    {},
    new Date(0),
    () => 10,
    Symbol('s'),
  ])('R19 refuses %o by the name of its option', (given) => {
    const refused = expect.objectContaining({
      code: 'INVALID_OPTION',
      message: expect.stringMatching(/option "ttl\.qa" is .+allowed is .+'10m'/),
    })
    expect(() => milliseconds('ttl.qa', given)).toThrow(refused)
    expect(() => milliseconds('ttl.qa', given)).toThrow(InvalidOptionError)
  })

  it('R19 is whole, at least 1 and at most a year, or an error', () => {
    const given = fc.oneof(
      fc.double(),
      fc.string(),
      fc.tuple(fc.double({ min: 0, max: 1e6 }), fc.constantFrom('ms', 's', 'm', 'h', 'd', 'w')).map(([number, unit]) => `${number}${unit}`),
    )
    fc.assert(
      fc.property(given, (duration) => {
        const read = readOrRefused(duration)
        expect(read === 'refused' || (Number.isInteger(read) && read >= 1 && read <= maxDuration)).toBe(true)
      }),
    )
  })

  it('reads a text of seconds as the number of seconds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 31_000_000 }), (seconds) => {
        expect(milliseconds('ttl', `${seconds}s`)).toBe(seconds * 1_000)
        expect(milliseconds('ttl', seconds)).toBe(seconds * 1_000)
      }),
    )
  })
})

describe('millisecondsOrNone', () => {
  it.each<[given: unknown, milliseconds: number]>([
    [0, 0],
    [-0, 0],
    [1, 1_000],
    ['5m', 300_000],
  ])('reads %j', (given, expected) => {
    expect(millisecondsOrNone('stale', given) === expected).toBe(true)
  })

  it.each([-1, Number.NaN, Infinity, '0s', '', null, undefined, false])('R19 refuses %o', (given) => {
    expect(() => millisecondsOrNone('stale', given)).toThrow(/"stale"/)
  })
})
