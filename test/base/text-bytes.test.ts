import * as fc from 'fast-check'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import * as byBuffer from '../../src/base/text-bytes.ts'

const NodeBuffer = Buffer

describe('bytes of texts', () => {
  let plain: typeof byBuffer

  beforeAll(async () => {
    vi.stubGlobal('Buffer', undefined)
    vi.resetModules()
    plain = await import('../../src/base/text-bytes.ts')
    vi.unstubAllGlobals()
  })
  afterEach(() => void vi.unstubAllGlobals())

  for (const has of [true, false]) {
    const loaded = (): typeof byBuffer => (has ? byBuffer : plain)
    describe(`${has ? 'with' : 'without'} Buffer`, () => {
      it('G30 are those of Buffer, in UTF-8', () => {
        fc.assert(
          fc.property(fc.string({ unit: 'binary' }), (text) => {
            expect([...loaded().utf8Bytes(text)]).toEqual([...NodeBuffer.from(text)])
            expect(loaded().utf8Length(text)).toBe(NodeBuffer.byteLength(text))
          }),
        )
      })

      it('G30 are those of Buffer, to base64 and back', () => {
        fc.assert(
          fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
            const text = loaded().base64Of(bytes)
            expect(text).toBe(NodeBuffer.from(bytes).toString('base64'))
            expect(loaded().bytesOfBase64(text)).toEqual(bytes)
            expect(loaded().bytesOfBase64(NodeBuffer.from(bytes).toString('base64url'))).toEqual(bytes)
          }),
        )
      })

      it('G30 are made of base64 that is not as it should be, as by Buffer', () => {
        fc.assert(
          fc.property(fc.string({ unit: fc.constantFrom(...'AZaz09+/-_=\n é'.split('')) }), (text) => {
            expect([...loaded().bytesOfBase64(text)]).toEqual([...NodeBuffer.from(text, 'base64')])
          }),
        )
      })

      it('G30 are made of more bytes than a call can have arguments', () => {
        const bytes = new Uint8Array(300_001).map((_, index) => index)
        expect(loaded().base64Of(bytes)).toBe(NodeBuffer.from(bytes).toString('base64'))
      })

      it('G30 are joined, compared and found', () => {
        const small = fc.uint8Array({ max: 2, maxLength: 12 })
        fc.assert(
          fc.property(small, small, fc.uint8Array({ max: 2, minLength: 1, maxLength: 3 }), (first, second, part) => {
            const both = NodeBuffer.concat([first, second])
            expect([...loaded().joinedBytes([first, second])]).toEqual([...both])
            expect(loaded().isSameBytes(first, second)).toBe(NodeBuffer.compare(first, second) === 0)
            expect(loaded().lastPositionOf(both, part)).toBe(both.lastIndexOf(part))
          }),
        )
      })
    })
  }
})
