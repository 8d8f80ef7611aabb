import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { inspect, isDeepStrictEqual } from 'node:util'
import { serialize } from 'node:v8'
import { deflateRawSync } from 'node:zlib'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { zlibCompression } from '../../src/codec/compression.ts'
import { fflateCompression } from '../../src/codec/fflate-compression.ts'
import { type CodecOptions, createEntryCodec, type EntryCodec } from '../../src/codec/entry-codec.ts'
import type { Entry } from '../../src/entry.ts'
import { EntryError } from '../../src/errors.ts'
import { entryHead } from '../support/entry-head.ts'

const head = entryHead({
  scope: 'tenant-of-secrets',
  tags: ['doc:42'],
  generations: { 'tag:doc:42': '7' },
  headers: { 'content-type': 'application/json' },
  usage: { input: 9, output: 12 },
})
const sample: Entry = { head, body: JSON.stringify({ content: 'na '.repeat(60) }) }
const limits = { compressAbove: Infinity, maxBodyBytes: 2 ** 20 }
const encryption = { keys: { k1: new Uint8Array(32).fill(1) }, current: 'k1' }
const plain = createEntryCodec(limits)
const compressing = createEntryCodec({ ...limits, compressAbove: 0 })
const sealing = createEntryCodec({ ...limits, compressAbove: 0, encryption })
const codecs: readonly (readonly [string, EntryCodec])[] = [
  ['as it is', plain],
  ['compressed', compressing],
  ['compressed, read by fflate', createEntryCodec({ ...limits, compressAbove: 0, compression: fflateCompression })],
  ['encrypted', sealing],
]

/** The faults of a forged entry. Members that are not given are right. */
interface Forgery {
  head?: unknown
  headText?: string | Uint8Array
  body?: string | Uint8Array
  version?: number
  codec?: number
  flags?: number
  keyId?: string
  headLength?: number
  storedLength?: number
  rawLength?: number
  trailing?: string
  checksum?: Uint8Array
}

/** An entry written from the description of the format, without llmemo's code, and with a right checksum. */
function forge(forgery: Forgery): Buffer {
  const headText = Buffer.from(forgery.headText ?? JSON.stringify(forgery.head ?? head))
  const body = Buffer.from(forgery.body ?? '{}')
  const keyId = Buffer.from(forgery.keyId ?? '')
  const header = Buffer.alloc(20)
  header.write('LMEM')
  header.set([forgery.version ?? 1, forgery.codec ?? 0, forgery.flags ?? 0, keyId.length], 4)
  header.writeUInt32BE(forgery.headLength ?? headText.length, 8)
  header.writeUInt32BE(forgery.storedLength ?? body.length, 12)
  header.writeUInt32BE(forgery.rawLength ?? body.length, 16)
  const before = Buffer.concat([header, keyId, headText, body])
  return Buffer.concat([withChecksum(before, forgery.checksum), Buffer.from(forgery.trailing ?? '')])
}

function withChecksum(before: Uint8Array, checksum?: Uint8Array): Buffer {
  return Buffer.concat([before, checksum ?? createHash('sha256').update(before).digest().subarray(0, 8)])
}

/** The entry, or the code of the error. Any other error fails the test. */
function outcome(codec: EntryCodec, bytes: unknown): Entry | string {
  try {
    // Unchecked, like the result of a user's own store.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return codec.decode(bytes as Uint8Array)
  } catch (error) {
    if (error instanceof EntryError) return error.code
    throw error
  }
}

function thrownBy(failing: () => unknown): unknown {
  try {
    return failing()
  } catch (error) {
    return error
  }
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return copy
}

/** A raw deflate stream of so many MiB of zeros, made by repeating one flushed block, which takes little memory. */
function zeros(mebibytes: number): Buffer {
  const block = deflateRawSync(new Uint8Array(2 ** 20), { finishFlush: 3 /* Z_FULL_FLUSH */ })
  return Buffer.concat([...Array.from({ length: mebibytes }, () => block), deflateRawSync(new Uint8Array(0))])
}

