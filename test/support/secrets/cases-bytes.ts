/**
 * Cases of JSON, keys, entries and their encryption.
 * @module
 */
import { createHash } from 'node:crypto'
import { createEntryCodec } from '../../../src/codec/entry-codec.ts'
import { notInflatable } from '../../../src/codec/compression-contract.ts'
import { runtimeCompression } from '../../../src/codec/compression.ts'
import { fflateCompression } from '../../../src/codec/fflate-compression.ts'
import { readEncryption } from '../../../src/codec/encryption.ts'
import { readHead } from '../../../src/codec/entry-head.ts'
import { canonicalJson } from '../../../src/json/canonical.ts'
import { fromTagged, toTagged } from '../../../src/json/tagged.ts'
import { jsonText } from '../../../src/json/value.ts'
import { readOnce } from '../../../src/json/read-once.ts'
import type { Cases, Issuer, SecretCase } from './issuer.ts'
import { keyBytes, secret } from './marker.ts'
import { mistaken, withoutModules } from './mistaken.ts'
import { entryHead } from '../entry-head.ts'

const prompt = secret('prompt')
const key = secret('key')
/** Bytes that were transferred elsewhere. */
const transferred = new TextEncoder().encode(prompt)

const refusedBy = (name: string, action: () => unknown): SecretCase => ({ name, run: (issuer) => issuer.refused(action) })

/** Values that JSON cannot hold, with a secret in each place where one can be. */
const unkeyable: readonly unknown[] = [
  undefined,
  { [prompt]: () => prompt },
  { [prompt]: [Symbol(prompt)] },
  { messages: [{ [prompt]: Number.NaN }] },
  new Map([[prompt, prompt]]),
  { a: Object.assign(Object.create({}), { [Symbol.toStringTag]: prompt, prompt }) },
  { [prompt]: Object.defineProperty({}, Symbol.toStringTag, { value: prompt }) },
  { [prompt]: `${prompt}\uD800` },
  circle(),
  deep(600),
  {
    [prompt]: prompt,
    get member() {
      throw new RangeError('own code')
    },
  },
  { [`${prompt}\uD800`]: 1 },
  structuredClone(new Uint8Array(1), { transfer: [transferred.buffer] }) && { a: transferred },
]

function circle(): object {
  const object: Record<string, unknown> = { [prompt]: prompt }
  object[key] = object
  return object
}

function deep(levels: number): unknown {
  let value: unknown = prompt
  for (let level = 0; level < levels; level++) value = { [prompt]: value }
  return value
}

const head = entryHead({
  key: 'a'.repeat(64),
  scope: secret('name'),
  storedAt: 1,
  ttl: 1,
  stale: 1,
  tags: [secret('name')],
  usage: { input: 1, output: 1 },
})

