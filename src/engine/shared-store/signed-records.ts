/**
 * Small records in an encrypted store that must stay readable without the entries: generations, and the editions of entries.
 *
 * A generation is its text and 32 bytes of signature over its name and the text.
 *
 * An edition lies beside each entry and each value, and says which bytes were the last to be written under the name: 8 bytes with the time
 * when they are over, in milliseconds since the epoch, as a big-endian double; 32 bytes of signature over the name, that time and the bytes.
 * When an entry is removed, a tombstone takes the place of its edition: the time, and 32 random bytes. So old bytes that are written there
 * again match no edition.
 * @module
 */
import { remembering } from '../../base/memo.ts'
import type { Encryption } from '../../codec/encryption.ts'

const signatureLength = 32
const timeLength = 8
const editionLength = timeLength + signatureLength

/** Signs and checks records. `name` is always the name before it was hidden, with the namespace and the kind in it. */
export class SignedRecords {
  readonly #encryption: Encryption
  /** Signatures of generations: each is read again and again. */
  readonly #signatures: (text: string) => Buffer

  constructor(encryption: Encryption) {
    this.#encryption = encryption
    this.#signatures = remembering(2_000, (text) => {
      const [id = '', name = '', generation = ''] = text.split('\n')
      const parts = [name, generation].map((part) => Buffer.from(part, 'base64'))
      return Buffer.from(encryption.sign(Buffer.from(id, 'base64').toString(), 'generation', parts))
    })
  }

  /** A generation with its signature. */
  generation(id: string, name: string, generation: Uint8Array): Uint8Array {
    return joined(generation, this.#signature(id, name, generation))
  }

  /** The generation in a record, or `undefined` if it was not signed for this name with the key. */
  generationIn(id: string, name: string, record: Uint8Array): Uint8Array | undefined {
    const end = record.length - signatureLength
    if (end <= 0 || end > 100) return undefined
    const generation = new Uint8Array(record.subarray(0, end))
    return this.#signature(id, name, generation).equals(record.subarray(end)) ? generation : undefined
  }

  /** The edition of `value`. @param over when the value is over, in milliseconds since the epoch */
  edition(id: string, name: string, { value, over }: { readonly value: Uint8Array; readonly over: number }): Uint8Array {
    const time = timeBytes(over)
    return joined(time, this.#encryption.sign(id, 'edition', [name, time, value]))
  }

  /** Whether `record` says that `value` is what was written under the name last. */
  isEdition(id: string, name: string, { value, record }: { readonly value: Uint8Array; readonly record: Uint8Array }): boolean {
    if (record.length !== editionLength) return false
    const time = record.subarray(0, timeLength)
    return Buffer.from(this.#encryption.sign(id, 'edition', [name, time, value])).equals(record.subarray(timeLength))
  }

  #signature(id: string, name: string, generation: Uint8Array): Buffer {
    return this.#signatures([Buffer.from(id), Buffer.from(name), Buffer.from(generation)].map((part) => part.toString('base64')).join('\n'))
  }
}

/** What takes the place of an edition whose value is removed. */
export function tombstone(over: number): Uint8Array {
  return joined(timeBytes(over), crypto.getRandomValues(new Uint8Array(signatureLength)))
}

/** When the value of an edition, or of a tombstone, is over; `undefined` for something else. It is not authenticated. */
export function overIn(record: Uint8Array): number | undefined {
  if (record.length !== editionLength) return undefined
  const over = Buffer.from(record.buffer, record.byteOffset, timeLength).readDoubleBE()
  return Number.isFinite(over) ? over : undefined
}

function timeBytes(time: number): Uint8Array {
  const bytes = Buffer.alloc(timeLength)
  bytes.writeDoubleBE(time)
  return bytes
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const whole = new Uint8Array(first.length + second.length)
  whole.set(first)
  whole.set(second, first.length)
  return whole
}
