import { createDecipheriv } from 'node:crypto'
import { inspect } from 'node:util'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Encryption, readEncryption } from '../../src/codec/encryption.ts'
import { createEntryCodec } from '../../src/codec/entry-codec.ts'
import type { Entry } from '../../src/entry.ts'
import { InvalidOptionError } from '../../src/errors.ts'
import { entryHead } from '../support/entry-head.ts'

const key = Uint8Array.from({ length: 32 }, (_, index) => index * 7)
const otherKey = new Uint8Array(32).fill(9)
const header = Buffer.from('header')

function seal(encryption: Encryption, ...parts: readonly string[]): Buffer {
  return Buffer.concat(
    encryption.seal(
      parts.map((part) => Buffer.from(part)),
      header,
    ),
  )
}

/** The error for `given` as encryption. */
function refusal(given: unknown): unknown {
  try {
    readEncryption('encryption', given)
  } catch (error) {
    return error
  }
  return undefined
}

describe('encryption', () => {
  it('is AES-256-GCM: 12 bytes of vector, 16 of tag, then the ciphertext', () => {
    const sealed = seal(readEncryption('encryption', { keys: { a: key }, current: 'a' }), 'one ', 'two')
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12))
    decipher.setAAD(header)
    decipher.setAuthTag(sealed.subarray(12, 28))
    expect(decipher.update(sealed.subarray(28), undefined, 'utf8') + decipher.final('utf8')).toBe('one two')
  })

  it('opens what it sealed, and seals the same text differently each time', () => {
    const encryption = readEncryption('encryption', { keys: { a: key }, current: 'a' })
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), fc.uint8Array(), (parts, authenticated) => {
        const sealed = Buffer.concat(encryption.seal(parts, authenticated))
        expect(Buffer.from(encryption.open('a', sealed, authenticated) ?? 'none')).toEqual(Buffer.concat(parts))
      }),
    )
    expect(seal(encryption, 'same').equals(seal(encryption, 'same'))).toBe(false)
  })

  it('opens nothing that was changed, cut off, sealed by another key or authenticated with other bytes', () => {
    const encryption = readEncryption('encryption', { keys: { a: key, b: otherKey }, current: 'a' })
    const sealed = seal(encryption, 'text')
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const changed = Buffer.from(sealed)
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(encryption.open('a', changed, header), `bit ${bit}`).toBeUndefined()
    }
    for (let length = 0; length < sealed.length; length += 1) {
      expect(encryption.open('a', sealed.subarray(0, length), header), `cut at ${length}`).toBeUndefined()
    }
    expect(encryption.open('b', sealed, header)).toBeUndefined()
    expect(encryption.open('c', sealed, header)).toBeUndefined()
    expect(encryption.open('a', sealed, Buffer.from('Header'))).toBeUndefined()
    expect(encryption.open('a', sealed, header)).toBeDefined()
  })

  it('takes a key as bytes, base64, base64url and hex', () => {
    const sealed = seal(readEncryption('encryption', { keys: { a: key }, current: 'a' }), 'text')
    const buffer = Buffer.from(key)
    for (const form of [buffer, buffer.toString('base64'), buffer.toString('base64url'), buffer.toString('hex')]) {
      const encryption = readEncryption('encryption', { keys: { a: form }, current: 'a' })
      expect(Buffer.from(encryption.open('a', sealed, header) ?? 'none').toString()).toBe('text')
    }
  })

  it('keeps its own copy of a key', () => {
    const mine = Uint8Array.from(key)
    const encryption = readEncryption('encryption', { keys: { a: mine }, current: 'a' })
    const sealed = seal(encryption, 'text')
    mine.fill(0)
    expect(encryption.open('a', sealed, header)).toBeDefined()
  })

  it('knows ids such as `constructor` only if they were given', () => {
    const encryption = readEncryption('encryption', { keys: { a: key }, current: 'a' })
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) expect(encryption.has(name)).toBe(false)
    expect(refusal({ keys: { a: key }, current: 'constructor' })).toBeInstanceOf(InvalidOptionError)
  })

  it.each([
    ['no object', 'secret', 'encryption"'],
    ['an array', [key], 'encryption"'],
    ['a bare key', key, 'encryption"'],
    ['an unknown member', { keys: { a: key }, current: 'a', algorithm: 'des' }, 'encryption"'],
    ['no keys', { current: 'a' }, 'encryption.keys"'],
    ['an empty set of keys', { keys: {}, current: 'a' }, 'encryption.keys"'],
    ['a Map of keys', { keys: new Map([['a', key]]), current: 'a' }, 'encryption.keys"'],
    ['a short key', { keys: { 2026: key.subarray(1) }, current: '2026' }, 'encryption.keys.2026"'],
    ['a long key', { keys: { 2026: new Uint8Array(33) }, current: '2026' }, 'encryption.keys.2026"'],
    ['a passphrase', { keys: { 2026: 'correct horse battery staple' }, current: '2026' }, 'encryption.keys.2026"'],
    ['a key in base64 with a line end', { keys: { k: `${Buffer.from(key).toString('base64')}\n` }, current: 'k' }, 'encryption.keys.k"'],
    ['a key of 31 bytes in hex', { keys: { k: 'ab'.repeat(31) }, current: 'k' }, 'encryption.keys.k"'],
    ['a key of another type', { keys: { k: 1234 }, current: 'k' }, 'encryption.keys.k"'],
    ['an empty id', { keys: { '': key }, current: '' }, 'encryption.keys"'],
    ['an id of 65 bytes', { keys: { ['x'.repeat(65)]: key }, current: 'x' }, 'encryption.keys"'],
    ['an id of 64 characters and 65 bytes', { keys: { [`${'x'.repeat(63)}é`]: key }, current: 'x' }, 'encryption.keys"'],
    ['an id with a lone surrogate', { keys: { '\ud800': key }, current: '\ud800' }, 'encryption.keys"'],
    ['no current id', { keys: { a: key } }, 'encryption.current"'],
    ['a current id without a key', { keys: { a: key }, current: 'b' }, 'encryption.current"'],
  ])('refuses %s by name', (_, given, name) => {
    const error = refusal(given)
    expect(error).toBeInstanceOf(InvalidOptionError)
    expect(error).toHaveProperty('message', expect.stringContaining(`"${name}`))
  })

  it('takes an id of exactly 64 bytes', () => {
    const id = `${'x'.repeat(62)}é`
    expect(readEncryption('encryption', { keys: { [id]: key }, current: id }).current).toBe(id)
  })

  it('I7 never shows a key in an error, even if members were swapped', () => {
    const secret = 'correct horse battery'
    const hex = Buffer.from(key).toString('hex')
    const base64 = Buffer.from(key).toString('base64')
    const given = [
      secret,
      { keys: secret, current: 'a' },
      { keys: { a: secret }, current: 'a' },
      { keys: { a: hex.slice(2) }, current: 'a' },
      { keys: { a: base64.slice(2) }, current: 'a' },
      { keys: { [hex]: '2026' }, current: '2026' },
      { keys: { [base64]: '2026' }, current: '2026' },
      { keys: { a: key }, current: hex },
      { keys: { a: key }, current: secret },
    ]
    for (const value of given) {
      const shown = inspect(refusal(value), { depth: 9 })
      expect(shown).toContain('INVALID_OPTION')
      for (const part of [secret, hex.slice(2, 40), base64.slice(2, 40)]) expect(shown).not.toContain(part)
    }
    expect(inspect(readEncryption('encryption', { keys: { a: key }, current: 'a' }), { depth: 9, showHidden: true })).not.toMatch(
      /7, 14, 21|070e15/,
    )
  })
})

