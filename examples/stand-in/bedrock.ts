/**
 * The stand-in's answers in Bedrock's form: Converse, whole and streamed, and InvokeModel for Claude's messages and Titan's embeddings.
 * Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock_Runtime.html
 * @module
 */
import type { ConverseRequest, ConverseResponse, ConverseStreamOutput, Message } from '@aws-sdk/client-bedrock-runtime'
import { EventStreamCodec } from '@smithy/eventstream-codec'
import { answerTo, countTokens, pieces, readPrompt } from './answers.ts'
import { vectorOf } from './embeddings.ts'
import { answerMessage } from './messages.ts'

const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === 'string' ? bytes : new TextDecoder().decode(bytes)),
  (text) => new TextEncoder().encode(text),
)

/** The answer of Converse. */
export function converse(request: Pick<ConverseRequest, 'messages' | 'system'>): ConverseResponse {
  const { messages = [], system = [] } = request
  const background = [...system, ...messages.slice(0, -1).flatMap(({ content }) => content ?? [])].map(({ text }) => text ?? '')
  const text = answerTo(readPrompt(textOf(messages.at(-1)), background.join('\n\n')))
  const inputTokens = countTokens(JSON.stringify(request))
  const outputTokens = countTokens(text)
  return {
    output: { message: { role: 'assistant', content: [{ text }] } },
    stopReason: 'end_turn',
    usage: { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens },
    metrics: { latencyMs: 300 },
  }
}

/** The same answer as the events of ConverseStream, in AWS's own framing. */
export function converseFrames({ output, stopReason, usage, metrics }: ConverseResponse): Uint8Array[] {
  const events: ConverseStreamOutput[] = [
    { messageStart: { role: 'assistant' } },
    ...pieces(textOf(output?.message)).map((text) => ({ contentBlockDelta: { contentBlockIndex: 0, delta: { text } } })),
    { contentBlockStop: { contentBlockIndex: 0 } },
    { messageStop: { stopReason } },
    { metadata: { usage, metrics } },
  ]
  return events.flatMap((event) => Object.entries(event)).map(([name, value]) => frame(name, value))
}

/** The answer of InvokeModel: a message if the body has messages, else an embedding. */
export function invoke(body: InvokeBody, id: string, model: string): object {
  if ('messages' in body) return answerMessage(body, id, model)
  return { embedding: [...vectorOf(body.inputText, body.dimensions ?? 1_024)], inputTextTokenCount: countTokens(body.inputText) }
}

/** The bodies that InvokeModel accepts here. */
export type InvokeBody = Parameters<typeof answerMessage>[0] | { readonly inputText: string; readonly dimensions?: number }

function frame(name: string, value: unknown): Uint8Array {
  return codec.encode({
    headers: {
      ':message-type': { type: 'string', value: 'event' },
      ':event-type': { type: 'string', value: name },
      ':content-type': { type: 'string', value: 'application/json' },
    },
    body: new TextEncoder().encode(JSON.stringify(value)),
  })
}

function textOf(message: Message | undefined): string {
  return (message?.content ?? []).map(({ text }) => text ?? '').join('\n\n')
}
