import { isJsonObject } from '../../../src/json/object.ts'
import { type BedrockRuntime, ConverseCommand, ConverseStreamCommand } from '@aws-sdk/client-bedrock-runtime'
import { type Protocol, startBedrock } from '../../support/bedrock-server.ts'
import { describeClient } from '../../contracts/client/index.ts'
import type { ClientUnderTest } from '../../contracts/client/under-test.ts'
import type { ProviderReply, StreamPart } from '../../support/provider-server.ts'
import { at, converseAnswer, converseEvents, headers, makeBedrock } from '../../support/bedrock-sdk.ts'

/** The member that the types of the SDK require. It is in the parameters. */
const untyped = { modelId: '', messages: [] }

function converse(protocol: Protocol): ClientUnderTest<BedrockRuntime> {
  return {
    start: (handler) => startBedrock(protocol, handler),
    make: (options) => makeBedrock(protocol, options),
    params: (prompt, streamed) => ({ streamed, modelId: 'test.model-v1:0', messages: [{ role: 'user', content: [{ text: prompt }] }] }),
    ask(client, params, options) {
      const { streamed, ...input }: { streamed?: unknown } = { ...params }
      const { signal: abortSignal, ...rest }: { signal?: AbortSignal } = { ...options }
      // The options stay the same object unless a name in them changes.
      const given = abortSignal === undefined ? options : { ...rest, abortSignal }
      const command =
        streamed === true ? new ConverseStreamCommand({ ...untyped, ...input }) : new ConverseCommand({ ...untyped, ...input })
      const sent: Promise<object> = Reflect.apply(Reflect.get(client, 'send'), client, [command, given])
      return sent.then((output) => (streamed === true ? Reflect.get(output, 'stream') : withoutAttempts(output)))
    },
    answer({ path }, reply, text, { pause, end = 'complete', stop } = {}) {
      const reason = stop === 'cut short' ? 'max_tokens' : 'end_turn'
      if (!path.endsWith('/converse-stream')) return reply.json(converseAnswer(text, reason), { headers })
      const [start, middle, rest] = converseEvents(text, reason)
      const parts: StreamPart[] = [
        ...start,
        ...(pause === undefined ? [] : [pause]),
        ...middle,
        ...(end.startsWith('complete') ? rest : []),
      ]
      return reply.events(parts, { headers, end: end.endsWith('reset') ? 'reset' : 'clean' })
    },
    refuse,
    textOf: (result) => textIn(result, 'output', 'message', 'content', '0', 'text'),
    textOfEvent: (event) => textIn(event, 'contentBlockDelta', 'delta', 'text'),
    operation: 'converse',
    tokens: 21,
  }
}

/** An answer from the cache has no attempts in its metadata, which contract.test.ts checks. */
function withoutAttempts(output: object): object {
  const metadata: unknown = Reflect.get(output, '$metadata')
  if (isJsonObject(metadata)) delete metadata['attempts']
  return output
}

const exceptions: ReadonlyMap<number, string> = new Map([
  [400, 'ValidationException'],
  [401, 'AccessDeniedException'],
  [404, 'ResourceNotFoundException'],
  [429, 'ThrottlingException'],
  [500, 'InternalServerException'],
])

function refuse(reply: ProviderReply, status: number): void {
  const type = `${exceptions.get(status)}:http://internal.amazon.com/`
  reply.json({ message: `refused with ${status}` }, { status, headers: { ...headers, 'x-amzn-errortype': type } })
}

function textIn(value: unknown, ...path: string[]): string {
  const text = at(value, ...path)
  return typeof text === 'string' ? text : ''
}

/** The same client, off the fast lane: a middleware of the user's own must see every call. */
function offLane(setup: ClientUnderTest<BedrockRuntime>): ClientUnderTest<BedrockRuntime> {
  return {
    ...setup,
    make(options) {
      const client = setup.make(options)
      client.middlewareStack.add((next) => next, { step: 'initialize', name: 'watching' })
      return client
    },
  }
}

describeClient('BedrockRuntime over NodeHttpHandler', converse('http1'))
describeClient('BedrockRuntime over NodeHttpHandler, off the fast lane', offLane(converse('http1')))
describeClient('BedrockRuntime over NodeHttp2Handler, its default', converse('h2'))