export const byteCases: Cases = {
  'src/json/canonical.ts': unkeyable.map((value, index) => ({
    name: `value ${index}`,
    run: (issuer) => issuer.outcome(() => void canonicalJson(value, { longText: 1_000 }, 'request')),
  })),
  'src/json/value.ts': unkeyable.map((value, index) => ({
    name: `value ${index}`,
    run: (issuer) => issuer.outcome(() => void jsonText(value)),
  })),
  'src/json/tagged.ts': [
    ...unkeyable.map((value, index): SecretCase => ({
      name: `value ${index}`,
      run: (issuer) => issuer.outcome(() => void toTagged(value)),
    })),
    refusedBy('an unknown tag', () => fromTagged({ [`$${prompt}`]: prompt })),
    refusedBy('a URL that is none', () => fromTagged({ $url: `http://[${prompt}` })),
  ],
  'src/json/read-once.ts': [
    {
      name: 'too deep',
      async run(issuer) {
        await issuer.outcome(() => readOnce(deep(600)).isPlain)
        // The one error of its kind is made when the module is loaded.
        const again = '../../../src/json/read-once.ts?again'
        await import(again)
      },
    },
  ],
  'src/codec/encryption.ts': [
    key,
    { [key]: key },
    { keys: key, current: 'a' },
    { keys: {}, current: 'a' },
    { keys: keyBytes, current: 'a' },
    { keys: { a: keyBytes }, current: key },
    { keys: { a: keyBytes }, current: keyBytes },
    { keys: { [Buffer.from(keyBytes).toString('hex')]: 'a' }, current: 'a' },
    { keys: { [key]: 'a' }, current: 'a' },
    { keys: { [secret('password')]: 'a' }, current: 'a' },
    { keys: { a: keyBytes.subarray(1) }, current: 'a' },
    { keys: { a: `${key}${key}` }, current: 'a' },
    { keys: { a: 12_345_678 }, current: 'a' },
    { keys: { a: { [key]: key } }, current: 'a' },
  ].map((value, index) => refusedBy(`options ${index}`, () => readEncryption('encryption', value))),
  'src/codec/entry-codec.ts': [
    refusedBy('compressAbove', () => createEntryCodec({ compressAbove: mistaken(key), maxBodyBytes: 100 })),
    {
      name: 'entries that cannot be written',
      async run(issuer) {
        const codec = createEntryCodec({ compressAbove: 100, maxBodyBytes: 1_000 })
        const bodies: readonly unknown[] = [prompt.repeat(100), `${prompt}\uD800`, new TextEncoder().encode(prompt)]
        for (const body of bodies) await issuer.outcome(() => void codec.encode(mistaken({ head, body })))
        for (const name of Object.keys(head)) {
          await issuer.outcome(() => void codec.encode(mistaken({ head: { ...head, [name]: { [prompt]: prompt } }, body: prompt })))
        }
      },
    },
    {
      name: 'entries that cannot be read',
      async run(issuer) {
        const plain = createEntryCodec({ compressAbove: 100, maxBodyBytes: 1_000 })
        const sealed = createEntryCodec({ compressAbove: 100, maxBodyBytes: 1_000, encryption: { keys: { a: keyBytes }, current: 'a' } })
        const other = createEntryCodec({
          compressAbove: 100,
          maxBodyBytes: 1_000,
          encryption: { keys: { a: new Uint8Array(32) }, current: 'a' },
        })
        const entry = { head, body: JSON.stringify({ answer: prompt }) }
        const bytes = plain.encode(mistaken(entry))
        const secretly = sealed.encode(mistaken(entry))
        for (const [codec, given] of [
          [plain, secretly],
          [sealed, bytes],
          [other, secretly],
          [plain, new TextEncoder().encode(prompt)],
          [plain, prompt],
          [plain, bytes.subarray(0, 30)],
        ] as const) {
          await issuer.refused(() => codec.decode(mistaken(given)))
        }
        for (let index = 0; index < bytes.length; index++) {
          const damaged = new Uint8Array(bytes)
          damaged[index] = 0xff
          await issuer.refused(() => plain.decode(damaged))
        }
        // A text that is no UTF-8, in an entry that is sound otherwise.
        const other8 = new Uint8Array(bytes)
        other8[other8.length - 12] = 0xff
        other8.set(createHash('sha256').update(other8.subarray(0, -8)).digest().subarray(0, 8), other8.length - 8)
        await issuer.refused(() => plain.decode(other8))
      },
    },
  ],
  'src/codec/entry-head.ts': [
    ...Object.keys(head).map((name) => ({
      name: `${name} of a head`,
      run: (issuer: Issuer) => issuer.outcome(() => void readHead(mistaken({ ...head, [name]: { [prompt]: prompt } }))),
    })),
    refusedBy('no head', () => readHead(mistaken(prompt))),
  ],
  'src/codec/compression-contract.ts': [
    refusedBy('by zlib', () => runtimeCompression().inflate(new TextEncoder().encode(prompt), 100)),
    refusedBy('by fflate', () => fflateCompression.inflate(new TextEncoder().encode(prompt), 100)),
    refusedBy('beyond the limit', () => {
      throw notInflatable()
    }),
  ],
  'src/codec/compression.ts': [
    {
      name: 'a runtime without zlib',
      run: (issuer) =>
        withoutModules(async () => {
          await issuer.refused(() => runtimeCompression().inflate(new TextEncoder().encode(prompt), 100))
        }),
    },
  ],
}
