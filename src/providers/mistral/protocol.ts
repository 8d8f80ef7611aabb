/**
 * Mistral's completion of code between a prompt and a suffix. Its chat and its embeddings have OpenAI's form, and are cached as that.
 * Source: https://docs.mistral.ai/api/#tag/fim
 * @module
 */
import { openaiChat } from '../openai/chat.ts'
import type { Protocol } from '../protocol.ts'

const path = '/fim/completions'

/** Fill-in-the-middle: a request of its own form, with the answers of chat. */
const fim = {
  ...openaiChat,
  provider: 'mistral',
  name: 'fim.completions',
  path,
  operation: 'completions',
  ignored: ['stream'],
  normalise: (request: object) => ({ ...request }),
}

/** The protocol of Mistral. */
export const mistralProtocol: Protocol = {
  endpoints: [fim],
  call: (address) =>
    address.pathname.endsWith(path)
      ? { endpoint: fim, origin: `${address.origin}${address.pathname.slice(0, -path.length)}${address.search}`, named: fim.name }
      : undefined,
}
