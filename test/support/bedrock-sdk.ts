/**
 * The Bedrock Runtime client as the tests make and call it, over each of its two request handlers.
 * @module
 */
import { isJsonObject, type JsonObject } from '../../src/json/object.ts'
import { BedrockRuntime, type BedrockRuntimeClientConfig } from '@aws-sdk/client-bedrock-runtime'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import type { ServerEvent } from '../../src/base/server-sent-events.ts'
import type { Protocol } from './bedrock-server.ts'
import { type Failure, failureOf, isStream } from './outcome.ts'

/** How a client is made. */
export interface BedrockOptions extends BedrockRuntimeClientConfig {
  readonly url: string
  /** @default 0 */
  readonly maxRetries?: number
}

/** A client of static credentials for the endpoint at `url`. It waits for no retry. */
export function makeBedrock(protocol: Protocol, { url, maxRetries = 0, ...config }: BedrockOptions): BedrockRuntime {
  return new BedrockRuntime({
    region: 'us-east-1',
    endpoint: url,
    credentials: { accessKeyId: 'AKIDTEST', secretAccessKey: 'secret' },
    maxAttempts: maxRetries + 1,
    retryStrategy: retrying(maxRetries),
    ...(protocol === 'http1' && { requestHandler: new NodeHttpHandler() }),
    ...config,
  })
}

/** The SDK's own strategy waits for a time left to chance, of which it tells in `$metadata`. */
function retrying(retries: number): NonNullable<BedrockRuntimeClientConfig['retryStrategy']> {
  return {
    acquireInitialRetryToken: async () => token(0),
    async refreshRetryTokenForRetry(before, { errorType, error }) {
      const count = before.getRetryCount() + 1
      const isFinal = errorType === 'CLIENT_ERROR' || Reflect.get(Object(error), 'name') === 'AbortError'
      if (isFinal || count > retries) throw new Error('enough')
      return token(count)
    },
    recordSuccess: () => undefined,
  }
}

function token(count: number) {
  return { getRetryCount: () => count, getRetryDelay: () => 0 }
}

/** A whole answer of Converse. */
export function converseAnswer(text: string, stopReason = 'end_turn'): object {
  return {
    metrics: { latencyMs: 5 },
    output: { message: { role: 'assistant', content: [{ text }] } },
    stopReason,
    usage: { inputTokens: 9, outputTokens: 12, totalTokens: 21 },
  }
}

/** The events of an answer of ConverseStream in three parts: to its first text, to its last, and the end. */
export function converseEvents(text: string, stopReason = 'end_turn'): readonly [ServerEvent[], ServerEvent[], ServerEvent[]] {
  const cuts = [0, 3, Math.max(3, Math.ceil(text.length / 2)), text.length]
  const deltas = [0, 1, 2].map((part) =>
    eventOf('contentBlockDelta', { contentBlockIndex: 0, delta: { text: text.slice(cuts[part], cuts[part + 1]) } }),
  )
  return [
    [eventOf('messageStart', { role: 'assistant' }), ...deltas.slice(0, 1)],
    deltas.slice(1),
    [
      eventOf('contentBlockStop', { contentBlockIndex: 0 }),
      eventOf('messageStop', { stopReason }),
      eventOf('metadata', { metrics: { latencyMs: 5 }, usage: { inputTokens: 9, outputTokens: 12, totalTokens: 21 } }),
    ],
  ]
}

/** One event of a stream. */
export function eventOf(event: string, data: object): ServerEvent {
  return { event, data: JSON.stringify(data) }
}

/** What the service says of every answer of these tests. */
export const requestId = '6d2c1f4e-0000-4000-8000-000000000000'

/** Its headers. */
export const headers = { 'x-amzn-requestid': requestId }

/** `client.send(command, options)` of any client, wrapped or bare, with options of ours or none. */
export async function send(client: object, command: object, ...options: readonly object[]): Promise<JsonObject> {
  const sent: unknown = Reflect.apply(Reflect.get(client, 'send'), client, [command, ...options])
  const output: unknown = await sent
  if (!isJsonObject(output)) throw new TypeError('the command has no output')
  return output
}

/** What a command came to, in a form that can be compared. */
export interface SentOutcome {
  /** The output less its stream, and less the number of attempts, of which there is none for an answer from the cache. */
  readonly output?: JsonObject
  readonly events?: readonly unknown[]
  readonly error?: Failure
}

/** Sends the command and reads its stream, where it has one, to the end. Never rejects. */
export async function outcomeOfSend(client: object, command: object, options: object = {}): Promise<SentOutcome> {
  let output: JsonObject | undefined
  let events: unknown[] | undefined
  try {
    const { $metadata, ...whole } = await send(client, command, options)
    output = { ...whole, $metadata: Object.fromEntries(Object.entries(Object($metadata)).filter(([name]) => name !== 'attempts')) }
    const stream = streamOf(whole)
    if (stream === undefined) return { output }
    delete output['stream']
    delete output['body']
    events = []
    for await (const event of stream) events.push(event)
    return { output, events }
  } catch (error) {
    return { ...(output && { output }), ...(events && { events }), error: failureOf(error) }
  }
}

/** The stream of an output, or `undefined`. */
export function streamOf({ stream, body }: JsonObject): AsyncIterable<unknown> | undefined {
  return [stream, body].find(isStream)
}

/** Everything in the stream of an output. */
export async function eventsOf(output: JsonObject): Promise<unknown[]> {
  const events: unknown[] = []
  for await (const event of streamOf(output) ?? []) events.push(event)
  return events
}

/** What is at a path of members. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((found, name) => Reflect.get(Object(found), name), value)
}
