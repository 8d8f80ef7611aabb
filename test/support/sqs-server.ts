/**
 * Queues of SQS on the loopback, with the real client.
 * @module
 */
import { type Message, SQS } from '@aws-sdk/client-sqs'
import { startFauxqs } from 'fauxqs'

/** A server of queues. */
export interface SqsServer {
  readonly endpoint: string
  readonly client: SQS
  /** Makes a queue. @returns its URL */
  queue(name: string, attributes?: Readonly<Record<string, string>>): Promise<string>
  /** Takes up to ten messages out of a queue, which are deleted. */
  take(queueUrl: string): Promise<Message[]>
  close(): Promise<void>
}

/** Starts a server of queues on a free port. */
export async function startSqs(): Promise<SqsServer> {
  const server = await startFauxqs({ port: 0, host: '127.0.0.1', logger: false })
  const endpoint = `http://127.0.0.1:${server.port}`
  const client = new SQS({ endpoint, region: 'eu-west-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' }, maxAttempts: 1 })
  return {
    endpoint,
    client,
    async queue(name, attributes = {}) {
      const { QueueUrl: url = '' } = await client.createQueue({ QueueName: name, Attributes: { ...attributes } })
      // The server names itself by a host of its own.
      return url.replace(/^https?:\/\/[^/]*/, endpoint)
    },
    async take(queueUrl) {
      const { Messages: messages = [] } = await client.receiveMessage({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: 10,
        MessageSystemAttributeNames: ['All'],
      })
      for (const { ReceiptHandle: handle } of messages) await client.deleteMessage({ QueueUrl: queueUrl, ReceiptHandle: handle })
      return messages
    },
    async close() {
      client.destroy()
      await server.stop()
    },
  }
}
