/**
 * How much is kept, and how small: the bounds of memory and of answers, and compression.
 * @module
 */
import { wholeNumber } from '../../base/option-checks.ts'
import { maxStoredBodyBytes } from '../../codec/entry-codec.ts'
import { InvalidOptionError } from '../../errors.ts'

/** The options of a cache about sizes. */
export interface SizeOptions {
  /** Bytes of hot memory; 0 for none. @default 67108864 (64 MiB) */
  readonly maxMemoryBytes?: number
  /** Entries of hot memory; `Infinity` for as many as `maxMemoryBytes` has room for, which always holds. @default Infinity */
  readonly maxMemoryEntries?: number
  /** Bytes that one answer may have; a larger one is passed on and not stored. @default 8388608 (8 MiB) */
  readonly maxEntryBytes?: number
  /** Answers of at least so many bytes are compressed in the store; `Infinity` for never. @default 4096 */
  readonly compressAbove?: number
  /** How hard to compress, from 1 for fast to 9 for small. @default 6 */
  readonly compressionLevel?: number
}

/** The sizes, checked and whole. */
export type Sizes = Required<SizeOptions>

/** The names of the options about sizes. */
export const sizeNames = ['maxMemoryBytes', 'maxMemoryEntries', 'maxEntryBytes', 'compressAbove', 'compressionLevel']

/** The sizes, checked and whole. @throws {InvalidOptionError} that names the first value which cannot be */
export function readSizes(given: SizeOptions): Sizes {
  const { maxMemoryBytes = 64 * 2 ** 20, maxMemoryEntries = Infinity, maxEntryBytes = 8 * 2 ** 20 } = given
  // To inflate a smaller answer takes longer than all else about a hit in a store.
  const { compressAbove = 4_096, compressionLevel = 6 } = given
  return {
    maxMemoryBytes: wholeNumber('maxMemoryBytes', maxMemoryBytes, { least: 0, of: 'bytes' }),
    maxMemoryEntries: maxMemoryEntries === Infinity ? Infinity : wholeNumber('maxMemoryEntries', maxMemoryEntries, { least: 1 }),
    maxEntryBytes: wholeNumber('maxEntryBytes', maxEntryBytes, { least: 1, most: maxStoredBodyBytes, of: 'bytes' }),
    compressAbove: compressAbove === Infinity ? Infinity : wholeNumber('compressAbove', compressAbove, { least: 0, of: 'bytes' }),
    compressionLevel: readLevel(compressionLevel),
  }
}

function readLevel(level: unknown): number {
  if (typeof level === 'number' && Number.isInteger(level) && level >= 1 && level <= 9) return level
  throw new InvalidOptionError('compressionLevel', level, 'a whole number from 1 to 9')
}
