/**
 * Values of a store as objects: each under a new name, within the time that a request may take.
 * @module
 */
import { StoreError } from '../../errors.ts'
import { nameOf, withoutContent } from '../../base/foreign-error.ts'
import type { TimeLimit } from '../../base/time-limit.ts'
import type { Overflow } from './object-store.ts'

/** A value in an object, as the item of the entry tells it. */
export interface InObject {
  /** The object's name. */
  readonly object: string
  readonly tag: string
  /** Bytes. */
  readonly size: number
}

/** Where faults of the place for objects are reported, each once until it has passed. */
export interface ObjectReports {
  once(part: 'objects', message: string, cause: unknown): void
  passed(part: 'objects'): void
}

/** Writes, reads and removes the objects of one store. */
export class LargeValues {
  /** Values of more bytes than this become objects. */
  readonly above: number
  readonly #overflow: Overflow
  readonly #limit: TimeLimit

  constructor(overflow: Overflow, limit: TimeLimit) {
    this.above = overflow.above
    this.#overflow = overflow
    this.#limit = limit
  }

  /** What messages call the place. */
  get place(): string {
    return this.#overflow.objects.name
  }

  /**
   * Writes an object under a new, unique name.
   * @throws {StoreError} when it was not written
   */
  async write(value: Uint8Array, until: number): Promise<InObject> {
    const { objects, prefix } = this.#overflow
    const object = `${prefix}${crypto.randomUUID()}`
    return this.#told('written', async () => {
      const tag = await this.#limit.within('writing an object', (signal) => objects.put(object, value, { until, signal }))
      return { object, tag, size: value.byteLength }
    })
  }

  /**
   * The bytes of an object; `undefined` when it cannot be read, or is not there as it was written. That is a miss and no error: the store of
   * the entry works, and an error here would stop reads of all other entries too.
   */
  async read(place: InObject, reports: ObjectReports, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    try {
      const value = await this.#bytesOf(place, signal)
      reports.passed('objects')
      return value
    } catch (error) {
      if (signal?.aborted !== true)
        reports.once('objects', `objects in ${this.place} cannot be read; each answer in them counts as a miss.`, error)
      return undefined
    }
  }

  /** Removes an object. If that fails, a lifecycle rule removes it later. */
  async remove(object: string): Promise<void> {
    const { objects } = this.#overflow
    try {
      await this.#limit.within('removing an object', (signal) => objects.delete(object, { signal }))
    } catch {
      // No item points to the object any more, so it does no harm.
    }
  }

  /** @throws {StoreError} when it could not be read, or is not there as it was written */
  async #bytesOf({ object: name, tag, size }: InObject, outer?: AbortSignal): Promise<Uint8Array> {
    const { objects } = this.#overflow
    return this.#told('read', async () => {
      const value = await this.#limit.within('reading an object', (signal) => objects.get({ name, tag, size }, { signal }), outer)
      if (value?.byteLength === size) return value
      throw new StoreError(`an object in ${this.place} is gone, or is not what was written.`)
    })
  }

  async #told<Value>(what: string, work: () => Promise<Value>): Promise<Value> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof StoreError) throw error
      const message = `an object in ${this.place} could not be ${what}: ${nameOf(error)}.`
      throw new StoreError(message, { cause: withoutContent(error) })
    }
  }
}
