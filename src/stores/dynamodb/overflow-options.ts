/**
 * The option `overflow` of a {@link dynamodbStore}: a bucket of S3, or any place for objects.
 * @module
 */
import { assertKnown } from '../../base/option-checks.ts'
import { checkedOverflow, checkedPlacing, type ObjectStoreOverflow, type Overflow } from '../objects/object-store.ts'
import { bucketOfS3, type ObjectClient } from '../objects/s3.ts'
import { partBytes } from './items.ts'

/** Where a {@link dynamodbStore} puts values that are too large for an item. */
export interface ObjectOverflow {
  /** An `S3Client` of `@aws-sdk/client-s3`. */
  readonly client: ObjectClient
  readonly bucket: string
  /** Prefix of the objects' names. Give this prefix a lifecycle rule that removes objects older than the longest TTL. @default 'llmemo/' */
  readonly prefix?: string
  /** Values of more bytes than this become objects. @default 380_000, as much as fits into an item */
  readonly above?: number
}

/**
 * Checks the option in either form.
 * @throws {InvalidOptionError} for an invalid option
 */
export function checkedOverflows(given: ObjectOverflow | ObjectStoreOverflow): Overflow {
  assertKnown('overflow.', given, ['client', 'bucket', 'objects', 'prefix', 'above'])
  if ('objects' in given) return checkedOverflow(given, partBytes)
  const { client, bucket, ...placing } = given
  return { objects: bucketOfS3('overflow.', { client, bucket }), ...checkedPlacing(placing, partBytes) }
}
