/**
 * Sends changes of a store to a queue, in as few messages as hold them.
 * @module
 */
import { nameOf, systemReasonOf, withoutContent } from '../../base/foreign-error.ts'
import type { Clock } from '../../clock.ts'
import { StoreError } from '../../errors.ts'
import type { StoreWrite } from '../../store.ts'
import { messageOf, messageOverhead, type QueuedChange, textOf } from './message.ts'

/** What is needed of a client: `new SQS()` of `@aws-sdk/client-sqs`. */
export interface QueueClient {
  /** Sends one message; rejects if the queue did not take it. */
  sendMessage(message: QueueMessage): Promise<unknown>
}

/** A message as SQS takes it. */
export interface QueueMessage {
  readonly QueueUrl: string
  readonly MessageBody: string
  /** Of a queue whose name ends in `.fifo`. */
  readonly MessageGroupId?: string
  /** Of a queue whose name ends in `.fifo`. */
  readonly MessageDeduplicationId?: string
}

/** What changes are sent by. */
export interface SenderOptions {
  readonly client: QueueClient
  readonly queueUrl: string
  /** Bytes of the largest message. */
  readonly maxMessageBytes: number
  readonly clock: Clock
}

/** Makes the texts of changes, and sends them. */
export class Sender {
  readonly #options: SenderOptions
  /** Tells the writers of a queue apart. */
  readonly #writer = crypto.randomUUID()
  #sequence = 0

  constructor(options: SenderOptions) {
    this.#options = options
  }

  /** A value that was written. */
  written({ key, value, ttl }: StoreWrite, ifAbsent?: true): string {
    const expires = Math.ceil(this.#options.clock.now() + ttl)
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
    return this.#change({ key, value: bytes, expires, ...(ifAbsent && { ifAbsent }) })
  }

  /** A key that was removed. */
  removed(key: string): string {
    return this.#change({ key })
  }

  /** A value that is in the store already. */
  noted(key: string): string {
    return this.#change({ key, noted: true })
  }

  #change(change: Omit<QueuedChange, 'sequence'>): string {
    return textOf({ sequence: ++this.#sequence, ...change })
  }

  /** Whether a message can hold this change. */
  fits(change: string): boolean {
    return change.length + messageOverhead <= this.#options.maxMessageBytes
  }

  /** @throws {StoreError} when the queue did not take a message. Those before it are on their way. */
  async send(changes: readonly string[]): Promise<void> {
    let bytes = messageOverhead
    let together: string[] = []
    for (const change of changes) {
      if (together.length > 0 && bytes + change.length + 1 > this.#options.maxMessageBytes) {
        await this.#sendOne(together)
        bytes = messageOverhead
        together = []
      }
      together.push(change)
      bytes += change.length + 1
    }
    if (together.length > 0) await this.#sendOne(together)
  }

  async #sendOne(changes: readonly string[]): Promise<void> {
    const { client, clock, queueUrl } = this.#options
    const message = messageOf({ writer: this.#writer, at: clock.now(), changes })
    const inOrder = { MessageGroupId: 'llmemo', MessageDeduplicationId: crypto.randomUUID() }
    try {
      await client.sendMessage({ QueueUrl: queueUrl, MessageBody: message, ...(queueUrl.endsWith('.fifo') && inOrder) })
    } catch (error) {
      const reason = systemReasonOf(error) || nameOf(error)
      throw new StoreError(`the queue did not take a change: ${reason}.`, { cause: withoutContent(error) })
    }
  }
}
