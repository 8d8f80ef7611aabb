import { deflateRawSync, inflateRawSync } from 'node:zlib'
import * as fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { type Compression, runtimeCompression, zlibCompression } from '../../src/codec/compression.ts'
import { fflateCompression } from '../../src/codec/fflate-compression.ts'
import { EntryError } from '../../src/errors.ts'

const zlib = zlibCompression() ?? expect.unreachable('this runtime has zlib')
const both: readonly (readonly [string, Compression])[] = [
  ['zlib', zlib],
  ['fflate', fflateCompression],
]

/** Bytes like those of entries: some shrink and some do not. */
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc
    .tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 2_000 }))
    .map(([part, times]) => new Uint8Array(part.length * times).map((_, index) => part[index % part.length] ?? 0)),
  fc.integer({ min: 1, max: 60_000 }).map((length) => pseudoRandom(length)),
)

/** Random bytes, which do not shrink; the same in every run. */
function pseudoRandom(length: number): Uint8Array {
  let state = length
  return new Uint8Array(length).map(() => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return state >>> 24
  })
}

/** A raw deflate stream of so many MiB of zeros, made by repeating one flushed block, which takes little memory. */
function zeros(mebibytes: number): Uint8Array {
  const block = deflateRawSync(new Uint8Array(2 ** 20), { finishFlush: 3 /* Z_FULL_FLUSH */ })
  return Buffer.concat([...Array.from({ length: mebibytes }, () => block), deflateRawSync(new Uint8Array(0))])
}

describe('compression', () => {
  it("is the runtime's own if it has one", () => {
    expect(runtimeCompression().deflate(new Uint8Array(1_000))).toEqual(deflateRawSync(new Uint8Array(1_000)))
  })

  it.each([[undefined], [{}], [{ getBuiltinModule: () => undefined }]])(
    'is another where the runtime has no zlib, once it is loaded',
    async (process) => {
      const raw = new Uint8Array(1_000)
      const deflated = deflateRawSync(raw)
      const late = runtimeCompression(() => Promise.resolve(fflateCompression))
      const never = runtimeCompression(() => Promise.reject(new Error('no such module')))
      const none = runtimeCompression()
      vi.stubGlobal('process', process)
      const first = [zlibCompression(), ...[late, never, none].map((each) => each.deflate(raw))]
      vi.unstubAllGlobals()
      expect(first).toEqual([undefined, raw, raw, raw])
      expect(inflated(late, deflated, 1_000)).toBe('NOT_RECOGNISED')
      await Promise.resolve()
      await Promise.resolve()
      expect(late.deflate(raw)).toEqual(fflateCompression.deflate(raw))
      expect(late.inflate(deflated, 1_000)).toEqual(raw)
      for (const each of [never, none]) {
        expect(each.deflate(raw)).toBe(raw)
        expect(inflated(each, deflated, 1_000)).toBe('NOT_RECOGNISED')
      }
    },
  )

  for (const [name, compression] of both) {
    describe(`by ${name}`, () => {
      it('writes raw deflate that Node reads', () => {
        fc.assert(
          fc.property(bytes, (raw) => {
            expect(Buffer.compare(inflateRawSync(compression.deflate(raw)), raw)).toBe(0)
          }),
        )
      })

      for (const [other, writer] of both) {
        it(`reads what ${other} writes, at a limit of exactly its length`, () => {
          fc.assert(
            fc.property(bytes, (raw) => {
              expect(Buffer.compare(compression.inflate(writer.deflate(raw), Math.max(1, raw.length)), raw)).toBe(0)
            }),
          )
        })

        it(`refuses what ${other} writes at a limit of one byte less`, () => {
          fc.assert(
            fc.property(
              bytes.filter((raw) => raw.length > 1),
              (raw) => {
                expect(() => compression.inflate(writer.deflate(raw), raw.length - 1)).toThrow(EntryError)
              },
            ),
          )
        })
      }

      it('reads a long stream of many blocks', () => {
        const raw = Buffer.concat(Array.from({ length: 40 }, (_, index) => pseudoRandom(20_000 + index)))
        for (const level of [0, 1, 9]) {
          expect(Buffer.compare(compression.inflate(deflateRawSync(raw, { level }), raw.length), raw)).toBe(0)
        }
      })

      it('B08 refuses a stream that is cut off at any place', () => {
        const raw = Buffer.from(Array.from({ length: 60 }, (_, index) => `line ${index * index}\n`).join(''))
        const deflated = deflateRawSync(raw)
        for (let length = 0; length < deflated.length; length += 1) {
          expect(inflated(compression, deflated.subarray(0, length), raw.length), `cut at ${length}`).not.toEqual(raw)
        }
      })

      it('B08 refuses bytes that are no deflate stream', () => {
        expect(() => compression.inflate(Buffer.from('this was never deflated'), 1_000)).toThrow(EntryError)
      })

      it('B07 stops at the limit of a stream that holds 512 MiB', () => {
        const bomb = zeros(512)
        expect(compression.inflate(zeros(2), 2 ** 21).length).toBe(2 ** 21)
        const before = process.resourceUsage().maxRSS
        expect(() => compression.inflate(bomb, 2 ** 20)).toThrow(EntryError)
        // In KiB. One step inflates to 4 MiB, of which fflate holds a few copies.
        expect(process.resourceUsage().maxRSS - before).toBeLessThan(128 * 1_024)
      })
    })
  }
})

/** The result, or the error's code. */
function inflated(compression: Compression, deflated: Uint8Array, limit: number): unknown {
  try {
    return Buffer.from(compression.inflate(deflated, limit))
  } catch (error) {
    return error instanceof EntryError ? error.code : error
  }
}
