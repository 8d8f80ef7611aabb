import { hash } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Compression, zlibCompression } from '../../src/codec/compression.ts'
import { fflateCompression } from '../../src/codec/fflate-compression.ts'
import { type CodecOptions, createEntryCodec } from '../../src/codec/entry-codec.ts'
import type { Entry, EntryHead, Usage } from '../../src/entry.ts'
import { InvalidOptionError } from '../../src/errors.ts'
import { entryHead } from '../support/entry-head.ts'

const head = entryHead({
  scope: 'tenant-a',
  tags: ['doc:42'],
  generations: { 'tag:doc:42': '7' },
  headers: { 'content-type': 'application/json' },
  usage: { input: 9, output: 12, cacheRead: 4 },
  latency: 812.5,
})
const { usage: _usage, ...headWithoutUsage } = head
const encryption = { keys: { '2026-03': Uint8Array.from({ length: 32 }, (_, index) => index) }, current: '2026-03' }
const plain = createEntryCodec({ compressAbove: Infinity, maxBodyBytes: 1_000 })

/** Entries of version 1, made by a program in another language from the description of the format. */
const golden: Readonly<Record<'json' | 'sse' | 'bytes' | 'sealed', { base64: string; entry: Entry }>> = {
  json: {
    base64:
      'TE1FTQEAAAAAAAFxAAAAIgAAACJ7ImtleSI6IjAwZmYiLCJzY29wZSI6InRlbmFudC1hIiwicHJvdmlkZXIiOiJvcGVuYWkiLCJlbmRwb2ludCI6ImNoYXQu' +
      'Y29tcGxldGlvbnMiLCJvcGVyYXRpb24iOiJjaGF0IiwibW9kZWwiOiJncHQtNS1taW5pIiwia2luZCI6Impzb24iLCJzdG9yZWRBdCI6MTc2NzIyNTYwMDAw' +
      'MCwidHRsIjozNjAwMDAwLCJzdGFsZSI6MCwidGFncyI6WyJkb2M6NDIiXSwiZ2VuZXJhdGlvbnMiOnsidGFnOmRvYzo0MiI6IjcifSwic3RhdHVzIjoyMDAs' +
      'ImhlYWRlcnMiOnsiY29udGVudC10eXBlIjoiYXBwbGljYXRpb24vanNvbiJ9LCJvbWl0cyI6W10sInVzYWdlIjp7ImlucHV0Ijo5LCJvdXRwdXQiOjEyLCJj' +
      'YWNoZVJlYWQiOjR9LCJsYXRlbmN5Ijo4MTIuNX17ImNvbnRlbnQiOiJHcsO8w59lLCDkuJbnlYwg8J+OiSJ9FZL7VIzYO9o=',
    entry: { head, body: '{"content":"Grüße, 世界 🎉"}' },
  },
  sse: {
    base64:
      'TE1FTQEBAAAAAAFKAAAAJQAAAW57ImtleSI6IjAwZmYiLCJzY29wZSI6InRlbmFudC1hIiwicHJvdmlkZXIiOiJvcGVuYWkiLCJlbmRwb2ludCI6ImNoYXQu' +
      'Y29tcGxldGlvbnMiLCJvcGVyYXRpb24iOiJjaGF0IiwibW9kZWwiOiJncHQtNS1taW5pIiwia2luZCI6InNzZSIsInN0b3JlZEF0IjoxNzY3MjI1NjAwMDAw' +
      'LCJ0dGwiOjM2MDAwMDAsInN0YWxlIjowLCJ0YWdzIjpbImRvYzo0MiJdLCJnZW5lcmF0aW9ucyI6eyJ0YWc6ZG9jOjQyIjoiNyJ9LCJzdGF0dXMiOjIwMCwi' +
      'aGVhZGVycyI6eyJjb250ZW50LXR5cGUiOiJ0ZXh0L2V2ZW50LXN0cmVhbSJ9LCJvbWl0cyI6WyJ1c2FnZSJdLCJsYXRlbmN5Ijo4MTIuNX1LSSxJtFKoVkpJ' +
      'zSlJVLJSyktUquXiShkVpapotIu/n2ssFxcA+Og+wE1beCM=',
    entry: {
      head: { ...headWithoutUsage, kind: 'sse', headers: { 'content-type': 'text/event-stream' }, omits: ['usage'] },
      body: `${'data: {"delta":"na"}\n\n'.repeat(16)}data: [DONE]\n\n`,
    },
  },
  bytes: {
    base64:
      'TE1FTQEAAAAAAAGWAAAACAAAAAh7ImtleSI6IjAwZmYiLCJzY29wZSI6InRlbmFudC1hIiwicHJvdmlkZXIiOiJvcGVuYWkiLCJlbmRwb2ludCI6ImNoYXQu' +
      'Y29tcGxldGlvbnMiLCJvcGVyYXRpb24iOiJzcGVlY2giLCJtb2RlbCI6ImdwdC01LW1pbmkiLCJraW5kIjoiYnl0ZXMiLCJzdG9yZWRBdCI6MTc2NzIyNTYw' +
      'MDAwMCwidHRsIjozNjAwMDAwLCJzdGFsZSI6MCwidGFncyI6W10sImdlbmVyYXRpb25zIjp7fSwic3RhdHVzIjoyMDAsImhlYWRlcnMiOnsiY29udGVudC10' +
      'eXBlIjoiYXVkaW8vbXBlZyJ9LCJvbWl0cyI6W10sInVzYWdlIjp7ImlucHV0IjoxLCJvdXRwdXQiOjIsImNhY2hlUmVhZCI6MywiY2FjaGVXcml0ZSI6NCwi' +
      'Y2FjaGVXcml0ZUhvdXIiOjUsImF1ZGlvSW5wdXQiOjYsImF1ZGlvT3V0cHV0Ijo3fSwibGF0ZW5jeSI6ODEyLjV9AP/+wyjtoIDFF7HGVtyVNQ==',
    entry: {
      head: {
        ...head,
        kind: 'bytes',
        operation: 'speech',
        headers: { 'content-type': 'audio/mpeg' },
        tags: [],
        generations: {},
        usage: { input: 1, output: 2, cacheRead: 3, cacheWrite: 4, cacheWriteHour: 5, audioInput: 6, audioOutput: 7 },
      },
      body: Uint8Array.of(0, 255, 254, 0xc3, 0x28, 0xed, 0xa0, 0x80),
    },
  },
  sealed: {
    base64:
      'TE1FTQEBAQcAAAFKAAAAJQAAAW4yMDI2LTAzZGVmZ2hpamtsbW5v2AjkW+mouix6HX4kt18ZnjM5tQMAy2y8DlI5jvhJSI4hrXZvqVbRBsK/zSaPjsRquMsw' +
      'siNk8mCYgVoF3y26qnU68cUMaCRGnoHDv4H1h7Aq77NvomVYauYfgSZl416IF1ozFsi16LS+hV+rFTF0c+0Z8wpJYZoT3J67qYA3mo9SX60q7BTQWttbv5Ox' +
      '3WajEKW62xpXYAfrOiJq++U4w+Llx3dnfbGgA6RIfdAhlcq8E1Mo/P7b011okcfcRI/s5YWsxVKRaP9UI2UppfM99JENYoXLL0AzYCJHQSJfnG0yKeJr6DZ/' +
      'n8hjIKCNgiuPIUSYz5CnERwtjiH9iib0sCSjdInJ9t3769JyDkNan+kEUbD7X0r7uMltuPDV0mdgzal3CNFaCBH2JjA3AQ5pAKeGcAoVR8DEQvc79YeE9JFc' +
      'My6aKGIr+kf1THa3pAlHwyjPyyM5I8K3pUh8tjDTdx++QXZIK6SMBoRhzXscK/SQncM7wn+Mcw4O38lNEulGcMFd5EyMsw==',
    entry: {
      head: { ...headWithoutUsage, kind: 'sse', headers: { 'content-type': 'text/event-stream' }, omits: ['usage'] },
      body: `${'data: {"delta":"na"}\n\n'.repeat(16)}data: [DONE]\n\n`,
    },
  },
}

