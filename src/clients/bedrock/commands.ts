/**
 * The Bedrock commands that are cached: how their inputs become requests, and how their outputs become texts and back.
 * @module
 */
import { base64Of } from '../../base/text-bytes.ts'
import { isJsonObject, type JsonObject } from '../../json/object.ts'
import { fromTagged, toTagged } from '../../json/tagged.ts'
import { bedrockConverse } from '../../providers/bedrock/converse.ts'
import { invokeEndpoint } from '../../providers/bedrock/endpoints.ts'
import { type Endpoint } from '../../providers/endpoint.ts'
import { joined, keepInvoked, readInvoked } from '../../providers/bedrock/invoke-text.ts'
import { parseExactJson } from '../../json/exact.ts'
import { keepsMembers } from '../../json/members.ts'
import type { ServerEvent } from '../../base/server-sent-events.ts'

/** How the inputs and outputs of one kind of command are read and written. */
export interface CommandCodec {
  /** The member of a streamed output that is the stream. */
  readonly stream: 'stream' | 'body'
  /** The operation of a call whose input cannot be read. */
  readonly operation: string
  endpoint(request: JsonObject): Endpoint
  /** The command's input as the request that is keyed; `undefined` if its body is not JSON. */
  request(input: JsonObject): JsonObject | undefined
  /** The command's input for another request than the caller's own. */
  input(request: JsonObject): JsonObject
  /** Gives the caller's input as it was when it was keyed, as the caller may change it during the look-up. */
  snapshot(input: JsonObject, request: JsonObject): () => JsonObject
  /** A whole output, less its `$metadata`, as the text that is stored; `undefined` if it is not JSON. */
  keep(output: JsonObject): string | undefined
  /** The output of a stored text. */
  output(text: string): JsonObject
  /** The text of an answer that was assembled from a stream. */
  assembled(answer: JsonObject): string
  /** An event of the output's stream as it is stored; `undefined` if a stored one would not give it back. It may throw for such an event. */
  keepEvent(event: JsonObject): ServerEvent | undefined
  /** A stored event as the SDK gives it. */
  event(kept: ServerEvent): JsonObject
}

/** Converse and ConverseStream: the output is an object that may hold bytes anywhere. */
const converse: CommandCodec = {
  stream: 'stream',
  operation: 'converse',
  endpoint: () => bedrockConverse,
  request({ modelId, ...rest }) {
    const request = toTagged({ model: modelId, ...rest })
    return isJsonObject(request) ? request : undefined
  },
  input: converseInput,
  snapshot: (_, request) => () => converseInput(request),
  keep: (output) => JSON.stringify(toTagged(output)),
  output: (text) => objectOf(mayHoldTags(text) ? fromTagged(JSON.parse(text)) : JSON.parse(text)),
  assembled: (answer) => JSON.stringify(answer),
  keepEvent(event) {
    const [[name, value] = [], ...others] = Object.entries(event).filter(([, member]) => member !== undefined)
    return name === undefined || others.length > 0 ? undefined : { event: name, data: JSON.stringify(toTagged(value)) }
  },
  event: ({ event = '', data }) => ({ [event]: fromTagged(JSON.parse(data)) }),
}

/** InvokeModel and its stream: JSON inside bytes, stored byte for byte. */
const invoke: CommandCodec = {
  stream: 'body',
  operation: 'invoke',
  endpoint: invokeEndpoint,
  request({ modelId, body, ...rest }) {
    const text = typeof body === 'string' ? body : textOf(body)
    const parsed = text === undefined ? undefined : parseExactJson(text)?.value
    const request = toTagged({ model: modelId, ...rest })
    if (text === undefined || !isJsonObject(parsed) || !keepsMembers(text, parsed)) return undefined
    return isJsonObject(request) ? { ...request, body: parsed } : undefined
  },
  input: ({ model, body, ...rest }) => ({ modelId: model, ...objectOf(fromTagged(less(rest, 'stream'))), body: JSON.stringify(body) }),
  // The request holds the parsed body. The text of its bytes cannot be made of it.
  snapshot(input) {
    const { body } = input
    const own = ArrayBuffer.isView(body) ? { ...input, body: new Uint8Array(copyOf(body)) } : { ...input }
    return () => own
  },
  keep({ body, ...rest }) {
    const text = textOf(body)
    return text === undefined ? undefined : keepInvoked(rest, text)
  },
  output(text) {
    const { rest, body } = readInvoked(text)
    return { ...rest, body: blob(body) }
  },
  assembled: ({ body, ...rest }) => joined(rest, JSON.stringify(body)),
  keepEvent({ chunk, ...others }) {
    const data = textOf(objectOf(chunk)['bytes'])
    return data === undefined || Object.keys(others).length > 0 ? undefined : { event: 'chunk', data }
  },
  event: ({ data }) => ({ chunk: { bytes: new TextEncoder().encode(data) } }),
}

/** A command that is cached. */
export interface CachedCommand {
  readonly codec: CommandCodec
  readonly streamed: boolean
}

/** The commands that are cached, by the names that the SDK writes into its own context. No bundler changes these. */
export const cachedCommands: ReadonlyMap<string, CachedCommand> = new Map([
  ['ConverseCommand', { codec: converse, streamed: false }],
  ['ConverseStreamCommand', { codec: converse, streamed: true }],
  ['InvokeModelCommand', { codec: invoke, streamed: false }],
  ['InvokeModelWithResponseStreamCommand', { codec: invoke, streamed: true }],
])

/** `object` without one of its members. */
export function less(object: JsonObject, name: string): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([member]) => member !== name))
}

/** Whether a name in a JSON text may begin with `$`, the sign of a tag, plain or escaped. */
function mayHoldTags(text: string): boolean {
  // A text is searched faster for its rarest character than for a pair that begins with a frequent one.
  return (text.includes('$') && text.includes('"$')) || text.includes('\\u0024')
}

function converseInput({ model, ...rest }: JsonObject): JsonObject {
  return { modelId: model, ...objectOf(fromTagged(less(rest, 'stream'))) }
}

/** The bytes of any array, in a buffer of their own. */
function copyOf({ buffer, byteOffset, byteLength }: ArrayBufferView): ArrayBufferLike {
  return buffer.slice(byteOffset, byteOffset + byteLength)
}

const lenient = new TextDecoder('utf-8', { ignoreBOM: true })
const exact = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text of bytes, of this realm or another; `undefined` if the text would not give the same bytes back. */
function textOf(bytes: unknown): string | undefined {
  try {
    return ArrayBuffer.isView(bytes) ? exact.decode(bytes) : undefined
  } catch {
    return undefined
  }
}

function objectOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {}
}

/** Bytes as the SDK gives them: an array with `transformToString()`, which knows base64 and else makes UTF-8. */
function blob(text: string): Uint8Array {
  return Object.defineProperty(new TextEncoder().encode(text), 'transformToString', {
    value(this: Uint8Array, encoding?: string) {
      return encoding === 'base64' ? base64Of(this) : lenient.decode(this)
    },
  })
}
