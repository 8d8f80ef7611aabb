/**
 * The items of a {@link dynamodbStore}: from entries to items and back, and what fits into one item.
 * @module
 */
import { InvalidOptionError } from '../../errors.ts'
import { assertKnown } from '../../base/option-checks.ts'
import type { InObject } from '../objects/large-values.ts'

/** Names of the attributes of an item. */
export interface DynamodbAttributes {
  /** The table's partition key, a text. @default 'pk' */
  readonly key: string
  /** The bytes. @default 'value' */
  readonly value: string
  /**
   * When DynamoDB may remove the item, in seconds since the epoch. The table's TTL must be enabled on this attribute. @default 'expires'
   */
  readonly expires: string
  /** When the value ends, in milliseconds since the epoch. It is not returned from then on. @default 'until' */
  readonly until: string
  /** Where the bytes are, if they are not in the item. @default 'elsewhere' */
  readonly elsewhere: string
}

/** An item of the document client. */
export type Item = Record<string, unknown>

/** A value in further items. */
export interface InParts {
  readonly generation: string
  readonly parts: number
  readonly size: number
}

/** Where the bytes of a value are that did not fit into an item. */
export type Overflow = InParts | InObject

/** When an entry ends. */
export interface Life {
  /** Milliseconds since the epoch. */
  readonly until: number
  /** Seconds since the epoch. Rounded up, so that DynamoDB never removes an entry that may still be returned. */
  readonly expires: number
}

/**
 * Maximum bytes of a value in one item. An item may have 400 KB (409,600 bytes), including its key and the names of its attributes:
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-items
 */
export const partBytes = 380_000
/**
 * Maximum bytes of a key. A partition key may have 2,048 bytes; the rest is for the suffix in the keys of parts:
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-partition-sort-keys
 */
const maxKeyBytes = 1_980
/** Maximum parts of an entry. More than any real entry has; bounds the reads for a damaged item. */
const maxParts = 1_000
/** Maximum bytes of an attribute's name. Five such names leave enough room in an item. */
const maxNameBytes = 255

const defaults: DynamodbAttributes = { key: 'pk', value: 'value', expires: 'expires', until: 'until', elsewhere: 'elsewhere' }

/**
 * The names of all attributes; the default name for each that is not given.
 * @throws {InvalidOptionError} for an invalid name, and for one that is used twice
 */
export function attributeNames(given: Partial<DynamodbAttributes> = {}): DynamodbAttributes {
  assertKnown('attributes.', given, Object.keys(defaults))
  const names = { ...defaults, ...given }
  for (const [option, name] of Object.entries<unknown>(names)) {
    const fits = typeof name === 'string' && name !== '' && name.isWellFormed() && Buffer.byteLength(name) <= maxNameBytes
    if (!fits) throw new InvalidOptionError(`attributes.${option}`, name, `a text of 1 to ${maxNameBytes} bytes`)
    const twin = Object.entries(names).find(([other, its]) => other !== option && its === name)
    if (twin !== undefined) throw new InvalidOptionError(`attributes.${option}`, name, `a name that attributes.${twin[0]} does not have`)
  }
  return names
}

/** Whether `key` can be the key of an item. */
export function isPossibleKey(key: string): boolean {
  // UTF-8 turns all lone surrogates into the same character, so two keys would become one.
  return key !== '' && key.isWellFormed() && Buffer.byteLength(key) <= maxKeyBytes
}

/** When an entry ends that is written at `now`, in milliseconds since the epoch. */
export function lifeOf(now: number, ttl: number): Life {
  const until = Math.floor(now + ttl)
  return { until, expires: Math.ceil(until / 1_000) }
}

/** The keys of an entry's parts. Each write makes a new generation, so the parts of a generation never change. */
export function partKeys(key: string, { generation, parts }: Omit<InParts, 'size'>): string[] {
  return Array.from({ length: parts }, (_, index) => `${key}#${generation}#${index}`)
}

/** Cuts `value` into pieces that fit into an item. */
export function split(value: Uint8Array): Uint8Array[] {
  const count = Math.ceil(value.byteLength / partBytes)
  return Array.from({ length: count }, (_, index) => value.subarray(index * partBytes, (index + 1) * partBytes))
}

/** Converts entries to items and back, with the table's names of attributes. */
export class ItemFormat {
  readonly names: DynamodbAttributes

  constructor(names: DynamodbAttributes) {
    this.names = names
  }

  /** The item of an entry that holds its value itself. */
  whole(key: string, value: Uint8Array, { expires, until }: Life): Item {
    const { names } = this
    return { [names.key]: key, [names.value]: value, [names.expires]: expires, [names.until]: until }
  }

  /** The item of an entry that points to its value. */
  pointer(key: string, overflow: Overflow, { expires, until }: Life): Item {
    const { names } = this
    return { [names.key]: key, [names.elsewhere]: overflow, [names.expires]: expires, [names.until]: until }
  }

  /** The item of one part of a value. It has no `until`, so it cannot pass for an entry. */
  part(key: string, value: Uint8Array, { expires }: Life): Item {
    const { names } = this
    return { [names.key]: key, [names.value]: value, [names.expires]: expires }
  }

  /** The key of an item. */
  keyIn(item: Item): string | undefined {
    const key = item[this.names.key]
    return typeof key === 'string' ? key : undefined
  }

  /** Whether an item is an entry that may still be returned. DynamoDB may take days to remove expired items. */
  isAlive(item: Item, now: number): boolean {
    return now < numberIn(item[this.names.until])
  }

  /** The bytes of an item. */
  valueIn(item: Item): Uint8Array | undefined {
    const value = item[this.names.value]
    // A document client with `convertEmptyValues` writes null instead of empty bytes.
    if (value === null) return new Uint8Array(0)
    return value instanceof Uint8Array ? value : undefined
  }

  /** Where the bytes of an entry are that did not fit into its item; `undefined` if it says nothing, or nothing possible. */
  overflowIn(item: Item | undefined): Overflow | undefined {
    const place: unknown = item?.[this.names.elsewhere]
    if (typeof place !== 'object' || place === null) return undefined
    const { generation, parts, object, tag, size }: Item = { ...place }
    const bytes = numberIn(size)
    if (!Number.isSafeInteger(bytes) || bytes < 0) return undefined
    if (typeof object === 'string' && typeof tag === 'string') return { object, tag, size: bytes }
    const count = numberIn(parts)
    const possible = Number.isInteger(count) && count > 0 && count <= maxParts && bytes <= count * partBytes
    return typeof generation === 'string' && possible ? { generation, parts: count, size: bytes } : undefined
  }
}

/** A number in any form that a document client gives it. With `wrapNumbers` it is an object, or the result of a user's function. */
function numberIn(value: unknown): number {
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value)
  // `Number()` reads an object through its toString(), and gives NaN for one that is no number.
  return typeof value === 'object' && value !== null ? Number(value) : Number.NaN
}
