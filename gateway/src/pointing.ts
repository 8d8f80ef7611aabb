/**
 * What the program prints when it listens: how to point a client at it.
 * @module
 */
import { isIPv6 } from 'node:net'

/** Where it listens. */
interface Place {
  readonly host: string
  readonly port: number
}

/**
 * The lines, each client's own variables ready to copy.
 * @param isGuarded whether the gateway asks for a key or token of its own
 */
export function pointing({ host, port }: Place, isGuarded: boolean): string {
  const url = `http://${isIPv6(host) ? `[${host}]` : host}:${port}`
  return `llmemo-gateway listens at ${url}

  OPENAI_BASE_URL=${url}/openai/v1
  ANTHROPIC_BASE_URL=${url}/anthropic
  GOOGLE_GEMINI_BASE_URL=${url}/gemini
  AWS_ENDPOINT_URL_BEDROCK_RUNTIME=${url}/bedrock

${isGuarded ? guarded : open}
`
}

const guarded = `Each client needs a key or token of this gateway: in x-llmemo-api-key beside the key of its provider, or in place of that.`

const open = `No key was made yet, so it answers this machine only, and clients send the keys of their providers.
Make one: llmemo-gateway keys create --role admin`