describe('encrypted entries', () => {
  const entry: Entry = {
    head: entryHead({ scope: 's' }),
    body: '{"answer":"under seal"}',
  }
  const limits = { compressAbove: Infinity, maxBodyBytes: 1_000 }
  const before = createEntryCodec({ ...limits, encryption: { keys: { old: key }, current: 'old' } })
  const during = createEntryCodec({ ...limits, encryption: { keys: { old: key, new: otherKey }, current: 'new' } })
  const after = createEntryCodec({ ...limits, encryption: { keys: { new: otherKey }, current: 'new' } })

  it('are opened by an older key, sealed by the current one, and left alone when their key is missing', () => {
    expect(during.decode(before.encode(entry))).toEqual(entry)
    expect(after.decode(during.encode(entry))).toEqual(entry)
    expect(() => after.decode(before.encode(entry))).toThrow(expect.objectContaining({ code: 'NOT_RECOGNISED' }))
    expect(() => before.decode(during.encode(entry))).toThrow(expect.objectContaining({ code: 'NOT_RECOGNISED' }))
  })

  it('are left alone when no encryption is configured', () => {
    expect(() => createEntryCodec(limits).decode(before.encode(entry))).toThrow(expect.objectContaining({ code: 'NOT_RECOGNISED' }))
  })

  it('hide head and body, and name their key', () => {
    const bytes = Buffer.from(before.encode(entry))
    expect(bytes.includes('under seal')).toBe(false)
    expect(bytes.includes('gpt-5-mini')).toBe(false)
    expect(bytes.toString('utf8', 20, 23)).toBe('old')
  })

  it('B12 are damaged when sealed by another key of the same id', () => {
    const forger = createEntryCodec({ ...limits, encryption: { keys: { old: otherKey }, current: 'old' } })
    expect(() => before.decode(forger.encode(entry))).toThrow(expect.objectContaining({ code: 'DAMAGED_ENTRY' }))
  })

  it('B12 are required: an unencrypted entry is damaged', () => {
    const bytes = createEntryCodec(limits).encode(entry)
    expect(createEntryCodec(limits).decode(bytes)).toEqual(entry)
    expect(() => before.decode(bytes)).toThrow(expect.objectContaining({ code: 'DAMAGED_ENTRY' }))
  })

  it('report a wrong key when the codec is made', () => {
    expect(() => createEntryCodec({ ...limits, encryption: { keys: { 2026: 'short' }, current: '2026' } })).toThrow(InvalidOptionError)
  })
})
