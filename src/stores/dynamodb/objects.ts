/**
 * Values that are too large for an item, as objects of S3.
 * @module
 */
import { StoreError } from '../../errors.ts'
import { assertKnown, text, wholeNumber, withMethods } from '../../base/option-checks.ts'
import { nameOf } from '../../base/foreign-error.ts'
import { causeOf } from './errors.ts'
import { type InObject, partBytes } from './items.ts'
import type { Command, Requests, SendOptions } from './requests.ts'

/**
 * The parts of an `S3Client` that the store uses. The package `@aws-sdk/client-s3` is loaded for the first object that is written or read.
 */
export interface ObjectClient {
  send(command: never, options: SendOptions): Promise<unknown>
}

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

/** Objects in a bucket. */
export class Objects {
  readonly above: number
  readonly #client: ObjectClient
  readonly #bucket: string
  readonly #prefix: string
  readonly #requests: Requests

  /** @throws {InvalidOptionError} for an invalid option */
  constructor(given: ObjectOverflow, requests: Requests) {
    assertKnown('overflow.', given, ['client', 'bucket', 'prefix', 'above'])
    this.#client = withMethods('overflow.client', given.client, { methods: ['send'], allowed: 'an S3Client of @aws-sdk/client-s3' })
    this.#bucket = text('overflow.bucket', given.bucket)
    this.#prefix = text('overflow.prefix', given.prefix ?? 'llmemo/')
    this.above = wholeNumber('overflow.above', given.above ?? partBytes, { least: 1, most: partBytes, of: 'bytes' })
    this.#requests = requests
  }

  /**
   * Writes an object under a new, unique name.
   * @throws {StoreError} when it was not written
   */
  async write(value: Uint8Array): Promise<InObject> {
    const object = `${this.#prefix}${crypto.randomUUID()}`
    return this.#told('written', async () => {
      const { PutObjectCommand } = await load()
      const answer = await this.#send(new PutObjectCommand({ Bucket: this.#bucket, Key: object, Body: value }))
      const tag: unknown = Reflect.get(Object(answer), 'ETag')
      return { object, tag: typeof tag === 'string' ? tag : '', size: value.byteLength }
    })
  }

  /**
   * The bytes of an object, or `undefined` when they are not the bytes that were written.
   * @throws {StoreError} when it could not be read
   */
  async read({ object, tag, size }: InObject, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    return this.#told('read', async () => {
      const { GetObjectCommand } = await load()
      const command = new GetObjectCommand({ Bucket: this.#bucket, Key: object, ...(tag !== '' && { IfMatch: tag }) })
      const answer: unknown = await this.#send(command, signal)
      const body = bodyOf(answer)
      if (Reflect.get(Object(answer), 'ContentLength') !== size) {
        body.destroy?.()
        return undefined
      }
      const value = await this.#collect(body, signal)
      return value instanceof Uint8Array && value.byteLength === size ? value : undefined
    })
  }

  /** Removes an object. If that fails, the bucket's lifecycle rule removes it later. */
  async remove(object: string): Promise<void> {
    try {
      const { DeleteObjectCommand } = await load()
      await this.#send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: object }))
    } catch {
      // No item points to the object any more, so it does no harm.
    }
  }

  async #collect(body: Body, signal: AbortSignal | undefined): Promise<unknown> {
    try {
      return await this.#requests.within('reading an object of S3', () => body.transformToByteArray(), signal)
    } catch (error) {
      // The SDK's client obeys a signal only until the head of the response has arrived.
      body.destroy?.()
      throw error
    }
  }

  #send(command: Command, signal?: AbortSignal): Promise<unknown> {
    // The type of a command is in the package of S3, which users without S3 do not have.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return this.#requests.send(command, (options) => this.#client.send(command as never, options), signal)
  }

  async #told<Value>(what: string, work: () => Promise<Value>): Promise<Value> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof StoreError) throw error
      const message = `an object in the S3 bucket "${this.#bucket}" could not be ${what}: ${nameOf(error)}.`
      throw new StoreError(message, { cause: causeOf(error) })
    }
  }
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
    throw new StoreError('the option "overflow" needs the package @aws-sdk/client-s3: npm install @aws-sdk/client-s3', {
      cause: causeOf(error),
    })
  }
}
