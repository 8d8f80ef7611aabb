/**
 * What an item of a {@link dynamodbStore} looks like: an entry to items and back, and what fits into one.
 * @module
 */
import { InvalidOptionError } from '../../errors.ts'
import { assertKnown } from '../../base/option-checks.ts'

/** What the attributes of an item are called. */
export interface DynamodbAttributes {
  /** The table's partition key, a text. @default 'pk' */
  readonly key: string
  /** The bytes. @default 'value' */
  readonly value: string
  /** When DynamoDB may remove the item, in seconds since the epoch: the attribute that the table's TTL is enabled on. @default 'expires' */
  readonly expires: string
  /** Until when the value may be returned, in milliseconds since the epoch. @default 'until' */
  readonly until: string
  /** Where the bytes are, when they are not in the item. @default 'elsewhere' */
  readonly elsewhere: string
}

/** An item as the document client gives and takes it. */
export type Item = Record<string, unknown>

/** Bytes in further items. */
export interface InParts {
  readonly generation: string
  readonly parts: number
  readonly size: number
}

/** Bytes in an object of S3. */
export interface InObject {
  readonly object: string
  /** Its ETag. */
  readonly tag: string
  readonly size: number
}

/** Where the bytes are that did not fit into an item. */
export type Overflow = InParts | InObject

/** How long an entry lives. */
export interface Life {
  /** Milliseconds since the epoch. */
  readonly until: number
  /** Seconds since the epoch, rounded up, so that DynamoDB never removes what may still be returned. */
  readonly expires: number
}

/**
 * Bytes of a value that go into one item. An item may have 400 KB (409,600 bytes), the names of its attributes and its key included:
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-items
 */
export const partBytes = 380_000
/**
 * Bytes of a key that leave room for what the keys of parts have in addition; a partition key may have 2,048 bytes:
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-partition-sort-keys
 */
const maxKeyBytes = 1_980
/** Beyond what anyone stores; so many parts are read for an entry, and no more. */
const maxParts = 1_000
/** Bytes of an attribute's name, such that the names of five leave an item room for the rest. */
const maxNameBytes = 255

const defaults: DynamodbAttributes = { key: 'pk', value: 'value', expires: 'expires', until: 'until', elsewhere: 'elsewhere' }

/**
 * The names of the attributes, those not given by default.
 * @throws {InvalidOptionError} for a name that is none, or one that is given twice
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

/** Whether a table can have an item with this key. */
export function isPossibleKey(key: string): boolean {
  // UTF-8 has one and the same character for all lone surrogates, and two keys would be one.
  return key !== '' && key.isWellFormed() && Buffer.byteLength(key) <= maxKeyBytes
}

/** How long an entry lives that is written `now`, in milliseconds since the epoch. */
export function lifeOf(now: number, ttl: number): Life {
  const until = Math.floor(now + ttl)
  return { until, expires: Math.ceil(until / 1_000) }
}

/** The keys of the parts of an entry. A generation names the parts of one writing, which are never changed. */
export function partKeys(key: string, { generation, parts }: Omit<InParts, 'size'>): string[] {
  return Array.from({ length: parts }, (_, index) => `${key}#${generation}#${index}`)
}

/** `value` in pieces of which each fits into an item. */
export function split(value: Uint8Array): Uint8Array[] {
  const count = Math.ceil(value.byteLength / partBytes)
  return Array.from({ length: count }, (_, index) => value.subarray(index * partBytes, (index + 1) * partBytes))
}

/** Entries to items and back, by the names of a table's attributes. */
export class ItemFormat {
  readonly names: DynamodbAttributes

  constructor(names: DynamodbAttributes) {
    this.names = names
  }

  /** The item of an entry that has its value in it. */
  whole(key: string, value: Uint8Array, { expires, until }: Life): Item {
    const { names } = this
    return { [names.key]: key, [names.value]: value, [names.expires]: expires, [names.until]: until }
  }

  /** The item of an entry that has its value elsewhere. */
  pointer(key: string, overflow: Overflow, { expires, until }: Life): Item {
    const { names } = this
    return { [names.key]: key, [names.elsewhere]: overflow, [names.expires]: expires, [names.until]: until }
  }

  /** A part of an entry. It has no `until`, so that it is no entry itself. */
  part(key: string, value: Uint8Array, { expires }: Life): Item {
    const { names } = this
    return { [names.key]: key, [names.value]: value, [names.expires]: expires }
  }

  /** The key in an item. */
  keyIn(item: Item): string | undefined {
    const key = item[this.names.key]
    return typeof key === 'string' ? key : undefined
  }

  /** Whether an item is an entry that may still be returned. DynamoDB takes days to remove what has expired. */
  isAlive(item: Item, now: number): boolean {
    return now < numberIn(item[this.names.until])
  }

  /** The bytes in an item. */
  valueIn(item: Item): Uint8Array | undefined {
    const value = item[this.names.value]
    // A document client with `convertEmptyValues` writes null in place of no bytes.
    if (value === null) return new Uint8Array(0)
    return value instanceof Uint8Array ? value : undefined
  }

  /** Where the bytes of an entry are that are not in its item; `undefined` when it does not say, or says what cannot be. */
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

/** A number, whatever a document client makes of numbers: `wrapNumbers` gives objects, or what a function of the user's returns. */
function numberIn(value: unknown): number {
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value)
  // An object tells its number by toString(); Number() makes NaN of any other.
  return typeof value === 'object' && value !== null ? Number(value) : Number.NaN
}