const zlib: Compression = zlibCompression() ?? expect.unreachable('this runtime has zlib')

// Zero has a sign in JavaScript and none in JSON.
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)
// `unit: 'binary'` gives every code point; `lone` adds lone surrogates, which JSON can hold and UTF-8 cannot.
const lone = fc.constantFrom('\ud800', 'a\udfff', '\udc00\ud800')
const text = fc.oneof(fc.string({ unit: 'binary' }), lone)
const label = fc.oneof(text, fc.constantFrom('__proto__', 'constructor', 'toString', 'toJSON', 'hasOwnProperty'))
const record = fc.dictionary(label, text, { noNullPrototype: false })
// Typed member by member, so that the compiler reports a new member of an entry that this test does not know.
const usage: { [Name in keyof Required<Usage>]: fc.Arbitrary<Required<Usage>[Name]> } = {
  input: number,
  output: number,
  cacheRead: number,
  cacheWrite: number,
  cacheWriteHour: number,
  audioInput: number,
  audioOutput: number,
  cost: number,
}
const anyHead: { [Name in keyof Required<Omit<EntryHead, 'kind'>>]: fc.Arbitrary<Required<EntryHead>[Name]> } = {
  key: text,
  scope: text,
  namespace: text,
  provider: text,
  endpoint: text,
  operation: text,
  model: text,
  storedAt: number,
  ttl: number,
  stale: number,
  tags: fc.array(text),
  generations: record,
  status: number,
  headers: record,
  omits: fc.array(text),
  usage: fc.record(usage, { requiredKeys: ['input', 'output'] }),
  latency: number,
}
const { usage: _optional, ...requiredMembers } = anyHead
const body = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.tuple(fc.string({ unit: 'binary', minLength: 1 }), fc.integer({ min: 1, max: 400 })).map(([part, times]) => part.repeat(times)),
  fc.constantFrom('', '\ufeff{}', '\0', '\u2028'),
)
const entries: fc.Arbitrary<Entry> = fc
  .tuple(
    fc.oneof(fc.record(requiredMembers), fc.record(anyHead)),
    fc.oneof(
      fc.tuple(fc.constantFrom('json' as const, 'sse' as const), body),
      fc.tuple(
        fc.constant('bytes' as const),
        fc.oneof(
          fc.uint8Array({ maxLength: 400 }),
          body.map((text) => new Uint8Array(Buffer.from(text))),
        ),
      ),
    ),
  )
  .map(([members, [kind, body]]) => ({ head: { ...members, kind }, body }))

