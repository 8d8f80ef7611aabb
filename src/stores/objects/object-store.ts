/**
 * The contract of a place for objects: files of bytes under names, as S3, Cloud Storage and Blob Storage keep them.
 * @module
 */
import { InvalidOptionError } from '../../errors.ts'
import { assertKnown, text, wholeNumber, withMethods } from '../../base/option-checks.ts'

/** An object, as it was written. */
export interface WrittenObject {
  readonly name: string
  /** What {@link ObjectStore.put} returned for it. */
  readonly tag: string
  /** Bytes. */
  readonly size: number
}

/** Options of a write of an object. */
export interface ObjectWriteOptions {
  /** When the value ends, in milliseconds since the epoch. A place that can remove the object by itself does so after that. */
  readonly until: number
  /** Fires when the time for the write is over. A place that can stop early does so. */
  readonly signal: AbortSignal
}

/** Options of a read or a removal of an object. */
export interface ObjectReadOptions {
  /** Fires when no caller waits any more. A place that can stop early does so. */
  readonly signal: AbortSignal
}

/**
 * A place for values that are too large for an item of a database. Each object is written once, under a name that no other has. What it
 * throws becomes an error of the store that uses it, without the message.
 */
export interface ObjectStore {
  /** What messages call it: `the S3 bucket "answers"`. It must hold no secret. */
  readonly name: string
  /**
   * Writes an object.
   * @returns its tag, by which a read knows that it is this object: an ETag or a generation; empty if there is none
   */
  put(name: string, bytes: Uint8Array, options: ObjectWriteOptions): Promise<string>
  /** The bytes of an object; `undefined` when there is none, or another one than was written. */
  get(object: WrittenObject, options: ObjectReadOptions): Promise<Uint8Array | undefined>
  /** Removes an object. A missing one is no error. */
  delete(name: string, options: ObjectReadOptions): Promise<void>
}

/** Where a store puts values that are too large for an item: in a place for objects. */
export interface ObjectStoreOverflow {
  /** The place: `s3Objects()`, `gcsObjects()` or `azureBlobObjects()` of `llmemo/objects`, or one of your own. */
  readonly objects: ObjectStore
  /** Prefix of the objects' names. Give this prefix a lifecycle rule that removes objects older than the longest TTL. @default 'llmemo/' */
  readonly prefix?: string
  /** Values of more bytes than this become objects. @default as much as fits into an item */
  readonly above?: number
}

/** An overflow that was checked. */
export type Overflow = Required<ObjectStoreOverflow>

/**
 * Checks the option `overflow` of a store.
 * @param most how many bytes fit into an item
 * @throws {InvalidOptionError} for an invalid option
 */
export function checkedOverflow(given: ObjectStoreOverflow, most: number): Overflow {
  assertKnown('overflow.', given, ['objects', 'prefix', 'above'])
  const objects = withMethods('overflow.objects', given.objects, {
    methods: ['put', 'get', 'delete'],
    allowed: 's3Objects(), gcsObjects() or azureBlobObjects() of llmemo/objects, or an object with put(), get() and delete()',
  })
  if (typeof objects.name !== 'string') throw new InvalidOptionError('overflow.objects.name', objects.name, 'a text')
  return { objects, ...checkedPlacing(given, most) }
}

/**
 * Checks how objects are named, and which values become objects.
 * @throws {InvalidOptionError} for an invalid option
 */
export function checkedPlacing(
  { prefix = 'llmemo/', above }: Pick<ObjectStoreOverflow, 'prefix' | 'above'>,
  most: number,
): Pick<Overflow, 'prefix' | 'above'> {
  return {
    prefix: text('overflow.prefix', prefix),
    above: wholeNumber('overflow.above', above ?? most, { least: 1, most, of: 'bytes' }),
  }
}
