import { createCache } from 'llmemo'
import type { GatewayOptions } from 'llmemo-gateway'
import { onTestFinished } from 'vitest'
import { completion } from '../../../test/support/openai-answers.ts'
import { type ProviderHandler, type ProviderServer, startProvider } from '../../../test/support/provider-server.ts'
import { listening } from './listening.ts'

/** A stand-in provider of OpenAI's protocol, and a gateway in front of it, until the test ends. */
export async function gatewayOver(
  handler: ProviderHandler = (_request, reply) => reply.json(completion('Rayleigh.')),
  options: GatewayOptions = {},
): Promise<{ readonly provider: ProviderServer; readonly url: string }> {
  const provider = await startProvider(handler)
  onTestFinished(() => provider.close())
  const given = { cache: createCache(), upstreams: { openai: provider.url }, privateHosts: ['127.0.0.1'], ...options }
  return { provider, url: (await listening(given)).url }
}

/** The body of a question in OpenAI's protocol. */
export function question(content = 'Why is the sky blue?'): string {
  return JSON.stringify({ model: 'gpt-test', messages: [{ role: 'user', content }] })
}

/** Asks a gateway a question. */
export function ask(
  url: string,
  headers: Readonly<Record<string, string>> = {},
  body: string | Uint8Array<ArrayBuffer> = question(),
): Promise<Response> {
  return fetch(`${url}/openai/v1/chat/completions`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', authorization: 'Bearer sk-test', ...headers },
  })
}
