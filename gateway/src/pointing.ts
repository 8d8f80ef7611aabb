/**
 * What the program prints when it listens: how to point a client at it.
 * @module
 */

/** The lines, each client's own variables ready to copy. */
export function pointing(url: string): string {
  return `llmemo-gateway listens at ${url}

  OPENAI_BASE_URL=${url}/openai/v1
  ANTHROPIC_BASE_URL=${url}/anthropic
  GOOGLE_GEMINI_BASE_URL=${url}/gemini
  AWS_ENDPOINT_URL_BEDROCK_RUNTIME=${url}/bedrock

No key is configured, so it listens on this machine only, and clients send the keys of their providers.
`
}
