/**
 * Values that do not fit into one item: in objects when the store has a place for them, otherwise split over several items.
 * @module
 */
import { joinedBytes } from '../../base/text-bytes.ts'
import { StoreError } from '../../errors.ts'
import type { LargeValues } from '../objects/large-values.ts'
import type { Batches, Change } from './batches.ts'
import { type InParts, type ItemFormat, type Life, type Overflow, partBytes, partKeys, split } from './items.ts'
import type { Reports } from './reports.ts'

/** What an {@link OverflowStorage} works with. */
export interface OverflowOptions {
  readonly batches: Batches
  /** The place for objects; without one, values are split over several items. */
  readonly objects: LargeValues | undefined
  readonly format: ItemFormat
  readonly reports: Reports
  /** Whether parts are read with strong consistency. */
  readonly consistent: boolean
}

/** Writes, reads and removes values that do not fit into one item. The item of the entry points to them. */
export class OverflowStorage {
  readonly #batches: Batches
  readonly #objects: LargeValues | undefined
  readonly #format: ItemFormat
  readonly #reports: Reports
  readonly #consistent: boolean

  constructor({ batches, objects, format, reports, consistent }: OverflowOptions) {
    this.#batches = batches
    this.#objects = objects
    this.#format = format
    this.#reports = reports
    this.#consistent = consistent
  }

  /** Whether `value` is too large for one item. */
  isNeededFor(value: Uint8Array): boolean {
    return value.byteLength > (this.#objects?.above ?? partBytes)
  }

  /**
   * Writes `value` under new names, so that nothing that was written before changes.
   * @throws {StoreError} when not all of it was written
   */
  async write(key: string, value: Uint8Array, life: Life): Promise<Overflow> {
    if (this.#objects !== undefined) return this.#objects.write(value, life.until)
    const pieces = split(value)
    const overflow = { generation: crypto.randomUUID(), parts: pieces.length, size: value.byteLength }
    const names = partKeys(key, overflow)
    const changes = pieces.map((piece, index): Change => ({ put: this.#format.part(names[index] ?? '', piece, life) }))
    const left = await this.#batches.write(changes)
    if (left > 0) throw new StoreError(`DynamoDB did not take ${left} of the ${pieces.length} parts of an entry; the entry is dropped.`)
    return overflow
  }

  /** The whole value, or `undefined` when a part of it is missing or differs from what was written. */
  async read(key: string, overflow: Overflow, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    return 'object' in overflow ? this.#objects?.read(overflow, this.#reports, signal) : this.#readParts(key, overflow, signal)
  }

  /** Removes a value that no item points to any more. What cannot be removed expires by itself. */
  async remove(key: string, overflow: Overflow | undefined): Promise<void> {
    if (overflow === undefined) return
    if ('object' in overflow) {
      await this.#objects?.remove(overflow.object)
      return
    }
    try {
      await this.#batches.write(partKeys(key, overflow).map((remove) => ({ remove })))
    } catch {
      // The change that made this value obsolete is done, so its caller must not see an error.
    }
  }

  async #readParts(key: string, overflow: InParts, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const names = partKeys(key, overflow)
    const { items } = await this.#batches.read(names, { consistent: this.#consistent, signal })
    const parts = new Map(items.map((item) => [this.#format.keyIn(item), this.#format.valueIn(item)]))
    const found = names.map((name) => parts.get(name)).filter((part) => part !== undefined)
    const size = found.reduce((sum, part) => sum + part.byteLength, 0)
    if (found.length < names.length || size !== overflow.size) return undefined
    return joinedBytes(found)
  }
}
