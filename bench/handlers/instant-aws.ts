/**
 * AWS as the handlers meet it: it answers at once, whatever is asked.
 * @module
 */

/** What the clients of the SDK are configured with. */
export function instantAws(answer: object) {
  const body = new TextEncoder().encode(JSON.stringify(answer))
  return {
    region: 'eu-central-1',
    credentials: { accessKeyId: 'none', secretAccessKey: 'needed' },
    requestHandler: {
      metadata: { handlerProtocol: 'http/1.1' },
      handle: () => Promise.resolve({ response: { statusCode: 200, headers: { 'content-type': 'application/json' }, body } }),
    },
  }
}

/** An answer of Converse. */
export const answer = {
  output: { message: { role: 'assistant', content: [{ text: 'A cache keeps what was asked before.' }] } },
  stopReason: 'end_turn',
  usage: { inputTokens: 9, outputTokens: 8, totalTokens: 17 },
  metrics: { latencyMs: 900 },
}

/** A question for Converse. */
export const question = {
  modelId: 'amazon.nova-lite-v1:0',
  messages: [{ role: 'user' as const, content: [{ text: 'What is a cache?' }] }],
}

/** Prints the milliseconds since the process began when the handler was loaded, and when it has answered. */
export async function printTimes(handler: () => Promise<unknown>): Promise<void> {
  const loaded = performance.now()
  await handler()
  console.log(`${loaded} ${performance.now()}`)
  process.exit()
}