describe('bytes that are no valid entry', () => {
  it('come from a forger that can also write valid ones', () => {
    expect(outcome(plain, forge({ body: '{"a":1}' }))).toEqual({ head, body: '{"a":1}' })
    const body = 'a'.repeat(1_000)
    expect(outcome(plain, forge({ body: deflateRawSync(body), codec: 1, rawLength: 1_000 }))).toEqual({ head, body })
  })

  it.each<[string, unknown]>([
    ['0 bytes', new Uint8Array(0)],
    ['1 byte', Uint8Array.of(76)],
    ['the magic alone', Buffer.from('LMEM')],
    ['1 KB at random', Uint8Array.from({ length: 1_024 }, (_, index) => (Math.imul(index + 1, 2_654_435_761) >>> 13) & 255)],
    ['plain text', Buffer.from('hello, this is a value of another application')],
    ["other application's JSON", Buffer.from('{"value":{"answer":42},"expires":1767225600}')],
    ['a text, from a store that breaks its contract', 'LMEM as text'],
    ['null, from such a store', null],
  ])('B01 %s is not recognised', (_, bytes) => {
    for (const [, codec] of codecs) expect(outcome(codec, bytes)).toBe('NOT_RECOGNISED')
  })

  for (const [name, codec] of codecs) {
    it(`B02 truncated at any offset, lengthened, or with any bit flipped, is never another entry: ${name}`, () => {
      const bytes = codec.encode(sample)
      expect(outcome(codec, bytes)).toEqual(sample)
      for (let length = 0; length < bytes.length; length += 1) {
        expect(outcome(codec, bytes.subarray(0, length)), `cut at ${length}`).toBe(length < 5 ? 'NOT_RECOGNISED' : 'DAMAGED_ENTRY')
      }
      for (const byte of [0, 1, 255]) expect(outcome(codec, Buffer.concat([bytes, Uint8Array.of(byte)]))).toBe('DAMAGED_ENTRY')
      for (let bit = 0; bit < bytes.length * 8; bit += 1) {
        expect(outcome(codec, flipped(bytes, bit)), `bit ${bit}`).toBe(bit < 5 * 8 ? 'NOT_RECOGNISED' : 'DAMAGED_ENTRY')
      }
    })

    it(`B02 with any bytes changed is the same entry or none: ${name}`, () => {
      const bytes = codec.encode(sample)
      const changes = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 30 })
      fc.assert(
        fc.property(changes, fc.nat(bytes.length), (places, length) => {
          const changed = Uint8Array.from(bytes)
          for (const [place, value] of places) changed[place] = value
          for (const damaged of [changed, changed.subarray(0, length), Buffer.concat([changed, changed.subarray(length)])]) {
            const result = outcome(codec, damaged)
            const same = Buffer.compare(damaged, bytes) === 0
            expect(same ? result : typeof result).toEqual(same ? sample : 'string')
          }
        }),
      )
    })
  }

  it('B03 with lengths beyond their end are refused before anything is inflated', () => {
    let calls = 0
    const counting: CodecOptions = {
      ...limits,
      compression: {
        deflate: (bytes) => bytes,
        inflate: (bytes) => {
          calls += 1
          return bytes
        },
      },
    }
    const codec = createEntryCodec(counting)
    for (const length of [0, 2 ** 31, 2 ** 31 - 1, 2 ** 32 - 1]) {
      for (const codecByte of [0, 1]) {
        expect(outcome(codec, forge({ headLength: length, codec: codecByte }))).toBe('DAMAGED_ENTRY')
        expect(outcome(codec, forge({ storedLength: length, codec: codecByte }))).toBe('DAMAGED_ENTRY')
        expect(outcome(codec, forge({ rawLength: length, codec: codecByte }))).toBe('DAMAGED_ENTRY')
        expect(outcome(codec, forge({ headLength: length, storedLength: length, rawLength: length }))).toBe('DAMAGED_ENTRY')
      }
    }
    expect(outcome(codec, forge({ codec: 1, rawLength: limits.maxBodyBytes + 1 }))).toBe('DAMAGED_ENTRY')
    expect(calls).toBe(0)
  })

  it('B03 with a count instead of a list are damaged', () => {
    for (const tags of [1e9, { length: 1e9 }, '1000000000'])
      expect(outcome(plain, forge({ head: { ...head, tags } }))).toBe('DAMAGED_ENTRY')
  })

  it('B05 of a newer version are left alone, whatever follows', () => {
    for (const version of [0, 2, 3, 255]) {
      expect(outcome(plain, forge({ version }))).toBe('NOT_RECOGNISED')
      expect(outcome(sealing, forge({ version, flags: 255, headLength: 7 }))).toBe('NOT_RECOGNISED')
      expect(outcome(plain, Uint8Array.of(...Buffer.from('LMEM'), version))).toBe('NOT_RECOGNISED')
    }
  })

  it('B05 with an unknown codec or flag are left alone', () => {
    for (const codec of [2, 255]) expect(outcome(plain, forge({ codec }))).toBe('NOT_RECOGNISED')
    for (const flags of [2, 3, 128, 255]) expect(outcome(plain, forge({ flags }))).toBe('NOT_RECOGNISED')
  })

  it('B05 with unknown members of the head are read without them', () => {
    const more = { ...head, usage: { ...head.usage, videoInput: 'many' }, region: 'eu', later: { deep: [1, null] } }
    expect(outcome(plain, forge({ head: more }))).toEqual({ head, body: '{}' })
  })

  for (const [name, compression] of [
    ['zlib', zlibCompression()],
    ['fflate', fflateCompression],
  ] as const) {
    it(`B07 that hold 512 MiB and claim 1 MiB are stopped by ${name}`, () => {
      const codec = createEntryCodec({ ...limits, compression })
      expect(outcome(codec, forge({ body: zeros(1), codec: 1, rawLength: 2 ** 20 }))).toEqual({ head, body: '\0'.repeat(2 ** 20) })
      const bomb = forge({ body: zeros(512), codec: 1, rawLength: 2 ** 20 })
      const before = process.resourceUsage().maxRSS
      expect(outcome(codec, bomb)).toBe('DAMAGED_ENTRY')
      // In KiB.
      expect(process.resourceUsage().maxRSS - before).toBeLessThan(128 * 1_024)
    })

    it(`B07 that are deflated twice are inflated once by ${name}`, () => {
      const codec = createEntryCodec({ ...limits, compression })
      const inner = zeros(512)
      const body = deflateRawSync(inner)
      const forged = forge({ head: { ...head, kind: 'bytes' }, body, codec: 1, rawLength: inner.length })
      expect(outcome(codec, forged)).toEqual({ head: { ...head, kind: 'bytes' }, body: new Uint8Array(inner) })
    })

    it(`B08 whose deflated body is cut off, altered or of another length are damaged, by ${name}`, () => {
      const codec = createEntryCodec({ ...limits, compression })
      const text = Array.from({ length: 40 }, (_, index) => `line ${index * index}\n`).join('')
      const deflated = deflateRawSync(text)
      const forged = (body: Uint8Array, rawLength = text.length) => outcome(codec, forge({ body, codec: 1, rawLength }))
      expect(forged(deflated)).toEqual({ head, body: text })
      expect(forged(deflated, text.length - 1)).toBe('DAMAGED_ENTRY')
      expect(forged(deflated, text.length + 1)).toBe('DAMAGED_ENTRY')
      for (let cut = 1; cut < deflated.length; cut += 1) expect(forged(deflated.subarray(0, -cut)), `cut by ${cut}`).toBe('DAMAGED_ENTRY')
      expect(forged(Buffer.from('this was never deflated'))).toBe('DAMAGED_ENTRY')
    })
  }

  it('B08 of a wrong codec or checksum are damaged', () => {
    const body = deflateRawSync('a'.repeat(100))
    expect(outcome(plain, forge({ body, codec: 0, rawLength: 100 }))).toBe('DAMAGED_ENTRY')
    expect(outcome(plain, forge({ body: 'a'.repeat(100), codec: 1 }))).toBe('DAMAGED_ENTRY')
    expect(outcome(plain, forge({ body: 'a'.repeat(100), codec: 1, rawLength: 200 }))).toBe('DAMAGED_ENTRY')
    expect(outcome(plain, forge({ checksum: new Uint8Array(8) }))).toBe('DAMAGED_ENTRY')
    expect(outcome(plain, forge({ trailing: '\0' }))).toBe('DAMAGED_ENTRY')
  })

  it('with bytes between or after their parts are damaged, checksum or not', () => {
    expect(outcome(plain, forge({ body: '{} ', storedLength: 2, rawLength: 2 }))).toBe('DAMAGED_ENTRY')
    expect(outcome(plain, forge({ keyId: 'k1' }))).toBe('DAMAGED_ENTRY')
    expect(outcome(sealing, forge({ keyId: '', flags: 1 }))).toBe('DAMAGED_ENTRY')
    expect(outcome(sealing, forge({ keyId: 'k'.repeat(65), flags: 1 }))).toBe('DAMAGED_ENTRY')
  })

  it('with text that is not UTF-8 are damaged, and a byte order mark is kept as text', () => {
    expect(outcome(plain, forge({ body: Uint8Array.of(0x22, 0xc3, 0x22) }))).toBe('DAMAGED_ENTRY')
    expect(outcome(plain, forge({ headText: Buffer.from(JSON.stringify(head).replace('00ff', 'é'), 'latin1') }))).toBe('DAMAGED_ENTRY')
    expect(outcome(plain, forge({ body: '\ufeff{}' }))).toEqual({ head, body: '\ufeff{}' })
  })

  it('are damaged when the head is not JSON, or a member is missing or has a wrong type', () => {
    for (const headText of ['', 'null', '[]', '"text"', '1', '{', '{}', `${JSON.stringify(head)} x`]) {
      expect(outcome(plain, forge({ headText })), `head ${headText}`).toBe('DAMAGED_ENTRY')
    }
    for (const name of Object.keys(head)) {
      const wrongs: unknown[] = [null, true, [[]], [1], { a: 1 }, { a: {} }, typeof Reflect.get(head, name) === 'string' ? 1 : 'text']
      if (name !== 'usage') wrongs.push(undefined)
      for (const wrong of wrongs) {
        expect(outcome(plain, forge({ head: { ...head, [name]: wrong } })), `${name}: ${JSON.stringify(wrong)}`).toBe('DAMAGED_ENTRY')
      }
    }
    expect(outcome(plain, forge({ head: { ...head, kind: 'html' } }))).toBe('DAMAGED_ENTRY')
    expect(outcome(plain, forge({ headText: JSON.stringify(head).replace('"ttl":3600000', '"ttl":1e999') }))).toBe('DAMAGED_ENTRY')
    expect(outcome(plain, forge({ head: { ...head, usage: { input: 1 } } }))).toBe('DAMAGED_ENTRY')
    expect(outcome(plain, forge({ head: { ...head, usage: { input: 1, output: 1, cacheRead: '1' } } }))).toBe('DAMAGED_ENTRY')
  })

  it('B09 with names of Object.prototype hold them as data', () => {
    const names = '{"__proto__":"a","constructor":"b","toString":"c","hasOwnProperty":"d"}'
    const before = inspect(Object.getOwnPropertyDescriptors(Object.prototype))
    const headText = JSON.stringify(head)
      .replace('{"content-type":"application/json"}', names)
      .replace('{"tag:doc:42":"7"}', names)
      .replace('"usage":{', '"usage":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},')
      .replace('{', '{"__proto__":{"polluted":1,"scope":"other"},"constructor":{"prototype":{"polluted":1}},')
    const entry = plain.decode(forge({ headText }))
    for (const record of [entry.head.headers, entry.head.generations]) {
      expect(Object.entries(record)).toEqual([
        ['__proto__', 'a'],
        ['constructor', 'b'],
        ['toString', 'c'],
        ['hasOwnProperty', 'd'],
      ])
      expect(Object.getPrototypeOf(record)).toBeNull()
    }
    expect({ ...entry.head, headers: {}, generations: {} }).toEqual({ ...head, headers: {}, generations: {} })
    expect(Object.getPrototypeOf(entry.head)).toBe(Object.prototype)
    expect(Object.getPrototypeOf(entry.head.usage)).toBe(Object.prototype)
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
    expect(inspect(Object.getOwnPropertyDescriptors(Object.prototype))).toBe(before)
    expect(plain.decode(plain.encode(entry))).toEqual(entry)
  })

  it('B09 with a "__proto__" instead of a required member are damaged', () => {
    const { scope: _scope, ...rest } = head
    expect(outcome(plain, forge({ headText: JSON.stringify(rest).replace('{', '{"__proto__":{"scope":"other"},') }))).toBe('DAMAGED_ENTRY')
  })

  it('B09 are read and written while Object.prototype is frozen', () => {
    const script = `
      const { createEntryCodec } = await import(${JSON.stringify(new URL('../../src/codec/entry-codec.ts', import.meta.url).href)})
      for (const it of [Object, Array, String, Uint8Array, Function]) { Object.freeze(it.prototype); Object.freeze(it) }
      const codec = createEntryCodec({ compressAbove: 0, maxBodyBytes: 1000 })
      const entry = codec.decode(Buffer.from(process.argv[1], 'base64'))
      process.stdout.write(JSON.stringify(codec.decode(codec.encode(entry))))`
    const headers = JSON.parse('{"__proto__":"a","constructor":"b","toString":"c","valueOf":"d"}')
    const forged = forge({ head: { ...head, headers } }).toString('base64')
    const flags = Reflect.get(process.features, 'typescript') === false ? ['--experimental-strip-types'] : []
    const output = execFileSync(process.execPath, [...flags, '--input-type=module', '-e', script, forged], { encoding: 'utf8' })
    // Vitest's own comparison passes `__proto__` by.
    expect(isDeepStrictEqual(JSON.parse(output), JSON.parse(JSON.stringify({ head: { ...head, headers }, body: '{}' })))).toBe(true)
  })

  it('B10 with JSON 100,000 levels deep do no harm', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const deepObject = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`
    for (const value of [deep, deepObject]) {
      expect(outcome(plain, forge({ headText: value }))).toBe('DAMAGED_ENTRY')
      for (const name of ['key', 'tags', 'headers', 'generations', 'usage', 'latency']) {
        const headText = JSON.stringify({ ...head, [name]: '@' }).replace('"@"', value)
        expect(outcome(plain, forge({ headText })), `in ${name}`).toBe('DAMAGED_ENTRY')
      }
      // An unknown member is ignored; an engine that cannot parse it reports damage.
      const result = outcome(plain, forge({ headText: JSON.stringify(head).replace('{', `{"later":${value},`) }))
      expect(['DAMAGED_ENTRY', { head, body: '{}' }]).toContainEqual(result)
    }
    const lengthy = `[${'"a",'.repeat(100_000)}"a"]`
    expect(outcome(plain, forge({ headText: JSON.stringify({ ...head, tags: '@' }).replace('"@"', lengthy) }))).toMatchObject({
      body: '{}',
    })
  })

  it('B12 that were altered without the key are damaged, even with a right checksum', () => {
    const bytes = sealing.encode(sample)
    const sealed = bytes.subarray(0, bytes.length - 8)
    expect(outcome(sealing, withChecksum(sealed))).toEqual(sample)
    for (let bit = 5 * 8; bit < sealed.length * 8; bit += 1) {
      expect(outcome(sealing, withChecksum(flipped(sealed, bit))), `bit ${bit}`).toBeTypeOf('string')
    }
  })

  it('B12 that were made without the key are damaged', () => {
    expect(outcome(sealing, forge({}))).toBe('DAMAGED_ENTRY')
    expect(outcome(sealing, forge({ flags: 1, keyId: 'k1', headText: `${'\0'.repeat(28)}${JSON.stringify(head)}` }))).toBe('DAMAGED_ENTRY')
    const { length } = Buffer.from(JSON.stringify(head))
    const unsealed = forge({ flags: 1, keyId: 'k1', headText: `${'\0'.repeat(28)}${JSON.stringify(head)}`, headLength: length })
    expect(outcome(sealing, unsealed)).toBe('DAMAGED_ENTRY')
  })

  it('B13 that name classes or hold serialised objects stay data', () => {
    const revivable = { lc: 1, type: 'constructor', id: ['node:child_process', 'exec'], __class__: 'Date', toJSON: 'x' }
    const body = JSON.stringify(revivable)
    expect(outcome(plain, forge({ head: { ...head, ...revivable }, body }))).toEqual({ head, body })
    expect(outcome(plain, forge({ head: { ...head, model: revivable } }))).toBe('DAMAGED_ENTRY')
    expect(outcome(plain, serialize(sample))).toBe('NOT_RECOGNISED')
    expect(outcome(plain, forge({ headText: serialize(head) }))).toBe('DAMAGED_ENTRY')
  })

  it.each([
    ['codec', 'entry-codec.ts'],
    // The codec reads JSON and tagged JSON by these modules.
    ['json', 'tagged.ts'],
  ])('B13 cannot be revived or run by anything in the source of src/%s', (room, member) => {
    const folder = new URL(`../../src/${room}/`, import.meta.url)
    const files = readdirSync(folder)
    expect(files).toContain(member)
    for (const file of files) {
      const source = readFileSync(new URL(file, folder), 'utf8')
      expect(source, `in ${file}`).not.toMatch(/node:v8|node:vm|\beval\b|new Function|\bFunction\(|import\(|\brequire\(/)
      expect(source, `in ${file}`).not.toMatch(/JSON\.parse\([^)]*,/)
    }
  })

  it('I7 show nothing of what they hold in any error', () => {
    const secrets = ['tenant-of-secrets', 'secret question', 'secret answer', 'secret tag', 'secret-header']
    const secretHead = { ...head, tags: ['secret tag'], headers: { 'secret-header': 'secret answer' }, model: 'secret question' }
    const body = '{"content":"secret answer"}'
    const text = JSON.stringify(secretHead)
    const sealed = sealing.encode({ head: { ...head, ...secretHead }, body })
    const wrongKey = createEntryCodec({ ...limits, encryption: { keys: { k1: new Uint8Array(32).fill(2) }, current: 'k1' } })
    const failures: readonly (() => unknown)[] = [
      () => plain.decode(Buffer.from('secret question')),
      () => plain.decode(forge({ headText: `secret question${text}`, body })),
      () => plain.decode(forge({ headText: text.slice(0, -9), body })),
      () => plain.decode(forge({ headText: `${text.slice(0, 1)}secret answer${text.slice(1)}`, body })),
      ...Object.keys(head).map(
        (name) => () => plain.decode(forge({ head: { ...secretHead, [name]: { 'secret tag': ['secret answer'] } }, body })),
      ),
      () => plain.decode(forge({ head: secretHead, body, codec: 1, rawLength: 100 })),
      () => plain.decode(forge({ head: secretHead, body: Buffer.from('secret answer\xff', 'latin1') })),
      () => plain.decode(forge({ head: secretHead, body, checksum: new Uint8Array(8) })),
      () => plain.decode(forge({ head: secretHead, body, version: 9 })),
      () => plain.decode(sealed),
      () => wrongKey.decode(sealed),
      () => createEntryCodec({ ...limits, encryption: { keys: { k2: new Uint8Array(32) }, current: 'k2' } }).decode(sealed),
      () => sealing.decode(forge({ head: secretHead, body })),
      () => sealing.decode(forge({ keyId: 'secret question', flags: 1, headText: ' '.repeat(28), headLength: 0 })),
      () => plain.encode({ head: { ...head, ...secretHead }, body: 'secret answer \ud800' }),
      () => plain.encode({ head: { ...head, ...secretHead, kind: 'bytes' }, body }),
      () => plain.encode({ head: { ...head, ...secretHead, latency: Number.NaN }, body }),
      () => createEntryCodec({ ...limits, maxBodyBytes: 5 }).encode({ head, body }),
      () => createEntryCodec({ ...limits, maxBodyBytes: 5 }).decode(forge({ head: secretHead, body })),
    ]
    for (const [index, failure] of failures.entries()) {
      // With all of its causes.
      const shown = inspect(thrownBy(failure), { depth: 9, showHidden: true })
      expect(shown, `failure ${index}`).toMatch(/^EntryError/)
      for (const secret of secrets) expect(shown, `failure ${index}`).not.toContain(secret)
    }
  })
})