describe('entry codec', () => {
  for (const sealed of [false, true]) {
    const common = { maxBodyBytes: 100_000, ...(sealed ? { encryption } : {}) }
    const raw = createEntryCodec({ ...common, compressAbove: Infinity })
    const byZlib = createEntryCodec({ ...common, compressAbove: 0, compression: zlib })
    const byFflate = createEntryCodec({ ...common, compressAbove: 0, compression: fflateCompression })
    it.each([
      ['as it is', raw, raw],
      ['uncompressed, read by a codec that compresses', raw, byZlib],
      ['by zlib', byZlib, byZlib],
      ['by zlib, read by fflate', byZlib, byFflate],
      ['by fflate, read by zlib', byFflate, byZlib],
      ['by fflate', byFflate, byFflate],
    ])(`reads back any entry${sealed ? ', encrypted' : ''}, %s`, (_, writer, reader) => {
      fc.assert(
        fc.property(entries, (entry) => {
          const read = reader.decode(writer.encode(entry))
          expect(read).toEqual(entry)
          expect(Object.entries(read.head.headers)).toEqual(Object.entries(entry.head.headers))
          expect(Object.entries(read.head.generations)).toEqual(Object.entries(entry.head.generations))
        }),
      )
    })
  }

  for (const [name, { base64, entry }] of Object.entries(golden)) {
    it(`B06 reads the version 1 entry "${name}"`, () => {
      const codec = createEntryCodec({ compressAbove: 0, maxBodyBytes: 1_000, ...(name === 'sealed' ? { encryption } : {}) })
      expect(codec.decode(Buffer.from(base64, 'base64'))).toEqual(entry)
      expect(codec.decode(new Uint8Array(Buffer.from(base64, 'base64')))).toEqual(entry)
    })
  }

  it('B06 writes exactly the bytes of version 1', () => {
    for (const { base64, entry } of [golden.json, golden.bytes]) {
      expect(Buffer.from(plain.encode(entry)).toString('base64')).toBe(base64)
    }
  })

  it('leaves a body as it is that shrinks by less than three tenths, as an embedding in base64 does', () => {
    const codec = createEntryCodec({ compressAbove: 0, maxBodyBytes: 100_000 })
    const body = Array.from({ length: 100 }, (_, index) => hash('sha512', String(index), 'base64')).join('')
    // Byte 5 is the codec of the body: 0 as it is, 1 deflated.
    expect(codec.encode({ head, body })[5]).toBe(0)
    expect(codec.encode({ head, body: JSON.stringify({ answer: 'the same again and again. '.repeat(300) }) })[5]).toBe(1)
  })

  it('compresses bodies from the threshold on, if that makes them smaller', () => {
    const codec = createEntryCodec({ compressAbove: 100, maxBodyBytes: 1_000 })
    const codecOf = (body: string | Uint8Array) =>
      codec.encode({ head: { ...head, kind: typeof body === 'string' ? 'json' : 'bytes' }, body })[5]
    expect(codecOf('a'.repeat(99))).toBe(0)
    expect(codecOf('a'.repeat(100))).toBe(1)
    expect(codecOf(Uint8Array.from({ length: 200 }, (_, index) => (index * index * 31 + index * 7) >> 3))).toBe(0)
    expect(codecOf('')).toBe(0)
  })

  it('returns a plain Uint8Array with its own memory', () => {
    const bytes = plain.encode({ head, body: 'text' })
    expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype)
    expect(bytes.buffer.byteLength).toBe(bytes.length)
  })

  it('shares no memory with its input', () => {
    const body = Uint8Array.of(1, 2, 3)
    const bytes = plain.encode({ head: { ...head, kind: 'bytes' }, body })
    body.fill(9)
    const read = plain.decode(bytes)
    bytes.fill(9)
    expect(read.body).toEqual(Uint8Array.of(1, 2, 3))
    expect(Object.getPrototypeOf(read.body)).toBe(Uint8Array.prototype)
  })

  it('reads an entry from any place in a larger buffer', () => {
    const bytes = plain.encode({ head, body: 'text' })
    const larger = new Uint8Array(bytes.length + 20)
    larger.set(bytes, 7)
    expect(plain.decode(larger.subarray(7, 7 + bytes.length))).toEqual({ head, body: 'text' })
  })

  it.each<[string, Entry]>([
    ['a body with a lone surrogate', { head, body: 'a\ud800b' }],
    ['a body over the limit', { head, body: 'a'.repeat(1_001) }],
    ['a body over the limit in UTF-8 only', { head, body: 'é'.repeat(501) }],
    ['bytes over the limit', { head: { ...head, kind: 'bytes' }, body: new Uint8Array(1_001) }],
    ['text of the kind bytes', { head: { ...head, kind: 'bytes' }, body: 'text' }],
    ['bytes of the kind json', { head, body: Uint8Array.of(1) }],
    ['a number that JSON does not have', { head: { ...head, latency: Number.NaN }, body: '{}' }],
    ['an infinite number', { head: { ...head, usage: { input: Infinity, output: 1 } }, body: '{}' }],
  ])('does not write %s', (_, entry) => {
    expect(() => plain.encode(entry)).toThrow(expect.objectContaining({ code: 'DAMAGED_ENTRY' }))
  })

  it('writes and reads a body of exactly the limit', () => {
    const entry = { head, body: 'é'.repeat(500) }
    expect(plain.decode(plain.encode(entry))).toEqual(entry)
  })

  it.each<[string, Partial<Record<keyof CodecOptions, unknown>>]>([
    ['compressAbove', { compressAbove: -1 }],
    ['compressAbove', { compressAbove: Number.NaN }],
    ['maxBodyBytes', { maxBodyBytes: 0 }],
    ['maxBodyBytes', { maxBodyBytes: 1.5 }],
    ['maxBodyBytes', { maxBodyBytes: Infinity }],
    ['maxBodyBytes', { maxBodyBytes: 2 ** 32 }],
    ['encryption.current', { encryption: { ...encryption, current: 'gone' } }],
  ])('refuses an invalid option %s', (name, options) => {
    // The types forbid some of these, but JavaScript has no types.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const make = () => createEntryCodec({ compressAbove: 0, maxBodyBytes: 1, ...options } as CodecOptions)
    expect(make).toThrow(InvalidOptionError)
    expect(make).toThrow(`"${name}"`)
  })
})
