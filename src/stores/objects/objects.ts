/**
 * `llmemo/objects`: places for values that are too large for an item of a database, for the option `overflow` of stores. It needs no
 * package: the clients are handed in, and only for S3 `@aws-sdk/client-s3` is loaded.
 * @module
 */
export { azureBlobObjects } from './azure-blob.ts'
export { gcsObjects } from './gcs.ts'
export { s3Objects } from './s3.ts'

export type { AzureBlob, AzureBlobContainer, AzureBlobObjectsOptions, AzureDownloadOptions } from './azure-blob.ts'
export type { GcsBucket, GcsFile, GcsObjectsOptions } from './gcs.ts'
export type { ObjectReadOptions, ObjectStore, ObjectStoreOverflow, ObjectWriteOptions, WrittenObject } from './object-store.ts'
export type { ObjectClient, S3ObjectsOptions } from './s3.ts'
