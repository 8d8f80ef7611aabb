/**
 * Answers as Gemini gives them.
 * Source: https://ai.google.dev/api/generate-content
 * @module
 */
import type { ServerEvent } from '../../src/base/server-sent-events.ts'
import type { JsonObject } from '../../src/json/object.ts'

/** The tokens of each of these answers. */
export const contentTokens = { promptTokenCount: 5, candidatesTokenCount: 3, totalTokenCount: 10, thoughtsTokenCount: 2 }

const ids = { modelVersion: 'gemini-test-1-001', responseId: 'r-1' }

/** A whole answer of these parts. */
export function content(parts: readonly JsonObject[], more: JsonObject = {}): JsonObject {
  return {
    candidates: [{ content: { parts, role: 'model' }, finishReason: 'STOP', index: 0, ...more }],
    usageMetadata: contentTokens,
    ...ids,
  }
}

/** A whole answer in words. */
export function words(text: string): JsonObject {
  return content([{ text }])
}

/** The same streamed, in two chunks. */
export function wordEvents(text: string): ServerEvent[] {
  const half = Math.ceil(text.length / 2)
  const early = { promptTokenCount: 5, totalTokenCount: 5 }
  return [
    { candidates: [{ content: { parts: [{ text: text.slice(0, half) }], role: 'model' }, index: 0 }], usageMetadata: early, ...ids },
    {
      candidates: [{ content: { parts: [{ text: text.slice(half) }], role: 'model' }, finishReason: 'STOP', index: 0 }],
      usageMetadata: contentTokens,
      ...ids,
    },
  ].map((chunk) => ({ data: JSON.stringify(chunk) }))
}

/** Embeddings of a batch, each as long as its text. */
export function embeddings(requests: readonly JsonObject[]): JsonObject {
  return { embeddings: requests.map((request) => ({ values: [JSON.stringify(request['content']).length, 0.5] })) }
}
