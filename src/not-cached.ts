/**
 * The error of a call in mode `only-if-cached` for which there is no stored answer, and how to tell it on any client.
 * @module
 */
import { LlmemoError } from './errors.ts'

/** Why there is no stored answer: there is none, or the store could not be read in time, or the store failed. */
export type NotCachedReason = 'not stored' | 'store slow' | 'store broken'

/** An error that says that an answer is not cached. SDKs throw it as an error of their own. */
export interface NotCached extends Error {
  readonly code: 'NOT_CACHED'
  readonly status: number
  readonly reason: NotCachedReason
  /** The full key, 64 hex digits. */
  readonly key: string
  readonly scope: string
}

const causes: Readonly<Record<NotCachedReason, string>> = {
  'not stored': 'no answer is stored for this request',
  'store slow': 'the store did not say in time whether an answer is stored for this request',
  'store broken': 'the store failed, so it is not known whether an answer is stored for this request',
}

/** The status of the error on a wrapped client. Source: https://www.rfc-editor.org/rfc/rfc9111#section-5.2.1.7 */
const status = 504

/**
 * The status for any other caller of a `fetch`. The AI SDK and LangChain repeat calls that fail with 504, for seconds and minutes. No SDK
 * repeats a call for this one.
 */
const statusWithoutRetry = 404

/** A call in mode `only-if-cached` found no stored answer. */
export class NotCachedError extends LlmemoError {
  readonly status = status
  readonly reason: NotCachedReason
  readonly key: string
  readonly scope: string

  constructor({
    reason,
    key,
    scope,
    message: told,
  }: Pick<NotCached, 'reason' | 'key' | 'scope'> & { readonly message?: string | undefined }) {
    const message =
      told ??
      `llmemo: ${causes[reason]}, and its mode "only-if-cached" does not allow a call to the provider. Use mode "default" to allow it.`
    super('NOT_CACHED', message)
    this.reason = reason
    this.key = key
    this.scope = scope
  }
}

/** The answer in place of the error, for an SDK that makes an error of its own of it. */
export function notCachedAnswer(error: NotCachedError, isWrappedClient: boolean): { readonly status: number; readonly body: string } {
  const { message, code, reason, key, scope } = error
  const body = JSON.stringify({ error: { message, type: 'llmemo', code, param: null, reason, key, scope } })
  return { status: isWrappedClient ? status : statusWithoutRetry, body }
}

/**
 * Whether `error` says that a call in mode `only-if-cached` found no stored answer, on any client: a wrapped one, an SDK or a framework over
 * `cachingFetch`. Such an error then has a `code`, `status`, `reason`, `key` and `scope`, also where its SDK gives it none of these.
 */
export function isNotCached(error: unknown): error is NotCached {
  const found = factsIn(error, 0)
  if (found === undefined || typeof error !== 'object' || error === null) return false
  for (const [name, value] of Object.entries(found)) {
    if (Reflect.get(error, name) === undefined && Object.isExtensible(error)) {
      Object.defineProperty(error, name, { value, configurable: true, writable: true })
    }
  }
  return true
}

/** Members in which SDKs and frameworks keep the body of an answer, or the error beneath their own. */
const holders = ['error', 'data', 'responseBody', 'cause', 'lastError', 'message']

/** Errors within errors that are looked into. */
const maxDepth = 4

function factsIn(value: unknown, depth: number): object | undefined {
  const object = typeof value === 'string' ? parsed(value) : value
  if (typeof object !== 'object' || object === null || depth > maxDepth) return undefined
  if (Reflect.get(object, 'code') === 'NOT_CACHED' && (LlmemoError.isInstance(object) || Reflect.get(object, 'type') === 'llmemo')) {
    const [reason, key, scope] = ['reason', 'key', 'scope'].map((name): unknown => Reflect.get(object, name))
    if (reason !== undefined) return { code: 'NOT_CACHED', status, reason, key, scope }
  }
  for (const name of holders) {
    const found = factsIn(Reflect.get(object, name), depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}

function parsed(text: string): unknown {
  if (!text.includes('NOT_CACHED')) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
