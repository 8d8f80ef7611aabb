/**
 * A Bedrock client whose requests are answered at once, from memory, below the SDK's own signing and parsing.
 * @module
 */
import { BedrockRuntimeClient } from '@aws-sdk/client-bedrock-runtime'
import type { Question } from './payload.ts'

/** A client of the SDK and how often it really asked. */
export interface InstantBedrock {
  readonly client: BedrockRuntimeClient
  calls(): number
}

/** A client that gets `whole` as the JSON of every answer. */
export function instantBedrock(whole: string): InstantBedrock {
  const body = Buffer.from(whole)
  let calls = 0
  const client = new BedrockRuntimeClient({
    region: 'eu-central-1',
    credentials: { accessKeyId: 'none', secretAccessKey: 'needed' },
    requestHandler: {
      metadata: { handlerProtocol: 'http/1.1' },
      async handle() {
        calls++
        return { response: { statusCode: 200, headers: { 'content-type': 'application/json' }, body: new Uint8Array(body) } }
      },
    },
  })
  return { client, calls: () => calls }
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
