/**
 * Answers in the protocol of Gemini, as the tests' provider gives them: whole, and as the events of a stream.
 * @module
 */
import type { ServerEvent } from '../../src/base/server-sent-events.ts'
import type { JsonObject } from '../../src/json/object.ts'

const usageMetadata = { promptTokenCount: 9, candidatesTokenCount: 12, totalTokenCount: 21 }
const head = { modelVersion: 'gemini-test-1', responseId: 'resp_1' }

function candidate(text: string, finish?: string): JsonObject {
  return { content: { role: 'model', parts: [{ text }] }, index: 0, ...(finish !== undefined && { finishReason: finish }) }
}

/** A whole answer of `generateContent`. */
export function geminiAnswer(text: string, finish = 'STOP'): JsonObject {
  return { candidates: [candidate(text, finish)], usageMetadata, ...head }
}

function event(given: JsonObject): ServerEvent {
  return { data: JSON.stringify({ ...head, ...given }) }
}

/** The events of `streamGenerateContent?alt=sse`: the first text, and the rest with the end. */
export function geminiEvents(text: string, finish = 'STOP'): [ServerEvent[], ServerEvent[]] {
  return [
    [event({ candidates: [candidate(text.slice(0, 3))] })],
    [event({ candidates: [candidate(text.slice(3), finish)], usageMetadata })],
  ]
}
