/**
 * Values that do not fit into one document: in objects when the store has a place for them, otherwise split over several documents.
 * @module
 */
import { joinedBytes } from '../../base/text-bytes.ts'
import type { LargeValues } from '../objects/large-values.ts'
import type { DocumentAccess } from './access.ts'
import { type Elsewhere, type InParts, partIds } from './entries.ts'
import type { DocumentReports } from './reports.ts'

/** What a {@link DocumentOverflow} works with. */
export interface DocumentOverflowOptions {
  readonly access: DocumentAccess
  /** The place for objects; without one, values are split over several documents. */
  readonly objects: LargeValues | undefined
  readonly reports: DocumentReports
}

/** Writes, reads and removes values that do not fit into one document. The document of the entry points to them. */
export class DocumentOverflow {
  readonly #access: DocumentAccess
  readonly #objects: LargeValues | undefined
  readonly #reports: DocumentReports

  constructor({ access, objects, reports }: DocumentOverflowOptions) {
    this.#access = access
    this.#objects = objects
    this.#reports = reports
  }

  /** Whether `value` is too large for one document. */
  isNeededFor(value: Uint8Array): boolean {
    return value.byteLength > (this.#objects?.above ?? this.#access.maxValueBytes)
  }

  /** Writes `value` under new names, so that nothing that was written before changes. */
  async write(key: string, value: Uint8Array, until: number): Promise<Elsewhere> {
    if (this.#objects !== undefined) return this.#objects.write(value, until)
    const { maxValueBytes } = this.#access
    const parts = Math.ceil(value.byteLength / maxValueBytes)
    const place = { generation: crypto.randomUUID(), parts, size: value.byteLength }
    const piece = (index: number): Uint8Array => value.subarray(index * maxValueBytes, (index + 1) * maxValueBytes)
    await this.#access.write(partIds(key, place).map((id, index) => ({ id, until, fields: { value: piece(index) } })))
    return place
  }

  /** The whole value, or `undefined` when a part of it is missing or differs from what was written. */
  async read(key: string, place: Elsewhere, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    return 'object' in place ? this.#objects?.read(place, this.#reports, signal) : this.#readParts(key, place, signal)
  }

  /** Removes a value that no document points to any more. What cannot be removed expires by itself. */
  async remove(key: string, place: Elsewhere | undefined): Promise<void> {
    if (place === undefined) return
    if ('object' in place) {
      await this.#objects?.remove(place.object)
      return
    }
    try {
      await this.#access.remove(partIds(key, place))
    } catch {
      // The change that made this value obsolete is done, so its caller must not see an error.
    }
  }

  async #readParts(key: string, place: InParts, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    const parts = (await this.#access.read(partIds(key, place), signal)).map((found) => found?.value).filter((part) => part !== undefined)
    const size = parts.reduce((sum, part) => sum + part.byteLength, 0)
    if (parts.length < place.parts || size !== place.size) return undefined
    return joinedBytes(parts)
  }
}
