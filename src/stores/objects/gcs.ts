/**
 * Objects in a bucket of Google Cloud Storage.
 * @module
 */
import { assertKnown, withMethods } from '../../base/option-checks.ts'
import type { ObjectStore, ObjectWriteOptions, WrittenObject } from './object-store.ts'

/** The parts of a file of `@google-cloud/storage` that are used. */
export interface GcsFile {
  save(bytes: Uint8Array, options: { readonly resumable: false; readonly metadata: { readonly customTime: string } }): Promise<unknown>
  download(): Promise<readonly Uint8Array[]>
  delete(): Promise<unknown>
  readonly metadata: { readonly generation?: string | number }
}

/** The parts of a bucket of `@google-cloud/storage` that are used. */
export interface GcsBucket {
  readonly name: string
  file(name: string, options?: { readonly generation?: string }): GcsFile
}

/** Options of {@link gcsObjects}. */
export interface GcsObjectsOptions {
  /** A bucket of `@google-cloud/storage`: `new Storage().bucket('answers')`. It stays yours. */
  readonly bucket: GcsBucket
}

/**
 * Keeps objects in a bucket of Google Cloud Storage. Each has the end of its value as its custom time, so that the lifecycle rule
 * `{ action: { type: 'Delete' }, condition: { daysSinceCustomTime: 1 } }` removes what has ended. Needs the rights
 * `storage.objects.get`, `create` and `delete`.
 * @throws {InvalidOptionError} when an option is invalid
 */
export function gcsObjects(options: GcsObjectsOptions): ObjectStore {
  assertKnown('', options, ['bucket'])
  const bucket = withMethods('bucket', options.bucket, {
    methods: ['file'],
    allowed: "a bucket of @google-cloud/storage: new Storage().bucket('answers')",
  })
  return new GcsObjects(bucket)
}

class GcsObjects implements ObjectStore {
  readonly name: string
  readonly #bucket: GcsBucket

  constructor(bucket: GcsBucket) {
    this.name = `the bucket "${bucket.name}" of Cloud Storage`
    this.#bucket = bucket
  }

  async put(name: string, bytes: Uint8Array, { until }: ObjectWriteOptions): Promise<string> {
    const file = this.#bucket.file(name)
    await file.save(bytes, { resumable: false, metadata: { customTime: new Date(until).toISOString() } })
    return String(file.metadata.generation ?? '')
  }

  async get({ name, tag }: WrittenObject): Promise<Uint8Array | undefined> {
    try {
      const [bytes] = await this.#bucket.file(name, tag === '' ? {} : { generation: tag }).download()
      return bytes
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  async delete(name: string): Promise<void> {
    try {
      await this.#bucket.file(name).delete()
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }
}

function isMissing(error: unknown): boolean {
  return Number(Reflect.get(Object(error), 'code')) === 404
}
