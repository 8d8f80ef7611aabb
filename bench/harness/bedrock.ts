/**
 * A Bedrock client whose requests are answered at once, from memory, below the SDK's own signing and parsing.
 * @module
 */
import { Readable } from 'node:stream'
import { BedrockRuntimeClient } from '@aws-sdk/client-bedrock-runtime'
import { EventStreamCodec } from '@smithy/eventstream-codec'
import type { BedrockEvent, Question } from './payload.ts'

/** A client of the SDK and how often it really asked. */
export interface InstantBedrock {
  readonly client: BedrockRuntimeClient
  readonly calls: () => number
}

/** A client that gets `whole` as the JSON of every answer. */
export function instantBedrock(whole: string): InstantBedrock {
  const body = Buffer.from(whole)
  return instantClient('application/json', () => new Uint8Array(body))
}

/** A client that gets these events as every answer, in one piece. */
export function instantBedrockStream(events: readonly BedrockEvent[]): InstantBedrock {
  const body = Buffer.concat(events.map(frame))
  return instantClient('application/vnd.amazon.eventstream', () => Readable.from([new Uint8Array(body)]))
}

function instantClient(type: string, body: () => unknown): InstantBedrock {
  let calls = 0
  const client = new BedrockRuntimeClient({
    region: 'eu-central-1',
    credentials: { accessKeyId: 'none', secretAccessKey: 'needed' },
    requestHandler: {
      metadata: { handlerProtocol: 'http/1.1' },
      async handle() {
        calls++
        return { response: { statusCode: 200, headers: { 'content-type': type }, body: body() } }
      },
    },
  })
  return { client, calls: () => calls }
}

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(Object(bytes)).toString(),
  (text) => Buffer.from(text),
)

/** An event in the framing of AWS. */
function frame({ event, data }: BedrockEvent): Uint8Array {
  const headers = { ':event-type': string(event), ':content-type': string('application/json'), ':message-type': string('event') }
  return codec.encode({ headers, body: Buffer.from(JSON.stringify(data)) })
}

function string(value: string) {
  return { type: 'string' as const, value }
}

/** The question as Converse takes it, in objects of its own. */
export function converseInput({ messages, temperature }: Question) {
  return {
    modelId: 'amazon.nova-lite-v1:0',
    system: messages.filter(({ role }) => role === 'system').map(({ content }) => ({ text: content })),
    messages: messages.flatMap(({ role, content }) => (role === 'system' ? [] : [{ role, content: [{ text: content }] }])),
    inferenceConfig: { maxTokens: 1_024, temperature },
  }
}
