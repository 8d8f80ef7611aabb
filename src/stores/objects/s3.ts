/**
 * Objects in a bucket of S3.
 * @module
 */
import { StoreError } from '../../errors.ts'
import { assertKnown, text, withMethods } from '../../base/option-checks.ts'
import { nameOf, withoutContent } from '../../base/foreign-error.ts'
import { atMostTwice, type Command, type SendOptions } from '../aws/requests.ts'
import type { ObjectReadOptions, ObjectStore, ObjectWriteOptions, WrittenObject } from './object-store.ts'

/**
 * The parts of an `S3Client` that are used. The package `@aws-sdk/client-s3` is loaded for the first object that is written or read.
 */
export interface ObjectClient {
  send(command: never, options: SendOptions): Promise<unknown>
}

/** Options of {@link s3Objects}. */
export interface S3ObjectsOptions {
  /** An `S3Client` of `@aws-sdk/client-s3`. It stays yours. */
  readonly client: ObjectClient
  readonly bucket: string
}

/**
 * Keeps objects in a bucket of S3. Needs the package `@aws-sdk/client-s3`, and the rights GetObject, PutObject and DeleteObject.
 * S3 removes objects by their age: give their prefix a lifecycle rule that expires them after the longest TTL.
 * @throws {InvalidOptionError} when an option is invalid
 */
export function s3Objects(options: S3ObjectsOptions): ObjectStore {
  assertKnown('', options, ['client', 'bucket'])
  return bucketOfS3('', options)
}

/**
 * Keeps objects in a bucket of S3.
 * @param path the text before the names of the options: `overflow.`, or nothing
 * @throws {InvalidOptionError} when an option is invalid
 */
export function bucketOfS3(path: string, options: S3ObjectsOptions): ObjectStore {
  const client = withMethods(`${path}client`, options.client, { methods: ['send'], allowed: 'an S3Client of @aws-sdk/client-s3' })
  return new S3Objects(client, text(`${path}bucket`, options.bucket))
}

class S3Objects implements ObjectStore {
  readonly name: string
  readonly #client: ObjectClient
  readonly #bucket: string

  constructor(client: ObjectClient, bucket: string) {
    this.name = `the S3 bucket "${bucket}"`
    this.#client = client
    this.#bucket = bucket
  }

  async put(name: string, bytes: Uint8Array, { signal }: ObjectWriteOptions): Promise<string> {
    const { PutObjectCommand } = await load()
    const answer = await this.#send(new PutObjectCommand({ Bucket: this.#bucket, Key: name, Body: bytes }), signal)
    const tag: unknown = Reflect.get(Object(answer), 'ETag')
    return typeof tag === 'string' ? tag : ''
  }

  async get({ name, tag, size }: WrittenObject, { signal }: ObjectReadOptions): Promise<Uint8Array | undefined> {
    const { GetObjectCommand } = await load()
    const command = new GetObjectCommand({ Bucket: this.#bucket, Key: name, ...(tag !== '' && { IfMatch: tag }) })
    const answer: unknown = await this.#send(command, signal).catch(undefinedIfGone)
    if (answer === undefined) return undefined
    const body = bodyOf(answer)
    // The SDK's client obeys a signal only until the head of the response has arrived.
    const stop = (): void => void body.destroy?.()
    if (Reflect.get(Object(answer), 'ContentLength') !== size) {
      stop()
      return undefined
    }
    signal.addEventListener('abort', stop, { once: true })
    try {
      const value = await body.transformToByteArray()
      return value instanceof Uint8Array ? value : undefined
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  async delete(name: string, { signal }: ObjectReadOptions): Promise<void> {
    const { DeleteObjectCommand } = await load()
    await this.#send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: name }), signal)
  }

  #send(command: Command, signal: AbortSignal): Promise<unknown> {
    // The type of a command is in the package of S3, which users without S3 do not have.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return atMostTwice(command, () => this.#client.send(command as never, { abortSignal: signal }), signal)
  }
}

/** Without the right to list a bucket, S3 answers that access is denied where an object is missing; that stays an error. */
function undefinedIfGone(error: unknown): undefined {
  if (/^(?:NoSuchKey|NotFound|PreconditionFailed)$/.test(nameOf(error))) return undefined
  throw error
}

interface Body {
  transformToByteArray(): Promise<unknown>
  destroy?(): unknown
}

function bodyOf(answer: unknown): Body {
  const body: unknown = Reflect.get(Object(answer), 'Body')
  if (typeof body === 'object' && body !== null && 'transformToByteArray' in body && typeof body.transformToByteArray === 'function') {
    const destroy: unknown = Reflect.get(body, 'destroy')
    return {
      transformToByteArray: body.transformToByteArray.bind(body),
      ...(typeof destroy === 'function' && { destroy: destroy.bind(body) }),
    }
  }
  throw new TypeError('the answer has no body')
}

async function load() {
  try {
    const { GetObjectCommand, PutObjectCommand, DeleteObjectCommand } = await import('@aws-sdk/client-s3')
    return { GetObjectCommand, PutObjectCommand, DeleteObjectCommand }
  } catch (error) {
    throw new StoreError('objects in S3 need the package @aws-sdk/client-s3: npm install @aws-sdk/client-s3', {
      cause: withoutContent(error),
    })
  }
}
