/**
 * Objects in a container of Azure Blob Storage.
 * @module
 */
import { assertKnown, withMethods } from '../../base/option-checks.ts'
import type { ObjectReadOptions, ObjectStore, ObjectWriteOptions, WrittenObject } from './object-store.ts'

/** The parts of a `BlockBlobClient` of `@azure/storage-blob` that are used. */
export interface AzureBlob {
  upload(body: Uint8Array, length: number, options: { readonly abortSignal: AbortSignal }): Promise<{ readonly etag?: string }>
  downloadToBuffer(offset: number, count: number, options: AzureDownloadOptions): Promise<Uint8Array>
  delete(options: { readonly abortSignal: AbortSignal }): Promise<unknown>
}

/** How a blob is read. */
export interface AzureDownloadOptions {
  readonly abortSignal: AbortSignal
  readonly conditions: { readonly ifMatch?: string }
  readonly maxRetryRequestsPerBlock: number
}

/** The parts of a `ContainerClient` of `@azure/storage-blob` that are used. */
export interface AzureBlobContainer {
  readonly containerName: string
  getBlockBlobClient(name: string): AzureBlob
}

/** Options of {@link azureBlobObjects}. */
export interface AzureBlobObjectsOptions {
  /** A `ContainerClient` of `@azure/storage-blob`. It stays yours. */
  readonly container: AzureBlobContainer
}

/**
 * Keeps objects in a container of Azure Blob Storage. Blob Storage removes them by their age: give their prefix a rule of lifecycle
 * management, `daysAfterCreationGreaterThan` the longest TTL. Needs the role Storage Blob Data Contributor on the container.
 * @throws {InvalidOptionError} when an option is invalid
 */
export function azureBlobObjects(options: AzureBlobObjectsOptions): ObjectStore {
  assertKnown('', options, ['container'])
  const container = withMethods('container', options.container, {
    methods: ['getBlockBlobClient'],
    allowed: 'a ContainerClient of @azure/storage-blob',
  })
  return new AzureBlobObjects(container)
}

class AzureBlobObjects implements ObjectStore {
  readonly name: string
  readonly #container: AzureBlobContainer

  constructor(container: AzureBlobContainer) {
    this.name = `the container "${container.containerName}" of Blob Storage`
    this.#container = container
  }

  async put(name: string, bytes: Uint8Array, { signal }: ObjectWriteOptions): Promise<string> {
    const { etag } = await this.#container.getBlockBlobClient(name).upload(bytes, bytes.byteLength, { abortSignal: signal })
    return etag ?? ''
  }

  async get({ name, tag, size }: WrittenObject, { signal }: ObjectReadOptions): Promise<Uint8Array | undefined> {
    // A range of no bytes cannot be asked for.
    if (size === 0) return new Uint8Array(0)
    const conditions = tag === '' ? {} : { ifMatch: tag }
    try {
      const blob = this.#container.getBlockBlobClient(name)
      return await blob.downloadToBuffer(0, size, { abortSignal: signal, conditions, maxRetryRequestsPerBlock: 1 })
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  async delete(name: string, { signal }: ObjectReadOptions): Promise<void> {
    try {
      await this.#container.getBlockBlobClient(name).delete({ abortSignal: signal })
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }
}

/** Whether a blob is not there (404), is another one than was written (412), or has no such bytes (416). */
function isMissing(error: unknown): boolean {
  const status: unknown = Reflect.get(Object(error), 'statusCode')
  return status === 404 || status === 412 || status === 416
}
