/**
 * What is used of the AI SDK's interface for models, by its shape: it is the same in the versions 2, 3 and 4 of the specification (AI SDK 5, 6
 * and 7), so that no version of `@ai-sdk/provider` is needed.
 * Source: https://github.com/vercel/ai/tree/main/packages/provider/src
 * @module
 */

/** The versions of the specification. */
export type SpecificationVersion = 'v2' | 'v3' | 'v4'

/** What a model is asked with, as far as the cache looks at it. All else of it is part of the key. */
export interface CallParams {
  /** Cache options stand under `llmemo`. They are not sent. */
  readonly providerOptions?: Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined
  readonly abortSignal?: AbortSignal | undefined
  readonly includeRawChunks?: boolean | undefined
}

/** A model, as far as it is named. */
export interface NamedModel {
  readonly provider: string
  readonly modelId: string
}

/** A result of a model: an object whose members are its answer, and how it was fetched. */
export type Members = Record<string, unknown>

/** Whether `value` is an object with members. */
export function hasMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `value` if it is an object with members, else one without any. */
export function membersOf(value: unknown): Members {
  return hasMembers(value) ? value : {}
}

/** Whether `value` is a promise, whichever library it comes from. */
export function comesLater(value: unknown): boolean {
  return typeof membersOf(value)['then'] === 'function'
}

/** `value` if it is an array, else an empty one. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** An answer without what was true of its own request only: the request, the headers and the body. */
export function keptAnswer(result: unknown): Members {
  const { request: _, response, ...answer } = membersOf(result)
  if (!hasMembers(response)) return answer
  const { headers: _headers, body: _body, ...kept } = response
  return { ...answer, response: kept }
}
