/**
 * The provider that the Bedrock examples call: Amazon Bedrock if `LLMEMO_BEDROCK=1` is set, else the stand-in.
 * @module
 */
import { BedrockRuntimeClient } from '@aws-sdk/client-bedrock-runtime'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { startStandIn } from './stand-in/server.ts'

/** A provider, and a client that calls it. */
export interface BedrockProvider {
  /** Which provider gets the calls, as a line for the reader. */
  readonly description: string
  /** A client of the SDK. Your own program makes it with `new BedrockRuntimeClient()`. */
  readonly client: BedrockRuntimeClient
  /** How many requests really went to the provider. */
  calls(): number
  /** Lets the process end. */
  close(): Promise<void>
}

/** Amazon Bedrock, in the region and with the credentials that the SDK finds by itself; else the stand-in. */
export async function openBedrock(): Promise<BedrockProvider> {
  const real = process.env['LLMEMO_BEDROCK'] === '1'
  const standIn = real ? undefined : await startStandIn()
  const client = standIn === undefined ? new BedrockRuntimeClient() : localClient(standIn.baseURL, standIn.port)
  let calls = 0
  const count = (): void => {
    calls += 1
  }
  // Only calls that the cache does not answer reach this step of the SDK.
  client.middlewareStack.add((next) => (step) => (count(), next(step)), { step: 'finalizeRequest', name: 'count' })
  return {
    description: real
      ? 'Calls Amazon Bedrock, as LLMEMO_BEDROCK is 1: these calls cost money.'
      : 'Calls a stand-in on this machine. Set LLMEMO_BEDROCK=1 to call Amazon Bedrock with your AWS credentials.',
    client,
    calls: () => calls,
    async close() {
      client.destroy()
      await standIn?.close()
    },
  }
}

function localClient(endpoint: string, port: number): BedrockRuntimeClient {
  // The SDK's default speaks HTTP/2, and the stand-in HTTP/1.1.
  const requestHandler = new NodeHttpHandler()
  const client = new BedrockRuntimeClient({
    region: 'us-east-1',
    endpoint,
    credentials: { accessKeyId: 'no-key-needed', secretAccessKey: 'no-key-needed' },
    requestHandler,
  })
  client.middlewareStack.add(
    (next) => (step) => {
      // The endpoint is part of the key of each answer, so it must be the same in every run. Only the port differs.
      Object.assign(Object(step.request), { hostname: '127.0.0.1', port })
      return next(step)
    },
    { step: 'finalizeRequest', priority: 'low', name: 'local' },
  )
  return client
}
