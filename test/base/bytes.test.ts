import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { isBytes } from '../../src/base/bytes.ts'

describe('bytes', () => {
  it.each<[string, unknown]>([
    ['a Uint8Array', new Uint8Array(1)],
    ['a Buffer', Buffer.from('a')],
    ['bytes of another realm', runInNewContext('new Uint8Array(1)')],
    ['bytes of a subclass', new (class Own extends Uint8Array {})(1)],
  ])('are %s', (_, value) => {
    expect(isBytes(value)).toBe(true)
  })

  it.each<[string, unknown]>([
    ['other arrays', new Uint16Array(1)],
    ['clamped bytes', new Uint8ClampedArray(1)],
    ['a DataView', new DataView(new ArrayBuffer(1))],
    ['a buffer', new ArrayBuffer(1)],
    ['an object with the tag of bytes', { [Symbol.toStringTag]: 'Uint8Array' }],
    ['an object that inherits from bytes', Object.create(new Uint8Array(1))],
    ['an array', [1]],
    ['a text', 'Uint8Array'],
    ['null', null],
    ['undefined', undefined],
  ])('are not %s', (_, value) => {
    expect(isBytes(value)).toBe(false)
  })
})
