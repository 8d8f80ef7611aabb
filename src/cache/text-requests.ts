/**
 * Requests that no client makes: a text, a prompt or messages, with what the answer depends on. Their answers may be any JSON.
 * @module
 */
import { assertCallOptions } from '../engine/settings/call-options.ts'
import type { Call } from '../engine/cached-call.ts'
import type { CacheInfo, CallOptions } from '../call.ts'
import type { Usage } from '../entry.ts'
import { InvalidOptionError } from '../errors.ts'
import { isJsonObject, type JsonObject } from '../json/object.ts'
import type { Endpoint } from '../providers/endpoint.ts'
import { anthropicMessages } from '../providers/anthropic/messages.ts'
import { openaiChat } from '../providers/openai/chat.ts'

/**
 * A request by its text, for answers that no client of ours makes. It has exactly one of `text`, `prompt` and `messages`. All that it says is
 * part of the key, the operation included: a summary and a translation of one text are two answers.
 */
export interface TextRequest extends CallOptions {
  /** The text that is worked on. */
  readonly text?: string
  /** The prompt that is answered. */
  readonly prompt?: string
  /** The messages that are answered, in any form that JSON can hold. */
  readonly messages?: readonly object[]
  /** What else decides about the answer, such as `{ temperature: 0 }`; any JSON. @default none */
  readonly options?: object
  /** The model that answers. @default none */
  readonly model?: string
  /** Who answers, for the price: `openai`, `anthropic`… @default none */
  readonly provider?: string
}

/** An answer to a request by its text, and its cache facts. */
export interface LookedUpText {
  /** The answer as it was stored. */
  readonly answer: unknown
  readonly info: CacheInfo
}

/** The ways to say what is asked. */
export const textForms = ['text', 'prompt', 'messages'] as const

/**
 * The call that a request by its text stands for.
 * @throws {InvalidOptionError} if it has none of the forms or several, or an option that cannot be
 */
export function textCall(request: TextRequest): Call {
  const allowed = 'an object with exactly one of text, prompt and messages'
  const untyped: unknown = request
  if (!isJsonObject(untyped)) throw new InvalidOptionError('request', untyped, allowed)
  const { text, prompt, messages, options = {}, model, provider = '', ...rest } = request
  assertCallOptions(rest)
  const given = Object.entries({ text, prompt, messages }).filter(([, value]) => value !== undefined)
  const [first] = given
  if (first === undefined || given.length > 1) {
    throw new InvalidOptionError('request', Object.fromEntries(given), allowed)
  }
  const [form, asked] = first
  const isGood = form === 'messages' ? Array.isArray(asked) : typeof asked === 'string'
  if (!isGood) throw new InvalidOptionError(form, asked, form === 'messages' ? 'an array' : 'a text')
  if (!isJsonObject(options)) throw new InvalidOptionError('options', options, 'an object')
  if (model !== undefined && typeof model !== 'string') throw new InvalidOptionError('model', model, 'a text')
  if (typeof provider !== 'string') throw new InvalidOptionError('provider', provider, 'a text')
  const endpoint = { ...textEndpoint, provider }
  const operation = rest.operation ?? endpoint.operation
  return callOf(endpoint, { operation, [form]: asked, options, ...(model !== undefined && { model }) }, rest)
}

/** A call of a function of the user's own, which `options.operation` names. */
export function functionCall(given: readonly unknown[], options: CallOptions): Call {
  assertCallOptions(options)
  return callOf(functionEndpoint, { operation: options.operation, arguments: given }, options)
}

function callOf(endpoint: Endpoint, request: JsonObject, options: CallOptions): Call {
  return { endpoint, origin: '', headers: {}, request, credential: '', options }
}

/** What is stored of an answer that may be any JSON: an object with the answer in it. */
export function storedForm(text: string): string {
  return `{"response":${text}}`
}

/** The answer in what is stored of it. */
export function answerIn({ response }: JsonObject): unknown {
  return response
}

const textEndpoint: Endpoint = {
  provider: '',
  name: 'text',
  path: '',
  operation: 'text',
  ignored: [],
  bypassReason: () => undefined,
  skipReason: ({ response }) => (response === null || response === '' ? 'empty' : undefined),
  usage: ({ response }) => (isJsonObject(response) ? usageIn(response) : undefined),
}

const functionEndpoint: Endpoint = { ...textEndpoint, name: 'function', skipReason: () => undefined }

/** The usage of an answer that is in the form of a provider. */
function usageIn(response: JsonObject): Usage | undefined {
  return openaiChat.usage(response) ?? anthropicMessages.usage(response)
}
